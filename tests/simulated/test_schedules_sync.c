/* SPDX-License-Identifier: MIT */
/* test_schedules_sync.c - as test_schedules.c: reader-writer lock, condition, barrier, mutex, once. */
#include <criterion/criterion.h>
#include <errno.h>
#include <magpie/magpie.h>
#include <magpie/sim.h>

#include "simulated/seeds.h"

#define SOON mag_deadline_in((uint64_t)(5 + self->i * 9) * MAG_MICROSECOND) /* before, amid or after what the others do */

/* Readers and writers, some of them too late. */

struct user {
	mag_frame frame;
	MAG_ARGS(user, mag_rwlock *lock; int *inside; int i;);
	int64_t rc;
};

MAG_TASK(user)
{
	MAG_BEGIN(user);
	if (self->i % 2) {
		MAG_AWAIT(self->rc, mag_rwlock_lock_write_until, self->lock, SOON);
		if (self->rc < 0)
			MAG_RETURN(0);
		mag_sim_assert(*self->inside == 0);
		*self->inside = -1;
		MAG_AWAIT(self->rc, mag_sleep, 2 * MAG_MICROSECOND);
		mag_sim_assert(*self->inside == -1);
		*self->inside = 1;
		mag_sim_assert(mag_rwlock_downgrade(self->lock) == 0);
	} else {
		MAG_AWAIT(self->rc, mag_rwlock_lock_read_until, self->lock, SOON);
		if (self->rc < 0)
			MAG_RETURN(0);
		mag_sim_assert(*self->inside >= 0);
		++*self->inside;
	}
	MAG_AWAIT(self->rc, mag_sleep, 4 * MAG_MICROSECOND);
	mag_sim_assert(--*self->inside >= 0);
	mag_sim_assert(mag_rwlock_unlock_read(self->lock) == 0);
	MAG_RETURN(0);
	MAG_END;
}

struct rwlock {
	mag_frame frame;
	MAG_NO_ARGS(rwlock);
	mag_group group;
	mag_rwlock lock;
	int64_t rc;
	int i, inside;
};

MAG_TASK(rwlock)
{
	MAG_BEGIN(rwlock);
	mag_rwlock_init(&self->lock);
	self->inside = 0;
	MAG_GROUP_BEGIN(&self->group);
	for (self->i = 0; self->i < 6; self->i++)
		MAG_SPAWN(self->rc, &self->group, user, .lock = &self->lock, .inside = &self->inside, .i = self->i);
	MAG_GROUP_END(self->rc, &self->group);
	mag_sim_assert(self->rc == 0 && mag_rwlock_fini(&self->lock) == 0);
	mag_sim_assert_quiescent();
	MAG_RETURN(0);
	MAG_END;
}

/* A turn goes round: each waits for its own, and signals whose it is next. No signal is lost, or all of them wait. */

enum { TURNS = 3 };

struct table {
	mag_mutex mutex;
	mag_condition mine[TURNS];
	int turn;
};

struct player {
	mag_frame frame;
	MAG_ARGS(player, struct table *t; int i;);
	int64_t rc;
	int k;
};

MAG_TASK(player)
{
	MAG_BEGIN(player);
	for (self->k = 0; self->k < 3; self->k++) {
		MAG_AWAIT(self->rc, mag_mutex_lock, &self->t->mutex);
		while (self->t->turn != self->i) {
			if (self->k == 1)
				MAG_AWAIT(self->rc, mag_condition_wait_until, &self->t->mine[self->i],
					  &self->t->mutex, SOON);
			else
				MAG_AWAIT(self->rc, mag_condition_wait, &self->t->mine[self->i], &self->t->mutex);
			mag_sim_assert(self->rc == 0 || (self->k == 1 && self->rc == MAG_ETIMEDOUT));
		}
		self->t->turn = (self->i + 1) % TURNS;
		mag_sim_assert(mag_mutex_unlock(&self->t->mutex) == 0);
		mag_condition_signal(&self->t->mine[(self->i + 1) % TURNS]);
	}
	MAG_RETURN(0);
	MAG_END;
}

struct turns {
	mag_frame frame;
	MAG_NO_ARGS(turns);
	mag_group group;
	struct table t;
	int64_t rc;
	int i;
};

MAG_TASK(turns)
{
	MAG_BEGIN(turns);
	self->t = (struct table){ .mutex = MAG_MUTEX_INIT };
	MAG_GROUP_BEGIN(&self->group);
	for (self->i = 0; self->i < TURNS; self->i++)
		MAG_SPAWN(self->rc, &self->group, player, .t = &self->t, .i = self->i);
	MAG_GROUP_END(self->rc, &self->group);
	mag_sim_assert(self->rc == 0 && mag_mutex_fini(&self->t.mutex) == 0);
	mag_sim_assert_quiescent();
	MAG_RETURN(0);
	MAG_END;
}

/* Two rounds of three; a fourth comes and goes, and may take the place of one, which the last one makes up for. */

struct comer {
	mag_frame frame;
	MAG_ARGS(comer, mag_barrier *barrier; int *last; int *others; int i;);
	int64_t rc;
};

MAG_TASK(comer)
{
	MAG_BEGIN(comer);
	MAG_AWAIT(self->rc, mag_barrier_wait_until, self->barrier, SOON);
	mag_sim_assert(self->rc == 0 || self->rc == 1 || self->rc == MAG_ETIMEDOUT);
	*self->last += self->rc == 1;
	*self->others += self->rc == 0;
	MAG_RETURN(0);
	MAG_END;
}

