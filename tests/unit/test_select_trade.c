/* SPDX-License-Identifier: MIT */
/* test_select_trade.c - src/task/select.c under load: whatever happens at once, what goes in comes out. */
#include <magpie/select.h>
#include <magpie/time.h>

#include <criterion/criterion.h>

#include "base/random.h"
#include "support/matrix.h"
#include "unit/play.h"

/* Everything at once, on four workers: what goes in comes out. */
enum { SELECTORS = 8, ROUNDS = 30000 / PLAY_SLOWDOWN, WAYS = 4 };

struct bazaar {
	mag_queue queue[2];
	mag_semaphore semaphore;
	mag_event over;
	uint64_t sum_in, sum_out;
	uint32_t permits_in, permits_out, cancelled, late;
};

struct buyer {
	mag_frame frame;
	MAG_ARGS(buyer, struct bazaar *b; uint64_t seed;);
	struct magi_random random;
	mag_case cases[WAYS + 1];
	mag_scope scope;
	uint64_t item[2];
	int64_t rc, end;
};

MAG_TASK(buyer)
{
	MAG_BEGIN(buyer);
	magi_random_seed(&self->random, self->seed);
	mag_case_pop(&self->cases[0], &self->b->queue[0], &self->item[0]);
	mag_case_pop(&self->cases[1], &self->b->queue[1], &self->item[1]);
	mag_case_acquire(&self->cases[2], &self->b->semaphore, 1);
	mag_case_event(&self->cases[3], &self->b->over);
	for (;;) {
		mag_case_until(&self->cases[WAYS],
			       mag_deadline_in(magi_random_below(&self->random, 40) * MAG_MICROSECOND));
		MAG_WITH_TIMEOUT(&self->scope, magi_random_below(&self->random, 40) * MAG_MICROSECOND);
		MAG_AWAIT(self->rc, mag_select, self->cases, WAYS + 1);
		MAG_SCOPE_END(self->end, &self->scope);
		if (self->rc == 3)
			break;
		if (self->rc == 0 || self->rc == 1)
			magi_add_rlx(&self->b->sum_out, self->item[self->rc]);
		else if (self->rc == 2)
			magi_add_rlx(&self->b->permits_out, 1u);
		else
			magi_add_rlx(self->rc < 0 ? &self->b->cancelled : &self->b->late, 1u);
		NEED(self->rc >= 0 || self->rc == MAG_ECANCELED);
	}
	MAG_RETURN(0);
	MAG_END;
}

struct seller {
	mag_frame frame;
	MAG_ARGS(seller, struct bazaar *b; uint32_t which;);
	uint64_t i;
	int64_t rc;
};

MAG_TASK(seller)
{
	MAG_BEGIN(seller);
	for (self->i = 1; self->i <= ROUNDS; self->i++) {
		if (self->which < 2) {
			MAG_AWAIT(self->rc, mag_queue_push, &self->b->queue[self->which], &self->i);
			NEED(self->rc == 0);
			magi_add_rlx(&self->b->sum_in, self->i);
		} else {
			mag_semaphore_release(&self->b->semaphore, 1);
			magi_add_rlx(&self->b->permits_in, 1u);
			if (self->i % 2 && mag_semaphore_try_acquire(&self->b->semaphore, 1) == 0)
				magi_add_rlx(&self->b->permits_out, 1u);
		}
		if (self->i % 8 == 0)
			MAG_YIELD(self->rc);
	}
	MAG_RETURN(0);
	MAG_END;
}

struct trade {
	mag_frame frame;
	MAG_ARGS(trade, struct bazaar *b;);
	mag_group buyers, sellers;
	int64_t rc;
	uint32_t i;
};

MAG_TASK(trade)
{
	MAG_BEGIN(trade);
	MAG_GROUP_BEGIN(&self->buyers);
	MAG_GROUP_BEGIN(&self->sellers);
	for (self->i = 0; self->i < SELECTORS; self->i++)
		MAG_SPAWN(self->rc, &self->buyers, buyer, .b = self->b, .seed = self->i);
	for (self->i = 0; self->i < 3; self->i++)
		MAG_SPAWN(self->rc, &self->sellers, seller, .b = self->b, .which = self->i);
	MAG_GROUP_END(self->rc, &self->sellers);
	NEED(self->rc == 0);
	mag_event_set(&self->b->over);
	MAG_GROUP_END(self->rc, &self->buyers);
	MAG_RETURN(self->rc);
	MAG_END;
}

/* The first queue is a rendezvous. */
static void all_at_once(enum mag_fairness fairness)
{
	uint64_t word;
	const mag_queue_options meeting = { .size = sizeof(meeting), .element_size = sizeof(word) };
	struct bazaar b = { 0 };
	int64_t rc;

	cr_assert_eq(mag_queue_init_as(&b.queue[0], &meeting), 0);
	cr_assert_eq(mag_queue_init(&b.queue[1], 4, sizeof(word)), 0);
	cr_assert_eq(mag_semaphore_init_as(&b.semaphore, 0, 1000000, fairness), 0);
	rc = RUN(4, trade, .b = &b);
	cr_assert_eq(rc, 0, "%s", where(rc));
	for (int i = 0; i < 2; i++)
		while (mag_queue_try_pop(&b.queue[i], &word) == 0)
			b.sum_out += word;
	cr_assert_eq(b.sum_in, b.sum_out);
	cr_assert_eq(b.permits_in, b.permits_out + mag_semaphore_permits(&b.semaphore));
	cr_assert_gt(b.cancelled, 0);
	cr_assert_gt(b.late, 0);
	cr_assert_eq(mag_queue_fini(&b.queue[0]) | mag_queue_fini(&b.queue[1]) | mag_semaphore_fini(&b.semaphore), 0);
}

Test(select_trade, nothing_is_lost_when_all_happens_at_once, .timeout = 60)
{
	all_at_once(MAG_FAIR);
	all_at_once(MAG_BARGING);
}
