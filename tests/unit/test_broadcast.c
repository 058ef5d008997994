/* SPDX-License-Identifier: MIT */
/* test_broadcast.c - src/sync/broadcast.c. */
#include <magpie/broadcast.h>
#include <magpie/time.h>

#include <criterion/criterion.h>
#include <pthread.h>
#include <string.h>

#include "support/matrix.h"
#include "unit/play.h"

/* Without tasks. */

Test(broadcast, each_receiver_gets_each_element_from_when_it_subscribed, .timeout = 10)
{
	mag_broadcast_receiver early, late;
	uint64_t in, out;
	mag_broadcast b;

	cr_assert_eq(mag_broadcast_init(&b, 4, sizeof(uint64_t)), 0);
	in = 1;
	cr_assert_eq(mag_broadcast_send(&b, &in), 0);
	cr_assert_eq(mag_broadcast_subscribe(&b, &early), 0);
	cr_assert_eq(mag_broadcast_try_recv(&early, &out), -EAGAIN);
	in = 2;
	cr_assert_eq(mag_broadcast_send(&b, &in), 1);
	cr_assert_eq(mag_broadcast_subscribe(&b, &late), 0);
	in = 3;
	cr_assert_eq(mag_broadcast_send(&b, &in), 2);
	cr_assert(mag_broadcast_length(&early) == 2 && mag_broadcast_length(&late) == 1);
	cr_assert(mag_broadcast_try_recv(&early, &out) == 0 && out == 2);
	cr_assert(mag_broadcast_try_recv(&early, &out) == 0 && out == 3);
	cr_assert_eq(mag_broadcast_try_recv(&early, &out), -EAGAIN);
	cr_assert(mag_broadcast_try_recv(&late, &out) == 0 && out == 3);
	cr_assert_eq(mag_broadcast_receivers(&b), 2);
	cr_assert_eq(mag_broadcast_unsubscribe(&early), 1);
	cr_assert_eq(mag_broadcast_unsubscribe(&early), 0);
	cr_assert_eq(mag_broadcast_try_recv(&early, &out), MAG_ECLOSED);
	cr_assert_eq(mag_broadcast_length(&early), 0);
	cr_assert_eq(mag_broadcast_receivers(&b), 1);
	cr_assert_eq(mag_broadcast_unsubscribe(&late), 1);
	cr_assert_eq(mag_broadcast_fini(&b), 0);
}

Test(broadcast, who_lags_is_told_how_many_it_missed_and_goes_on_with_the_oldest, .timeout = 10)
{
	enum { CAPACITY = 8 };

	for (uint64_t n = 1; n < 4 * CAPACITY; n++) {
		mag_broadcast_receiver r;
		uint64_t out, next = 0;
		mag_broadcast b;

		cr_assert_eq(mag_broadcast_init(&b, CAPACITY, sizeof(uint64_t)), 0);
		cr_assert_eq(mag_broadcast_subscribe(&b, &r), 0);
		for (uint64_t i = 0; i < n; i++)
			mag_broadcast_send(&b, &i);
		if (n > CAPACITY) {
			cr_assert_eq(mag_broadcast_length(&r), CAPACITY);
			cr_assert_eq(mag_broadcast_try_recv(&r, &out), (int64_t)(n - CAPACITY));
			next = n - CAPACITY;
		}
		for (; next < n; next++) {
			cr_assert_eq(mag_broadcast_length(&r), n - next);
			cr_assert(mag_broadcast_try_recv(&r, &out) == 0 && out == next);
		}
		cr_assert_eq(mag_broadcast_try_recv(&r, &out), -EAGAIN);
		mag_broadcast_unsubscribe(&r);
		cr_assert_eq(mag_broadcast_fini(&b), 0);
	}
}

