/* SPDX-License-Identifier: MIT */
/* lane.h - start here: a lane, its queues and its threads.
 *
 * What:    tasks add jobs (offload.c) through the lane's door; threads of the lane, "hands" (hand.c, crew.c), take
 *          them, run them, and send the task back to its worker. Which job may run, and when one more hand is
 *          called, is lane.c.
 * Who:     door: those who add. All else is under the lane's lock, but for what never changes. Order: door, then
 *          lane.
 * Always:  while a job waits that may run, some hand is on its way to the queue: it was called, or searches, or it
 *          runs a short job and another one watches; or whoever added the job is about to call one. So a waiting
 *          job is never left to jobs that block. A hand that rests is in the list of the idle ones, watches, or was
 *          taken out of there by whoever calls it. The last hand ends only while the door is shut and nobody waits:
 *          who has come in finds one.
 * Pairs:   the locks; [call] hand.c
 *          [attentive] set to 0, then a full barrier and a last look at the queues vs. a job is published, then a
 *          full barrier and a look at it: either the hand sees the job, or who added it sees that somebody must be
 *          called
 * Not:     a condition variable: it cannot tell whom to wake, and wakes those that spin. */
#ifndef MAGI_OFFLOAD_LANE_H
#define MAGI_OFFLOAD_LANE_H

#include <magpie/offload.h>

#include "offload/jobs.h"
#include "sched/types.h"

enum { MAGI_KINDS = 3, MAGI_LANES = 2 };

enum magi_call {       /* what `call` of a resting hand says */
	MAGI_UNCALLED, /* it is awake and looks at the word */
	MAGI_CALLED,   /* there is work: it must come */
	MAGI_ASLEEP    /* it sleeps on the word */
};

/* A thread of a lane. */
struct magi_hand {
	uint32_t call MAGI_ALIGNED(MAGI_CACHE_LINE); /* atomic: enum magi_call */
	bool watches;                                /* does not work unless the others are stuck */
	bool idle;                                   /* in the list */
	struct magi_lane *lane;
	struct magi_hand *next, *prev; /* among the idle ones, or next: among the ended ones */
	mag_frame *frame;              /* who waits for its owned job; NULL: abandoned */
	struct magi_thread thread;
};

struct magi_lane {
	struct magi_waitq waits; /* its lock is the lane's; tasks are parked in its name but not linked */
	uint32_t turn;           /* the kind to be looked at first */
	uint32_t running;        /* hands in a job */
	uint32_t owned;          /* of these: in one that owns its argument */
	uint32_t called;         /* hands on their way: called, or starting */
	uint32_t running_kind[MAGI_KINDS];
	int32_t alive; /* atomic: hands; one that ends before its starter has counted it makes this -1 for a moment */
	int32_t starting;
	uint32_t spin_ns; /* adaptive, up to spin_most */
	uint32_t spins;
	uint64_t pace; /* ticks of a recent job, about */
	uint64_t taken, done;
	struct magi_hand *idle; /* the last to become so first */
	struct magi_hand *watcher;
	struct magi_hand *ended; /* to be joined */
	bool searcher;           /* a hand looks out for jobs, awake */
	bool closing;
	bool orphaned; /* the runtime is gone: hands that end free what they use */

	/* constant */
	struct magi_offload *offload MAGI_ALIGNED(MAGI_CACHE_LINE);
	mag_runtime *rt; /* not after the lane was orphaned */
	const char *name;
	uint64_t ticks_per_us;
	uint64_t long_ticks; /* a job of this length is long */
	uint64_t idle_ns;    /* then a hand ends */
	uint32_t max;
	uint32_t cpus;
	uint32_t spin_most;         /* ns; 0: never */
	uint32_t share[MAGI_KINDS]; /* hands that each kind may use at most */
	uint32_t reserved;          /* hands that each kind can be sure of */

	magi_lock door MAGI_ALIGNED(MAGI_CACHE_LINE);
	uint32_t attentive MAGI_ALIGNED(MAGI_CACHE_LINE); /* atomic: who adds a job need not call anybody */
	mag_frame nobody;                                 /* whose jobs nobody waits for; only its place is written */
	uint32_t news;                                    /* atomic: changes while closing: a job or a hand has ended */
	struct magi_jobs jobs[MAGI_KINDS];
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
bool magi_lane_ready(struct magi_lane *l);

/* The same, and it should not wait for a hand that runs another. */
bool magi_lane_urgent(struct magi_lane *l);

/* Whether some job waits, also one that may not run yet. */
bool magi_lane_any(struct magi_lane *l);

/* No lock. Whether something seems to wait. */
bool magi_lane_shows(const struct magi_lane *l);

/* Takes a job that may run and counts it as running; its kind, or -1. Help must follow. */
int magi_lane_take(struct magi_lane *l, struct magi_hand *h, struct magi_job *job);

/* A job of this kind has ended, after so many ticks. */
void magi_lane_done(struct magi_lane *l, const struct magi_job *job, int kind, uint64_t ticks);

/* Jobs do not move on: they are long, although none has said so by its end. */
void magi_lane_stuck(struct magi_lane *l);

/* Tells those who add jobs whether they must call somebody; a look at the queues must follow. */
void magi_lane_settle(struct magi_lane *l);

/* Settles, and decides whether one more hand is needed; it is then counted as called. */
struct magi_help magi_lane_help(struct magi_lane *l);

/* Into and out of the list of idle hands. */
void magi_lane_rest(struct magi_lane *l, struct magi_hand *h);
void magi_lane_unrest(struct magi_lane *l, struct magi_hand *h);

/* The door is held instead. There is at least one hand, and room for one more job of the kind: 0, -ENOMEM or -EAGAIN.
 * Opens the door in between. */
int magi_lane_prepare(struct magi_lane *l, uint32_t kind);

/* Counts hands that have come or gone. */
void magi_lane_count(struct magi_lane *l, int32_t n);

/* Lets go of the lock; who ends the lane hears of what has changed. */
void magi_lane_release(struct magi_lane *l);

/* The life of a hand. */
void *magi_hand_main(void *hand);

/* No lock. Calls or starts a hand: 0, or why it could not be started. */
int magi_hand_call(struct magi_lane *l, struct magi_help help);

/* No lock. Ends the hands; waits for jobs until `deadline`. Returns how many hands are left, each with a job that was
 * abandoned: they are users of the lanes from then on. */
uint32_t magi_hand_end_all(struct magi_lane *l, uint64_t deadline);

/* A hand has run the job of f, no lock: gives the result. Owned: the lock is held; returns whether f is to be sent
 * home. */
void magi_offload_finish(struct magi_lane *l, mag_frame *f, int64_t result);
bool magi_offload_finish_owned(struct magi_hand *h, int64_t result);
void magi_offload_send_home(struct magi_lane *l, mag_frame *f);

/* A cancelled task was taken out of its wait. */
bool magi_offload_gone(struct magi_waitq *q, mag_frame *f, mag_frame **granted);

/* No lock. One user of the lanes less; the last frees them. */
void magi_offload_unuse(struct magi_offload *o);

#endif
