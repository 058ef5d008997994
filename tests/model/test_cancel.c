/* SPDX-License-Identifier: MIT */
/* test_cancel.c - cancelling, src/task/cancel.c with scope.c and wait.c, in every order: who is told that he is
 * cancelled sees what the canceller wrote before, a mark is not lost when a scope or a shield is left, and the mail for
 * an operation on a ring names the one that is under way. */
#include <criterion/criterion.h>

#include "base/clock.h"
#include "model/task.h"
/* the count of parks comes round after two */
#undef MAGI_SEQ
#define MAGI_SEQ (1u << 31)
#include "task/cancel.c"
#include "task/scope.c"
#include "task/wait.c"

enum { TASK = 0, CALLEE = 1, ENDED = 0, FIRST = 1, SECOND = 2 };

static struct magi_worker ring;
static struct magi_worker *workers[1] = { &ring };
static mag_scope outer, inner;
static struct magi_waitq queue;
static uint64_t reason;                  /* what a canceller writes */
static uint64_t under_way;               /* the operation that the task is parked for */
static struct explore_moment token_read; /* when the canceller did, whose mark came while it was parked */
static const mag_site site;

/* What lies outside. */

void magi_slot_mail(struct magi_slots *slots, uint64_t token)
{
	(void)slots;
	explore_assert(token == under_way);
	token_read = explore_last_load();
}

void magi_wake_worker(struct magi_worker *to, mag_worker *from)
{
	(void)to;
	(void)from;
}

void magi_scope_disarm(mag_scope *s)
{
	(void)s;
}

void magi_scope_arm(struct magi_worker *w, mag_scope *s, uint64_t deadline)
{
	(void)w;
	(void)s;
	(void)deadline;
}

/* The task is in inner, which lies in outer, where it was born; thread 1 cancels outer. */
static void given(unsigned flags)
{
	mag_frame *f = &frame[TASK];

	tasks_init();
	memset(&outer, 0, sizeof(outer));
	memset(&inner, 0, sizeof(inner));
	memset(&queue, 0, sizeof(queue));
	runtime.workers = workers;
	runtime.n = 1;
	outer.rt = inner.rt = &runtime;
	outer.parent = &root;
	f->scope = &outer;
	f->at = &site;
	frame[CALLEE].leader = f;
	frame[CALLEE].scope = &outer;
	(void)magi_wait_begin(&its_worker[TASK], f); /* it is in the list of outer */
	if (flags != MAGI_SCOPE_ROOT)
		magi_scope_open(&its_worker[TASK], f, &inner, MAGI_NEVER, flags);
	reason = under_way = 0;
	token_read = (struct explore_moment){ 0 };
	explore_shared(&outer, sizeof(outer));
	explore_shared(&inner, sizeof(inner));
	explore_shared(&queue, sizeof(queue));
	explore_shared(&reason, sizeof(reason));
	explore_ghost(&under_way, sizeof(under_way));
	explore_ghost(&token_read, sizeof(token_read));
}

static void in_a_scope(void)
{
	given(0);
}

static void in_a_shield(void)
{
	given(MAGI_SCOPE_SHIELD);
}

/* By a deadline, say: what leaving it takes back is not the mark of outer. */
static void in_a_cancelled_scope(void)
{
	given(0);
	mag_scope_cancel(&inner);
}

static void in_none(void)
{
	given(MAGI_SCOPE_ROOT);
}

static void cancels(void)
{
	reason = 1;
	mag_scope_cancel(&outer);
}

static void told(int64_t rc)
{
	if (rc == MAG_ECANCELED)
		explore_assert(reason == 1);
	explore_point();
}

/* As an await of something that never comes. */
static int64_t waits(void)
{
	mag_frame *f = &frame[TASK];
	magi_lock *lock = magi_waitq_lock(&queue);
	int rc = magi_wait_begin(&its_worker[TASK], f);
	bool parked = false;

	if (rc)
		return rc;
	magi_lock_acquire(lock);
	parked = magi_wait_park(f, &queue, 0);
	magi_lock_release(lock);
	return parked ? task_await(TASK, NULL) : MAG_ECANCELED;
}

static void waits_in_vain(void)
{
	int64_t rc = waits();

	explore_assert(rc == MAG_ECANCELED);
	told(rc);
}

static void asks(void)
{
	told(mag_scope_cancelled(&inner));
}

static void leaves_and_asks(void)
{
	told(magi_scope_close(&frame[TASK], &inner));
}

