/* SPDX-License-Identifier: MIT */
/* tree.h - who waits for whom, since when and where, in words. */
#ifndef MAGI_TASK_TREE_H
#define MAGI_TASK_TREE_H

#include "sched/types.h"
#include "task/text.h"

enum {
	MAGI_TREE_LINES = 2000,           /* at most */
	MAGI_TREE_BYTES = 512 * 1024      /* room for them, and for what is said of workers */
};

/* All tasks that have waited, and what they have open. now: in ns, as the runtime counts them; 0: nobody knows. A
 * simulation calls it when all stand still, and some hold locks: none are taken then. */
void magi_tree_add(struct magi_text *t, mag_runtime *rt, uint64_t now, bool simulated);

/* A line for each worker. */
void magi_workers_add(struct magi_text *t, mag_runtime *rt);

/* The name of the async function that this is the step function of. */
void magi_text_function(struct magi_text *t, const char *step);

/* file.c:12 */
void magi_text_place(struct magi_text *t, const mag_site *site);

/* Where the task waits that mag_run and mag_spawn_from put around the program's own. */
extern const mag_site magi_tree_entrance;

#endif
