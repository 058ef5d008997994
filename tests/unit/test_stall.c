/* SPDX-License-Identifier: MIT */
/* test_stall.c - debug mode: a step that holds its worker is told of while it does, and when it has ended. */
#include "hear.h"

#include <magpie/sim.h>

#include "run/stall.h"

static struct heard heard;

/* Long, so that a busy machine does not stop a step that is short for as long: that would be told as well. */
#define THRESHOLD_NS (400 * MAG_MILLISECOND)

/* Holds its worker until so many reports have come. */
static void hold(uint32_t reports)
{
	uint64_t end = magi_clock_ns() + 15 * MAGI_NS_PER_S;

	for (uint32_t n; (n = heard_so_far(&heard)) < reports; heard_wait(&heard, n))
		CHECK(magi_clock_ns() < end);
}

struct holder {
	mag_frame frame;
	MAG_ARGS(holder, bool first; int times;);
	int64_t rc;
	int i;
};

MAG_TASK(holder)
{
	MAG_BEGIN(holder);
	if (self->first)
		hold(1);
	for (self->i = 0; self->i < self->times; self->i++) {
		MAG_AWAIT(self->rc, mag_sleep, 1);
		hold(heard_so_far(&heard) + 1);
		MAG_YIELD(self->rc);
	}
	MAG_RETURN(0);
	MAG_END;
}

static void expect(uint32_t i, enum mag_report_kind kind, const char *words)
{
	cr_assert_eq(heard.report[i].kind, kind, "%s", heard_all(&heard));
	cr_assert(strstr(heard.text[i], words), "%s", heard.text[i]);
	cr_assert_geq(heard.report[i].ns, heard.options.stall_ns);
}

Test(stall, is_told_while_the_step_lasts_and_at_its_end, .timeout = 30)
{
	for (int real = 0; real < 2; real++) {
		hear_begin(&heard);
		heard.options.stall_ns = THRESHOLD_NS;
		cr_assert_eq(real ? HEAR_REAL(&heard, 1, holder, .times = 2) : HEAR(&heard, 1, holder, .times = 2), 0);
		cr_assert_eq(heard.n, 4, "%s", heard_all(&heard));
		for (uint32_t i = 0; i < 4; i += 2) {
			expect(i, MAG_REPORT_STALL, "holder holds worker 0 for ");
			expect(i, MAG_REPORT_STALL, " in one step, after mag_sleep at test_stall.c:");
			expect(i + 1, MAG_REPORT_STALL_END, "holder has held worker 0 for ");
			cr_assert_geq(heard.report[i + 1].ns, heard.report[i].ns);
			cr_assert_eq(heard.report[i].at, heard.report[i + 1].at);
			cr_assert_str_eq(heard.task[i + 1], "holder");
		}
	}
}

Test(stall, in_the_first_step_has_no_place_yet, .timeout = 30)
{
	hear_begin(&heard);
	heard.options.stall_ns = THRESHOLD_NS;
	cr_assert_eq(HEAR(&heard, 1, holder, .first = true), 0);
	cr_assert_eq(heard.n, 2, "%s", heard_all(&heard));
	expect(0, MAG_REPORT_STALL, " holds worker 0 for ");
	expect(0, MAG_REPORT_STALL, " in its first step");
	expect(1, MAG_REPORT_STALL_END, " in its first step");
#ifdef MAGPIE_DEBUG
	cr_assert_str_eq(heard.task[0], "holder");
	cr_assert_str_eq(heard.task[1], "holder");
#endif
	cr_assert_null(heard.report[0].at);
}

/* What a look sees, by a clock of the test's own: the threshold is an hour. */

static uint32_t in_step, go_on;

struct stays {
	mag_frame frame;
	MAG_NO_ARGS(stays);
	int64_t rc;
};

MAG_TASK(stays)
{
	MAG_BEGIN(stays);
	MAG_YIELD(self->rc);
	raise_flag(&in_step);
	CHECK(busy_until(&go_on, 20 * MAGI_NS_PER_S));
	MAG_RETURN(0);
	MAG_END;
}

