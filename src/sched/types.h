/* SPDX-License-Identifier: MIT */
/* types.h - start here: a worker and a runtime, their state split by who may touch it. */
#ifndef MAGI_SCHED_TYPES_H
#define MAGI_SCHED_TYPES_H

#include <magpie/group.h>
#include <magpie/impl/worker.h>
#include <magpie/runtime.h>

#include "base/lock.h"
#include "base/random.h"
#include "base/thread.h"
#include "io/fd.h"
#include "io/io.h"
#include "sched/slot.h"
#include "sched/wheel.h"

/* Woken tasks, first in first out: taken at `ring.top` by owner and thieves alike. What does not fit waits in order. */
struct magi_ready {
	struct magi_deque ring;
	magi_lock lock;
	mag_frame *head, *tail; /* under the lock */
	uint32_t spilled;       /* atomic: how many wait there */
};

struct magi_worker {
	/* what inlined code touches */
	struct mag_worker pub;

	/* owner only */
	mag_runtime *rt;
	const struct magi_io_ops *ops;
	struct magi_io *io;
	mag_frame *pinned_head, *pinned_tail; /* ready tasks that may run nowhere else */
	mag_group *ended_group;               /* ends that are not yet told to their group: see task/group.c */
	int64_t ended;
	int64_t round;       /* woken tasks that come before the deque now */
	uint64_t polled_at;   /* ticks: the last look at everything */
	uint64_t offered_at;  /* the same when it last woke somebody for a few woken tasks */
	uint64_t polled_pick; /* which pick that was before */
	uint64_t clock_pick;  /* at which pick to read the clock next */
	uint64_t slow_watch;  /* ns: how long it sleeps while another worker is in a step */
	uint64_t others;      /* picks of the others when it last looked at them */
	uint64_t served_at;  /* ns: when timers of its wheel last fired */
	uint64_t searches;
	uint64_t sends_pick; /* at which pick something was last sent without waiting */
	uint32_t sends;      /* how often since */
	uint32_t spin_ns;    /* adaptive, up to the option */
	bool searching;
	bool watching;
	bool watched;        /* by a simulation: base/host.h */
	bool ends;           /* its thread waits for the end of the background: run/here.c */
	bool stepwise;       /* so, or in debug mode: something is done before and after each step */
	const mag_frame *completes; /* debug mode: whose operation is being completed */
	uint32_t stamp;      /* ms since the runtime's start, and 1, at its last look; 0: nobody knows */
	int open_rc;
	struct magi_random random;
	struct magi_thread thread;
	char why[320];

	/* the owner writes, any thread reads */
	uint64_t picks MAGI_ALIGNED(MAGI_CACHE_LINE); /* atomic: how often it has taken something up */
	uint64_t pick_ticks;                          /* atomic: how long one lasts, of late */
	uint32_t awake;                               /* atomic: it takes things up; 0: it looks for work, or sleeps */
	uint64_t steals, parks, wakes, started, polls; /* atomic [stat] */
	uint64_t step_at;            /* atomic, debug mode: since when it has been in a step, ns; 0: it is in none */
	const mag_frame *step_frame; /* atomic: in that of this frame, */
	mag_step_fn step_fn;         /* atomic: which had this step, */
	const mag_site *step_site;   /* atomic: and was there when it began */
	int64_t frames[MAGI_CLASSES];                         /* [stat] taken from the depot minus given back */
	uint64_t free_seen[MAGI_CLASSES];                     /* [stat] how many of them were free at the last look */

	/* any thread */
	mag_frame *inbox MAGI_ALIGNED(MAGI_CACHE_LINE); /* atomic: woken from elsewhere; thieves may take it whole */
	mag_frame *pinned_inbox;                        /* atomic: the same, for this worker only */
	uint32_t close_mail;                            /* atomic: a file that it uses is being closed */
	uint32_t search_granted;                        /* atomic: whoever woke it counted it as a searcher */
	uint64_t noted;                                 /* atomic: which pick a thief has seen it in, and since when */
	struct magi_ready ready;
	struct magi_slots slots;
	struct magi_wheel wheel;
};

/* Who sleeps and who searches: the runtime's eventcount, see sched/idle.c. */
struct magi_idle {
	uint64_t sleepers MAGI_ALIGNED(MAGI_CACHE_LINE); /* atomic: bit i: worker i is about to block, or does */
	uint32_t searching;                              /* atomic */
	uint32_t watchers;                               /* atomic: sleepers that will look again by themselves */
	bool fenced;                                     /* no membarrier here: those who offer work pay for a barrier */
	uint64_t everyone;                               /* what owners are shown then: always somebody asleep */
};

/* Where free frames go between workers, see sched/depot.c. */
struct magi_depot {
	magi_lock lock;
	struct magi_bundle *load[MAGI_CLASSES]; /* stacks */
	char *fresh, *fresh_end;   /* not yet carved */
	struct magi_region *regions;
	uint64_t used[2]; /* atomic [stat]: classes of which there are frames, a bit each */
	uint64_t bytes;
};

struct mag_runtime {
	/* constant once it runs */
	struct magi_worker **workers;
	uint32_t n;
	uint32_t spin_us;
	uint64_t ticks_per_us;
	uint64_t began; /* ns of magi_clock_ns */
	const struct magi_io_ops *ops;
	bool backend_given; /* by name: no other will do */
	struct magi_worker *here; /* a worker without a thread of its own: run/here.c; NULL: all have one */
	struct magi_thread here_thread;
	mag_runtime_options options;
	struct magi_offload *offload;
	struct magi_debug *debug; /* NULL: debug mode is off; task/report.h */

	struct magi_idle idle;
	struct magi_depot depot;
	struct magi_fds fds;
	mag_group background;

	/* in the monitor */
	struct magi_monitor monitor;
	uint32_t opened;  /* workers that have tried to open their io */
	uint32_t stopped; /* workers that have left their loop */
	bool closing;     /* nothing more is taken in */
	bool open_ok;     /* all workers have opened their io */

	/* any thread */
	uint32_t stop MAGI_ALIGNED(MAGI_CACHE_LINE); /* atomic */
	uint32_t drained;                            /* atomic: the background has ended */
	uint32_t next_worker;                        /* atomic: round robin for foreign threads */
	uint32_t visitors;                           /* atomic: foreign threads that are waking somebody here */
	uint32_t entered;                            /* atomic: foreign threads that wait for its end */
	int64_t foreign_frames;                      /* atomic [stat]: taken by threads that are no workers */

	/* who turns `here`: run/here.c */
	bool hosted;         /* by an event loop, which may do anything between */
	bool dozes;          /* and is to be woken */
	int doze_fd;
	uint64_t doze_until; /* ns */

	/* see run/quit.c */
	uint32_t listed;                   /* atomic */
	mag_runtime *next;                 /* of the process's; under that list's lock */
	uint64_t picks_noted, picks_said;  /* its thread's: when it looked, and last said that nothing moves */
};

static inline struct magi_worker *magi_worker_of(mag_worker *w)
{
	return (struct magi_worker *)(void *)w;
}

static inline mag_runtime *magi_runtime_of(mag_worker *w)
{
	return magi_worker_of(w)->rt;
}

/* The worker of this thread, or NULL. Read only out of line: a step may resume on another thread. */
mag_worker *magi_self(void);
void magi_self_set(mag_worker *w);

/* The same, but NULL unless it is one of this runtime's. */
static inline mag_worker *magi_self_in(const mag_runtime *rt)
{
	mag_worker *w = magi_self();

	return w && magi_runtime_of(w) == rt ? w : NULL;
}

#endif
