/* SPDX-License-Identifier: MIT */
/* test_report_waiter.c - debug mode: at the end of a runtime, who waits at a queue that nobody has closed. */
#include "hear.h"

static struct heard heard;

/* Who waits when the runtime ends. */

struct getter {
	mag_frame frame;
	MAG_ARGS(getter, mag_queue *queue; bool until;);
	uint64_t item;
	int64_t rc;
};

MAG_TASK(getter)
{
	MAG_BEGIN(getter);
	if (self->until)
		MAG_AWAIT(self->rc, mag_queue_pop_until, self->queue, &self->item, mag_deadline_in(1000 * MAG_SECOND));
	else
		MAG_AWAIT(self->rc, mag_queue_pop, self->queue, &self->item);
	MAG_RETURN(0);
	MAG_END;
}

static uint32_t parked_at(mag_queue *q)
{
	uint32_t n = 0;

	magi_lock_acquire((magi_lock *)(void *)&q->waitq.lock);
	for (const mag_frame *f = q->waitq.head; f; f = f->op.wait.next)
		n++;
	magi_lock_release((magi_lock *)(void *)&q->waitq.lock);
	return n;
}

static mag_queue queue;
static int queue_in;
static const mag_queue_options last_in_first_out = {
	.size = sizeof(last_in_first_out), .capacity = 4, .element_size = sizeof(uint64_t), .order = MAG_QUEUE_LIFO
};

struct leaves_getters {
	mag_frame frame;
	MAG_ARGS(leaves_getters, int n; bool closes; bool until; bool as;);
	int64_t rc;
	int i;
};

MAG_TASK(leaves_getters)
{
	MAG_BEGIN(leaves_getters);
	mag_queue_fini(&queue); /* of the run before */
	if (self->as) {
		queue_in = __LINE__ + 1;
		mag_queue_init_as(&queue, &last_in_first_out);
	} else {
		queue_in = __LINE__ + 1;
		mag_queue_init(&queue, 4, sizeof(uint64_t));
	}
	for (self->i = 0; self->i < self->n; self->i++)
		MAG_SPAWN(self->rc, mag_background(mag_runtime_current()), getter, .queue = &queue,
			  .until = self->until);
	do
		MAG_AWAIT(self->rc, mag_sleep, MAG_MILLISECOND);
	while (parked_at(&queue) < (uint32_t)self->n);
	if (self->closes)
		mag_queue_close(&queue);
	MAG_AWAIT(self->rc, mag_sleep, MAG_MILLISECOND);
	MAG_RETURN(0);
	MAG_END;
}

Test(report, waiters_at_a_queue_that_nobody_closed, .timeout = 20)
{
	TOLD(heard, MAG_REPORT_WAITER, "2 tasks wait in mag_queue_pop at ", leaves_getters, .n = 2);
	cr_assert_eq(heard.report[0].count, 2);
	cr_assert_eq(heard.report[0].made->line, queue_in, "%s", heard.text[0]);
	TOLD(heard, MAG_REPORT_WAITER, "getter waits in mag_queue_pop at ", leaves_getters, .n = 1, .as = true);
	cr_assert_eq(heard.report[0].made->line, queue_in, "%s", heard.text[0]);
	mag_queue_fini(&queue);
}

Test(report, waiters_with_a_deadline_or_at_a_queue_that_was_closed_are_no_mistake, .timeout = 20)
{
	SILENT(leaves_getters, .n = 2, .closes = true);
	SILENT(leaves_getters, .n = 2, .until = true);
	mag_queue_fini(&queue);
}

Test(report, waiters_on_simulated_schedules, .timeout = 60)
{
	TOLD_SIMULATED(heard, MAG_REPORT_WAITER, "2 tasks wait in mag_queue_pop at ", leaves_getters, .n = 2);
	SILENT_SIMULATED(leaves_getters, .n = 2, .closes = true);
	mag_queue_fini(&queue);
}

/* Who goes on while the others are told of is not told of, and what he waited at is not looked at any more. */

struct quitter {
	mag_frame frame;
	MAG_ARGS(quitter, mag_queue *queue; uint32_t *over;);
	uint64_t item;
	int64_t rc;
};

