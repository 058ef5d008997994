/* SPDX-License-Identifier: MIT */
/* test_watch.c - watch.c on the waiter core in every order: who waits for a change goes on, who sees a version sees
 * what came before it, and the last value is seen by all who follow. */
#include <criterion/criterion.h>

#include "model/task.h"
#include "task/cancel.c"
#include "task/wait.c"
#define lock_of watch_lock_of
#include "sync/watch.c"

enum { FIRST = MAGI_WATCH_STEP, LAST_VALUE = 1 };

static mag_watch watch;
static uint64_t room, seen, value; /* the last two: of who follows */
static int letter; /* not atomic */

static void start(void)
{
	tasks_init();
	memset(&watch, 0, sizeof(watch));
	room = value = letter = 0;
	seen = FIRST;
	mag_watch_init(&watch, &room, sizeof(room));
	explore_shared(&watch, sizeof(watch));
	explore_shared(&room, sizeof(room));
	explore_shared(&seen, sizeof(seen));
	explore_shared(&value, sizeof(value));
	explore_shared(&letter, sizeof(letter));
	/* task 0 is cancelled by thread 2, the others by nobody */
	explore_constant(&its_scope[1].cancelled, sizeof(its_scope[1].cancelled));
	explore_own(1, &its_scope[1].shard, sizeof(its_scope[1].shard), HIDDEN);
	explore_own(2, &runtime.visitors, sizeof(runtime.visitors), HIDDEN);
}

static int64_t changed(int i, uint64_t version)
{
	int64_t rc = task_await(i, mag_watch_changed((mag_worker *)&its_worker[i], &frame[i], &watch, version));

	explore_point();
	return rc;
}

static void waits(void)
{
	explore_assert(changed(0, FIRST) == 0);
}

static void waits_too(void)
{
	explore_assert(changed(1, FIRST) == 0);
}

static void waits_or_is_cancelled(void)
{
	int64_t rc = changed(0, FIRST);

	explore_assert(rc == 0 || rc == MAG_ECANCELED);
}

/* Until it is closed. */
static void follows(void)
{
	while (changed(1, seen) == 0)
		seen = mag_watch_get(&watch, &value);
	explore_assert(value == LAST_VALUE);
}

static void follows_and_frees(void)
{
	explore_assert(changed(1, FIRST) == MAG_ECLOSED);
	mag_watch_fini(&watch);
	explore_freed(&watch);
}

static void sends(void)
{
	const uint64_t last = LAST_VALUE;

	explore_assert(mag_watch_send(&watch, &last) == 0);
}

static void sends_and_closes(void)
{
	sends();
	mag_watch_close(&watch);
}

static void closes(void)
{
	explore_assert(mag_watch_close(&watch) == 1);
}

static void cancels(void)
{
	mag_scope_cancel(&its_scope[0]);
}

/* What was done before is seen by who sees the version, or that it is closed, and reads no value. */

static void writes_and_sends(void)
{
	letter = 1;
	sends();
}

static void writes_and_closes(void)
{
	letter = 1;
	closes();
}

static void reads_if_changed(void)
{
	if (mag_watch_has_changed(&watch, FIRST))
		explore_assert(letter == 1);
}

static void reads_if_closed(void)
{
	if (mag_watch_is_closed(&watch))
		explore_assert(letter == 1);
}

static void reads_when_closed(void)
{
	explore_assert(changed(1, FIRST) == MAG_ECLOSED);
	explore_assert(letter == 1);
}

static void nothing(void)
{
}

#define MODEL(what, most, ...)                                                                                      \
	{                                                                                                           \
		.name = (what), .start = start, .thread = { __VA_ARGS__ }, .end = nothing, .preemptions = (most),   \
		.quick = (most) == EXPLORE_ALL ? 0 : 3, .only_views = true                                          \
	}
static const struct explore_model sent_or_cancelled = MODEL("sent_or_cancelled", 4, waits_or_is_cancelled, sends,
							    cancels),
				  two_wait = MODEL("two_wait", 4, waits, waits_too, sends),
				  followed = MODEL("followed", 4, sends_and_closes, follows),
				  freed = MODEL("freed", EXPLORE_ALL, closes, follows_and_frees),
				  told = MODEL("told", EXPLORE_ALL, writes_and_sends, reads_if_changed),
				  told_closed = MODEL("told_closed", EXPLORE_ALL, writes_and_closes, reads_if_closed),
				  told_waiting = MODEL("told_waiting", EXPLORE_ALL, writes_and_closes,
						       reads_when_closed);

#ifdef MODEL_FAULT

Test(watch, fault_is_found, .timeout = 120)
{
	const struct explore_model *const all[] = { &freed,        &told,     &told_closed, &told_waiting,
						    &followed, &two_wait, &sent_or_cancelled };

	cr_assert(explore_some_fail(all, sizeof(all) / sizeof(all[0])));
}

#else

Test(watch, task_goes_on_or_is_cancelled, .timeout = 300)
{
	cr_assert(explore_holds(&sent_or_cancelled));
}

Test(watch, all_who_wait_go_on, .timeout = 300)
{
	cr_assert(explore_holds(&two_wait));
}

Test(watch, who_follows_sees_the_last_value, .timeout = 300)
{
	cr_assert(explore_holds(&followed));
}

Test(watch, who_ends_it_may_free_it, .timeout = 300)
{
	cr_assert(explore_holds(&freed));
}

Test(watch, who_sees_a_change_sees_what_came_before, .timeout = 300)
{
	cr_assert(explore_holds(&told));
}

Test(watch, who_sees_that_it_is_closed_sees_what_came_before, .timeout = 300)
{
	cr_assert(explore_holds(&told_closed));
}

Test(watch, who_waits_until_it_is_closed_sees_what_came_before, .timeout = 300)
{
	cr_assert(explore_holds(&told_waiting));
}

#endif
