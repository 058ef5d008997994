/* SPDX-License-Identifier: MIT */
/* prove.c - see prove.h. */
#include "linear/prove.h"

#include <criterion/criterion.h>
#include <inttypes.h>
#include <magpie/sim.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "support/heap.h"

enum {
	FLIGHTS = 8,       /* rounds at the same time: a round waits for threads most of its time */
	ROUNDS = 12,       /* of a flight */
	RUNS_MAX = 150,    /* what a machine that does nothing else needs half a second for */
	SECONDS_LONG = 60, /* for each number of workers, picked like the others */
	SIM_ROUNDS = 20,
#ifdef MAGI_POINTS
	SIM_SEEDS = 250,
#else
	SIM_SEEDS = 60, /* switches only where a task waits: the rest is for the program with points */
#endif
	SIM_SEEDS_LONG = 20000, /* also for a planted fault: those there are take up to 450 */
	SEED = 1,
	SEEDS_APART = 1 << 24
};
#ifdef MAGI_TSAN /* it sees what has no order in any round, and the simulator has one thread */
#define TIME_SHORT (250 * MAG_MILLISECOND)
#define SIM_SHORT 20
#else
#define TIME_SHORT (500 * MAG_MILLISECOND)
#define SIM_SHORT SIM_SEEDS
#endif
#define TIME_SIM (3 * MAG_SECOND) /* where something slows it down */
#ifdef LINEAR_FAULT
#define LONGER true
#else
#define LONGER getenv("MAGPIE_LONG")
#endif

/* Several rounds at once. */
struct flights {
	mag_frame frame;
	MAG_ARGS(flights, const struct linear_object *object; uint64_t seed; struct linear_report * report;);
	mag_group group;
	uint32_t i;
	int64_t rc;
};

MAG_TASK(flights)
{
	MAG_BEGIN(flights);
	MAG_GROUP_BEGIN(&self->group);
	for (self->i = 0; self->i < FLIGHTS; self->i++) {
		MAG_SPAWN(self->rc, &self->group, linear_rounds, .object = self->object,
			  .seed = self->seed + self->i * ROUNDS, .rounds = ROUNDS, .report = &self->report[self->i]);
		if (self->rc < 0)
			break;
	}
	MAG_GROUP_END(self->rc, &self->group);
	MAG_RETURN(self->rc);
	MAG_END;
}

/* Adds what came of one to the sum; the first failure is kept. */
static void sum(struct linear_report *all, const struct linear_report *one)
{
	all->rounds += one->rounds;
	all->ops += one->ops;
	all->overlaps += one->overlaps;
	all->cancelled += one->cancelled;
	all->waited += one->waited;
	all->states += one->states;
	if (one->failed && !all->failed)
		strcpy(all->text, one->text);
	all->failed |= one->failed;
}

/* Whether something happened at the same time: else a test shows nothing. */
static bool shows(const struct linear_object *object, const struct linear_report *r)
{
	return r->overlaps > 0 && (r->cancelled > 0 || !object->await) && (r->waited > 0 || !object->help);
}

/* Several runs of the runtime: its start and end take part as well. */
static void run(const struct linear_object *object, uint32_t workers, uint64_t seed, struct linear_report *all)
{
	/* with more threads than CPUs who spins keeps from working whom it waits for */
	mag_runtime_options options = { .size = sizeof(options),
					.workers = workers,
					.spin_us = workers > 2 ? UINT32_MAX : 0 };
	bool longer = LONGER;
	uint64_t end = magi_clock_ns() + (longer ? SECONDS_LONG * MAG_SECOND : TIME_SHORT);
	static struct linear_report report[FLIGHTS];

	for (uint32_t i = 0; !all->failed && (longer || i < RUNS_MAX); i++) {
		int64_t rc;

		if (magi_clock_ns() > end && (longer || shows(object, all)))
			break;
		memset(report, 0, sizeof(report));
		rc = mag_run(&options, flights, .object = object, .seed = seed + i * (uint64_t)(FLIGHTS * ROUNDS),
			     .report = report);
		if (rc == MAG_EBACKEND)
			cr_skip_test("%s", mag_runtime_why());
		cr_assert_eq(rc, 0, "%s %s", mag_errname(rc), mag_runtime_why());
		for (uint32_t k = 0; k < FLIGHTS; k++)
			sum(all, &report[k]);
	}
}

static uint64_t seed_for(uint32_t place)
{
	const char *seed = getenv("MAGPIE_SEED");

	return seed ? strtoull(seed, NULL, 0) : SEED + place * (uint64_t)SEEDS_APART;
}

/* What is to be seen of a run. */
static void conclude(const struct linear_object *object, const struct linear_report *report, uint64_t start)
{
	fprintf(stderr,
		"%s: %" PRIu64 " rounds, %" PRIu64 " operations, %" PRIu64 " overlapping, %" PRIu64
		" cancelled, %" PRIu64 " times all waited, %" PRIu64 " states, %" PRIu64 " ms\n",
		object->spec->name, report->rounds, report->ops, report->overlaps, report->cancelled, report->waited,
		report->states, (magi_clock_ns() - start) / MAG_MILLISECOND);
#ifdef LINEAR_FAULT
	cr_assert(report->failed, "the fault that was planted was not found");
	fprintf(stderr, "%s", report->text);
#else
	cr_assert(!report->failed, "%s", report->text);
	cr_assert(shows(object, report), "nothing happened at the same time, or nobody waited");
#endif
}

void linear_prove(const struct linear_object *object)
{
	static struct linear_report report;
	uint64_t start = magi_clock_ns();

	heap_keep();
	for (uint32_t workers = 2; workers <= 4 && !report.failed; workers++)
		run(object, workers, seed_for(workers), &report);
	conclude(object, &report, start);
}

void linear_simulate(const struct linear_object *object)
{
	static struct linear_report report;
	uint64_t start = magi_clock_ns(), seed = seed_for(0);
	bool longer = LONGER;
	uint32_t seeds = longer ? SIM_SEEDS_LONG : SIM_SHORT;

	for (uint32_t i = 0; i < seeds && !report.failed; i++) {
		uint64_t first = seed + i * (uint64_t)SIM_ROUNDS;
		int64_t rc;

		if (!longer && magi_clock_ns() > start + TIME_SIM && shows(object, &report))
			break;
		rc = mag_sim_run(first, NULL, linear_rounds, .object = object, .seed = first, .rounds = SIM_ROUNDS,
				 .report = &report);
		cr_assert_eq(rc, 0, "seed 0x%" PRIx64 ": %s", first, mag_errname(rc));
	}
	conclude(object, &report, start);
}
