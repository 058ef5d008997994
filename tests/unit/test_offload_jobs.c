/* SPDX-License-Identifier: MIT */
/* test_offload_jobs.c - the ring of waiting jobs of src/offload/jobs.h. */
#include "offload/jobs.h"

#include <criterion/criterion.h>
#include <stdlib.h>

enum { FRAMES = 1998, BITS = 5 };

static mag_frame *frames(void)
{
	static mag_frame all[FRAMES];

	return all;
}

static uint64_t place_of(const mag_frame *f)
{
	cr_assert_eq(f->op.wait.need & ((1u << MAGI_JOB_BITS) - 1), BITS);
	return f->op.wait.need >> MAGI_JOB_BITS;
}

static void make_room(struct magi_jobs *q)
{
	while (magi_jobs_full(q)) {
		uint32_t capacity = magi_jobs_better(q);

		free(magi_jobs_repack(q, capacity == q->capacity ? q->at : calloc(capacity, sizeof(*q->at)), capacity));
	}
}

static void push(struct magi_jobs *q, int frame)
{
	struct magi_job job = { .frame = &frames()[frame], .arg = &frames()[frame] };

	make_room(q);
	magi_jobs_write(q, &job, BITS);
	magi_jobs_publish(q);
}

static int pop(struct magi_jobs *q)
{
	struct magi_job job;

	cr_assert(magi_jobs_any(q));
	magi_jobs_pop(q, &job);
	cr_assert_eq(job.frame, job.arg);
	cr_assert_lt(place_of(job.frame), q->head);
	return (int)(job.frame - frames());
}

static void take_back(struct magi_jobs *q, int frame)
{
	struct magi_job job;

	cr_assert_geq(place_of(&frames()[frame]), q->head);
	magi_jobs_remove(q, place_of(&frames()[frame]), &job);
	cr_assert_eq(job.frame, &frames()[frame]);
}

Test(offload_jobs, come_out_in_order_while_the_ring_wraps_and_grows, .timeout = 10)
{
	struct magi_jobs q = { 0 };
	int in = 0, out = 0;

	while (in < FRAMES) {
		for (int i = 0; i < 3 && in < FRAMES; i++)
			push(&q, in++);
		cr_assert_eq(pop(&q), out++);
	}
	cr_assert_eq(magi_jobs_live(&q), (uint64_t)(in - out));
	while (magi_jobs_any(&q))
		cr_assert_eq(pop(&q), out++);
	cr_assert_eq(out, FRAMES);
	cr_assert_eq(q.head, q.tail);
	free(q.at);
}

Test(offload_jobs, any_can_be_taken_back_also_after_the_ring_was_repacked, .timeout = 10)
{
	struct magi_jobs q = { 0 };
	int next = 0;

	for (int i = 0; i < FRAMES; i++) {
		push(&q, i);
		if (i % 3 == 2)
			take_back(&q, i - 1);
	}
	for (int i = 0; i < FRAMES; i += 6)
		take_back(&q, i);
	while (magi_jobs_any(&q)) {
		while (next % 3 == 1 || next % 6 == 0)
			next++;
		cr_assert_eq(pop(&q), next++);
	}
	cr_assert_geq(next, FRAMES - 3);
	free(q.at);
}

Test(offload_jobs, one_may_be_taken_back_before_it_is_published, .timeout = 10)
{
	struct magi_job job = { .frame = &frames()[0], .arg = &frames()[0] };
	struct magi_jobs q = { 0 };

	make_room(&q);
	magi_jobs_write(&q, &job, BITS);
	take_back(&q, 0);
	cr_assert_eq(magi_jobs_live(&q), 0);
	magi_jobs_publish(&q);
	cr_assert_eq(magi_jobs_live(&q), 0);
	push(&q, 1);
	cr_assert_eq(pop(&q), 1);
	cr_assert_not(magi_jobs_any(&q));
	free(q.at);
}

/* Tried: a queue that always grows when it is full: it ends at 2^17 entries. */
Test(offload_jobs, holes_are_closed_before_the_ring_grows, .timeout = 10)
{
	struct magi_jobs q = { 0 };

	push(&q, 0);
	push(&q, 1);
	for (int i = 2; i < 100000; i++) {
		push(&q, i % 2 ? 3 : 2); /* the other one is still there, so the holes stay inside */
		if (i > 2)
			take_back(&q, i % 2 ? 2 : 3);
	}
	cr_assert_eq(q.capacity, 256);
	cr_assert_eq(magi_jobs_live(&q), 3);
	free(q.at);
}
