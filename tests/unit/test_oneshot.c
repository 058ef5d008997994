/* SPDX-License-Identifier: MIT */
/* test_oneshot.c - src/sync/oneshot.c. */
#include <magpie/oneshot.h>
#include <magpie/time.h>

#include <criterion/criterion.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "support/matrix.h"
#include "unit/play.h"

/* Without tasks. */

Test(oneshot, value_is_sent_once_and_taken_once, .timeout = 10)
{
	static uint32_t room;
	static mag_oneshot o = MAG_ONESHOT_INIT(room);
	uint32_t in = 7, out = 0;

	cr_assert_eq(mag_oneshot_try_recv(&o, &out), -EAGAIN);
	cr_assert_eq(mag_oneshot_send(&o, &in), 0);
	in = 8;
	cr_assert_eq(mag_oneshot_send(&o, &in), -EALREADY);
	cr_assert_eq(mag_oneshot_try_recv(&o, &out), 0);
	cr_assert_eq(out, 7);
	cr_assert_eq(mag_oneshot_try_recv(&o, &out), MAG_ECLOSED);
	cr_assert_eq(mag_oneshot_send(&o, &in), -EALREADY);
	cr_assert_eq(mag_oneshot_fini(&o), 0);
}

Test(oneshot, closed_takes_and_gives_nothing, .timeout = 10)
{
	uint64_t room = 0, value = 1;
	mag_oneshot o;

	cr_assert_eq(mag_oneshot_init(&o, &room, sizeof(room)), 0);
	cr_assert_not(mag_oneshot_is_closed(&o));
	cr_assert_eq(mag_oneshot_close(&o), 1);
	cr_assert_eq(mag_oneshot_close(&o), 0);
	cr_assert(mag_oneshot_is_closed(&o));
	cr_assert_eq(mag_oneshot_send(&o, &value), MAG_ECLOSED);
	cr_assert_eq(mag_oneshot_try_recv(&o, &value), MAG_ECLOSED);
	cr_assert(room == 0 && value == 1);
}

Test(oneshot, close_comes_too_late_for_a_value_that_was_sent, .timeout = 10)
{
	uint64_t room, value = 5;
	mag_oneshot o;

	cr_assert_eq(mag_oneshot_init(&o, &room, sizeof(room)), 0);
	cr_assert_eq(mag_oneshot_send(&o, &value), 0);
	value = 0;
	cr_assert_eq(mag_oneshot_close(&o), 0);
	cr_assert_not(mag_oneshot_is_closed(&o));
	cr_assert_eq(mag_oneshot_try_recv(&o, &value), 0);
	cr_assert_eq(value, 5);
}

Test(oneshot, values_have_any_size_up_to_the_limit, .timeout = 10)
{
	static const size_t sizes[] = { 1, 3, 8, 24, MAG_ONESHOT_VALUE_MAX };
	mag_oneshot o;

	for (size_t k = 0; k < sizeof(sizes) / sizeof(sizes[0]); k++) {
		unsigned char *room = malloc(sizes[k]), *in = malloc(sizes[k]), *out = malloc(sizes[k]);

		cr_assert(room && in && out);
		memset(in, 9, sizes[k]);
		cr_assert_eq(mag_oneshot_init(&o, room, sizes[k]), 0);
		cr_assert_eq(mag_oneshot_send(&o, in), 0);
		cr_assert_eq(mag_oneshot_try_recv(&o, out), 0);
		cr_assert_eq(memcmp(in, out, sizes[k]), 0);
		free(room);
		free(in);
		free(out);
	}
	cr_assert_eq(mag_oneshot_init(&o, NULL, 0), -EINVAL);
	cr_assert_eq(mag_oneshot_init(&o, NULL, MAG_ONESHOT_VALUE_MAX + 1), -EINVAL);
}

/* Those who wait. */

struct receiver {
	mag_frame frame;
	MAG_ARGS(receiver, mag_oneshot *oneshot; uint64_t *got; int64_t *result;);
	int64_t rc;
};

MAG_TASK(receiver)
{
	MAG_BEGIN(receiver);
	MAG_AWAIT(self->rc, mag_oneshot_recv, self->oneshot, self->got);
	*self->result = self->rc;
	MAG_RETURN(0);
	MAG_END;
}

enum { WAITERS = 3 };

struct many_wait {
	mag_frame frame;
	MAG_ARGS(many_wait, bool send;);
	mag_oneshot oneshot;
	mag_group group;
	uint64_t room, value, got[WAITERS];
	int64_t rc, result[WAITERS];
	uint32_t i;
};

