/* SPDX-License-Identifier: MIT */
/* test_fault.c - plans for faults in turn, and how they are written down. */
#include <criterion/criterion.h>

#include <errno.h>
#include <magpie/sim.h>
#include <magpie/time.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/fault.h"
#include "base/sys.h"

static const char *text(void)
{
	static char line[64];

	return magi_fault_text(line, sizeof(line)) ? line : "none";
}

Test(fault, the_nth_time_goes_wrong_as_planned, .timeout = 10)
{
	magi_fault_set(MAGI_FAULT_BEGIN, 2, EIO);
	cr_assert_eq(magi_fault_at(MAGI_FAULT_BEGIN, "a"), 0);
	cr_assert_eq(magi_fault_at(MAGI_FAULT_RECORD, "b"), 0);
	cr_assert_eq(magi_fault_at(MAGI_FAULT_BEGIN, "c"), EIO);
	cr_assert_eq(magi_fault_at(MAGI_FAULT_BEGIN, "d"), 0);
	cr_assert_eq(magi_fault_count(MAGI_FAULT_BEGIN), 3);
	cr_assert_eq(magi_fault_count(MAGI_FAULT_RECORD), 0, "without a plan nothing is counted");
}

Test(fault, each_so_many_after_it_go_wrong_too, .timeout = 10)
{
	char seen[10] = "";

	magi_fault_plan(2, 3);
	for (int i = 0; i < 9; i++)
		seen[i] = magi_fault() ? 'x' : '.';
	cr_assert_str_eq(seen, ".x..x..x.");
	magi_fault_set(MAGI_FAULT_MEMORY, 2, ENOMEM);
	magi_fault_repeat(MAGI_FAULT_MEMORY, 2, 2);
	for (int i = 0; i < 9; i++)
		seen[i] = magi_fault() ? 'x' : '.';
	cr_assert_str_eq(seen, ".x.x.x...");
}

Test(fault, a_log_names_what_was_reached, .timeout = 10)
{
	const char *names[2] = { NULL, NULL };

	magi_fault_set(MAGI_FAULT_SYSTEM, UINT64_MAX, 0);
	magi_fault_log(MAGI_FAULT_SYSTEM, names, 2);
	cr_assert_eq(magi_sys_close(-1), -EBADF);
	cr_assert_eq(magi_sys_listen(-1, 1), -EBADF);
	cr_assert_eq(magi_sys_close(-1), -EBADF);
	cr_assert_str_eq(names[0], "close");
	cr_assert_str_eq(names[1], "listen");
	cr_assert_eq(magi_fault_count(MAGI_FAULT_SYSTEM), 3);
	magi_fault_clear();
	cr_assert_eq(magi_sys_close(-1), -EBADF);
	cr_assert_eq(magi_fault_count(MAGI_FAULT_SYSTEM), 0);
}

Test(fault, a_plan_is_read_as_it_is_written, .timeout = 10)
{
	static const char *const plans[] = { "memory:1:ENOMEM",   "system:17:EMFILE",    "begin:3:ECANCELED",
					     "record:9:LATE",     "record:9:LAST",       "transfer:4:EIO",
					     "cancel:1:EALREADY", "memory:5:ENOMEM:3:0", "memory:5:ENOMEM:1:64",
					     "cancel:2:LATE" };
	char little[8];

	cr_assert_str_eq(text(), "none");
	for (size_t i = 0; i < sizeof(plans) / sizeof(plans[0]); i++) {
		cr_assert(magi_fault_parse(plans[i]), "%s", plans[i]);
		cr_assert_str_eq(text(), plans[i]);
	}
	cr_assert(magi_fault_parse("memory:5:ENOMEM:3"));
	cr_assert_str_eq(text(), "memory:5:ENOMEM:3:0", "without an end");
	cr_assert(magi_fault_text(little, sizeof(little)));
	cr_assert_str_eq(little, "memory:");
	magi_fault_set(MAGI_FAULT_MEMORY, UINT64_MAX, 0);
	cr_assert_str_eq(text(), "none", "counting is no plan");
}

Test(fault, what_is_no_plan_is_refused, .timeout = 10)
{
	static const char *const bad[] = {
		"",           "memory",          "memory:1",     "memory:0:ENOMEM", "memory:1:EWHAT",
		"disk:1:EIO", "memory:x:ENOMEM", "begin:1:LATE", "system:1:LAST",   ":1:EIO"
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		cr_assert_not(magi_fault_parse(bad[i]), "%s", bad[i]);
}

struct nap {
	mag_frame frame;
	MAG_NO_ARGS(nap);
	int64_t rc;
};

MAG_TASK(nap)
{
	MAG_BEGIN(nap);
	MAG_AWAIT(self->rc, mag_sleep, MAG_MILLISECOND);
	MAG_RETURN(self->rc);
	MAG_END;
}

Test(fault, a_replay_line_says_it_and_is_read_again, .timeout = 20)
{
	mag_sim_options quiet = { .size = sizeof(quiet), .quiet = true };
	mag_sim_result given, planned;

	cr_assert_eq(mag_sim_run(1, &quiet, nap), 0);
	magi_fault_set(MAGI_FAULT_MEMORY, 3, ENOMEM);
	cr_assert_lt(mag_sim_run_into(&planned, 1, &quiet, nap), 0);
	magi_fault_clear();
	setenv("MAGPIE_SIM", "seed=1,fault=memory:3:ENOMEM", 1);
	cr_assert_lt(mag_sim_run_into(&given, 0, &quiet, nap), 0);
	cr_assert_eq(given.hash, planned.hash);
	cr_assert_str_eq(given.failure, planned.failure);
	cr_assert_str_eq(text(), "memory:3:ENOMEM");
	setenv("MAGPIE_SIM", "fault=memory", 1);
	cr_assert_eq(mag_sim_run(0, &quiet, nap), -EINVAL);
}
