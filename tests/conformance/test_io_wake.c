/* SPDX-License-Identifier: MIT */
/* test_io_wake.c - the contract: sleeping, waking, deadlines.
 *
 * Tried with the bugs put into the ring: a poll that does not block and forgets the wake (wake_before_a_blocking_poll);
 * an owner that does not look at the state before it blocks (no_wake_is_lost too); an owner that looks at the queue
 * alone, not at what the kernel holds back (what_has_ended_is_due). */
#include <pthread.h>

#include <magpie/impl/atomic.h>
#include <sched.h>

#include "base/clock.h"
#include "conformance/fixture.h"

CONFORMS(wake_before_a_blocking_poll_ends_it)
{
	struct magi_rec rec;

	f->ops->wake(f->io, NULL);
	cr_assert(f->ops->poll(f->io, 0, &rec, 1) == 0); /* does not block: the wake is still to come */
	cr_assert(f->ops->poll(f->io, UINT64_MAX, &rec, 1) == 0);
}

CONFORMS(one_wake_ends_one_poll)
{
	struct magi_rec rec;
	uint64_t deadline;

	f->ops->wake(f->io, NULL);
	f->ops->wake(f->io, NULL);
	cr_assert(f->ops->poll(f->io, UINT64_MAX, &rec, 1) == 0);
	deadline = f->ops->now(f->io) + 3000000;
	cr_assert(f->ops->poll(f->io, deadline, &rec, 1) == 0);
	cr_assert(f->ops->now(f->io) >= deadline);
}

CONFORMS(the_deadline_ends_a_poll_and_not_before)
{
	struct magi_rec rec;

	for (int i = 0; i < 10; i++) {
		uint64_t deadline = f->ops->now(f->io) + (uint64_t)i * 500000;

		cr_assert(f->ops->poll(f->io, deadline, &rec, 1) == 0);
		cr_assert(f->ops->now(f->io) >= deadline);
	}
}

CONFORMS(a_deadline_holds_while_something_was_submitted)
{
	char in[8];
	uint64_t token, deadline;
	int fds[2];

	fx_pair(f, fds);
	token = fx_submit(f, (struct magi_req){ .code = MAGI_IO_RECV, .fd = fds[1], .addr = in, .len = 8 });
	deadline = f->ops->now(f->io) + 2000000;
	cr_assert(fx_poll(f, 2) == 0);
	cr_assert(f->ops->now(f->io) >= deadline);
	f->ops->cancel(f->io, token);
	cr_assert(fx_wait(f, token).res == -ECANCELED);
	fx_close_fd(f, fds[0]);
	fx_close_fd(f, fds[1]);
}

CONFORMS(a_deadline_that_has_passed_does_not_block)
{
	struct magi_rec rec;

	cr_assert(f->ops->poll(f->io, 1, &rec, 1) == 0);
	cr_assert(f->ops->poll(f->io, f->ops->now(f->io), &rec, 1) == 0);
}

CONFORMS(nothing_is_due_when_nothing_was_submitted)
{
	fx_settle(f);
	cr_assert(!f->ops->due(f->io));
	fx_submit(f, (struct magi_req){ .code = MAGI_IO_NOP });
	cr_assert(f->ops->due(f->io));
}

/* A worker with other work to do does not block: what has ended must show. */
CONFORMS(what_has_ended_is_due_and_gathered_without_blocking)
{
	uint64_t token, patience = magi_clock_ns() + FX_PATIENCE * MAGI_NS_PER_MS;
	char in[8], out[1] = { 'x' };
	int fds[2];

	fx_pair(f, fds);
	token = fx_submit(f, (struct magi_req){ .code = MAGI_IO_RECV, .fd = fds[1], .addr = in, .len = 8 });
	fx_settle(f);
	if (f->world)
		fx_submit(f, (struct magi_req){ .code = MAGI_IO_SEND, .fd = fds[0], .addr = out, .len = 1 });
	else
		cr_assert(write(fds[0], out, 1) == 1); /* an operation of ours would take the kernel's news along */
	while (!fx_records(f, token) && magi_clock_ns() < patience) {
		if (f->ops->due(f->io))
			fx_poll(f, 0);
		else
			sched_yield(); /* older kernels deliver when they like */
	}
	cr_assert(fx_records(f, token) == 1);
	fx_close_fd(f, fds[0]);
	fx_close_fd(f, fds[1]);
}

