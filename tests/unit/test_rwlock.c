/* SPDX-License-Identifier: MIT */
/* test_rwlock.c - src/sync/rwlock.c. */
#include <magpie/rwlock.h>
#include <magpie/time.h>

#include <criterion/criterion.h>
#include <stdlib.h>

#include "play.h"
#include "support/matrix.h"
#include "tree_look.h"

/* Readers see what is whole, writers are alone. */

struct shared {
	mag_rwlock lock;
	uint64_t a, b;    /* plain, always the same: ThreadSanitizer sees it when the lock does not order */
	uint32_t readers; /* atomic: inside now */
	uint32_t most;    /* atomic: there were at once */
};

struct user {
	mag_frame frame;
	MAG_ARGS(user, struct shared *s; uint32_t n; uint32_t seed;);
	struct magi_random random;
	uint32_t i, in;
	int64_t rc;
};

MAG_TASK(user)
{
	MAG_BEGIN(user);
	magi_random_seed(&self->random, self->seed);
	for (self->i = 0; self->i < self->n; self->i++) {
		if (magi_random_below(&self->random, 4)) {
			MAG_AWAIT(self->rc, mag_rwlock_lock_read, &self->s->lock);
			NEED(self->rc == 0);
			self->in = magi_add_rlx(&self->s->readers, 1u) + 1;
			if (self->in > magi_load_rlx(&self->s->most))
				magi_store_rlx(&self->s->most, self->in);
			NEED(self->s->a == self->s->b);
			if (magi_random_below(&self->random, 4) == 0)
				MAG_YIELD(self->rc);
			NEED(self->s->a == self->s->b);
			magi_sub_rlx(&self->s->readers, 1u);
			NEED(mag_rwlock_unlock_read(&self->s->lock) == 0);
		} else {
			MAG_AWAIT(self->rc, mag_rwlock_lock_write, &self->s->lock);
			NEED(self->rc == 0);
			NEED(magi_load_rlx(&self->s->readers) == 0);
			self->s->a++;
			if (magi_random_below(&self->random, 4) == 0)
				MAG_YIELD(self->rc);
			NEED(++self->s->b == self->s->a);
			if (self->i % 2)
				NEED(mag_rwlock_unlock_write(&self->s->lock) == 0);
			else
				NEED(mag_rwlock_downgrade(&self->s->lock) == 0 &&
				     mag_rwlock_unlock_read(&self->s->lock) == 0);
		}
	}
	MAG_RETURN(0);
	MAG_END;
}

struct users {
	mag_frame frame;
	MAG_ARGS(users, struct shared *s; uint32_t tasks; uint32_t n;);
	mag_group group;
	uint32_t i;
	int64_t rc;
};

MAG_TASK(users)
{
	MAG_BEGIN(users);
	MAG_GROUP_BEGIN(&self->group);
	for (self->i = 0; self->i < self->tasks; self->i++)
		MAG_SPAWN(self->rc, &self->group, user, .s = self->s, .n = self->n, .seed = self->i);
	MAG_GROUP_END(self->rc, &self->group);
	MAG_RETURN(self->rc);
	MAG_END;
}

static void use(uint32_t workers)
{
	static struct shared s = { .lock = MAG_RWLOCK_INIT };
	int64_t rc = RUN(workers, users, .s = &s, .tasks = 16, .n = 3000 / PLAY_SLOWDOWN);

	cr_assert_eq(rc, 0, "%s", where(rc));
	cr_assert_gt(s.most, 1, "nobody has read at once: this shows little");
	cr_assert_eq(mag_rwlock_fini(&s.lock), 0);
}

Test(rwlock, readers_never_meet_a_writer, .timeout = 60)
{
	use(4);
}

Test(rwlock, readers_never_meet_a_writer_on_the_only_worker, .timeout = 60)
{
	use(1);
}

/* Order. Each notes its turn, of turns[0], when it has the lock, and gives it back when it is told. */

struct in_turn {
	mag_frame frame;
	MAG_ARGS(in_turn, mag_rwlock *lock; bool write; uint32_t *turns; uint32_t *mine; uint32_t *go;);
	int64_t rc;
};

