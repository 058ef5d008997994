/* SPDX-License-Identifier: MIT */
/* test_signal.c - src/process/signal.c, trap.c: each receiver gets each signal, none is lost, and handlers are put back. */
#include <errno.h>
#include <magpie/magpie.h>
#include <magpie/sim.h>
#include <pthread.h>
#include <unistd.h>

#include "support/matrix.h"

#include "base/alloc.h"
#include "process/signal.h"

/* Cancellation: SIGUSR1, told as the thread of trap.c tells it. */

struct signal_subject {
	struct subject s;
	mag_signal signal;
};

static mag_signal *signal_of(struct subject *s)
{
	return &((struct signal_subject *)(void *)s)->signal;
}

static void tell(struct subject *s, mag_worker *w, mag_frame *f)
{
	(void)w;
	(void)f;
	(void)s;
	cr_assert(magi_signal_tell(magi_trap_receivers(), UINT64_C(1) << (SIGUSR1 - 1)));
}

static bool reset(struct subject *s, mag_worker *w, mag_frame *f)
{
	(void)w;
	(void)f;
	return mag_signal_try_next(signal_of(s)) == SIGUSR1;
}

/* The matrix wants 0 of who has got it. */
struct got {
	mag_frame frame;
	MAG_ARGS(got, mag_signal *signal; uint64_t until;);
	int64_t rc;
};

MAG_TASK(got)
{
	MAG_BEGIN(got);
	MAG_AWAIT(self->rc, mag_signal_next_until, self->signal, self->until);
	MAG_RETURN(self->rc == SIGUSR1 ? 0 : self->rc);
	MAG_END;
}

static mag_frame *wait_called(mag_worker *w, mag_frame *f, struct subject *s, uint64_t *out)
{
	struct got *g = magi_frame_take(w, MAGI_CLASS(sizeof(*g)), sizeof(*g));

	if (!g)
		return magi_wait_done(w, f, -ENOMEM);
	g->signal = signal_of(s);
	g->until = *out == 7 ? MAG_NEVER : mag_deadline_in(3600 * MAG_SECOND);
	return magi_call(f, &g->frame, got_step, MAGI_CLASS(sizeof(*g)));
}

static void make(struct signal_subject *s)
{
	s->s = (struct subject){ .wait = wait_called, .give = tell, .reset = reset, .waitq = &s->signal.waitq };
	cr_assert_eq(mag_signal_open(&s->signal, SIGUSR1), 0);
}

Test(signal, cancelled_waiter_loses_no_signal, .timeout = 60)
{
	MATRIX_CASES(struct signal_subject, make);
}

/* Grants and cancellations at once; the receivers are closed and opened by others all the time. */

struct race {
	mag_frame frame;
	MAG_ARGS(race, mag_signal *signal; uint32_t *taken; int rounds;);
	mag_signal other;
	mag_scope scope;
	int64_t rc, why;
	int i;
};

MAG_TASK(race)
{
	MAG_BEGIN(race);
	for (self->i = 0; self->i < self->rounds; self->i++) {
		MAG_WITH_TIMEOUT(&self->scope, (uint64_t)(self->i % 7) * MAG_MICROSECOND);
		MAG_AWAIT(self->rc, mag_signal_next, self->signal);
		MAG_SCOPE_END(self->why, &self->scope);
		NEED(self->rc == SIGUSR2 || self->rc == MAG_ECANCELED);
		if (self->rc > 0)
			magi_add_rlx(self->taken, 1u); /* [stat] */
		NEED(mag_signal_open(&self->other, SIGUSR2) == 0);
		NEED(mag_signal_close(&self->other) == 1);
	}
	MAG_RETURN(0);
	MAG_END;
}

struct races {
	mag_frame frame;
	MAG_NO_ARGS(races);
	mag_group group;
	mag_signal signal;
	uint32_t taken, told, kept;
	int64_t rc;
	int i;
};

