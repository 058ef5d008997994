/* SPDX-License-Identifier: MIT */
/* storm.h - random tasks that do everything to one another, and the ledger that they keep. */
#ifndef TESTS_STORM_H
#define TESTS_STORM_H

#include <magpie/sim.h>

#include "base/clock.h"

enum ledger_line { TASKS, BODIES, FILES, ITEMS, VALUES, PERMITS, SCOPES, GENERATORS, LEDGER_LINES };

enum { SHELVES = 8, PERMITS_MOST = 5, NEED_MOST = 3 };

struct ledger {
	int64_t line[LEDGER_LINES]; /* each ends at 0 */
	mag_queue queue;            /* all actors trade in it: ITEMS, and the sum of their VALUES */
	mag_semaphore semaphore;
	uint64_t steps;
	uint64_t started;
};

static inline const char *ledger_name(int line)
{
	static const char *const names[] = { "tasks", "bodies", "files", "items", "values", "permits", "scopes", "generators" };

	return names[line];
}

static inline void book(struct ledger *l, enum ledger_line line, int64_t n)
{
	magi_add_rlx(&l->line[line], n); /* [stat] */
}

enum { CHILDREN = 6, DEPTH = 5 };

/* Emits numbers with pauses between them. */
struct counter {
	mag_frame frame;
	MAG_ARGS(counter, struct ledger *ledger; int n;);
	int i;
	int64_t rc;
};

MAG_TASK(counter)
{
	MAG_BEGIN(counter);
	book(self->ledger, GENERATORS, 1);
	for (self->i = 0; self->i < self->n; self->i++) {
		MAG_EMIT(self->rc, self->i);
		if (self->rc < 0)
			break;
		MAG_YIELD(self->rc);
	}
	book(self->ledger, GENERATORS, -1);
	MAG_RETURN(0);
	MAG_END;
}

/* Some random acts, then children that do the same. */
struct actor {
	mag_frame frame;
	MAG_ARGS(actor, struct ledger *ledger; uint64_t seed; int depth; mag_future *future; mag_fd fd;);
	struct magi_random random;
	mag_group group;
	mag_scope scope, shield;
	mag_generator gen;
	mag_handle handle[CHILDREN];
	mag_handle *finished;
	mag_future own;
	mag_fd pair[2];
	int64_t rc, rc2;
	int i, acts, kind, item;
	uint64_t value;
	char byte;
};

MAG_DECLARE_TASK(actor);

/* Cancels a task by its handle, from somewhere else, some time later. */
struct assassin {
	mag_frame frame;
	MAG_ARGS(assassin, struct ledger *ledger; mag_handle *handle; uint64_t ns;);
	int64_t rc;
};

MAG_TASK(assassin)
{
	MAG_BEGIN(assassin);
	book(self->ledger, BODIES, 1);
	MAG_AWAIT(self->rc, mag_sleep, self->ns);
	mag_handle_cancel(self->handle);
	book(self->ledger, BODIES, -1);
	MAG_RETURN(0);
	MAG_END;
}

static inline uint32_t draw(struct actor *self, uint32_t n)
{
	return magi_random_below(&self->random, n);
}

static inline int open_pair(struct actor *self)
{
	int rc = mag_socket_pair(SOCK_STREAM, self->pair);

	if (rc == 0)
		book(self->ledger, FILES, 2);
	return rc;
}

static inline void book_item(struct ledger *l, uint64_t value, int64_t way)
{
	book(l, ITEMS, way);
	book(l, VALUES, way * (int64_t)value);
}

/* 0, or -ENOMEM */
static inline int ledger_open(struct ledger *l)
{
	*l = (struct ledger){ .semaphore = MAG_SEMAPHORE_INIT(PERMITS_MOST, PERMITS_MOST) };
	return mag_queue_init(&l->queue, SHELVES, sizeof(uint64_t));
}

/* After the end of all actors: a line that is not at 0, or -1. */
static inline int ledger_close(struct ledger *l)
{
	uint64_t value;

	while (mag_queue_try_pop(&l->queue, &value) == 0)
		book_item(l, value, -1);
	book(l, PERMITS, PERMITS_MOST - (int64_t)mag_semaphore_permits(&l->semaphore));
	if (mag_queue_fini(&l->queue) < 0)
		return ITEMS;
	if (mag_semaphore_fini(&l->semaphore) < 0)
		return PERMITS;
	for (int i = 0; i < LEDGER_LINES; i++) {
		if (l->line[i])
			return i;
	}
	return -1;
}

/* Without waiting: what there is room for goes in, what there is comes out. */
static inline void trade_now(struct actor *self, bool push)
{
	struct ledger *l = self->ledger;

	if (push && mag_queue_try_push(&l->queue, &self->value) == 0)
		book_item(l, self->value, 1);
	else if (!push && mag_queue_try_pop(&l->queue, &self->value) == 0)
		book_item(l, self->value, -1);
}