MAG_TASK(many_wait)
{
	MAG_BEGIN(many_wait);
	NEED(mag_oneshot_init(&self->oneshot, &self->room, sizeof(self->room)) == 0);
	MAG_GROUP_BEGIN(&self->group);
	for (self->i = 0; self->i < WAITERS; self->i++) {
		self->got[self->i] = 0;
		MAG_SPAWN(self->rc, &self->group, receiver, .oneshot = &self->oneshot, .got = &self->got[self->i],
			  .result = &self->result[self->i]);
		UNTIL_WAITING(self->rc, &self->oneshot.waitq, self->i + 1);
	}
	self->value = 42;
	if (self->send)
		NEED(mag_oneshot_send(&self->oneshot, &self->value) == 0);
	else
		NEED(mag_oneshot_close(&self->oneshot) == 1);
	MAG_GROUP_END(self->rc, &self->group);
	NEED(self->rc == 0);
	for (self->i = 0; self->i < WAITERS; self->i++) {
		bool its = self->send && self->i == 0;

		NEED(self->result[self->i] == (its ? 0 : MAG_ECLOSED));
		NEED(self->got[self->i] == (its ? 42u : 0u));
	}
	NEED(mag_oneshot_send(&self->oneshot, &self->value) == (self->send ? -EALREADY : MAG_ECLOSED));
	NEED(mag_oneshot_fini(&self->oneshot) == 0);
	MAG_RETURN(0);
	MAG_END;
}

Test(oneshot, first_who_waits_gets_it_and_the_others_are_told, .timeout = 20)
{
	int64_t rc = RUN(2, many_wait, .send = true);

	cr_assert_eq(rc, 0, "%s", where(rc));
}

Test(oneshot, close_ends_the_wait_of_all, .timeout = 20)
{
	int64_t rc = RUN(2, many_wait, .send = false);

	cr_assert_eq(rc, 0, "%s", where(rc));
}

/* A foreign thread answers, by a value or a close, and who has received frees at once. */

struct answer {
	mag_oneshot oneshot;
	uint64_t room[4];
};

struct asker {
	mag_frame frame;
	MAG_ARGS(asker, struct answer **mailbox; uint32_t rounds;);
	struct answer *answer;
	uint64_t got[4];
	uint32_t i;
	int64_t rc;
};

MAG_TASK(asker)
{
	MAG_BEGIN(asker);
	for (self->i = 0; self->i < self->rounds; self->i++) {
		self->answer = malloc(sizeof(*self->answer));
		NEED(self->answer);
		mag_oneshot_init(&self->answer->oneshot, self->answer->room, sizeof(self->answer->room));
		magi_store_rel(self->mailbox, self->answer);
		self->rc = -EAGAIN;
		while (self->i % 2 && (self->rc = mag_oneshot_try_recv(&self->answer->oneshot, self->got)) == -EAGAIN)
			MAG_YIELD(self->rc);
		if (self->rc == -EAGAIN)
			MAG_AWAIT(self->rc, mag_oneshot_recv, &self->answer->oneshot, self->got);
		free(self->answer);
		NEED(self->rc == (self->i % 5 ? 0 : MAG_ECLOSED));
		NEED(self->rc < 0 || (self->got[0] == self->i && self->got[3] == ~(uint64_t)self->i));
	}
	MAG_RETURN(0);
	MAG_END;
}

struct answerer {
	struct answer *mailbox;
	uint32_t rounds;
};

static void *answer_from_outside(void *arg)
{
	struct answerer *s = arg;

	for (uint32_t i = 0; i < s->rounds;) {
		struct answer *a = magi_xchg_ar(&s->mailbox, NULL);
		uint64_t value[4] = { i, 0, 0, ~(uint64_t)i };

		if (!a) {
			sched_yield();
			continue;
		}
		if (i % 5)
			mag_oneshot_send(&a->oneshot, value);
		else
			mag_oneshot_close(&a->oneshot);
		i++;
	}
	return NULL;
}

Test(oneshot, may_be_freed_by_who_has_received, .timeout = 60)
{
	struct answerer s = { NULL, 1000 / PLAY_SLOWDOWN };
	pthread_t thread;
	int64_t rc;

	cr_assert_eq(pthread_create(&thread, NULL, answer_from_outside, &s), 0);
	rc = RUN(2, asker, .mailbox = &s.mailbox, .rounds = s.rounds);
	cr_assert_eq(rc, 0, "%s", where(rc));
	pthread_join(thread, NULL);
}

/* Deadlines. */

struct deadlines {
	mag_frame frame;
	MAG_NO_ARGS(deadlines);
	mag_oneshot oneshot;
	uint64_t room, value;
	mag_scope scope;
	int64_t rc;
};