MAG_TASK(in_turn)
{
	MAG_BEGIN(in_turn);
	if (self->write)
		MAG_AWAIT(self->rc, mag_rwlock_lock_write, self->lock);
	else
		MAG_AWAIT(self->rc, mag_rwlock_lock_read, self->lock);
	NEED(self->rc == 0);
	*self->mine = magi_add_rlx(&self->turns[0], 1u) + 1;
	magi_add_rel(&self->turns[1], 1u); /* now it may be looked at */
	while (!is_raised(self->go))
		MAG_YIELD(self->rc);
	NEED((self->write ? mag_rwlock_unlock_write(self->lock) : mag_rwlock_unlock_read(self->lock)) == 0);
	MAG_RETURN(0);
	MAG_END;
}

/* R R W R R W R wait for a writer. */
struct queueing {
	mag_frame frame;
	MAG_NO_ARGS(queueing);
	mag_rwlock lock;
	mag_group group;
	uint32_t mine[7], go[7], turns[2], i;
	int64_t rc;
};

#define UNTIL_TURNS(n)                               \
	while (magi_load_acq(&self->turns[1]) < (n)) \
		MAG_YIELD(self->rc)

MAG_TASK(queueing)
{
	MAG_BEGIN(queueing);
	mag_rwlock_init(&self->lock);
	self->turns[0] = self->turns[1] = 0;
	MAG_AWAIT(self->rc, mag_rwlock_lock_write, &self->lock);
	NEED(self->rc == 0);
	MAG_GROUP_BEGIN(&self->group);
	for (self->i = 0; self->i < 7; self->i++) {
		self->mine[self->i] = self->go[self->i] = 0;
		MAG_SPAWN(self->rc, &self->group, in_turn, .lock = &self->lock, .write = self->i == 2 || self->i == 5,
			  .turns = self->turns, .mine = &self->mine[self->i], .go = &self->go[self->i]);
		UNTIL_WAITING(self->rc, &self->lock.waitq, self->i + 1);
	}
	NEED(mag_rwlock_unlock_write(&self->lock) == 0);
	UNTIL_TURNS(2);
	NEED(mag_rwlock_readers(&self->lock) == 2 && waiting(&self->lock.waitq) == 5);
	NEED(mag_rwlock_try_lock_read(&self->lock) == -EAGAIN); /* it would overtake the writer */
	raise_flag(&self->go[0]);
	while (mag_rwlock_readers(&self->lock) == 2)
		MAG_YIELD(self->rc);
	NEED(waiting(&self->lock.waitq) == 5);
	raise_flag(&self->go[1]);
	UNTIL_TURNS(3);
	NEED(self->mine[2] == 3 && mag_rwlock_is_written(&self->lock) && mag_rwlock_readers(&self->lock) == 0);
	/* from the writer, two read at once, and the last one stays behind the other writer */
	raise_flag(&self->go[2]);
	UNTIL_TURNS(5);
	NEED(mag_rwlock_readers(&self->lock) == 2 && waiting(&self->lock.waitq) == 2);
	for (self->i = 3; self->i < 7; self->i++)
		raise_flag(&self->go[self->i]);
	UNTIL_TURNS(7);
	NEED(self->mine[5] == 6 && self->mine[6] == 7);
	MAG_GROUP_END(self->rc, &self->group);
	NEED(self->rc == 0);
	NEED(mag_rwlock_fini(&self->lock) == 0);
	MAG_RETURN(0);
	MAG_END;
}

Test(rwlock, waiters_are_served_in_turn_and_readers_together, .timeout = 20)
{
	int64_t rc = RUN(4, queueing, );

	cr_assert_eq(rc, 0, "%s", where(rc));
}

/* Downgrade: readers that wait come in, a writer behind them does not. */

struct downgraded {
	mag_frame frame;
	MAG_NO_ARGS(downgraded);
	mag_rwlock lock;
	mag_group group;
	uint32_t turns[2], mine[3], go, i;
	int64_t rc;
};

