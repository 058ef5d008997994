/* SPDX-License-Identifier: MIT */
/* explore.c - the search: whose turn it is, and the next execution. */
#include "model/explore.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "model/coroutine.h"
#include "model/seen.h"
#include "model/site.h"
#include "model/thread.h"
#include "model/trace.h"
#include "model/view.h"

enum {
	DEPTH = 4096,
	FLUSH = MODEL_THREADS,         /* a choice: + thread, its oldest store becomes visible */
	INTERRUPT = 2 * MODEL_THREADS, /* + thread: it passes the full barrier that another one wants it to */
	CHOICES = 3 * MODEL_THREADS
};

enum outcome { COMPLETE, SEEN, FAILED };

struct choice {
	uint8_t count, at;
	uint8_t option[CHOICES];
};

static struct choice path[DEPTH];
static uint32_t path_end, path_at;

static const struct explore_model *model;
static jmp_buf main_context;
static uint32_t preempted;
static enum outcome outcome;
static struct {
	const char *what, *file;
	int line;
} failure;

static void leave(enum outcome how)
{
	outcome = how;
	if (running != NOBODY)
		coroutine_switch(thread[running].context, main_context);
}

void explore_fail(const char *what, const char *file, int line)
{
	if (!failure.what) {
		failure.what = what;
		failure.file = file;
		failure.line = line;
	}
	if (running != NOBODY)
		leave(FAILED);
}

static const char *const thread_names[] = { "thread 0", "thread 1", "thread 2", "thread 3" };

void explore_schedule(void)
{
	fprintf(stderr, "%s: %s:%d: %s\n", model->name, failure.file, failure.line, failure.what);
	trace_print(thread_names);
}

void explore_abort(const char *why)
{
	fprintf(stderr, "%s: %s\n", model->name, why);
	trace_print(thread_names);
	abort();
}

bool thread_views(void)
{
	return model->views;
}

bool explore_has_barriers(void)
{
	return model->barriers;
}

bool explore_asks_again(void)
{
	return model->again;
}

uint64_t thread_version(int t)
{
	return model->views ? view_version(t) : memory_version(t);
}

int explore_thread(void)
{
	return running;
}

/* What nobody else can see needs no other order. NOBODY: there is no such thing. */
static int unseen(void)
{
	if (model->views)
		return NOBODY;
	for (int t = 0; t < MODEL_THREADS; t++) {
		const struct memory_store *s = memory_oldest(t);

		if (s && thread_owns(t, s->p) == HIDDEN)
			return FLUSH + t;
		if (thread[t].pending == FENCE && !s && (t == running || model->preemptions == EXPLORE_ALL))
			return t;
	}
	return NOBODY;
}

/* Whether a barrier waits for this thread. */
static bool is_awaited(int t)
{
	for (int i = 0; i < MODEL_THREADS; i++) {
		if (thread[i].pending == BARRIER && !(thread[i].clean >> t & 1))
			return true;
	}
	return false;
}

/* The first option is to go on with the thread that runs. */
static int options(uint8_t *option)
{
	bool goes_on = running != NOBODY && thread_can_go_on(running);
	int n = 0;

	option[0] = (uint8_t)unseen();
	if (option[0] != (uint8_t)NOBODY)
		return 1;
	if (goes_on)
		option[n++] = (uint8_t)running;
	if (!goes_on || model->preemptions == EXPLORE_ALL || (int)preempted < model->preemptions) {
		for (int t = 0; t < MODEL_THREADS; t++) {
			if (t != running && thread_can_go_on(t))
				option[n++] = (uint8_t)t;
		}
	}
	for (int t = 0; t < MODEL_THREADS; t++) {
		if (memory_stored(t) != memory_flushed(t))
			option[n++] = (uint8_t)(FLUSH + t);
		if (model->views && is_awaited(t))
			option[n++] = (uint8_t)(INTERRUPT + t);
	}
	return n;
}

static uint64_t state(void)
{
	uint32_t live = 0;
	uint64_t h;

	for (int t = 0; t < MODEL_THREADS; t++)
		live |= (uint32_t)(thread[t].pending != NONE) << t;
	h = hash_mix(plain_hash(), model->views ? view_hash(live, model->again) : memory_hash());
	for (int t = 0; t < MODEL_THREADS; t++) {
		h = hash_mix(h, thread[t].history);
		h = hash_mix(h, thread_before_step(t));
		h = hash_mix(h, (uint64_t)thread[t].clean << 2 | (uint64_t)thread[t].rung << 1 |
					(thread_version(t) != thread[t].since));
	}
	/* whose turn it is matters only where taking it away is counted */
	return model->preemptions == EXPLORE_ALL ? h : hash_mix(h, (uint64_t)running);
}

/* Which answer this execution gives. */
static unsigned answer(const struct choice *now, bool look)
{
	struct choice *c = &path[path_at];

	if (path_at == path_end) {
		if (look && seen_before(state(), preempted))
			leave(SEEN);
		if (path_end == DEPTH)
			explore_abort("too many choices");
		*c = *now;
		path_end++;
	} else if (c->count != now->count) {
		explore_abort("an execution could not be repeated: something besides the choices differs");
	}
	path_at++;
	return c->at;
}

