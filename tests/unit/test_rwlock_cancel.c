/* SPDX-License-Identifier: MIT */
/* test_rwlock_cancel.c - src/sync/rwlock.c: who waits for it is cancelled. */
#include <magpie/rwlock.h>
#include <magpie/time.h>

#include <criterion/criterion.h>

#include "play.h"
#include "support/matrix.h"

/* A writer that waits for a reader holds up another reader; it is cancelled, and the reader goes on. */

struct reader {
	mag_frame frame;
	MAG_ARGS(reader, mag_rwlock *lock; bool write; uint32_t *done;);
	int64_t rc;
};

MAG_TASK(reader)
{
	MAG_BEGIN(reader);
	if (self->write)
		MAG_AWAIT(self->rc, mag_rwlock_lock_write, self->lock);
	else
		MAG_AWAIT(self->rc, mag_rwlock_lock_read, self->lock);
	if (self->rc < 0)
		MAG_RETURN(self->rc);
	raise_flag(self->done);
	NEED(mag_rwlock_unlock_read(self->lock) == 0);
	MAG_RETURN(0);
	MAG_END;
}

struct head_goes {
	mag_frame frame;
	MAG_ARGS(head_goes, bool by_deadline;);
	mag_rwlock lock;
	mag_group group;
	mag_handle writer;
	uint32_t done, gone;
	int64_t rc;
};

struct late_writer {
	mag_frame frame;
	MAG_ARGS(late_writer, mag_rwlock *lock; uint32_t *gone;);
	int64_t rc;
};

MAG_TASK(late_writer)
{
	MAG_BEGIN(late_writer);
	MAG_AWAIT(self->rc, mag_rwlock_lock_write_until, self->lock, mag_deadline_in(5 * MAG_MILLISECOND));
	raise_flag(self->gone);
	NEED(self->rc == MAG_ETIMEDOUT);
	MAG_RETURN(0);
	MAG_END;
}

MAG_TASK(head_goes)
{
	MAG_BEGIN(head_goes);
	mag_rwlock_init(&self->lock);
	self->done = self->gone = 0;
	MAG_AWAIT(self->rc, mag_rwlock_lock_read, &self->lock);
	NEED(self->rc == 0);
	MAG_GROUP_BEGIN(&self->group);
	if (self->by_deadline)
		MAG_SPAWN(self->rc, &self->group, late_writer, .lock = &self->lock, .gone = &self->gone);
	else
		MAG_SPAWN_AS(self->rc, &self->writer, &self->group, reader, .lock = &self->lock, .write = true,
			     .done = &self->done);
	NEED(self->rc == 0);
	while (waiting(&self->lock.waitq) < 1 && !is_raised(&self->gone)) /* a busy machine may miss its wait */
		MAG_YIELD(self->rc);
	MAG_SPAWN(self->rc, &self->group, reader, .lock = &self->lock, .done = &self->done);
	NEED(self->rc == 0);
	if (!self->by_deadline) {
		UNTIL_WAITING(self->rc, &self->lock.waitq, 2);
		NEED(!is_raised(&self->done));
		mag_handle_cancel(&self->writer);
	}
	while (!is_raised(&self->done))
		MAG_YIELD(self->rc);
	NEED(mag_rwlock_unlock_read(&self->lock) == 0);
	MAG_GROUP_END(self->rc, &self->group);
	NEED(self->rc == 0);
	NEED(mag_rwlock_fini(&self->lock) == 0);
	MAG_RETURN(0);
	MAG_END;
}

Test(rwlock_cancel, cancelled_writer_lets_the_readers_behind_it_go, .timeout = 20)
{
	int64_t rc = RUN(2, head_goes, .by_deadline = false);

	cr_assert_eq(rc, 0, "%s", where(rc));
	rc = RUN(2, head_goes, .by_deadline = true);
	cr_assert_eq(rc, 0, "%s", where(rc));
}

/* Cancellation: who waits reads, or writes, or has a deadline that is far away. */

struct rwlock_subject {
	struct subject s;
	mag_rwlock lock;
};

static mag_rwlock *of(struct subject *s)
{
	return &((struct rwlock_subject *)s)->lock;
}

static mag_frame *wait_read(mag_worker *w, mag_frame *f, struct subject *s, uint64_t *out)
{
	(void)out;
	return mag_rwlock_lock_read(w, f, of(s));
}

static mag_frame *wait_write(mag_worker *w, mag_frame *f, struct subject *s, uint64_t *out)
{
	(void)out;
	return mag_rwlock_lock_write(w, f, of(s));
}

