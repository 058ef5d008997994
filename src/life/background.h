/* SPDX-License-Identifier: MIT */
/* background.h - one background task, between the registry and the task that keeps it. */
#ifndef MAGI_LIFE_BACKGROUND_H
#define MAGI_LIFE_BACKGROUND_H

#include <magpie/background.h>

struct magi_background_entry {
	struct mag_background *background;
	/* what is started */
	struct mag_background_task task; /* its name is that of `info` */
	mag_step_fn step;
	int cls;
	size_t size, at, args_size;
	mag_frame *frame; /* for the first start: it cannot fail */
	/* under the background's lock */
	struct magi_background_entry *next, **pprev;
	struct mag_background_info info;
	mag_scope *scope; /* in which it runs; NULL: not yet, or no longer */
	uint64_t window;  /* since when `recent` is counted */
	uint32_t recent;
	uint32_t doublings; /* of the delay */
	unsigned char args[];
};

/* Keeps an entry's function: starts it, again if it is to be, and takes the entry out in the end. */
struct magi_keeper {
	mag_frame frame;
	MAG_ARGS(magi_keeper, struct magi_background_entry *entry;);
	struct mag_shutdown_part part;
	mag_scope scope;
	mag_group group;
	uint64_t delay;
	int64_t rc;
};
MAG_DECLARE_TASK(magi_keeper);

/* The entry runs in this scope from now on, which is cancelled if the entry was; NULL: it does no longer. */
void magi_background_runs_in(struct magi_background_entry *e, mag_scope *scope);
/* Its function has returned. Says so, counts, and whether it is to be started again, *delay ns later. */
bool magi_background_returned(struct magi_background_entry *e, int64_t code, const mag_site *site, bool cancelled,
			      uint64_t *delay);
/* It is started again. */
void magi_background_restarts(struct magi_background_entry *e);
/* It is over: the entry is freed. */
void magi_background_gone(struct magi_background_entry *e);

#endif