/* More permits out than there are is an overdraft, which no later balance would show. */
static inline bool book_permits(struct ledger *l, int64_t n)
{
	book(l, PERMITS, n);
	return magi_load_rlx(&l->line[PERMITS]) <= PERMITS_MOST; /* [stat] */
}

static inline void tell(struct actor *self)
{
	if (self->future)
		mag_future_complete(self->future, 1);
	self->future = NULL;
}

MAG_TASK(actor)
{
	MAG_BEGIN(actor);
	book(self->ledger, BODIES, 1);
	magi_random_seed(&self->random, self->seed);
	self->acts = 1 + (int)draw(self, 4);
	while (self->acts-- > 0) {
		magi_add_rlx(&self->ledger->steps, 1); /* [stat] */
		self->kind = (int)draw(self, self->depth > 0 ? 12 : 7);
		if (self->kind == 0) {
			MAG_YIELD(self->rc);
		} else if (self->kind == 1) {
			MAG_AWAIT(self->rc, mag_sleep, draw(self, 50) * MAG_MICROSECOND);
		} else if (self->kind == 2) {
			/* a deadline that may or may not come first, with a shield inside */
			book(self->ledger, SCOPES, 1);
			MAG_WITH_TIMEOUT(&self->scope, draw(self, 40) * MAG_MICROSECOND);
			MAG_AWAIT(self->rc, mag_sleep, draw(self, 80) * MAG_MICROSECOND);
			MAG_SHIELD(&self->shield, 20 * MAG_MICROSECOND);
			MAG_AWAIT(self->rc, mag_sleep, draw(self, 30) * MAG_MICROSECOND);
			MAG_SCOPE_END(self->rc, &self->shield);
			MAG_SCOPE_END(self->rc, &self->scope);
			book(self->ledger, SCOPES, -1);
		} else if (self->kind == 3) {
			MAG_GENERATE(self->rc, &self->gen, counter, .ledger = self->ledger, .n = (int)draw(self, 6));
			self->item = 0;
			while (self->rc >= 0) {
				MAG_NEXT(self->rc, &self->gen, &self->item);
				if (self->rc <= 0 || draw(self, 4) == 0)
					break;
			}
			MAG_CLOSE(&self->gen);
		} else if (self->kind == 4) {
			/* a future that somebody completes, or not before the deadline */
			tell(self);
		} else if (self->kind == 5) {
			/* an element in or out, or not before the deadline */
			self->value = draw(self, 1000);
			self->item = (int)draw(self, 4);
			MAG_WITH_TIMEOUT(&self->scope, draw(self, 40) * MAG_MICROSECOND);
			if (self->item == 0) {
				MAG_AWAIT(self->rc, mag_queue_push, &self->ledger->queue, &self->value);
				if (self->rc == 0)
					book_item(self->ledger, self->value, 1);
			} else if (self->item == 1) {
				MAG_AWAIT(self->rc, mag_queue_pop, &self->ledger->queue, &self->value);
				if (self->rc == 0)
					book_item(self->ledger, self->value, -1);
			} else {
				trade_now(self, self->item == 2);
			}
			MAG_SCOPE_END(self->rc, &self->scope);
		} else if (self->kind == 6) {
			/* permits, which are kept for a while */
			self->item = 1 + (int)draw(self, NEED_MOST);
			MAG_WITH_TIMEOUT(&self->scope, draw(self, 40) * MAG_MICROSECOND);
			MAG_AWAIT(self->rc, mag_semaphore_acquire, &self->ledger->semaphore, (uint32_t)self->item);
			MAG_SCOPE_END(self->rc2, &self->scope);
			if (self->rc == 0) {
				mag_sim_assert(book_permits(self->ledger, self->item));
				MAG_YIELD(self->rc);
				book(self->ledger, PERMITS, -self->item);
				mag_semaphore_release(&self->ledger->semaphore, (uint32_t)self->item);
			}
		} else if (self->kind <= 8) {
			/* forks, with parks between them */
			self->item = (int)draw(self, 3) + 1;
			for (self->i = 0; self->i < self->item; self->i++) {
				book(self->ledger, TASKS, 1);
				magi_add_rlx(&self->ledger->started, 1); /* [stat] */
				MAG_FORK(actor, .ledger = self->ledger, .seed = magi_random_next(&self->random),
					 .depth = self->depth - 1);
				if (draw(self, 3) == 0) {
					MAG_AWAIT(self->rc, mag_sleep, draw(self, 20) * MAG_MICROSECOND);
				}
			}
			book(self->ledger, TASKS, 1);
			MAG_CALL(self->rc, actor, .ledger = self->ledger, .seed = magi_random_next(&self->random),
				 .depth = self->depth - 1);
			MAG_JOIN(self->rc);
		} else if (self->kind <= 10) {
			/* a group with some policy and limit, whose members are killed now and then */
			MAG_GROUP_BEGIN(&self->group, .policy = (enum mag_policy)draw(self, 3), .limit = draw(self, 4));
			mag_future_init(&self->own);
			for (self->i = 0; self->i < CHILDREN; self->i++) {
				book(self->ledger, TASKS, 1);
				magi_add_rlx(&self->ledger->started, 1); /* [stat] */
				if (self->i & 1) {
					MAG_SPAWN_AS(self->rc, &self->handle[self->i], &self->group, actor,
						     .ledger = self->ledger, .seed = magi_random_next(&self->random),
						     .depth = self->depth - 1);
				} else {
					MAG_SPAWN(self->rc, &self->group, actor, .ledger = self->ledger,
						  .seed = magi_random_next(&self->random), .depth = self->depth - 1,
						  .future = self->i == 0 ? &self->own : NULL);
					if (self->i == 0 && self->rc < 0)
						mag_future_complete(&self->own, 2);
				}
				if (self->rc < 0) {
					book(self->ledger, TASKS, -1);
					continue;
				}
				if ((self->i & 1) && draw(self, 2)) {
					MAG_SPAWN(self->rc, &self->group, assassin, .ledger = self->ledger,
						  .handle = &self->handle[self->i], .ns = draw(self, 60) * MAG_MICROSECOND);
				}
			}
			if (draw(self, 4) == 0) {
				mag_group_cancel(&self->group);
			}
			if (draw(self, 2)) {
				MAG_AWAIT(self->rc, mag_future_await, &self->own);
			}
			while (draw(self, 3)) {
				MAG_AWAIT(self->rc, mag_group_next, &self->group, &self->finished);
				if (self->rc <= 0)
					break;
			}
			if (draw(self, 8) == 0) {
				/* leaves with the group open: it is cancelled and joined by the return */
				tell(self);
				book(self->ledger, BODIES, -1);
				book(self->ledger, TASKS, -1);
				MAG_RETURN(-EIO);
			}
			MAG_GROUP_END(self->rc, &self->group);
			mag_group_clear(&self->group);
		} else {
			/* files: closed while a poll on them is under way in another task */
			self->rc = open_pair(self);
			if (self->rc == 0) {
				MAG_WITH_TIMEOUT(&self->scope, 100 * MAG_MICROSECOND);
				MAG_AWAIT(self->rc, mag_recv, self->pair[0], &self->byte, 1);
				MAG_SCOPE_END(self->rc2, &self->scope);
				MAG_AWAIT(self->rc, mag_close, self->pair[0]);
				MAG_AWAIT(self->rc, mag_close, self->pair[1]);
				book(self->ledger, FILES, -2);
			}
		}
	}
	tell(self);
	book(self->ledger, BODIES, -1);
	book(self->ledger, TASKS, -1);
	MAG_RETURN(draw(self, 10) ? 0 : -EIO);
	MAG_END;
}

