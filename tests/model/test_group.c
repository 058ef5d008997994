/* SPDX-License-Identifier: MIT */
/* test_group.c - how a group's tasks are counted and joined, src/task/group.c with member.c and scope.c, in every order: its
 * owner goes on once, after the last member has ended, sees what they wrote, and may free the group. */
#include <criterion/criterion.h>

#include <string.h>

#include "model/task.h"
#define lock_of cancel_lock_of
#include "task/cancel.c"
#undef lock_of
#include "task/group.c"
#include "task/handle.c"
#include "task/member.c"
#include "task/scope.c"
#include "task/wait.c"

enum { OWNER = 0, MEMBERS = 2, SIZE = 128 };

static struct magi_worker on[MODEL_THREADS];
static mag_group group;
static mag_handle handle;
static mag_frame member[MEMBERS];
static uint64_t value[MEMBERS], reason; /* reason: what a canceller writes */
static int ended;
static const mag_site site;

void magi_scope_disarm(mag_scope *s)
{
	(void)s;
}

static void may_be_cancelled(uint32_t started)
{
	const struct mag_group_options options = { .size = sizeof(options), .policy = MAG_COLLECT };

	tasks_init();
	memset(on, 0, sizeof(on));
	memset(&group, 0, sizeof(group));
	memset(&handle, 0, sizeof(handle));
	memset(member, 0, sizeof(member));
	memset(value, 0, sizeof(value));
	ended = 0;
	for (int i = 0; i < MODEL_THREADS; i++) {
		on[i].rt = &runtime;
		on[i].pub.index = (uint32_t)i;
		on[i].pub.sleepers = &runtime.idle.sleepers;
		for (int c = 0; c < MAGI_CLASSES; c++) {
			on[i].pub.free[c].head = &on[i].pub.none;
			on[i].pub.free[c].high = 100;
		}
	}
	frame[OWNER].at = &site;
	magi_group_open(&on[0].pub, &frame[OWNER], &group, &options);
	group.started = started;
	for (int i = 0; i < MEMBERS; i++)
		magi_frame_init(&member[i], NULL, NULL, &member[i], &group.scope, MAGI_CLASS(SIZE), MAGI_SPAWN);
	explore_shared(&group, sizeof(group));
	explore_shared(&handle, sizeof(handle));
	explore_shared(member, sizeof(member));
	explore_shared(value, sizeof(value));
	explore_shared(&reason, sizeof(reason));
	explore_constant(&runtime.idle.sleepers, sizeof(runtime.idle.sleepers));
	reason = 0;
}

static void given(uint32_t started)
{
	may_be_cancelled(started);
	explore_constant(&group.scope.cancelled, sizeof(group.scope.cancelled));
}

static void ends(int t, int i)
{
	value[i] = 1;
	(void)magi_spawn_end(&on[t].pub, &member[i], 0);
	magi_group_flush(&on[t]);
}

static void joins(void)
{
	explore_assert(task_await(OWNER, magi_group_end(&on[0].pub, &frame[OWNER], &group)) == 0);
	explore_assert(value[0] && value[1]);
	explore_assert(++ended == 1);
	explore_freed(&group);
}

static void two_started(void)
{
	given(2);
}

static void first_ends(void)
{
	ends(1, 0);
}

static void second_ends(void)
{
	ends(2, 1);
}

/* They are told together. */
static void both_end(void)
{
	value[0] = value[1] = 1;
	(void)magi_spawn_end(&on[1].pub, &member[0], 0);
	(void)magi_spawn_end(&on[1].pub, &member[1], 0);
	magi_group_flush(&on[1]);
}

static uint32_t spawned; /* atomic: as the deque hands it over */

static void one_started(void)
{
	given(1);
	spawned = 0;
}

static void first_spawns_and_ends(void)
{
	count_in(&member[0], &group);
	magi_store_rel(&spawned, 1u);
	ends(1, 0);
}

static void second_is_spawned_and_ends(void)
{
	while (!magi_load_acq(&spawned))
		magi_pause();
	second_ends();
}

/* The first member has a handle. */
static void one_with_a_handle(void)
{
	given(2);
	magi_handle_open(&on[0].pub, &group, &handle);
	member[0].scope = &handle.scope;
	member[0].flags |= MAGI_MINDED;
	explore_constant(&handle.scope.cancelled, sizeof(handle.scope.cancelled));
}

static void gets_next_and_joins(void)
{
	mag_handle *h = NULL;
	int64_t rc = task_await(OWNER, mag_group_next(&on[0].pub, &frame[OWNER], &group, &h));

	explore_assert(rc == 1 && h == &handle);
	explore_assert(h->result == 0 && value[0]);
	explore_freed(&handle);
	joins();
}

