/* SPDX-License-Identifier: MIT */
/* sim.h - deterministic simulation: the same program, the same scheduler, on a machine that is made up from a seed.
 *
 * Workers, offload threads, clock, network and files are simulated in one thread. The seed decides who goes on at each
 * point, who steals, what completes and in which order, and what goes wrong. The same seed gives the same run, which is
 * told by its hash; time costs nothing: it goes on to the next deadline when nobody has anything to do.
 *
 *	static int64_t test(uint64_t seed)
 *	{
 *		return mag_sim_run(seed, NULL, transfer, .amount = 10);
 *	}
 *
 * A run that fails says so on stderr: why, what each task waits for, and one line to paste that replays it. What is
 * found: a negative result, mag_sim_assert, a crash, a deadlock (everything waits, and neither time nor I/O can change
 * that), a run without end, a step without one, files left open, operations left under way, a ledger (magpie/ledger.h) that does not end at zero.
 *
 * `magpie sim PROGRAM.so --seeds N` runs many seeds of a program (magpie/program.h) on all CPUs and shrinks the first
 * failing one.
 *
 * What a step or an offloaded job does between two points takes no time and is never interrupted: threads that the
 * program starts by itself, and real clocks, are out of reach. All workers are in one thread: a step that waits there by the
 * system's means, in pthread_mutex_lock for a mutex that another task holds across an await, waits for ever. After .held_ns the run
 * has failed, and says which task it is; use a mag_mutex there. (It takes a timer and the signal SIGRTMIN + 9, unless the
 * program has a handler for that.) */
#ifndef MAGPIE_SIM_H
#define MAGPIE_SIM_H

#include <magpie/debug.h>
#include <magpie/ledger.h>
#include <magpie/program.h>

MAGI_C_BEGIN

/* What may go wrong, or come in another way than usual. */
enum mag_sim_fault {
	MAG_SIM_SHORT = 1 << 0,      /* a read or write moves less than it could */
	MAG_SIM_DELAY = 1 << 1,      /* a completion comes late, up to 50 ms */
	MAG_SIM_CANCEL = 1 << 2,     /* a cancel comes too late, or the completion before it */
	MAG_SIM_MULTISHOT = 1 << 3,  /* a multishot operation ends early */
	MAG_SIM_RING = 1 << 4,       /* full queues between worker and kernel */
	MAG_SIM_BUFFERS = 1 << 5,    /* no receive buffer is left */
	MAG_SIM_WAKE = 1 << 6,       /* a worker wakes for nothing */
	MAG_SIM_RESET = 1 << 7,      /* a connection breaks */
	MAG_SIM_LOSS = 1 << 8,       /* datagrams are lost or come twice; the network is cut for a while */
	MAG_SIM_SLOW = 1 << 9,       /* a peer is slow */
	MAG_SIM_DISK = 1 << 10,      /* EIO, ENOSPC */
	MAG_SIM_FD = 1 << 11,        /* EMFILE */
	MAG_SIM_NAME = 1 << 12,      /* a name is not resolved */
	MAG_SIM_MEMORY = 1 << 13,    /* no memory, no thread */
	MAG_SIM_MIGRATE = 1 << 14,   /* a woken task goes on at another worker */
	MAG_SIM_MILD = MAG_SIM_MIGRATE | ((1 << 7) - 1), /* those that no correct program notices */
	MAG_SIM_ALL = (1 << 15) - 1,
	MAG_SIM_NONE = 1 << 30
};

enum { MAG_SIM_PREEMPTIONS_KEPT = 64 };

/* Files that outlive a run: mag_sim_disk_create. */
typedef struct mag_sim_disk mag_sim_disk;

typedef struct mag_sim_options {
	size_t size;              /* sizeof(mag_sim_options) */
	uint32_t workers;         /* 0: one to four, by the seed */
	uint32_t faults;          /* MAG_SIM_…; 0: MAG_SIM_MILD */
	uint32_t max_faults;      /* no more go wrong after so many; 0: no limit, UINT32_MAX: none */
	uint32_t max_preemptions; /* the same for switches that nobody waited for */
	const char *preempt_at;   /* those only, by the steps they happen at: "45:71"; NULL: by the seed */
	uint64_t max_steps;       /* of the simulation: a run that takes more does not end; 0: 10,000,000 */
	const char *trace;        /* a file to write the run to, "-": stderr; NULL: none */
	bool quiet;               /* says nothing on stderr */
	bool no_replay;           /* leaves the line out that replays a failing run: the caller has one of its own */
	bool power_cut;           /* the power may go: at some step within the first 16 to 16,384, by the seed */
	mag_sim_disk *disk;       /* its files; NULL: there are none at the beginning, and none are kept */
	const mag_debug_options *debug; /* as for a runtime: magpie/debug.h. Another run than the same seed without it */
	uint64_t held_ns;         /* of real time: a step that comes to no point for so long has failed the run;
				   * 0: 10 s; MAG_NEVER: none has */
} mag_sim_options;

