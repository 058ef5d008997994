/* SPDX-License-Identifier: MIT */
/* test_faults_tasks.c - every fault in turn: groups, scopes, primitives, jobs. */
#include "simulated/turns.h"

/* Groups with handles and a limit, forks, deadlines, a cancelled member. */

struct leaf {
	mag_frame frame;
	MAG_ARGS(leaf, uint64_t ns; int64_t result;);
	int64_t rc;
};

MAG_TASK(leaf)
{
	MAG_BEGIN(leaf);
	mag_ledger_add("leaves", 1);
	MAG_AWAIT(self->rc, mag_sleep, self->ns);
	mag_ledger_add("leaves", -1);
	MAG_RETURN(self->rc < 0 ? self->rc : self->result);
	MAG_END;
}

struct branch {
	mag_frame frame;
	MAG_ARGS(branch, uint64_t ns;);
	mag_scope scope;
	char room[3000]; /* a frame of another size than its leaves' */
	int64_t rc, why, one;
};

MAG_TASK(branch)
{
	MAG_BEGIN(branch);
	mag_ledger_add("branches", 1);
	MAG_WITH_TIMEOUT(&self->scope, 20 * MAG_MICROSECOND);
	MAG_FORK(leaf, .ns = self->ns);
	MAG_FORK(leaf, .ns = 2 * self->ns);
	MAG_CALL(self->one, leaf, .ns = self->ns / 2, .result = 7);
	MAG_JOIN(self->rc);
	MAG_SCOPE_END(self->why, &self->scope);
	mag_ledger_add("branches", -1);
	mag_sim_assert(self->one < 0 || self->one == 7);
	MAG_RETURN(self->rc < 0 ? self->rc : self->why);
	MAG_END;
}

enum { MEMBERS = 6 };

struct family {
	mag_frame frame;
	MAG_NO_ARGS(family);
	mag_group group, named;
	mag_handle handle[3], *next;
	int64_t rc, i, started, ended;
	uint32_t refused;
};

MAG_TASK(family)
{
	MAG_BEGIN(family);
	self->refused = 0;
	MAG_GROUP_BEGIN(&self->group, .policy = MAG_COLLECT, .limit = 3);
	for (self->i = 0; self->i < MEMBERS; self->i++) {
		MAG_SPAWN(self->rc, &self->group, branch, .ns = (uint64_t)(1 + self->i) * 5 * MAG_MICROSECOND);
		self->refused += self->rc < 0;
	}
	MAG_GROUP_END(self->rc, &self->group);
	mag_sim_assert(mag_group_errors(&self->group, NULL) <= MEMBERS);
	mag_group_clear(&self->group);
	self->started = self->ended = 0;
	MAG_GROUP_BEGIN(&self->named, .policy = MAG_COLLECT);
	for (self->i = 0; self->i < 3; self->i++) {
		MAG_SPAWN_AS(self->rc, &self->handle[self->i], &self->named, leaf,
			     .ns = (uint64_t)(3 - self->i) * MAG_MILLISECOND, .result = self->i);
		if (self->rc == 0)
			self->started++;
		if (self->rc == 0 && self->i == 0)
			mag_handle_cancel(&self->handle[0]);
	}
	for (;;) {
		MAG_AWAIT(self->rc, mag_group_next, &self->named, &self->next);
		if (self->rc <= 0)
			break;
		self->ended++;
		mag_sim_assert(mag_handle_done(self->next));
	}
	mag_sim_assert(self->ended == self->started);
	MAG_GROUP_END(self->rc, &self->named);
	mag_group_clear(&self->named);
	mag_sim_assert_quiescent();
	MAG_RETURN(0);
	MAG_END;
}

TURNS(faults_tasks, a_family_of_tasks_loses_none, family, 1.0)

/* A queue of two places, three permits, a lock, an event, a future. */

enum { ITEMS = 6, PERMITS = 3 };

struct shop {
	mag_queue queue;
	mag_semaphore permits;
	mag_mutex lock;
	mag_event open;
	mag_future last;
	int64_t holders;
};

struct maker {
	mag_frame frame;
	MAG_ARGS(maker, struct shop *shop; int64_t from;);
	mag_scope scope;
	int64_t rc, i, item, why;
};

MAG_TASK(maker)
{
	MAG_BEGIN(maker);
	MAG_AWAIT(self->rc, mag_event_wait, &self->shop->open);
	for (self->i = 0; self->i < ITEMS && self->rc == 0; self->i++) {
		self->item = self->from + self->i;
		MAG_WITH_TIMEOUT(&self->scope, 30 * MAG_MICROSECOND);
		MAG_AWAIT(self->rc, mag_queue_push, &self->shop->queue, &self->item);
		MAG_SCOPE_END(self->why, &self->scope);
		if (self->rc == 0)
			mag_ledger_add("items", 1);
		if (self->rc == MAG_ECANCELED && self->why == MAG_ETIMEDOUT)
			self->rc = 0;
	}
	MAG_RETURN(self->rc);
	MAG_END;
}

struct taker {
	mag_frame frame;
	MAG_ARGS(taker, struct shop *shop; uint32_t need;);
	mag_scope scope;
	int64_t rc, item, why;
};

