/* SPDX-License-Identifier: MIT */
/* fiber.c - the threads of a simulated program: which there are, what each waits for, the switch between them.
 *
 * Always:  time goes on by itself only when no fiber can run: to the next moment at which one can. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "sim/sim.h"

enum { MORE_BYTES = 64 * 1024 }; /* for the simulation's own calls; only what is touched is taken */

/* Those whose time has come are ready again. */
static void let_time_pass(struct magi_sim *s)
{
	for (struct magi_fiber *f = s->fibers; f; f = f->next) {
		if (f->state == MAGI_FIBER_WAITS && f->until <= s->now) {
			f->state = MAGI_FIBER_READY;
			f->until = 0;
			f->late = true;
		}
	}
}

static bool any_can_run(const struct magi_sim *s)
{
	for (const struct magi_fiber *f = s->fibers; f; f = f->next) {
		if (magi_fiber_can_run(f))
			return true;
	}
	return false;
}

/* The next moment at which somebody can go on; MAGI_NEVER: there is none. */
static uint64_t next_moment(const struct magi_sim *s)
{
	uint64_t next = MAGI_NEVER;

	for (const struct magi_fiber *f = s->fibers; f; f = f->next) {
		if ((f->state == MAGI_FIBER_WAITS || f->state == MAGI_FIBER_READY) && f->until < next)
			next = f->until;
	}
	return next;
}

/* Who goes on; NULL: nobody ever will. */
static struct magi_fiber *next_fiber(struct magi_sim *s)
{
	let_time_pass(s);
	if (!any_can_run(s)) {
		uint64_t next = next_moment(s);

		if (next == MAGI_NEVER)
			return NULL;
		s->now = next;
		let_time_pass(s);
	}
	return magi_choice_next(s);
}

static void save(struct magi_fiber *f)
{
	f->self = magi_self();
	f->error = errno;
}

static void restore(struct magi_fiber *f)
{
	f->sim->current = f;
	magi_self_set(f->self);
	errno = f->error;
}

/* The simulation is over, or cannot go on. */
static void go_outside(struct magi_sim *s, struct magi_fiber *from, bool last)
{
	save(from);
	s->current = NULL;
	magi_self_set(NULL);
	magi_coroutine_switch(&from->coroutine, &s->outside, last);
}

void magi_fiber_abandon(struct magi_sim *s)
{
	go_outside(s, s->current, true);
	__builtin_unreachable();
}

void magi_fiber_switch(struct magi_sim *s)
{
	struct magi_fiber *from = s->current, *to;

	save(from);
	to = next_fiber(s);
	if (!to) {
		magi_sim_failed(s, "deadlock: everybody waits, and neither time nor I/O can change that");
		magi_fiber_abandon(s);
	}
	if (to == from)
		return;
	s->result.switches++;
	s->stretch = 0;
	magi_trace_hash(s, to->id);
	restore(to);
	magi_coroutine_switch(&from->coroutine, &to->coroutine, from->state == MAGI_FIBER_ENDED);
}

static void end(struct magi_sim *s, struct magi_fiber *f)
{
	f->state = MAGI_FIBER_ENDED;
	magi_trace(s, "ends");
	for (struct magi_fiber *o = s->fibers; o; o = o->next) {
		if (o->state == MAGI_FIBER_JOINS && o->joins == f->id) {
			o->state = MAGI_FIBER_READY;
			o->until = 0;
		}
	}
	if (f == s->fibers) /* the first one is the program */
		magi_fiber_abandon(s);
	magi_fiber_switch(s);
}

static void begin(void *arg)
{
	struct magi_fiber *f = arg;

	f->fn(f->arg);
	end(f->sim, f);
}

int magi_fiber_start(struct magi_sim *s, void *(*fn)(void *arg), void *arg, size_t stack, uint64_t *id)
{
	struct magi_fiber *f = calloc(1, sizeof(*f));
	int rc = f ? magi_coroutine_create(&f->coroutine, stack + MORE_BYTES, begin, f) : -ENOMEM;

	if (rc < 0) {
		free(f);
		return -EAGAIN;
	}
	f->sim = s;
	f->id = ++s->fiber_count;
	f->fn = fn;
	f->arg = arg;
	snprintf(f->name, sizeof(f->name), "thread-%u", (unsigned)f->id);
	f->priority = (int64_t)(magi_random_next(&s->choice.next) >> 33);
	*s->fibers_end = f;
	s->fibers_end = &f->next;
	*id = f->id;
	return 0;
}

void magi_fiber_run_all(struct magi_sim *s)
{
	magi_coroutine_here(&s->outside);
	restore(s->fibers);
	magi_coroutine_switch(&s->outside, &s->fibers->coroutine, false);
}

void magi_fiber_free_all(struct magi_sim *s)
{
	while (s->fibers) {
		struct magi_fiber *f = s->fibers;

		s->fibers = f->next;
		magi_coroutine_destroy(&f->coroutine);
		free(f);
	}
}