MAG_TASK(downgraded)
{
	MAG_BEGIN(downgraded);
	mag_rwlock_init(&self->lock);
	self->turns[0] = self->turns[1] = self->go = 0;
	MAG_AWAIT(self->rc, mag_rwlock_lock_write_until, &self->lock, MAG_NEVER);
	NEED(self->rc == 0);
	MAG_AWAIT(self->rc, mag_rwlock_lock_write, &self->lock);
	NEED(self->rc == MAG_EDEADLK);
	MAG_AWAIT(self->rc, mag_rwlock_lock_read, &self->lock);
	NEED(self->rc == MAG_EDEADLK);
	MAG_AWAIT(self->rc, mag_rwlock_lock_read_until, &self->lock, 0);
	NEED(self->rc == MAG_EDEADLK);
	NEED(mag_rwlock_try_lock_read(&self->lock) == -EAGAIN);
	MAG_GROUP_BEGIN(&self->group);
	for (self->i = 0; self->i < 3; self->i++) {
		MAG_SPAWN(self->rc, &self->group, in_turn, .lock = &self->lock, .write = self->i == 1,
			  .turns = self->turns, .mine = &self->mine[self->i], .go = &self->go);
		UNTIL_WAITING(self->rc, &self->lock.waitq, self->i + 1);
	}
	NEED(mag_rwlock_downgrade(&self->lock) == 0);
	NEED(mag_rwlock_readers(&self->lock) == 2 && waiting(&self->lock.waitq) == 2);
	raise_flag(&self->go);
	NEED(mag_rwlock_unlock_read(&self->lock) == 0);
	MAG_GROUP_END(self->rc, &self->group);
	NEED(self->rc == 0 && self->turns[0] == 3);
	NEED(self->mine[0] == 1 && self->mine[1] == 2 && self->mine[2] == 3);
	/* alone */
	NEED(mag_rwlock_try_lock_write(&self->lock) == 0);
	NEED(mag_rwlock_try_lock_write(&self->lock) == -EAGAIN);
	NEED(mag_rwlock_downgrade(&self->lock) == 0);
	NEED(mag_rwlock_try_lock_read(&self->lock) == 0);
	NEED(mag_rwlock_try_lock_write(&self->lock) == -EAGAIN);
	NEED(mag_rwlock_readers(&self->lock) == 2);
	NEED(mag_rwlock_unlock_read(&self->lock) == 0 && mag_rwlock_unlock_read(&self->lock) == 0);
	NEED(mag_rwlock_fini(&self->lock) == 0);
	MAG_RETURN(0);
	MAG_END;
}

Test(rwlock, writer_becomes_a_reader_and_lets_readers_in, .timeout = 20)
{
	int64_t rc = RUN(2, downgraded, );

	cr_assert_eq(rc, 0, "%s", where(rc));
	rc = RUN(1, downgraded, );
	cr_assert_eq(rc, 0, "%s", where(rc));
}

/* What hangs: who waits for a writer names it. */

struct told {
	mag_frame frame;
	MAG_NO_ARGS(told);
	mag_rwlock lock;
	mag_group group;
	uint32_t turns[2], mine[2], go;
	int64_t rc;
};

MAG_TASK(told)
{
	MAG_BEGIN(told);
	mag_rwlock_init(&self->lock);
	self->turns[0] = self->turns[1] = self->go = 0;
	MAG_AWAIT(self->rc, mag_rwlock_lock_write, &self->lock);
	MAG_GROUP_BEGIN(&self->group);
	MAG_SPAWN(self->rc, &self->group, in_turn, .lock = &self->lock, .turns = self->turns, .mine = &self->mine[0],
		  .go = &self->go);
	MAG_AWAIT(self->rc, mag_sleep, 1);
	UNTIL_WAITING(self->rc, &self->lock.waitq, 1);
	NEED(strstr(dump(mag_runtime_current()), "in_turn: mag_rwlock_lock_read, held by told"));
	NEED(mag_rwlock_downgrade(&self->lock) == 0);
	MAG_SPAWN(self->rc, &self->group, in_turn, .lock = &self->lock, .write = true, .turns = self->turns,
		  .mine = &self->mine[1], .go = &self->go);
	UNTIL_WAITING(self->rc, &self->lock.waitq, 1);
	NEED(strstr(dump(mag_runtime_current()), "in_turn: mag_rwlock_lock_write"));
	NEED(!strstr(dump(mag_runtime_current()), "held by"));
	raise_flag(&self->go);
	NEED(mag_rwlock_unlock_read(&self->lock) == 0);
	MAG_GROUP_END(self->rc, &self->group);
	MAG_RETURN(self->rc);
	MAG_END;
}

