/* SPDX-License-Identifier: MIT */
/* test_queue_order.c - src/sync/queue.c and heap.c: newest first, by a comparison, and without any room. */
#include <magpie/queue.h>

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "support/matrix.h"
#include "unit/play.h"

/* Sizes on both sides of a word. */
struct job {
	uint32_t urgency, number;
	char name[20];
};

static int less_urgent_last(const void *a, const void *b)
{
	const struct job *x = a, *y = b;

	return x->urgency > y->urgency ? -1 : x->urgency < y->urgency;
}

static int smaller_first(const void *a, const void *b)
{
	uint64_t x, y;

	memcpy(&x, a, sizeof(x));
	memcpy(&y, b, sizeof(y));
	return x < y ? -1 : x > y;
}

static int init(mag_queue *q, mag_queue_order order, uint32_t capacity, uint32_t size, mag_queue_compare before)
{
	return mag_queue_init_as(q, &(mag_queue_options){ .size = sizeof(mag_queue_options), .capacity = capacity,
							  .element_size = size, .order = order, .before = before });
}

Test(queue_order, lifo_gives_the_newest, .timeout = 10)
{
	static const uint32_t sizes[] = { 1, 8, 12 };

	for (int k = 0; k < 3; k++) {
		unsigned char in[12], out[12];
		mag_queue q;

		cr_assert_eq(init(&q, MAG_QUEUE_LIFO, 5, sizes[k], NULL), 0);
		for (int turn = 0; turn < 3; turn++) {
			for (int i = 0; i < 5; i++) {
				memset(in, i, sizeof(in));
				cr_assert_eq(mag_queue_try_push(&q, in), 0);
			}
			cr_assert_eq(mag_queue_try_push(&q, in), -EAGAIN);
			for (int i = 4; i >= 0; i--) {
				cr_assert_eq(mag_queue_length(&q), (uint32_t)i + 1);
				cr_assert_eq(mag_queue_try_pop(&q, out), 0);
				cr_assert(out[0] == i && out[sizes[k] - 1] == i);
			}
			cr_assert_eq(mag_queue_try_pop(&q, out), -EAGAIN);
		}
		cr_assert_eq(mag_queue_fini(&q), 0);
	}
}

Test(queue_order, priority_gives_the_first_and_of_equal_ones_the_oldest, .timeout = 20)
{
	enum { MOST = 30, STEPS = 4000 };
	struct job kept[MOST], in, out;
	struct magi_random random;

	magi_random_seed(&random, 1);
	for (uint32_t capacity = 1; capacity <= MOST; capacity += 7) {
		uint32_t n = 0, number = 0;
		mag_queue q;

		cr_assert_eq(init(&q, MAG_QUEUE_PRIORITY, capacity, sizeof(struct job), less_urgent_last), 0);
		for (int i = 0; i < STEPS; i++) {
			uint32_t best = 0;

			if (magi_random_below(&random, 100) < 52) {
				in = (struct job){ magi_random_below(&random, 6), number++, "" };
				snprintf(in.name, sizeof(in.name), "job %u", in.number);
				cr_assert_eq(mag_queue_try_push(&q, &in), n < capacity ? 0 : -EAGAIN);
				if (n < capacity)
					kept[n++] = in;
				continue;
			}
			for (uint32_t k = 1; k < n; k++) /* they lie in the order of their coming */
				best = kept[k].urgency > kept[best].urgency ? k : best;
			cr_assert_eq(mag_queue_try_pop(&q, &out), n > 0 ? 0 : -EAGAIN);
			if (n > 0) {
				cr_assert_eq(memcmp(&out, &kept[best], sizeof(out)), 0);
				memmove(&kept[best], &kept[best + 1], (--n - best) * sizeof(out));
			}
			cr_assert_eq(mag_queue_length(&q), n);
		}
		cr_assert_eq(mag_queue_fini(&q), 0);
	}
}

