/* SPDX-License-Identifier: MIT */
/* seen.h - what the tasks of a runtime are doing, as somebody who looks from outside has seen it. */
#ifndef MAGI_TASK_SEEN_H
#define MAGI_TASK_SEEN_H

#include "sched/types.h"

enum {
	MAGI_SEEN_MAX = 16384, /* tasks and scopes that one look takes in */
	MAGI_SEEN_CALLS = 8,   /* calls of a chain: the innermost ones, and the outermost */
	MAGI_SEEN_NONE = -1
};

enum magi_seen_how {
	MAGI_SEEN_RUNS,   /* or is about to */
	MAGI_SEEN_WAITS,  /* in a wait queue */
	MAGI_SEEN_SLEEPS, /* for a timer */
	MAGI_SEEN_IO,     /* for an operation */
	MAGI_SEEN_JOINS,  /* for the members of a group */
	MAGI_SEEN_SCOPE   /* is no task, but a scope or a group */
};

struct magi_seen {
	const void *key;   /* address of the task's first frame, or of the scope: a name, not to be followed */
	const void *above; /* the key of what it belongs to; NULL: the background */
	enum magi_seen_how how;
	bool moves;        /* it changed during the look */
	bool cancelled;
	/* a task's */
	uint32_t state;    /* the leader's word: as long as it is the same, the task has not gone on */
	uint32_t stamp;    /* when it began to wait, see magi_wait_stamp; 0: nobody knows */
	uint32_t calls;    /* how many frames its chain has */
	const mag_site *site[MAGI_SEEN_CALLS]; /* innermost first; NULL: not begun */
	const void *on;      /* WAITS: the queue */
	const void *holder;  /* the key of the task that holds what it waits for, or NULL */
	uint64_t deadline;   /* SLEEPS; of a scope: 0 or UINT64_MAX: none */
	int fd;              /* IO: -1: none */
	/* a scope's; its place is site[0] */
	bool group;
	bool shield;
	int64_t members;   /* of a group: that have not ended */
	uint32_t limit;
	/* the tree: indexes, or MAGI_SEEN_NONE */
	int32_t up, first, next;
	int32_t same;      /* entry in the table of keys, with the same hash */
	uint32_t level;
	uint32_t number;   /* to be told from others of its name; 0: nobody asks */
	bool told;
};

struct magi_look {
	mag_runtime *rt;
	bool locks;    /* take them; false: all others stand still */
	bool more;     /* there was no room for all */
	uint32_t n;
	int32_t first; /* of those that belong to the background */
	int32_t *table;
	struct magi_seen *seen;
};

/* Looks at all tasks that have waited at least once, and at all scopes that are open. 0 or -ENOMEM. */
int magi_look_begin(struct magi_look *l, mag_runtime *rt, bool locks);
void magi_look_end(struct magi_look *l);

/* Whether a task that waited is where it was seen; as long as it is, what it waits at may not be freed. The runtime has not
 * ended. */
bool magi_seen_still(const struct magi_seen *r);

/* The index of a key, or MAGI_SEEN_NONE. */
int32_t magi_look_find(const struct magi_look *l, const void *key);

/* The step of the tree behind i, going down first; MAGI_SEEN_NONE: it was the last. */
int32_t magi_look_next(const struct magi_look *l, int32_t i);

#endif
