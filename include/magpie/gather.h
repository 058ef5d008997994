/* SPDX-License-Identifier: MIT */
/* gather.h - many async functions at once, with what each returned, in the order in which they were added.
 *
 *	MAG_GATHER_BEGIN(&self->pages, self->results, self->n, .limit = 16);
 *	for (self->i = 0; self->i < self->n; self->i++)
 *		MAG_GATHER_ADD(self->rc, &self->pages, fetch, .url = self->urls[self->i]);
 *	MAG_GATHER_END(self->rc, &self->pages);     // results[i] is what the i-th fetch returned
 *
 * The name says when it is over and what it gives:
 *
 *	MAG_GATHER   all are; the first error cancels the rest and is the result    Promise.all, asyncio.gather
 *	MAG_SETTLED  all are, whatever happens; 0                                   Promise.allSettled
 *	MAG_ANY      one has succeeded: its result; none: the first error           Promise.any
 *	MAG_RACE     one has ended, well or not: its result                         Promise.race
 *
 * The rest is always cancelled and joined: no member outlives the end. Underneath is a group, `gather.group`: it has the
 * limit, the scope and the list of errors (magpie/group.h), in which `index` says whose they are. */
#ifndef MAGPIE_GATHER_H
#define MAGPIE_GATHER_H

#include <magpie/group.h>

MAGI_C_BEGIN

typedef struct mag_gather {
	mag_group group;
	int64_t *results;
	size_t room, added;
} mag_gather;

/* At the end of a member's memory. */
struct magi_gathered {
	int64_t *result;
	const mag_site *site; /* where it was added */
};

/* Opens a gather of at most n functions; options as for MAG_GROUP_BEGIN, without the policy. results: room for n, the
 * caller's until the end. A function that is not started leaves MAG_ECANCELED there, or -ENOMEM. */
#define MAG_GATHER_BEGIN(gather, results, n, ...) MAGI_GATHER_OPEN(MAG_FAIL_FAST, gather, results, n, ##__VA_ARGS__)
#define MAG_SETTLED_BEGIN(gather, results, n, ...) MAGI_GATHER_OPEN(MAG_COLLECT, gather, results, n, ##__VA_ARGS__)
#define MAG_ANY_BEGIN(gather, results, n, ...) MAGI_GATHER_OPEN(MAG_ANY, gather, results, n, ##__VA_ARGS__)
#define MAG_RACE_BEGIN(gather, results, n, ...) MAGI_GATHER_OPEN(MAG_RACE, gather, results, n, ##__VA_ARGS__)

/* Starts an async function, arguments by name, as the next member; waits while `limit` of them run. By the task that has
 * opened the gather. dst: 0; not started: MAG_ECANCELED when the rest was called off, -ENOMEM, which counts as the
 * member's error. dst need not be looked at: what went wrong is told at the end, too. Misuse, which ends the program in
 * debug builds: -EOVERFLOW above n, MAG_ECLOSED behind the end, -EPERM in another task. */
#define MAG_GATHER_ADD(dst, gather, ...) MAGI_GATHER_ADD(MAGI_HERE, dst, gather, __VA_ARGS__)
#define MAG_SETTLED_ADD(dst, gather, ...) MAGI_GATHER_ADD(MAGI_HERE, dst, gather, __VA_ARGS__)
#define MAG_ANY_ADD(dst, gather, ...) MAGI_GATHER_ADD(MAGI_HERE, dst, gather, __VA_ARGS__)
#define MAG_RACE_ADD(dst, gather, ...) MAGI_GATHER_ADD(MAGI_HERE, dst, gather, __VA_ARGS__)

/* Waits for all members; never cut short. dst: as the head of this file says; MAG_ECANCELED when it was cancelled from
 * outside and nothing else went wrong: what had finished is in results then, too. */
#define MAG_GATHER_END(dst, gather) MAGI_GATHER_END(dst, "MAG_GATHER_END", gather, MAG_FAIL_FAST)
#define MAG_SETTLED_END(dst, gather) MAGI_GATHER_END(dst, "MAG_SETTLED_END", gather, MAG_COLLECT)
#define MAG_ANY_END(dst, gather) MAGI_GATHER_END(dst, "MAG_ANY_END", gather, MAG_ANY)
#define MAG_RACE_END(dst, gather) MAGI_GATHER_END(dst, "MAG_RACE_END", gather, MAG_RACE)

