/* SPDX-License-Identifier: MIT */
/* sim.h - start here: a simulation, and the fibers that play the threads of its program.
 *
 * run.c begins and ends it; host.c answers the library (base/host.h); fiber.c keeps who waits for what and switches;
 * choose.c decides by the seed; trace.c writes down and hashes; quiet.c and ledger.c look for what is left over;
 * report.c says why a run failed; vigil.c sees a step that does not end.
 * stress.c and meddle.c: the same programs on real threads.
 *
 * Who:     one thread, everything.
 * Always:  exactly one fiber runs; it is switched away from only where it asks its host for something. */
#ifndef MAGI_SIM_SIM_H
#define MAGI_SIM_SIM_H

#include <magpie/sim.h>
#include <stdio.h>
#include <time.h>

#include "base/host.h"
#include "base/random.h"
#include "sched/types.h"
#include "sim/coroutine.h"
#include "sim/ledger.h"

enum { MAGI_SIM_CHANGES = 4 };

enum magi_fiber_state {
	MAGI_FIBER_READY,
	MAGI_FIBER_WAITS, /* for a word to be woken, or its deadline */
	MAGI_FIBER_JOINS, /* for another to end */
	MAGI_FIBER_ENDED
};

/* A thread of the program. */
struct magi_fiber {
	struct magi_coroutine coroutine;
	struct magi_sim *sim;
	struct magi_fiber *next; /* all of them, in the order of their starts */
	uint64_t id;             /* from 1 */
	char name[16];
	void *(*fn)(void *arg);
	void *arg;
	enum magi_fiber_state state;
	const uint32_t *word; /* WAITS for it */
	uint64_t until;       /* WAITS until then; READY: not before, it has lost its CPU */
	uint64_t joins;       /* JOINS this one */
	bool late;            /* the time of its wait was over */
	int64_t priority;
	mag_worker *self; /* the worker that it is, while it is away */
	mag_frame *frame; /* whose step it runs, or ran last */
	int error;        /* errno, while it is away */
};

/* Whose turn it is: by throwing dice at each point, or by priorities that change at a few points, which finds what
 * needs few switches at the right places [Burckhardt et al., A Randomized Scheduler with Probabilistic Guarantees of
 * Finding Bugs, ASPLOS 2010]. */
struct magi_choice {
	struct magi_random turns; /* whether one loses its turn */
	struct magi_random next;  /* to whom */
	struct magi_random away;  /* for how long */
	struct magi_random numbers;
	struct magi_random chances[MAGI_CHANCES];
	uint32_t odds[MAGI_CHANCES]; /* one in so many; 0: never */
	bool priorities;
	uint32_t preempt; /* dice: one in so many points */
	uint64_t change[MAGI_SIM_CHANGES];
	uint64_t at[MAG_SIM_PREEMPTIONS_KEPT]; /* preempts there only */
	uint32_t at_count;
	bool listed;
	int64_t lowest, highest; /* priorities given so far */
};

struct magi_sim {
	struct magi_host host; /* first */
	mag_sim_options options;
	mag_sim_result result, *out;
	uint64_t cut_at; /* steps; 0: never */
	size_t out_size; /* as the caller knows it */
	uint64_t seed;
	struct magi_choice choice;
	struct magi_coroutine outside; /* who called mag_sim_run */
	struct magi_fiber *fibers, **fibers_end, *current;
	uint64_t fiber_count;
	uint32_t frame_ids;
	uint64_t now;
	uint32_t stretch; /* points since the last switch */
	bool failed;
	bool reported;
	FILE *trace;
	const mag_program *program;
	char texts[1024]; /* of $MAGPIE_SIM */
	size_t texts_used;
	int64_t rc;
	struct magi_ledger ledger;
	/* vigil.c */
	timer_t timer;
	uint64_t held_ns;    /* of real time without a point, after which it has failed */
	uint64_t seen_steps; /* at the last look */
	uint32_t looks;      /* since when there were as many */
	bool watched;
};

static inline struct magi_sim *magi_sim_of(struct magi_host *h)
{
	return (struct magi_sim *)(void *)h;
}

/* run.c: to the caller, as much of it as there was when that was compiled */
void magi_sim_give_result(struct magi_sim *s);

/* crash.c */
void magi_crash_catch(void);
void magi_crash_release(void);

/* vigil.c: fails the run when it does not come to its next point. */
void magi_vigil_begin(struct magi_sim *s);
void magi_vigil_end(struct magi_sim *s);

/* fiber.c */
int magi_fiber_start(struct magi_sim *s, void *(*fn)(void *arg), void *arg, size_t stack, uint64_t *id);
/* The current one lets another go on; it has said before what it waits for. */
void magi_fiber_switch(struct magi_sim *s);
/* Goes on with some fiber until the simulation is over. */
void magi_fiber_run_all(struct magi_sim *s);
void magi_fiber_free_all(struct magi_sim *s);
/* Leaves the current fiber for good: the simulation is over. */
void magi_fiber_abandon(struct magi_sim *s) __attribute__((noreturn));

/* choose.c */
void magi_choice_init(struct magi_sim *s);
/* Whether it is a list of steps. */
bool magi_choice_is_list(const char *text);
/* Whether the current fiber loses its turn at this point. */
bool magi_choice_preempts(struct magi_sim *s);
/* Who goes on; there is one that could. */
struct magi_fiber *magi_choice_next(struct magi_sim *s);
bool magi_choice_happens(struct magi_sim *s, enum magi_chance what);
/* The one that runs waits for others without saying for whom. */
void magi_choice_yields(struct magi_sim *s);
static inline bool magi_fiber_can_run(const struct magi_fiber *f)
{
	return f->state == MAGI_FIBER_READY && f->until <= f->sim->now;
}

/* host.c */
extern const struct magi_host_ops magi_sim_host_ops;
/* One more point; fails the run when there were too many. */
void magi_sim_count(struct magi_sim *s);

/* trace.c */
void magi_trace_hash(struct magi_sim *s, uint64_t x);
void magi_trace(struct magi_sim *s, const char *format, ...) __attribute__((format(printf, 2, 3)));
void magi_trace_step(struct magi_sim *s, mag_frame *f);
void magi_trace_note(struct magi_sim *s, enum magi_note note, int64_t a, int64_t b, int64_t c);
const char *magi_chance_name(enum magi_chance what);

/* report.c */
/* The run has failed; the first words count. */
void magi_sim_failed(struct magi_sim *s, const char *format, ...) __attribute__((format(printf, 2, 3)));
void magi_sim_report(struct magi_sim *s);
/* The runtime that is simulated, or NULL. */
mag_runtime *magi_sim_runtime(const struct magi_sim *s);

#endif
