/* SPDX-License-Identifier: MIT */
/* test_report_end.c - debug mode: what is told at the end of a task, locks; and at the end of a runtime, files. */
#include "hear.h"

#include <fcntl.h>

static struct heard heard;

/* Locks: only where the program is compiled with MAGPIE_DEBUG. */
#ifdef MAGPIE_DEBUG

struct locks {
	mag_mutex mutex;
	mag_rwlock rwlock;
	mag_condition condition;
	mag_event waiting;
};

enum way { LOCK, TRY_LOCK, READ, TRY_READ, WRITE, TRY_WRITE, DOWNGRADE, WAYS };

static int locked_in;

struct holds {
	mag_frame frame;
	MAG_ARGS(holds, struct locks *locks; enum way way; bool lets_go; int64_t *rc_out;);
	int64_t rc;
};

MAG_TASK(holds)
{
	MAG_BEGIN(holds);
	MAG_YIELD(self->rc);
	locked_in = __LINE__ + 2;
	if (self->way == LOCK)
		MAG_AWAIT(self->rc, mag_mutex_lock, &self->locks->mutex);
	else if (self->way == TRY_LOCK)
		self->rc = mag_mutex_try_lock(&self->locks->mutex);
	else if (self->way == READ)
		MAG_AWAIT(self->rc, mag_rwlock_lock_read, &self->locks->rwlock);
	else if (self->way == TRY_READ)
		self->rc = mag_rwlock_try_lock_read(&self->locks->rwlock);
	else if (self->way == WRITE || self->way == DOWNGRADE)
		MAG_AWAIT(self->rc, mag_rwlock_lock_write, &self->locks->rwlock);
	else
		self->rc = mag_rwlock_try_lock_write(&self->locks->rwlock);
	CHECK(self->rc == 0);
	if (self->way == DOWNGRADE)
		mag_rwlock_downgrade(&self->locks->rwlock);
	if (!self->lets_go)
		MAG_RETURN(0);
	if (self->way <= TRY_LOCK)
		mag_mutex_unlock(&self->locks->mutex);
	else if (self->way <= TRY_READ || self->way == DOWNGRADE)
		mag_rwlock_unlock_read(&self->locks->rwlock);
	else
		mag_rwlock_unlock_write(&self->locks->rwlock);
	MAG_RETURN(0);
	MAG_END;
}

/* One that holds, after another has let go, so that it is given what it waits for. */
struct two_hold {
	mag_frame frame;
	MAG_ARGS(two_hold, enum way way; bool lets_go; bool forks;);
	struct locks locks;
	mag_group group;
	int64_t rc;
};

MAG_TASK(two_hold)
{
	MAG_BEGIN(two_hold);
	memset(&self->locks, 0, sizeof(self->locks));
	MAG_AWAIT(self->rc, mag_mutex_lock, &self->locks.mutex);
	MAG_AWAIT(self->rc, mag_rwlock_lock_write, &self->locks.rwlock);
	if (self->way == TRY_LOCK || self->way == TRY_READ || self->way == TRY_WRITE) {
		mag_mutex_unlock(&self->locks.mutex);
		mag_rwlock_unlock_write(&self->locks.rwlock);
	}
	if (self->forks) {
		MAG_FORK(holds, .locks = &self->locks, .way = self->way, .lets_go = self->lets_go);
	} else {
		MAG_GROUP_BEGIN(&self->group);
		MAG_SPAWN(self->rc, &self->group, holds, .locks = &self->locks, .way = self->way,
			  .lets_go = self->lets_go);
	}
	MAG_AWAIT(self->rc, mag_sleep, 5 * MAG_MILLISECOND);
	if (mag_mutex_is_locked(&self->locks.mutex) && self->way != TRY_LOCK) {
		mag_mutex_unlock(&self->locks.mutex);
		if (self->way != TRY_READ && self->way != TRY_WRITE)
			mag_rwlock_unlock_write(&self->locks.rwlock);
	}
	if (self->forks)
		MAG_JOIN(self->rc);
	else
		MAG_GROUP_END(self->rc, &self->group);
	MAG_RETURN(self->rc);
	MAG_END;
}

