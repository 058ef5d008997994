/* SPDX-License-Identifier: MIT */
/* host.c - a simulation's answers to the library. */
#include <string.h>

#include "base/clock.h"
#include "base/thread.h"
#include "sim/sim.h"

enum {
	NOW_NS = 25,      /* a look at the clock */
	POINT_NS = 100,   /* a stretch between two points takes so long, or up to five times that */
	LONG_ONE_IN = 64, /* and now and then */
	LONG_NS = 200000, /* up to so much */
	YIELD_NS = 500,
	STRETCH = 2000,     /* points at most before others get a turn; picked */
	JOB_LOG_LEAST = 10, /* ns: an offloaded job takes from 1 us */
	JOB_LOG_MOST = 26   /* to 64 ms; most are short */
};

#define MAX_STEPS 10000000

void magi_sim_count(struct magi_sim *s)
{
	uint64_t most = s->options.max_steps ? s->options.max_steps : MAX_STEPS;

	if (++s->result.steps == s->cut_at)
		mag_sim_power_cut();
	if (s->result.steps > most) {
		magi_sim_failed(s, "no end after %llu steps, %.3f s of simulated time", (unsigned long long)most,
				(double)s->now / 1e9);
		magi_fiber_abandon(s);
	}
}

static uint64_t now(struct magi_host *h)
{
	struct magi_sim *s = magi_sim_of(h);

	s->now += NOW_NS;
	return s->now;
}

static void yield(struct magi_host *h)
{
	struct magi_sim *s = magi_sim_of(h);

	magi_sim_count(s);
	s->now += YIELD_NS;
	magi_choice_yields(s);
	magi_fiber_switch(s);
}

static bool wait(struct magi_host *h, uint32_t *word, uint32_t value, uint64_t ns)
{
	struct magi_sim *s = magi_sim_of(h);
	struct magi_fiber *f = s->current;

	magi_sim_count(s);
	if (*word != value)
		return true;
	f->state = MAGI_FIBER_WAITS;
	f->word = word;
	f->until = magi_saturate_add(s->now, ns);
	f->late = false;
	magi_fiber_switch(s);
	f->word = NULL;
	return !f->late;
}

static void wake(struct magi_host *h, uint32_t *word, uint32_t n)
{
	struct magi_sim *s = magi_sim_of(h);

	for (struct magi_fiber *f = s->fibers; f && n; f = f->next) {
		if (f->state != MAGI_FIBER_WAITS || f->word != word)
			continue;
		f->state = MAGI_FIBER_READY;
		f->until = 0;
		n--;
	}
}

static int start(struct magi_host *h, const struct magi_thread_start *thread, uint64_t *id)
{
	int rc = magi_fiber_start(magi_sim_of(h), thread->fn, thread->arg, thread->stack, id);

	if (rc == 0)
		magi_trace(magi_sim_of(h), "starts thread %u", (unsigned)*id);
	return rc;
}

static void join(struct magi_host *h, uint64_t id)
{
	struct magi_sim *s = magi_sim_of(h);
	struct magi_fiber *f = s->fibers;

	while (f && f->id != id)
		f = f->next;
	if (!f || f->state == MAGI_FIBER_ENDED)
		return;
	s->current->state = MAGI_FIBER_JOINS;
	s->current->joins = id;
	s->current->until = MAGI_NEVER;
	magi_fiber_switch(s);
}

static uint64_t self(struct magi_host *h)
{
	return magi_sim_of(h)->current->id;
}

static void name(struct magi_host *h, const char *text)
{
	struct magi_fiber *f = magi_sim_of(h)->current;

	snprintf(f->name, sizeof(f->name), "%s", text);
}

static void take_time(struct magi_sim *s, enum magi_point point)
{
	struct magi_random *r = &s->choice.numbers;

	if (point == MAGI_POINT_STEP) {
		s->now += POINT_NS + magi_random_below(r, 4 * POINT_NS);
		if (magi_random_below(r, LONG_ONE_IN) == 0)
			s->now += magi_random_below(r, LONG_NS);
	} else if (point == MAGI_POINT_IO) {
		s->now += POINT_NS;
	}
}

/* A job blocks, or computes on a CPU of its own: the others go on meanwhile. */
static void job_takes_time(struct magi_sim *s)
{
	uint32_t one = magi_random_below(&s->choice.numbers, JOB_LOG_MOST - JOB_LOG_LEAST + 1);
	uint32_t two = magi_random_below(&s->choice.numbers, JOB_LOG_MOST - JOB_LOG_LEAST + 1);
	uint32_t log = JOB_LOG_LEAST + (one < two ? one : two);

	s->current->until = s->now + magi_random_below(&s->choice.numbers, 1u << log);
	magi_trace(s, "begins a job");
	magi_fiber_switch(s);
}

static void point(struct magi_host *h, enum magi_point at, const void *what)
{
	struct magi_sim *s = magi_sim_of(h);

	magi_sim_count(s);
	take_time(s, at);
	if (at == MAGI_POINT_JOB) {
		job_takes_time(s);
		return;
	}
	if (++s->stretch > STRETCH) { /* it spins, perhaps for what another is to do: that is no preemption */
		s->stretch = 0;
		magi_choice_yields(s);
		magi_fiber_switch(s);
	} else if (magi_choice_preempts(s)) {
		magi_fiber_switch(s);
	}
	if (at == MAGI_POINT_STEP)
		magi_trace_step(s, (mag_frame *)(uintptr_t)what);
}

static bool chance(struct magi_host *h, enum magi_chance what)
{
	return magi_choice_happens(magi_sim_of(h), what);
}

static uint32_t number(struct magi_host *h, uint32_t n)
{
	return magi_random_below(&magi_sim_of(h)->choice.numbers, n);
}

static void note(struct magi_host *h, enum magi_note what, int64_t a, int64_t b, int64_t c)
{
	magi_trace_note(magi_sim_of(h), what, a, b, c);
}

const struct magi_host_ops magi_sim_host_ops = {
	.now = now,
	.yield = yield,
	.wait = wait,
	.wake = wake,
	.start = start,
	.join = join,
	.self = self,
	.name = name,
	.point = point,
	.chance = chance,
	.random = number,
	.note = note,
};
