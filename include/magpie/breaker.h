/* SPDX-License-Identifier: MIT */
/* breaker.h - a circuit breaker: when calls of something fail too often, no more are made for a while; then a few, as trials.
 *
 *	mag_breaker_options options = { .size = sizeof(options), .failures = 5, .open_ns = 10 * MAG_SECOND };
 *	mag_breaker_init(&server->breaker, &options);
 *	…
 *	MAG_BREAKER(self->rc, &self->permit, &self->server->breaker, ask, .server = self->server);
 *	if (self->rc == MAG_EREFUSED)
 *		…                               // not called; self->permit.wait_ns: until it may be
 *
 * Closed: calls go through. After so many failures in a row, or with so large a share of failures among the calls of the
 * last seconds, it opens. Open: calls are refused. When its time is over it is half open: `trials` calls are let through;
 * if all succeed it closes, with the first that fails it opens again.
 *
 * A call that was cancelled is neither a success nor a failure: its place among the trials goes to another. A time limit
 * must lie within the call to count: one around it is a cancellation to the call.
 *
 * The memory is the caller's, to be freed when no permit is out. One breaker is for one server or the like, for all tasks
 * that call it. */
#ifndef MAGPIE_BREAKER_H
#define MAGPIE_BREAKER_H

#include <magpie/scope.h>
#include <magpie/time.h>

MAGI_C_BEGIN

enum mag_breaker_state {
	MAG_BREAKER_CLOSED = 0,
	MAG_BREAKER_OPEN = 1,
	MAG_BREAKER_HALF_OPEN = 2
};

/* What a call says of what was called. */
enum mag_breaker_outcome {
	MAG_BREAKER_SUCCESS = 0,
	MAG_BREAKER_FAILURE = 1,
	MAG_BREAKER_IGNORED = 2 /* nothing: as if it had not been made */
};

typedef struct mag_breaker mag_breaker;

/* What holds where the options say nothing (0). */
enum { MAG_BREAKER_FAILURES = 5, MAG_BREAKER_LEAST = 20, MAG_BREAKER_TRIALS = 1 };
#define MAG_BREAKER_WINDOW (10 * MAG_SECOND)
#define MAG_BREAKER_OPEN_NS (5 * MAG_SECOND)
#define MAG_BREAKER_TRIAL (60 * MAG_SECOND)

typedef struct mag_breaker_options {
	size_t size;           /* sizeof(mag_breaker_options) */
	uint32_t failures;     /* in a row; 0: not looked at, unless `percent` is not either */
	uint32_t percent;      /* share of failures among the calls of the window; 0: not looked at */
	uint32_t least;        /* fewer calls in the window say nothing */
	uint32_t trials;       /* calls of a half-open one */
	uint64_t window_ns;    /* of the share; it slides in tenths */
	uint64_t open_ns;      /* how long it is open */
	uint64_t open_most_ns; /* above open_ns: each time that trials fail it is open for twice as long, up to that */
	uint64_t trial_ns;     /* a half-open one that is undecided for so long opens again: trials may have been lost */
	/* What a result says, but for MAG_ECANCELED, which says nothing; NULL: below 0 is a failure, but for -ENOMEM, which
	 * says nothing of the other side either. */
	enum mag_breaker_outcome (*outcome)(int64_t result, void *arg);
	/* It has changed; called by whoever changed it, under no lock. The n-th change since its init is told as n: two may
	 * be told out of their order. It must not wait. */
	void (*changed)(mag_breaker *breaker, enum mag_breaker_state to, uint64_t n, void *arg);
	void *arg;
} mag_breaker_options;

struct mag_breaker_counts {
	uint64_t successes, failures, ignored;
	uint64_t late;    /* among these: it had changed since they were let through, and does not heed them */
	uint64_t refused; /* calls that were not let through */
	uint64_t opened;  /* how often */
	uint32_t window_calls, window_failures; /* now, in the window */
};

enum { MAGI_BREAKER_TENTHS = 10 };

struct mag_breaker {
	uint64_t circuit; /* atomic: the state, and four times the number of changes */
	mag_breaker_options options;
	/* under the lock */
	uint32_t lock;
	uint32_t row;     /* failures */
	uint32_t out, ok; /* trials */
	uint64_t until;   /* open: a trial may be made then; half open: it has to be decided */
	uint64_t open_ns; /* how long, the last time; at first that of the options */
	uint64_t tenth;   /* which one of the window it is, since the clock's 0 */
	struct {
		uint32_t calls, failures;
	} window[MAGI_BREAKER_TENTHS];
	struct mag_breaker_counts counts;
};