MAG_TASK(quitter)
{
	MAG_BEGIN(quitter);
	MAG_AWAIT(self->rc, mag_queue_pop, self->queue, &self->item);
	CHECK(self->rc == MAG_ECLOSED || self->rc == MAG_ECANCELED);
	magi_add_ar(self->over, 1u); /* [over] */
	MAG_RETURN(0);
	MAG_END;
}

static struct changing {
	struct heard heard;
	mag_queue queue[2];
	uint32_t over; /* atomic */
	int told_of;
} changing;

/* Told of one queue's waiter: ends the other queue, whose memory is used for something else. */
static void end_the_other(const mag_report *r, void *ctx)
{
	struct changing *c = ctx;
	mag_queue *other;

	hear_report(r, &c->heard);
	if (c->heard.n > 1)
		return;
	c->told_of = r->made == c->queue[1].made;
	other = &c->queue[!c->told_of];
	mag_queue_close(other);
	while (!magi_load_acq(&c->over)) /* [over] */
		magi_thread_yield();
	cr_assert_eq(mag_queue_fini(other), 0);
	memset(other, 0xa5, sizeof(*other));
}

struct leaves_quitters {
	mag_frame frame;
	MAG_NO_ARGS(leaves_quitters);
	int64_t rc;
	int i;
};

MAG_TASK(leaves_quitters)
{
	MAG_BEGIN(leaves_quitters);
	mag_queue_init(&changing.queue[0], 4, sizeof(uint64_t));
	mag_queue_init(&changing.queue[1], 4, sizeof(uint64_t));
	for (self->i = 0; self->i < 2; self->i++)
		MAG_SPAWN(self->rc, mag_background(mag_runtime_current()), quitter,
			  .queue = &changing.queue[self->i], .over = &changing.over);
	while (!parked_at(&changing.queue[0]) || !parked_at(&changing.queue[1]))
		MAG_YIELD(self->rc);
	MAG_RETURN(0);
	MAG_END;
}

/* Tried: magi_seen_still left out of still_waits (two reports, and one follows what is in the memory now). */
Test(report, waiter_that_goes_on_meanwhile_is_not_told_of, .timeout = 20)
{
	const mag_runtime_options options = { .size = sizeof(options), .workers = 2,
					      .debug = &changing.heard.options };
	mag_future done;
	mag_runtime *rt;
	int64_t rc;

	hear_begin(&changing.heard);
	changing.heard.options.report = end_the_other;
	changing.heard.options.ctx = &changing;
	cr_assert_eq(mag_runtime_create(&options, &rt), 0);
	mag_future_init(&done);
	cr_assert_eq(mag_spawn_from(rt, &done, leaves_quitters), 0);
	cr_assert_eq(mag_future_wait(&done, &rc, MAG_NEVER), 0);
	mag_future_fini(&done);
	cr_assert_eq(mag_runtime_destroy(rt, mag_deadline_in(10 * MAG_SECOND)), 0);
	cr_assert_eq(changing.heard.n, 1, "%s", heard_all(&changing.heard));
	mag_queue_fini(&changing.queue[changing.told_of]);
}

/* A queue that is gone although somebody waits at it is his mistake; it is not believed when it says where it was made. */

struct forgets {
	mag_frame frame;
	MAG_NO_ARGS(forgets);
	int64_t rc;
};

static mag_queue torn, whole;

MAG_TASK(forgets)
{
	MAG_BEGIN(forgets);
	mag_queue_init(&torn, 4, sizeof(uint64_t));
	MAG_SPAWN(self->rc, mag_background(mag_runtime_current()), quitter, .queue = &torn, .over = &changing.over);
	while (!parked_at(&torn))
		MAG_YIELD(self->rc);
	whole = torn;
	memset(&torn, 0xa5, sizeof(torn));
	MAG_RETURN(0);
	MAG_END;
}

static void mend_it(const mag_report *r, void *ctx)
{
	hear_report(r, ctx);
	torn = whole;
}

/* Tried: the look at the queue's first waiter left out. */
Test(report, queue_that_was_overwritten_is_not_believed, .timeout = 20)
{
	hear_begin(&heard);
	heard.options.report = mend_it;
	cr_assert_eq(HEAR_REAL(&heard, 2, forgets), 0);
	cr_assert_eq(heard.n, 1, "%s", heard_all(&heard));
	cr_assert_null(heard.report[0].made);
	mag_queue_fini(&torn);
}
