/* SPDX-License-Identifier: MIT */
/* test_bulkhead.c - src/resilience/bulkhead.c: so many inside, so many that wait, the rest refused, and nobody's place lost. */
#include <errno.h>
#include <magpie/bulkhead.h>
#include <magpie/magpie.h>
#include <pthread.h>
#include <sched.h>

#include "play.h"
#include "support/matrix.h"

/* One place, which is taken. */

struct bulkhead_subject {
	struct subject s;
	mag_bulkhead bulkhead;
};

static mag_bulkhead *bulkhead_of(struct subject *s)
{
	return &((struct bulkhead_subject *)s)->bulkhead;
}

static mag_frame *bulkhead_wait(mag_worker *w, mag_frame *f, struct subject *s, uint64_t *out)
{
	(void)out;
	return mag_bulkhead_enter(w, f, bulkhead_of(s));
}

static void bulkhead_give(struct subject *s, mag_worker *w, mag_frame *f)
{
	(void)w;
	(void)f;
	mag_bulkhead_leave(bulkhead_of(s));
}

static bool bulkhead_reset(struct subject *s, mag_worker *w, mag_frame *f)
{
	bool there = mag_bulkhead_try_enter(bulkhead_of(s)) == 0;

	(void)w;
	(void)f;
	return there && mag_bulkhead_present(bulkhead_of(s)) == 1;
}

static void make(struct bulkhead_subject *s)
{
	s->s = (struct subject){ .wait = bulkhead_wait, .give = bulkhead_give, .reset = bulkhead_reset,
				 .waitq = &s->bulkhead.places.waitq };
	cr_assert_eq(mag_bulkhead_init(&s->bulkhead, 1, 2), 0);
	cr_assert_eq(mag_bulkhead_try_enter(&s->bulkhead), 0);
}

Test(bulkhead, cancelled_waiter_has_no_place, .timeout = 20)
{
	MATRIX_CASES(struct bulkhead_subject, make);
}

Test(bulkhead, let_in_and_cancelled_at_once_is_one_of_both, .timeout = 120)
{
	MATRIX_RACES(struct bulkhead_subject, make);
}

/* In virtual time. */

struct guest {
	mag_frame frame;
	MAG_ARGS(guest, mag_bulkhead *bulkhead; uint64_t until; int64_t *got; uint64_t *at; uint32_t *inside;);
	mag_using use;
	int64_t rc;
};

MAG_TASK(guest)
{
	MAG_BEGIN(guest);
	MAG_USING_BEGIN(self->rc, &self->use, mag_bulkhead_permit, self->bulkhead, .until = self->until);
	*self->got = self->rc;
	*self->at = mag_now();
	if (self->rc == 0) {
		NEED(magi_add_ar(self->inside, 1u) < 2);
		MAG_AWAIT(self->rc, mag_sleep, MAG_SECOND);
		magi_sub_ar(self->inside, 1u);
	}
	MAG_USING_END(self->rc, &self->use, self->rc);
	MAG_RETURN(0);
	MAG_END;
}

enum { GUESTS = 7, BULK_PLACES = 2, BULK_WAITING = 3 };

struct party {
	mag_frame frame;
	MAG_ARGS(party, mag_bulkhead *bulkhead;);
	mag_group group;
	mag_scope scope;
	int64_t got[GUESTS], rc;
	uint64_t at[GUESTS], began;
	uint32_t i, inside;
};

/* Two come in, three wait, one of whom is too late; the last two are refused. Then there is room for one that waits. */
MAG_TASK(party)
{
	MAG_BEGIN(party);
	self->inside = 0;
	self->began = mag_now();
	MAG_GROUP_BEGIN(&self->group);
	for (self->i = 0; self->i < GUESTS; self->i++) {
		MAG_SPAWN(self->rc, &self->group, guest, .bulkhead = self->bulkhead, .got = &self->got[self->i],
			  .at = &self->at[self->i], .inside = &self->inside,
			  .until = self->i == 3 ? self->began + MAG_SECOND / 2 : 0);
		MAG_AWAIT(self->rc, mag_sleep, MAG_MILLISECOND);
	}
	NEED(mag_bulkhead_present(self->bulkhead) == BULK_PLACES + BULK_WAITING);
	NEED(mag_bulkhead_try_enter(self->bulkhead) == -EBUSY);
	MAG_AWAIT(self->rc, mag_bulkhead_enter_until, self->bulkhead, 0);
	NEED(self->rc == -EBUSY);
	MAG_SCOPE_BEGIN(&self->scope);
	mag_scope_cancel(&self->scope);
	MAG_AWAIT(self->rc, mag_bulkhead_enter, self->bulkhead);
	NEED(self->rc == MAG_ECANCELED);
	MAG_SCOPE_END(self->rc, &self->scope);
	MAG_AWAIT(self->rc, mag_sleep_until, self->began + MAG_SECOND * 3 / 4);
	NEED(mag_bulkhead_present(self->bulkhead) == BULK_PLACES + BULK_WAITING - 1);
	NEED(mag_bulkhead_try_enter(self->bulkhead) == -EAGAIN);
	MAG_AWAIT(self->rc, mag_bulkhead_enter_until, self->bulkhead, 0);
	NEED(self->rc == MAG_ETIMEDOUT);
	MAG_GROUP_END(self->rc, &self->group);
	NEED(self->rc == 0);
	for (self->i = 0; self->i < GUESTS; self->i++)
		NEED(self->got[self->i] == (self->i == 3 ? MAG_ETIMEDOUT : self->i > 4 ? -EBUSY : 0));
	NEED(self->at[2] == self->at[0] + MAG_SECOND && self->at[4] == self->at[1] + MAG_SECOND);
	NEED(mag_bulkhead_fini(self->bulkhead) == 0);
	MAG_RETURN(0);
	MAG_END;
}

