/* SPDX-License-Identifier: MIT */
/* quit.c - the thread that says what hangs: at SIGQUIT, and when nothing moves any more.
 *
 * What:    one thread a process, which sleeps until its bell rings. The signal's handler rings; so does the last worker
 *          that goes to sleep with nothing under way. Then it waits a second, and if nothing has moved says so, once.
 * Who:     enter, leave: threads that start and stop runtimes. sleeps: a worker. The handler: whoever is interrupted.
 * Always:  a runtime in the list is whole: who leaves the list waits for a look at it to end. Nothing is written to
 *          stderr under a lock: that may block.
 * Pairs:   [bell] rung (acquire, release) after what it is about was stored -> loaded (acquire) before a look at that
 *          [listed] stored (release) after the thread was started -> loaded (acquire) by workers that fall asleep:
 *          `suspects` was reset before
 *          [stop] set under `change`, before the bell is rung
 *          [suspect] taken back (seq), then a last look (seq) at who sleeps [sleep] vs. a worker announces its sleep,
 *          passes a barrier, then looks whether somebody suspects already: one of the two sees the other
 * Not:     runtimes that find one another otherwise: a signal has no address (docs/decisions/0009). The dump in the
 *          handler: it takes locks and memory. Ending the program: who has a debugger wants it as it is. */
#include "run/quit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/futex.h"
#include "base/trap.h"
#include "run/dump.h"
#include "run/still.h"
#include "task/tree.h"

enum {
	STACK_BYTES = 256 * 1024, /* scopes within one another are walked by recursion; only what is touched is taken */
	STILL_S = 1,              /* picked: what comes back within this was no standstill to a person */
	PATIENCE = 15,            /* looks: threads of the lanes end some time after their last job */
	PATIENCE_MS = 1000        /* a reader of stderr that takes nothing must not keep a runtime from its end */
};

static struct quit {
	struct magi_monitor change; /* who starts or ends the thread; before the list's */
	struct magi_monitor list;
	mag_runtime *first; /* under it */
	struct magi_thread thread;
	pid_t pid;         /* whose thread it is; 0: there is none */
	struct magi_trap trap;
	bool handles;      /* SIGQUIT */
	bool forks_seen;   /* in_child is called */
	bool always;       /* says that nothing moves although there are other threads */
	uint32_t stop;     /* atomic */
	uint32_t asked;    /* atomic: by SIGQUIT */
	uint32_t suspects; /* atomic: that nothing moves */
	uint32_t bell;     /* atomic: counts */
} quit = { .change = { PTHREAD_MUTEX_INITIALIZER, 0 }, .list = { PTHREAD_MUTEX_INITIALIZER, 0 } };

static void ring(void)
{
	magi_add_ar(&quit.bell, 1u); /* [bell] */
	magi_futex_wake(&quit.bell, 1);
}

/* The signal. */

static void on_quit(int number)
{
	int before = errno;

	if (!magi_trap_forked(quit.pid, number)) { /* a child that was forked has no such thread */
		magi_store_rel(&quit.asked, 1u); /* [bell] */
		ring();
	}
	errno = before;
}

static void handle_signal(void)
{
	if (!quit.handles && magi_trap_is(SIGQUIT, SIG_DFL))
		quit.handles = magi_trap_put(&quit.trap, SIGQUIT, on_quit) == 0;
}

static void leave_signal(void)
{
	if (quit.handles)
		magi_trap_put_back(&quit.trap, SIGQUIT, on_quit);
	quit.handles = false;
}

/* The thread. */

static void print(struct magi_text *t)
{
	(void)magi_text_write(t, STDERR_FILENO, PATIENCE_MS);
	magi_text_end(t);
}

static void say_all(void)
{
	struct magi_text t;

	if (magi_text_begin(&t, MAGI_TREE_BYTES) < 0)
		return;
	magi_monitor_enter(&quit.list);
	for (mag_runtime *rt = quit.first; rt; rt = rt->next)
		magi_dump_add(&t, rt);
	magi_monitor_leave(&quit.list);
	print(&t);
}

/* Whether some runtime seems to stand still; notes how far each is. */
static bool note_still(void)
{
	bool any = false;

	magi_monitor_enter(&quit.list);
	for (mag_runtime *rt = quit.first; rt; rt = rt->next) {
		rt->picks_noted = magi_still_picks(rt);
		any |= rt->picks_said != rt->picks_noted && magi_still(rt, true);
	}
	magi_monitor_leave(&quit.list);
	return any;
}

/* Whether some thread of the program's, or another runtime, may yet do something; the list is entered. */
static bool others_may_act(void)
{
	uint32_t threads = 1; /* this one */

	if (quit.always)
		return false;
	for (mag_runtime *rt = quit.first; rt; rt = rt->next) {
		threads += magi_still_threads(rt);
		if (magi_still_picks(rt) != rt->picks_noted)
			return true;
		if (!magi_still(rt, true) && magi_load_acq(&rt->background.balance) / 2 > 0) /* [balance] */
			return true;
	}
	return threads != magi_process_threads();
}

