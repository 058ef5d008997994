/* SPDX-License-Identifier: MIT */
/* test_fork.c - fork and join, src/task/fork.c with the deque and its inline part, in every order: the parent goes on after
 * its join once, when all its children have ended, and sees what they wrote. */
#include <criterion/criterion.h>

#include <string.h>

#define MAGI_DEQUE_CAPACITY 2

#include "base/clock.h"
#define magi_ticks() UINT64_C(1)
#include "sched/deque.c"
#include "task/fork.c"

#include "model/explore.h"
#include "model/trace.h"

enum { CHILDREN = 2, WORKERS = 3, SIZE = 128, ERROR = -5 };
enum stage { FORKS, FORKS_AGAIN, JOINS, JOINED };

static struct mag_worker pub[WORKERS];
static mag_frame parent, child[CHILDREN];
static uint64_t sleepers, value[CHILDREN];
static uint32_t parked; /* atomic: the first child can be resumed */
static int joined;
static bool first_parks;
static int64_t ends_with;
static const mag_site site;

/* What lies outside. */

mag_frame *magi_resume_here(mag_worker *w, mag_frame *f)
{
	(void)w;
	return f;
}

void magi_wake_for_work(mag_worker *w)
{
	magi_deque_share(&w->deque);
}

static void given(bool parks, int64_t rc)
{
	memset(pub, 0, sizeof(pub));
	memset(&parent, 0, sizeof(parent));
	memset(child, 0, sizeof(child));
	memset(value, 0, sizeof(value));
	parked = 0;
	joined = 0;
	first_parks = parks;
	ends_with = rc;
	for (int i = 0; i < WORKERS; i++) {
		pub[i].sleepers = &sleepers;
		pub[i].index = (uint32_t)i;
		for (int c = 0; c < MAGI_CLASSES; c++) {
			pub[i].free[c].head = &pub[i].none;
			pub[i].free[c].high = 100;
		}
		explore_shared(&pub[i].deque, sizeof(pub[i].deque));
	}
	explore_constant(&sleepers, sizeof(sleepers));
	explore_own(0, &pub[0].deque.bottom, sizeof(pub[0].deque.bottom), HIDDEN);
	explore_own(0, &pub[0].deque.limit, sizeof(pub[0].deque.limit), HIDDEN);
	explore_own(0, pub[0].deque.slot, sizeof(pub[0].deque.slot), WRITTEN);
	/* somebody has asked before; nobody steals from others */
	pub[0].deque.asked = 1;
	explore_own(1, &pub[1].deque, sizeof(pub[1].deque), HIDDEN);
	explore_own(2, &pub[2].deque, sizeof(pub[2].deque), HIDDEN);
	explore_shared(&parent, sizeof(parent));
	explore_shared(child, sizeof(child));
	explore_shared(value, sizeof(value));
	explore_ghost(&joined, sizeof(joined));
	trace_forget();
	trace_name(&parent, "parent");
	trace_name(&child[0], "child 0");
	trace_name(&child[1], "child 1");
}

static mag_frame *child_step(mag_worker *w, mag_frame *f)
{
	long i = f - child;

	if (i == 0 && first_parks && !f->at) {
		f->at = &site;
		magi_store_rel(&parked, 1u);
		return NULL;
	}
	value[i] = 1;
	return magi_end(w, f, i == 0 ? ends_with : 0, MAGI_CLASS(SIZE));
}

/* As the verbs have it. */
static mag_frame *parent_step(mag_worker *w, mag_frame *f)
{
	switch ((enum stage)f->op.word[0]) {
	case FORKS:
		f->op.word[0] = FORKS_AGAIN;
		return magi_fork(w, f, &child[0], child_step, MAGI_CLASS(SIZE));
	case FORKS_AGAIN:
		f->op.word[0] = JOINS;
		return magi_fork(w, f, &child[1], child_step, MAGI_CLASS(SIZE));
	case JOINS:
		f->op.word[0] = JOINED;
		if (f->taken)
			return magi_join_wait(w, f);
		break;
	case JOINED:
		break;
	}
	explore_assert(magi_join_result(f) == ends_with);
	explore_assert(value[0] && value[1]);
	explore_assert(++joined == 1);
	return NULL;
}

/* As src/run/worker.c: whoever takes a parent from a deque, other than the child on top of it, counts that. */
static void run_taken(int i, mag_frame *f)
{
	mag_worker *w = &pub[i];

	while (f) {
		f->taken++;
		while (f)
			f = f->step(w, f);
		f = magi_deque_pop(&w->deque);
	}
}

static void resume_parked(int i)
{
	mag_frame *f = NULL;

	if (magi_xchg_acq(&parked, 0u))
		f = &child[0];
	while (f)
		f = f->step(&pub[i], f);
	run_taken(i, magi_deque_pop(&pub[i].deque));
}

static void works(void)
{
	mag_frame *f = &parent;

	magi_frame_init(f, parent_step, NULL, f, NULL, MAGI_CLASS(SIZE), MAGI_SPAWN);
	f->at = &site;
	f->op.word[0] = FORKS;
	while (f)
		f = f->step(&pub[0], f);
	run_taken(0, magi_deque_pop(&pub[0].deque));
	if (first_parks)
		resume_parked(0);
}

static void steals(void)
{
	bool lost;
	mag_frame *f = magi_deque_steal(&pub[0].deque, &lost);

	if (!f)
		explore_point();
	run_taken(1, f);
	explore_point();
}

static void resumes(void)
{
	resume_parked(2);
}

static void steals_twice(void)
{
	steals();
	magi_deque_ask(&pub[0].deque);
	steals();
}

static void steals_and_resumes(void)
{
	steals();
	resume_parked(1);
}

static void forks_two(void)
{
	given(false, 0);
}

static void forks_one_that_fails(void)
{
	given(false, ERROR);
}

static void forks_one_that_parks(void)
{
	given(true, 0);
}

static void joined_once(void)
{
	if (parked)
		resume_parked(0);
	explore_assert(joined == 1);
}

#define MODEL(what, given, ...)                                                                  \
	{                                                                                        \
		.name = (what), .start = (given), .thread = { __VA_ARGS__ }, .end = joined_once, \
		.preemptions = EXPLORE_ALL, .only_views = true                                   \
	}
static const struct explore_model two = MODEL("two", forks_two, works, steals_twice),
				  fails = MODEL("fails", forks_one_that_fails, works, steals_twice),
				  parks = MODEL("parks", forks_one_that_parks, works, steals_and_resumes),
				  parks_and_three = MODEL("parks_and_three", forks_one_that_parks, works, steals,
							  resumes);

#ifdef MODEL_FAULT

Test(fork, fault_is_found, .timeout = 120)
{
	const struct explore_model *const all[] = { &two, &fails, &parks, &parks_and_three };

	cr_assert(explore_some_fail(all, sizeof(all) / sizeof(all[0])));
}

#else

Test(fork, parent_that_was_stolen_waits_for_its_children, .timeout = 300)
{
	cr_assert(explore_holds(&two));
}

Test(fork, first_error_reaches_the_join, .timeout = 300)
{
	cr_assert(explore_holds(&fails));
}

Test(fork, child_that_parks_ends_on_either_worker, .timeout = 300)
{
	cr_assert(explore_holds(&parks));
}

Test(fork, parent_and_parked_child_end_on_different_workers, .timeout = 300)
{
	cr_assert(explore_holds(&parks_and_three));
}

#endif
