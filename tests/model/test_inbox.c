/* SPDX-License-Identifier: MIT */
/* test_inbox.c - the ways of a woken task in src/sched/ready.c in every order: each arrives once, with what its waker
 * wrote. */
#include <criterion/criterion.h>

#include <string.h>

#define MAGI_DEQUE_CAPACITY 2

#include "base/clock.h"
#define magi_ticks() UINT64_C(1)
#include "sched/deque.c"
#include "sched/idle.c"
#include "sched/meet.c"
#include "sched/ready.c"

#include "model/explore.h"
#include "model/trace.h"

enum { FRAMES = 3, OWNER = 0 };

static struct magi_worker owner, thief;
static struct magi_worker *workers[2] = { &owner, &thief };
static mag_runtime runtime;
static mag_frame frame[FRAMES];
static int taken[FRAMES];

bool magi_barrier_works(void)
{
	return true;
}

static void given(struct magi_worker *w, uint32_t index)
{
	memset(w, 0, sizeof(*w));
	w->rt = &runtime;
	w->pub.index = index;
	w->pub.sleepers = &runtime.idle.sleepers;
	explore_shared(&w->ready, sizeof(w->ready));
	explore_shared(&w->pinned_head, 2 * sizeof(w->pinned_head));
	explore_shared(&w->inbox, 2 * sizeof(w->inbox));
}

static void prepare(void)
{
	static const char *const names[FRAMES] = { "A", "B", "C" };

	memset(&runtime, 0, sizeof(runtime));
	memset(frame, 0, sizeof(frame));
	memset(taken, 0, sizeof(taken));
	runtime.n = 2;
	runtime.workers = workers;
	given(&owner, 0);
	given(&thief, 1);
	explore_shared(frame, sizeof(frame));
	explore_ghost(taken, sizeof(taken));
	trace_forget();
	for (int i = 0; i < FRAMES; i++)
		trace_name(&frame[i], names[i]);
}

/* Nobody sleeps. */
static void start(void)
{
	prepare();
	explore_constant(&runtime.idle.sleepers, sizeof(runtime.idle.sleepers));
}

static void send(int i, bool pinned)
{
	frame[i].op.result = i; /* to be seen by whoever takes it */
	magi_inbox_send(NULL, &owner, &frame[i], pinned);
	explore_point();
}

static void take(const mag_frame *f)
{
	if (!f)
		return;
	explore_assert(f->op.result == f - frame);
	explore_assert(++taken[f - frame] == 1);
	explore_point();
}

static void sends_two(void)
{
	send(0, false);
	send(1, false);
}

static void sends_one(void)
{
	send(2, false);
}

static void sends_one_pinned(void)
{
	send(2, true);
}

static void sent_two(void)
{
	start();
	send(1, false);
	send(2, false);
}

static void sends_the_third(void)
{
	send(0, false);
}

static void collects(void)
{
	magi_inbox_collect(&owner);
	explore_point();
}

static void collects_and_takes(void)
{
	collects();
	take(magi_ready_pop(&owner.ready));
	take(magi_ready_pop(&owner.ready));
	collects();
	take(magi_ready_pop(&owner.ready));
}

static void steals_inbox(void)
{
	magi_inbox_steal(&thief, &owner);
	explore_point();
	take(magi_ready_pop(&thief.ready));
	take(magi_ready_pop(&thief.ready));
}

static void takes_from_owner(void)
{
	take(magi_ready_take(&owner.ready));
	take(magi_ready_take(&owner.ready));
}

/* More than the ring has room for: some spill. */
static void collects_all(void)
{
	collects();
	collects();
	take(magi_ready_pop(&owner.ready));
}

static void has_three(void)
{
	start();
	for (int i = 0; i < FRAMES; i++)
		send(i, false);
}

/* Whoever runs the task may end the runtime, once the thread that resumed it has let go. */

static uint64_t bell;

