/* SPDX-License-Identifier: MIT */
/* pool_db.h - what the tests of pools borrow: connections to nowhere, which count what becomes of them. */
#ifndef MAGPIE_TESTS_UNIT_POOL_DB_H
#define MAGPIE_TESTS_UNIT_POOL_DB_H

#include <magpie/pool.h>

#include "magpie/impl/atomic.h"

struct db;

struct conn {
	struct db *db;
	uint32_t id, users; /* atomic */
	uint32_t alive;
};

enum { CONNS = 4096 };

struct db {
	struct conn conns[CONNS];
	uint32_t made, checked, destroyed, alive, most;   /* atomic */
	uint64_t create_ns, check_ns, destroy_ns;         /* how long they take */
	int64_t create, check, destroy;                   /* what they return */
	uint32_t fail_every;                              /* every so many creations fail */
	bool stubborn;                                    /* created though cancelled meanwhile */
};

struct conn_create {
	mag_frame frame;
	MAG_ARGS(conn_create, struct db *db; struct conn **item;);
	int64_t rc;
};

struct conn_check {
	mag_frame frame;
	MAG_ARGS(conn_check, struct db *db; struct conn *item;);
	int64_t rc;
};

struct conn_destroy {
	mag_frame frame;
	MAG_ARGS(conn_destroy, struct db *db; struct conn *item;);
	int64_t rc;
};

/* It counts from now on, also what is under way. */
static void conn_begins(struct db *db)
{
	uint32_t now = magi_add_ar(&db->alive, 1u) + 1, most = magi_load_acq(&db->most);

	while (now > most && !magi_cas_ar(&db->most, &most, now))
		;
}

static struct conn *conn_of(struct db *db)
{
	uint32_t id = magi_add_ar(&db->made, 1u);
	struct conn *c = &db->conns[id % CONNS];

	*c = (struct conn){ .db = db, .id = id, .alive = 1 };
	return c;
}

MAG_TASK(conn_create)
{
	MAG_BEGIN(conn_create);
	conn_begins(self->db);
	self->rc = 0;
	if (self->db->create_ns)
		MAG_AWAIT(self->rc, mag_sleep, self->db->create_ns);
	if (self->db->stubborn)
		self->rc = 0;
	if (self->rc == 0)
		self->rc = self->db->create;
	if (self->rc == 0 && self->db->fail_every && magi_load_acq(&self->db->made) % self->db->fail_every == 0) {
		magi_add_ar(&self->db->made, 1u);
		self->rc = -ECONNREFUSED;
	}
	if (self->rc < 0)
		magi_sub_ar(&self->db->alive, 1u);
	else
		*self->item = conn_of(self->db);
	MAG_RETURN(self->rc);
	MAG_END;
}

MAG_TASK(conn_check)
{
	MAG_BEGIN(conn_check);
	magi_add_ar(&self->db->checked, 1u);
	self->rc = 0;
	if (self->db->check_ns)
		MAG_AWAIT(self->rc, mag_sleep, self->db->check_ns);
	MAG_RETURN(self->rc < 0 ? self->rc : self->db->check);
	MAG_END;
}

MAG_TASK(conn_destroy)
{
	MAG_BEGIN(conn_destroy);
	if (self->db->destroy_ns)
		MAG_AWAIT(self->rc, mag_sleep, self->db->destroy_ns);
	self->item->alive--;
	magi_sub_ar(&self->db->alive, 1u);
	magi_add_ar(&self->db->destroyed, 1u);
	MAG_RETURN(self->db->destroy);
	MAG_END;
}

#define DB_POOL(db_, ...)                                                                                     \
	(&(mag_pool_options){ .size = sizeof(mag_pool_options), .ctx = (db_), .create = MAG_POOL_FN(conn_create), \
			      .check = MAG_POOL_FN(conn_check), .destroy = MAG_POOL_FN(conn_destroy), __VA_ARGS__ })

static inline mag_pool_counts pool_counts(mag_pool *p)
{
	mag_pool_counts c = { .size = sizeof(c) };

	mag_pool_stats(p, &c);
	return c;
}

static inline struct conn *conn_in(const mag_pool_loan *loan)
{
	return loan->item;
}

#endif