Test(queue_order, options_are_checked, .timeout = 10)
{
	mag_queue_options o = { .size = sizeof(o), .capacity = 4, .element_size = 8 };
	mag_queue q;

	o.size = sizeof(o) + 8;
	cr_assert_eq(mag_queue_init_as(&q, &o), -EINVAL);
	o.size = 4;
	cr_assert_eq(mag_queue_init_as(&q, &o), -EINVAL);
	o.size = offsetof(mag_queue_options, order); /* of a program that is older than orders */
	cr_assert_eq(mag_queue_init_as(&q, &o), 0);
	cr_assert_eq(mag_queue_fini(&q), 0);
	cr_assert_eq(init(&q, MAG_QUEUE_FIFO, 1, 0, NULL), -EINVAL);
	cr_assert_eq(init(&q, MAG_QUEUE_FIFO, 1, MAG_QUEUE_ELEMENT_MAX + 1, NULL), -EINVAL);
	cr_assert_eq(init(&q, MAG_QUEUE_PRIORITY, 1, 8, NULL), -EINVAL);
	cr_assert_eq(init(&q, MAG_QUEUE_LIFO, 0, 8, NULL), -EINVAL);
	cr_assert_eq(init(&q, (mag_queue_order)7, 1, 8, NULL), -EINVAL);
	magi_fault_plan(1, 0);
	cr_assert_eq(init(&q, MAG_QUEUE_PRIORITY, 4, 8, smaller_first), -ENOMEM);
	magi_fault_plan(0, 0);
}

Test(queue_order, rendezvous_holds_nothing, .timeout = 10)
{
	uint64_t item = 1;
	mag_queue q;

	setenv("MAGPIE_DEBUG", "queue=1", 1); /* is not to make it a queue of one */
	cr_assert_eq(mag_queue_init(&q, 0, sizeof(item)), 0);
	cr_assert_eq(mag_queue_capacity(&q), 0);
	cr_assert_eq(mag_queue_try_push(&q, &item), -EAGAIN);
	cr_assert_eq(mag_queue_try_pop(&q, &item), -EAGAIN);
	cr_assert_eq(mag_queue_close(&q), 1);
	cr_assert_eq(mag_queue_try_push(&q, &item), MAG_ECLOSED);
	cr_assert_eq(mag_queue_try_pop(&q, &item), MAG_ECLOSED);
	cr_assert_eq(mag_queue_fini(&q), 0);
}

/* One task at one end. */

struct end {
	mag_frame frame;
	MAG_ARGS(end, mag_queue *queue; bool push; uint64_t *item; int64_t *result;);
	int64_t rc;
};

MAG_TASK(end)
{
	MAG_BEGIN(end);
	*self->result = 1; /* it is under way */
	if (self->push)
		MAG_AWAIT(self->rc, mag_queue_push, self->queue, self->item);
	else
		MAG_AWAIT(self->rc, mag_queue_pop, self->queue, self->item);
	*self->result = self->rc;
	MAG_RETURN(0);
	MAG_END;
}

struct meets {
	mag_frame frame;
	MAG_ARGS(meets, bool push;);
	mag_queue queue;
	mag_group group;
	uint64_t item[3], mine;
	int64_t rc, result[3];
	uint32_t i;
};

MAG_TASK(meets)
{
	MAG_BEGIN(meets);
	NEED(mag_queue_init(&self->queue, 0, sizeof(uint64_t)) == 0);
	MAG_GROUP_BEGIN(&self->group);
	for (self->i = 0; self->i < 3; self->i++) {
		self->item[self->i] = self->push ? 10 + self->i : 0;
		MAG_SPAWN(self->rc, &self->group, end, .queue = &self->queue, .push = self->push,
			  .item = &self->item[self->i], .result = &self->result[self->i]);
		UNTIL_WAITING(self->rc, &self->queue.waitq, self->i + 1);
	}
	NEED(mag_queue_length(&self->queue) == 0);
	for (self->i = 0; self->i < 2; self->i++) {
		NEED(self->result[self->i] == 1); /* not before its element was taken, or given */
		self->mine = 20 + self->i;
		if (self->push) {
			NEED(mag_queue_try_push(&self->queue, &self->mine) == -EAGAIN);
			MAG_AWAIT(self->rc, mag_queue_pop, &self->queue, &self->mine);
			NEED(self->mine == 10 + self->i);
		} else {
			NEED(mag_queue_try_pop(&self->queue, &self->mine) == -EAGAIN);
			MAG_AWAIT(self->rc, mag_queue_push, &self->queue, &self->mine);
		}
		NEED(self->rc == 0);
		NEED(waiting(&self->queue.waitq) == 2 - self->i);
	}
	NEED(mag_queue_close(&self->queue) == 1);
	MAG_GROUP_END(self->rc, &self->group);
	NEED(self->result[0] == 0 && self->result[1] == 0 && self->result[2] == MAG_ECLOSED);
	NEED(self->push || (self->item[0] == 20 && self->item[1] == 21 && self->item[2] == 0));
	NEED(mag_queue_fini(&self->queue) == 0);
	MAG_RETURN(0);
	MAG_END;
}

