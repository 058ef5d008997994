/* SPDX-License-Identifier: MIT */
/* source.h - a long-lived multishot request and the bounded queue of what it brings: the core of acceptors and
 * receivers.
 *
 * Who:     start, next, close: tasks, on any worker. Results: the worker on whose ring the request is. One task, or
 *          several, may wait in next.
 * Always:  nothing that came is lost: results that come after the queue is full (the cancel takes its time) are queued
 *          too. The request is under way on one ring at a time; state ARMING or WAITING has an owner, who alone moves
 *          it. Each of: the user's handle, the request from ARMING to its terminal record, an armed alarm holds a
 *          reference. After close nobody touches the user's memory.
 * Pairs:   the queue's lock guards everything below `fd`.
 *          [stop] run/worker.c
 * Not:     a request per result: a system call's worth of work each; an unbounded queue: a slow consumer must slow down
 *          the sender, not fill the memory. */
#ifndef MAGI_TASK_SOURCE_H
#define MAGI_TASK_SOURCE_H

#include "task/errand.h"
#include "task/iop.h"
#include "task/timer.h"

enum magi_source_state {
	MAGI_SOURCE_IDLE,     /* nothing under way; left for ARMING by a consumer that wants more */
	MAGI_SOURCE_ARMING,   /* somebody is about to submit, or decides whether to; left for any other by him */
	MAGI_SOURCE_ARMED,    /* under way; left for STOPPING when the queue is full or it is to end or move, or for
			       * ARMING by the terminal record */
	MAGI_SOURCE_STOPPING, /* its end was asked for; left for ARMING by the terminal record */
	MAGI_SOURCE_WAITING   /* an alarm is set; left for ARMING when it rings, for IDLE by close */
};

struct magi_source;

/* What to do after a terminal record. */
struct magi_source_turn {
	enum { MAGI_SOURCE_AGAIN, MAGI_SOURCE_END, MAGI_SOURCE_LATER } what;
	int64_t code; /* END: what consumers get once the queue is empty */
	uint64_t ns;  /* LATER: after that time */
};

struct magi_source_ops {
	uint32_t direction;
	struct magi_req req;
	/* The request was submitted on w's ring; may be NULL. */
	void (*armed)(struct magi_source *s, struct magi_worker *w);
	/* A record with a result: gives what it makes of it to magi_source_put. */
	void (*got)(struct magi_source *s, struct magi_worker *w, const struct magi_rec *rec);
	/* The request ended with this result, or could not be submitted; stopped: we had asked for its end. */
	struct magi_source_turn (*ended)(struct magi_source *s, struct magi_worker *w, int64_t res, bool stopped);
	void **(*link)(void *item);                                  /* where an item's successor is kept */
	/* To a consumer, f; the lock is held. Returns his result. */
	int64_t (*hand)(struct magi_source *s, const mag_frame *f, void *item, void *to);
	void (*dispose)(struct magi_source *s, struct magi_worker *w, void *item);
	void (*destroy)(struct magi_source *s);
};

struct magi_source {
	struct magi_waitq q; /* consumers, and the lock */
	const struct magi_source_ops *ops;
	mag_fd fd;
	void *head, *tail;
	uint32_t count, limit;
	uint32_t refs;
	enum magi_source_state state;
	struct magi_worker *on; /* where the request is */
	uint64_t token;
	struct magi_worker *move_to; /* where it is to be from now on, or NULL */
	uint32_t away;               /* times in a row that a consumer came from another worker */
	bool closing, ended;
	int64_t end;
	mag_frame *closer;
	struct magi_alarm alarm;
	struct magi_errand errand;
};

/* Fills a zeroed source and arms it, on this worker. 0; or an error, when nothing was armed and nothing was freed. */
int magi_source_start(struct magi_source *s, struct magi_worker *w, const struct magi_source_ops *ops, mag_fd fd,
		      uint32_t limit);

/* The ring's worker, from `got`: a consumer's, or queued. */
void magi_source_put(struct magi_source *s, struct magi_worker *w, void *item);

/* The next result, through `hand`. */
mag_frame *magi_source_next(mag_worker *w, mag_frame *f, struct magi_source *s, void *to);

/* Ends the request and waits for that, disposes of the queue, drops the user's reference. Never cut short. */
mag_frame *magi_source_close(mag_worker *w, mag_frame *f, struct magi_source *s);

#endif