static bool has_stood_still(mag_runtime *rt)
{
	return rt->picks_said != rt->picks_noted && magi_still(rt, true) && magi_still_picks(rt) == rt->picks_noted;
}

/* A second later. */
static void say_still(void)
{
	struct magi_text t;

	if (magi_text_begin(&t, MAGI_TREE_BYTES) < 0)
		return;
	magi_monitor_enter(&quit.list);
	for (mag_runtime *rt = quit.first; rt; rt = rt->next) {
		if (!has_stood_still(rt) || others_may_act())
			continue;
		rt->picks_said = rt->picks_noted;
		magi_text_add(&t,
			      "magpie: nothing moves: tasks wait, and no I/O, timer or job is under way to wake one\n");
		magi_dump_add(&t, rt);
	}
	magi_monitor_leave(&quit.list);
	print(&t);
}

/* Suspicion: until nothing seems to stand still, or has for long. Returns how long to sleep. */
static uint64_t suspicion(uint64_t *until, uint32_t *looks)
{
	uint64_t now = magi_clock_ns();

	if (!magi_load_acq(&quit.suspects)) /* [suspect] */
		return MAGI_NEVER;
	if (*until != MAGI_NEVER && now < *until)
		return *until - now;
	if (*until != MAGI_NEVER)
		say_still();
	else
		*looks = 0;
	if (++*looks > PATIENCE || !note_still()) {
		*until = MAGI_NEVER;
		(void)magi_xchg_seq(&quit.suspects, 0u); /* [suspect] */
		magi_fence_seq(&quit.suspects); /* [suspect] */
		if (*looks > PATIENCE || !note_still())
			return MAGI_NEVER;
		magi_store_rel(&quit.suspects, 1u); /* [suspect] */
		*looks = 1;
	}
	*until = now + STILL_S * MAGI_NS_PER_S;
	return STILL_S * MAGI_NS_PER_S;
}

static void *quit_main(void *arg)
{
	uint64_t until = MAGI_NEVER;
	uint32_t looks = 0;

	magi_thread_name("mag-dump");
	for (;;) {
		uint32_t rung = magi_load_acq(&quit.bell); /* [bell] */

		if (magi_load_acq(&quit.stop)) /* [bell] */
			return arg;
		if (magi_xchg_ar(&quit.asked, 0u)) /* [bell] */
			say_all();
		magi_futex_wait(&quit.bell, rung, suspicion(&until, &looks));
	}
}

/* A child that was forked has neither the thread nor the runtimes, and the locks as they were. */
static void in_child(void)
{
	magi_monitor_init(&quit.change);
	magi_monitor_init(&quit.list);
	quit.pid = 0;
	quit.first = NULL;
	quit.handles = false;
}

static bool start_thread(void)
{
	struct magi_thread_start start = { .fn = quit_main, .stack = STACK_BYTES, .quiet = true };
	const char *debug = getenv("MAGPIE_DEBUG");

	if (!quit.forks_seen)
		quit.forks_seen = pthread_atfork(NULL, NULL, in_child) == 0;
	quit.stop = quit.asked = quit.suspects = 0;
	quit.always = debug && strstr(debug, "deadlock");
	quit.pid = getpid();
	if (magi_thread_start(&quit.thread, &start) < 0)
		quit.pid = 0;
	return quit.pid != 0;
}

/* Runtimes. */

void magi_quit_enter(mag_runtime *rt)
{
	if (magi_host())
		return;
	magi_monitor_enter(&quit.change);
	if (quit.pid || start_thread()) {
		if (!rt->options.no_sigquit)
			handle_signal();
		magi_monitor_enter(&quit.list);
		magi_store_rel(&rt->listed, 1u); /* [listed] */
		rt->next = quit.first;
		quit.first = rt;
		magi_monitor_leave(&quit.list);
	}
	magi_monitor_leave(&quit.change);
}

void magi_quit_leave(mag_runtime *rt)
{
	mag_runtime **at = &quit.first;
	bool last;

	if (!magi_load_rlx(&rt->listed)) /* [listed] by who has entered it */
		return;
	magi_monitor_enter(&quit.change);
	magi_monitor_enter(&quit.list);
	while (*at && *at != rt)
		at = &(*at)->next;
	if (*at)
		*at = rt->next;
	last = !quit.first && quit.pid == getpid();
	magi_monitor_leave(&quit.list);
	if (last) {
		leave_signal();
		magi_store_rel(&quit.stop, 1u); /* [bell] */
		ring();
		magi_thread_join(&quit.thread);
		quit.pid = 0;
	}
	magi_monitor_leave(&quit.change);
}

void magi_quit_sleeps(struct magi_worker *w)
{
	mag_runtime *rt = w->rt;

	if (MAGI_LIKELY(magi_load_rlx(&w->slots.used))) /* [stat] */
		return;
	if (!magi_load_acq(&rt->listed) || !magi_still(rt, false)) /* [listed] */
		return;
	if (!magi_load_seq(&quit.suspects) && !magi_xchg_seq(&quit.suspects, 1u)) /* [suspect] */
		ring();
}
