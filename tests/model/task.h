/* SPDX-License-Identifier: MIT */
/* task.h - tasks in a model: each lives on one thread, which sleeps while the task is parked.
 *
 * What:    stands in the place of the scheduler under the sources of src/task and src/sync. Whoever resumes a task hands it
 *          over as a queue would: with a release that the task's thread acquires.
 * Not:     a task that moves to another thread: its thread stands for whichever worker has it. */
#ifndef MAGPIE_TESTS_MODEL_TASK_H
#define MAGPIE_TESTS_MODEL_TASK_H

#include <string.h>

#include "base/futex.h"
#include "base/lock.h"
#define magi_back_off() ((void)0) /* time, not order */
#include "model/explore.h"
#include "model/trace.h"
#include "sched/ready.h"
#include "task/wait.h"

enum { TASKS = 3 };

static mag_runtime runtime;
static mag_scope root, its_scope[TASKS]; /* a scope for each task, in the root */
static struct mag_worker its_worker[TASKS];
static mag_frame frame[TASKS];
static uint32_t hand[TASKS]; /* atomic: it is resumed */
static int resumed[TASKS];
static mag_frame *as[TASKS]; /* itself, or a frame that stands for it: select.c */
static uint32_t wakes; /* atomic: a step */
static bool sleeps_on_word[MODEL_THREADS];

/* i: the task, and the thread it lives on. */
static void task_init(int i)
{
	mag_frame *f = &frame[i];

	its_worker[i].index = 0;
	its_scope[i].rt = &runtime;
	its_scope[i].parent = &root;
	f->leader = f;
	f->scope = &its_scope[i];
	f->flags = MAGI_SPAWN;
}

static void tasks_init(void)
{
	static const char *const names[TASKS] = { "task 0", "task 1", "task 2" };

	memset(&runtime, 0, sizeof(runtime));
	memset(&root, 0, sizeof(root));
	memset(its_scope, 0, sizeof(its_scope));
	memset(frame, 0, sizeof(frame));
	memset(hand, 0, sizeof(hand));
	memset(resumed, 0, sizeof(resumed));
	memset(as, 0, sizeof(as));
	wakes = 0;
	memset(sleeps_on_word, 0, sizeof(sleeps_on_word));
	trace_forget();
	for (int i = 0; i < TASKS; i++) {
		trace_name(&frame[i], names[i]);
		task_init(i);
	}
	explore_shared(frame, sizeof(frame));
	explore_shared(its_scope, sizeof(its_scope));
	explore_ghost(resumed, sizeof(resumed));
	explore_ghost(as, sizeof(as));
	explore_ghost(sleeps_on_word, sizeof(sleeps_on_word));
}

void magi_resume_later(mag_runtime *rt, mag_worker *w, mag_frame *f)
{
	bool stands_for_it = f < frame || f >= frame + TASKS;
	long i = (stands_for_it ? f->leader : f) - frame;

	(void)rt;
	(void)w;
	explore_assert(++resumed[i] == 1);
	as[i] = f;
	(void)magi_xchg_rel(&hand[i], 1u);
	explore_ring((int)i);
}

mag_worker *magi_self(void)
{
	return NULL;
}

/* What an await has returned: the task goes on at once, or sleeps until it is resumed; and again, when its primitive has
 * given it a step of its own, which may wait once more. */
static int64_t task_await(int i, const mag_frame *next)
{
	while (next != &frame[i]) {
		explore_assert(!next);
		while (!magi_xchg_acq(&hand[i], 0u))
			explore_sleep();
		explore_assert(resumed[i]-- == 1);
		next = as[i]->step ? as[i]->step((mag_worker *)&its_worker[i], as[i]) : &frame[i];
	}
	return frame[i].op.result;
}

bool magi_futex_wait(uint32_t *word, uint32_t value, uint64_t ns)
{
	(void)ns;
	if (magi_add_rlx(word, 0u) != value) /* the kernel sees the newest */
		return true;
	sleeps_on_word[explore_thread()] = true;
	explore_sleep();
	return true;
}

void magi_futex_wake(uint32_t *word, uint32_t n)
{
	(void)word; /* may be gone */
	(void)n;
	(void)magi_add_rlx(&wakes, 1u);
	for (int t = 0; t < MODEL_THREADS; t++) {
		if (sleeps_on_word[t]) {
			sleeps_on_word[t] = false;
			explore_ring(t);
		}
	}
}

#endif