Test(rwlock, dump_says_who_writes, .timeout = 20)
{
	int64_t rc = RUN(2, told, );

	cr_assert_eq(rc, 0, "%s", where(rc));
}

/* Wrong use. */

enum wrong { WRITE_BY_ANOTHER, WRITE_FREE, READ_FREE, READ_WRITTEN, KEEP_READ, END_READ };

struct robber {
	mag_frame frame;
	MAG_ARGS(robber, mag_rwlock *lock;);
};

MAG_TASK(robber)
{
	MAG_BEGIN(robber);
	NEED(mag_rwlock_unlock_write(self->lock) == -EPERM);
	MAG_RETURN(0);
	MAG_END;
}

struct misuse {
	mag_frame frame;
	MAG_ARGS(misuse, enum wrong how;);
	mag_rwlock lock;
	int64_t rc;
};

MAG_TASK(misuse)
{
	MAG_BEGIN(misuse);
	mag_rwlock_init(&self->lock);
	if (self->how == WRITE_BY_ANOTHER || self->how == READ_WRITTEN)
		NEED(mag_rwlock_try_lock_write(&self->lock) == 0);
	if (self->how == KEEP_READ || self->how == END_READ)
		NEED(mag_rwlock_try_lock_read(&self->lock) == 0);
	switch (self->how) {
	case WRITE_BY_ANOTHER:
		MAG_FORK(robber, .lock = &self->lock);
		MAG_JOIN(self->rc);
		NEED(self->rc == 0);
		NEED(mag_rwlock_unlock_write(&self->lock) == 0);
		break;
	case WRITE_FREE:
		NEED(mag_rwlock_unlock_write(&self->lock) == -EPERM);
		break;
	case READ_FREE:
	case READ_WRITTEN:
		NEED(mag_rwlock_unlock_read(&self->lock) == -EPERM);
		NEED(mag_rwlock_readers(&self->lock) == 0);
		break;
	case KEEP_READ:
		NEED(mag_rwlock_downgrade(&self->lock) == -EPERM);
		NEED(mag_rwlock_readers(&self->lock) == 1);
		break;
	case END_READ:
		NEED(mag_rwlock_fini(&self->lock) == -EBUSY);
		break;
	}
	MAG_RETURN(0);
	MAG_END;
}

static void misused(enum wrong how)
{
	int64_t rc = RUN(2, misuse, .how = how);

	cr_assert_eq(rc, 0, "%s", where(rc));
}

Test(rwlock, write_lock_of_another_task_cannot_be_given_back, MISUSE(.timeout = 20))
{
	misused(WRITE_BY_ANOTHER);
}

Test(rwlock, write_lock_that_nobody_has_cannot_be_given_back, MISUSE(.timeout = 20))
{
	misused(WRITE_FREE);
}

Test(rwlock, read_lock_that_nobody_has_cannot_be_given_back, MISUSE(.timeout = 20))
{
	misused(READ_FREE);
}

Test(rwlock, read_lock_cannot_be_given_back_by_a_writer, MISUSE(.timeout = 20))
{
	misused(READ_WRITTEN);
}

Test(rwlock, reader_cannot_downgrade, MISUSE(.timeout = 20))
{
	misused(KEEP_READ);
}

Test(rwlock, cannot_end_while_it_is_held, MISUSE(.timeout = 20))
{
	misused(END_READ);
}
