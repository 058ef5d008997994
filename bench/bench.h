/* SPDX-License-Identifier: MIT */
/* bench.h - what a case of `magpie bench` sees of the harness, and the harness of its parts.
 *
 * A bench is a list of cases with one unit; a case is measured several times, interleaved with the other cases of its
 * bench, each time in a process of its own: no run inherits another's heap, page faults or threads, and a run that
 * crashes or hangs is a failure of that row and of nothing else. bench/table.c lists them all. */
#ifndef MAGPIE_BENCH_H
#define MAGPIE_BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define BENCH_RUNS_MIN 5 /* fewer say nothing about the spread */
#define BENCH_RUNS_MAX 1000
#define BENCH_EACH 0 /* a case's threads: one row for each thread count asked for */
#define BENCH_SKIP 1 /* a run's answer: this machine or build cannot; r->why says what is missing */

/* The 13 bytes that a hello server answers. */
#define BENCH_HELLO "Hello, world!"

/* One run of one case. Filled in by the harness, except `value` and `why`. */
struct bench_run {
	int threads; /* how many workers to use */
	bool quick;  /* a smoke run: take a smaller n where that leaves the checks meaningful */
	long param;  /* from the table: connections, permits, outstanding jobs … */
	long param2; /* from the table: requests in a pipeline, O_DIRECT or not … */
	int data_fd; /* what the bench's setup returned, else -1 */

	double value;  /* the result, in the row's unit */
	char why[200]; /* what was wrong, when the run does not return 0 */
};

/* Measures once.
 * Returns: 0 with r->value set; BENCH_SKIP or a negative code with r->why set. A run that got a wrong result (value,
 * count, checksum) must return a negative code however fast it was. */
typedef int bench_run_fn(struct bench_run *r);

struct bench_case {
	const char *name;  /* NULL: the row is called by its thread count, "2T" */
	int threads;       /* a number, or BENCH_EACH */
	bench_run_fn *run; /* NULL: not in this build */
	long param, param2;
	const char *unit;     /* NULL: the bench's */
	const char *baseline; /* name of the case to compare with; NULL: "baseline" */
	const char *needs;    /* the library without which run is NULL */
	bool both_links;      /* measured in the statically linked tool too, as a row "... static" */
};

struct bench {
	const char *name, *unit;
	const char *what; /* one line for --list */
	const struct bench_case *cases;
	int n;
	/* Runs once before the first run. Returns: an fd that every run finds in data_fd, or a negative code with
	 * `why`. NULL: no setup. */
	int (*setup)(bool quick, char *why, size_t len);
};

struct bench_options {
	int threads; /* the highest thread count to run */
	int runs;
	bool json, quick;
	const char *static_tool; /* path of the statically linked tool, or NULL */
};

/* table.c */
const struct bench *bench_table(int *n);
const struct bench *bench_find(const char *name);
bool bench_is_baseline(const struct bench_case *c); /* by its name */

/* harness.c: measures all rows of a bench and reports them on stdout. `named`: the user asked for this very bench, so
 * that a case which is not in this build is a failure. Returns: the number of rows that failed. */
int bench_measure(const struct bench *b, const struct bench_options *o, bool named);

/* isolate.c: runs a case once in a child process, which becomes the tool `exe` when that is not NULL. Returns: as the
 * run does. */
int bench_isolated(const struct bench *b, const struct bench_case *c, struct bench_run *r, const char *exe);
/* The child's part when it became another tool; `spec` is what followed --one. Returns: exit status. */
int bench_one(const char *spec);

/* machine.c */
uint64_t bench_now_ns(void);
uint64_t bench_cpu_ns(void);           /* CPU time of the whole process */
int bench_cpus(void);                  /* CPUs that this process may use */
void bench_pin(int nth);               /* to the nth of those, when there are at least two */
int bench_die_with_parent(int parent); /* in a forked child; negative: the parent is gone already */
int bench_fail(struct bench_run *r, int code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* datafile.c: the setup of benches that read a file, and what stands in it. */
#define BENCH_BLOCK 4096u
int bench_datafile(bool quick, char *why, size_t len);
uint64_t bench_datafile_word(uint64_t block, unsigned i);      /* the ith 8 bytes of a block */
int bench_datafile_open(const struct bench_run *r, int flags); /* opened anew: O_RDONLY | flags; or -errno */

#endif
