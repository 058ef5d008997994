/* SPDX-License-Identifier: MIT */
/* test_event.c - src/sync/event.c. */
#include <magpie/event.h>

#include <criterion/criterion.h>
#include <pthread.h>
#include <stdlib.h>

#include "support/matrix.h"

struct one_waiter {
	mag_frame frame;
	MAG_ARGS(one_waiter, mag_event *event; uint32_t *passed;);
	int64_t rc;
};

MAG_TASK(one_waiter)
{
	MAG_BEGIN(one_waiter);
	MAG_AWAIT(self->rc, mag_event_wait, self->event);
	NEED(self->rc == 0);
	magi_add_rlx(self->passed, 1);
	MAG_RETURN(0);
	MAG_END;
}

struct all_go_on {
	mag_frame frame;
	MAG_ARGS(all_go_on, mag_event *event; uint32_t n; uint32_t *passed;);
	mag_group group;
	int64_t rc;
	uint32_t i;
};

MAG_TASK(all_go_on)
{
	MAG_BEGIN(all_go_on);
	MAG_GROUP_BEGIN(&self->group);
	for (self->i = 0; self->i < self->n; self->i++)
		MAG_SPAWN(self->rc, &self->group, one_waiter, .event = self->event, .passed = self->passed);
	UNTIL_WAITING(self->rc, &self->event->waitq, self->n);
	NEED(magi_load_rlx(self->passed) == 0);
	NEED(mag_event_set(self->event) == 1);
	MAG_GROUP_END(self->rc, &self->group);
	NEED(self->rc == 0);
	NEED(magi_load_rlx(self->passed) == self->n);
	MAG_RETURN(0);
	MAG_END;
}

Test(event, set_lets_all_go_on, .timeout = 20)
{
	static mag_event event = MAG_EVENT_INIT;
	uint32_t passed = 0;
	int64_t rc = RUN(4, all_go_on, .event = &event, .n = 1000, .passed = &passed);

	cr_assert_eq(rc, 0, "%s", where(rc));
	cr_assert_eq(mag_event_fini(&event), 0);
}

struct once_set {
	mag_frame frame;
	MAG_ARGS(once_set, mag_event *event;);
	mag_scope scope;
	int64_t rc;
};

MAG_TASK(once_set)
{
	MAG_BEGIN(once_set);
	NEED(!mag_event_is_set(self->event));
	NEED(mag_event_reset(self->event) == 0);
	NEED(mag_event_set(self->event) == 1);
	NEED(mag_event_set(self->event) == 0);
	NEED(mag_event_is_set(self->event));
	MAG_AWAIT(self->rc, mag_event_wait, self->event);
	NEED(self->rc == 0);
	MAG_AWAIT(self->rc, mag_event_wait, self->event);
	NEED(self->rc == 0);
	NEED(mag_event_reset(self->event) == 1);
	NEED(!mag_event_is_set(self->event));
	MAG_WITH_TIMEOUT(&self->scope, 1000000);
	MAG_AWAIT(self->rc, mag_event_wait, self->event);
	NEED(self->rc == MAG_ECANCELED);
	MAG_SCOPE_END(self->rc, &self->scope);
	NEED(self->rc == MAG_ETIMEDOUT);
	MAG_RETURN(0);
	MAG_END;
}

Test(event, stays_set_until_it_is_reset, .timeout = 20)
{
	mag_event event;
	int64_t rc;

	mag_event_init(&event);
	rc = RUN(2, once_set, .event = &event);
	cr_assert_eq(rc, 0, "%s", where(rc));
}

/* A foreign thread sets, and the waiter frees at once: set must be done with the event by then, also when somebody had
 * waited who is gone (tried: a set that takes the lock when nobody waits; ThreadSanitizer reports it). */
struct freed {
	mag_frame frame;
	MAG_ARGS(freed, mag_event **mailbox; uint32_t rounds;);
	mag_event *event;
	mag_scope scope;
	uint32_t i;
	int64_t rc;
};