/* Starts actors until enough steps were taken. */
struct storm {
	mag_frame frame;
	MAG_ARGS(storm, uint64_t seed; struct ledger *ledger; uint64_t steps; mag_stats *stats;);
	struct magi_random random;
	mag_group group;
	mag_scope scope;
	int64_t rc;
	int i;
};

MAG_TASK(storm)
{
	MAG_BEGIN(storm);
	magi_random_seed(&self->random, self->seed);
	while (magi_load_rlx(&self->ledger->steps) < self->steps) { /* [stat] */
		MAG_WITH_TIMEOUT(&self->scope, magi_random_below(&self->random, 2000) * MAG_MICROSECOND);
		MAG_GROUP_BEGIN(&self->group, .policy = MAG_COLLECT, .limit = magi_random_below(&self->random, 2) * 16);
		for (self->i = 0; self->i < 64; self->i++) {
			book(self->ledger, TASKS, 1);
			magi_add_rlx(&self->ledger->started, 1); /* [stat] */
			MAG_SPAWN(self->rc, &self->group, actor, .ledger = self->ledger,
				  .seed = magi_random_next(&self->random), .depth = DEPTH);
			if (self->rc < 0)
				book(self->ledger, TASKS, -1);
		}
		MAG_GROUP_END(self->rc, &self->group);
		mag_group_clear(&self->group);
		MAG_SCOPE_END(self->rc, &self->scope);
	}
	mag_runtime_stats(mag_runtime_current(), self->stats);
	MAG_RETURN(0);
	MAG_END;
}

#endif