static void run_on(uint32_t workers, mag_bulkhead *b)
{
	struct play p;
	int64_t rc;

	play_begin(&p, workers);
	play_run(&p, rc, party, .bulkhead = b);
	play_end(&p);
	cr_assert_eq(rc, 0, "%s", where(rc));
}

Test(bulkhead, lets_some_in_and_some_wait_and_refuses_the_rest, .timeout = 20)
{
	for (uint32_t n = 1; n <= 4; n *= 2) {
		mag_bulkhead b = MAG_BULKHEAD_INIT(BULK_PLACES, BULK_WAITING);

		run_on(n, &b);
	}
}

/* On threads: the bulkhead is full, and somebody asks it again and again. */

struct asker {
	mag_bulkhead *bulkhead;
	uint32_t asks, stop; /* atomic */
};

static void *ask_again_and_again(void *arg)
{
	struct asker *a = arg;

	while (!magi_load_acq(&a->stop)) {
		(void)mag_bulkhead_try_enter(a->bulkhead);
		magi_store_rel(&a->asks, 1u);
	}
	return NULL;
}

enum { COMERS = 200000 / PLAY_SLOWDOWN };

struct coming {
	mag_frame frame;
	MAG_ARGS(coming, mag_bulkhead *bulkhead;);
	int64_t rc;
	uint32_t i;
};

MAG_TASK(coming)
{
	MAG_BEGIN(coming);
	for (self->i = 0; self->i < COMERS; self->i++) {
		MAG_AWAIT(self->rc, mag_bulkhead_enter_until, self->bulkhead, 0);
		NEED(self->rc == MAG_ETIMEDOUT); /* it might have waited */
	}
	MAG_RETURN(0);
	MAG_END;
}

Test(bulkhead, who_does_not_wait_takes_no_room_from_those_who_would, .timeout = 60)
{
	mag_bulkhead b = MAG_BULKHEAD_INIT(1, 1);
	struct asker asker = { &b, 0, 0 };
	pthread_t thread;
	struct play p;
	int64_t rc;

	cr_assert_eq(mag_bulkhead_try_enter(&b), 0);
	cr_assert_eq(pthread_create(&thread, NULL, ask_again_and_again, &asker), 0);
	while (!magi_load_acq(&asker.asks))
		sched_yield();
	play_begin(&p, 1);
	play_run(&p, rc, coming, .bulkhead = &b);
	play_end(&p);
	magi_store_rel(&asker.stop, 1u);
	pthread_join(thread, NULL);
	cr_assert_eq(rc, 0, "%s", where(rc));
	cr_assert_eq(mag_bulkhead_leave(&b), 0);
	cr_assert_eq(mag_bulkhead_fini(&b), 0);
}

Test(bulkhead, bad_numbers_are_refused)
{
	mag_bulkhead b;

	cr_assert_eq(mag_bulkhead_init(&b, 0, 1), -EINVAL);
	cr_assert_eq(mag_bulkhead_init(&b, 1, MAG_SEMAPHORE_MAX), -EINVAL);
	cr_assert_eq(mag_bulkhead_init(&b, 1, UINT32_MAX), -EINVAL);
	cr_assert_eq(mag_bulkhead_init(&b, 1, MAG_SEMAPHORE_MAX - 1), 0);
	cr_assert_eq(mag_bulkhead_fini(&b), 0);
}

Test(bulkhead, nobody_leaves_who_is_not_inside, MISUSE(.timeout = 20))
{
	mag_bulkhead b = MAG_BULKHEAD_INIT(1, 1);

	cr_assert_eq(mag_bulkhead_leave(&b), -EOVERFLOW);
	cr_assert_eq(mag_bulkhead_present(&b), 0);
}

Test(bulkhead, is_not_ended_with_somebody_inside, MISUSE(.timeout = 20))
{
	mag_bulkhead b = MAG_BULKHEAD_INIT(1, 1);

	cr_assert_eq(mag_bulkhead_try_enter(&b), 0);
	cr_assert_eq(mag_bulkhead_fini(&b), -EBUSY);
}