MAG_TASK(freed)
{
	MAG_BEGIN(freed);
	for (self->i = 0; self->i < self->rounds; self->i++) {
		self->event = malloc(sizeof(*self->event));
		NEED(self->event);
		mag_event_init(self->event);
		if (self->i % 16 < 4) {
			MAG_WITH_TIMEOUT(&self->scope, 1000);
			MAG_AWAIT(self->rc, mag_event_wait, self->event);
			MAG_SCOPE_END(self->rc, &self->scope);
		}
		magi_store_rel(self->mailbox, self->event);
		if (self->i % 2) {
			while (!mag_event_is_set(self->event))
				MAG_YIELD(self->rc);
		}
		MAG_AWAIT(self->rc, mag_event_wait, self->event);
		NEED(self->rc == 0);
		free(self->event);
	}
	MAG_RETURN(0);
	MAG_END;
}

struct setter {
	mag_event *mailbox;
	uint32_t rounds;
};

static void *set_from_outside(void *arg)
{
	struct setter *s = arg;

	for (uint32_t i = 0; i < s->rounds;) {
		mag_event *event = magi_xchg_ar(&s->mailbox, NULL);

		if (event) {
			mag_event_set(event);
			i++;
		} else {
			sched_yield();
		}
	}
	return NULL;
}

Test(event, may_be_freed_by_who_finds_it_set, .timeout = 60)
{
	struct setter s = { NULL, getenv("MAGPIE_LONG") ? 20000 : 1000 };
	pthread_t thread;
	int64_t rc;

	cr_assert_eq(pthread_create(&thread, NULL, set_from_outside, &s), 0);
	rc = RUN(2, freed, .mailbox = &s.mailbox, .rounds = s.rounds);
	cr_assert_eq(rc, 0, "%s", where(rc));
	pthread_join(thread, NULL);
}

/* Misuse. */

struct ended_early {
	mag_frame frame;
	MAG_ARGS(ended_early, mag_event *event;);
	mag_group group;
	uint32_t passed;
	int64_t rc;
};

MAG_TASK(ended_early)
{
	MAG_BEGIN(ended_early);
	self->passed = 0;
	MAG_GROUP_BEGIN(&self->group);
	MAG_SPAWN(self->rc, &self->group, one_waiter, .event = self->event, .passed = &self->passed);
	UNTIL_WAITING(self->rc, &self->event->waitq, 1);
	NEED(mag_event_fini(self->event) == -EBUSY);
	mag_event_set(self->event);
	MAG_GROUP_END(self->rc, &self->group);
	NEED(mag_event_fini(self->event) == 0);
	MAG_RETURN(0);
	MAG_END;
}

Test(event, cannot_end_while_somebody_waits, MISUSE(.timeout = 20))
{
	mag_event event = MAG_EVENT_INIT;
	int64_t rc = RUN(1, ended_early, .event = &event);

	cr_assert_eq(rc, 0, "%s", where(rc));
}

/* Cancellation. */

struct event_subject {
	struct subject s;
	mag_event event;
};

static mag_frame *subject_wait(mag_worker *w, mag_frame *f, struct subject *s, uint64_t *out)
{
	(void)out;
	return mag_event_wait(w, f, &((struct event_subject *)s)->event);
}

static void subject_give(struct subject *s, mag_worker *w, mag_frame *f)
{
	(void)w;
	(void)f;
	mag_event_set(&((struct event_subject *)s)->event);
}

static bool subject_reset(struct subject *s, mag_worker *w, mag_frame *f)
{
	(void)w;
	(void)f;
	return mag_event_reset(&((struct event_subject *)s)->event) == 1;
}

static void make(struct event_subject *e)
{
	*e = (struct event_subject){ .s = { .wait = subject_wait, .give = subject_give, .reset = subject_reset,
					    .waitq = &e->event.waitq, .stays = true } };
	mag_event_init(&e->event);
}

Test(event, cancelled_waiter_goes_alone, .timeout = 20)
{
	MATRIX_CASES(struct event_subject, make);
}

Test(event, set_and_cancelled_at_once_is_one_of_both, .timeout = 120)
{
	MATRIX_RACES(struct event_subject, make);
}
