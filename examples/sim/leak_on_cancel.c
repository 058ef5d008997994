/* SPDX-License-Identifier: MIT */
/* leak_on_cancel.c - queries over a small pool of connections, each with a time limit. With the bug a query that runs out
 * of time leaves without giving its connection back.
 *
 *	magpie sim build/release/examples/sim/leak_on_cancel.so --seeds 10000 --shrink
 *
 * Built twice: leak_on_cancel.so with the bug, leak_on_cancel_fixed.so without it. */
#include <magpie/magpie.h>
#include <magpie/sim.h>

enum { POOL = 2, QUERIES = 4 };

#define LIMIT (50 * MAG_MILLISECOND)

struct database {
	mag_semaphore pool; /* connections */
	mag_mutex table;    /* held by one query at a time */
};

/* What the database does: it mostly takes no time at all. */
static int64_t answer(void *arg)
{
	int64_t *question = arg;

	return *question + 1;
}

struct query {
	mag_frame frame;
	MAG_ARGS(query, struct database *db; int64_t question;);
	mag_scope scope;
	int64_t rc, end;
};

MAG_TASK(query)
{
	MAG_BEGIN(query);
	MAG_AWAIT(self->rc, mag_semaphore_acquire, &self->db->pool, 1);
	if (self->rc < 0)
		MAG_RETURN(self->rc);
	MAG_WITH_TIMEOUT(&self->scope, LIMIT);
	MAG_AWAIT(self->rc, mag_mutex_lock, &self->db->table);
#ifndef FIXED
	if (self->rc < 0)
		MAG_RETURN(self->rc); /* the scope is closed, the connection is not given back */
#endif
	if (self->rc == 0) {
		MAG_AWAIT(self->rc, mag_offload, MAG_BLOCKING, answer, &self->question);
		mag_mutex_unlock(&self->db->table);
	}
	MAG_SCOPE_END(self->end, &self->scope);
	mag_semaphore_release(&self->db->pool, 1);
	MAG_RETURN(self->end < 0 ? self->end : self->rc);
	MAG_END;
}

struct leak_on_cancel {
	mag_frame frame;
	MAG_NO_ARGS(leak_on_cancel);
	struct database db;
	mag_group group;
	int64_t rc;
	int64_t i;
};

MAG_TASK(leak_on_cancel)
{
	MAG_BEGIN(leak_on_cancel);
	mag_semaphore_init(&self->db.pool, POOL, POOL);
	mag_mutex_init(&self->db.table);
	MAG_GROUP_BEGIN(&self->group, .policy = MAG_COLLECT);
	for (self->i = 0; self->i < QUERIES; self->i++)
		MAG_SPAWN(self->rc, &self->group, query, .db = &self->db, .question = self->i);
	MAG_GROUP_END(self->rc, &self->group); /* queries that came too late are no fault of ours */
	for (self->i = 0; self->i < POOL; self->i++) {
		self->rc = mag_semaphore_try_acquire(&self->db.pool, 1);
		mag_sim_assert(self->rc == 0);
	}
	mag_sim_assert_quiescent();
	MAG_RETURN(0);
	MAG_END;
}

MAG_PROGRAM(leak_on_cancel);
