/* SPDX-License-Identifier: MIT */
/* test_once.c - src/sync/once.c. */
#include <magpie/once.h>
#include <magpie/time.h>

#include <criterion/criterion.h>

#include "play.h"
#include "support/matrix.h"

/* Many want it at once; the first ones fail. */

struct made {
	mag_once once;
	uint32_t tries, made; /* plain: ThreadSanitizer sees it when two are at it, or do not see it */
	uint32_t failing;     /* so many tries */
};

struct user {
	mag_frame frame;
	MAG_ARGS(user, struct made *m; uint32_t *failed;);
	int64_t rc;
};

MAG_TASK(user)
{
	MAG_BEGIN(user);
	MAG_AWAIT(self->rc, mag_once_begin, &self->m->once);
	NEED(self->rc == 0 || self->rc == 1);
	if (self->rc == 1) {
		self->m->tries++;
		MAG_YIELD(self->rc);
		MAG_AWAIT(self->rc, mag_once_begin, &self->m->once);
		NEED(self->rc == MAG_EDEADLK);
		self->rc = self->m->tries <= self->m->failing ? -EIO : 0;
		if (self->rc == 0)
			self->m->made++;
		NEED(mag_once_done(&self->m->once, self->rc) == 0);
	}
	if (self->rc < 0) {
		magi_add_rlx(self->failed, 1u);
		MAG_RETURN(0);
	}
	NEED(self->m->made == 1);
	NEED(mag_once_is_done(&self->m->once));
	MAG_AWAIT(self->rc, mag_once_begin, &self->m->once);
	NEED(self->rc == 0);
	MAG_AWAIT(self->rc, mag_once_begin_until, &self->m->once, 0);
	NEED(self->rc == 0);
	NEED(mag_once_try_begin(&self->m->once) == 0);
	MAG_RETURN(0);
	MAG_END;
}

struct users {
	mag_frame frame;
	MAG_ARGS(users, struct made *m; uint32_t n; uint32_t *failed;);
	mag_group group;
	uint32_t i;
	int64_t rc;
};

MAG_TASK(users)
{
	MAG_BEGIN(users);
	MAG_GROUP_BEGIN(&self->group);
	for (self->i = 0; self->i < self->n; self->i++)
		MAG_SPAWN(self->rc, &self->group, user, .m = self->m, .failed = self->failed);
	MAG_GROUP_END(self->rc, &self->group);
	MAG_RETURN(self->rc);
	MAG_END;
}

Test(once, is_made_once_by_the_first_that_does_not_fail, .timeout = 20)
{
	for (uint32_t round = 0; round < 50 / PLAY_SLOWDOWN; round++) {
		struct made m = { .once = MAG_ONCE_INIT, .failing = 3 };
		uint32_t failed = 0;
		int64_t rc = RUN(1 + round % 4, users, .m = &m, .n = 50, .failed = &failed);

		cr_assert_eq(rc, 0, "%s", where(rc));
		cr_assert_eq(m.tries, 4);
		cr_assert_eq(failed, 3);
		cr_assert_eq(mag_once_fini(&m.once), 0);
	}
}

/* Step by step. */

struct heir {
	mag_frame frame;
	MAG_ARGS(heir, mag_once *once; int64_t want; bool cancelled;);
	int64_t rc;
};

MAG_TASK(heir)
{
	MAG_BEGIN(heir);
	MAG_AWAIT(self->rc, mag_once_begin, self->once);
	NEED(self->rc == self->want);
	if (self->rc == 1) {
		MAG_YIELD(self->rc);
		NEED(self->rc == (self->cancelled ? MAG_ECANCELED : 0));
		NEED(mag_once_done(self->once, self->rc) == 0);
	}
	MAG_RETURN(0);
	MAG_END;
}

struct steps {
	mag_frame frame;
	MAG_NO_ARGS(steps);
	mag_once once;
	mag_group group;
	mag_handle first, second;
	int64_t rc;
};

MAG_TASK(steps)
{
	MAG_BEGIN(steps);
	mag_once_init(&self->once);
	NEED(!mag_once_is_done(&self->once));
	NEED(mag_once_try_begin(&self->once) == 1);
	NEED(mag_once_try_begin(&self->once) == MAG_EDEADLK);
	NEED(mag_once_done(&self->once, -EIO) == 0);
	MAG_AWAIT(self->rc, mag_once_begin_until, &self->once, 0);
	NEED(self->rc == 1 && !mag_once_is_done(&self->once));
	MAG_GROUP_BEGIN(&self->group);
	MAG_SPAWN_AS(self->rc, &self->first, &self->group, heir, .once = &self->once, .want = MAG_ECANCELED);
	UNTIL_WAITING(self->rc, &self->once.waitq, 1);
	MAG_SPAWN_AS(self->rc, &self->second, &self->group, heir, .once = &self->once, .want = 1,
		     .cancelled = true);
	UNTIL_WAITING(self->rc, &self->once.waitq, 2);
	MAG_SPAWN(self->rc, &self->group, heir, .once = &self->once, .want = 1);
	UNTIL_WAITING(self->rc, &self->once.waitq, 3);
	MAG_SPAWN(self->rc, &self->group, heir, .once = &self->once, .want = 0);
	UNTIL_WAITING(self->rc, &self->once.waitq, 4);
	mag_handle_cancel(&self->first);
	/* the second is the heir, and is cancelled too late: it must be elected, or nobody is (here is one worker) */
	NEED(mag_once_done(&self->once, -EIO) == 0);
	mag_handle_cancel(&self->second);
	NEED(mag_once_try_begin(&self->once) == -EAGAIN);
	MAG_AWAIT(self->rc, mag_once_begin_until, &self->once, 0);
	NEED(self->rc == MAG_ETIMEDOUT);
	MAG_GROUP_END(self->rc, &self->group);
	NEED(self->rc == 0);
	NEED(mag_once_is_done(&self->once));
	NEED(mag_once_fini(&self->once) == 0);
	MAG_RETURN(0);
	MAG_END;
}