struct waker {
	struct fixture *f;
	uint32_t go;   /* atomic: round that the owner has begun */
	uint32_t gift; /* atomic, relaxed: the wake orders it */
};

enum { ROUNDS = 10000 };

static void *wake_each_round(void *arg)
{
	struct waker *w = arg;

	for (uint32_t round = 1; round <= ROUNDS; round++) {
		for (uint32_t i = 1; magi_load_acq(&w->go) != round; i++) { /* [go] */
			if (i % 1024 == 0)
				sched_yield(); /* there may be fewer CPUs */
			magi_pause();
		}
		for (uint32_t i = 0; i < (round * 7 & 0xff); i++)
			magi_pause(); /* sometimes before the owner blocks, sometimes after */
		magi_store_rlx(&w->gift, round);
		w->f->ops->wake(w->f->io, NULL);
	}
	return NULL;
}

/* Without a deadline: a lost wake hangs. Each wake also makes visible what its caller wrote before. */
static void no_wake_is_lost_body(struct fixture *f)
{
	struct waker w = { .f = f };
	struct magi_rec rec;
	pthread_t thread;

	pthread_create(&thread, NULL, wake_each_round, &w);
	for (uint32_t round = 1; round <= ROUNDS; round++) {
		int spurious = 0;

		magi_store_rel(&w.go, round); /* [go] */
		for (uint32_t i = 0; i < (round * 13 & 0xff); i++)
			magi_pause();
		/* a doorbell of an earlier round may come late, once; the wake itself is never late for ever */
		do {
			cr_assert(f->ops->poll(f->io, UINT64_MAX, &rec, 1) == 0);
			cr_assert(spurious++ < 3);
		} while (magi_load_rlx(&w.gift) != round);
	}
	pthread_join(thread, NULL);
}

CONFORMS(no_wake_is_lost)
{
	FX_NEEDS_SYSTEM(f);
	if (f->next_token >> 32 <= 2) /* two seeds are enough of this long one */
		no_wake_is_lost_body(f);
}

struct sleeper {
	struct fixture *f;
	uintptr_t io;     /* atomic */
	uint32_t rounds;  /* atomic: blocking polls that have ended */
	uint32_t stop;    /* atomic */
	uint32_t over;    /* atomic: nobody wakes it any more; until then it must not close */
	uint32_t rung;    /* bell_works at the end */
};

static void *sleep_and_count(void *arg)
{
	struct sleeper *s = arg;
	struct magi_io *io = fx_open_io(s->f);
	struct magi_rec rec;

	magi_store_rel(&s->io, (uintptr_t)io); /* [io] */
	while (!magi_load_acq(&s->stop)) { /* [stop] */
		cr_assert(s->f->ops->poll(io, UINT64_MAX, &rec, 1) == 0);
		magi_add_ar(&s->rounds, 1); /* [rounds] */
	}
	while (!magi_load_acq(&s->over)) /* [over] */
		sched_yield();
	if (s->f->kind == FX_URING)
		s->rung = ((struct magi_uring *)io)->bell_works;
	s->f->ops->close(io, fx_take, s->f);
	return NULL;
}

/* Two io, two threads: one's owner wakes the other through its own ring, where there is one. */
CONFORMS(an_owner_wakes_another)
{
	struct sleeper s = { .f = f };
	struct magi_io *other;
	pthread_t thread;

	FX_NEEDS_SYSTEM(f);
	if (f->next_token >> 32 > 2)
		return;
	pthread_create(&thread, NULL, sleep_and_count, &s);
	while (!(other = (struct magi_io *)magi_load_acq(&s.io))) /* [io] */
		sched_yield();
	for (uint32_t i = 0; i < 2000; i++) {
		uint32_t before = magi_load_acq(&s.rounds); /* [rounds] */

		f->ops->wake(other, f->io);
		while (magi_load_acq(&s.rounds) == before) /* [rounds] */
			sched_yield();
	}
	magi_store_rel(&s.stop, 1); /* [stop] */
	f->ops->wake(other, f->io);
	magi_store_rel(&s.over, 1); /* [over] */
	pthread_join(thread, NULL);
	if (f->kind == FX_URING && (((struct magi_uring *)f->io)->features & MAGI_URING_BELL))
		cr_assert(s.rung, "no doorbell came through the ring");
}