Test(queue_order, push_at_a_rendezvous_ends_when_its_element_is_taken, .timeout = 20)
{
	int64_t rc = RUN(2, meets, .push = true);

	cr_assert_eq(rc, 0, "%s", where(rc));
}

Test(queue_order, pop_at_a_rendezvous_waits_for_a_push, .timeout = 20)
{
	int64_t rc = RUN(2, meets, .push = false);

	cr_assert_eq(rc, 0, "%s", where(rc));
}

/* Pushers that wait are no part of the order until there is room: the first of them is let in. */

struct lets_in {
	mag_frame frame;
	MAG_ARGS(lets_in, mag_queue_order order; uint64_t a; uint64_t b; uint64_t c;);
	mag_queue queue;
	mag_group group;
	uint64_t item[3], out;
	int64_t rc, result[3];
	uint32_t i;
};

MAG_TASK(lets_in)
{
	MAG_BEGIN(lets_in);
	NEED(init(&self->queue, self->order, 1, sizeof(uint64_t), smaller_first) == 0);
	self->item[0] = self->a;
	self->item[1] = self->b;
	self->item[2] = self->c;
	NEED(mag_queue_try_push(&self->queue, &self->item[0]) == 0);
	MAG_GROUP_BEGIN(&self->group);
	for (self->i = 1; self->i < 3; self->i++) {
		MAG_SPAWN(self->rc, &self->group, end, .queue = &self->queue, .push = true,
			  .item = &self->item[self->i], .result = &self->result[self->i]);
		UNTIL_WAITING(self->rc, &self->queue.waitq, self->i);
	}
	NEED(mag_queue_try_pop(&self->queue, &self->out) == 0 && self->out == self->a);
	NEED(mag_queue_try_pop(&self->queue, &self->out) == 0 && self->out == self->b);
	NEED(mag_queue_try_pop(&self->queue, &self->out) == 0 && self->out == self->c);
	MAG_GROUP_END(self->rc, &self->group);
	NEED(mag_queue_fini(&self->queue) == 0);
	MAG_RETURN(0);
	MAG_END;
}

Test(queue_order, waiting_pushers_are_let_in_as_they_came, .timeout = 20)
{
	int64_t rc = RUN(1, lets_in, .order = MAG_QUEUE_LIFO, .a = 1, .b = 2, .c = 3);

	cr_assert_eq(rc, 0, "%s", where(rc));
	rc = RUN(1, lets_in, .order = MAG_QUEUE_PRIORITY, .a = 3, .b = 2, .c = 1);
	cr_assert_eq(rc, 0, "%s", where(rc));
}

/* Many of both, in each order. */

enum { SIDES = 4, EACH = 4000 / PLAY_SLOWDOWN };

struct producer {
	mag_frame frame;
	MAG_ARGS(producer, mag_queue *queue; uint32_t from;);
	uint64_t i;
	int64_t rc;
};

MAG_TASK(producer)
{
	MAG_BEGIN(producer);
	for (self->i = (uint64_t)self->from * EACH; self->i < (uint64_t)(self->from + 1) * EACH; self->i++) {
		MAG_AWAIT(self->rc, mag_queue_push, self->queue, &self->i);
		NEED(self->rc == 0);
	}
	MAG_RETURN(0);
	MAG_END;
}

struct consumer {
	mag_frame frame;
	MAG_ARGS(consumer, mag_queue *queue; uint8_t *seen;);
	uint64_t item;
	int64_t rc;
};

MAG_TASK(consumer)
{
	MAG_BEGIN(consumer);
	for (;;) {
		MAG_AWAIT(self->rc, mag_queue_pop, self->queue, &self->item);
		if (self->rc < 0)
			break;
		NEED(self->item < SIDES * EACH);
		self->seen[self->item]++;
	}
	NEED(self->rc == MAG_ECLOSED);
	MAG_RETURN(0);
	MAG_END;
}