Test(once, next_is_elected_when_one_fails_or_is_cancelled, .timeout = 20)
{
	int64_t rc = RUN(1, steps, );

	cr_assert_eq(rc, 0, "%s", where(rc));
}

struct wrong {
	mag_frame frame;
	MAG_ARGS(wrong, mag_once *once;);
};

MAG_TASK(wrong)
{
	MAG_BEGIN(wrong);
	NEED(mag_once_done(self->once, 0) == -EPERM);
	MAG_RETURN(0);
	MAG_END;
}

struct misuse {
	mag_frame frame;
	MAG_ARGS(misuse, bool end;);
	mag_once once;
	int64_t rc;
};

MAG_TASK(misuse)
{
	MAG_BEGIN(misuse);
	mag_once_init(&self->once);
	MAG_AWAIT(self->rc, mag_once_begin, &self->once);
	NEED(self->rc == 1);
	if (self->end) {
		NEED(mag_once_fini(&self->once) == -EBUSY);
		MAG_RETURN(0);
	}
	MAG_FORK(wrong, .once = &self->once);
	MAG_JOIN(self->rc);
	NEED(self->rc == 0 && !mag_once_is_done(&self->once));
	NEED(mag_once_done(&self->once, 0) == 0);
	MAG_RETURN(0);
	MAG_END;
}

static void misused(bool end)
{
	int64_t rc = RUN(2, misuse, .end = end);

	cr_assert_eq(rc, 0, "%s", where(rc));
}

Test(once, is_not_done_by_another, MISUSE(.timeout = 20))
{
	misused(false);
}

Test(once, cannot_end_while_some_task_is_at_it, MISUSE(.timeout = 20))
{
	misused(true);
}

/* Cancellation: who waits is told that it is done, or is elected. */

struct once_subject {
	struct subject s;
	mag_once once;
};

static mag_once *of(struct subject *s)
{
	return &((struct once_subject *)s)->once;
}

static mag_frame *wait_done(mag_worker *w, mag_frame *f, struct subject *s, uint64_t *out)
{
	(void)out;
	return mag_once_begin(w, f, of(s));
}

static void give_done(struct subject *s, mag_worker *w, mag_frame *f)
{
	(void)w;
	(void)mag_once_done_by(f, of(s), 0);
}

static bool reset_done(struct subject *s, mag_worker *w, mag_frame *f)
{
	bool done = mag_once_is_done(of(s));

	(void)w;
	mag_once_init(of(s));
	return magi_once_try(f, of(s)) == 1 && done;
}

static void set_up(struct subject *s, mag_worker *w, mag_frame *f)
{
	(void)w;
	(void)magi_once_try(f, of(s));
}

static void make_done(struct once_subject *m)
{
	*m = (struct once_subject){ .s = { .wait = wait_done, .give = give_done, .reset = reset_done, .set_up = set_up,
					   .waitq = &m->once.waitq, .stays = true } };
}

struct elected {
	mag_frame frame;
	MAG_ARGS(elected, mag_once *once;);
	int64_t rc;
};

MAG_TASK(elected)
{
	MAG_BEGIN(elected);
	MAG_AWAIT(self->rc, mag_once_begin_until, self->once, mag_deadline_in(100 * MAG_SECOND));
	MAG_RETURN(self->rc == 1 ? 0 : self->rc);
	MAG_END;
}

static mag_frame *wait_elected(mag_worker *w, mag_frame *f, struct subject *s, uint64_t *out)
{
	struct elected *c = magi_frame_take(w, MAGI_CLASS(sizeof(*c)), sizeof(*c));

	(void)out;
	c->once = of(s);
	return magi_call(f, &c->frame, elected_step, MAGI_CLASS(sizeof(*c)));
}

static void give_up(struct subject *s, mag_worker *w, mag_frame *f)
{
	(void)w;
	(void)mag_once_done_by(f, of(s), -EIO);
}

static bool reset_elected(struct subject *s, mag_worker *w, mag_frame *f)
{
	(void)w;
	return magi_once_try(f, of(s)) == 1;
}

static void make_elected(struct once_subject *m)
{
	make_done(m);
	m->s.wait = wait_elected;
	m->s.give = give_up;
	m->s.after = give_up;
	m->s.reset = reset_elected;
}

Test(once, cancelled_waiter_is_not_elected_and_blocks_nobody, .timeout = 20)
{
	MATRIX_CASES(struct once_subject, make_done);
	MATRIX_CASES(struct once_subject, make_elected);
}

Test(once, elected_and_cancelled_at_once_is_one_of_both, .timeout = 120)
{
	MATRIX_RACES(struct once_subject, make_elected);
}