Test(broadcast, closed_gives_what_is_left_and_takes_nothing, .timeout = 10)
{
	mag_broadcast_receiver r, late;
	char element[3] = "ab", out[3];
	mag_broadcast b;

	cr_assert_eq(mag_broadcast_init(&b, 3, sizeof(element)), 0);
	cr_assert_eq(mag_broadcast_capacity(&b), 4);
	cr_assert_eq(mag_broadcast_subscribe(&b, &r), 0);
	for (int i = 0; i < 5; i++)
		cr_assert_eq(mag_broadcast_send(&b, element), 1);
	cr_assert_not(mag_broadcast_is_closed(&b));
	cr_assert_eq(mag_broadcast_close(&b), 1);
	cr_assert_eq(mag_broadcast_close(&b), 0);
	cr_assert(mag_broadcast_is_closed(&b));
	cr_assert_eq(mag_broadcast_send(&b, element), MAG_ECLOSED);
	cr_assert_eq(mag_broadcast_subscribe(&b, &late), MAG_ECLOSED);
	cr_assert_eq(mag_broadcast_unsubscribe(&late), 0);
	cr_assert_eq(mag_broadcast_try_recv(&r, out), 1);
	for (int i = 0; i < 4; i++)
		cr_assert(mag_broadcast_try_recv(&r, out) == 0 && strcmp(out, "ab") == 0);
	cr_assert_eq(mag_broadcast_try_recv(&r, out), MAG_ECLOSED);
	mag_broadcast_unsubscribe(&r);
	cr_assert_eq(mag_broadcast_fini(&b), 0);
}

Test(broadcast, bounds_are_checked, .timeout = 10)
{
	mag_broadcast b;

	cr_assert_eq(mag_broadcast_init(&b, 0, 8), -EINVAL);
	cr_assert_eq(mag_broadcast_init(&b, MAG_BROADCAST_CAPACITY_MAX + 1, 8), -EINVAL);
	cr_assert_eq(mag_broadcast_init(&b, 1, 0), -EINVAL);
	cr_assert_eq(mag_broadcast_init(&b, 1, MAG_BROADCAST_ELEMENT_MAX + 1), -EINVAL);
	magi_fault_plan(1, 0);
	cr_assert_eq(mag_broadcast_init(&b, 16, 8), -ENOMEM);
	magi_fault_plan(0, 0);
}

Test(broadcast, cannot_end_with_a_receiver, MISUSE(.timeout = 10))
{
	mag_broadcast_receiver r;
	mag_broadcast b;

	cr_assert_eq(mag_broadcast_init(&b, 1, 8), 0);
	cr_assert_eq(mag_broadcast_subscribe(&b, &r), 0);
	cr_assert_eq(mag_broadcast_fini(&b), -EBUSY);
	cr_assert_eq(mag_broadcast_unsubscribe(&r), 1);
	cr_assert_eq(mag_broadcast_fini(&b), 0);
}

/* Deadlines. */

struct deadlines {
	mag_frame frame;
	MAG_NO_ARGS(deadlines);
	mag_broadcast broadcast;
	mag_broadcast_receiver receiver;
	uint64_t element;
	mag_scope scope;
	int64_t rc;
};

MAG_TASK(deadlines)
{
	MAG_BEGIN(deadlines);
	NEED(mag_broadcast_init(&self->broadcast, 1, sizeof(uint64_t)) == 0);
	NEED(mag_broadcast_subscribe(&self->broadcast, &self->receiver) == 0);
	MAG_AWAIT(self->rc, mag_broadcast_recv_until, &self->receiver, &self->element, 0);
	NEED(self->rc == MAG_ETIMEDOUT);
	MAG_AWAIT(self->rc, mag_broadcast_recv_until, &self->receiver, &self->element,
		  mag_deadline_in(MAG_MILLISECOND));
	NEED(self->rc == MAG_ETIMEDOUT);
	MAG_SCOPE_BEGIN(&self->scope);
	mag_scope_cancel(&self->scope);
	MAG_AWAIT(self->rc, mag_broadcast_recv_until, &self->receiver, &self->element, 0);
	NEED(self->rc == MAG_ECANCELED);
	MAG_SCOPE_END(self->rc, &self->scope);
	NEED(mag_broadcast_send(&self->broadcast, &self->element) == 1);
	NEED(mag_broadcast_send(&self->broadcast, &self->element) == 1);
	MAG_AWAIT(self->rc, mag_broadcast_recv_until, &self->receiver, &self->element, 0);
	NEED(self->rc == 1); /* missed */
	MAG_AWAIT(self->rc, mag_broadcast_recv_until, &self->receiver, &self->element, 0);
	NEED(self->rc == 0);
	NEED(mag_broadcast_unsubscribe(&self->receiver) == 1);
	NEED(mag_broadcast_fini(&self->broadcast) == 0);
	MAG_RETURN(0);
	MAG_END;
}

