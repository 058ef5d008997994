/* SPDX-License-Identifier: MIT */
/* test_schedules.c - small programs, each on as many schedules as there is time for.
 *
 * What:    a program has a few tasks that meet at one thing, with deadlines that fall into the middle, so that most of its
 *          schedules are of some hundred points: what only happens at one of them is come by soon.
 * Always:  a program says by itself what must hold; afterwards its ledger is even and nothing is left.
 *
 * MAGPIE_SCHEDULES: how many for all programs together. They run on all CPUs. */
#include <criterion/criterion.h>
#include <errno.h>
#include <magpie/magpie.h>
#include <magpie/sim.h>
#include <sys/socket.h>

#include "simulated/seeds.h"
#include "support/trade.h"

#define SOON ((uint64_t)(5 + self->i * 9) * MAG_MICROSECOND) /* before, amid or after what the others do */

/* A lock: one holder, and whoever comes too late has none. */

struct locker {
	mag_frame frame;
	MAG_ARGS(locker, mag_mutex *lock; int *holders; int i;);
	mag_scope scope;
	int64_t rc, why;
};

MAG_TASK(locker)
{
	MAG_BEGIN(locker);
	MAG_WITH_TIMEOUT(&self->scope, SOON);
	MAG_AWAIT(self->rc, mag_mutex_lock, self->lock);
	if (self->rc == 0) {
		mag_sim_assert((*self->holders)++ == 0);
		MAG_AWAIT(self->rc, mag_sleep, 4 * MAG_MICROSECOND);
		mag_sim_assert(--*self->holders == 0);
		mag_mutex_unlock(self->lock);
	}
	MAG_SCOPE_END(self->why, &self->scope);
	MAG_RETURN(0);
	MAG_END;
}

struct lock {
	mag_frame frame;
	MAG_NO_ARGS(lock);
	mag_group group;
	mag_mutex mutex;
	int64_t rc;
	int i, holders;
};

MAG_TASK(lock)
{
	MAG_BEGIN(lock);
	mag_mutex_init(&self->mutex);
	self->holders = 0;
	MAG_GROUP_BEGIN(&self->group);
	for (self->i = 0; self->i < 4; self->i++)
		MAG_SPAWN(self->rc, &self->group, locker, .lock = &self->mutex, .holders = &self->holders,
			  .i = self->i);
	MAG_GROUP_END(self->rc, &self->group);
	mag_sim_assert(self->rc == 0 && mag_mutex_fini(&self->mutex) == 0);
	mag_sim_assert_quiescent();
	MAG_RETURN(0);
	MAG_END;
}

/* Permits: none is lost with a waiter that is cancelled when it is granted some. */

struct guest {
	mag_frame frame;
	MAG_ARGS(guest, mag_semaphore *beds; int i;);
	mag_scope scope;
	int64_t rc, why;
};

MAG_TASK(guest)
{
	MAG_BEGIN(guest);
	MAG_WITH_TIMEOUT(&self->scope, SOON);
	MAG_AWAIT(self->rc, mag_semaphore_acquire, self->beds, 1 + (uint32_t)self->i % 3);
	if (self->rc == 0) {
		MAG_AWAIT(self->rc, mag_sleep, 6 * MAG_MICROSECOND);
		mag_semaphore_release(self->beds, 1 + (uint32_t)self->i % 3);
	}
	MAG_SCOPE_END(self->why, &self->scope);
	MAG_RETURN(0);
	MAG_END;
}

struct permits {
	mag_frame frame;
	MAG_NO_ARGS(permits);
	mag_group group;
	mag_semaphore beds;
	int64_t rc;
	int i;
};

MAG_TASK(permits)
{
	MAG_BEGIN(permits);
	mag_semaphore_init(&self->beds, 3, 3);
	MAG_GROUP_BEGIN(&self->group);
	for (self->i = 0; self->i < 5; self->i++)
		MAG_SPAWN(self->rc, &self->group, guest, .beds = &self->beds, .i = self->i);
	MAG_GROUP_END(self->rc, &self->group);
	mag_sim_assert(mag_semaphore_permits(&self->beds) == 3 && mag_semaphore_fini(&self->beds) == 0);
	mag_sim_assert_quiescent();
	MAG_RETURN(0);
	MAG_END;
}

