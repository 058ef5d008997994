/* SPDX-License-Identifier: MIT */
/* ledger.h - what a runtime has lent must be back when a test's tasks have ended: frames, timers, files.
 *
 * Items, permits and bytes are the tests' own: each that churns counts what goes in and what comes out. */
#ifndef MAGPIE_TESTS_LEDGER_H
#define MAGPIE_TESTS_LEDGER_H

#include <criterion/criterion.h>
#include <magpie/runtime.h>
#include <magpie/time.h>
#include <sched.h>

#include "base/clock.h"

enum { LEDGER_PATIENCE_S = 10, LEDGER_NEED_FAILED = -100000 };

/* Waits until nothing is lent any more, for so long: the last worker of a task tells a little later that it has the
 * frame. false: something is, and *s says what. */
static inline bool ledger_is_even(mag_runtime *rt, mag_stats *s, uint64_t ns)
{
	uint64_t end = magi_clock_ns() + ns;

	for (;;) {
		*s = (mag_stats){ .size = sizeof(*s) };
		cr_assert_eq(mag_runtime_stats(rt, s), 0);
		if (!s->frames && !s->timers && !s->fds)
			return true;
		if (magi_clock_ns() > end)
			return false;
		sched_yield();
	}
}

static inline void ledger_closes(mag_runtime *rt)
{
	mag_stats s;

	cr_assert(ledger_is_even(rt, &s, LEDGER_PATIENCE_S * MAG_SECOND), "%lld frames, %lld timers, %lld files are left",
		  (long long)s.frames, (long long)s.timers, (long long)s.fds);
}

/* As mag_run, and nothing may be left of the tasks, unless a check of theirs ended them early. */
#define LEDGER_RUN(options, ...)                                                                \
	__extension__({                                                                         \
		mag_runtime *ledger_rt;                                                         \
		mag_future ledger_done;                                                         \
		int64_t ledger_rc = mag_runtime_create((options), &ledger_rt);                  \
		if (ledger_rc == 0) {                                                           \
			mag_future_init(&ledger_done);                                          \
			ledger_rc = mag_spawn_from(ledger_rt, &ledger_done, __VA_ARGS__);       \
			if (ledger_rc == 0)                                                     \
				mag_future_wait(&ledger_done, &ledger_rc, MAG_NEVER);           \
			mag_future_fini(&ledger_done);                                          \
			if (ledger_rc > LEDGER_NEED_FAILED)                                     \
				ledger_closes(ledger_rt);                                       \
			cr_assert_eq(mag_runtime_destroy(ledger_rt, mag_deadline_in(30 * MAG_SECOND)), 0); \
		}                                                                               \
		ledger_rc;                                                                      \
	})

#endif
