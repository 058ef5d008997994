/* SPDX-License-Identifier: MIT */
/* stress.h - a program many times at once on real threads, with everything against it: random yields, delays and
 * migrations at each suspension, cancels, more workers than CPUs.
 *
 *	mag_stress(NULL, transfer, .amount = 10);
 *
 * It finds what the simulator (magpie/sim.h) cannot see, races between plain accesses say, best with ThreadSanitizer; but
 * a run does not repeat itself. `magpie stress PROGRAM.so` does it for a program (magpie/program.h). */
#ifndef MAGPIE_STRESS_H
#define MAGPIE_STRESS_H

#include <magpie/ledger.h>
#include <magpie/program.h>

MAGI_C_BEGIN

typedef struct mag_stress_options {
	size_t size;        /* sizeof(mag_stress_options) */
	uint32_t workers;   /* 0: twice the CPUs, four at least */
	uint32_t at_once;   /* instances that run at the same time; 0: 32 */
	uint64_t ns;        /* how long new ones are started; 0: one second */
	uint64_t limit_ns;  /* an instance that nobody cancels ends within this; 0: 10 seconds */
	uint64_t seed;      /* of the random choices */
	uint32_t cancel_in; /* one in so many instances is cancelled at a random moment; 0: 4, UINT32_MAX: none */
	bool quiet;         /* says nothing on stderr */
} mag_stress_options;

typedef struct mag_stress_result {
	uint64_t runs;      /* instances that ended */
	uint64_t cancelled; /* of these */
	uint64_t steps;     /* points at which a delay or a migration could come */
	char failure[256];  /* "" or why it failed */
} mag_stress_result;

/* Runs async function `fn` with these arguments again and again, many at once, until the time is over. An instance fails
 * when it returns a negative number although nobody cancelled it, or does not end in time. At the end the ledger must be
 * at zero on each line, and nothing may be left open.
 *
 * Threads:  any but a worker
 * Returns:  0, MAG_ESIM when it failed, after a report; -ENOMEM, -EINVAL, what mag_runtime_create returns
 * Since:    0.1 */
#define mag_stress(options, fn, ...) mag_stress_into(NULL, options, fn, ##__VA_ARGS__)

/* The same, and fills *result. */
#define mag_stress_into(result, options, fn, ...) \
	magi_stress((options), (result), sizeof(mag_stress_result), MAGI_PROGRAM_HERE(fn, ##__VA_ARGS__))

MAG_API int64_t magi_stress(const mag_stress_options *options, mag_stress_result *result, size_t result_size,
			    const mag_program *program);

MAGI_C_END

#endif
