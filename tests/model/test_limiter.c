/* SPDX-License-Identifier: MIT */
/* test_limiter.c - limiter.c in every order: no token is taken twice, and who gets none gives the place back that it had. */
#include <criterion/criterion.h>

#include "base/clock.h"
#include "model/task.h"
#include "task/cancel.c"
#include "task/wait.c"
#define lock_of semaphore_lock_of
#define magi_ticks() ((uint64_t)0) /* time stands still */
#include "sync/semaphore.c"
#include "resilience/limiter.c"

enum { INTERVAL = 10 };

static mag_limiter limiter;
static uint32_t had[MODEL_THREADS], left[MODEL_THREADS];
static uint64_t guarded;

/* Nobody waits. */

bool mag_mutex_is_locked(const mag_mutex *m)
{
	return magi_load_rlx(&m->state) != 0; /* [mutex] */
}

static void start_with(uint32_t burst)
{
	const mag_limiter_options o = { .size = sizeof(o), .rate = 1, .per_ns = INTERVAL, .burst = burst, .concurrency = 1 };

	(void)task_await;
	tasks_init();
	memset(&limiter, 0, sizeof(limiter));
	explore_assert(mag_limiter_init(&limiter, &o) == 0);
	explore_shared(&limiter, sizeof(limiter));
	memset(had, 0, sizeof(had));
	memset(left, 0, sizeof(left));
	explore_ghost(had, sizeof(had));
	explore_ghost(left, sizeof(left));
	guarded = 0;
	explore_shared(&guarded, sizeof(guarded));
}

static void one_token(void)
{
	start_with(1);
}

static void tokens_for_all(void)
{
	start_with(3);
}

/* Time goes on from thread to thread, by less than it takes a token to come. */
static void tries(int i)
{
	had[i] = take_now(&limiter, 1, (uint64_t)(INTERVAL + 3 * i));
	explore_point();
}

static void tries_first(void)
{
	tries(0);
}

static void tries_second(void)
{
	tries(1);
}

static void tries_third(void)
{
	tries(2);
}

static void one_had_it(void)
{
	explore_assert(had[0] + had[1] + had[2] == 1);
}

/* As under a mutex: there is one place. */
static void enters(int i)
{
	had[i] = take_now(&limiter, 1 | PLACE, INTERVAL);
	explore_point();
	if (!had[i])
		return;
	guarded++;
	mag_limiter_leave(&limiter);
	left[i] = 1;
	explore_point();
}

static void enters_first(void)
{
	enters(0);
}

static void enters_second(void)
{
	enters(1);
}

static void enters_third(void)
{
	enters(2);
}

static uint32_t entered(void)
{
	return had[0] + had[1] + had[2];
}

static void place_is_back(void)
{
	explore_assert(guarded == entered() && entered() >= 1);
	explore_assert(mag_semaphore_permits(&limiter.slots) == 1);
	explore_assert(limiter.full_at == INTERVAL + guarded * INTERVAL);
}

static void place_is_back_and_one_entered(void)
{
	place_is_back();
	explore_assert(guarded == 1);
}

#define MODEL(what, given, after, ...)                                                                      \
	{                                                                                                   \
		.name = (what), .start = (given), .thread = { __VA_ARGS__ }, .end = (after),                \
		.preemptions = EXPLORE_ALL, .quick = 3, .only_views = true                                  \
	}
static const struct explore_model
	token = MODEL("token", one_token, one_had_it, tries_first, tries_second, tries_third),
	place = MODEL("place", tokens_for_all, place_is_back, enters_first, enters_second, enters_third),
	token_and_place = MODEL("token_and_place", one_token, place_is_back_and_one_entered, enters_first, enters_second);

#ifdef MODEL_FAULT

Test(limiter, fault_is_found, .timeout = 120)
{
	const struct explore_model *const all[] = { &token, &token_and_place, &place };

	cr_assert(explore_some_fail(all, sizeof(all) / sizeof(all[0])));
}

#else

Test(limiter, token_is_taken_once, .timeout = 300)
{
	cr_assert(explore_holds(&token));
}

Test(limiter, place_is_held_by_one_at_a_time, .timeout = 300)
{
	cr_assert(explore_holds(&place));
}

Test(limiter, place_without_a_token_is_given_back, .timeout = 300)
{
	cr_assert(explore_holds(&token_and_place));
}

#endif
