/* SPDX-License-Identifier: MIT */
/* test_queue_work.c - src/sync/queue_work.c: what was pushed and is not done yet; and awaits at a queue with a
 * deadline. */
#include <magpie/queue.h>
#include <magpie/time.h>

#include <criterion/criterion.h>
#include <string.h>

#include "support/matrix.h"
#include "unit/play.h"

/* Joining. */

enum { WORKERS = 4, JOBS = 2000 / PLAY_SLOWDOWN };

struct labourer {
	mag_frame frame;
	MAG_ARGS(labourer, mag_queue *queue; uint32_t *done;);
	uint64_t job;
	int64_t rc;
};

MAG_TASK(labourer)
{
	MAG_BEGIN(labourer);
	for (;;) {
		MAG_AWAIT(self->rc, mag_queue_pop, self->queue, &self->job);
		if (self->rc < 0)
			break;
		MAG_YIELD(self->rc);
		magi_add_rlx(self->done, 1);
		NEED(mag_queue_task_done(self->queue) == 0);
	}
	NEED(self->rc == MAG_ECLOSED);
	MAG_RETURN(0);
	MAG_END;
}

struct joins {
	mag_frame frame;
	MAG_ARGS(joins, uint32_t capacity;);
	mag_queue queue;
	mag_group group;
	uint64_t i;
	uint32_t done, round;
	int64_t rc;
};

MAG_TASK(joins)
{
	MAG_BEGIN(joins);
	self->done = 0;
	NEED(mag_queue_init(&self->queue, self->capacity, sizeof(uint64_t)) == 0);
	MAG_AWAIT(self->rc, mag_queue_join_until, &self->queue, 0);
	NEED(self->rc == 0);
	MAG_GROUP_BEGIN(&self->group);
	for (self->i = 0; self->i < WORKERS; self->i++)
		MAG_SPAWN(self->rc, &self->group, labourer, .queue = &self->queue, .done = &self->done);
	for (self->round = 1; self->round <= 3; self->round++) {
		for (self->i = 0; self->i < JOBS; self->i++) {
			MAG_AWAIT(self->rc, mag_queue_push, &self->queue, &self->i);
			NEED(self->rc == 0);
		}
		MAG_AWAIT(self->rc, mag_queue_join, &self->queue);
		NEED(self->rc == 0);
		NEED(magi_load_rlx(&self->done) == self->round * JOBS);
	}
	mag_queue_close(&self->queue);
	MAG_GROUP_END(self->rc, &self->group);
	NEED(self->rc == 0);
	NEED(mag_queue_fini(&self->queue) == 0);
	MAG_RETURN(0);
	MAG_END;
}

Test(queue_work, join_waits_for_all_that_was_pushed, .timeout = 60)
{
	static const uint32_t capacities[] = { 100, 1, 0 };

	for (int i = 0; i < 3; i++) {
		int64_t rc = RUN(4, joins, .capacity = capacities[i]);

		cr_assert_eq(rc, 0, "%s", where(rc));
	}
}

Test(queue_work, done_more_often_than_pushed_is_caught, MISUSE(.timeout = 10))
{
	uint64_t item = 1;
	mag_queue q;

	cr_assert_eq(mag_queue_init(&q, 1, sizeof(item)), 0);
	cr_assert_eq(mag_queue_try_push(&q, &item), 0);
	cr_assert_eq(mag_queue_try_pop(&q, &item), 0);
	cr_assert_eq(mag_queue_task_done(&q), 0);
	cr_assert_eq(mag_queue_task_done(&q), -EINVAL);
	cr_assert_eq(mag_queue_fini(&q), 0);
}

struct joiner {
	mag_frame frame;
	MAG_ARGS(joiner, mag_queue *queue; int64_t *result;);
};

MAG_TASK(joiner)
{
	MAG_BEGIN(joiner);
	*self->result = 1;
	MAG_AWAIT(*self->result, mag_queue_join, self->queue);
	MAG_RETURN(0);
	MAG_END;
}

struct ended_early {
	mag_frame frame;
	MAG_NO_ARGS(ended_early);
	mag_queue queue;
	mag_group group;
	int64_t rc, result;
};

