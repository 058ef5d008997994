/* SPDX-License-Identifier: MIT */
/* seeds.h - many seeds of a small program, on all CPUs: a process for each takes its share of them, and says where it was
 * when it fails or crashes. */
#ifndef MAGPIE_TESTS_SEEDS_H
#define MAGPIE_TESTS_SEEDS_H

#include <criterion/criterion.h>
#include <inttypes.h>
#include <magpie/magpie.h>
#include <magpie/sim.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "support/heap.h"

#if defined(MAGI_ASAN)
void __lsan_do_leak_check(void);
#endif

#if defined(MAGI_ASAN)
enum { SCHEDULES = 500 };
#else
enum { SCHEDULES = 2000 };
#endif
enum { CPUS_MAX = 64 };
enum { PROGRAMS = 9 }; /* that share what $MAGPIE_SCHEDULES asks for */

struct share {
	uint64_t done;
	uint64_t failed; /* seed + 1 */
};

/* Seeds k, k + n, k + 2n, …, in a process of its own. */
static void run_share(int64_t (*run)(uint64_t seed), uint64_t k, uint64_t n, uint64_t end, struct share *share)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	heap_keep();
	for (uint64_t seed = k; seed < end; seed += n) {
		share->failed = seed + 1; /* unless it comes back */
		if (run(seed) < 0)
			_exit(1);
		share->failed = 0;
		share->done++;
	}
#if defined(MAGI_ASAN)
	__lsan_do_leak_check(); /* which _exit does not */
#endif
	_exit(0);
}

static void run_all(const char *name, int64_t (*run)(uint64_t seed))
{
	const char *asked = getenv("MAGPIE_SCHEDULES");
	uint64_t end = asked ? strtoull(asked, NULL, 0) / PROGRAMS : SCHEDULES, begun = magi_clock_ns(), done = 0;
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	struct share *shares = mmap(NULL, CPUS_MAX * sizeof(*shares), PROT_READ | PROT_WRITE,
				    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	uint64_t n = cpus < 1 ? 1 : cpus < CPUS_MAX ? (uint64_t)cpus : CPUS_MAX;
	double seconds;

	cr_assert_gt(end, 0, "MAGPIE_SCHEDULES=%s", asked);
	cr_assert_neq(shares, MAP_FAILED);
	fflush(NULL);
	for (uint64_t k = 0; k < n; k++) {
		pid_t pid = fork();

		cr_assert_geq(pid, 0);
		if (pid == 0)
			run_share(run, k, n, end, &shares[k]);
	}
	while (wait(NULL) > 0)
		;
	seconds = (double)(magi_clock_ns() - begun) / 1e9;
	for (uint64_t k = 0; k < n; k++) {
		cr_expect_eq(shares[k].failed, 0, "%s: seed %" PRIu64, name, shares[k].failed - 1);
		done += shares[k].done;
	}
	fprintf(stderr, "%-8s %" PRIu64 " schedules, %.0f a second and CPU\n", name, done,
		(double)done / seconds / (double)n);
	munmap(shares, CPUS_MAX * sizeof(*shares));
	cr_assert_eq(done, end);
}

/* A task as a program of its own; its arguments may look at the seed. */
#define PROGRAM(name, ...)                                           \
	static int64_t run_##name(uint64_t seed)                     \
	{                                                            \
		return mag_sim_run(seed, NULL, name, ##__VA_ARGS__); \
	}

/* The test that it does what it says on all schedules. */
#define ALL(suite, name, says)              \
	Test(suite, says, .timeout = 36000) \
	{                                   \
		run_all(#name, run_##name); \
	}

#endif
