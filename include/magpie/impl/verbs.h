/* SPDX-License-Identifier: MIT */
/* verbs.h - what the verbs of magpie/task.h expand to.
 *
 * Each await point stores the address of a static site: its label is where the step function resumes. The frame is
 * published by the operation, as its last act; after that only the pointers' values are compared, never followed. */
#ifndef MAGPIE_IMPL_VERBS_H
#define MAGPIE_IMPL_VERBS_H

#include <errno.h>
#include <magpie/impl/worker.h>

#if defined(__clang__)
#pragma clang diagnostic ignored "-Wgnu-zero-variadic-macro-arguments"
#endif

typedef struct mag_group mag_group;
typedef struct mag_handle mag_handle;

MAGI_C_BEGIN
MAG_API mag_frame *magi_spawn(mag_worker *w, mag_frame *f, mag_group *group, mag_frame *child, mag_step_fn step, int cls,
			      mag_handle *handle, unsigned on);
MAGI_C_END

#define MAGI_PASTE2(a, b) a##b
#define MAGI_PASTE(a, b) MAGI_PASTE2(a, b)
#define MAGI_HERE MAGI_PASTE(magi_at_, __LINE__)

/* In debug builds the worker knows that it is inside a step function until a verb leaves it: src/run/worker.c names the
 * function that was left by a plain return. */
#ifdef MAGPIE_DEBUG
#define MAGI_ENTER (w->inside = __func__)
#define MAGI_LEAVE (w->inside = NULL)
#else
#define MAGI_ENTER ((void)0)
#define MAGI_LEAVE ((void)0)
#endif

#define MAGI_SITE(where, text)                                                                       \
	static const mag_site magi_site = { (where), __func__, __FILE__, (text), __LINE__ };         \
	self->frame.at = &magi_site
#define MAGI_SITE_HERE(text) MAGI_SITE(__extension__ &&MAGI_HERE, text)

#define MAGI_BEGIN(name)                                                             \
	MAGI_ASSERT_STATIC(sizeof(struct name) <= MAGI_CLASS_BYTES_MAX,              \
			   "a frame has 1 MiB at most: larger buffers need memory of their own"); \
	struct name *const self __attribute__((unused)) = (struct name *)(void *)magi_f; \
	MAGI_ENTER;                                                                  \
	if (magi_f->at)                                                              \
	__extension__({ goto *magi_f->at->label; })

/* The label is for functions without a verb that waits: clang wants to see one if there is a computed goto. */
#define MAGI_END                                                \
	if (0) {                                                \
	magi_end_of_step:                                       \
		__extension__({ (void)&&magi_end_of_step; });   \
	}                                                       \
	__builtin_unreachable()

/* `call` suspends by returning anything but this frame. */
#define MAGI_WAIT(text, call)                                \
	MAGI_SITE_HERE(text);                                \
	{                                                    \
		MAGI_LEAVE;                                  \
		mag_frame *magi_next = (call);               \
		if (magi_next != &self->frame)               \
			return magi_next;                    \
	}                                                    \
	MAGI_HERE:                                           \
	MAGI_ENTER;

#define MAGI_AWAIT(dst, text, call)                          \
	do {                                                 \
		MAGI_WAIT(text, call)                        \
		(dst) = self->frame.op.result;               \
	} while (0)