MAG_TASK(ended_early)
{
	MAG_BEGIN(ended_early);
	NEED(mag_queue_init(&self->queue, 1, sizeof(int64_t)) == 0);
	NEED(mag_queue_try_push(&self->queue, &self->rc) == 0);
	MAG_GROUP_BEGIN(&self->group);
	MAG_SPAWN(self->rc, &self->group, joiner, .queue = &self->queue, .result = &self->result);
	UNTIL_WAITING(self->rc, &self->queue.joiners, 1);
	MAG_AWAIT(self->rc, mag_queue_join_until, &self->queue, mag_deadline_in(MAG_MILLISECOND));
	NEED(self->rc == MAG_ETIMEDOUT);
	NEED(mag_queue_fini(&self->queue) == -EBUSY);
	NEED(mag_queue_task_done(&self->queue) == 0);
	MAG_GROUP_END(self->rc, &self->group);
	NEED(mag_queue_fini(&self->queue) == 0);
	MAG_RETURN(0);
	MAG_END;
}

Test(queue_work, cannot_end_while_somebody_joins, MISUSE(.timeout = 20))
{
	int64_t rc = RUN(1, ended_early);

	cr_assert_eq(rc, 0, "%s", where(rc));
}

/* Draining: what is left comes back in its order, who waits keeps his, and who joins goes on. */

struct pusher {
	mag_frame frame;
	MAG_ARGS(pusher, mag_queue *queue; uint64_t item; int64_t *result;);
};

MAG_TASK(pusher)
{
	MAG_BEGIN(pusher);
	MAG_AWAIT(*self->result, mag_queue_push, self->queue, &self->item);
	MAG_RETURN(0);
	MAG_END;
}

struct back {
	uint64_t item[4];
	uint32_t n;
	mag_queue *queue;
};

static void give_back(void *arg, void *element)
{
	struct back *b = arg;

	memcpy(&b->item[b->n++], element, sizeof(uint64_t));
	b->n += mag_queue_is_closed(b->queue) ? 0 : 100; /* no lock is held here */
}

struct drains {
	mag_frame frame;
	MAG_NO_ARGS(drains);
	mag_queue queue;
	mag_group group;
	struct back back;
	uint64_t item;
	int64_t rc, pushed, joined;
};

MAG_TASK(drains)
{
	MAG_BEGIN(drains);
	NEED(mag_queue_init(&self->queue, 2, sizeof(uint64_t)) == 0);
	self->back = (struct back){ .queue = &self->queue };
	for (self->item = 5; self->item < 7; self->item++)
		NEED(mag_queue_try_push(&self->queue, &self->item) == 0);
	MAG_GROUP_BEGIN(&self->group);
	MAG_SPAWN(self->rc, &self->group, pusher, .queue = &self->queue, .item = 7, .result = &self->pushed);
	UNTIL_WAITING(self->rc, &self->queue.waitq, 1);
	MAG_SPAWN(self->rc, &self->group, joiner, .queue = &self->queue, .result = &self->joined);
	UNTIL_WAITING(self->rc, &self->queue.joiners, 1);
	NEED(mag_queue_drain(&self->queue, give_back, &self->back) == 2);
	NEED(self->back.n == 2 && self->back.item[0] == 5 && self->back.item[1] == 6);
	MAG_GROUP_END(self->rc, &self->group);
	NEED(self->pushed == MAG_ECLOSED && self->joined == 0);
	NEED(mag_queue_drain(&self->queue, give_back, &self->back) == 0);
	NEED(mag_queue_close(&self->queue) == 0);
	NEED(mag_queue_fini(&self->queue) == 0);
	MAG_RETURN(0);
	MAG_END;
}

Test(queue_work, drain_gives_back_what_is_left_and_wakes_all, .timeout = 20)
{
	int64_t rc = RUN(2, drains);

	cr_assert_eq(rc, 0, "%s", where(rc));
}

/* Deadlines. */

struct deadlines {
	mag_frame frame;
	MAG_ARGS(deadlines, uint32_t capacity;);
	mag_queue queue;
	mag_group group;
	mag_scope scope;
	uint64_t item;
	int64_t rc, pushed;
	uint32_t i;
};

