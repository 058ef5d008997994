/* SPDX-License-Identifier: MIT */
/* test_idle.c - the loop of a worker, with idle.c, ready.c, steal.c and deque.c under it, in every order: no worker sleeps
 * for ever while there is something that it could take.
 *
 * What:    the io is a doorbell. Time passes with each look at it, so every step is a long one.
 * Not:     the wheel of timers, the backends, the spinning before sleep. */
#include <criterion/criterion.h>

#include <string.h>

#define MAGI_DEQUE_CAPACITY 4

#include "base/clock.h"
#include "base/lock.h"
#include "base/random.h"
#include "model/explore.h"

static uint8_t looks[MODEL_THREADS];
static bool polled[MODEL_THREADS];
#define magi_ticks() ((uint64_t)2 * ++looks[explore_thread()])
#define magi_random_below(random, n) ((void)(random), 0u)

/* who waits for time to pass does not wait for a change: it does, see looks */
#define magi_spin() ((void)0)
#include "run/steal.c"
#include "run/quit.h"
#include "run/worker.c"
#include "sched/deque.c"
#include "sched/idle.c"
#include "sched/ready.c"

#include "model/trace.h"

enum { WORKERS = 3, FRAMES = 2, PATIENCE = 2 };

/* Whether all sleep is another thread's question, not the model's: run/quit.c. */
void magi_quit_sleeps(struct magi_worker *w)
{
	(void)w;
}

static bool watching_helps, gets_mail;
static uint32_t mailbox;
static int letters;

static struct magi_worker worker[WORKERS];
static struct magi_worker *workers[WORKERS];
static mag_runtime runtime;
static mag_frame frame[FRAMES];
static int done[FRAMES], expected, waited[MODEL_THREADS];
static int thread_of[WORKERS]; /* which thread a worker is */
static mag_scope scope;
static const mag_site site;

#include "model/idle_outside.h"

/* The tasks. */

static void take(const mag_frame *f)
{
	explore_assert(f->op.result == f - frame);
	explore_assert(++done[f - frame] == 1);
}

static mag_frame *ends(mag_worker *w, mag_frame *f)
{
	(void)w;
	take(f);
	return NULL;
}

/* A step without end: whatever else there is, others must take it. */
static mag_frame *goes_on(mag_worker *w, mag_frame *f)
{
	(void)w;
	take(f);
	explore_leave();
	return NULL;
}

/* Whether a frame is the parent of a fork, or has not begun: thieves take more of those. */
static mag_frame *made(int i, mag_step_fn step, bool begun)
{
	mag_frame *f = &frame[i];

	f->step = step;
	f->leader = f;
	f->scope = &scope;
	f->flags = MAGI_SPAWN;
	f->at = begun ? &site : NULL;
	f->op.result = i; /* to be seen by whoever takes it */
	expected |= 1 << i;
	return f;
}

static bool all_done(void)
{
	bool all = true;

	for (int i = 0; i < FRAMES; i++)
		all = all && (done[i] || !(expected >> i & 1));
	return all;
}

/* What only worker w stores to, on thread t. */
static void owns(int t, struct magi_worker *w)
{
	explore_own(t, &w->pub.deque.bottom, sizeof(w->pub.deque.bottom), WRITTEN);
	explore_own(t, w->pub.deque.slot, sizeof(w->pub.deque.slot), WRITTEN);
	explore_own(t, &w->ready.ring.bottom, sizeof(w->ready.ring.bottom), WRITTEN);
	explore_own(t, &w->ready.ring.split, sizeof(w->ready.ring.split), WRITTEN);
	explore_own(t, w->ready.ring.slot, sizeof(w->ready.ring.slot), WRITTEN);
	explore_own(t, &w->picks, sizeof(w->picks), WRITTEN);
	explore_own(t, &w->awake, sizeof(w->awake), WRITTEN);
	explore_own(t, &w->steals, 5 * sizeof(w->steals), HIDDEN);
}