/* A queue of one place: what was pushed is popped, or still there. */

struct writer {
	mag_frame frame;
	MAG_ARGS(writer, mag_queue *q; int i;);
	mag_scope scope;
	int64_t rc, why;
	int item;
};

MAG_TASK(writer)
{
	MAG_BEGIN(writer);
	MAG_WITH_TIMEOUT(&self->scope, SOON);
	for (self->rc = self->item = 0; self->item < 3 && self->rc == 0; self->item++) {
		MAG_AWAIT(self->rc, mag_queue_push, self->q, &self->item);
		mag_ledger_add("items", self->rc == 0);
	}
	MAG_SCOPE_END(self->why, &self->scope);
	MAG_RETURN(0);
	MAG_END;
}

struct reader {
	mag_frame frame;
	MAG_ARGS(reader, mag_queue *q; int i;);
	mag_scope scope;
	int64_t rc, why;
	int item;
};

MAG_TASK(reader)
{
	MAG_BEGIN(reader);
	MAG_WITH_TIMEOUT(&self->scope, SOON);
	do {
		MAG_AWAIT(self->rc, mag_queue_pop, self->q, &self->item);
		mag_ledger_add("items", self->rc == 0 ? -1 : 0);
	} while (self->rc == 0);
	MAG_SCOPE_END(self->why, &self->scope);
	MAG_RETURN(0);
	MAG_END;
}

struct pipe {
	mag_frame frame;
	MAG_NO_ARGS(pipe);
	mag_group group;
	mag_queue q;
	int64_t rc;
	int i;
};

MAG_TASK(pipe)
{
	MAG_BEGIN(pipe);
	if (mag_queue_init(&self->q, 1, sizeof(int)) < 0)
		MAG_RETURN(0);
	MAG_GROUP_BEGIN(&self->group);
	for (self->i = 0; self->i < 2; self->i++) {
		MAG_SPAWN(self->rc, &self->group, writer, .q = &self->q, .i = self->i + 1);
		MAG_SPAWN(self->rc, &self->group, reader, .q = &self->q, .i = self->i + 2);
	}
	MAG_AWAIT(self->rc, mag_sleep, 20 * MAG_MICROSECOND);
	mag_queue_close(&self->q);
	MAG_GROUP_END(self->rc, &self->group);
	while (mag_queue_try_pop(&self->q, &self->i) == 0)
		mag_ledger_add("items", -1);
	mag_sim_assert(mag_queue_fini(&self->q) == 0);
	mag_sim_assert_quiescent();
	MAG_RETURN(0);
	MAG_END;
}

/* An event and a future: everybody who waits is woken, once. */

struct watcher {
	mag_frame frame;
	MAG_ARGS(watcher, mag_event *go; mag_future * f; int i;);
	mag_scope scope;
	int64_t rc, why;
};

MAG_TASK(watcher)
{
	MAG_BEGIN(watcher);
	MAG_AWAIT(self->rc, mag_event_wait, self->go);
	mag_sim_assert(self->rc == 0);
	if (self->i == 0)
		mag_sim_assert(mag_future_complete(self->f, 42) == 0);
	MAG_WITH_TIMEOUT(&self->scope, SOON);
	MAG_AWAIT(self->rc, mag_future_await, self->f);
	MAG_SCOPE_END(self->why, &self->scope);
	mag_sim_assert(self->rc == 42 || self->rc == MAG_ECANCELED);
	MAG_AWAIT(self->rc, mag_future_await, self->f);
	mag_sim_assert(self->rc == 42);
	MAG_RETURN(0);
	MAG_END;
}

struct signals {
	mag_frame frame;
	MAG_NO_ARGS(signals);
	mag_group group;
	mag_event go;
	mag_future f;
	int64_t rc;
	int i;
};