MAG_TASK(deadlines)
{
	MAG_BEGIN(deadlines);
	NEED(mag_queue_init(&self->queue, self->capacity, sizeof(uint64_t)) == 0);
	MAG_AWAIT(self->rc, mag_queue_pop_until, &self->queue, &self->item, mag_deadline_in(MAG_MILLISECOND));
	NEED(self->rc == MAG_ETIMEDOUT);
	MAG_AWAIT(self->rc, mag_queue_pop_until, &self->queue, &self->item, 0);
	NEED(self->rc == MAG_ETIMEDOUT);
	self->item = 1;
	if (self->capacity) {
		MAG_AWAIT(self->rc, mag_queue_push_until, &self->queue, &self->item, 0); /* there is room */
		NEED(self->rc == 0);
	}
	MAG_AWAIT(self->rc, mag_queue_push_until, &self->queue, &self->item, mag_deadline_in(MAG_MILLISECOND));
	NEED(self->rc == MAG_ETIMEDOUT);
	MAG_SCOPE_BEGIN(&self->scope);
	mag_scope_cancel(&self->scope);
	MAG_AWAIT(self->rc, mag_queue_push_until, &self->queue, &self->item, 0);
	NEED(self->rc == MAG_ECANCELED);
	MAG_AWAIT(self->rc, mag_queue_pop_until, &self->queue, &self->item, MAG_NEVER);
	NEED(self->rc == MAG_ECANCELED);
	MAG_SCOPE_END(self->rc, &self->scope);
	MAG_GROUP_BEGIN(&self->group);
	MAG_SPAWN(self->rc, &self->group, pusher, .queue = &self->queue, .item = 2, .result = &self->pushed);
	for (self->i = 0; self->i <= self->capacity; self->i++) {
		MAG_AWAIT(self->rc, mag_queue_pop_until, &self->queue, &self->item, MAG_NEVER);
		NEED(self->rc == 0);
	}
	NEED(self->item == 2);
	MAG_GROUP_END(self->rc, &self->group);
	mag_queue_close(&self->queue);
	MAG_AWAIT(self->rc, mag_queue_pop_until, &self->queue, &self->item, MAG_NEVER);
	NEED(self->rc == MAG_ECLOSED);
	MAG_AWAIT(self->rc, mag_queue_push_until, &self->queue, &self->item, MAG_NEVER);
	NEED(self->rc == MAG_ECLOSED);
	NEED(mag_queue_fini(&self->queue) == 0);
	MAG_RETURN(0);
	MAG_END;
}

Test(queue_work, push_and_pop_end_at_their_deadline, .timeout = 20)
{
	int64_t rc = RUN(2, deadlines, .capacity = 1);

	cr_assert_eq(rc, 0, "%s", where(rc));
	rc = RUN(1, deadlines, .capacity = 0);
	cr_assert_eq(rc, 0, "%s", where(rc));
}

/* Cancellation. */

struct join_subject {
	struct subject s;
	mag_queue queue;
	uint64_t room[1];
};

static mag_queue *of(struct subject *s)
{
	return &((struct join_subject *)s)->queue;
}

static mag_frame *subject_wait(mag_worker *w, mag_frame *f, struct subject *s, uint64_t *out)
{
	(void)out;
	return mag_queue_join(w, f, of(s));
}

static void subject_give(struct subject *s, mag_worker *w, mag_frame *f)
{
	(void)w;
	(void)f;
	(void)mag_queue_task_done(of(s));
}

static void push_one(struct subject *s, mag_worker *w, mag_frame *f)
{
	uint64_t item = 1;

	(void)w;
	(void)f;
	(void)mag_queue_try_push(of(s), &item);
	(void)mag_queue_try_pop(of(s), &item);
}

static bool subject_reset(struct subject *s, mag_worker *w, mag_frame *f)
{
	bool all_done = of(s)->unfinished == 0;

	push_one(s, w, f);
	return all_done;
}

static void make(struct join_subject *j)
{
	*j = (struct join_subject){ .s = { .wait = subject_wait, .give = subject_give, .reset = subject_reset,
					   .set_up = push_one, .waitq = &j->queue.joiners, .stays = true },
				    .queue = MAG_QUEUE_INIT(j->room) };
}

Test(queue_work, cancelled_joiner_goes_alone, .timeout = 20)
{
	MATRIX_CASES(struct join_subject, make);
}

Test(queue_work, done_and_cancelled_at_once_is_one_of_both, .timeout = 120)
{
	MATRIX_RACES(struct join_subject, make);
}