static mag_frame *wait_write_until(mag_worker *w, mag_frame *f, struct subject *s, uint64_t *out)
{
	(void)out;
	return mag_rwlock_lock_write_until(w, f, of(s), mag_deadline_in(100 * MAG_SECOND));
}

static void give_read(struct subject *s, mag_worker *w, mag_frame *f)
{
	(void)mag_rwlock_unlock_read_by(w, f, of(s));
}

static void give_write(struct subject *s, mag_worker *w, mag_frame *f)
{
	(void)mag_rwlock_unlock_write_by(w, f, of(s));
}

static bool reset(struct subject *s, mag_worker *w, mag_frame *f)
{
	(void)w;
	return magi_rwlock_try_lock(f, of(s), true) == 0;
}

static void set_up(struct subject *s, mag_worker *w, mag_frame *f)
{
	(void)reset(s, w, f);
}

static void make_writer(struct rwlock_subject *m)
{
	*m = (struct rwlock_subject){ .s = { .wait = wait_write, .give = give_write, .after = give_write,
					     .reset = reset, .set_up = set_up, .waitq = &m->lock.waitq,
					     .stays = true } };
}

static void make_reader(struct rwlock_subject *m)
{
	make_writer(m);
	m->s.wait = wait_read;
	m->s.after = give_read;
}

static void make_late(struct rwlock_subject *m)
{
	make_writer(m);
	m->s.wait = wait_write_until;
}

Test(rwlock_cancel, cancelled_waiter_holds_nothing_and_blocks_nobody, .timeout = 20)
{
	MATRIX_CASES(struct rwlock_subject, make_writer);
	MATRIX_CASES(struct rwlock_subject, make_reader);
	MATRIX_CASES(struct rwlock_subject, make_late);
}

Test(rwlock_cancel, unlocked_and_cancelled_at_once_is_one_of_both, .timeout = 120)
{
	MATRIX_RACES(struct rwlock_subject, make_writer);
}

/* Many wait, and are cancelled all the time; nobody is left over. */

struct shared {
	mag_rwlock lock;
	uint64_t a, b; /* plain, always the same */
};

struct impatient {
	mag_frame frame;
	MAG_ARGS(impatient, struct shared *s; uint32_t n; uint64_t seed;);
	struct magi_random random;
	uint32_t i;
	bool write;
	int64_t rc;
};

MAG_TASK(impatient)
{
	MAG_BEGIN(impatient);
	magi_random_seed(&self->random, self->seed);
	for (self->i = 0; self->i < self->n; self->i++) {
		self->write = magi_random_below(&self->random, 3) == 0;
		if (self->write)
			MAG_AWAIT(self->rc, mag_rwlock_lock_write_until, &self->s->lock,
				  mag_deadline_in(MAG_MICROSECOND * magi_random_below(&self->random, 200)));
		else
			MAG_AWAIT(self->rc, mag_rwlock_lock_read_until, &self->s->lock,
				  mag_deadline_in(MAG_MICROSECOND * magi_random_below(&self->random, 200)));
		NEED(self->rc == 0 || self->rc == MAG_ETIMEDOUT);
		if (self->rc < 0)
			continue;
		if (self->write)
			self->s->a++;
		if (magi_random_below(&self->random, 4) == 0)
			MAG_YIELD(self->rc);
		if (self->write)
			self->s->b++;
		NEED(self->s->a == self->s->b);
		NEED((self->write ? mag_rwlock_unlock_write(&self->s->lock) :
				    mag_rwlock_unlock_read(&self->s->lock)) == 0);
	}
	MAG_RETURN(0);
	MAG_END;
}

struct crowd {
	mag_frame frame;
	MAG_ARGS(crowd, struct shared *s; uint32_t tasks; uint32_t n;);
	mag_group group;
	uint32_t i;
	int64_t rc;
};

MAG_TASK(crowd)
{
	MAG_BEGIN(crowd);
	MAG_GROUP_BEGIN(&self->group);
	for (self->i = 0; self->i < self->tasks; self->i++)
		MAG_SPAWN(self->rc, &self->group, impatient, .s = self->s, .n = self->n, .seed = self->i + 1);
	MAG_GROUP_END(self->rc, &self->group);
	NEED(self->rc == 0);
	NEED(mag_rwlock_fini(&self->s->lock) == 0);
	MAG_RETURN(0);
	MAG_END;
}

Test(rwlock_cancel, crowd_of_impatient_tasks_leaves_it_free, .timeout = 60)
{
	static struct shared s = { .lock = MAG_RWLOCK_INIT };
	int64_t rc = RUN(4, crowd, .s = &s, .tasks = 16, .n = 1500 / PLAY_SLOWDOWN);

	cr_assert_eq(rc, 0, "%s", where(rc));
	cr_assert_gt(s.a, 0);
}
