/* SPDX-License-Identifier: MIT */
/* test_deque.c - src/sched/deque.c in every order: each frame leaves once, and an owner that gets none has none left.
 *
 * The program is built once more for each fault of faults/deque, with MODEL_FAULT: there some model must be refuted. */
#include <criterion/criterion.h>

#include <string.h>

#define MAGI_DEQUE_CAPACITY 4

#include "base/clock.h"
/* a time stamp would be another one in each execution */
#define magi_ticks() UINT64_C(1)
#include "sched/deque.c"

#include "model/explore.h"
#include "model/trace.h"

enum { FRAMES = 8, OWNER = 0 };

static struct magi_deque deque;
static mag_frame frame[FRAMES], stale; /* stale: what a slot held before */
static int pushed, taken[FRAMES];
static int64_t place[FRAMES];                               /* where it was pushed */
static struct explore_moment was_read[MAGI_DEQUE_CAPACITY]; /* when a thief read the frame there that it got */
static struct explore_moment took_shared[FRAMES];           /* when its owner took it from between thieves */

static void push(void)
{
	int64_t b = magi_load_rlx(&deque.bottom);

	frame[pushed].op.result = pushed; /* what the frame has, to be seen by whoever takes it */
	if (magi_deque_push(&deque, &frame[pushed])) {
		explore_assert(explore_is_after(was_read[b % MAGI_DEQUE_CAPACITY]));
		place[pushed++] = b;
	}
	explore_point();
}

static void answer(void)
{
	if (magi_load_rlx(&deque.asked))
		magi_deque_share(&deque);
	explore_point();
}

static void take(const mag_frame *f)
{
	explore_assert(f != &stale);
	if (f == &stale)
		return;
	explore_assert(f->op.result == f - frame);
	explore_assert(++taken[f - frame] == 1);
}

static void pop(void)
{
	const mag_frame *f = magi_deque_pop(&deque);
	struct explore_moment looked = explore_last_load(); /* at top, if it was shared */

	if (f) {
		take(f);
		if (magi_load_rlx(&deque.bottom) > place[f - frame])
			took_shared[f - frame] = looked;
		explore_point();
		return;
	}
	for (int i = 0; i < pushed; i++)
		explore_assert(taken[i]);
	explore_point();
}

/* A child has ended, and its parent is the newest, unless it was stolen. */
static void take_back(int i)
{
	if (magi_deque_take_back(&deque, &frame[i]))
		take(&frame[i]);
	else
		explore_assert(taken[i]);
	explore_point();
}

static void steal(void)
{
	bool lost;
	const mag_frame *f = magi_deque_steal(&deque, &lost);

	if (f) {
		take(f);
		was_read[place[f - frame] % MAGI_DEQUE_CAPACITY] = explore_last_load();
	}
	explore_point();
}

/* A thief sees no older split than who made the top that it sees. */
static void looks(void)
{
	int64_t t = magi_load_rlx(&deque.top);

	magi_fence_seq(&deque.top);
	for (int i = 0; i < pushed; i++)
		explore_assert(place[i] >= t || explore_is_after(took_shared[i]));
	explore_point();
}

/* revokes: whether some thief does, and so looks at what is the owner's alone else. */
static void given(int private, int shared, bool revokes)
{
	static const char *const names[FRAMES] = { "A", "B", "C", "D", "E", "F", "G", "H" };

	explore_shared(&deque, sizeof(deque));
	explore_shared(frame, sizeof(frame));
	explore_ghost(taken, sizeof(taken));
	explore_ghost(&pushed, sizeof(pushed));
	explore_ghost(place, sizeof(place));
	explore_ghost(was_read, sizeof(was_read));
	explore_ghost(took_shared, sizeof(took_shared));
	memset(&deque, 0, sizeof(deque));
	memset(taken, 0, sizeof(taken));
	memset(was_read, 0, sizeof(was_read));
	memset(took_shared, 0, sizeof(took_shared));
	pushed = 0;
	trace_forget();
	trace_name(&stale, "stale");
	for (int i = 0; i < FRAMES; i++)
		trace_name(&frame[i], names[i]);
	for (int i = 0; i < MAGI_DEQUE_CAPACITY; i++)
		deque.slot[i] = &stale;
	for (int i = 0; i < shared; i++)
		push();
	magi_deque_share_all(&deque);
	deque.limit = deque.split;
	for (int i = 0; i < private; i++)
		push();
	explore_own(OWNER, &deque.bottom, sizeof(deque.bottom), revokes ? WRITTEN : HIDDEN);
	explore_own(OWNER, &deque.limit, sizeof(deque.limit), revokes ? NOT_OWN : HIDDEN);
	explore_own(OWNER, deque.slot, sizeof(deque.slot), WRITTEN);
}

static void nothing(void)
{
	given(0, 0, false);
}

static void two_shared(void)
{
	given(0, 2, false);
}

static void four_shared(void)
{
	given(0, 4, false);
}

static void nothing_and_revokes(void)
{
	given(0, 0, true);
}

static void two_private_and_revokes(void)
{
	given(2, 0, true);
}

static void three_private_and_revokes(void)
{
	given(3, 0, true);
}

/* What nobody has taken is still there, and the boundary is in order. */
static void all_leave_once(void)
{
	const mag_frame *f;

	explore_assert(!deque.lock);
	explore_assert(deque.split == deque.limit);
	explore_assert(deque.top <= deque.split && deque.split <= deque.bottom);
	if (deque.lock)
		return;
	while ((f = magi_deque_pop(&deque)))
		take(f);
	for (int i = 0; i < pushed; i++)
		explore_assert(taken[i] == 1);
}