static void waits_and_joins(void)
{
	explore_assert(task_await(OWNER, mag_handle_wait(&on[0].pub, &frame[OWNER], &handle)) == 0);
	explore_assert(value[0]);
	explore_freed(&handle);
	joins();
}

static void joins_and_looks(void)
{
	joins();
	explore_assert(mag_handle_done(&handle));
	explore_freed(&handle);
}

/* The members of a gather: each result has its place, which the owner reads after the join. A member that never waits has
 * its slot in words that nobody uses. */
static int64_t results[MEMBERS];

static void two_gathered(void)
{
	given(2);
	for (int i = 0; i < MEMBERS; i++) {
		member[i].class_ = MAGI_CLASS(SIZE);
		member[i].flags |= MAGI_SLOTTED;
		results[i] = MAG_ECANCELED;
		*magi_gathered_of(&member[i], member[i].class_) = (struct magi_gathered){ &results[i], &site };
	}
	explore_shared(results, sizeof(results));
}

static void joins_and_reads(void)
{
	joins();
	explore_assert(results[0] == 0 && results[1] == 0);
	explore_freed(results);
}

/* Who may start no more is told why. */

static void none_started(void)
{
	may_be_cancelled(0);
}

static void spawns(void)
{
	const mag_frame *f = magi_spawn(&on[0].pub, &frame[OWNER], &group, &member[0], NULL, MAGI_CLASS(SIZE), NULL, 0);

	explore_assert(f == &frame[OWNER]);
	if (f->op.result == MAG_ECANCELED)
		explore_assert(reason == 1);
	else
		explore_assert(group.started == 1);
}

static void cancels(void)
{
	reason = 1;
	mag_group_cancel(&group);
}

static void nothing(void)
{
}

#define MODEL(what, given, most, soon, ...)                                                                         \
	{                                                                                                           \
		.name = (what), .start = (given), .thread = { __VA_ARGS__ }, .end = nothing, .preemptions = (most), \
		.quick = (soon), .only_views = true                                                                 \
	}
static const struct explore_model two = MODEL("two", two_started, EXPLORE_ALL, 0, joins, first_ends, second_ends),
				  together = MODEL("together", two_started, EXPLORE_ALL, 0, joins, both_end),
				  spawning = MODEL("spawning", one_started, EXPLORE_ALL, 0, joins,
						   first_spawns_and_ends, second_is_spawned_and_ends),
				  next = MODEL("next", one_with_a_handle, EXPLORE_ALL, 0, gets_next_and_joins,
					       both_end),
				  handle_waited = MODEL("handle_waited", one_with_a_handle, EXPLORE_ALL, 0,
							waits_and_joins, both_end),
				  refused = MODEL("refused", none_started, EXPLORE_ALL, 0, spawns, cancels),
				  gathered = MODEL("gathered", two_gathered, EXPLORE_ALL, 0, joins_and_reads, first_ends,
						   second_ends),
				  handle_kept = MODEL("handle_kept", one_with_a_handle, EXPLORE_ALL, 0, joins_and_looks,
						      first_ends, second_ends);

#ifdef MODEL_FAULT

Test(group, fault_is_found, .timeout = 120)
{
	const struct explore_model *const all[] = { &together, &two,  &refused,       &gathered,
						    &spawning, &next, &handle_waited, &handle_kept };

	cr_assert(explore_some_fail(all, sizeof(all) / sizeof(all[0])));
}

#else

Test(group, owner_goes_on_after_the_last_of_two, .timeout = 300)
{
	cr_assert(explore_holds(&two));
}

Test(group, ends_that_are_told_together_count_as_many, .timeout = 300)
{
	cr_assert(explore_holds(&together));
}

Test(group, member_that_starts_another_is_waited_for, .timeout = 300)
{
	cr_assert(explore_holds(&spawning));
}

Test(group, results_of_a_gather_are_the_owners_after_the_join, .timeout = 300)
{
	cr_assert(explore_holds(&gathered));
}

Test(group, spawn_that_is_refused_says_why, .timeout = 300)
{
	cr_assert(explore_holds(&refused));
}

Test(group, next_handle_is_the_owners_to_free, .timeout = 300)
{
	cr_assert(explore_holds(&next));
}

Test(group, awaited_handle_is_the_owners_to_free, .timeout = 300)
{
	cr_assert(explore_holds(&handle_waited));
}

Test(group, handle_that_nobody_asked_for_is_free_after_the_join, .timeout = 300)
{
	cr_assert(explore_holds(&handle_kept));
}

#endif