Test(report, lock_held_at_the_end_of_its_task, .timeout = 30)
{
	for (enum way way = LOCK; way < WAYS; way++) {
		TOLD(heard, MAG_REPORT_LOCK,
		     way <= TRY_LOCK                       ? "holds has ended and holds a mutex"
		     : way <= TRY_READ || way == DOWNGRADE ? "rwlock for reading"
							   : "rwlock for writing",
		     two_hold, .way = way);
		if (way == LOCK)
			cr_assert_eq(heard.report[0].made->line, locked_in, "%s", heard.text[0]);
	}
	TOLD(heard, MAG_REPORT_LOCK, "holds a mutex", two_hold, .way = LOCK, .forks = true);
}

Test(report, lock_given_back_is_no_mistake, .timeout = 30)
{
	for (enum way way = LOCK; way < WAYS; way++)
		SILENT(two_hold, .way = way, .lets_go = true);
}

/* A function that takes a lock for its caller; one that is refused; a condition, which gives it back and takes it. */
struct takes {
	mag_frame frame;
	MAG_ARGS(takes, struct locks *locks;);
	int64_t rc;
};

MAG_TASK(takes)
{
	MAG_BEGIN(takes);
	MAG_AWAIT(self->rc, mag_mutex_lock, &self->locks->mutex);
	MAG_RETURN(self->rc);
	MAG_END;
}

struct refused {
	mag_frame frame;
	MAG_ARGS(refused, struct locks *locks;);
	int64_t rc;
};

MAG_TASK(refused)
{
	MAG_BEGIN(refused);
	MAG_AWAIT(self->rc, mag_mutex_lock_until, &self->locks->mutex, mag_deadline_in(MAG_MILLISECOND));
	CHECK(self->rc == MAG_ETIMEDOUT);
	self->rc = mag_mutex_try_lock(&self->locks->mutex);
	CHECK(self->rc == -EAGAIN);
	self->rc = mag_rwlock_try_lock_read(&self->locks->rwlock);
	CHECK(self->rc == -EAGAIN);
	MAG_AWAIT(self->rc, mag_rwlock_lock_read_until, &self->locks->rwlock, mag_deadline_in(MAG_MILLISECOND));
	CHECK(self->rc == MAG_ETIMEDOUT);
	MAG_RETURN(0);
	MAG_END;
}

struct signals {
	mag_frame frame;
	MAG_ARGS(signals, struct locks *locks;);
	int64_t rc;
};

MAG_TASK(signals)
{
	MAG_BEGIN(signals);
	MAG_AWAIT(self->rc, mag_mutex_lock, &self->locks->mutex);
	mag_condition_signal(&self->locks->condition);
	mag_mutex_unlock(&self->locks->mutex);
	MAG_RETURN(0);
	MAG_END;
}

struct uses {
	mag_frame frame;
	MAG_ARGS(uses, bool keeps;);
	struct locks locks;
	mag_group group;
	int64_t rc;
};

MAG_TASK(uses)
{
	MAG_BEGIN(uses);
	memset(&self->locks, 0, sizeof(self->locks));
	MAG_CALL(self->rc, takes, .locks = &self->locks);
	MAG_AWAIT(self->rc, mag_rwlock_lock_write, &self->locks.rwlock);
	MAG_GROUP_BEGIN(&self->group);
	MAG_SPAWN(self->rc, &self->group, refused, .locks = &self->locks);
	MAG_GROUP_END(self->rc, &self->group);
	mag_rwlock_unlock_write(&self->locks.rwlock);
	MAG_GROUP_BEGIN(&self->group);
	MAG_SPAWN(self->rc, &self->group, signals, .locks = &self->locks);
	MAG_AWAIT(self->rc, mag_condition_wait, &self->locks.condition, &self->locks.mutex);
	CHECK(self->rc == 0 && mag_mutex_is_locked(&self->locks.mutex));
	if (!self->keeps)
		mag_mutex_unlock(&self->locks.mutex);
	MAG_GROUP_END(self->rc, &self->group);
	MAG_RETURN(0);
	MAG_END;
}

Test(report, locks_of_callees_refused_locks_and_conditions_are_no_mistake, .timeout = 30)
{
	SILENT(uses);
}

Test(report, lock_of_the_first_task_taken_by_a_callee_and_kept_through_a_condition, .timeout = 30)
{
	TOLD(heard, MAG_REPORT_LOCK, "has ended and holds a mutex", uses, .keeps = true);
}

/* Who is refused a thousand times is not noted a thousand times. */

