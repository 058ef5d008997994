/* SPDX-License-Identifier: MIT */
/* test_queue_cancel.c - src/sync/queue.c when who waits is cancelled. */
#include <magpie/queue.h>
#include <magpie/time.h>

#include <criterion/criterion.h>

#include "support/matrix.h"

struct queue_subject {
	struct subject s;
	mag_queue queue;
	uint64_t room[1];
};

static mag_queue *of(struct subject *s)
{
	return &((struct queue_subject *)s)->queue;
}

static mag_frame *pop_wait(mag_worker *w, mag_frame *f, struct subject *s, uint64_t *out)
{
	return mag_queue_pop(w, f, of(s), out);
}

static mag_frame *push_wait(mag_worker *w, mag_frame *f, struct subject *s, uint64_t *out)
{
	return mag_queue_push(w, f, of(s), out);
}

static void push_one(struct subject *s, mag_worker *w, mag_frame *f)
{
	uint64_t item = 3;

	(void)w;
	(void)f;
	(void)mag_queue_try_push(of(s), &item);
}

static void pop_one(struct subject *s, mag_worker *w, mag_frame *f)
{
	uint64_t item;

	(void)w;
	(void)f;
	(void)mag_queue_try_pop(of(s), &item);
}

static bool pop_left(struct subject *s, mag_worker *w, mag_frame *f)
{
	uint64_t item;

	(void)w;
	(void)f;
	return mag_queue_try_pop(of(s), &item) == 0;
}

static bool fill_up(struct subject *s, mag_worker *w, mag_frame *f)
{
	uint64_t item = 3;

	(void)w;
	(void)f;
	return mag_queue_try_push(of(s), &item) == 0;
}

static void make_popper(struct queue_subject *q)
{
	*q = (struct queue_subject){ .s = { .wait = pop_wait, .give = push_one, .reset = pop_left,
					    .waitq = &q->queue.waitq },
				     .queue = MAG_QUEUE_INIT(q->room) };
}

static void make_pusher(struct queue_subject *q)
{
	*q = (struct queue_subject){ .s = { .wait = push_wait, .give = pop_one, .reset = fill_up, .set_up = push_one,
					    .waitq = &q->queue.waitq },
				     .queue = MAG_QUEUE_INIT(q->room) };
}

Test(queue, cancelled_popper_has_taken_nothing, .timeout = 20)
{
	MATRIX_CASES(struct queue_subject, make_popper);
}

Test(queue, cancelled_pusher_has_added_nothing, .timeout = 20)
{
	MATRIX_CASES(struct queue_subject, make_pusher);
}

Test(queue, pushed_and_popper_cancelled_at_once_is_one_of_both, .timeout = 120)
{
	MATRIX_RACES(struct queue_subject, make_popper);
}

Test(queue, popped_and_pusher_cancelled_at_once_is_one_of_both, .timeout = 120)
{
	MATRIX_RACES(struct queue_subject, make_pusher);
}

/* Pushers and poppers lose patience all the time: what was pushed is popped, or left. */

struct item {
	uint64_t number;
	uint64_t check; /* larger than a word, so that it goes by pointer while a push waits */
};

struct ledger {
	mag_queue queue;
	uint64_t pushed, popped, pushed_sum, popped_sum; /* atomic */
};

struct impatient {
	mag_frame frame;
	MAG_ARGS(impatient, struct ledger *l; bool push; uint32_t n; uint64_t seed;);
	mag_scope scope;
	struct magi_random random;
	struct item item;
	uint32_t i;
	int64_t rc, why;
};

MAG_TASK(impatient)
{
	MAG_BEGIN(impatient);
	magi_random_seed(&self->random, self->seed);
	for (self->i = 0; self->i < self->n; self->i++) {
		MAG_WITH_TIMEOUT(&self->scope, MAG_MICROSECOND * magi_random_below(&self->random, 300));
		self->item = (struct item){ self->i, ~(uint64_t)self->i };
		if (self->push)
			MAG_AWAIT(self->rc, mag_queue_push, &self->l->queue, &self->item);
		else
			MAG_AWAIT(self->rc, mag_queue_pop, &self->l->queue, &self->item);
		MAG_SCOPE_END(self->why, &self->scope);
		NEED(self->rc == 0 || (self->rc == MAG_ECANCELED && self->why == MAG_ETIMEDOUT));
		if (self->rc < 0)
			continue;
		NEED(self->item.check == ~self->item.number);
		(void)magi_add_rlx(self->push ? &self->l->pushed : &self->l->popped, 1);
		(void)magi_add_rlx(self->push ? &self->l->pushed_sum : &self->l->popped_sum, self->item.number);
		if (magi_random_below(&self->random, 2))
			MAG_YIELD(self->rc);
	}
	MAG_RETURN(0);
	MAG_END;
}

struct crowd {
	mag_frame frame;
	MAG_ARGS(crowd, struct ledger *l; uint32_t tasks; uint32_t n;);
	mag_group group;
	uint32_t i;
	int64_t rc;
};

MAG_TASK(crowd)
{
	MAG_BEGIN(crowd);
	MAG_GROUP_BEGIN(&self->group);
	for (self->i = 0; self->i < self->tasks; self->i++)
		MAG_SPAWN(self->rc, &self->group, impatient, .l = self->l, .push = self->i % 2, .n = self->n,
			  .seed = self->i + 1);
	MAG_GROUP_END(self->rc, &self->group);
	MAG_RETURN(self->rc);
	MAG_END;
}

Test(queue, crowd_of_impatient_tasks_loses_no_item, .timeout = 60)
{
	static struct ledger l;
	struct item item;
	int64_t rc;

	cr_assert_eq(mag_queue_init(&l.queue, 2, sizeof(struct item)), 0);
	rc = RUN(4, crowd, .l = &l, .tasks = 16, .n = 3000);
	cr_assert_eq(rc, 0, "%s", where(rc));
	cr_assert_gt(l.popped, 0);
	while (mag_queue_try_pop(&l.queue, &item) == 0) {
		l.popped++;
		l.popped_sum += item.number;
	}
	cr_assert_eq(l.popped, l.pushed);
	cr_assert_eq(l.popped_sum, l.pushed_sum);
	cr_assert_eq(mag_queue_fini(&l.queue), 0);
}
