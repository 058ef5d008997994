/* SPDX-License-Identifier: MIT */
/* offload_latch.h - what the tests of the lanes share: jobs that wait at a latch, tasks that start them, a runtime. */
#ifndef MAGPIE_TESTS_OFFLOAD_LATCH_H
#define MAGPIE_TESTS_OFFLOAD_LATCH_H

#include <criterion/criterion.h>

#include <magpie/offload.h>
#include <magpie/time.h>
#include <pthread.h>
#include <sched.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/lock.h"
#include "support/ledger.h"

#if defined(MAGI_TSAN) || defined(MAGI_ASAN)
#define SLOWDOWN 10
#else
#define SLOWDOWN 1
#endif

static inline void count_one(uint32_t *n)
{
	magi_add_ar(n, 1u); /* [count] */
}

static inline uint32_t counted(const uint32_t *n)
{
	return magi_load_acq(n); /* [count] */
}

/* The test's own limit ends a wait that is in vain. */
#define wait_until(condition)          \
	do {                           \
		while (!(condition))   \
			sched_yield(); \
	} while (0)

/* Jobs wait inside until it is opened. */
struct latch {
	pthread_mutex_t mutex;
	pthread_cond_t changed;
	bool open;
	uint32_t inside, passed; /* atomic */
	uint32_t destroyed;      /* atomic */
};

#define LATCH { .mutex = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER }

enum { PASSED = 7 };

static inline int64_t wait_at_latch(void *arg)
{
	struct latch *l = arg;

	count_one(&l->inside);
	pthread_mutex_lock(&l->mutex);
	while (!l->open)
		pthread_cond_wait(&l->changed, &l->mutex);
	pthread_mutex_unlock(&l->mutex);
	count_one(&l->passed);
	return PASSED;
}

static inline void open_latch(struct latch *l)
{
	pthread_mutex_lock(&l->mutex);
	l->open = true;
	pthread_cond_broadcast(&l->changed);
	pthread_mutex_unlock(&l->mutex);
}

static inline void destroy_of_latch(void *arg)
{
	count_one(&((struct latch *)arg)->destroyed);
}

/* One job of each sort, given by its arguments; ends with what the await returned. */
struct job_task {
	mag_frame frame;
	MAG_ARGS(job_task, uint32_t lane; int64_t (*fn)(void *); void *arg; void (*destroy)(void *); uint64_t timeout;
		 uint32_t *ended;);
	mag_scope scope;
	int64_t rc, why;
};

static MAG_TASK(job_task)
{
	MAG_BEGIN(job_task);
	MAG_WITH_TIMEOUT(&self->scope, self->timeout ? self->timeout : MAG_NEVER);
	if (self->destroy)
		MAG_AWAIT(self->rc, mag_offload_owned, self->lane, self->fn, self->arg, self->destroy);
	else
		MAG_AWAIT(self->rc, mag_offload, self->lane, self->fn, self->arg);
	MAG_SCOPE_END(self->why, &self->scope);
	if (self->ended)
		count_one(self->ended);
	MAG_RETURN(self->rc);
	MAG_END;
}

static inline mag_runtime *lanes_start(mag_runtime_options options)
{
	mag_runtime *rt;
	int rc;

	options.size = sizeof(options);
	rc = mag_runtime_create(&options, &rt);
	if (rc == MAG_EBACKEND)
		cr_skip_test("%s", mag_runtime_why());
	cr_assert_eq(rc, 0, "%s", mag_runtime_why());
	return rt;
}

#define lanes_with(...) lanes_start((mag_runtime_options){ __VA_ARGS__ })

static inline void lanes_stop(mag_runtime *rt)
{
	ledger_closes(rt);
	cr_assert_eq(mag_runtime_destroy(rt, mag_deadline_in(60 * MAG_SECOND)), 0);
}

static inline mag_lane_stats lane_stats(mag_runtime *rt, uint32_t lane)
{
	mag_lane_stats s = { .size = sizeof(s) };

	cr_assert_eq(mag_offload_stats(rt, lane, &s), 0);
	return s;
}

static inline int64_t result_of(mag_future *future)
{
	int64_t rc = 0;

	cr_assert_eq(mag_future_wait(future, &rc, MAG_NEVER), 0);
	mag_future_fini(future);
	return rc;
}

/* Starts a task of this test's; its result comes by the future. */
#define start(rt, future, ...)                                                \
	do {                                                                  \
		mag_future_init(future);                                      \
		cr_assert_eq(mag_spawn_from((rt), (future), __VA_ARGS__), 0); \
	} while (0)

#endif
