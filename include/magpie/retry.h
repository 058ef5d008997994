/* SPDX-License-Identifier: MIT */
/* retry.h - something is tried again when it has failed for a while only: after a pause that grows and is drawn at random,
 * so many times, and within a time for all of it.
 *
 *	MAG_RETRY_BEGIN(&self->retry, .attempts = 5, .attempt_ns = 2 * MAG_SECOND, .within_ns = 30 * MAG_SECOND);
 *	MAG_CALL(self->rc, ask, .url = self->url, .reply = &self->reply);
 *	if (self->rc == 0 && self->reply.status == 503) {
 *		self->rc = -EAGAIN;
 *		mag_retry_after(&self->retry, self->reply.retry_after_ns);      // at least that long
 *	}
 *	MAG_RETRY_END(self->rc, &self->retry, self->rc);
 *
 * The lines between begin and end are an attempt; they may await anything. A function by itself, by a policy that many
 * share:
 *
 *	static const mag_retry_policy patient = MAG_RETRY_POLICY(.attempts = 8, .budget = &budget);
 *
 *	MAG_RETRY(self->rc, &self->retry, &patient, ask, .url = self->url);
 *
 * Cancellation is never tried again, whatever the policy says: neither that of the task, nor any error of an attempt in a
 * scope that has been cancelled meanwhile, by its deadline say. The pauses are cancelled like everything else. An attempt
 * that has succeeded is kept. */
#ifndef MAGPIE_RETRY_H
#define MAGPIE_RETRY_H

#include <magpie/budget.h>
#include <magpie/scope.h>
#include <magpie/time.h>

MAGI_C_BEGIN

enum mag_jitter {
	MAG_JITTER_FULL = 0,  /* anything from 0 up to the delay: those who failed together do not come back together */
	MAG_JITTER_EQUAL = 1, /* at least half of it */
	MAG_JITTER_NONE = 2   /* exactly the delay */
};

/* What holds where a policy says nothing (0). */
enum { MAG_RETRY_ATTEMPTS = 4, MAG_RETRY_FACTOR = 2, MAG_RETRY_FACTOR_MAX = 1000 };
#define MAG_RETRY_FIRST (100 * MAG_MILLISECOND)
#define MAG_RETRY_MOST (20 * MAG_SECOND)
#define MAG_RETRY_WITHIN (60 * MAG_SECOND)

typedef struct mag_retry_policy {
	size_t size;           /* sizeof(mag_retry_policy) */
	uint32_t attempts;     /* with the first one */
	enum mag_jitter jitter;
	uint64_t first_ns;     /* the delay after the first attempt */
	uint64_t most_ns;      /* the greatest one */
	uint64_t attempt_ns;   /* time of one attempt, which then has MAG_ETIMEDOUT; 0: as within_ns */
	uint64_t within_ns;    /* time of all attempts and pauses together; MAG_NEVER: no limit */
	double factor;         /* of each delay to the one before: 1 to 1000 */
	bool (*again)(int64_t error, void *arg); /* is it worth another attempt? NULL: mag_retry_transient */
	void *arg;
	mag_budget *budget;    /* asked before each attempt but the first; NULL: none */
} mag_retry_policy;

/* The initialiser of a policy; its members are given by name. */
#define MAG_RETRY_POLICY(...) { .size = sizeof(mag_retry_policy), ##__VA_ARGS__ }

/* Why there were no more attempts. */
enum mag_retry_over {
	MAG_RETRY_RUNS,      /* there may be more */
	MAG_RETRY_DONE,      /* one has succeeded */
	MAG_RETRY_FINAL,     /* the error is not worth another one */
	MAG_RETRY_USED_UP,   /* all attempts were made */
	MAG_RETRY_TOO_LATE,  /* the next one would not have begun within_ns */
	MAG_RETRY_NO_BUDGET, /* the budget is used up */
	MAG_RETRY_CANCELED,  /* the task's scope was cancelled */
	MAG_RETRY_BAD_POLICY /* the policy makes no sense: one attempt was made */
};

/* One retry; in the frame. It may be read during the attempts and after the end; the numbers are those of the last use. */
typedef struct mag_retry {
	uint32_t attempt; /* which one, from 1 on */
	enum mag_retry_over over;
	int64_t error;      /* of the last attempt that failed; 0: none has */
	uint64_t waited_ns; /* in the pauses, as far as they have ended */
	/* magpie's own */
	mag_retry_policy policy;
	uint64_t deadline, delay_ns, pause_ns, paused_at;
	uint64_t hint_ns;
	int64_t result;
	const void *begin;
	uint32_t stopped, in_debt;
	mag_scope scope;
} mag_retry;

/* Begins the first attempt, by a policy whose members are given by name. What a policy has wrong (mag_retry_policy_check)
 * ends the program in debug builds; otherwise just one attempt is made. The retry must stay until its end, which must be
 * reached, unless by MAG_RETURN: an attempt is a scope. What was forked before is to be joined before. */