Test(broadcast, recv_ends_at_its_deadline, .timeout = 20)
{
	int64_t rc = RUN(2, deadlines);

	cr_assert_eq(rc, 0, "%s", where(rc));
}

struct waits {
	mag_frame frame;
	MAG_ARGS(waits, mag_broadcast_receiver *receiver;);
	uint64_t element;
	int64_t rc;
};

MAG_TASK(waits)
{
	MAG_BEGIN(waits);
	MAG_AWAIT(self->rc, mag_broadcast_recv, self->receiver, &self->element);
	NEED(self->rc == MAG_ECLOSED);
	MAG_RETURN(0);
	MAG_END;
}

struct left_early {
	mag_frame frame;
	MAG_NO_ARGS(left_early);
	mag_broadcast broadcast;
	mag_broadcast_receiver receiver;
	mag_group group;
	int64_t rc;
};

MAG_TASK(left_early)
{
	MAG_BEGIN(left_early);
	NEED(mag_broadcast_init(&self->broadcast, 1, sizeof(uint64_t)) == 0);
	NEED(mag_broadcast_subscribe(&self->broadcast, &self->receiver) == 0);
	MAG_GROUP_BEGIN(&self->group);
	MAG_SPAWN(self->rc, &self->group, waits, .receiver = &self->receiver);
	UNTIL_WAITING(self->rc, &self->broadcast.waitq, 1);
	NEED(mag_broadcast_unsubscribe(&self->receiver) == -EBUSY);
	NEED(mag_broadcast_receivers(&self->broadcast) == 1);
	mag_broadcast_close(&self->broadcast);
	MAG_GROUP_END(self->rc, &self->group);
	NEED(self->rc == 0 && mag_broadcast_unsubscribe(&self->receiver) == 1);
	NEED(mag_broadcast_fini(&self->broadcast) == 0);
	MAG_RETURN(0);
	MAG_END;
}

struct receives_beside {
	mag_frame frame;
	MAG_ARGS(receives_beside, mag_broadcast_receiver *receiver; bool waits;);
	uint64_t element;
	int64_t rc;
};

MAG_TASK(receives_beside)
{
	MAG_BEGIN(receives_beside);
	self->element = 0;
	MAG_AWAIT(self->rc, mag_broadcast_recv, self->receiver, &self->element);
	NEED(self->waits ? self->rc == 0 && self->element == 5 : self->rc == -EBUSY);
	MAG_RETURN(0);
	MAG_END;
}

struct two_with_one {
	mag_frame frame;
	MAG_NO_ARGS(two_with_one);
	mag_broadcast broadcast;
	mag_broadcast_receiver receiver;
	mag_group group;
	uint64_t element;
	int64_t rc;
};

MAG_TASK(two_with_one)
{
	MAG_BEGIN(two_with_one);
	self->element = 5;
	NEED(mag_broadcast_init(&self->broadcast, 1, sizeof(self->element)) == 0);
	NEED(mag_broadcast_subscribe(&self->broadcast, &self->receiver) == 0);
	MAG_GROUP_BEGIN(&self->group);
	MAG_SPAWN(self->rc, &self->group, receives_beside, .receiver = &self->receiver, .waits = true);
	UNTIL_WAITING(self->rc, &self->broadcast.waitq, 1);
	MAG_CALL(self->rc, receives_beside, .receiver = &self->receiver, .waits = false);
	NEED(self->rc == 0);
	NEED(mag_broadcast_send(&self->broadcast, &self->element) == 1);
	MAG_GROUP_END(self->rc, &self->group);
	NEED(self->rc == 0 && mag_broadcast_unsubscribe(&self->receiver) == 1);
	NEED(mag_broadcast_fini(&self->broadcast) == 0);
	MAG_RETURN(0);
	MAG_END;
}

Test(broadcast, two_cannot_wait_with_one_receiver, MISUSE(.timeout = 20))
{
	int64_t rc = RUN(1, two_with_one);

	cr_assert_eq(rc, 0, "%s", where(rc));
}

Test(broadcast, cannot_unsubscribe_who_waits, MISUSE(.timeout = 20))
{
	int64_t rc = RUN(1, left_early);

	cr_assert_eq(rc, 0, "%s", where(rc));
}

