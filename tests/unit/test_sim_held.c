/* SPDX-License-Identifier: MIT */
/* test_sim_held.c - simulated steps that come to no point: the run is over, and says whose step it was. */
#include <criterion/criterion.h>

#include <magpie/magpie.h>
#include <magpie/sim.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>

#include "support/broken_off.h"

static const mag_sim_options soon = {
	.size = sizeof(soon), .workers = 1, .quiet = true, .held_ns = 50 * MAG_MILLISECOND
};

static void watched(void)
{
#if defined(MAGI_TSAN)
	cr_skip_test("nobody watches under ThreadSanitizer");
#endif
	leaves_things_behind();
}

/* Two tasks and a mutex that is not ours: one holds it across an await. */
struct locker {
	mag_frame frame;
	MAG_ARGS(locker, pthread_mutex_t *lock;);
	int64_t rc;
};

MAG_TASK(locker)
{
	MAG_BEGIN(locker);
	MAG_AWAIT(self->rc, mag_sleep, MAG_MICROSECOND);
	pthread_mutex_lock(self->lock);
	MAG_AWAIT(self->rc, mag_sleep, MAG_SECOND);
	pthread_mutex_unlock(self->lock);
	MAG_RETURN(self->rc);
	MAG_END;
}

struct lockers {
	mag_frame frame;
	MAG_NO_ARGS(lockers);
	pthread_mutex_t lock;
	mag_group group;
	int64_t rc;
};

MAG_TASK(lockers)
{
	MAG_BEGIN(lockers);
	pthread_mutex_init(&self->lock, NULL);
	MAG_GROUP_BEGIN(&self->group);
	MAG_SPAWN(self->rc, &self->group, locker, .lock = &self->lock);
	MAG_SPAWN(self->rc, &self->group, locker, .lock = &self->lock);
	MAG_GROUP_END(self->rc, &self->group);
	MAG_RETURN(self->rc);
	MAG_END;
}

Test(sim_held, a_lock_of_the_systems_is_found, .timeout = 60)
{
	mag_sim_result r, again;

	watched();
	cr_assert_eq(mag_sim_run_into(&r, 1, &soon, lockers), MAG_ESIM);
	cr_assert(strstr(r.failure, " of locker, after mag_sleep at test_sim_held.c:"), "%s", r.failure);
	cr_assert(strstr(r.failure, "holds its worker"), "%s", r.failure);
	cr_assert_eq(mag_sim_run_into(&again, 1, &soon, lockers), MAG_ESIM); /* the next run is watched, too */
	cr_assert_eq(again.hash, r.hash);
	cr_assert_str_eq(again.failure, r.failure);
}

/* A loop, in a step before which there was no await; of a task, and of a job. */
static volatile bool never;

struct looping {
	mag_frame frame;
	MAG_NO_ARGS(looping);
};

MAG_TASK(looping)
{
	MAG_BEGIN(looping);
	while (!never)
		;
	MAG_RETURN(0);
	MAG_END;
}

static int64_t loops(void *arg)
{
	while (!never)
		;
	return (int64_t)(intptr_t)arg;
}

struct offloading {
	mag_frame frame;
	MAG_NO_ARGS(offloading);
	int64_t rc;
};

MAG_TASK(offloading)
{
	MAG_BEGIN(offloading);
	MAG_AWAIT(self->rc, mag_offload, MAG_BLOCKING, loops, NULL);
	MAG_RETURN(self->rc);
	MAG_END;
}

Test(sim_held, a_loop_is_found, .timeout = 60)
{
	mag_sim_result r;

	watched();
	cr_assert_eq(mag_sim_run_into(&r, 1, &soon, looping), MAG_ESIM);
	cr_assert(strstr(r.failure, ", in its first step, holds its worker"), "%s", r.failure);
#if defined(MAGPIE_DEBUG)
	cr_assert(strstr(r.failure, " of looping, "), "%s", r.failure);
#endif
	cr_assert_eq(mag_sim_run_into(&r, 1, &soon, offloading), MAG_ESIM);
	cr_assert_eq(strncmp(r.failure, "thread mag-", 11), 0, "%s", r.failure);
}

/* What takes its time and comes to points is none. Its time is real: that is what the watchdog goes by. */
static int64_t works(void *arg)
{
	uint64_t *points = arg;

	for (struct timespec tick = { .tv_nsec = 1000000 }; (*points)--;) {
		nanosleep(&tick, NULL);
		mag_sim_point();
	}
	return 1;
}

struct working {
	mag_frame frame;
	MAG_NO_ARGS(working);
	uint64_t points;
	int64_t rc;
};

MAG_TASK(working)
{
	MAG_BEGIN(working);
	self->points = 300;
	MAG_AWAIT(self->rc, mag_offload, MAG_BLOCKING, works, &self->points);
	MAG_RETURN(self->rc);
	MAG_END;
}

Test(sim_held, a_long_job_with_points_is_none, .timeout = 60)
{
	cr_assert_eq(mag_sim_run(1, &soon, working), 1);
}

/* A program's own handler stays, and then nobody watches. */
static volatile sig_atomic_t rung;

static void ring(int number)
{
	(void)number;
	rung = 1;
}

Test(sim_held, a_signal_that_is_taken_is_left_alone, .timeout = 60)
{
	const struct sigaction own = { .sa_handler = ring };

	cr_assert_eq(sigaction(SIGRTMIN + 9, &own, NULL), 0);
	cr_assert_eq(mag_sim_run(1, &soon, working), 1);
	cr_assert_eq(rung, 0);
	raise(SIGRTMIN + 9);
	cr_assert_eq(rung, 1);
}