static void ends_the_runtime(void)
{
	bool woken = false;

	magi_sleep_begin(&owner);
	if (!magi_inbox_collect(&owner)) {
		explore_sleep();
		woken = true;
	}
	magi_sleep_end(&owner);
	if (woken)
		magi_inbox_collect(&owner);
	take(magi_ready_pop(&owner.ready));
	explore_assert(taken[0]);
	magi_visitors_gone(&runtime);
	explore_freed(&runtime.idle);
	explore_freed(&runtime.stop);
	explore_freed(&owner.ready);
	explore_freed(&owner.inbox);
	explore_freed(&bell);
}

static void resumes_from_outside(void)
{
	frame[0].op.result = 0;
	magi_resume_later(&runtime, NULL, &frame[0]);
}

static void wake(struct magi_io *io, struct magi_io *from)
{
	(void)from;
	plain_access(io, 1, PLAIN_READ);
	explore_ring(OWNER);
}

static const struct magi_io_ops ops = { .wake = wake };

static void one_worker(void)
{
	prepare();
	runtime.n = 1;
	frame[0].leader = &frame[0];
	owner.ops = &ops;
	owner.io = (struct magi_io *)(void *)&bell;
	explore_shared(&bell, sizeof(bell));
	explore_shared(&runtime.idle, sizeof(runtime.idle));
	explore_shared(&runtime.stop, offsetof(mag_runtime, foreign_frames) - offsetof(mag_runtime, stop));
	taken[1] = taken[2] = 1;
}

static void one_is_taken(void)
{
	explore_assert(taken[0] == 1);
}

static void drain(struct magi_worker *w)
{
	const mag_frame *f;

	magi_inbox_collect(w);
	while ((f = magi_ready_pop(&w->ready)))
		take(f);
	for (f = w->pinned_head; f; f = f->q.next)
		take(f);
}

static void all_arrive_once(void)
{
	drain(&owner);
	drain(&thief);
	for (int i = 0; i < FRAMES; i++)
		explore_assert(taken[i] == 1);
}

#define MODEL_(what, given, most, after, ...)                                                                       \
	{                                                                                                           \
		.name = (what), .start = (given), .thread = { __VA_ARGS__ }, .end = (after), .preemptions = (most), \
		.quick = 3                                                                                          \
	}
#define MODEL(what, given, ...) MODEL_(what, given, 4, all_arrive_once, __VA_ARGS__)
static const struct explore_model collected = MODEL("collected", start, collects_and_takes, sends_two, sends_one),
				  stolen = MODEL("stolen", sent_two, collects_and_takes, sends_the_third, steals_inbox),
				  pinned = MODEL("pinned", start, collects_and_takes, sends_two, sends_one_pinned),
				  spilled = MODEL("spilled", has_three, collects_all, takes_from_owner),
				  visited = MODEL_("visited", one_worker, EXPLORE_ALL, one_is_taken, ends_the_runtime,
						   resumes_from_outside);

#ifdef MODEL_FAULT

Test(inbox, fault_is_found, .timeout = 120)
{
	const struct explore_model *const all[] = { &visited, &collected, &pinned, &spilled, &stolen };

	cr_assert(explore_some_fail(all, sizeof(all) / sizeof(all[0])));
}

#else

Test(inbox, owner_gets_what_several_send, .timeout = 300)
{
	cr_assert(explore_holds(&collected));
}

Test(inbox, thief_and_owner_share_what_was_sent, .timeout = 300)
{
	cr_assert(explore_holds(&stolen));
}

Test(inbox, pinned_task_stays_with_its_owner, .timeout = 300)
{
	cr_assert(explore_holds(&pinned));
}

Test(inbox, runtime_may_end_once_the_waker_has_let_go, .timeout = 300)
{
	cr_assert(explore_holds(&visited));
}

Test(inbox, task_that_found_no_room_is_taken_once, .timeout = 300)
{
	cr_assert(explore_holds(&spilled));
}

#endif