#define MAG_RETRY_BEGIN(retry, ...) \
	MAGI_RETRY_BEGIN(MAGI_PASTE(magi_again_, __LINE__), retry, \
			 (&(const mag_retry_policy){ .size = sizeof(mag_retry_policy), ##__VA_ARGS__ }))

/* The same by a policy that is there already; it is copied. */
#define MAG_RETRY_BEGIN_BY(retry, policy) MAGI_RETRY_BEGIN(MAGI_PASTE(magi_again_, __LINE__), retry, policy)

/* The attempt has ended with this result. Joins what was forked in it; an error of those counts as the attempt's. Below 0,
 * and worth another attempt: waits, and goes back behind the begin. Else dst is the result: of the attempt that succeeded,
 * or of the last one; MAG_ETIMEDOUT when its time was up; MAG_ECANCELED when there would have been another one but for a
 * cancellation.
 *
 * When the pause would not be over within_ns, it ends at once. */
#define MAG_RETRY_END(dst, retry, result_)                                                                          \
	do {                                                                                                        \
		(retry)->result = (result_);                                                                        \
		MAGI_RETRY_PAUSE(MAGI_HERE, "MAG_RETRY_END", retry);                                                \
		if (magi_retry_again(w, &self->frame, (retry)))                                                     \
			__extension__({ goto *(retry)->begin; });                                                   \
		(dst) = (retry)->result;                                                                            \
	} while (0)

/* Runs an async function, arguments by name and evaluated for each attempt, until it succeeds. dst: as MAG_RETRY_END. */
#define MAG_RETRY(dst, retry, policy, ...)                                                                          \
	do {                                                                                                        \
		MAGI_RETRY_OPEN("retry", retry, policy, NULL);                                                      \
		do {                                                                                                \
			MAGI_CALL_((retry)->result, __VA_ARGS__);                                                   \
			MAGI_RETRY_PAUSE(MAGI_PASTE(magi_pause_, __LINE__), "MAG_RETRY", retry);                    \
		} while (magi_retry_again(w, &self->frame, (retry)));                                               \
		(dst) = (retry)->result;                                                                            \
	} while (0)

/* In an attempt: if there is another one, then not before so many nanoseconds have passed from its end on: what the other
 * side has asked for (Retry-After). It may be above most_ns, not above within_ns. Jitter adds up to first_ns, since others
 * were told the same.
 *
 * Threads:  the task itself
 * Since:    0.2 */
MAG_API void mag_retry_after(mag_retry *retry, uint64_t ns);

/* In an attempt: it is the last one, whatever its result.
 *
 * Threads:  the task itself
 * Since:    0.2 */
MAG_API void mag_retry_stop(mag_retry *retry);

/* Whether an error is one that may be gone next time: a time limit (MAG_ETIMEDOUT, -ETIMEDOUT), a connection that was
 * refused, reset, aborted or closed while writing, a network or host that cannot be reached, what is busy or short for the
 * moment (-EAGAIN, -EINTR, -EBUSY, -ENOBUFS).
 *
 * Threads:  any
 * Since:    0.2 */
MAG_API bool mag_retry_transient(int64_t error);

/* Whether a policy makes sense; for those that are read from somewhere.
 *
 * Threads:  any
 * Returns:  0; -EINVAL: its size is another, the factor is not within 1 to 1000, the first delay is above the greatest, or
 *           there is no such jitter
 * Since:    0.2 */
MAG_API int mag_retry_policy_check(const mag_retry_policy *policy);

#define MAGI_RETRY_OPEN(text, retry, policy, begin)                                                                 \
	{                                                                                                           \
		MAGI_SITE(NULL, text);                                                                              \
		magi_retry_open(w, &self->frame, (retry), (policy), (begin));                                       \
	}

#define MAGI_RETRY_BEGIN(again, retry, policy)                                                                      \
	do {                                                                                                        \
		MAGI_RETRY_OPEN(#retry, retry, policy, __extension__ &&again);                                     \
	again:;                                                                                                     \
	} while (0)

/* Joins what was forked in the attempt, judges it, and waits when there is to be another one. */
#define MAGI_RETRY_PAUSE(here, text, retry)                                                                         \
	MAGI_JOIN_FIRST;                                                                                            \
	{                                                                                                           \
		MAGI_SITE(__extension__ &&here, text);                                                             \
		MAGI_LEAVE;                                                                                         \
		mag_frame *magi_next = magi_retry_pause(w, &self->frame, (retry));                                  \
		if (magi_next != &self->frame)                                                                      \
			return magi_next;                                                                           \
	}                                                                                                           \
	here:                                                                                                       \
	MAGI_ENTER

MAG_API void magi_retry_open(mag_worker *w, mag_frame *f, mag_retry *retry, const mag_retry_policy *policy,
			     const void *begin);
MAG_API mag_frame *magi_retry_pause(mag_worker *w, mag_frame *f, mag_retry *retry);
MAG_API bool magi_retry_again(mag_worker *w, mag_frame *f, mag_retry *retry);

MAGI_C_END

#endif