/* One async function over n arguments: begin, add for each value of i from 0 on, end. i: any integer lvalue in the frame.
 *
 *	MAG_GATHER_EACH(self->rc, &self->pages, self->results, n, self->i, fetch, .url = self->urls[self->i]);
 */
#define MAG_GATHER_EACH(dst, gather, results, n, i, ...)                                 \
	do {                                                                             \
		MAGI_GATHER_OPEN(MAG_FAIL_FAST, gather, results, n, .limit = 0);         \
		MAGI_GATHER_EACH(dst, gather, i, __VA_ARGS__);                           \
		MAG_GATHER_END(dst, gather);                                             \
	} while (0)

/* The same; all run to their end. */
#define MAG_SETTLED_EACH(dst, gather, results, n, i, ...)                                \
	do {                                                                             \
		MAGI_GATHER_OPEN(MAG_COLLECT, gather, results, n, .limit = 0);           \
		MAGI_GATHER_EACH(dst, gather, i, __VA_ARGS__);                           \
		MAG_SETTLED_END(dst, gather);                                            \
	} while (0)

/* After the end of MAG_ANY or MAG_RACE: which member decided it, from 0 on; -1: none did.
 *
 * Threads:  the owner
 * Since:    0.2 */
MAG_API int64_t mag_gather_winner(const mag_gather *gather);

#define MAGI_GATHER_OPEN(policy_, gather, results, n, ...)                                                        \
	do {                                                                                                      \
		MAGI_SITE(NULL, #gather);                                                                         \
		magi_gather_open(w, &self->frame, (gather), (results), (n),                                       \
				 &(struct mag_group_options){ .size = sizeof(struct mag_group_options),           \
							      .policy = (policy_), ##__VA_ARGS__ });              \
	} while (0)

#define MAGI_GATHER_ADD(here, dst, gather, name, ...)                                                             \
	do {                                                                                                      \
		MAGI_SITE(__extension__ &&here, "gather " #name);                                                 \
		{                                                                                                 \
			MAGI_ASSERT_STATIC(sizeof(struct name) + sizeof(struct magi_gathered) <= MAGI_CLASS_BYTES_MAX,    \
					   "a gathered frame has 16 bytes less than 1 MiB");                      \
			enum { magi_cls = MAGI_CLASS(sizeof(struct name) + sizeof(struct magi_gathered)) };           \
			struct name *magi_child = (struct name *)magi_frame_take(w, magi_cls, sizeof(struct name)); \
			if (MAGI_LIKELY(magi_child != NULL))                                                      \
				magi_child->args_ = (struct name##_args){ __VA_ARGS__ };                          \
			MAGI_LEAVE;                                                                               \
			mag_frame *magi_next = magi_gather_add(w, &self->frame, (gather),                         \
							       (mag_frame *)(void *)magi_child, name##_step, magi_cls); \
			if (magi_next != &self->frame)                                                            \
				return magi_next;                                                                 \
		}                                                                                                 \
	here:                                                                                                     \
		MAGI_ENTER;                                                                                       \
		(dst) = self->frame.op.result;                                                                    \
	} while (0)

#define MAGI_GATHER_END(dst, text, gather, policy)                                                                \
	do {                                                                                                      \
		MAGI_JOIN_FIRST;                                                                                  \
		MAGI_AWAIT(dst, text, magi_gather_end(w, &self->frame, (gather), (policy)));                      \
	} while (0)

#define MAGI_GATHER_EACH(dst, gather, i, ...)                                                                     \
	for ((i) = 0; (size_t)(i) < (gather)->room; (i)++)                                                        \
	MAGI_GATHER_ADD(MAGI_PASTE(magi_each_, __LINE__), dst, gather, __VA_ARGS__)

MAG_API void magi_gather_open(mag_worker *w, mag_frame *f, mag_gather *gather, int64_t *results, size_t n,
			      const struct mag_group_options *options);
MAG_API mag_frame *magi_gather_add(mag_worker *w, mag_frame *f, mag_gather *gather, mag_frame *child, mag_step_fn step,
				   int cls);
MAG_API mag_frame *magi_gather_end(mag_worker *w, mag_frame *f, mag_gather *gather, enum mag_policy policy);

MAGI_C_END

#endif