/* Declares `var`, a frame of async function `name` that has its arguments; NULL when memory is out. */
#define MAGI_CHILD(var, name, ...)                                                                                   \
	struct name *var = (struct name *)magi_frame_take(w, MAGI_CLASS(sizeof(struct name)), sizeof(struct name)); \
	if (MAGI_LIKELY(var != NULL))                                                                                \
	var->args_ = (struct name##_args){ __VA_ARGS__ }

/* Starts a child and leaves the step. The arguments stand here twice and are evaluated once. */
#define MAGI_START(how, kind, name, ...)                                                                             \
	{                                                                                                            \
		struct magi_free_list *const magi_list = &w->free[MAGI_CLASS(sizeof(struct name))];                  \
		struct name *const magi_child = (struct name *)(void *)magi_list->head;                              \
		struct magi_free_node *const magi_rest = magi_list->head->next;                                      \
		const bool magi_refused = magi_rest && MAGI_SLAB_REFUSES;                                            \
		MAGI_LEAVE;                                                                                          \
		if (MAGI_UNLIKELY(!magi_rest) || magi_refused) {                                                     \
			const struct name##_args magi_args = { __VA_ARGS__ };                                        \
			const struct magi_start magi_start = { name##_step, &magi_args, offsetof(struct name, args_), \
							       sizeof(magi_args),                                    \
							       magi_refused ? -1 : MAGI_CLASS(sizeof(struct name)),  \
							       (kind) };                                             \
			return magi_start_slow(w, &self->frame, &magi_start);                                        \
		}                                                                                                    \
		MAGI_UNPOISON(magi_child, sizeof(struct name));                                                      \
		magi_list->head = magi_rest;                                                                         \
		magi_child->args_ = (struct name##_args){ __VA_ARGS__ };                                             \
		return how(&magi_child->frame, name##_step, MAGI_CLASS(sizeof(struct name)));                        \
	}

#define MAGI_OP_DONE(rc)                  \
	do {                              \
		f->op.result = (rc);      \
		return f;                 \
	} while (0)

/* The frame that awaits has left its step already. */
#define MAGI_OP_CALL_(name, ...)                                                                                     \
	do {                                                                                                         \
		MAGI_CHILD(magi_child, name, __VA_ARGS__);                                                           \
		if (MAGI_UNLIKELY(!magi_child))                                                                      \
			MAGI_OP_DONE(-ENOMEM);                                                                       \
		return magi_call(f, (mag_frame *)(void *)magi_child, name##_step, MAGI_CLASS(sizeof(struct name))); \
	} while (0)

#define MAGI_HOW_CALL(child, step, cls) magi_call(&self->frame, child, step, cls)
#define MAGI_HOW_FORK(child, step, cls) magi_fork(w, &self->frame, child, step, cls)

#define MAGI_CALL_(dst, name, ...)                                       \
	do {                                                             \
		MAGI_SITE_HERE(#name);                                   \
		MAGI_START(MAGI_HOW_CALL, MAGI_CALL, name, __VA_ARGS__)  \
	MAGI_HERE:                                                       \
		MAGI_ENTER;                                              \
		(dst) = self->frame.op.result;                           \
	} while (0)

#define MAGI_FORK_(name, ...)                                            \
	do {                                                             \
		MAGI_SITE_HERE("fork " #name);                           \
		MAGI_START(MAGI_HOW_FORK, MAGI_FORK, name, __VA_ARGS__)  \
	MAGI_HERE:                                                       \
		MAGI_ENTER;                                              \
	} while (0)

/* A join in front of the end of a block: errors stay for MAG_JOIN or MAG_RETURN to find. */
#define MAGI_HERE_JOIN MAGI_PASTE(magi_join_, __LINE__)
#define MAGI_JOIN_FIRST                                                                                         \
	if (MAGI_UNLIKELY(self->frame.taken != 0)) {                                                            \
		static const mag_site magi_join_site = { __extension__ &&MAGI_HERE_JOIN, __func__, __FILE__,    \
							 "join before the end", __LINE__ };                     \
		self->frame.at = &magi_join_site;                                                               \
		MAGI_LEAVE;                                                                                     \
		return magi_join_wait(w, &self->frame);                                                         \
	}                                                                                                       \
	MAGI_HERE_JOIN:                                                                                         \
	MAGI_ENTER;                                                                                             \
	self->frame.taken = 0

#define MAGI_JOIN(dst)                                                                     \
	do {                                                                               \
		if (MAGI_LIKELY(magi_joined_clean(&self->frame))) {                        \
			(dst) = 0;                                                         \
			break;                                                             \
		}                                                                          \
		if (self->frame.taken != 0) {                                              \
			MAGI_SITE_HERE("MAG_JOIN");                                        \
			MAGI_LEAVE;                                                        \
			return magi_join_wait(w, &self->frame);                            \
		}                                                                          \
	MAGI_HERE:                                                                         \
		MAGI_ENTER;                                                                \
		(dst) = magi_join_result(&self->frame);                                    \
	} while (0)

/* 1 + the worker, 0 is none; what is no worker is refused. */
#define MAGI_ON(worker) ((unsigned)(worker) < 0xffffu ? 1u + (unsigned)(worker) : 0xffffu)

#define MAGI_SPAWN_(dst, handle, on, group, name, ...)                                                           \
	do {                                                                                                     \
		MAGI_SITE_HERE("spawn " #name);                                                                  \
		{                                                                                                \
			MAGI_CHILD(magi_child, name, __VA_ARGS__);                                               \
			MAGI_LEAVE;                                                                              \
			mag_frame *magi_next = magi_spawn(w, &self->frame, (group), (mag_frame *)(void *)magi_child, \
							  name##_step, MAGI_CLASS(sizeof(struct name)),          \
							  (handle), (on));                                       \
			if (magi_next != &self->frame)                                                           \
				return magi_next;                                                                \
		}                                                                                                \
	MAGI_HERE:                                                                                               \
		MAGI_ENTER;                                                                                      \
		(dst) = self->frame.op.result;                                                                   \
	} while (0)

#define MAGI_RETURN(rc)                                                                                   \
	do {                                                                                              \
		const int64_t magi_rc = (rc);                                                             \
		MAGI_LEAVE;                                                                               \
		if (MAGI_UNLIKELY(!magi_joined_clean(&self->frame))) {                                    \
			MAGI_SITE(NULL, "MAG_RETURN");                                                    \
			return magi_leave(w, &self->frame, magi_rc);                                      \
		}                                                                                         \
		MAGI_TASK_ENDED(&self->frame);                                                            \
		return magi_end(w, &self->frame, magi_rc, MAGI_CLASS(sizeof(*self)));                     \
	} while (0)

#endif