MAG_TASK(signals)
{
	MAG_BEGIN(signals);
	mag_event_init(&self->go);
	mag_future_init(&self->f);
	MAG_GROUP_BEGIN(&self->group);
	for (self->i = 0; self->i < 4; self->i++)
		MAG_SPAWN(self->rc, &self->group, watcher, .go = &self->go, .f = &self->f, .i = self->i);
	MAG_AWAIT(self->rc, mag_sleep, 3 * MAG_MICROSECOND);
	mag_event_set(&self->go);
	MAG_GROUP_END(self->rc, &self->group);
	mag_sim_assert(self->rc == 0 && mag_event_fini(&self->go) == 0);
	mag_future_fini(&self->f);
	mag_sim_assert_quiescent();
	MAG_RETURN(0);
	MAG_END;
}

/* A race, and one that fails fast: the others are cancelled and joined. */

struct runner {
	mag_frame frame;
	MAG_ARGS(runner, int *running; int64_t result; int i;);
	int64_t rc;
};

MAG_TASK(runner)
{
	MAG_BEGIN(runner);
	mag_ledger_add("running", 1);
	MAG_AWAIT(self->rc, mag_sleep, SOON);
	mag_ledger_add("running", -1);
	MAG_RETURN(self->rc < 0 ? self->rc : self->result);
	MAG_END;
}

struct race {
	mag_frame frame;
	MAG_NO_ARGS(race);
	mag_group group;
	int64_t rc;
	int i;
};

MAG_TASK(race)
{
	MAG_BEGIN(race);
	MAG_GROUP_BEGIN(&self->group, .policy = MAG_RACE, .limit = 3);
	for (self->i = 0; self->i < 4; self->i++)
		MAG_SPAWN(self->rc, &self->group, runner, .i = 3 - self->i, .result = 1 + self->i);
	MAG_GROUP_END(self->rc, &self->group);
	mag_sim_assert(self->rc > 0 && self->rc <= 4);
	mag_group_clear(&self->group);
	MAG_GROUP_BEGIN(&self->group);
	for (self->i = 0; self->i < 4; self->i++)
		MAG_SPAWN(self->rc, &self->group, runner, .i = self->i, .result = self->i == 1 ? -EIO : 0);
	MAG_GROUP_END(self->rc, &self->group);
	mag_sim_assert(self->rc == -EIO);
	mag_group_clear(&self->group);
	mag_sim_assert_quiescent();
	MAG_RETURN(0);
	MAG_END;
}

/* Forks within forks, stolen or not, some of which sleep. */

struct tree {
	mag_frame frame;
	MAG_ARGS(tree, int depth; int64_t * out;);
	int64_t rc, left, right;
};

MAG_TASK(tree)
{
	MAG_BEGIN(tree);
	*self->out = 1;
	if (self->depth == 0) {
		MAG_AWAIT(self->rc, mag_sleep, (uint64_t)(*self->out + 1) * MAG_MICROSECOND);
		MAG_RETURN(0);
	}
	MAG_FORK(tree, .depth = self->depth - 1, .out = &self->left);
	MAG_FORK(tree, .depth = self->depth - 1, .out = &self->right);
	MAG_JOIN(self->rc);
	*self->out = self->left + self->right;
	MAG_RETURN(self->rc);
	MAG_END;
}

struct forks {
	mag_frame frame;
	MAG_NO_ARGS(forks);
	int64_t rc, out;
};

MAG_TASK(forks)
{
	MAG_BEGIN(forks);
	MAG_CALL(self->rc, tree, .depth = 4, .out = &self->out);
	mag_sim_assert(self->rc == 0 && self->out == 16);
	mag_sim_assert_quiescent();
	MAG_RETURN(0);
	MAG_END;
}

/* Jobs on both lanes whose scope ends before, amid or after them. */

static int64_t work(void *arg)
{
	mag_sim_point();
	return *(int *)arg + 1;
}

struct errand {
	mag_frame frame;
	MAG_ARGS(errand, int i;);
	mag_scope scope;
	int64_t rc, why;
};