MAG_TASK(races)
{
	MAG_BEGIN(races);
	self->taken = self->told = 0;
	NEED(mag_signal_open(&self->signal, SIGUSR2) == 0);
	MAG_GROUP_BEGIN(&self->group);
	for (self->i = 0; self->i < 3; self->i++)
		MAG_SPAWN(self->rc, &self->group, race, .signal = &self->signal, .taken = &self->taken, .rounds = 300);
	for (self->i = 0; self->i < 300; self->i++) {
		/* the next one only when the last one is taken: then none falls together with it */
		magi_lock_acquire(magi_waitq_lock(&self->signal.waitq));
		self->kept = self->signal.pending != 0;
		magi_lock_release(magi_waitq_lock(&self->signal.waitq));
		if (!self->kept) {
			magi_signal_tell(magi_trap_receivers(), UINT64_C(1) << (SIGUSR2 - 1));
			self->told++;
		}
		MAG_YIELD(self->rc);
	}
	MAG_GROUP_END(self->rc, &self->group);
	NEED(self->rc == 0);
	if (mag_signal_try_next(&self->signal) == SIGUSR2)
		self->taken++;
	NEED(self->taken == self->told);
	NEED(mag_signal_close(&self->signal) == 1);
	MAG_RETURN(0);
	MAG_END;
}

Test(signal, is_given_or_kept_when_its_waiter_is_cancelled_at_that_moment, .timeout = 60)
{
	int64_t rc = RUN(4, races);

	cr_assert_eq(rc, 0, "%s", where(rc));
}

/* Real ones. */

struct two {
	mag_frame frame;
	MAG_NO_ARGS(two);
	mag_signal one, other;
	mag_stream_signals stream;
	int64_t rc;
	int number;
};

MAG_TASK(two)
{
	MAG_BEGIN(two);
	NEED(mag_signal_open(&self->one, SIGUSR1, SIGUSR2) == 0);
	NEED(mag_signal_open(&self->other, SIGUSR1) == 0);
	NEED(mag_signal_try_next(&self->one) == -EAGAIN);
	kill(getpid(), SIGUSR1);
	MAG_AWAIT(self->rc, mag_signal_next, &self->one);
	NEED(self->rc == SIGUSR1);
	MAG_AWAIT(self->rc, mag_signal_next, &self->other);
	NEED(self->rc == SIGUSR1);
	MAG_AWAIT(self->rc, mag_signal_next_until, &self->one, mag_deadline_in(MAG_MILLISECOND));
	NEED(self->rc == MAG_ETIMEDOUT);
	kill(getpid(), SIGUSR2);
	MAG_AWAIT(self->rc, mag_signal_next, &self->one);
	NEED(self->rc == SIGUSR2);
	NEED(mag_signal_try_next(&self->other) == -EAGAIN);
	NEED(mag_stream_signals_init(&self->stream, NULL) == -EINVAL);
	NEED(mag_stream_signals_init(&self->stream, &self->other) == 0);
	kill(getpid(), SIGUSR1);
	MAG_AWAIT(self->rc, mag_stream_next, &self->stream.stream, &self->number);
	NEED(self->rc == 1 && self->number == SIGUSR1);
	magi_signal_tell(magi_trap_receivers(), UINT64_C(1) << (SIGUSR1 - 1));
	MAG_AWAIT(self->rc, mag_stream_next, &self->stream.stream, &self->number);
	NEED(self->rc == 1 && self->number == SIGUSR1);
	NEED(mag_signal_close(&self->other) == 1);
	MAG_AWAIT(self->rc, mag_stream_next, &self->stream.stream, &self->number);
	NEED(self->rc == 0);
	MAG_AWAIT(self->rc, mag_stream_close, &self->stream.stream);
	NEED(mag_signal_close(&self->one) == 1);
	MAG_RETURN(0);
	MAG_END;
}

