/* SPDX-License-Identifier: MIT */
/* matrix.h - what must hold for every primitive when who waits for it is cancelled: before, while it waits, after and at
 * the very moment when it is granted; by its scope, by a deadline, by its group, by the end of the runtime.
 *
 * A primitive takes part as a `subject`: something that one task waits for, and that is given by a call. At the start of
 * each case nothing is to be had. */
#ifndef MAGPIE_TESTS_MATRIX_H
#define MAGPIE_TESTS_MATRIX_H

#include <criterion/criterion.h>
#include <errno.h>
#include <magpie/error.h>
#include <magpie/runtime.h>
#include <magpie/scope.h>
#include <signal.h>

#include "base/random.h"
#include "support/ledger.h"
#include "task/wait.h"

struct subject {
	/* The await: 0 when what was waited for is had. out: room for a word that lives as long as the await. */
	mag_frame *(*wait)(mag_worker *w, mag_frame *f, struct subject *s, uint64_t *out);
	/* Makes it possible for one waiter, or for all. The same task calls it each time. */
	void (*give)(struct subject *s, mag_worker *w, mag_frame *f);
	/* In a task whose wait was granted; may be NULL. */
	void (*after)(struct subject *s, mag_worker *w, mag_frame *f);
	/* After give, whether the waiter got it or not: makes it as at the start, and says whether it was to be had. */
	bool (*reset)(struct subject *s, mag_worker *w, mag_frame *f);
	/* At the start, in the task that gives; may be NULL. */
	void (*set_up)(struct subject *s, mag_worker *w, mag_frame *f);
	/* Awaited before anything else and at the end, whatever came of it; may be NULL. 0, or why not. */
	mag_frame *(*enter)(mag_worker *w, mag_frame *f, struct subject *s);
	mag_frame *(*leave)(mag_worker *w, mag_frame *f, struct subject *s);
	struct magi_waitq *waitq;
	uint32_t (*waits)(struct subject *s); /* how many wait; NULL: those in waitq */
	/* What the last give began, a task's end or a program's, has come to pass; NULL: it is when give returns. */
	bool (*settled)(struct subject *s);
	bool stays; /* it is to be had again after the one that got it, or for all */
	bool late;  /* the waiter hears of it only later: until then a cancellation may be first */
	bool result; /* what is there is had by who is cancelled, too: it is asked for, not waited for */
	bool alone; /* one task at a time may wait */
};

