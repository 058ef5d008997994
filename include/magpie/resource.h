/* SPDX-License-Identifier: MIT */
/* resource.h - what one async function takes and another gives back, on every way out.
 *
 *	struct session_enter { mag_frame frame; MAG_ARGS(session_enter, struct session *resource; const char *host;); … };
 *	struct session_exit  { mag_frame frame; MAG_ARGS(session_exit, struct session *resource; int64_t why;); … };
 *
 *	MAG_USING_BEGIN(self->rc, &self->use, session, &self->session, .host = "db");
 *	if (self->rc >= 0)
 *		MAG_CALL(self->rc, work, .session = &self->session);
 *	MAG_USING_END(self->rc, &self->use, self->rc);
 *
 * A resource `session` is two async functions, session_enter and session_exit. The first argument of both is called
 * `resource`; exit has one more, `why`: 0 when the body ended well, else its error, MAG_ETIMEDOUT or MAG_ECANCELED.
 *
 * Enter that fails has nothing to give back: exit does not run. Once enter has returned >= 0, also when it was cancelled
 * meanwhile, exit runs exactly once: at MAG_USING_END, or at MAG_RETURN with it open, whichever error or cancellation led
 * there. Exit runs shielded for at most `grace_ns`; its memory is taken before enter runs, so it cannot fail to start.
 * Nested resources end in reverse order. A generator may emit with one open. */
#ifndef MAGPIE_RESOURCE_H
#define MAGPIE_RESOURCE_H

#include <magpie/scope.h>
#include <magpie/time.h>

MAGI_C_BEGIN

#define MAG_USING_GRACE (10 * MAG_SECOND)

enum magi_exit { MAGI_COMMIT, MAGI_ROLLBACK, MAGI_EXIT, MAGI_EXITS };

typedef struct mag_using {
	struct magi_open open;
	uint64_t grace_ns; /* how long each function at the end may take; MAG_USING_GRACE unless set after the begin */
	int64_t error;     /* the first error of those functions, or 0; readable after the end, whatever the body gave */
	int64_t why;       /* what they are told */
	int64_t result;    /* of the body */
	mag_frame *exit[MAGI_EXITS]; /* taken at the begin, given back when they have run or are not needed */
	size_t why_at[MAGI_EXITS];   /* where in it `why` is, or 0 */
	mag_step_fn resume;
	uint32_t entered, next;
	mag_scope shield;
} mag_using;

/* Runs NAME_enter with the resource and these arguments. dst: what it returned, and when that is below 0 nothing was
 * entered; -ENOMEM: it was not called. resource: a pointer to what outlives the end. */
#define MAG_USING_BEGIN(dst, use, name, resource_, ...)                                                             \
	do {                                                                                                        \
		MAGI_SITE_HERE("using " #name);                                                                     \
		{                                                                                                   \
			__typeof__((resource_) + 0) const magi_resource = (resource_);                              \
			magi_using_open(use);                                                                       \
			MAGI_USING_EXIT(use, MAGI_EXIT, name##_exit, MAGI_WHY_AT(name##_exit));                     \
			MAGI_USING_ENTER(use, name##_enter, __VA_ARGS__);                                           \
		}                                                                                                   \
	MAGI_HERE:                                                                                                  \
		MAGI_ENTER;                                                                                         \
		(dst) = magi_using_entered(w, &self->frame, (use));                                                 \
	} while (0)

/* The body has ended with this result: joins what was forked in it, and runs NAME_exit. When nothing was entered dst is the
 * result. Never cut short but by the grace deadline.
 *
 * dst: the body's error; else that of a forked child; else the exit's error (MAG_ETIMEDOUT: its time was up); else the
 * body's result. */
#define MAG_USING_END(dst, use, result_)                                                                            \
	do {                                                                                                        \
		MAGI_JOIN_FIRST;                                                                                    \
		MAGI_AWAIT(dst, "MAG_USING_END", magi_using_end(w, &self->frame, (use), (result_)));                \
	} while (0)

/* Where `why` is; it must be an int64_t. */
#define MAGI_WHY_AT(name) \
	(offsetof(struct name, why) + 0 * sizeof(char[sizeof(((struct name *)0)->why) == sizeof(int64_t) ? 1 : -1]))

/* Takes the memory of a function that runs at the end. */
#define MAGI_USING_EXIT(use, which, name, at)                                                                       \
	do {                                                                                                        \
		MAGI_CHILD(magi_child, name, .resource = magi_resource);                                            \
		magi_using_prepare(&self->frame, (use), (which), (mag_frame *)(void *)magi_child, name##_step,      \
				   MAGI_CLASS(sizeof(struct name)), (at));                                          \
	} while (0)

#define MAGI_USING_ENTER(use, name, ...)                                                                            \
	MAGI_CHILD(magi_child, name, .resource = magi_resource, ##__VA_ARGS__);                                     \
	MAGI_LEAVE;                                                                                                 \
	mag_frame *magi_next = magi_using_enter(w, &self->frame, (use), (mag_frame *)(void *)magi_child,            \
						name##_step, MAGI_CLASS(sizeof(struct name)));                      \
	if (magi_next != &self->frame)                                                                              \
		return magi_next

MAG_API void magi_using_open(mag_using *use);
MAG_API void magi_using_prepare(mag_frame *f, mag_using *use, enum magi_exit which, mag_frame *child, mag_step_fn step,
				int cls, size_t why_at);
MAG_API mag_frame *magi_using_enter(mag_worker *w, mag_frame *f, mag_using *use, mag_frame *child, mag_step_fn step,
				    int cls);
MAG_API int64_t magi_using_entered(mag_worker *w, mag_frame *f, mag_using *use);
MAG_API mag_frame *magi_using_end(mag_worker *w, mag_frame *f, mag_using *use, int64_t result);

MAGI_C_END

#endif