static int choose(void)
{
	struct choice now = { 0 };

	now.count = (uint8_t)options(now.option);
	if (now.count == 0)
		return NOBODY;
	if (now.count == 1)
		return now.option[0];
	return now.option[answer(&now, true)];
}

unsigned explore_choose(unsigned n)
{
	const struct choice now = { .count = (uint8_t)n };

	return n == 1 ? 0 : answer(&now, false);
}

void explore_ordered(const void *p)
{
	view_order(p);
}

struct explore_moment explore_last_load(void)
{
	if (running == NOBODY || !model->views)
		return (struct explore_moment){ 0 };
	return (struct explore_moment){ (int16_t)running, thread[running].loaded };
}

bool explore_is_after(struct explore_moment m)
{
	return running == NOBODY || !m.clock || view_saw(running, m.thread, (uint8_t)m.clock);
}

void explore_point(void)
{
	if (running != NOBODY)
		thread[running].history = ++thread[running].points;
}

void explore_prune(void)
{
	leave(SEEN);
}

void explore_flush(int t)
{
	const struct memory_store *s = memory_flush(t);
	uint32_t clean = thread_clean();

	trace_add(t, "visible", s->name, s->value);
	for (int i = 0; i < MODEL_THREADS; i++) {
		if (thread[i].pending == BARRIER)
			thread[i].clean |= clean;
	}
}

static void interrupt(int t)
{
	view_fence(t);
	trace_add(t, "is interrupted", NULL, 0);
	for (int i = 0; i < MODEL_THREADS; i++) {
		if (thread[i].pending == BARRIER)
			thread[i].clean |= 1u << t;
	}
}

/* Nobody can go on. */
static void rest(void)
{
	bool asleep = model->quiet && model->quiet();

	for (int t = 0; t < MODEL_THREADS; t++) {
		if (thread[t].pending != NONE && (!asleep || thread[t].pending != RUNG))
			explore_fail("every thread waits for another", __FILE__, __LINE__);
	}
	leave(COMPLETE);
}

/* Returns when the thread that calls it is chosen. */
static void take_turns(void)
{
	int from = running, next;

	while ((next = choose()) >= FLUSH) {
		if (next >= INTERRUPT)
			interrupt(next - INTERRUPT);
		else
			explore_flush(next - FLUSH);
	}
	if (next == NOBODY)
		rest();
	if (next == from)
		return;
	if (from != NOBODY && thread_can_go_on(from))
		preempted++;
	running = next;
	coroutine_switch(from == NOBODY ? main_context : thread[from].context, thread[next].context);
}

static void await_turn(enum pending what)
{
	bool first = thread[running].pending == START;

	thread[running].pending = what;
	if (first)
		coroutine_switch(thread[running].context, main_context);
	else
		take_turns();
}

void explore_step(enum pending what)
{
	if (running == NOBODY)
		return;
	if (model->views)
		view_catch_up(running);
	await_turn(what);
	thread[running].pending = ANY;
	thread[running].stepped = memory_stored(running);
}

void explore_note(const char *what, const char *name, uint64_t value)
{
	if (running == NOBODY)
		return;
	thread[running].history = hash_mix(thread[running].history, value);
	trace_add(running, what, name, value);
}

void explore_leave(void)
{
	explore_note("end", NULL, 0);
	await_turn(NONE);
}

static void body(void)
{
	model->thread[running]();
	explore_leave();
}

static void execute(void)
{
	memory_reset();
	trace_reset();
	thread_reset();
	running = NOBODY;
	preempted = path_at = 0;
	for (int t = 0; t < MODEL_THREADS; t++) {
		thread[t] = (struct thread){ .pending = model->thread[t] ? START : NONE };
		if (model->thread[t])
			coroutine_begin(t, thread[t].context, body);
	}
	model->start();
	memory_reset();
	view_reset();
	plain_reset();
	for (running = 0; running < MODEL_THREADS; running++) {
		if (thread[running].pending == START)
			coroutine_switch(main_context, thread[running].context);
	}
	running = NOBODY;
	take_turns();
	running = NOBODY;
	if (outcome == COMPLETE)
		model->end();
}

/* To the last choice that has another answer; false: there is none. */
static bool next_path(void)
{
	while (path_end && path[path_end - 1].at + 1 == path[path_end - 1].count)
		path_end--;
	if (path_end)
		path[path_end - 1].at++;
	return path_end > 0;
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

struct explore_result explore(const struct explore_model *m)
{
	struct explore_result r = { 0 };

	model = m;
	failure.what = NULL;
	path_end = 0;
	view_clear();
	plain_clear();
	r.seconds = now();
	seen_init();
	do {
		execute();
		r.executions++;
	} while (!failure.what && next_path());
	r.states = seen_count();
	seen_fini();
	r.seconds = now() - r.seconds;
	r.refuted = failure.what != NULL;
	site_print();
	return r;
}