static void leaves_and_waits(void)
{
	magi_scope_close(&frame[TASK], &inner);
	explore_point();
	waits_in_vain();
}

static void opens_and_waits(void)
{
	magi_scope_open(&its_worker[TASK], &frame[TASK], &inner, MAGI_NEVER, 0);
	waits_in_vain();
}

static void shields_and_waits(void)
{
	magi_scope_open(&its_worker[TASK], &frame[TASK], &inner, MAGI_NEVER, MAGI_SCOPE_SHIELD);
	explore_point();
	magi_scope_close(&frame[TASK], &inner);
	waits_in_vain();
}

/* Operations on a ring: the task's thread is its worker as well, which has other use for the field once one is over. */

static bool operates(uint64_t token)
{
	mag_frame *f = &frame[TASK];

	if (!magi_wait_park_io(f, token))
		return false;
	under_way = token;
	explore_point();
	magi_wait_end_io(f);
	under_way = ENDED;
	explore_assert(explore_is_after(token_read));
	magi_store_rlx(&f->q.next, NULL);
	return true;
}

static void operates_twice(void)
{
	if (operates(FIRST))
		(void)operates(SECOND);
}

/* The canceller's look is at the first park, its mark at the third, which has the same count: that of another frame. */

static bool parks(int i)
{
	return magi_wait_park(&frame[i], &queue, 0);
}

static void is_resumed(int i)
{
	while (!magi_xchg_acq(&hand[i], 0u))
		magi_pause();
}

static void parks_thrice(void)
{
	magi_lock *lock = magi_waitq_lock(&queue);

	for (int i = 0; i < 2; i++) {
		bool parked, mine;

		magi_lock_acquire(lock);
		parked = parks(TASK);
		mine = parked && magi_wait_grant(&queue, 0);
		magi_lock_release(lock);
		if (!parked)
			return;
		if (!mine) {
			is_resumed(TASK);
			return;
		}
		explore_point();
	}
	magi_lock_acquire(lock);
	if (!parks(CALLEE)) {
		magi_lock_release(lock);
		return;
	}
	magi_lock_release(lock);
	is_resumed(CALLEE);
}

static void nothing(void)
{
}

#define MODEL(what, given, ...)                                                              \
	{                                                                                    \
		.name = (what), .start = (given), .thread = { __VA_ARGS__ }, .end = nothing, \
		.preemptions = EXPLORE_ALL, .only_views = true                               \
	}
static const struct explore_model waited = MODEL("waited", in_a_scope, waits_in_vain, cancels),
				  asked = MODEL("asked", in_a_scope, asks, cancels),
				  closed = MODEL("closed", in_a_scope, leaves_and_asks, cancels),
				  left = MODEL("left", in_a_cancelled_scope, leaves_and_waits, cancels),
				  unshielded = MODEL("unshielded", in_a_shield, leaves_and_waits, cancels),
				  shielded = MODEL("shielded", in_none, shields_and_waits, cancels),
				  opened = MODEL("opened", in_none, opens_and_waits, cancels),
				  thrice = MODEL("thrice", in_none, parks_thrice, cancels),
				  mailed = MODEL("mailed", in_none, operates_twice, cancels);

Test(cancel, task_in_a_scope_inside_is_told_why, .timeout = 300)
{
	cr_assert(explore_holds(&waited));
}

Test(cancel, who_asks_is_told_why, .timeout = 300)
{
	cr_assert(explore_holds(&asked));
}

Test(cancel, scope_that_ends_tells_why, .timeout = 300)
{
	cr_assert(explore_holds(&closed));
}

Test(cancel, mark_outlives_the_scope_inside, .timeout = 300)
{
	cr_assert(explore_holds(&left));
}

Test(cancel, mark_is_found_when_a_shield_is_left, .timeout = 300)
{
	cr_assert(explore_holds(&unshielded));
}

Test(cancel, mark_is_not_lost_by_a_shield, .timeout = 300)
{
	cr_assert(explore_holds(&shielded));
}

Test(cancel, scope_that_is_opened_late_is_cancelled_too, .timeout = 300)
{
	cr_assert(explore_holds(&opened));
}

Test(cancel, mark_of_a_late_canceller_finds_the_frame_that_is_parked, .timeout = 300)
{
	cr_assert(explore_holds(&thrice));
}

Test(cancel, mail_names_the_operation_under_way, .timeout = 300)
{
	cr_assert(explore_holds(&mailed));
}
