/* SPDX-License-Identifier: MIT */
/* lane.h - start here: a lane, its queues and its threads.
 *
 * What:    tasks add jobs (offload.c); threads of the lane, "hands" (hand.c), take them, run them, and send the task back
 *          to its worker. Which job may run, and when one more hand is called, is lane.c.
 * Who:     all fields of a lane are under its lock, but for those that never change.
 * Always:  while a job waits that may run, some hand is on its way to the queue: it runs a short job, was called, or
 *          watches. So a waiting job is never left to jobs that block.
 *          A hand that rests is in the list of the idle ones, watches, or was taken out of there by whoever calls it.
 * Pairs:   the lock; [call] hand.c
 * Not:     a condition variable: it cannot tell whom to wake, and wakes those that spin. */
#ifndef MAGI_OFFLOAD_LANE_H
#define MAGI_OFFLOAD_LANE_H

#include <magpie/offload.h>

#include "offload/jobs.h"
#include "sched/types.h"

enum { MAGI_KINDS = 3, MAGI_LANES = 2 };

enum magi_call {      /* what `call` of a resting hand says */
	MAGI_UNCALLED, /* it is awake and looks at the word */
	MAGI_CALLED,   /* there is work: it must come */
	MAGI_ASLEEP    /* it sleeps on the word */
};

/* A thread of a lane. */
struct magi_hand {
	uint32_t call MAGI_ALIGNED(MAGI_CACHE_LINE); /* atomic: enum magi_call */
	bool watches;                                 /* does not work unless the others are stuck */
	bool idle;                                    /* in the list */
	struct magi_lane *lane;
	struct magi_hand *next, *prev; /* among the idle ones, or next: among the ended ones */
	mag_frame *frame;              /* who waits for its owned job; NULL: abandoned */
	pthread_t thread;
};

struct magi_lane {
	struct magi_waitq waits; /* its lock is the lane's; tasks are parked in its name but not linked */
	uint32_t waiting;        /* set of kinds with live jobs */
	uint32_t turn;           /* the kind to be looked at first */
	struct magi_jobs jobs[MAGI_KINDS];
	uint32_t running_kind[MAGI_KINDS];
	uint32_t running; /* hands in a job */
	uint32_t owned;   /* of these: in one that owns its argument */
	int32_t alive;    /* hands; one that ends before its starter has counted it makes this less than 0 for a moment */
	int32_t starting;
	uint32_t called; /* hands on their way: called, or starting */
	uint64_t pace;   /* ticks of a recent job, about */
	uint64_t added, taken, done;
	struct magi_hand *idle, *idle_tail; /* the last to become so first */
	struct magi_hand *spinner;          /* an idle one that does not sleep yet */
	struct magi_hand *watcher;
	struct magi_hand *ended; /* to be joined */
	uint32_t spin_ns;        /* adaptive, up to the runtime's spin_us */
	uint32_t spins;
	bool closing;
	bool orphaned; /* the runtime is gone: hands that end free what they use */

	/* constant */
	struct magi_offload *offload;
	mag_runtime *rt;
	const char *name;
	uint64_t long_ticks; /* a job of this length is long */
	uint64_t idle_ns;    /* then a hand ends */
	uint32_t max;
	uint32_t cpus;
	uint32_t share[MAGI_KINDS]; /* hands that each kind may use at most */
	uint32_t reserved;          /* hands that each kind can be sure of */

	uint32_t news MAGI_ALIGNED(MAGI_CACHE_LINE); /* atomic: changes while closing, when a hand ends a job or itself */
};

struct magi_offload {
	struct magi_lane lane[MAGI_LANES];
	uint32_t users; /* atomic: the runtime, and hands that outlive it */
};

/* Whom to call, decided under the lock and done after it. */
struct magi_help {
	struct magi_hand *hand; /* NULL: nobody, or a new one */
	bool start, watch;
};

static inline magi_lock *magi_lane_lock(struct magi_lane *l)
{
	return (magi_lock *)(void *)&l->waits.lock;
}

/* The lock is held in what follows, unless it says otherwise. */

void magi_lane_init(struct magi_lane *l, struct magi_offload *o, mag_runtime *rt, uint32_t cpus, enum mag_lane which);

/* Whether some job may run now. */
bool magi_lane_ready(const struct magi_lane *l);

/* The same, and it should not wait for a hand that runs another. */
bool magi_lane_urgent(const struct magi_lane *l);

/* Takes a job that may run and counts it as running; its kind, or -1. */
int magi_lane_take(struct magi_lane *l, struct magi_hand *h, struct magi_job *job);

/* A job of this kind has ended, after so many ticks. */
void magi_lane_done(struct magi_lane *l, const struct magi_job *job, int kind, uint64_t ticks);

/* Jobs do not move on: they are long, although none has said so by its end. */
void magi_lane_stuck(struct magi_lane *l);

/* Decides whether one more hand is needed; it is then counted as called. */
struct magi_help magi_lane_help(struct magi_lane *l);

/* Into and out of the list of idle hands. */
void magi_lane_rest(struct magi_lane *l, struct magi_hand *h);
void magi_lane_unrest(struct magi_lane *l, struct magi_hand *h);

/* There is at least one hand, and room for one more job of the kind: 0, -ENOMEM or -EAGAIN. Lets go of the lock in
 * between. */
int magi_lane_prepare(struct magi_lane *l, uint32_t kind);

/* No lock. Calls or starts a hand: 0, or why it could not be started. */
int magi_hand_call(struct magi_lane *l, struct magi_help help);

/* No lock. Ends the hands; waits for jobs until `deadline`. Returns how many hands are left, each with a job that was
 * abandoned: they are users of the lanes from then on. */
uint32_t magi_hand_end_all(struct magi_lane *l, uint64_t deadline);

/* A hand has run the job of f, no lock: gives the result. Owned: the lock is held; returns whether f is to be sent home. */
void magi_offload_finish(struct magi_lane *l, mag_frame *f, int64_t result);
bool magi_offload_finish_owned(struct magi_hand *h, int64_t result);
void magi_offload_send_home(struct magi_lane *l, mag_frame *f);

/* A cancelled task was taken out of its wait. */
bool magi_offload_gone(struct magi_waitq *q, mag_frame *f, mag_frame **granted);

/* No lock. One user of the lanes less; the last frees them. */
void magi_offload_unuse(struct magi_offload *o);

#endif
