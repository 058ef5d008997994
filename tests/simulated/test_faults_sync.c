/* SPDX-License-Identifier: MIT */
/* test_faults_sync.c - every fault in turn: the rest of src/sync, with deadlines, whose frames may be refused. */
#include "simulated/turns.h"

enum { MEMBERS = 4 };

struct all {
	mag_once once;
	mag_rwlock lock;
	mag_mutex mutex;
	mag_semaphore permits;
	mag_condition changed;
	mag_barrier barrier;
};

struct member {
	mag_frame frame;
	MAG_ARGS(member, struct all *all; int i;);
	int64_t rc;
};

#define SOON mag_deadline_in((uint64_t)(5 + self->i * 9) * MAG_MICROSECOND)

MAG_TASK(member)
{
	MAG_BEGIN(member);
	MAG_AWAIT(self->rc, mag_once_begin_until, &self->all->once, SOON);
	if (self->rc == 1) {
		MAG_AWAIT(self->rc, mag_sleep, 2 * MAG_MICROSECOND);
		mag_sim_assert(mag_once_done(&self->all->once, self->rc) == 0);
	}
	if (self->i % 2) {
		MAG_AWAIT(self->rc, mag_rwlock_lock_write_until, &self->all->lock, SOON);
		mag_sim_assert(self->rc < 0 || mag_rwlock_downgrade(&self->all->lock) == 0);
	} else {
		MAG_AWAIT(self->rc, mag_rwlock_lock_read_until, &self->all->lock, SOON);
	}
	if (self->rc == 0) {
		MAG_AWAIT(self->rc, mag_sleep, 4 * MAG_MICROSECOND);
		mag_sim_assert(mag_rwlock_unlock_read(&self->all->lock) == 0);
	}
	MAG_AWAIT(self->rc, mag_semaphore_acquire_until, &self->all->permits, 1, SOON);
	if (self->rc == 0)
		mag_sim_assert(mag_semaphore_release(&self->all->permits, 1) == 0);
	MAG_AWAIT(self->rc, mag_mutex_lock, &self->all->mutex);
	if (self->rc == 0) {
		MAG_AWAIT(self->rc, mag_condition_wait_until, &self->all->changed, &self->all->mutex, SOON);
		mag_sim_assert(mag_mutex_unlock(&self->all->mutex) == 0); /* whatever that was */
		mag_condition_signal(&self->all->changed);
	}
	MAG_AWAIT(self->rc, mag_barrier_wait_until, &self->all->barrier, SOON);
	MAG_RETURN(0);
	MAG_END;
}

struct club {
	mag_frame frame;
	MAG_NO_ARGS(club);
	struct all all;
	mag_group group;
	int64_t rc;
	int i;
};

MAG_TASK(club)
{
	MAG_BEGIN(club);
	self->all = (struct all){ .permits = MAG_SEMAPHORE_BARGING_INIT(1, 1), .barrier = MAG_BARRIER_INIT(2) };
	MAG_GROUP_BEGIN(&self->group);
	for (self->i = 0; self->i < MEMBERS; self->i++)
		MAG_SPAWN(self->rc, &self->group, member, .all = &self->all, .i = self->i);
	MAG_GROUP_END(self->rc, &self->group);
	mag_sim_assert(mag_once_fini(&self->all.once) == 0 && mag_rwlock_fini(&self->all.lock) == 0);
	mag_sim_assert(mag_mutex_fini(&self->all.mutex) == 0 && mag_condition_fini(&self->all.changed) == 0);
	mag_sim_assert(mag_barrier_fini(&self->all.barrier) == 0 && mag_semaphore_permits(&self->all.permits) == 1);
	mag_sim_assert(mag_semaphore_fini(&self->all.permits) == 0);
	mag_sim_assert_quiescent();
	MAG_RETURN(0);
	MAG_END;
}

TURNS(faults_sync, nothing_is_held_in_the_end, club, 1.0)
