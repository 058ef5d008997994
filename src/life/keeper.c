/* SPDX-License-Identifier: MIT */
/* keeper.c - the task that keeps a background function running.
 *
 * What:    a task of the runtime's background, with a group of one member in a scope of its own: the group says what went
 *          wrong and where, the scope is what is cancelled by name.
 * Who:     one for each entry.
 * Always:  the function runs from its beginning once, cancelled or not: its first frame was taken at the start, and no
 *          cancellation is asked for before it is in the group.
 * Pairs:   the background's lock
 * Not:     a call (its frame is gone when it returns, with the place where it last waited). */
#include <errno.h>
#include <string.h>

#include "life/background.h"
#include "sched/slab.h"
#include "task/group.h"
#include "task/wait.h"

/* Starts the function as a member: 0, -ENOMEM. */
static int start(mag_worker *w, struct magi_keeper *k)
{
	struct magi_background_entry *e = k->entry;
	mag_frame *child = e->frame;

	e->frame = NULL;
	if (!child)
		child = magi_frame_take(w, e->cls, e->size);
	if (!child)
		return -ENOMEM;
	memcpy((char *)child + e->at, e->args, e->args_size);
	magi_frame_init(child, e->step, NULL, child, &k->group.scope, e->cls, MAGI_SPAWN);
	magi_group_adopt(&k->group, child);
	return 0;
}

static bool returned(struct magi_keeper *k, int64_t rc)
{
	const struct mag_group_error *error = NULL;
	const mag_site *site = NULL;
	bool again;

	if (rc == 0 && mag_group_errors(&k->group, &error)) {
		rc = error ? error->code : -ENOMEM; /* the group had no memory for it */
		site = error ? error->site : NULL;
	}
	again = magi_background_returned(k->entry, rc, site, magi_cancelled(&k->frame), &k->delay);
	mag_group_clear(&k->group);
	return again;
}

MAG_TASK(magi_keeper)
{
	MAG_BEGIN(magi_keeper);
	if (self->entry->background->options.shutdown)
		MAG_SHUTDOWN_JOIN(self->entry->background->options.shutdown, &self->part,
				  self->entry->background->options.stage, self->entry->info.name);
	MAG_SCOPE_BEGIN(&self->scope);
	magi_background_runs_in(self->entry, &self->scope);
	for (;;) {
		MAG_GROUP_BEGIN(&self->group, .policy = MAG_COLLECT);
		self->rc = start(w, self);
		MAG_GROUP_END(self->delay, &self->group);
		if (!returned(self, self->rc))
			break;
		MAG_AWAIT(self->rc, mag_sleep, self->delay);
		if (self->rc < 0)
			break;
		magi_background_restarts(self->entry);
	}
	magi_background_runs_in(self->entry, NULL);
	MAG_SCOPE_END(self->rc, &self->scope);
	if (self->entry->background->options.shutdown)
		MAG_SHUTDOWN_LEAVE(self->rc, &self->part);
	magi_background_gone(self->entry);
	MAG_RETURN(0);
	MAG_END;
}