struct barrier {
	mag_frame frame;
	MAG_NO_ARGS(barrier);
	mag_group group;
	mag_barrier barrier;
	int64_t rc;
	int i, last, others;
};

MAG_TASK(barrier)
{
	MAG_BEGIN(barrier);
	mag_barrier_init(&self->barrier, 3);
	self->last = self->others = 0;
	MAG_GROUP_BEGIN(&self->group);
	for (self->i = 0; self->i < 5; self->i++)
		MAG_SPAWN(self->rc, &self->group, comer, .barrier = &self->barrier, .last = &self->last,
			  .others = &self->others, .i = self->i);
	MAG_GROUP_END(self->rc, &self->group);
	/* each round that was complete was left by all who were in it */
	mag_sim_assert(self->rc == 0 && self->others == 2 * self->last);
	mag_sim_assert(mag_barrier_fini(&self->barrier) == 0);
	mag_sim_assert_quiescent();
	MAG_RETURN(0);
	MAG_END;
}

/* The one that waits comes to its deadline, the holder gives the lock back, and another one wants it, all at once. */

struct keen {
	mag_frame frame;
	MAG_ARGS(keen, mag_mutex *mutex; int i;);
	mag_scope own;
	int64_t rc, why;
};

MAG_TASK(keen)
{
	MAG_BEGIN(keen);
	MAG_WITH_TIMEOUT(&self->own, self->i == 1 ? 4 * MAG_MICROSECOND : MAG_SECOND);
	if (self->i == 2)
		MAG_AWAIT(self->rc, mag_sleep, 4 * MAG_MICROSECOND);
	MAG_AWAIT(self->rc, mag_mutex_lock, self->mutex);
	mag_sim_assert(self->rc == 0 || (self->i == 1 && self->rc == MAG_ECANCELED));
	if (self->rc == 0) {
		if (self->i == 0)
			MAG_AWAIT(self->rc, mag_sleep, 4 * MAG_MICROSECOND);
		mag_sim_assert(mag_mutex_unlock(self->mutex) == 0);
	}
	MAG_SCOPE_END(self->why, &self->own);
	MAG_RETURN(0);
	MAG_END;
}

struct mutex {
	mag_frame frame;
	MAG_NO_ARGS(mutex);
	mag_group group;
	mag_mutex mutex;
	int64_t rc;
	int i;
};

MAG_TASK(mutex)
{
	MAG_BEGIN(mutex);
	mag_mutex_init(&self->mutex);
	MAG_GROUP_BEGIN(&self->group);
	for (self->i = 0; self->i < 3; self->i++)
		MAG_SPAWN(self->rc, &self->group, keen, .mutex = &self->mutex, .i = self->i);
	MAG_GROUP_END(self->rc, &self->group);
	mag_sim_assert(self->rc == 0 && mag_mutex_fini(&self->mutex) == 0);
	mag_sim_assert_quiescent();
	MAG_RETURN(0);
	MAG_END;
}

/* It is made once; the first fails, others come too late. */

struct maker {
	mag_frame frame;
	MAG_ARGS(maker, mag_once *once; int *made; int i;);
	int64_t rc;
};

MAG_TASK(maker)
{
	MAG_BEGIN(maker);
	MAG_AWAIT(self->rc, mag_once_begin_until, self->once, SOON);
	if (self->rc == 1) {
		++*self->made;
		MAG_AWAIT(self->rc, mag_sleep, 4 * MAG_MICROSECOND);
		self->rc = *self->made < 2 ? -EIO : 0;
		mag_sim_assert(mag_once_done(self->once, self->rc) == 0);
	}
	if (self->rc == 0)
		mag_sim_assert(*self->made == 2);
	MAG_RETURN(0);
	MAG_END;
}

struct once {
	mag_frame frame;
	MAG_NO_ARGS(once);
	mag_group group;
	mag_once once;
	int64_t rc;
	int i, made;
};

MAG_TASK(once)
{
	MAG_BEGIN(once);
	mag_once_init(&self->once);
	self->made = 0;
	MAG_GROUP_BEGIN(&self->group);
	for (self->i = 0; self->i < 4; self->i++)
		MAG_SPAWN(self->rc, &self->group, maker, .once = &self->once, .made = &self->made, .i = self->i);
	MAG_GROUP_END(self->rc, &self->group);
	/* if all others were too late nobody has tried a second time */
	mag_sim_assert(self->rc == 0 && (self->made == 2) == mag_once_is_done(&self->once));
	mag_sim_assert((self->made == 1 || self->made == 2) && mag_once_fini(&self->once) == 0);
	mag_sim_assert_quiescent();
	MAG_RETURN(0);
	MAG_END;
}

/* All of them. */

PROGRAM(rwlock)
PROGRAM(turns)
PROGRAM(barrier)
PROGRAM(mutex)
PROGRAM(once)

ALL(schedules_sync, rwlock, a_writer_is_alone)
ALL(schedules_sync, turns, no_signal_is_lost)
ALL(schedules_sync, barrier, a_round_is_left_by_all_who_were_in_it)
ALL(schedules_sync, mutex, nobody_waits_for_a_lock_that_is_free)
ALL(schedules_sync, once, it_is_made_once)
