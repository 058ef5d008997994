/* SPDX-License-Identifier: MIT */
/* group.h - tasks that are started together and joined together.
 *
 *	MAG_GROUP_BEGIN(&self->group, .policy = MAG_FAIL_FAST, .limit = 64);
 *	for (self->i = 0; self->i < self->n; self->i++) {
 *		MAG_SPAWN(self->rc, &self->group, fetch, .url = self->urls[self->i]);
 *		if (self->rc < 0)
 *			break;
 *	}
 *	MAG_GROUP_END(self->rc, &self->group);  // waits for all; the first error, or 0
 *
 * A group is a scope too: cancelling it reaches its tasks and the awaits between its begin and end. */
#ifndef MAGPIE_GROUP_H
#define MAGPIE_GROUP_H

#include <magpie/impl/waitq.h>
#include <magpie/scope.h>

MAGI_C_BEGIN

enum mag_policy {
	MAG_FAIL_FAST = 0, /* the first error cancels the rest */
	MAG_COLLECT = 1,   /* all run to their end, whatever happens */
	MAG_ANY = 2,       /* the first success cancels the rest, which are joined */
	MAG_RACE = 3       /* the first that ends, well or not, cancels the rest, which are joined */
};

enum { MAGI_SHARDS = 4 };

struct mag_group_options {
	size_t size;
	enum mag_policy policy;
	uint32_t limit; /* tasks that run at once; 0: no limit. A spawn above it waits */
};

struct mag_group_error;

struct mag_group {
	mag_scope scope;
	struct magi_shard more[MAGI_SHARDS - 1];
	int64_t started; /* by the owner */
	int64_t balance; /* atomic: started by others minus ended; from the join on, what is left */
	/* under the lock of `places`, but for handles: that of `news` */
	struct magi_waitq places; /* spawns that wait for a place */
	struct magi_waitq news;   /* the owner, waiting for the next member to finish */
	mag_handle *done, **done_tail;
	struct mag_group_error *error, **error_tail;
	struct mag_group_error *error_all; /* with those that were split off */
	int64_t first_error;
	int64_t winner;       /* MAG_ANY, MAG_RACE: what decided it */
	int64_t winner_index; /* and which member of a gather that was */
	uint32_t errors;
	uint32_t errors_kept;
	uint32_t running;
	uint32_t limit;
	uint32_t handles; /* members with a handle that nobody has asked for yet */
	uint8_t policy;
	uint8_t won;
	uint8_t named; /* there was a member with a handle */
	uint8_t apart; /* not on its owner's stack of scopes */
	mag_frame *frame;  /* the owner's, NULL: the background */
	mag_frame *joiner; /* the same, once it waits for the last member */
};

/* A name for one member, in the caller's memory. It is the caller's again, to be freed or to name another member, once
 * mag_handle_wait has given the result, mag_group_next has given the handle, the group has ended, or the spawn was
 * refused; a handle of the background, which nobody ends, also once mag_handle_done has said so. */
struct mag_handle {
	mag_scope scope; /* the task's own: cancelling it alone */
	mag_group *group;
	mag_handle *next, **pprev; /* among those that finished, under the group's lock of `news` */
	struct magi_waitq waiters;
	int64_t result;
	uint32_t done;   /* atomic */
	uint32_t listed; /* it is among those that finished; changed under that lock and the handle's own */
	void *user;      /* the caller's */
};