MAG_TASK(errand)
{
	MAG_BEGIN(errand);
	MAG_WITH_TIMEOUT(&self->scope, SOON * 40);
	MAG_AWAIT(self->rc, mag_offload, self->i % 2 ? MAG_BLOCKING : MAG_COMPUTE, work, &self->i);
	MAG_SCOPE_END(self->why, &self->scope);
	mag_sim_assert(self->rc == self->i + 1 || self->rc == MAG_ECANCELED);
	MAG_RETURN(0);
	MAG_END;
}

struct errands {
	mag_frame frame;
	MAG_NO_ARGS(errands);
	mag_group group;
	int64_t rc;
	int i;
};

MAG_TASK(errands)
{
	MAG_BEGIN(errands);
	MAG_GROUP_BEGIN(&self->group);
	for (self->i = 0; self->i < 4; self->i++)
		MAG_SPAWN(self->rc, &self->group, errand, .i = self->i);
	MAG_GROUP_END(self->rc, &self->group);
	mag_sim_assert(self->rc == 0);
	MAG_RETURN(0);
	MAG_END;
}

/* Bytes through a pair of sockets, read with a deadline: none is lost with a read that is cancelled. */

struct sender {
	mag_frame frame;
	MAG_ARGS(sender, mag_fd fd; int n;);
	int64_t rc;
	char byte;
};

MAG_TASK(sender)
{
	MAG_BEGIN(sender);
	for (self->byte = 0; self->byte < self->n; self->byte++) {
		MAG_AWAIT(self->rc, mag_send, self->fd, &self->byte, 1);
		if (self->rc != 1)
			MAG_RETURN(self->rc);
	}
	MAG_RETURN(0);
	MAG_END;
}

struct bytes {
	mag_frame frame;
	MAG_NO_ARGS(bytes);
	mag_group group;
	mag_scope scope;
	mag_fd fd[2];
	int64_t rc, why;
	char got[4], want;
};

MAG_TASK(bytes)
{
	MAG_BEGIN(bytes);
	if (mag_socket_pair(SOCK_STREAM, self->fd) < 0)
		MAG_RETURN(0);
	MAG_GROUP_BEGIN(&self->group);
	MAG_SPAWN(self->rc, &self->group, sender, .fd = self->fd[0], .n = 4);
	for (self->want = 0; self->want < 4;) {
		MAG_WITH_TIMEOUT(&self->scope, 7 * MAG_MICROSECOND);
		MAG_AWAIT(self->rc, mag_recv, self->fd[1], self->got, sizeof(self->got));
		MAG_SCOPE_END(self->why, &self->scope);
		mag_sim_assert(self->rc > 0 || self->rc == MAG_ECANCELED);
		for (int64_t k = 0; k < self->rc; k++)
			mag_sim_assert(self->got[k] == self->want++);
	}
	MAG_GROUP_END(self->rc, &self->group);
	mag_sim_assert(self->rc == 0);
	MAG_AWAIT(self->rc, mag_close, self->fd[0]);
	MAG_AWAIT(self->rc, mag_close, self->fd[1]);
	mag_sim_assert_quiescent();
	MAG_RETURN(0);
	MAG_END;
}

/* All of them. */

PROGRAM(lock)
PROGRAM(permits)
PROGRAM(pipe)
PROGRAM(signals)
PROGRAM(race)
PROGRAM(forks)
PROGRAM(errands)
PROGRAM(bytes)

/* Each seed with one kind of queue. */
static int64_t run_trade(uint64_t seed)
{
	return mag_sim_run(seed, NULL, trade, .kind = (int)(seed % 4));
}

ALL(schedules, lock, a_lock_has_one_holder)
ALL(schedules, permits, no_permit_is_lost)
ALL(schedules, pipe, a_queue_keeps_what_is_in_it)
ALL(schedules, signals, everybody_who_waits_is_woken)
ALL(schedules, race, who_loses_a_race_is_joined)
ALL(schedules, forks, forks_within_forks_are_joined)
ALL(schedules, errands, a_job_ends_once)
ALL(schedules, bytes, a_cancelled_read_takes_nothing)
ALL(schedules, trade, what_is_handed_over_is_there_once)