struct works {
	mag_frame frame;
	MAG_ARGS(works, mag_queue_order order; uint32_t capacity; uint8_t *seen;);
	mag_queue queue;
	mag_group producers, consumers;
	uint32_t i;
	int64_t rc;
};

MAG_TASK(works)
{
	MAG_BEGIN(works);
	NEED(init(&self->queue, self->order, self->capacity, sizeof(uint64_t), smaller_first) == 0);
	MAG_GROUP_BEGIN(&self->consumers);
	for (self->i = 0; self->i < SIDES; self->i++)
		MAG_SPAWN(self->rc, &self->consumers, consumer, .queue = &self->queue, .seen = self->seen);
	MAG_GROUP_BEGIN(&self->producers);
	for (self->i = 0; self->i < SIDES; self->i++)
		MAG_SPAWN(self->rc, &self->producers, producer, .queue = &self->queue, .from = self->i);
	MAG_GROUP_END(self->rc, &self->producers);
	NEED(self->rc == 0);
	mag_queue_close(&self->queue);
	MAG_GROUP_END(self->rc, &self->consumers);
	NEED(self->rc == 0);
	NEED(mag_queue_fini(&self->queue) == 0);
	MAG_RETURN(0);
	MAG_END;
}

static void work_with(mag_queue_order order, uint32_t workers, uint32_t capacity)
{
	static uint8_t seen[SIDES * EACH];
	int64_t rc;

	memset(seen, 0, sizeof(seen));
	rc = RUN(workers, works, .order = order, .capacity = capacity, .seen = seen);
	cr_assert_eq(rc, 0, "%s", where(rc));
	for (uint32_t i = 0; i < SIDES * EACH; i++)
		cr_assert_eq(seen[i], 1);
}

Test(queue_order, every_item_arrives_once, .timeout = 60)
{
	work_with(MAG_QUEUE_LIFO, 4, 16);
	work_with(MAG_QUEUE_PRIORITY, 4, 16);
	work_with(MAG_QUEUE_FIFO, 4, 0);
	work_with(MAG_QUEUE_FIFO, 1, 0);
}

/* Cancellation at a rendezvous: what could not be handed over stays with who gives. */

struct meeting_subject {
	struct subject s;
	mag_queue queue;
	bool left;
};

static struct meeting_subject *of(struct subject *s)
{
	return (struct meeting_subject *)s;
}

static mag_frame *pop_wait(mag_worker *w, mag_frame *f, struct subject *s, uint64_t *out)
{
	return mag_queue_pop(w, f, &of(s)->queue, out);
}

static mag_frame *push_wait(mag_worker *w, mag_frame *f, struct subject *s, uint64_t *out)
{
	return mag_queue_push(w, f, &of(s)->queue, out);
}

static void push_one(struct subject *s, mag_worker *w, mag_frame *f)
{
	uint64_t item = 3;

	(void)w;
	(void)f;
	of(s)->left = mag_queue_try_push(&of(s)->queue, &item) < 0;
}

static void pop_one(struct subject *s, mag_worker *w, mag_frame *f)
{
	uint64_t item;

	(void)w;
	(void)f;
	of(s)->left = mag_queue_try_pop(&of(s)->queue, &item) < 0;
}

static bool is_left(struct subject *s, mag_worker *w, mag_frame *f)
{
	(void)w;
	(void)f;
	return of(s)->left;
}

static void make_popper(struct meeting_subject *m)
{
	*m = (struct meeting_subject){ .s = { .wait = pop_wait, .give = push_one, .reset = is_left,
					      .waitq = &m->queue.waitq } };
	cr_assert_eq(mag_queue_init(&m->queue, 0, sizeof(uint64_t)), 0);
}

static void make_pusher(struct meeting_subject *m)
{
	make_popper(m);
	m->s.wait = push_wait;
	m->s.give = pop_one;
}

Test(queue_order, cancelled_at_a_rendezvous_has_met_nobody, .timeout = 20)
{
	MATRIX_CASES(struct meeting_subject, make_popper);
	MATRIX_CASES(struct meeting_subject, make_pusher);
}

Test(queue_order, pushed_and_popper_cancelled_at_once_is_one_of_both, .timeout = 120)
{
	MATRIX_RACES(struct meeting_subject, make_popper);
}

Test(queue_order, popped_and_pusher_cancelled_at_once_is_one_of_both, .timeout = 120)
{
	MATRIX_RACES(struct meeting_subject, make_pusher);
}