MAG_TASK(deadlines)
{
	MAG_BEGIN(deadlines);
	mag_oneshot_init(&self->oneshot, &self->room, sizeof(self->room));
	MAG_AWAIT(self->rc, mag_oneshot_recv_until, &self->oneshot, &self->value, 0);
	NEED(self->rc == MAG_ETIMEDOUT);
	MAG_AWAIT(self->rc, mag_oneshot_recv_until, &self->oneshot, &self->value, mag_deadline_in(MAG_MILLISECOND));
	NEED(self->rc == MAG_ETIMEDOUT);
	MAG_SCOPE_BEGIN(&self->scope);
	mag_scope_cancel(&self->scope);
	MAG_AWAIT(self->rc, mag_oneshot_recv_until, &self->oneshot, &self->value, 0);
	NEED(self->rc == MAG_ECANCELED);
	MAG_SCOPE_END(self->rc, &self->scope);
	NEED(mag_oneshot_send(&self->oneshot, &self->value) == 0);
	MAG_AWAIT(self->rc, mag_oneshot_recv_until, &self->oneshot, &self->value, 0);
	NEED(self->rc == 0);
	MAG_AWAIT(self->rc, mag_oneshot_recv_until, &self->oneshot, &self->value, MAG_NEVER);
	NEED(self->rc == MAG_ECLOSED);
	NEED(mag_oneshot_fini(&self->oneshot) == 0);
	MAG_RETURN(0);
	MAG_END;
}

Test(oneshot, recv_ends_at_its_deadline, .timeout = 20)
{
	int64_t rc = RUN(2, deadlines);

	cr_assert_eq(rc, 0, "%s", where(rc));
}

/* Wrong use. */

struct ended_early {
	mag_frame frame;
	MAG_NO_ARGS(ended_early);
	mag_oneshot oneshot;
	mag_group group;
	uint64_t room, got;
	int64_t rc, result;
};

MAG_TASK(ended_early)
{
	MAG_BEGIN(ended_early);
	mag_oneshot_init(&self->oneshot, &self->room, sizeof(self->room));
	MAG_GROUP_BEGIN(&self->group);
	MAG_SPAWN(self->rc, &self->group, receiver, .oneshot = &self->oneshot, .got = &self->got,
		  .result = &self->result);
	UNTIL_WAITING(self->rc, &self->oneshot.waitq, 1);
	NEED(mag_oneshot_fini(&self->oneshot) == -EBUSY);
	mag_oneshot_close(&self->oneshot);
	MAG_GROUP_END(self->rc, &self->group);
	NEED(mag_oneshot_fini(&self->oneshot) == 0);
	MAG_RETURN(0);
	MAG_END;
}

Test(oneshot, cannot_end_while_somebody_waits, MISUSE(.timeout = 20))
{
	int64_t rc = RUN(1, ended_early);

	cr_assert_eq(rc, 0, "%s", where(rc));
}

/* Cancellation. */

struct oneshot_subject {
	struct subject s;
	mag_oneshot oneshot;
	uint64_t room;
};

static mag_oneshot *of(struct subject *s)
{
	return &((struct oneshot_subject *)s)->oneshot;
}

static mag_frame *subject_wait(mag_worker *w, mag_frame *f, struct subject *s, uint64_t *out)
{
	return mag_oneshot_recv(w, f, of(s), out);
}

static void subject_give(struct subject *s, mag_worker *w, mag_frame *f)
{
	uint64_t value = 3;

	(void)w;
	(void)f;
	(void)mag_oneshot_send(of(s), &value);
}

static bool subject_reset(struct subject *s, mag_worker *w, mag_frame *f)
{
	uint64_t value;
	bool had = mag_oneshot_try_recv(of(s), &value) == 0;

	(void)w;
	(void)f;
	mag_oneshot_init(of(s), &((struct oneshot_subject *)s)->room, sizeof(value));
	return had;
}

static void make(struct oneshot_subject *o)
{
	*o = (struct oneshot_subject){ .s = { .wait = subject_wait, .give = subject_give, .reset = subject_reset,
					      .waitq = &o->oneshot.waitq },
				       .oneshot = MAG_ONESHOT_INIT(o->room) };
}

Test(oneshot, cancelled_receiver_has_taken_nothing, .timeout = 20)
{
	MATRIX_CASES(struct oneshot_subject, make);
}

Test(oneshot, sent_and_cancelled_at_once_is_one_of_both, .timeout = 120)
{
	MATRIX_RACES(struct oneshot_subject, make);
}
