/* SPDX-License-Identifier: MIT */
/* test_barrier.c - src/sync/barrier.c. */
#include <magpie/barrier.h>
#include <magpie/time.h>

#include <criterion/criterion.h>

#include "play.h"
#include "support/matrix.h"

/* Round after round: nobody is ahead by more than one, and one of them is told that it was the last. */

enum { PARTIES = 5 };

struct rounds {
	mag_barrier barrier;
	uint32_t round[PARTIES]; /* plain: ThreadSanitizer sees it when the barrier does not order */
	uint32_t last;           /* by who got 1, between two rounds */
};

struct party {
	mag_frame frame;
	MAG_ARGS(party, struct rounds *r; uint32_t me; uint32_t n;);
	uint32_t i, k;
	int64_t rc;
};

MAG_TASK(party)
{
	MAG_BEGIN(party);
	for (self->i = 0; self->i < self->n; self->i++) {
		self->r->round[self->me]++;
		MAG_AWAIT(self->rc, mag_barrier_wait, &self->r->barrier);
		NEED(self->rc == 0 || self->rc == 1);
		for (self->k = 0; self->k < PARTIES; self->k++)
			NEED(self->r->round[self->k] == self->i + 1);
		if (self->rc == 1)
			self->r->last++;
		MAG_AWAIT(self->rc, mag_barrier_wait_until, &self->r->barrier, mag_deadline_in(100 * MAG_SECOND));
		NEED(self->rc == 0 || self->rc == 1);
		NEED(self->r->last == self->i + 1);
	}
	MAG_RETURN(0);
	MAG_END;
}

struct parties {
	mag_frame frame;
	MAG_ARGS(parties, struct rounds *r; uint32_t n;);
	mag_group group;
	uint32_t i;
	int64_t rc;
};

MAG_TASK(parties)
{
	MAG_BEGIN(parties);
	MAG_GROUP_BEGIN(&self->group);
	for (self->i = 0; self->i < PARTIES; self->i++)
		MAG_SPAWN(self->rc, &self->group, party, .r = self->r, .me = self->i, .n = self->n);
	MAG_GROUP_END(self->rc, &self->group);
	NEED(self->rc == 0);
	NEED(mag_barrier_fini(&self->r->barrier) == 0);
	MAG_RETURN(0);
	MAG_END;
}

static void go_round(uint32_t workers)
{
	static struct rounds r;
	int64_t rc;

	r = (struct rounds){ .barrier = MAG_BARRIER_INIT(PARTIES) };
	rc = RUN(workers, parties, .r = &r, .n = 1000 / PLAY_SLOWDOWN);
	cr_assert_eq(rc, 0, "%s", where(rc));
}

Test(barrier, nobody_is_a_round_ahead_and_one_was_the_last, .timeout = 60)
{
	go_round(4);
	go_round(1);
}

/* Who leaves is not counted; who aborts ends it for all. */

struct comer {
	mag_frame frame;
	MAG_ARGS(comer, mag_barrier *barrier; int64_t want;);
	int64_t rc;
};

MAG_TASK(comer)
{
	MAG_BEGIN(comer);
	MAG_AWAIT(self->rc, mag_barrier_wait, self->barrier);
	NEED(self->rc == self->want);
	MAG_RETURN(0);
	MAG_END;
}

struct leaving {
	mag_frame frame;
	MAG_NO_ARGS(leaving);
	mag_barrier barrier;
	mag_group group;
	mag_handle first;
	mag_scope scope;
	int64_t rc;
};