/* Opens a group: options are given by name. Never fails. */
#define MAG_GROUP_BEGIN(group, ...)                                                                               \
	do {                                                                                                      \
		MAGI_SITE(NULL, #group);                                                                          \
		magi_group_open(w, &self->frame, (group),                                                         \
				&(struct mag_group_options){ .size = sizeof(struct mag_group_options), ##__VA_ARGS__ }); \
	} while (0)

/* Waits for all members and leaves the group opened last. dst: the policy's result: FAIL_FAST the first error or 0,
 * COLLECT 0 (ask mag_group_errors), ANY the first success, or the first error when none succeeded, RACE what the first
 * that ended gave; MAG_ECANCELED or MAG_ETIMEDOUT when the group was cancelled from outside and nothing else went wrong.
 * The error list stays readable until mag_group_clear or the end of the frame. Never cut short. */
#define MAG_GROUP_END(dst, group)                                                                   \
	do {                                                                                        \
		MAGI_JOIN_FIRST;                                                                    \
		MAGI_AWAIT(dst, "MAG_GROUP_END", magi_group_end(w, &self->frame, (group)));         \
	} while (0)

MAG_API void magi_group_open(mag_worker *w, mag_frame *f, mag_group *group, const struct mag_group_options *options);
MAG_API mag_frame *magi_group_end(mag_worker *w, mag_frame *f, mag_group *group);

/* Cancels the members and what the owner awaits inside the group. See mag_scope_cancel. */
MAG_API void mag_group_cancel(mag_group *group);

/* MAG_AWAIT(rc, mag_group_next, &group, &handle): the next member with a handle that finished, in order of finishing.
 * Those that mag_handle_wait gives to somebody are not given here.
 *
 * Await:    yes, a cancellation point
 * Threads:  the owner of the group; the background has none
 * Owns:     the handle is the caller's again
 * Returns:  1 and *handle, 0 when there are no more, MAG_ECANCELED
 * Since:    0.1 */
MAG_API MAG_OP mag_group_next(MAG_OP_ARGS, mag_group *group, mag_handle **handle);

/* The same without waiting.
 *
 * Threads:  the owner of the group
 * Owns:     the handle is the caller's again
 * Returns:  1 and *handle, 0 when there are no more, -EAGAIN: none has finished yet; *handle is NULL then
 * Since:    0.2 */
MAG_API int mag_group_try_next(mag_group *group, mag_handle **handle);

/* MAG_AWAIT(rc, mag_group_next_until, &group, &handle, deadline): mag_group_next, until `deadline` (mag_now; MAG_NEVER) at
 * most. The members go on after that.
 *
 * Await:    yes, a cancellation point
 * Threads:  the owner of the group
 * Owns:     the handle is the caller's again
 * Returns:  as mag_group_next; MAG_ETIMEDOUT, -ENOMEM
 * Since:    0.2 */
MAG_API MAG_OP mag_group_next_until(MAG_OP_ARGS, mag_group *group, mag_handle **handle, uint64_t deadline);

/* MAG_AWAIT(rc, mag_handle_wait, &handle): the result of the task. Several may wait; each gets it.
 *
 * Await:    yes, a cancellation point
 * Threads:  any worker, of any runtime
 * Owns:     the handle is the caller's again, unless MAG_ECANCELED came from the caller's own scope
 * Returns:  what the task returned (read mag_handle_result when MAG_ECANCELED could be either), MAG_ECANCELED
 * Since:    0.1 */
MAG_API MAG_OP mag_handle_wait(MAG_OP_ARGS, mag_handle *handle);

/* MAG_AWAIT(rc, mag_handle_wait_until, &handle, deadline): the same, until `deadline` (mag_now; MAG_NEVER) at most. The task
 * goes on after that.
 *
 * Await:    yes, a cancellation point
 * Threads:  any worker, of any runtime
 * Owns:     the handle is the caller's again, unless the result is not the task's
 * Returns:  what the task returned, also when the deadline has passed; MAG_ETIMEDOUT, MAG_ECANCELED, -ENOMEM (read
 *           mag_handle_result where the task's could be one of these)
 * Since:    0.2 */
MAG_API MAG_OP mag_handle_wait_until(MAG_OP_ARGS, mag_handle *handle, uint64_t deadline);

/* Whether the task has ended. Its handle may still be listed for mag_group_next.  Threads: any */
MAG_API bool mag_handle_done(const mag_handle *handle);

/* What the task returned; -EINPROGRESS before its end.  Threads: any */
MAG_API int64_t mag_handle_result(const mag_handle *handle);

/* Cancels this task alone.  Threads: any, while the task has not been joined */
MAG_API void mag_handle_cancel(mag_handle *handle);

MAGI_C_END

#include <magpie/group_errors.h>

#endif