typedef struct mag_sim_result {
	uint64_t hash;        /* of all that happened */
	uint64_t steps;       /* points at which another could go first */
	uint64_t switches;    /* it did, or the one that ran had to wait */
	uint64_t ns;          /* simulated time */
	uint32_t faults;      /* things that went wrong */
	uint32_t preemptions; /* switches that nobody waited for */
	uint32_t workers;
	uint64_t preempted_at[MAG_SIM_PREEMPTIONS_KEPT]; /* the steps of the first ones */
	char failure[256];    /* "" or why the run failed */
	bool power_cut;       /* the power went: the run ended there */
} mag_sim_result;

/* Runs async function `fn` with these arguments, on a runtime of its own, in the simulation that the seed makes.
 * options: NULL for the defaults. $MAGPIE_SIM (seed=0x…, and what a replay line says) overrides
 * seed and options.
 *
 * Threads:  any but a worker
 * Returns:  what the function returned; when the run failed otherwise: MAG_ESIM, after a report
 * Since:    0.1 */
#define mag_sim_run(seed, options, fn, ...) mag_sim_run_into(NULL, seed, options, fn, ##__VA_ARGS__)

/* The same, and fills *result. */
#define mag_sim_run_into(result, seed, options, fn, ...) \
	magi_sim_run((seed), (options), (result), sizeof(mag_sim_result), MAGI_PROGRAM_HERE(fn, ##__VA_ARGS__))

MAG_API int64_t magi_sim_run(uint64_t seed, const mag_sim_options *options, mag_sim_result *result,
			     size_t result_size, const mag_program *program);

/* Whether the caller runs in a simulation. */
MAG_API bool mag_sim_running(void);

/* Ends the run as failed when the condition does not hold; outside a simulation: prints and aborts. */
#define mag_sim_assert(condition)                                                                \
	do {                                                                                     \
		if (!(condition))                                                                \
			mag_sim_fail("%s:%d: %s does not hold", __FILE__, __LINE__, #condition); \
	} while (0)

/* Ends the run as failed, with these words. Does not return. */
MAG_API void mag_sim_fail(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));

/* Fails the run unless the calling task, and those that wait for it, are all there is: no other task, no timer, no
 * open file, no operation under way, no job. Outside a simulation it does nothing: others may be about to end.
 *
 * Threads:  a worker */
MAG_API void mag_sim_assert_quiescent(void);

/* A place where another may go first, in functions that run long without one: offloaded jobs. Does nothing outside a
 * simulation. */
MAG_API void mag_sim_point(void);

/* Makes a disk with no files but /dev/null, and /tmp. What a run leaves on it the next one finds: a program that writes, a
 * power cut, a program that looks what is left.
 *
 *	mag_sim_options first = { .size = sizeof(first), .disk = disk, .power_cut = true };
 *	mag_sim_options second = { .size = sizeof(second), .disk = disk };
 *
 *	mag_sim_run(seed, &first, save);
 *	mag_sim_run(seed, &second, load);
 *
 * Threads:  any; a disk is of one run at a time
 * Owns:     the caller owns it: mag_sim_disk_destroy
 * Returns:  NULL: there is no memory
 * Since:    0.1 */
MAG_API mag_sim_disk *mag_sim_disk_create(void);

/* NULL is ignored. */
MAG_API void mag_sim_disk_destroy(mag_sim_disk *disk);

/* The power goes: ends the run at once, which is no failure; mag_sim_run returns 0. Of each file there is afterwards
 * what was last synced (fsync(2)), or what there was at the end, and so it is with the names in all directories together,
 * as the seed has it; a rename from one to another is safe when both are synced. The run's memory is lost to the process. Outside a simulation: does nothing. */
MAG_API void mag_sim_power_cut(void);

/* Cuts the simulated network, or mends it: while it is cut nothing gets through between addresses, but for Unix sockets;
 * streams then go on. Does nothing outside a simulation. */
MAG_API void mag_sim_partition(bool cut);

/* The simulated process gets a signal: all receivers that are open for it (magpie/signal.h) are told. Does nothing outside
 * a simulation.
 *
 * Returns:  1; 0: nobody has it open, and nothing happens; -EINVAL: no signal
 * Since:    0.2 */
MAG_API int mag_sim_raise(int number);

/* Writes a line into the run's trace, and into its hash: what it says must not depend on addresses. Does nothing outside
 * a simulation. */
MAG_API void mag_sim_log(const char *format, ...) __attribute__((format(printf, 1, 2)));

MAGI_C_END

#endif
