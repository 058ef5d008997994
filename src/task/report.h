/* SPDX-License-Identifier: MIT */
/* report.h - what debug mode says, and to whom.
 *
 * What:    a runtime in debug mode has a `debug`, others have NULL there: to ask for it is all that debug mode costs those.
 *          Who finds a mistake begins a report, adds words, and ends it, which tells it.
 * Who:     any thread, under no lock: the program's own function is called.
 * Always:  each report is counted; of the lines on stderr only so many a second are written, and the next one says how
 *          many were left out. */
#ifndef MAGI_TASK_REPORT_H
#define MAGI_TASK_REPORT_H

#include <magpie/debug.h>

#include "sched/types.h"
#include "task/reminder.h"
#include "task/text.h"

struct magi_debug {
	mag_debug_options options; /* as they hold: no number is 0 */
	uint64_t began;            /* ns */
	uint64_t reports;          /* atomic [stat] */
	magi_lock lock;            /* of what follows */
	struct {
		uint64_t second; /* since `began` */
		uint32_t said;   /* in it */
		uint64_t left_out;
	} rate[MAG_REPORT_KINDS];
	struct magi_reminders reminders;
	struct magi_debug *next, **pprev; /* among those of the process, under their lock */
	struct magi_debug **owner;        /* where the runtime has it: the runtime's name, not followed */
	/* see run/stall.c */
	struct magi_thread watcher;
	bool watched;               /* there is one */
	uint32_t stop;              /* atomic */
	struct {                    /* the step of each worker that the watcher has told of last; it alone writes */
		uint64_t began;     /* atomic: ns */
		const mag_site *at; /* atomic */
		const char *name;   /* atomic */
	} told[MAG_WORKERS_MAX];
};

/* What the environment says, and the program: NULL and 0 when debug mode is off; -ENOMEM, -EINVAL. */
int magi_debug_create(struct magi_debug **debug, const mag_debug_options *given);
void magi_debug_destroy(struct magi_debug *debug);

/* Whether the environment wants it, for what belongs to no runtime. */
bool magi_debug_everywhere(void);

/* Forgets one error of `what` of `whose` in a runtime that may be gone; otherwise: of this other name, when there is none.
 * For who is no worker of it. */
void magi_debug_heard(const mag_runtime *rt, const void *what, const void *otherwise, const void *whose);

static inline struct magi_debug *magi_debug(const mag_runtime *rt)
{
	return MAGI_UNLIKELY(rt->debug != NULL) ? rt->debug : NULL;
}

struct magi_saying {
	mag_report report;
	struct magi_text text;
	char task[64];
	char room[480];
};

/* at: where the task is; its function gives the name; or NULL. */
void magi_say_begin(struct magi_saying *s, enum mag_report_kind kind, const mag_site *at);
/* The task's, from that of its step function; NULL is none. */
void magi_say_name(struct magi_saying *s, const char *func);
/* ", opened at file.c:12"; nothing when nobody knows. */
void magi_say_made(struct magi_saying *s, const char *how, const mag_site *made);
/* rt: NULL: it is nobody's, and the environment alone decides. */
void magi_say_end(struct magi_saying *s, mag_runtime *rt);

/* Where the step that runs on this worker is, or what is being completed there; NULL: nobody knows. In debug mode. */
const mag_site *magi_here(const struct magi_worker *w);

#endif