static uint32_t notes(mag_worker *w)
{
	struct magi_reminders *all = &magi_runtime_of(w)->debug->reminders;
	uint32_t n = 0;

	for (int b = 0; b < MAGI_REMINDER_BUCKETS; b++) {
		magi_lock_acquire(&all->bucket[b].lock);
		for (const struct magi_reminder *r = all->bucket[b].first; r; r = r->next)
			n++;
		magi_lock_release(&all->bucket[b].lock);
	}
	return n;
}

struct asks {
	mag_frame frame;
	MAG_ARGS(asks, struct locks *locks;);
	int64_t rc;
};

MAG_TASK(asks)
{
	MAG_BEGIN(asks);
	for (int i = 0; i < 1000; i++)
		CHECK(mag_mutex_try_lock(&self->locks->mutex) == -EAGAIN);
	CHECK(notes(w) == 2); /* this, and the holder's */
	for (int i = 0; i < 1000; i++) {
		CHECK(mag_rwlock_try_lock_write(&self->locks->rwlock) == 0);
		CHECK(mag_rwlock_downgrade(&self->locks->rwlock) == 0);
		CHECK(mag_rwlock_unlock_read(&self->locks->rwlock) == 0);
	}
	CHECK(notes(w) == 3);
	MAG_RETURN(0);
	MAG_END;
}

struct refuses {
	mag_frame frame;
	MAG_NO_ARGS(refuses);
	struct locks locks;
	mag_group group;
	int64_t rc;
};

MAG_TASK(refuses)
{
	MAG_BEGIN(refuses);
	memset(&self->locks, 0, sizeof(self->locks));
	MAG_AWAIT(self->rc, mag_mutex_lock, &self->locks.mutex);
	MAG_GROUP_BEGIN(&self->group);
	MAG_SPAWN(self->rc, &self->group, asks, .locks = &self->locks);
	MAG_GROUP_END(self->rc, &self->group);
	mag_mutex_unlock(&self->locks.mutex);
	CHECK(notes(w) == 0);
	MAG_RETURN(0);
	MAG_END;
}

Test(report, a_lock_is_noted_once_however_often_it_is_refused, .timeout = 30)
{
	SILENT(refuses);
}

Test(report, locks_on_simulated_schedules, .timeout = 60)
{
	TOLD_SIMULATED(heard, MAG_REPORT_LOCK, "holds has ended and holds a mutex", two_hold, .way = LOCK);
	TOLD_SIMULATED(heard, MAG_REPORT_LOCK, "rwlock for reading", two_hold, .way = READ);
	SILENT_SIMULATED(two_hold, .way = LOCK, .lets_go = true);
	SILENT_SIMULATED(two_hold, .way = DOWNGRADE, .lets_go = true);
	SILENT_SIMULATED(uses);
}

#endif

/* Files. */

struct opens {
	mag_frame frame;
	MAG_ARGS(opens, int how; bool closes;);
	mag_fd fd, more[2];
	int64_t rc;
};

static int file_in;

MAG_TASK(opens)
{
	MAG_BEGIN(opens);
	self->more[0] = self->more[1] = MAG_FD_NONE;
	file_in = __LINE__ + 2;
	if (self->how == 0)
		MAG_AWAIT(self->rc, mag_open, "/dev/null", O_RDONLY, 0, &self->fd);
	if (self->how > 0)
		MAG_YIELD(self->rc);
	if (self->how == 1)
		self->rc = mag_fd_adopt(open("/dev/null", O_RDONLY | O_CLOEXEC), &self->fd);
	if (self->how == 2) {
		self->rc = mag_socket_pair(SOCK_STREAM, self->more);
		self->fd = self->more[0];
		MAG_AWAIT(self->rc, mag_close, self->more[1]);
	}
	CHECK(self->rc == 0);
	if (self->closes)
		MAG_AWAIT(self->rc, mag_close, self->fd);
	MAG_RETURN(0);
	MAG_END;
}

Test(report, file_open_at_the_end, .timeout = 20)
{
	for (int how = 0; how < 3; how++) {
		TOLD(heard, MAG_REPORT_FILE, "is open when the runtime ends, opened by opens", opens, .how = how);
		cr_assert_eq(heard.report[0].made->line, how ? file_in + 2 : file_in, "%s", heard.text[0]);
		cr_assert_geq(heard.report[0].code, 0);
		SILENT(opens, .how = how, .closes = true);
	}
}
