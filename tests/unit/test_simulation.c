/* SPDX-License-Identifier: MIT */
/* test_simulation.c - runs of small programs in the simulator: they repeat themselves, time costs nothing, and what is
 * wrong is found. */
#include <criterion/criterion.h>

#include <errno.h>
#include <magpie/magpie.h>
#include <magpie/sim.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/broken_off.h"

static const mag_sim_options quiet = { .size = sizeof(quiet), .quiet = true };

/* A little of everything: children, sleeps, a lock, jobs. */

struct shared {
	mag_mutex lock;
	int64_t sum;
};

static int64_t twice(void *arg)
{
	int64_t *n = arg;

	return 2 * *n;
}

struct adder {
	mag_frame frame;
	MAG_ARGS(adder, struct shared *shared; int64_t n;);
	int64_t rc, value;
};

MAG_TASK(adder)
{
	MAG_BEGIN(adder);
	MAG_AWAIT(self->rc, mag_sleep, (uint64_t)self->n * MAG_MICROSECOND);
	MAG_AWAIT(self->value, mag_offload, MAG_BLOCKING, twice, &self->n);
	MAG_AWAIT(self->rc, mag_mutex_lock, &self->shared->lock);
	self->shared->sum += self->value;
	mag_mutex_unlock(&self->shared->lock);
	MAG_RETURN(self->rc);
	MAG_END;
}

struct adders {
	mag_frame frame;
	MAG_NO_ARGS(adders);
	struct shared shared;
	mag_group group;
	int64_t rc, i;
};

MAG_TASK(adders)
{
	MAG_BEGIN(adders);
	self->shared.sum = 0;
	mag_mutex_init(&self->shared.lock);
	MAG_GROUP_BEGIN(&self->group);
	for (self->i = 1; self->i <= 10; self->i++)
		MAG_SPAWN(self->rc, &self->group, adder, .shared = &self->shared, .n = self->i);
	MAG_GROUP_END(self->rc, &self->group);
	mag_sim_assert_quiescent();
	MAG_RETURN(self->rc < 0 ? self->rc : self->shared.sum);
	MAG_END;
}

Test(simulation, the_same_seed_gives_the_same_run, .timeout = 60)
{
	for (uint64_t seed = 0; seed < 50; seed++) {
		mag_sim_result one, two;

		cr_assert_eq(mag_sim_run_into(&one, seed, NULL, adders), 110);
		cr_assert_eq(mag_sim_run_into(&two, seed, NULL, adders), 110);
		cr_assert_eq(one.hash, two.hash, "seed %llu", (unsigned long long)seed);
		cr_assert_eq(one.steps, two.steps);
		cr_assert_eq(one.ns, two.ns);
	}
}

Test(simulation, another_seed_gives_another_run, .timeout = 60)
{
	uint64_t workers_seen = 0;
	mag_sim_result r, before = { 0 };

	for (uint64_t seed = 0; seed < 50; seed++) {
		cr_assert_eq(mag_sim_run_into(&r, seed, NULL, adders), 110);
		cr_assert_neq(r.hash, before.hash);
		workers_seen |= UINT64_C(1) << r.workers;
		before = r;
	}
	cr_assert_eq(workers_seen, 2 + 4 + 8 + 16, "one to four workers");
}

struct sleeper {
	mag_frame frame;
	MAG_NO_ARGS(sleeper);
	uint64_t began;
	int64_t rc;
};

MAG_TASK(sleeper)
{
	MAG_BEGIN(sleeper);
	self->began = mag_now();
	MAG_AWAIT(self->rc, mag_sleep, 3600 * MAG_SECOND);
	mag_sim_assert(mag_now() - self->began >= 3600 * MAG_SECOND);
	mag_sim_assert(mag_now() - self->began < 3601 * MAG_SECOND);
	MAG_RETURN(self->rc);
	MAG_END;
}

Test(simulation, an_hour_of_sleep_takes_no_time, .timeout = 10)
{
	mag_sim_result r;

	cr_assert_eq(mag_sim_run_into(&r, 1, NULL, sleeper), 0);
	cr_assert_geq(r.ns, 3600 * MAG_SECOND);
}

/* What is wrong. */

struct stuck {
	mag_frame frame;
	MAG_NO_ARGS(stuck);
	mag_event never;
	int64_t rc;
};

MAG_TASK(stuck)
{
	MAG_BEGIN(stuck);
	mag_event_init(&self->never);
	MAG_AWAIT(self->rc, mag_event_wait, &self->never);
	MAG_RETURN(self->rc);
	MAG_END;
}

struct loop {
	mag_frame frame;
	MAG_NO_ARGS(loop);
	int64_t rc;
};

MAG_TASK(loop)
{
	MAG_BEGIN(loop);
	for (;;)
		MAG_YIELD(self->rc);
	MAG_END;
}

struct late {
	mag_frame frame;
	MAG_NO_ARGS(late);
	int64_t rc;
};

MAG_TASK(late)
{
	MAG_BEGIN(late);
	MAG_AWAIT(self->rc, mag_sleep, MAG_SECOND);
	MAG_RETURN(self->rc);
	MAG_END;
}

/* Asks for quiet while a member of its group still sleeps. */
struct hasty {
	mag_frame frame;
	MAG_NO_ARGS(hasty);
	mag_group group;
	int64_t rc;
};

MAG_TASK(hasty)
{
	MAG_BEGIN(hasty);
	MAG_GROUP_BEGIN(&self->group);
	MAG_SPAWN(self->rc, &self->group, late);
	MAG_AWAIT(self->rc, mag_sleep, MAG_MILLISECOND);
	mag_sim_assert_quiescent();
	MAG_GROUP_END(self->rc, &self->group);
	MAG_RETURN(self->rc);
	MAG_END;
}