MAG_TASK(leaving)
{
	MAG_BEGIN(leaving);
	NEED(mag_barrier_init(&self->barrier, 3) == 0);
	MAG_GROUP_BEGIN(&self->group);
	MAG_SPAWN_AS(self->rc, &self->first, &self->group, comer, .barrier = &self->barrier, .want = MAG_ECANCELED);
	UNTIL_WAITING(self->rc, &self->barrier.waitq, 1);
	MAG_SPAWN(self->rc, &self->group, comer, .barrier = &self->barrier, .want = 0);
	UNTIL_WAITING(self->rc, &self->barrier.waitq, 2);
	NEED(mag_barrier_waiting(&self->barrier) == 2);
	mag_handle_cancel(&self->first);
	NEED(mag_barrier_waiting(&self->barrier) == 1);
	NEED(mag_barrier_try_wait(&self->barrier) == -EAGAIN);
	MAG_AWAIT(self->rc, mag_barrier_wait_until, &self->barrier, 0);
	NEED(self->rc == MAG_ETIMEDOUT);
	MAG_AWAIT(self->rc, mag_barrier_wait_until, &self->barrier, mag_deadline_in(MAG_MILLISECOND));
	NEED(self->rc == MAG_ETIMEDOUT);
	MAG_SCOPE_BEGIN(&self->scope);
	mag_scope_cancel(&self->scope);
	MAG_AWAIT(self->rc, mag_barrier_wait, &self->barrier);
	NEED(self->rc == MAG_ECANCELED);
	MAG_SCOPE_END(self->rc, &self->scope);
	NEED(mag_barrier_waiting(&self->barrier) == 1);
	MAG_SPAWN(self->rc, &self->group, comer, .barrier = &self->barrier, .want = 0);
	UNTIL_WAITING(self->rc, &self->barrier.waitq, 2);
	NEED(mag_barrier_try_wait(&self->barrier) == 1);
	/* the next round */
	NEED(mag_barrier_waiting(&self->barrier) == 0);
	MAG_SPAWN(self->rc, &self->group, comer, .barrier = &self->barrier, .want = MAG_ECLOSED);
	MAG_SPAWN(self->rc, &self->group, comer, .barrier = &self->barrier, .want = MAG_ECLOSED);
	UNTIL_WAITING(self->rc, &self->barrier.waitq, 2);
	NEED(mag_barrier_reset(&self->barrier) == 0);
	NEED(mag_barrier_abort(&self->barrier) == 1);
	NEED(mag_barrier_abort(&self->barrier) == 0);
	NEED(mag_barrier_waiting(&self->barrier) == 0);
	NEED(mag_barrier_try_wait(&self->barrier) == MAG_ECLOSED);
	MAG_AWAIT(self->rc, mag_barrier_wait, &self->barrier);
	NEED(self->rc == MAG_ECLOSED);
	NEED(mag_barrier_reset(&self->barrier) == 1);
	NEED(mag_barrier_try_wait(&self->barrier) == -EAGAIN);
	MAG_GROUP_END(self->rc, &self->group);
	NEED(self->rc == 0);
	NEED(mag_barrier_fini(&self->barrier) == 0);
	/* for one */
	NEED(mag_barrier_init(&self->barrier, 0) == -EINVAL);
	NEED(mag_barrier_init(&self->barrier, 1) == 0);
	MAG_AWAIT(self->rc, mag_barrier_wait, &self->barrier);
	NEED(self->rc == 1);
	MAG_RETURN(0);
	MAG_END;
}

Test(barrier, who_is_cancelled_leaves_the_round_and_an_abort_ends_it, .timeout = 20)
{
	int64_t rc = RUN(2, leaving, );

	cr_assert_eq(rc, 0, "%s", where(rc));
}

struct ended_early {
	mag_frame frame;
	MAG_NO_ARGS(ended_early);
	mag_barrier barrier;
	mag_group group;
	int64_t rc;
};

MAG_TASK(ended_early)
{
	MAG_BEGIN(ended_early);
	NEED(mag_barrier_init(&self->barrier, 2) == 0);
	MAG_GROUP_BEGIN(&self->group);
	MAG_SPAWN(self->rc, &self->group, comer, .barrier = &self->barrier, .want = 0);
	UNTIL_WAITING(self->rc, &self->barrier.waitq, 1);
	NEED(mag_barrier_fini(&self->barrier) == -EBUSY);
	NEED(mag_barrier_try_wait(&self->barrier) == 1);
	MAG_GROUP_END(self->rc, &self->group);
	MAG_RETURN(self->rc);
	MAG_END;
}

Test(barrier, cannot_end_while_somebody_waits, MISUSE(.timeout = 20))
{
	int64_t rc = RUN(1, ended_early, );

	cr_assert_eq(rc, 0, "%s", where(rc));
}

/* The last one comes and one is cancelled at once: both are in the round, or it goes on without the one. */

struct barrier_subject {
	struct subject s;
	mag_barrier barrier;
	uint32_t alone; /* atomic: the last one was not the last */
};

static struct barrier_subject *of(struct subject *s)
{
	return (struct barrier_subject *)s;
}

static mag_frame *subject_wait(mag_worker *w, mag_frame *f, struct subject *s, uint64_t *out)
{
	(void)out;
	return mag_barrier_wait(w, f, &of(s)->barrier);
}

static void subject_give(struct subject *s, mag_worker *w, mag_frame *f)
{
	(void)w;
	(void)f;
	if (mag_barrier_try_wait(&of(s)->barrier) != 1)
		magi_xchg_ar(&of(s)->alone, 1u);
}

static bool subject_reset(struct subject *s, mag_worker *w, mag_frame *f)
{
	(void)w;
	(void)f;
	return magi_xchg_ar(&of(s)->alone, 0u);
}

static void make(struct barrier_subject *m)
{
	*m = (struct barrier_subject){ .s = { .wait = subject_wait, .give = subject_give, .reset = subject_reset,
					      .waitq = &m->barrier.waitq },
				       .barrier = MAG_BARRIER_INIT(2) };
}

/* Tried: a `gone` that lets every cancelled waiter leave: one of two has left a round that the other calls complete. */
Test(barrier, completed_and_cancelled_at_once_is_one_of_both, .timeout = 120)
{
	MATRIX_RACES(struct barrier_subject, make);
}
