/* SPDX-License-Identifier: MIT */
/* test_self.c - which worker runs this thread. */
#include "unit/play.h"

#include "sched/types.h"

Test(self, other_threads_are_no_workers, .timeout = 5)
{
	cr_assert_null(magi_self());
	cr_assert_null(mag_runtime_current());
	cr_assert_eq(mag_worker_index(), -1);
}

struct look {
	mag_frame frame;
	MAG_ARGS(look, mag_runtime *rt; uint32_t turns;);
	uint32_t i;
	int64_t rc;
};

static bool right_here(mag_worker *w, mag_runtime *rt)
{
	return magi_self() == w && magi_self_in(rt) == w && mag_runtime_current() == rt &&
	       mag_worker_index() == (int)w->index;
}

/* Stays away for a moment in each way there is, and looks where it is afterwards. */
MAG_TASK(look)
{
	MAG_BEGIN(look);
	for (self->i = 0; self->i < self->turns; self->i++) {
		MAG_YIELD(self->rc);
		if (!right_here(w, self->rt))
			MAG_RETURN(-EXDEV);
		MAG_AWAIT(self->rc, mag_sleep, self->i * MAG_MICROSECOND);
		if (!right_here(w, self->rt))
			MAG_RETURN(-EXDEV);
	}
	MAG_RETURN(0);
	MAG_END;
}

/* Tried: magi_self inlined into a step function and its value kept over an await. */
Test(self, task_finds_the_worker_that_runs_it_now, .timeout = 20)
{
	enum { TASKS = 16 };
	struct play p;
	mag_future done[TASKS];

	play_begin(&p, 3);
	for (int i = 0; i < TASKS; i++) {
		mag_future_init(&done[i]);
		cr_assert_eq(mag_spawn_from(p.rt, &done[i], look, .rt = p.rt, .turns = 100), 0);
	}
	for (int i = 0; i < TASKS; i++)
		cr_assert_eq(play_wait(&done[i]), 0);
	cr_assert_eq(mag_worker_index(), -1);
	play_end(&p);
}

struct ask_other {
	mag_frame frame;
	MAG_ARGS(ask_other, mag_runtime *mine; mag_runtime *other;);
};

MAG_TASK(ask_other)
{
	MAG_BEGIN(ask_other);
	MAG_RETURN(magi_self_in(self->mine) == w && magi_self_in(self->other) == NULL ? 0 : -EXDEV);
	MAG_END;
}

/* A worker of one runtime must not push to the queues of another. Tried: magi_self_in without the comparison. */
Test(self, worker_of_one_runtime_is_none_of_another, .timeout = 10)
{
	struct play a, b;
	int64_t rc;

	play_begin(&a, 1);
	play_begin(&b, 1);
	play_run(&a, rc, ask_other, .mine = a.rt, .other = b.rt);
	cr_assert_eq(rc, 0);
	play_end(&a);
	play_end(&b);
}
