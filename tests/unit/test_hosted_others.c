/* SPDX-License-Identifier: MIT */
/* test_hosted_others.c - a hosted runtime whose other workers have threads: they share the work, and wait for no turn. */
#include "unit/hosted.h"

struct half {
	mag_frame frame;
	MAG_ARGS(half, int depth; int64_t *leaves;);
	int64_t a, b, rc;
};

MAG_TASK(half)
{
	MAG_BEGIN(half);
	self->a = self->b = 0;
	if (self->depth == 0) {
		*self->leaves = 1;
		MAG_RETURN(0);
	}
	MAG_FORK(half, .depth = self->depth - 1, .leaves = &self->a);
	MAG_FORK(half, .depth = self->depth - 1, .leaves = &self->b);
	MAG_JOIN(self->rc);
	*self->leaves = self->a + self->b;
	MAG_RETURN(self->rc);
	MAG_END;
}

Test(hosted, the_others_have_threads_and_share_the_work, .timeout = 30)
{
	ON_EACH(rt, 3) {
		mag_future done[8];
		int64_t leaves[8], rc;

		cr_assert_eq(mag_runtime_workers(rt), 3);
		for (int i = 0; i < 8; i++)
			START(rt, &done[i], half, .depth = 12, .leaves = &leaves[i]);
		for (int i = 0; i < 8; i++) {
			while (!mag_future_poll(&done[i], &rc)) /* whose end need not concern the loop */
				cr_assert_geq(mag_hosted_turn(rt), 0);
			cr_assert_eq(rc, 0);
			mag_future_fini(&done[i]);
			cr_assert_eq(leaves[i], 4096);
		}
	}
}

struct raiser {
	mag_frame frame;
	MAG_ARGS(raiser, const uint32_t *raised; uint64_t until;);
};

/* Stays in its step. */
MAG_TASK(raiser)
{
	MAG_BEGIN(raiser);
	while (!is_raised(self->raised))
		NEED(mag_now() < self->until);
	MAG_RETURN(0);
	MAG_END;
}

struct needs_two {
	mag_frame frame;
	MAG_ARGS(needs_two, uint64_t until;);
	uint32_t raised;
	int64_t rc;
};

MAG_TASK(needs_two)
{
	MAG_BEGIN(needs_two);
	self->raised = 0;
	MAG_FORK(raiser, .raised = &self->raised, .until = self->until);
	raise_flag(&self->raised); /* by another worker */
	MAG_JOIN(self->rc);
	MAG_RETURN(self->rc);
	MAG_END;
}

/* Tried: a grant to search that waits for the loop. */
Test(hosted, a_search_does_not_wait_for_the_loop, .timeout = 30)
{
	ON_EACH(rt, 3) {
		for (int i = 0; i < 20; i++) {
			uint64_t until = mag_deadline_in(5 * MAG_SECOND);
			mag_future done;
			int64_t rc;

			START(rt, &done, needs_two, .until = until);
			while (!mag_future_poll(&done, &rc)) {
				cr_assert(mag_now() < until);
				sched_yield(); /* there may be fewer CPUs */
			}
			mag_future_fini(&done);
		}
	}
}

/* Tried: tasks from outside that go to the one that is turned, too. */
Test(hosted, a_loop_that_is_busy_keeps_nobody_waiting_but_itself, .timeout = 30)
{
	ON_EACH(rt, 2) {
		uint64_t until = mag_deadline_in(10 * MAG_SECOND);

		for (int i = 0; i < 8; i++) { /* no turn */
			mag_future done;
			int64_t leaves, rc;

			START(rt, &done, half, .depth = 3, .leaves = &leaves);
			while (!mag_future_poll(&done, &rc)) {
				cr_assert(mag_now() < until, "task %d waits for the loop, beside a worker that sleeps", i);
				sched_yield();
			}
			cr_assert_eq(leaves, 8);
			mag_future_fini(&done);
		}
	}
}
