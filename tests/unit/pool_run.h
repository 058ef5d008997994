/* SPDX-License-Identifier: MIT */
/* pool_run.h - what the tests of pools in virtual time share: programs of one task, and a pool that is empty in the end. */
#ifndef MAGPIE_TESTS_UNIT_POOL_RUN_H
#define MAGPIE_TESTS_UNIT_POOL_RUN_H

#include "gates.h"

#include <errno.h>
#include <magpie/pool.h>

#include "unit/pool_db.h"

static struct db db;
static mag_pool pool;

/* Most tests are a program of one task. */
#define PROGRAM(name, ...)                  \
	struct name {                       \
		mag_frame frame;            \
		MAG_NO_ARGS(name);          \
		mag_pool_loan a, b, c;      \
		mag_scope scope;            \
		mag_group group;            \
		mag_using use;              \
		uint64_t began;             \
		int64_t rc, rc2, i;         \
		__VA_ARGS__                 \
	};                                  \
	MAG_TASK(name)

#define RUN_WITH(n, name, ...)                                         \
	do {                                                           \
		db = (struct db){ .made = 0 };                         \
		cr_assert_eq(mag_pool_init(&pool, DB_POOL(&db, __VA_ARGS__)), 0); \
		cr_assert_eq(RUN(n, name), 0);                         \
		cr_assert_eq(mag_pool_fini(&pool), 0);                 \
		cr_assert_eq(db.alive, 0);                             \
	} while (0)

#define CLOSE                                       \
	MAG_AWAIT(self->rc, mag_pool_close, &pool); \
	CHECK(self->rc == 0)

#endif