/* A call that was let through. */
typedef struct mag_breaker_permit {
	struct magi_open_hook hook;
	mag_breaker *breaker; /* NULL: none, or it was ended */
	uint64_t circuit;
	uint64_t wait_ns; /* when it was refused: at least so long until another trial; 0: one is being made */
	int64_t result;   /* of the call */
} mag_breaker_permit;

/* Makes the memory a closed one. options: NULL for the defaults; copied.
 *
 * Threads:  any
 * Returns:  0; -EINVAL: its size is another, percent is above 100, or open_most_ns is below open_ns
 * Since:    0.2 */
MAG_API int mag_breaker_init(mag_breaker *breaker, const mag_breaker_options *options);

/* Asks for a permit, in the way of a block: what lies between begin and end is the call. dst: 0, or MAG_EREFUSED; then
 * nothing must be called, and the end gives just its result. The permit must stay until the end. */
#define MAG_BREAKER_BEGIN(dst, permit, breaker)                                                                     \
	do {                                                                                                        \
		MAGI_SITE(NULL, #permit);                                                                           \
		(dst) = magi_breaker_begin(&self->frame, (permit), (breaker));                                      \
	} while (0)

/* The call has ended with this result, which the breaker is told; joins what was forked in it. dst: the result; else the
 * error of a forked child. MAG_RETURN in between tells it what is returned. */
#define MAG_BREAKER_END(dst, permit, result_)                                                                       \
	do {                                                                                                        \
		(permit)->result = (result_);                                                                       \
		MAGI_BREAKER_LEAVE(dst, permit);                                                                    \
	} while (0)

/* Calls an async function, arguments by name, if it is let through. dst: its result, or MAG_EREFUSED. */
#define MAG_BREAKER(dst, permit, breaker, ...)                                                                      \
	do {                                                                                                        \
		MAG_BREAKER_BEGIN((permit)->result, permit, breaker);                                               \
		if ((permit)->result == 0)                                                                          \
			MAGI_CALL_((permit)->result, __VA_ARGS__);                                                  \
		MAGI_BREAKER_LEAVE(dst, permit);                                                                    \
	} while (0)

/* The same step by step: asks for a permit, which must be ended, once, by whatever task or thread.
 *
 * Threads:  any
 * Owns:     the permit's memory is the caller's; it may be moved
 * Returns:  0; MAG_EREFUSED, and permit->wait_ns: there is nothing to end
 * Since:    0.2 */
MAG_API int mag_breaker_allow(mag_breaker *breaker, mag_breaker_permit *permit);

/* The call has ended with this result. Never cut short.
 *
 * Threads:  any
 * Returns:  0, -EPERM when it was ended or refused (ends the program in debug builds)
 * Since:    0.2 */
MAG_API int mag_breaker_end(mag_breaker_permit *permit, int64_t result);

/* The same, whatever the options say of results.
 *
 * Threads:  any
 * Returns:  0, -EPERM when it was ended or refused (ends the program in debug builds)
 * Since:    0.2 */
MAG_API int mag_breaker_end_as(mag_breaker_permit *permit, enum mag_breaker_outcome outcome);

/* Opens it now, whatever its state; one that is open stays so from now on for as long as it would have at first.
 * Threads: any */
MAG_API void mag_breaker_trip(mag_breaker *breaker);

/* Closes it now; what was counted for the next opening is forgotten, that of calls that are under way if it was not closed.
 * Threads: any */
MAG_API void mag_breaker_reset(mag_breaker *breaker);

/* Its state. An open one stays so until a call asks it. A snapshot, which orders nothing.  Threads: any */
MAG_API enum mag_breaker_state mag_breaker_state(const mag_breaker *breaker);

/* What has been counted.  Threads: any */
MAG_API void mag_breaker_counts(mag_breaker *breaker, struct mag_breaker_counts *counts);

#define MAGI_BREAKER_LEAVE(dst, permit)                                                                             \
	do {                                                                                                        \
		MAGI_JOIN_FIRST;                                                                                    \
		(dst) = magi_breaker_leave(&self->frame, (permit));                                                 \
	} while (0)

MAG_API int magi_breaker_begin(mag_frame *f, mag_breaker_permit *permit, mag_breaker *breaker);
MAG_API int64_t magi_breaker_leave(mag_frame *f, mag_breaker_permit *permit);

MAGI_C_END

#endif