static void pops_two(void)
{
	pop();
	pop();
}

static void pops_three(void)
{
	pops_two();
	pop();
}

static void pops_two_and_pushes_one(void)
{
	pops_two();
	push();
	pop();
}

static void pushes_two_and_pops_them(void)
{
	push();
	push();
	pops_two();
}

static void pushes_and_answers(void)
{
	push();
	push();
	answer();
	pop();
	push();
	answer();
	pops_two();
}

static void forks_two_deep(void)
{
	push();
	push();
	take_back(1);
	take_back(0);
	push();
	take_back(2);
}

static void steals_two(void)
{
	steal();
	steal();
}

static void steals_three(void)
{
	steals_two();
	steal();
}

static void asks_and_steals(void)
{
	magi_deque_ask(&deque);
	explore_point();
	steal();
}

static void asks_and_steals_two(void)
{
	magi_deque_ask(&deque);
	explore_point();
	steals_two();
}

static void revokes(void)
{
	magi_deque_revoke(&deque);
	explore_point();
}

static void revokes_and_steals(void)
{
	revokes();
	steal();
}

static void revokes_and_steals_two(void)
{
	revokes();
	steals_two();
}

static void asks_and_revokes(void)
{
	asks_and_steals();
	revokes_and_steals();
}

/* The owner is the first of the threads. */
#define MODEL_(what, given, most, revokes, ...)                                                     \
	{                                                                                           \
		.name = (what), .start = (given), .thread = { __VA_ARGS__ }, .end = all_leave_once, \
		.preemptions = EXPLORE_ALL, .quick = (most), .barriers = (revokes)                  \
	}
#define MODEL(what, given, ...) MODEL_(what, given, 3, false, __VA_ARGS__)
#define REVOKED(what, given, ...) MODEL_(what, given, 3, true, __VA_ARGS__)
static const struct explore_model
	last = MODEL("last", two_shared, pops_three, steals_two, steals_two),
	seen = MODEL("seen", two_shared, pops_two, looks),
	take_half = MODEL("take_half", four_shared, pops_three, steals_three, steal),
	reuse = MODEL("reuse", two_shared, pops_two_and_pushes_one, steals_two, steal),
	full = MODEL("full", four_shared, pushes_two_and_pops_them, steals_two, steal),
	share = MODEL("share", nothing, pushes_and_answers, asks_and_steals_two, asks_and_steals),
	revoke = REVOKED("revoke", two_private_and_revokes, pops_two, revokes_and_steals_two, steal),
	revoke_half = REVOKED("revoke_half", three_private_and_revokes, pops_three, revokes_and_steals_two),
	two_revoke = REVOKED("two_revoke", two_private_and_revokes, pops_two, revokes_and_steals, revokes),
	revoke_reused = REVOKED("revoke_reused", two_private_and_revokes, pops_two_and_pushes_one, revokes, steal),
	publish = REVOKED("publish", nothing_and_revokes, pushes_two_and_pops_them, revokes_and_steals_two),
	both = REVOKED("both", nothing_and_revokes, pushes_and_answers, asks_and_revokes),
	forks = REVOKED("forks", nothing_and_revokes, forks_two_deep, revokes_and_steals_two);

#ifdef MODEL_FAULT

Test(deque, fault_is_found, .timeout = 120)
{
	/* the small ones first */
	const struct explore_model *const all[] = { &publish, &full,       &reuse, &revoke_half, &revoke_reused,
						    &forks,   &share,      &both,  &last,        &take_half,
						    &revoke,  &two_revoke, &seen };

	cr_assert(explore_some_fail(all, sizeof(all) / sizeof(all[0])));
}

#else

Test(deque, last_frame_goes_to_one_of_owner_and_two_thieves, .timeout = 300)
{
	cr_assert(explore_holds(&last));
}

Test(deque, thief_sees_with_the_top_what_its_owner_has_taken_back, .timeout = 300)
{
	cr_assert(explore_holds(&seen));
}

/* Four, so that thieves can pass the half that the owner takes back before it is there. */
Test(deque, owner_that_takes_half_back_leaves_a_late_thief_its_frame, .timeout = 300)
{
	cr_assert(explore_holds(&take_half));
}

Test(deque, thief_with_an_old_view_does_not_get_what_was_pushed_since, .timeout = 300)
{
	cr_assert(explore_holds(&reuse));
}

Test(deque, slot_of_a_full_one_is_reused_after_its_thief_is_done, .timeout = 300)
{
	cr_assert(explore_holds(&full));
}

Test(deque, owner_that_answers_shares_what_it_has_not_taken, .timeout = 300)
{
	cr_assert(explore_holds(&share));
}

Test(deque, revoked_frame_leaves_once, .timeout = 300)
{
	cr_assert(explore_holds(&revoke));
}

Test(deque, revoked_half_leaves_the_other_to_its_owner, .timeout = 300)
{
	cr_assert(explore_holds(&revoke_half));
}

Test(deque, two_may_revoke_at_once, .timeout = 300)
{
	cr_assert(explore_holds(&two_revoke));
}

Test(deque, revoked_frame_is_in_its_slot, .timeout = 300)
{
	cr_assert(explore_holds(&publish));
}

Test(deque, revoked_frame_is_the_one_that_was_pushed_last, .timeout = 300)
{
	cr_assert(explore_holds(&revoke_reused));
}

Test(deque, one_may_revoke_while_the_owner_answers, .timeout = 300)
{
	cr_assert(explore_holds(&both));
}

Test(deque, parent_is_taken_back_unless_it_was_stolen, .timeout = 300)
{
	cr_assert(explore_holds(&forks));
}

#endif