Test(stall, look_tells_once_of_a_step_that_is_over_the_threshold, .timeout = 30)
{
	struct play p;
	mag_runtime_options options;
	mag_future done;
	uint64_t began, hour = 3600 * MAG_SECOND;
	int64_t rc;

	hear_begin(&heard);
	p.world = magi_world_create(1, MAGI_SIM_COMPLETION);
	options = play_options(p.world, 2);
	options.debug = &heard.options;
	cr_assert_eq(mag_runtime_create(&options, &p.rt), 0);
	magi_stall_look(p.rt, MAGI_NEVER); /* no worker is in a step */
	cr_assert_eq(heard.n, 0, "%s", heard_all(&heard));
	mag_future_init(&done);
	cr_assert_eq(mag_spawn_from(p.rt, &done, stays), 0);
	cr_assert(busy_until(&in_step, 10 * MAGI_NS_PER_S));
	began = magi_load_acq(&p.rt->workers[0]->step_at);                 /* [step] */
	began = began ? began : magi_load_acq(&p.rt->workers[1]->step_at); /* [step] */
	cr_assert_neq(began, 0);
	magi_stall_look(p.rt, began + hour - 1);
	cr_assert_eq(heard.n, 0, "%s", heard_all(&heard));
	magi_stall_look(p.rt, began + hour);
	cr_assert_eq(heard.n, 1, "%s", heard_all(&heard));
	cr_assert_eq(heard.report[0].ns, hour);
	cr_assert(strstr(heard.text[0], "stays holds worker"), "%s", heard.text[0]);
	magi_stall_look(p.rt, began + 2 * hour);
	cr_assert_eq(heard.n, 1, "%s", heard_all(&heard));
	raise_flag(&go_on);
	cr_assert_eq(mag_future_wait(&done, &rc, MAG_NEVER), 0);
	mag_future_fini(&done);
	play_end(&p);
	cr_assert_eq(heard.n, 1, "less than the threshold in truth: %s", heard_all(&heard));
}

struct short_steps {
	mag_frame frame;
	MAG_ARGS(short_steps, uint64_t ns;);
	uint64_t end;
	int64_t rc;
};

MAG_TASK(short_steps)
{
	MAG_BEGIN(short_steps);
	self->end = mag_now() + self->ns;
	while (mag_now() < self->end)
		MAG_YIELD(self->rc);
	MAG_RETURN(0);
	MAG_END;
}

Test(stall, many_short_steps_are_none, .timeout = 30)
{
	hear_begin(&heard);
	heard.options.stall_ns = MAG_SECOND;
	cr_assert_eq(HEAR_REAL(&heard, 1, short_steps, .ns = 1200 * MAG_MILLISECOND), 0);
	cr_assert_eq(heard.n, 0, "%s", heard_all(&heard));
}

/* Keeps its worker for so long by the clock. */
struct spins {
	mag_frame frame;
	MAG_ARGS(spins, uint64_t ns; bool first;);
	uint64_t end;
	int64_t rc;
};

MAG_TASK(spins)
{
	MAG_BEGIN(spins);
	if (!self->first)
		MAG_YIELD(self->rc);
	self->end = magi_clock_ns() + self->ns;
	while (magi_clock_ns() < self->end)
		magi_pause();
	MAG_YIELD(self->rc);
	MAG_RETURN(0);
	MAG_END;
}

static void unwatched(bool first)
{
	struct play p;
	mag_runtime_options options;
	mag_future done;
	int64_t rc;

	hear_begin(&heard);
	heard.options.stall_ns = 200 * MAG_MILLISECOND;
	p.world = magi_world_create(1, MAGI_SIM_COMPLETION);
	magi_world_auto_advance(p.world, true);
	options = play_options(p.world, 1);
	options.debug = &heard.options;
	cr_assert_eq(mag_runtime_create(&options, &p.rt), 0);
	magi_stall_unwatch(p.rt);
	cr_assert_eq(magi_stall_threads(p.rt), 0);
	mag_future_init(&done);
	cr_assert_eq(mag_spawn_from(p.rt, &done, spins, .ns = 200 * MAG_MILLISECOND, .first = first), 0);
	cr_assert_eq(mag_future_wait(&done, &rc, MAG_NEVER), 0);
	mag_future_fini(&done);
	play_end(&p);
	cr_assert_eq(heard.n, 1, "%s", heard_all(&heard));
}

Test(stall, without_a_watcher_the_end_is_told, .timeout = 30)
{
	unwatched(false);
	expect(0, MAG_REPORT_STALL_END, "spins has held worker 0 for ");
}

Test(stall, of_a_function_without_a_name_is_told_with_its_address, .timeout = 30)
{
	unwatched(true);
	expect(0, MAG_REPORT_STALL_END, "a function at ");
	expect(0, MAG_REPORT_STALL_END, "+0x");
	expect(0, MAG_REPORT_STALL_END, " in its first step");
	cr_assert_str_empty(heard.task[0]);
}

Test(stall, in_a_simulation_is_told_at_its_end, .timeout = 30)
{
	hear_begin(&heard);
	heard.options.stall_ns = MAG_MILLISECOND;
	cr_assert_eq(HEAR_SIMULATED(&heard, 1, spins, .ns = MAG_MILLISECOND), 0);
	cr_assert_eq(heard.n, 1, "%s", heard_all(&heard));
	expect(0, MAG_REPORT_STALL_END, "spins has held worker ");
}
