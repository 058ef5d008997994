/* SPDX-License-Identifier: MIT */
/* test_oneshot.c - oneshot.c on the waiter core in every order: the value comes once, to who waits or who looks, and
 * that one may free the oneshot then. */
#include <criterion/criterion.h>

#include "model/task.h"
#include "task/cancel.c"
#include "task/wait.c"
#define lock_of oneshot_lock_of
#include "sync/oneshot.c"

enum { VALUE = 7 };

static mag_oneshot oneshot;
static uint64_t room, got[TASKS];
static int had;

static void start(void)
{
	tasks_init();
	memset(&oneshot, 0, sizeof(oneshot));
	room = 0;
	mag_oneshot_init(&oneshot, &room, sizeof(room));
	memset(got, 0, sizeof(got));
	had = 0;
	explore_shared(&oneshot, sizeof(oneshot));
	explore_shared(&room, sizeof(room));
	explore_shared(got, sizeof(got));
	explore_ghost(&had, sizeof(had));
	/* task 0 is cancelled by thread 2, the others by nobody */
	explore_constant(&its_scope[1].cancelled, sizeof(its_scope[1].cancelled));
	explore_own(1, &its_scope[1].shard, sizeof(its_scope[1].shard), HIDDEN);
	explore_own(2, &runtime.visitors, sizeof(runtime.visitors), HIDDEN);
}

static int64_t receive(int i)
{
	int64_t rc = task_await(i, mag_oneshot_recv((mag_worker *)&its_worker[i], &frame[i], &oneshot, &got[i]));

	explore_point();
	if (rc == 0) {
		explore_assert(got[i] == VALUE);
		had++;
	}
	return rc;
}

static void receives_or_is_cancelled(void)
{
	int64_t rc = receive(0);

	explore_assert(rc == 0 || rc == MAG_ECANCELED);
}

static void receives_or_not(void)
{
	int64_t rc = receive(0);

	explore_assert(rc == 0 || rc == MAG_ECLOSED);
}

static void receives_or_not_too(void)
{
	int64_t rc = receive(1);

	explore_assert(rc == 0 || rc == MAG_ECLOSED);
}

static void receives_and_frees(void)
{
	explore_assert(receive(1) == 0);
	explore_freed(&oneshot);
}

static void is_told_and_frees(void)
{
	explore_assert(receive(1) == MAG_ECLOSED);
	explore_freed(&oneshot);
}

static void looks_and_frees(void)
{
	if (mag_oneshot_try_recv(&oneshot, &got[1]) != 0)
		return;
	explore_assert(got[1] == VALUE);
	explore_freed(&oneshot);
}

static void sends(void)
{
	uint64_t value = VALUE;

	explore_assert(mag_oneshot_send(&oneshot, &value) == 0);
}

static void closes(void)
{
	explore_assert(mag_oneshot_close(&oneshot) == 1);
}

static void cancels(void)
{
	mag_scope_cancel(&its_scope[0]);
}

static void nothing(void)
{
}

static void one_had_it(void)
{
	explore_assert(had == 1);
}

/* Who was cancelled has left it. */
static void had_or_there(void)
{
	explore_assert(had + (oneshot.state == SENT && room == VALUE) == 1);
}

#define MODEL(what, most, after, ...)                                                                             \
	{                                                                                                         \
		.name = (what), .start = start, .thread = { __VA_ARGS__ }, .end = (after), .preemptions = (most), \
		.quick = (most) == EXPLORE_ALL ? 0 : 3, .only_views = true                                        \
	}
static const struct explore_model sent_or_cancelled = MODEL("sent_or_cancelled", 4, had_or_there,
							    receives_or_is_cancelled, sends, cancels),
				  two_receive = MODEL("two_receive", 4, one_had_it, receives_or_not,
						      receives_or_not_too, sends),
				  freed = MODEL("freed", EXPLORE_ALL, nothing, sends, receives_and_frees),
				  told = MODEL("told", EXPLORE_ALL, nothing, closes, is_told_and_frees),
				  looked = MODEL("looked", EXPLORE_ALL, nothing, sends, looks_and_frees);

#ifdef MODEL_FAULT

Test(oneshot, fault_is_found, .timeout = 120)
{
	const struct explore_model *const all[] = { &freed, &told, &looked, &two_receive, &sent_or_cancelled };

	cr_assert(explore_some_fail(all, sizeof(all) / sizeof(all[0])));
}

#else

Test(oneshot, value_is_had_or_still_there, .timeout = 300)
{
	cr_assert(explore_holds(&sent_or_cancelled));
}

Test(oneshot, one_of_two_has_it, .timeout = 300)
{
	cr_assert(explore_holds(&two_receive));
}

Test(oneshot, who_has_received_may_free_it, .timeout = 300)
{
	cr_assert(explore_holds(&freed));
}

Test(oneshot, who_is_told_that_there_is_none_may_free_it, .timeout = 300)
{
	cr_assert(explore_holds(&told));
}

Test(oneshot, who_has_looked_and_found_it_may_free_it, .timeout = 300)
{
	cr_assert(explore_holds(&looked));
}

#endif