struct failing {
	mag_frame frame;
	MAG_NO_ARGS(failing);
	int64_t rc;
};

MAG_TASK(failing)
{
	MAG_BEGIN(failing);
	MAG_AWAIT(self->rc, mag_sleep, MAG_SECOND);
	MAG_RETURN(-EPROTO);
	MAG_END;
}

static void wants(const mag_sim_result *r, const char *words)
{
	cr_assert(strstr(r->failure, words), "wanted '%s' in: %s", words, r->failure);
}

Test(simulation, who_waits_for_ever_is_found, .timeout = 10)
{
	mag_sim_result r;

	leaves_things_behind();
	cr_assert_eq(mag_sim_run_into(&r, 1, &quiet, stuck), MAG_ESIM);
	wants(&r, "deadlock");
}

Test(simulation, a_run_without_end_is_ended, .timeout = 60)
{
	const mag_sim_options options = { .size = sizeof(options), .quiet = true, .max_steps = 10000 };
	mag_sim_result r;

	leaves_things_behind();
	cr_assert_eq(mag_sim_run_into(&r, 1, &options, loop), MAG_ESIM);
	wants(&r, "no end after 10000 steps");
}

Test(simulation, what_still_runs_is_not_quiet, .timeout = 10)
{
	mag_sim_result r;

	leaves_things_behind();
	cr_assert_eq(mag_sim_run_into(&r, 1, &quiet, hasty), MAG_ESIM);
	wants(&r, "not quiescent");
}

Test(simulation, a_program_that_fails_gives_its_own_error, .timeout = 10)
{
	mag_sim_result r;

	cr_assert_eq(mag_sim_run_into(&r, 1, &quiet, failing), -EPROTO);
	wants(&r, "failing returned EPROTO");
}

Test(simulation, options_of_another_size_are_refused, .timeout = 10)
{
	const mag_sim_options none = { .size = 0 }, large = { .size = sizeof(large) + 1 };
	const mag_sim_options many = { .size = sizeof(many), .workers = MAG_WORKERS_MAX + 1 };

	cr_assert_eq(mag_sim_run(1, &none, sleeper), -EINVAL);
	cr_assert_eq(mag_sim_run(1, &large, sleeper), -EINVAL);
	cr_assert_eq(mag_sim_run(1, &many, sleeper), -EINVAL);
}

struct nested {
	mag_frame frame;
	MAG_NO_ARGS(nested);
};

MAG_TASK(nested)
{
	MAG_BEGIN(nested);
	mag_sim_assert(mag_sim_running());
	MAG_RETURN(mag_sim_run(1, NULL, sleeper) == MAG_EDEADLK ? 0 : -EPROTO);
	MAG_END;
}

Test(simulation, there_is_one_at_a_time, .timeout = 10)
{
	cr_assert(!mag_sim_running());
	cr_assert_eq(mag_sim_run(1, NULL, nested), 0);
	cr_assert(!mag_sim_running());
}

Test(simulation, the_environment_overrides_seed_and_options, .timeout = 10)
{
	mag_sim_result r, seven;

	cr_assert_eq(mag_sim_run_into(&seven, 7, NULL, adders), 110);
	setenv("MAGPIE_SIM", "seed=7", 1);
	cr_assert_eq(mag_sim_run_into(&r, 1, NULL, adders), 110);
	cr_assert_eq(r.hash, seven.hash);
	setenv("MAGPIE_SIM", "seed=7,workers=3", 1);
	cr_assert_eq(mag_sim_run_into(&r, 1, NULL, adders), 110);
	cr_assert_eq(r.workers, 3);
	setenv("MAGPIE_SIM", "seed=zz", 1);
	cr_assert_eq(mag_sim_run_into(&r, 1, NULL, adders), -EINVAL);
	setenv("MAGPIE_SIM", "seed=7,workers=65", 1);
	cr_assert_eq(mag_sim_run_into(&r, 1, NULL, adders), -EINVAL);
	setenv("MAGPIE_SIM", "sead=7", 1);
	cr_assert_eq(mag_sim_run_into(&r, 1, NULL, adders), -EINVAL);
	unsetenv("MAGPIE_SIM");
}

Test(simulation, without_preemptions_nobody_loses_its_turn, .timeout = 60)
{
	const mag_sim_options options = { .size = sizeof(options),
					  .max_preemptions = UINT32_MAX,
					  .faults = MAG_SIM_NONE };
	mag_sim_result r;

	for (uint64_t seed = 0; seed < 20; seed++) {
		cr_assert_eq(mag_sim_run_into(&r, seed, &options, adders), 110);
		cr_assert_eq(r.preemptions, 0);
		cr_assert_eq(r.faults, 0);
	}
}

Test(simulation, a_run_repeats_itself_from_the_list_of_its_preemptions, .timeout = 60)
{
	int seen = 0;

	for (uint64_t seed = 0; seed < 40; seed++) {
		char list[MAG_SIM_PREEMPTIONS_KEPT * 8] = "";
		mag_sim_options options = { .size = sizeof(options), .preempt_at = list };
		mag_sim_result r, again;

		cr_assert_eq(mag_sim_run_into(&r, seed, NULL, adders), 110);
		if (r.preemptions > MAG_SIM_PREEMPTIONS_KEPT)
			continue;
		for (uint32_t i = 0; i < r.preemptions; i++)
			sprintf(list + strlen(list), "%s%llu", i ? ":" : "", (unsigned long long)r.preempted_at[i]);
		cr_assert_eq(mag_sim_run_into(&again, seed, &options, adders), 110);
		cr_assert_eq(again.hash, r.hash, "seed %llu, at %s", (unsigned long long)seed, list);
		seen += r.preemptions > 0;
	}
	cr_assert_gt(seen, 5);
}