Test(signal, comes_to_each_receiver_that_wants_it_and_to_a_stream, .timeout = 30)
{
	int64_t rc = RUN(2, two);

	cr_assert_eq(rc, 0, "%s", where(rc));
}

/* A stream that waits while the receiver is closed, and while it is cancelled. */

struct listens {
	mag_frame frame;
	MAG_ARGS(listens, mag_signal *signal; mag_event *late;);
	mag_stream_signals stream;
	mag_scope scope;
	int64_t rc, why;
	int number;
};

MAG_TASK(listens)
{
	MAG_BEGIN(listens);
	NEED(mag_stream_signals_init(&self->stream, self->signal) == 0);
	MAG_WITH_TIMEOUT(&self->scope, MAG_MILLISECOND);
	MAG_AWAIT(self->rc, mag_stream_next, &self->stream.stream, &self->number);
	MAG_SCOPE_END(self->why, &self->scope);
	NEED(self->rc == MAG_ECANCELED && self->why == MAG_ETIMEDOUT);
	mag_event_set(self->late);
	MAG_AWAIT(self->rc, mag_stream_next, &self->stream.stream, &self->number);
	NEED(self->rc == 0);
	MAG_AWAIT(self->rc, mag_stream_close, &self->stream.stream);
	MAG_RETURN(0);
	MAG_END;
}

struct closes {
	mag_frame frame;
	MAG_NO_ARGS(closes);
	mag_signal signal;
	mag_event late;
	mag_group group;
	int64_t rc;
};

MAG_TASK(closes)
{
	MAG_BEGIN(closes);
	mag_event_init(&self->late);
	NEED(mag_signal_open(&self->signal, SIGHUP) == 0);
	MAG_GROUP_BEGIN(&self->group);
	MAG_SPAWN(self->rc, &self->group, listens, .signal = &self->signal, .late = &self->late);
	MAG_AWAIT(self->rc, mag_event_wait, &self->late);
	UNTIL_WAITING(self->rc, &self->signal.waitq, 1);
	NEED(mag_signal_close(&self->signal) == 1);
	NEED(mag_signal_close(&self->signal) == 0);
	MAG_GROUP_END(self->rc, &self->group);
	NEED(self->rc == 0);
	MAG_AWAIT(self->rc, mag_signal_next, &self->signal);
	NEED(self->rc == MAG_ECLOSED);
	MAG_RETURN(0);
	MAG_END;
}

Test(signal, closing_ends_who_waits, .timeout = 30)
{
	int64_t rc = RUN(2, closes);

	cr_assert_eq(rc, 0, "%s", where(rc));
}

/* Without a runtime: handlers. */

static void wait_for_signal(mag_signal *s, int number)
{
	int rc;

	while ((rc = mag_signal_try_next(s)) == -EAGAIN)
		sched_yield();
	cr_assert_eq(rc, number);
}

static volatile sig_atomic_t seen;

static void on_usr1(int number)
{
	seen = number;
}

static void other_handler(int number)
{
	seen = -number;
}

Test(signal, what_was_there_before_is_there_after_the_last_one_is_closed, .timeout = 30)
{
	mag_signal one, other;

	signal(SIGUSR1, on_usr1);
	cr_assert_eq(mag_signal_open(&one, SIGUSR1), 0);
	cr_assert_eq(mag_signal_open(&other, SIGUSR1), 0);
	raise(SIGUSR1);
	wait_for_signal(&one, SIGUSR1);
	mag_signal_close(&one);
	raise(SIGUSR1);
	wait_for_signal(&other, SIGUSR1);
	cr_assert_eq(seen, 0);
	mag_signal_close(&other);
	raise(SIGUSR1);
	cr_assert_eq(seen, SIGUSR1);
}