/* Several send, several listen: what a listener gets and what it is told to have missed is all that was sent, and each
 * sender's elements come in order. */

enum { SENDERS = 3, LISTENERS = 4, SENDS = 6000 / PLAY_SLOWDOWN };

struct element {
	uint32_t from, number;
	uint64_t check;
};

struct sender {
	mag_frame frame;
	MAG_ARGS(sender, mag_broadcast *broadcast; uint32_t from;);
	struct element e;
	uint32_t i;
	int64_t rc;
};

MAG_TASK(sender)
{
	MAG_BEGIN(sender);
	for (self->i = 1; self->i <= SENDS; self->i++) {
		self->e = (struct element){ self->from, self->i, ~(uint64_t)self->i };
		NEED(mag_broadcast_send(self->broadcast, &self->e) == LISTENERS);
		if (self->i % 4 == 0)
			MAG_YIELD(self->rc);
	}
	MAG_RETURN(0);
	MAG_END;
}

struct listener {
	mag_frame frame;
	MAG_ARGS(listener, mag_broadcast_receiver *receiver; uint32_t lazy; int64_t *missed;);
	struct element e;
	uint32_t last[SENDERS], i;
	int64_t rc, got;
};

MAG_TASK(listener)
{
	MAG_BEGIN(listener);
	memset(self->last, 0, sizeof(self->last));
	self->got = *self->missed = 0;
	for (;;) {
		MAG_AWAIT(self->rc, mag_broadcast_recv, self->receiver, &self->e);
		if (self->rc < 0)
			break;
		*self->missed += self->rc;
		if (self->rc > 0)
			continue;
		self->got++;
		NEED(self->e.from < SENDERS && self->e.check == ~(uint64_t)self->e.number);
		NEED(self->e.number > self->last[self->e.from]);
		NEED(*self->missed || self->e.number == self->last[self->e.from] + 1);
		self->last[self->e.from] = self->e.number;
		for (self->i = 0; self->i < self->lazy; self->i++)
			MAG_YIELD(self->rc);
	}
	NEED(self->rc == MAG_ECLOSED);
	NEED(self->got + *self->missed == (int64_t)SENDERS * SENDS);
	MAG_RETURN(0);
	MAG_END;
}

struct listening {
	mag_frame frame;
	MAG_ARGS(listening, uint32_t capacity; int64_t *missed;);
	mag_broadcast broadcast;
	mag_broadcast_receiver receiver[LISTENERS];
	mag_group senders, listeners;
	uint32_t i;
	int64_t rc;
};

MAG_TASK(listening)
{
	MAG_BEGIN(listening);
	NEED(mag_broadcast_init(&self->broadcast, self->capacity, sizeof(struct element)) == 0);
	for (self->i = 0; self->i < LISTENERS; self->i++)
		NEED(mag_broadcast_subscribe(&self->broadcast, &self->receiver[self->i]) == 0);
	MAG_GROUP_BEGIN(&self->listeners);
	for (self->i = 0; self->i < LISTENERS; self->i++)
		MAG_SPAWN(self->rc, &self->listeners, listener, .receiver = &self->receiver[self->i],
			  .lazy = 4 * self->i, .missed = &self->missed[self->i]);
	MAG_GROUP_BEGIN(&self->senders);
	for (self->i = 0; self->i < SENDERS; self->i++)
		MAG_SPAWN(self->rc, &self->senders, sender, .broadcast = &self->broadcast, .from = self->i);
	MAG_GROUP_END(self->rc, &self->senders);
	NEED(self->rc == 0);
	mag_broadcast_close(&self->broadcast);
	MAG_GROUP_END(self->rc, &self->listeners);
	NEED(self->rc == 0);
	for (self->i = 0; self->i < LISTENERS; self->i++)
		NEED(mag_broadcast_unsubscribe(&self->receiver[self->i]) == 1);
	NEED(mag_broadcast_fini(&self->broadcast) == 0);
	MAG_RETURN(0);
	MAG_END;
}