/* first: the thread that worker 0 is; -1: there is none. */
static void given(uint32_t n, int first)
{
	static const char *const names[FRAMES] = { "A", "B" };

	memset(worker, 0, sizeof(worker));
	memset(&runtime, 0, sizeof(runtime));
	memset(frame, 0, sizeof(frame));
	memset(done, 0, sizeof(done));
	memset(waited, 0, sizeof(waited));
	memset(looks, 0, sizeof(looks));
	expected = 0;
	watching_helps = gets_mail = false;
	mailbox = 0;
	letters = 0;
	runtime.n = n;
	runtime.workers = workers;
	trace_forget();
	for (int i = 0; i < FRAMES; i++)
		trace_name(&frame[i], names[i]);
	for (uint32_t i = 0; i < n; i++) {
		struct magi_worker *w = workers[i] = &worker[i];

		w->rt = &runtime;
		w->ops = &ops;
		w->io = (struct magi_io *)(void *)w;
		w->pub.index = i;
		w->pub.sleepers = &runtime.idle.sleepers;
		w->pub.deque.alone = w->ready.ring.alone = n == 1;
		w->wheel.next = MAGI_NEVER;
		w->slow_watch = SLOW_WATCH_NS;
		explore_constant(&w->wheel.next, sizeof(w->wheel.next));
		explore_constant(&w->pick_ticks, sizeof(w->pick_ticks));
		explore_constant(&w->ready.spilled, sizeof(w->ready.spilled));
		thread_of[i] = first + (int)i;
		explore_shared(&w->pub.deque, sizeof(w->pub.deque));
		explore_shared(&w->rt, offsetof(struct magi_worker, why) - offsetof(struct magi_worker, rt));
		explore_shared(&w->picks, offsetof(struct magi_worker, slots) - offsetof(struct magi_worker, picks));
		if (thread_of[i] >= 0)
			owns(thread_of[i], w);
	}
	explore_shared(frame, sizeof(frame));
	explore_shared(&mailbox, sizeof(mailbox));
	explore_ghost(&letters, sizeof(letters));
	explore_ghost(done, sizeof(done));
	explore_ghost(waited, sizeof(waited));
	explore_ghost(looks, sizeof(looks));
}

/* As idle, but who has looked in vain without sleeping does so again only after something has changed. */
static void idles(struct magi_worker *w)
{
	magi_store_rel(&w->awake, 0u);
	if (search(w))
		return;
	polled[explore_thread()] = false;
	sleep_until_work(w, MAGI_NEVER);
	if (!polled[explore_thread()] && !w->searching)
		explore_again();
}

static void works(uint32_t i)
{
	struct magi_worker *w = workers[i];

	while (!stopping(w) || anything_here(w)) {
		mag_frame *f = pick(w);

		if (!f) {
			explore_point();
			idles(w);
			explore_point();
			continue;
		}
		/* as magi_worker_tick */
		count_pick(w);
		if (!w->awake)
			wake_up(w);
		run(w, f);
	}
}

static void worker_0_works(void)
{
	works(0);
}

static void worker_1_works(void)
{
	works(1);
}

/* It was asleep when the model began. */
static void wakes_and_works(uint32_t i)
{
	explore_sleep();
	magi_sleep_end(workers[i]);
	explore_point();
	works(i);
}

static void worker_1_wakes(void)
{
	wakes_and_works(1);
}

static void worker_2_wakes(void)
{
	wakes_and_works(2);
}

static void nothing_is_left(void)
{
	explore_assert(all_done() || waited[0] > PATIENCE || waited[1] > PATIENCE || waited[2] > PATIENCE);
}

/* What a model does not touch. */

static void no_mail(void)
{
	for (uint32_t i = 0; i < runtime.n; i++) {
		explore_constant(&worker[i].inbox, sizeof(worker[i].inbox));
		explore_constant(&worker[i].pinned_inbox, sizeof(worker[i].pinned_inbox));
	}
}

static void no_forks(void)
{
	for (uint32_t i = 0; i < runtime.n; i++)
		explore_constant(&worker[i].pub.deque, sizeof(worker[i].pub.deque));
}

static void no_end(void)
{
	explore_constant(&runtime.stop, sizeof(runtime.stop));
}

/* Somebody outside resumes a task. */

static void one_outside(void)
{
	given(1, 1);
	made(0, ends, true);
	no_forks();
	no_end();
}

/* There is another worker, which does nothing here: so the barrier is on all threads. */
static void two_and_one_outside(void)
{
	given(2, 1);
	made(0, ends, true);
	no_forks();
	no_end();
}

static void resumes_from_outside(void)
{
	magi_resume_later(&runtime, NULL, &frame[0]);
}

/* Somebody outside asks for the end of an operation. */

static void one_letter(void)
{
	given(1, 1);
	gets_mail = true;
	no_mail();
	no_forks();
	no_end();
}

static void writes(void)
{
	(void)magi_xchg_seq(&mailbox, 1u);
	magi_wake_worker(workers[0], NULL);
}

static bool letter_is_read(void)
{
	return letters == 1;
}

/* Worker 0 is in a step without end. */

static void busy_and_one_outside(void)
{
	given(2, 0);
	watching_helps = true;
	worker[0].awake = 1;
	made(0, ends, true);
	no_forks();
	no_end();
}

static void sends_to_busy(void)
{
	magi_inbox_send(NULL, workers[0], &frame[0], false);
}

static void two_workers(void)
{
	given(2, 0);
	worker[0].awake = 1;
	made(0, ends, true);
	no_mail();
	no_end();
}

static void fork_of(int i)
{
	frame[i].op.result = i;
	magi_deque_push(&worker[0].pub.deque, &frame[i]);
	magi_offer(&worker[0].pub);
}

static void forks(void)
{
	fork_of(0);
}

static void two_asleep(void)
{
	given(3, 0);
	worker[0].awake = 1;
	runtime.idle.sleepers = 6;
	made(0, goes_on, true);
	made(1, goes_on, true);
	no_mail();
	no_end();
}

static void forks_two(void)
{
	fork_of(0);
	fork_of(1);
}