Test(signal, a_handler_that_has_taken_its_place_stays, .timeout = 30)
{
	mag_signal s;

	cr_assert_eq(mag_signal_open(&s, SIGUSR1), 0);
	signal(SIGUSR1, other_handler);
	mag_signal_close(&s);
	raise(SIGUSR1);
	cr_assert_eq(seen, -SIGUSR1);
}

Test(signal, several_are_given_lowest_first_and_do_not_add_up, .timeout = 30)
{
	mag_signal s;

	cr_assert_eq(mag_signal_open(&s, SIGUSR2, SIGUSR1, SIGHUP), 0);
	magi_signal_tell(magi_trap_receivers(), UINT64_C(1) << (SIGUSR2 - 1));
	magi_signal_tell(magi_trap_receivers(), UINT64_C(1) << (SIGUSR2 - 1));
	magi_signal_tell(magi_trap_receivers(), UINT64_C(1) << (SIGUSR1 - 1));
	cr_assert_not(magi_signal_tell(magi_trap_receivers(), UINT64_C(1) << (SIGTERM - 1)));
	cr_assert_eq(mag_signal_try_next(&s), SIGUSR1);
	cr_assert_eq(mag_signal_try_next(&s), SIGUSR2);
	cr_assert_eq(mag_signal_try_next(&s), -EAGAIN);
	cr_assert_eq(s.came, 3);
	mag_signal_close(&s);
	cr_assert_eq(mag_signal_try_next(&s), MAG_ECLOSED);
}

Test(signal, that_cannot_be_caught_is_refused, .timeout = 30)
{
	static const int wrong[] = { SIGKILL, SIGSTOP, SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP,
				     SIGSYS,  SIGABRT, 0,	-1,	 32,	 33,	 65 };
	mag_signal s;

	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		cr_assert_eq(mag_signal_open(&s, SIGUSR1, wrong[i]), -EINVAL, "%d", wrong[i]);
		cr_assert_eq(mag_signal_close(&s), 0);
	}
	cr_assert_eq(magi_signal_open(&s, NULL, 0, 1), -EINVAL);
	cr_assert_eq(magi_signal_open(&s, (const int[]){ SIGUSR1 }, 1, 0), -EINVAL);
	cr_assert_eq(mag_signal_open(&s, SIGRTMIN, SIGRTMAX), 0);
	raise(SIGRTMAX);
	wait_for_signal(&s, SIGRTMAX);
	mag_signal_close(&s);
	cr_assert_eq(mag_sim_raise(SIGUSR1), 0);
	cr_assert_eq(mag_sim_raise(0), -EINVAL);
	cr_assert_eq(mag_sim_raise(65), -EINVAL);
}

Test(signal, needs_a_thread, .timeout = 30)
{
	mag_signal s;

	magi_fault_plan(1, 0);
	cr_assert_eq(mag_signal_open(&s, SIGUSR1), -EAGAIN);
	cr_assert_eq(mag_signal_close(&s), 0);
	magi_fault_plan(0, 0);
	cr_assert_eq(mag_signal_open(&s, SIGUSR1), 0);
	cr_assert_eq(mag_signal_close(&s), 1);
}

static void *send_term(void *arg)
{
	kill(getpid(), SIGUSR1);
	return arg;
}

Test(signal, comes_although_every_thread_of_the_program_blocks_it, .timeout = 30)
{
	mag_signal s;
	pthread_t thread;
	sigset_t all;

	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, NULL);
	cr_assert_eq(mag_signal_open(&s, SIGUSR1), 0);
	cr_assert_eq(pthread_create(&thread, NULL, send_term, NULL), 0);
	pthread_join(thread, NULL);
	wait_for_signal(&s, SIGUSR1);
	mag_signal_close(&s);
}

Test(signal, that_came_before_the_opening_is_not_given, .timeout = 30)
{
	for (int i = 0; i < 200; i++) {
		mag_signal s;

		cr_assert_eq(mag_signal_open(&s, SIGUSR1), 0);
		raise(SIGUSR1);
		mag_signal_close(&s);
		cr_assert_eq(mag_signal_open(&s, SIGUSR1, SIGUSR2), 0);
		raise(SIGUSR2);
		wait_for_signal(&s, SIGUSR2);
		mag_signal_close(&s);
	}
}

