/* SPDX-License-Identifier: MIT */
/* trap.c - the handlers of the process, and the thread that tells the receivers what they have seen.
 *
 * What:    a handler sets a bit and rings; a thread, which is there while a receiver is open, takes the bits and tells
 *          (signal.c). It has just those signals unblocked that are taken: there is always somebody whom the kernel can
 *          interrupt, whatever the program's threads have blocked, and no worker need be.
 * Who:     the handler: whoever is interrupted. enter, leave: any thread, none of ours. take, drop: who has entered the
 *          receivers' monitor.
 * Always:  a handler is in place while the count of its signal is not 0. What was there before is put back only where
 *          ours is still there.
 * Pairs:   [came] bits set (acquire, release) by a handler, before it rings -> taken (acquire, release) by who
 *          tells, with the monitor of the receivers: the thread, and who opens one, for those that were there before
 *          [bell] rung (acquire, release) after what it is about was stored -> loaded (acquire) before a look at that
 *          [stop] stored (release) before the bell is rung [taken] the same
 * Not:     signalfd: the signal would have to be blocked in all threads, those of others too, and from before they were
 *          started. A pipe that the handler writes to, with a reader in each runtime (libuv; Tokio, which leaves its
 *          handlers in place for ever; asyncio's wakeup descriptor): a descriptor and an operation under way in each
 *          runtime, and the handler must know which are still open. Go's way is this one. A thread of each receiver, in
 *          sigwait: it, too, needs the signal blocked everywhere else.
 *          The thread of run/quit.c for both: it writes dumps, which a slow reader of stderr holds up for a second. */
#include "process/signal.h"

#include <errno.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/futex.h"
#include "base/trap.h"

enum { STACK_BYTES = 256 * 1024, SIGNALS = 64 };

static struct traps {
	struct magi_receivers receivers;
	struct magi_monitor change; /* who starts or ends the thread; none other is entered meanwhile */
	struct magi_thread thread;
	uint32_t open; /* receivers; under `change` */
	bool forks_seen;
	/* under the receivers' monitor */
	uint32_t count[SIGNALS];
	struct magi_trap trap[SIGNALS];
	pid_t pid;      /* whose handlers they are */
	uint64_t taken; /* atomic: bit n - 1 for signal n */
	uint64_t came;  /* atomic */
	uint32_t stop;  /* atomic */
	uint32_t bell;  /* atomic: counts */
} traps = {
	.receivers = { .monitor = { PTHREAD_MUTEX_INITIALIZER, 0 } },
	.change = { PTHREAD_MUTEX_INITIALIZER, 0 },
};

struct magi_receivers *magi_trap_receivers(void)
{
	return &traps.receivers;
}

/* In a handler: nothing that asks who plays the system here. */
static void ring(void)
{
	magi_add_ar(&traps.bell, 1u); /* [bell] */
	syscall(SYS_futex, &traps.bell, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

static void on_signal(int number)
{
	int before = errno;

	if (!magi_trap_forked(traps.pid, number)) {
		magi_or_ar(&traps.came, UINT64_C(1) << (number - 1)); /* [came] */
		ring();
	}
	errno = before;
}

/* The thread. */

/* Those that are taken come to it. */
static void unblock(uint64_t taken)
{
	sigset_t set;

	sigfillset(&set);
	for (; taken; taken &= taken - 1)
		sigdelset(&set, __builtin_ctzll(taken) + 1);
	pthread_sigmask(SIG_SETMASK, &set, NULL);
}

uint64_t magi_trap_came(void)
{
	return magi_load_rlx(&traps.came) ? magi_xchg_ar(&traps.came, UINT64_C(0)) : 0; /* [came] */
}

static void *trap_main(void *arg)
{
	magi_thread_name("mag-signal");
	for (;;) {
		uint32_t rung = magi_load_acq(&traps.bell); /* [bell] */

		if (magi_load_acq(&traps.stop)) /* [stop] */
			return arg;
		unblock(magi_load_acq(&traps.taken)); /* [taken] */
		if (magi_load_rlx(&traps.came)) /* [came] taken, and told, in one piece */
			magi_signal_tell(&traps.receivers, 0);
		magi_futex_wait(&traps.bell, rung, MAGI_NEVER);
	}
}

/* Nobody is halfway through what a child gets a copy of. */
static void before_fork(void)
{
	magi_monitor_enter(&traps.change);
	magi_monitor_enter(&traps.receivers.monitor);
}

static void after_fork(void)
{
	magi_monitor_leave(&traps.receivers.monitor);
	magi_monitor_leave(&traps.change);
}

/* A child that was forked has neither the thread nor anybody who waits: the receivers it has a copy of are closed. */
static void in_child(void)
{
	magi_monitor_init(&traps.receivers.monitor);
	magi_monitor_init(&traps.change);
	for (mag_signal *s = traps.receivers.first; s; s = s->next) {
		s->waitq = (struct magi_waitq){ 0 };
		s->closed = 1;
	}
	traps.receivers.first = NULL;
	traps.open = 0;
	traps.came = traps.taken = 0;
	for (int i = 0; i < SIGNALS; i++) {
		if (traps.count[i])
			magi_trap_put_back(&traps.trap[i], i + 1, on_signal);
		traps.count[i] = 0;
	}
}

int magi_trap_enter(void)
{
	struct magi_thread_start start = { .fn = trap_main, .stack = STACK_BYTES, .quiet = true };
	int rc = 0;

	magi_monitor_enter(&traps.change);
	if (!traps.open) {
		if (!traps.forks_seen)
			traps.forks_seen = pthread_atfork(before_fork, after_fork, in_child) == 0;
		traps.pid = getpid();
		traps.stop = 0;
		rc = magi_fault() ? -EAGAIN : magi_thread_start_system(&traps.thread, &start);
	}
	if (rc == 0)
		traps.open++;
	magi_monitor_leave(&traps.change);
	return rc;
}

void magi_trap_leave(void)
{
	magi_monitor_enter(&traps.change);
	if (--traps.open == 0) {
		magi_store_rel(&traps.stop, 1u); /* [stop] */
		ring();
		pthread_join(traps.thread.system, NULL);
	}
	magi_monitor_leave(&traps.change);
}

/* Handlers. */

static void drop_one(int number)
{
	if (--traps.count[number - 1])
		return;
	magi_and_ar(&traps.taken, ~(UINT64_C(1) << (number - 1))); /* [taken] */
	magi_trap_put_back(&traps.trap[number - 1], number, on_signal);
}

static int take_one(int number)
{
	int rc;

	if (traps.count[number - 1]++)
		return 0;
	/* what came for others, who have closed before they were told, is not for who opens now */
	magi_and_ar(&traps.came, ~(UINT64_C(1) << (number - 1))); /* [came] */
	rc = magi_trap_put(&traps.trap[number - 1], number, on_signal);
	if (rc < 0)
		traps.count[number - 1] = 0;
	else
		magi_or_ar(&traps.taken, UINT64_C(1) << (number - 1)); /* [taken] */
	return rc;
}

int magi_trap_take(uint64_t signals)
{
	uint64_t done = 0;
	int rc = 0;

	for (uint64_t left = signals; left && rc == 0; left &= left - 1) {
		rc = take_one(__builtin_ctzll(left) + 1);
		if (rc == 0)
			done |= left & -left;
	}
	if (rc < 0)
		magi_trap_drop(done);
	else
		ring(); /* they are to be unblocked */
	return rc;
}

void magi_trap_drop(uint64_t signals)
{
	for (; signals; signals &= signals - 1)
		drop_one(__builtin_ctzll(signals) + 1);
	ring();
}
