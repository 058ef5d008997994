/* SPDX-License-Identifier: MIT */
/* hedge.h - a call that is made a second time when the first has not answered after a while: the first success wins, the
 * others are cancelled and joined. What is slow now and then, at one server of many say, is so less often.
 *
 *	static const mag_hedge_policy policy = MAG_HEDGE_POLICY(.after_ns = 20 * MAG_MILLISECOND, .budget = &budget);
 *
 *	MAG_HEDGE(self->rc, &self->hedge, &policy, ask, .host = self->hosts[self->hedge.started],
 *		  .reply = &self->replies[self->hedge.started]);
 *	if (self->rc >= 0)
 *		use(&self->replies[self->hedge.winner]);
 *
 * An attempt that fails is followed by the next one at once when no other is under way. Each attempt is a task, and needs
 * memory of its own for what it gives: two may run to their end. It must be safe to do what they do twice. */
#ifndef MAGPIE_HEDGE_H
#define MAGPIE_HEDGE_H

#include <magpie/budget.h>
#include <magpie/group.h>
#include <magpie/time.h>

MAGI_C_BEGIN

/* MAX: attempts of one call. The others: what holds where a policy says nothing (0). */
enum { MAG_HEDGE_MAX = 5, MAG_HEDGE_ATTEMPTS = 2 };
#define MAG_HEDGE_AFTER (100 * MAG_MILLISECOND)

typedef struct mag_hedge_policy {
	size_t size;       /* sizeof(mag_hedge_policy) */
	uint32_t attempts; /* with the first one */
	uint64_t after_ns; /* from the start of an attempt to the next one's: what nine calls in ten take, say */
	/* Is an error one that another attempt may not have? False: it is the result, and the others are cancelled. NULL: all
	 * are, but MAG_ECANCELED, of which nobody is asked. */
	bool (*again)(int64_t error, void *arg);
	/* The result of an attempt that has succeeded, too, but did not win: a file to close. NULL: there is nothing to do. */
	void (*spare)(int64_t result, void *arg);
	void *arg;
	mag_budget *budget; /* asked before each attempt but the first; NULL: none */
} mag_hedge_policy;

/* The initialiser of a policy; its members are given by name. */
#define MAG_HEDGE_POLICY(...) { .size = sizeof(mag_hedge_policy), ##__VA_ARGS__ }

/* One hedged call; in the frame. */
typedef struct mag_hedge {
	uint32_t started;               /* attempts; in the arguments of one: which it is, from 0 on */
	int32_t winner;                 /* which one has succeeded; -1: none */
	int64_t results[MAG_HEDGE_MAX]; /* of those that were started; MAG_ECANCELED: of those that lost, mostly */
	mag_group group;                /* their errors: mag_group_errors */
	/* magpie's own */
	mag_hedge_policy policy;
	mag_handle handles[MAG_HEDGE_MAX];
	mag_handle *ended;
	uint64_t deadline;
	int64_t rc, result;
	uint32_t running, step, enough;
} mag_hedge;

enum magi_hedge_step { MAGI_HEDGE_START, MAGI_HEDGE_WAIT, MAGI_HEDGE_END };

/* Runs attempts of an async function, arguments by name and evaluated for each of them, until one succeeds. All have ended
 * then. dst: the result of the winner; else an error that settles it; else the first one, when all attempts have failed;
 * MAG_ECANCELED: it was cancelled before; -ENOMEM: nothing was started; -EINVAL: the policy has another size or more than
 * MAG_HEDGE_MAX attempts (ends the program in debug builds). */
#define MAG_HEDGE(dst, hedge, policy, ...)                                                                          \
	do {                                                                                                        \
		{                                                                                                   \
			MAGI_SITE(NULL, #hedge);                                                                    \
			magi_hedge_open(w, &self->frame, (hedge), (policy));                                        \
		}                                                                                                   \
		while ((hedge)->step != MAGI_HEDGE_END) {                                                           \
			if ((hedge)->step == MAGI_HEDGE_START)                                                      \
				MAGI_SPAWN_((hedge)->rc, &(hedge)->handles[(hedge)->started], 0, &(hedge)->group,   \
					    __VA_ARGS__);                                                           \
			else                                                                                        \
				MAGI_HEDGE_AWAIT(MAGI_PASTE(magi_hear_, __LINE__), (hedge)->rc, magi_hedge_wait, hedge); \
			magi_hedge_next((hedge));                                                                   \
		}                                                                                                   \
		MAGI_JOIN_FIRST;                                                                                    \
		MAGI_HEDGE_AWAIT(MAGI_PASTE(magi_over_, __LINE__), (hedge)->rc, magi_hedge_end, hedge);             \
		(dst) = magi_hedge_result((hedge));                                                                 \
	} while (0)

#define MAGI_HEDGE_AWAIT(here, dst, operation, hedge)                                                               \
	do {                                                                                                        \
		{                                                                                                   \
			MAGI_SITE(__extension__ &&here, "MAG_HEDGE");                                               \
			MAGI_LEAVE;                                                                                 \
			mag_frame *magi_next = operation(w, &self->frame, (hedge));                                 \
			if (magi_next != &self->frame)                                                              \
				return magi_next;                                                                   \
		}                                                                                                   \
	here:                                                                                                       \
		MAGI_ENTER;                                                                                         \
		(dst) = self->frame.op.result;                                                                      \
	} while (0)

MAG_API void magi_hedge_open(mag_worker *w, mag_frame *f, mag_hedge *hedge, const mag_hedge_policy *policy);
MAG_API mag_frame *magi_hedge_wait(mag_worker *w, mag_frame *f, mag_hedge *hedge);
MAG_API void magi_hedge_next(mag_hedge *hedge);
MAG_API mag_frame *magi_hedge_end(mag_worker *w, mag_frame *f, mag_hedge *hedge);
MAG_API int64_t magi_hedge_result(mag_hedge *hedge);

MAGI_C_END

#endif
