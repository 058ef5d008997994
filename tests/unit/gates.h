/* SPDX-License-Identifier: MIT */
/* gates.h - what the tests of tasks share: small tasks that wait at a gate (a future) or open one, and checks that may
 * fail on any thread.
 *
 * The clock of the sim backend goes only when every worker waits: MAG_AWAIT(rc, mag_sleep, REST) returns when all else
 * has come to rest, not before, and takes no time. */
#ifndef MAGPIE_TESTS_GATES_H
#define MAGPIE_TESTS_GATES_H

#include "play.h"

#include <stdio.h>
#include <stdlib.h>

#define REST MAG_SECOND

static inline void check_failed(const char *file, int line, const char *what)
{
	fprintf(stderr, "%s:%d: %s\n", file, line, what);
	abort();
}

/* For steps, which run on workers' threads: the test ends as a crash that names the place. */
#define CHECK(condition) ((condition) ? (void)0 : check_failed(__FILE__, __LINE__, #condition))

#define EACH_WORKERS(n) for (uint32_t n = 1; n <= 4; n *= 2)

/* Runs an async function to its end on a runtime of n workers; nothing may be left of it. */
#define RUN(n, ...)                                     \
	__extension__({                                 \
		struct play run_play;                   \
		int64_t run_rc;                         \
		play_begin(&run_play, (n));             \
		play_run(&run_play, run_rc, __VA_ARGS__); \
		play_end(&run_play);                    \
		run_rc;                                 \
	})

static inline void count(uint32_t *n)
{
	magi_add_ar(n, 1u); /* [counted] */
}

static inline uint32_t counted(const uint32_t *n)
{
	return magi_load_acq(n); /* [counted] */
}

/* Ends at once. */
struct idler {
	mag_frame frame;
	MAG_ARGS(idler, int64_t result; uint32_t *ran;);
};

MAG_TASK(idler)
{
	MAG_BEGIN(idler);
	if (self->ran)
		count(self->ran);
	MAG_RETURN(self->result);
	MAG_END;
}

/* Opens a gate, after a while. */
struct opener {
	mag_frame frame;
	MAG_ARGS(opener, mag_future *gate; uint64_t after; int64_t result;);
	int64_t rc;
};

MAG_TASK(opener)
{
	MAG_BEGIN(opener);
	if (self->after)
		MAG_AWAIT(self->rc, mag_sleep, self->after);
	mag_future_complete(self->gate, self->result);
	MAG_RETURN(0);
	MAG_END;
}

/* Waits at a gate; returns what came, or `result` when that is not 0. */
struct waiter {
	mag_frame frame;
	MAG_ARGS(waiter, mag_future *gate; uint32_t *began; uint32_t *ended; int64_t *saw; int64_t result;);
	int64_t rc;
};

MAG_TASK(waiter)
{
	MAG_BEGIN(waiter);
	if (self->began)
		count(self->began);
	MAG_AWAIT(self->rc, mag_future_await, self->gate);
	if (self->saw)
		*self->saw = self->rc;
	if (self->ended)
		count(self->ended);
	MAG_RETURN(self->result ? self->result : self->rc);
	MAG_END;
}

#endif