MAG_TASK(taker)
{
	MAG_BEGIN(taker);
	for (;;) {
		MAG_AWAIT(self->rc, mag_queue_pop, &self->shop->queue, &self->item);
		if (self->rc < 0)
			break;
		mag_ledger_add("items", -1);
		MAG_WITH_TIMEOUT(&self->scope, 50 * MAG_MICROSECOND);
		MAG_AWAIT(self->rc, mag_semaphore_acquire, &self->shop->permits, self->need);
		MAG_SCOPE_END(self->why, &self->scope);
		if (self->rc < 0)
			continue;
		MAG_AWAIT(self->rc, mag_mutex_lock, &self->shop->lock);
		if (self->rc == 0) {
			mag_sim_assert(self->shop->holders++ == 0);
			MAG_AWAIT(self->rc, mag_sleep, 10 * MAG_MICROSECOND);
			self->shop->holders--;
			mag_mutex_unlock(&self->shop->lock);
		}
		mag_semaphore_release(&self->shop->permits, self->need);
	}
	mag_future_complete(&self->shop->last, 5);
	MAG_RETURN(self->rc == MAG_ECLOSED ? 0 : self->rc);
	MAG_END;
}

struct trade {
	mag_frame frame;
	MAG_NO_ARGS(trade);
	struct shop shop;
	mag_group makers, takers;
	int64_t rc, i, left, some;
};

MAG_TASK(trade)
{
	MAG_BEGIN(trade);
	if (mag_queue_init(&self->shop.queue, 2, sizeof(int64_t)) < 0)
		MAG_RETURN(0);
	mag_semaphore_init(&self->shop.permits, PERMITS, PERMITS);
	mag_mutex_init(&self->shop.lock);
	mag_event_init(&self->shop.open);
	mag_future_init(&self->shop.last);
	self->shop.holders = self->some = 0;
	MAG_GROUP_BEGIN(&self->takers, .policy = MAG_COLLECT);
	for (self->i = 0; self->i < 3; self->i++) {
		MAG_SPAWN(self->rc, &self->takers, taker, .shop = &self->shop, .need = 1 + (uint32_t)self->i);
		self->some += self->rc == 0;
	}
	MAG_GROUP_BEGIN(&self->makers, .policy = MAG_COLLECT);
	for (self->i = 0; self->i < 3; self->i++)
		MAG_SPAWN(self->rc, &self->makers, maker, .shop = &self->shop, .from = 100 * self->i);
	mag_event_set(&self->shop.open);
	MAG_GROUP_END(self->rc, &self->makers);
	mag_queue_close(&self->shop.queue);
	if (self->some) {
		MAG_AWAIT(self->rc, mag_future_await, &self->shop.last);
		mag_sim_assert(self->rc == 5);
	}
	MAG_GROUP_END(self->rc, &self->takers);
	while (mag_queue_try_pop(&self->shop.queue, &self->left) == 0)
		mag_ledger_add("items", -1);
	mag_sim_assert(mag_semaphore_permits(&self->shop.permits) == PERMITS);
	mag_sim_assert(!mag_mutex_is_locked(&self->shop.lock));
	mag_sim_assert(mag_semaphore_fini(&self->shop.permits) == 0 && mag_mutex_fini(&self->shop.lock) == 0);
	mag_sim_assert(mag_event_fini(&self->shop.open) == 0 && mag_queue_fini(&self->shop.queue) == 0);
	mag_future_fini(&self->shop.last);
	mag_group_clear(&self->makers);
	mag_group_clear(&self->takers);
	mag_sim_assert_quiescent();
	MAG_RETURN(0);
	MAG_END;
}

TURNS(faults_tasks, primitives_keep_items_and_permits, trade, 1.0)

/* Jobs on both lanes: lent, owned, abandoned. */

static int64_t work(void *arg)
{
	return *(int64_t *)arg + 1;
}

static void drop(void *arg)
{
	mag_ledger_add("arguments", -1);
	free(arg);
}

struct job {
	mag_frame frame;
	MAG_ARGS(job, uint32_t lane; uint64_t ns;);
	mag_scope scope;
	int64_t rc, n, why, *owned;
};

MAG_TASK(job)
{
	MAG_BEGIN(job);
	self->n = 41;
	MAG_WITH_TIMEOUT(&self->scope, self->ns);
	MAG_AWAIT(self->rc, mag_offload, self->lane, work, &self->n);
	mag_sim_assert(self->rc < 0 || self->rc == 42);
	self->owned = malloc(sizeof(*self->owned));
	if (self->owned) {
		*self->owned = 1;
		mag_ledger_add("arguments", 1);
		MAG_AWAIT(self->rc, mag_offload_owned, self->lane, work, self->owned, drop);
		mag_sim_assert(self->rc < 0 || self->rc == 2);
	}
	MAG_SCOPE_END(self->why, &self->scope);
	MAG_RETURN(self->rc);
	MAG_END;
}

struct jobs {
	mag_frame frame;
	MAG_NO_ARGS(jobs);
	mag_group group;
	int64_t rc, i;
};

MAG_TASK(jobs)
{
	MAG_BEGIN(jobs);
	MAG_GROUP_BEGIN(&self->group, .policy = MAG_COLLECT);
	for (self->i = 0; self->i < 8; self->i++)
		MAG_SPAWN(self->rc, &self->group, job, .lane = self->i % 2 ? MAG_BLOCKING : MAG_COMPUTE,
			  .ns = self->i < 4 ? MAG_SECOND : (uint64_t)self->i * 100 * MAG_MICROSECOND);
	MAG_GROUP_END(self->rc, &self->group);
	mag_group_clear(&self->group);
	MAG_AWAIT(self->rc, mag_sleep, MAG_SECOND); /* the abandoned ones end by themselves */
	mag_sim_assert_quiescent();
	MAG_RETURN(0);
	MAG_END;
}

TURNS(faults_tasks, jobs_end_and_free_what_they_own, jobs, 1.0)