/* An op of a subject: mag_frame *op(w, f, s) that calls async function `fn`, whose only argument is the subject. */
#define SUBJECT_CALLS(op, fn)                                                                        \
	static mag_frame *op(mag_worker *w, mag_frame *f, struct subject *s)                         \
	{                                                                                            \
		struct fn *called_ = magi_frame_take(w, MAGI_CLASS(sizeof(struct fn)), sizeof(struct fn)); \
		if (!called_)                                                                        \
			return magi_wait_done(w, f, -ENOMEM);                                        \
		called_->s = s;                                                                      \
		return magi_call(f, &called_->frame, fn##_step, MAGI_CLASS(sizeof(struct fn)));      \
	}

/* How many wait. */
uint32_t waiting(struct magi_waitq *q);

/* A failed NEED ends the task with a code that says where; `where` makes words of it. */
#define NEED(cond)                                          \
	do {                                                \
		if (!(cond))                                \
			MAG_RETURN(-(100000 + __LINE__));   \
	} while (0)
const char *where(int64_t rc);

/* Waits until n tasks wait in q. */
#define UNTIL_WAITING(rc, q, n)        \
	do {                           \
		MAG_YIELD(rc);         \
	} while (waiting(q) < (n))

/* The options of a test whose last act is wrong use: it ends the program where our checks are on. Where RUN would skip
 * it, it fails there: Criterion cannot skip a test that is to end by a signal. */
#ifdef MAGPIE_DEBUG
#define MISUSE(...) .signal = SIGABRT, __VA_ARGS__
#else
#define MISUSE(...) __VA_ARGS__
#endif

/* Runs fn on a runtime of n workers, which must have all back in the end; skips the test where the kernel's backend
 * cannot run. */
#define RUN(n, fn, ...)                                                                                            \
	__extension__({                                                                                            \
		int64_t run_rc_ = LEDGER_RUN((&(mag_runtime_options){ .size = sizeof(mag_runtime_options),         \
								      .workers = (n) }),                           \
					     fn, __VA_ARGS__);                                                     \
		if (run_rc_ == MAG_EBACKEND)                                                                       \
			cr_skip_test("%s", mag_runtime_why());                                                     \
		run_rc_;                                                                                           \
	})

/* All cases but the races and the last one, one after the other. 0, or a failed NEED's code. */
struct matrix_cases {
	mag_frame frame;
	MAG_ARGS(matrix_cases, struct subject *s;);
	int64_t rc, left;
	uint32_t i;
};
MAG_DECLARE_TASK(matrix_cases);

/* The last one: the runtime ends while one waits. 0, a failed NEED's code, or why there was no runtime. */
int64_t matrix_shutdown(struct subject *s, uint32_t workers);

#define MATRIX_CASES(type, make) MATRIX_CASES_ON(MATRIX_WORKERS, type, make)
#define MATRIX_CASES_ON(n_, type, make)                                       \
	do {                                                                  \
		static type subject_, last_;                                  \
		int64_t rc_;                                                  \
		make(&subject_);                                              \
		rc_ = RUN((n_), matrix_cases, .s = &subject_.s);              \
		cr_assert_eq(rc_, 0, "%s", where(rc_));                       \
		make(&last_);                                                 \
		rc_ = matrix_shutdown(&last_.s, (n_));                        \
		cr_assert_eq(rc_, 0, "%s", where(rc_));                       \
	} while (0)

/* Grant and cancellation at once, `rounds` times for each of `lanes` subjects, all at the same time. */
struct matrix_races {
	mag_frame frame;
	MAG_ARGS(matrix_races, struct subject **s; uint32_t lanes; uint32_t rounds; uint64_t *granted; uint64_t *cancelled;);
	mag_group group;
	int64_t rc;
	uint32_t i;
};
MAG_DECLARE_TASK(matrix_races);

enum { MATRIX_LANES = 4, MATRIX_ROUNDS = 25000, MATRIX_WORKERS = 4 };

/* type: a struct whose first member is `struct subject s`. */
#define MATRIX_RACE(type, make, rounds_, granted_, cancelled_)                                                \
	do {                                                                                                  \
		static type subjects_[MATRIX_LANES];                                                          \
		struct subject *lanes_[MATRIX_LANES];                                                         \
		int64_t rc_;                                                                                  \
		for (int i_ = 0; i_ < MATRIX_LANES; i_++) {                                                   \
			make(&subjects_[i_]);                                                                 \
			lanes_[i_] = &subjects_[i_].s;                                                        \
		}                                                                                             \
		rc_ = RUN(MATRIX_WORKERS, matrix_races, .s = lanes_, .lanes = MATRIX_LANES,                   \
			  .rounds = (rounds_), .granted = (granted_), .cancelled = (cancelled_));             \
		cr_assert_eq(rc_, 0, "%s", where(rc_));                                                       \
		cr_assert_eq(*(granted_) + *(cancelled_), (uint64_t)MATRIX_LANES * (uint64_t)(rounds_));      \
	} while (0)

/* Both ends of the race must have been first at times. */
#define MATRIX_RACES(type, make)                                                               \
	do {                                                                                   \
		uint64_t granted_ = 0, cancelled_ = 0;                                         \
		MATRIX_RACE(type, make, MATRIX_ROUNDS, &granted_, &cancelled_);                \
		cr_assert_gt(granted_, 0);                                                     \
		cr_assert_gt(cancelled_, 0);                                                   \
	} while (0)

/* So few rounds that one of them may have been first each time. */
#define MATRIX_SOME_RACES(type, make, rounds)                                                  \
	do {                                                                                   \
		uint64_t granted_ = 0, cancelled_ = 0;                                         \
		MATRIX_RACE(type, make, rounds, &granted_, &cancelled_);                       \
	} while (0)

#endif