/* No membarrier here: owners pay for the barrier themselves. */
static void fenced(void)
{
	runtime.idle.fenced = true;
	runtime.idle.everyone = UINT64_MAX;
	explore_constant(&runtime.idle.everyone, sizeof(runtime.idle.everyone));
	for (uint32_t i = 0; i < runtime.n; i++)
		worker[i].pub.sleepers = &runtime.idle.everyone;
}

static void two_workers_fenced(void)
{
	two_workers();
	fenced();
}

/* Worker 0 finds something, and has more. */

static void two_woken(void)
{
	given(2, 0);
	watching_helps = true;
	made(0, goes_on, true);
	made(1, ends, true);
	magi_ready_push(&worker[0].ready, &frame[0]);
	magi_ready_push(&worker[0].ready, &frame[1]);
	no_mail();
	no_forks();
	no_end();
}

static void two_woken_fenced(void)
{
	two_woken();
	fenced();
}

/* The end. */

static void one_worker(void)
{
	given(2, 1);
	no_mail();
	no_forks();
}

static void stops(void)
{
	(void)magi_xchg_seq(&runtime.stop, 1u);
	magi_wake_all(&runtime);
}

static bool nobody_sleeps(void)
{
	return false;
}

#define MODEL(what, given, most, soon, is_quiet, ...)                                                              \
	{                                                                                                          \
		.name = (what), .start = (given), .thread = { __VA_ARGS__ }, .end = nothing_is_left,               \
		.quiet = (is_quiet), .preemptions = (most), .quick = (soon), .only_views = true, .barriers = true, \
		.again = true                                                                                      \
	}
static const struct explore_model
	sent_to_one = MODEL("sent_to_one", one_outside, EXPLORE_ALL, 0, all_done, resumes_from_outside, worker_0_works),
	sent_to_two = MODEL("sent_to_two", two_and_one_outside, EXPLORE_ALL, 0, all_done, resumes_from_outside,
			    worker_0_works),
	sent_to_busy = MODEL("sent_to_busy", busy_and_one_outside, EXPLORE_ALL, 0, all_done, sends_to_busy,
			     worker_1_works),
	mailed = MODEL("mailed", one_letter, EXPLORE_ALL, 0, letter_is_read, writes, worker_0_works),
	forked = MODEL("forked", two_workers, 4, 3, all_done, forks, worker_1_works),
	forked_twice = MODEL("forked_twice", two_asleep, 3, 2, all_done, forks_two, worker_1_wakes, worker_2_wakes),
	watched = MODEL("watched", two_woken, 4, 2, all_done, worker_0_works, worker_1_works),
	forked_fenced = MODEL("forked_fenced", two_workers_fenced, 4, 3, all_done, forks, worker_1_works),
	watched_fenced = MODEL("watched_fenced", two_woken_fenced, 4, 2, all_done, worker_0_works, worker_1_works),
	stopped = MODEL("stopped", one_worker, EXPLORE_ALL, 0, nobody_sleeps, stops, worker_0_works);

#ifdef MODEL_FAULT

Test(idle, fault_is_found, .timeout = 120)
{
	/* the small ones first */
	const struct explore_model *const all[] = { &sent_to_one,  &stopped, &mailed, &sent_to_two,   &sent_to_busy,
						    &forked_twice, &watched, &forked, &forked_fenced, &watched_fenced };

	cr_assert(explore_some_fail(all, sizeof(all) / sizeof(all[0])));
}

#else

Test(idle, task_resumed_from_outside_wakes_the_only_worker, .timeout = 300)
{
	cr_assert(explore_holds(&sent_to_one));
}

Test(idle, task_resumed_from_outside_wakes_a_worker_that_is_not_alone, .timeout = 300)
{
	cr_assert(explore_holds(&sent_to_two));
}

Test(idle, mail_wakes_its_worker, .timeout = 300)
{
	cr_assert(explore_holds(&mailed));
}

Test(idle, task_sent_to_a_worker_in_a_long_step_is_taken_by_another, .timeout = 300)
{
	cr_assert(explore_holds(&sent_to_busy));
}

Test(idle, fork_of_a_worker_in_a_long_step_is_taken_by_another, .timeout = 300)
{
	cr_assert(explore_holds(&forked));
}

Test(idle, fork_is_taken_where_there_is_no_membarrier, .timeout = 300)
{
	cr_assert(explore_holds(&forked_fenced));
}

Test(idle, long_step_is_watched_where_there_is_no_membarrier, .timeout = 300)
{
	cr_assert(explore_holds(&watched_fenced));
}

Test(idle, searcher_that_found_something_wakes_one_for_what_is_left, .timeout = 1200)
{
	cr_assert(explore_holds(&forked_twice));
}

Test(idle, woken_task_behind_a_long_step_is_watched, .timeout = 300)
{
	cr_assert(explore_holds(&watched));
}

Test(idle, nobody_sleeps_through_the_end, .timeout = 300)
{
	cr_assert(explore_holds(&stopped));
}

#endif
