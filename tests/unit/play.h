/* SPDX-License-Identifier: MIT */
/* play.h - what tests of running workers share: runtimes on either backend, flags that tasks spin on, a clock. */
#ifndef MAGPIE_TESTS_PLAY_H
#define MAGPIE_TESTS_PLAY_H

#include <criterion/criterion.h>

#include <magpie/magpie.h>
#include <sched.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "io/sim.h"
#include "support/ledger.h"

#define NEVER_SPIN UINT32_MAX

#if defined(MAGI_TSAN) || defined(MAGI_ASAN)
#define PLAY_SLOWDOWN 10
#else
#define PLAY_SLOWDOWN 1
#endif

/* A flag between threads. */
static inline void raise_flag(uint32_t *flag)
{
	magi_store_rel(flag, 1u); /* [flag] */
}

static inline bool is_raised(const uint32_t *flag)
{
	return magi_load_acq(flag); /* [flag] */
}

/* Keeps the thread busy until the flag is raised; false: it was not, for `ns`. Others get the CPU when they need it: the
 * time for which this thread has it not is not counted, as the machine may be busy, or stand still. */
static inline bool busy_until(const uint32_t *flag, uint64_t ns)
{
	uint64_t last = magi_clock_ns(), left = ns;

	for (uint32_t i = 1; !is_raised(flag); i++) {
		uint64_t now = magi_clock_ns(), took = now - last;

		took = took < MAG_MILLISECOND ? took : MAG_MICROSECOND;
		if (took > left)
			return false;
		left -= took;
		last = now;
		if (i % 64 == 0)
			sched_yield();
		magi_pause();
	}
	return true;
}

/* A runtime on the sim backend; its clock goes by itself when all workers wait. */
struct play {
	struct magi_world *world;
	mag_runtime *rt;
};

static inline mag_runtime_options play_options(struct magi_world *world, uint32_t workers)
{
	return (mag_runtime_options){ .size = sizeof(mag_runtime_options), .workers = workers, .spin_us = NEVER_SPIN,
				      .backend = "sim", .world = world };
}

static inline void play_begin(struct play *p, uint32_t workers)
{
	mag_runtime_options options;

	p->world = magi_world_create(1, MAGI_SIM_COMPLETION);
	magi_world_auto_advance(p->world, true);
	options = play_options(p->world, workers);
	cr_assert_eq(mag_runtime_create(&options, &p->rt), 0, "%s", mag_runtime_why());
}

/* The end, with all tasks ended and all that they were lent back. */
static inline void play_end(struct play *p)
{
	ledger_closes(p->rt);
	cr_assert_eq(mag_runtime_destroy(p->rt, mag_deadline_in(30 * MAG_SECOND)), 0);
	magi_world_destroy(p->world);
}

/* Waits for a future of this runtime for ever: the test's own limit ends it. */
static inline int64_t play_wait(mag_future *future)
{
	int64_t rc = 0;

	cr_assert_eq(mag_future_wait(future, &rc, MAG_NEVER), 0);
	mag_future_fini(future);
	return rc;
}

/* Starts an async function from the test's thread and waits for its end. */
#define play_run(p, rc, ...)                                                    \
	do {                                                                    \
		mag_future play_done;                                           \
		mag_future_init(&play_done);                                    \
		cr_assert_eq(mag_spawn_from((p)->rt, &play_done, __VA_ARGS__), 0); \
		(rc) = play_wait(&play_done);                                   \
	} while (0)

/* On the kernel: io_uring, or epoll where that is forbidden; skips the test where neither can run. */
static inline mag_runtime *play_real(uint32_t workers, uint32_t spin_us)
{
	mag_runtime_options options = { .size = sizeof(options), .workers = workers, .spin_us = spin_us };
	mag_runtime *rt;
	int rc = mag_runtime_create(&options, &rt);

	if (rc == MAG_EBACKEND)
		cr_skip_test("%s", mag_runtime_why());
	cr_assert_eq(rc, 0, "%s", mag_runtime_why());
	return rt;
}

#endif