Test(broadcast, what_was_had_and_what_was_missed_is_all, .timeout = 60)
{
	int64_t missed[LISTENERS], rc = RUN(4, listening, .capacity = 8, .missed = missed);

	cr_assert_eq(rc, 0, "%s", where(rc));
	cr_assert_gt(missed[LISTENERS - 1], 0); /* who is slow was too slow */
	rc = RUN(4, listening, .capacity = SENDERS * SENDS, .missed = missed);
	cr_assert_eq(rc, 0, "%s", where(rc));
	for (int i = 0; i < LISTENERS; i++)
		cr_assert_eq(missed[i], 0);
	rc = RUN(1, listening, .capacity = 2, .missed = missed);
	cr_assert_eq(rc, 0, "%s", where(rc));
}

/* The same from a thread that is no worker. */

static void *send_from_outside(void *arg)
{
	for (uint32_t from = 0; from < SENDERS; from++) {
		for (uint32_t i = 1; i <= SENDS; i++) {
			const struct element e = { from, i, ~(uint64_t)i };

			if (mag_broadcast_send(arg, &e) != 1)
				return arg;
		}
	}
	mag_broadcast_close(arg);
	return NULL;
}

Test(broadcast, any_thread_may_send_and_close, .timeout = 60)
{
	mag_broadcast_receiver receiver;
	mag_broadcast b;
	pthread_t thread;
	int64_t rc, missed;
	void *failed;

	cr_assert_eq(mag_broadcast_init(&b, 64, sizeof(struct element)), 0);
	cr_assert_eq(mag_broadcast_subscribe(&b, &receiver), 0);
	cr_assert_eq(pthread_create(&thread, NULL, send_from_outside, &b), 0);
	rc = RUN(2, listener, .receiver = &receiver, .lazy = 0, .missed = &missed);
	cr_assert_eq(rc, 0, "%s", where(rc));
	pthread_join(thread, &failed);
	cr_assert_null(failed);
	cr_assert_eq(mag_broadcast_unsubscribe(&receiver), 1);
	cr_assert_eq(mag_broadcast_fini(&b), 0);
}

/* Cancellation. The first who waits does so at the first receiver, the second at the second. */

struct broadcast_subject {
	struct subject s;
	mag_broadcast broadcast;
	mag_broadcast_receiver receiver[2];
	unsigned char room[16];
	uint32_t got; /* how many of the two have got the element; atomic */
};

static struct broadcast_subject *of(struct subject *s)
{
	return (struct broadcast_subject *)s;
}

static mag_frame *subject_wait(mag_worker *w, mag_frame *f, struct subject *s, uint64_t *out)
{
	return mag_broadcast_recv(w, f, &of(s)->receiver[waiting(s->waitq)], out);
}

static void subject_give(struct subject *s, mag_worker *w, mag_frame *f)
{
	uint64_t element = 3;

	(void)w;
	(void)f;
	(void)mag_broadcast_send(&of(s)->broadcast, &element);
}

static void subject_after(struct subject *s, mag_worker *w, mag_frame *f)
{
	(void)w;
	(void)f;
	magi_add_rlx(&of(s)->got, 1u); /* [got] */
}

/* Whether each receiver that has not got the element still has it to get. */
static bool subject_reset(struct subject *s, mag_worker *w, mag_frame *f)
{
	uint64_t element;
	uint32_t n = magi_xchg_ar(&of(s)->got, 0u); /* [got] */

	(void)w;
	(void)f;
	for (int i = 0; i < 2; i++)
		n += mag_broadcast_try_recv(&of(s)->receiver[i], &element) == 0;
	return n == 2;
}

static void make(struct broadcast_subject *b)
{
	*b = (struct broadcast_subject){ .s = { .wait = subject_wait, .give = subject_give, .after = subject_after,
						.reset = subject_reset, .waitq = &b->broadcast.waitq, .stays = true },
					 .broadcast = { .items = b->room, .mask = 1, .size = sizeof(uint64_t) } };
	for (int i = 0; i < 2; i++)
		mag_broadcast_subscribe(&b->broadcast, &b->receiver[i]);
}

Test(broadcast, cancelled_receiver_has_missed_nothing, .timeout = 20)
{
	MATRIX_CASES(struct broadcast_subject, make);
}

Test(broadcast, sent_and_cancelled_at_once_is_one_of_both, .timeout = 120)
{
	MATRIX_RACES(struct broadcast_subject, make);
}
