/* SPDX-License-Identifier: MIT */
/* scope.h - a stretch of a task that can be cancelled, has a deadline, or is shielded.
 *
 * Cancellation is level-triggered: once a scope is cancelled, every await in it returns MAG_ECANCELED at once, until
 * the scope is left. A result that was ready first is kept: completion beats cancellation. Joins, group ends, close,
 * unlock and release are never cut short. What is still open at MAG_RETURN is cancelled, joined and closed.
 *
 *	MAG_WITH_TIMEOUT(&self->scope, 5 * MAG_SECOND);
 *	MAG_AWAIT(self->n, mag_recv, self->fd, self->buf, sizeof self->buf);
 *	MAG_SCOPE_END(rc, &self->scope);        // 0, MAG_ETIMEDOUT or MAG_ECANCELED
 */
#ifndef MAGPIE_SCOPE_H
#define MAGPIE_SCOPE_H

#include <magpie/task.h>

MAGI_C_BEGIN

enum {
	MAG_SCOPE_DEPTH_MAX = 1000, /* scopes and groups within one another; deeper ones are born cancelled: MAG_EDEPTH */
	MAG_SHIELD_DEPTH_MAX = 200  /* shields within one another */
};

enum magi_open_kind {
	MAGI_OPEN_SCOPE,
	MAGI_OPEN_GROUP,
	MAGI_OPEN_GEN,
	MAGI_OPEN_USING, /* magpie/resource.h */
	MAGI_OPEN_ERRORS, /* a group that has ended: its errors are still there */
	MAGI_OPEN_HOOK,   /* struct magi_open_hook */
	MAGI_OPEN_TASKS   /* the same, with tasks that live in the scope where it was opened */
};

/* What a frame has open: a list, last first. */
struct magi_open {
	struct magi_open *next;
	const mag_site *site; /* where it was opened */
	uint32_t kind;
	uint32_t closing;
};

/* Something that rooms above add: the end of the frame calls `leave`, again each time the frame is resumed, until it
 * returns the frame itself and has taken the hook out of the list. */
struct magi_open_hook {
	struct magi_open open;
	mag_frame *(*leave)(mag_worker *w, mag_frame *f, struct magi_open_hook *hook);
};

/* Part of a scope's member list. */
struct magi_shard {
	uint32_t lock;
	uint32_t unused;
	mag_frame *tasks;  /* leaders that have parked at least once */
	mag_scope *scopes; /* scopes and groups that were opened in this one */
};

enum magi_scope_flag {
	MAGI_SCOPE_SHIELD = 1,
	MAGI_SCOPE_GROUP = 2,
	MAGI_SCOPE_HANDLE = 4,
	MAGI_SCOPE_ROOT = 8,
	MAGI_SCOPE_NEEDED = 16 /* of an end that must not fail, which runs nothing of the user's: never too deep */
};

struct mag_scope {
	struct magi_open open;
	mag_scope *parent;
	mag_frame *owner;  /* leader of the task that opened it; NULL: a root's or a handle's */
	struct mag_runtime *rt;
	mag_worker *armed; /* whose wheel the deadline is in; NULL: none */
	struct {
		mag_scope *next, **pprev;
		struct magi_shard *shard;
	} link; /* among the parent's scopes */
	void *locals;      /* task-local values: inherited by what is started or opened inside */
	int32_t cancelled; /* atomic: 0, or why */
	uint16_t level;    /* how many scopes are around it */
	uint8_t depth;     /* how many shields of its owner are around it, itself included */
	uint8_t flags;
	magi_timer timer;
	struct magi_shard shard;
};

/* Opens a scope. Leave with MAG_SCOPE_END. */
#define MAG_SCOPE_BEGIN(scope) MAGI_SCOPE_OPEN(scope, UINT64_MAX, 0)

/* Opens a scope that is cancelled `ns` nanoseconds from now. Leave with MAG_SCOPE_END. */
#define MAG_WITH_TIMEOUT(scope, ns) MAGI_SCOPE_OPEN(scope, magi_deadline_in(w, ns), 0)

/* Opens a scope that is cancelled at `deadline` (mag_now). Leave with MAG_SCOPE_END. */
#define MAG_WITH_DEADLINE(scope, deadline) MAGI_SCOPE_OPEN(scope, deadline, 0)

/* Opens a scope that cancellation from outside does not enter, for cleanup that awaits; it is cancelled itself after
 * `grace_ns` nanoseconds. Leave with MAG_SCOPE_END. */
#define MAG_SHIELD(scope, grace_ns) MAGI_SCOPE_OPEN(scope, magi_deadline_in(w, grace_ns), MAGI_SCOPE_SHIELD)

/* Leaves the scope opened last; joins what was forked in it. dst: 0, MAG_ETIMEDOUT, MAG_ECANCELED or MAG_EDEPTH. */
#define MAG_SCOPE_END(dst, scope)                                                                   \
	do {                                                                                        \
		MAGI_JOIN_FIRST;                                                                    \
		MAGI_AWAIT(dst, "MAG_SCOPE_END", magi_scope_end(w, &self->frame, (scope)));         \
	} while (0)

#define MAGI_SCOPE_OPEN(scope, deadline, flags)                                       \
	do {                                                                          \
		MAGI_SITE(NULL, #scope);                                              \
		magi_scope_open(w, &self->frame, (scope), (deadline), (flags));       \
	} while (0)

MAG_API uint64_t magi_deadline_in(mag_worker *w, uint64_t ns);
MAG_API void magi_scope_open(mag_worker *w, mag_frame *f, mag_scope *scope, uint64_t deadline, unsigned flags);
MAG_API mag_frame *magi_scope_end(mag_worker *w, mag_frame *f, mag_scope *scope);

/* Cancels all that runs in the scope, which must be open.
 *
 * Threads:  any; the caller makes sure that the scope is not left meanwhile
 * Returns:  nothing: a scope that is cancelled already stays as it is
 * Since:    0.1 */
MAG_API void mag_scope_cancel(mag_scope *scope);

/* Whether the scope was cancelled: 0, MAG_ECANCELED, MAG_ETIMEDOUT or MAG_EDEPTH.
 *
 * Threads:  any
 * Since:    0.1 */
MAG_API int mag_scope_cancelled(const mag_scope *scope);

/* mag_cancel_reason(&self->frame): why awaits here return MAG_ECANCELED: the reason of the outermost scope that it came
 * from, up to a shield. Tells a deadline from a cancellation where the scope itself is somebody else's.
 *
 * Threads:  the task itself
 * Returns:  0: they do not; MAG_ETIMEDOUT, MAG_ECANCELED, MAG_EDEPTH
 * Since:    0.2 */
MAG_API int mag_cancel_reason(const mag_frame *frame);

MAGI_C_END

#endif