/* The one that was there is told of it; the one that was opened before the thread could do so is not. */
static void opened_while_one_comes(bool last)
{
	mag_signal before, after;

	cr_assert_eq(mag_signal_open(&before, SIGUSR1), 0);
	magi_monitor_enter(&magi_trap_receivers()->monitor);
	raise(SIGUSR1);
	if (last)
		for (int i = 0; i < 100; i++)
			sched_yield(); /* the thread may take it, but cannot tell it */
	magi_monitor_leave(&magi_trap_receivers()->monitor);
	cr_assert_eq(mag_signal_open(&after, SIGUSR1), 0);
	wait_for_signal(&before, SIGUSR1);
	raise(SIGUSR1);
	wait_for_signal(&before, SIGUSR1);
	wait_for_signal(&after, SIGUSR1);
	cr_assert_eq(after.came, 1);
	mag_signal_close(&after);
	mag_signal_close(&before);
}

/* Tried: what has come taken before the monitor is entered; nobody told of it at an opening. */
Test(signal, that_came_before_the_opening_is_told_to_the_others_alone, .timeout = 30)
{
	for (int i = 0; i < 400; i++)
		opened_while_one_comes(i % 2);
}

Test(signal, a_receiver_of_two_leaves_the_third_to_what_was_there_before, .timeout = 30)
{
	static const int set[] = { SIGUSR1, SIGUSR2 };
	mag_signal s;

	signal(SIGUSR1, on_usr1);
	cr_assert_eq(magi_signal_open(&s, set, 2, 2), 0);
	raise(SIGUSR1);
	wait_for_signal(&s, SIGUSR1);
	raise(SIGUSR1);
	wait_for_signal(&s, SIGUSR1);
	while (seen == 0) { /* the handlers are put back right after the second was told */
		raise(SIGUSR1);
		sched_yield();
	}
	cr_assert_eq(seen, SIGUSR1);
	cr_assert_eq(mag_signal_try_next(&s), -EAGAIN);
	mag_signal_close(&s);
}

/* Two runtimes in one process. */

struct one_of {
	mag_frame frame;
	MAG_ARGS(one_of, mag_signal *signal;);
	int64_t rc;
};

MAG_TASK(one_of)
{
	MAG_BEGIN(one_of);
	MAG_AWAIT(self->rc, mag_signal_next, self->signal);
	MAG_RETURN(self->rc);
	MAG_END;
}

Test(signal, comes_to_the_tasks_of_several_runtimes, .timeout = 30)
{
	mag_runtime *rt[2];
	mag_signal s[2];
	mag_future done[2];
	int64_t rc;

	for (int i = 0; i < 2; i++) {
		mag_runtime_options options = { .size = sizeof(options), .workers = 1 };

		rc = mag_runtime_create(&options, &rt[i]);
		if (rc == MAG_EBACKEND)
			cr_skip_test("%s", mag_runtime_why());
		cr_assert_eq(rc, 0);
		cr_assert_eq(mag_signal_open(&s[i], SIGUSR1), 0);
		mag_future_init(&done[i]);
		cr_assert_eq(mag_spawn_from(rt[i], &done[i], one_of, .signal = &s[i]), 0);
	}
	kill(getpid(), SIGUSR1);
	for (int i = 0; i < 2; i++) {
		cr_assert_eq(mag_future_wait(&done[i], &rc, MAG_NEVER), 0);
		cr_assert_eq(rc, SIGUSR1);
		mag_future_fini(&done[i]);
		mag_signal_close(&s[i]);
		cr_assert_eq(mag_runtime_destroy(rt[i], MAG_NEVER), 0);
	}
}
