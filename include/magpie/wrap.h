/* SPDX-License-Identifier: MIT */
/* wrap.h - an async function made of a plain one, by one line: its calls run on a lane's threads (magpie/offload.h).
 *
 *	double integrate(double from, double to, long steps);
 *	MAG_WRAP(integrate_async, MAG_COMPUTE, double, integrate, (double, from), (double, to), (long, steps))
 *
 *	MAG_CALL(self->rc, integrate_async, .from = 0, .to = 1, .steps = 1000000, .result = &self->area);
 *
 *	MAG_WRAP_ERRNO(truncate_async, MAG_BLOCKING | MAG_KIND_FILE, truncate, (const char *, path), (off_t, length))
 *
 *	MAG_CALL(self->rc, truncate_async, .path = "log", .length = 0);
 *
 * What comes of it is an async function like any other: to be called, forked, spawned in a group, gathered. Cancelled
 * before a thread has taken the call, it does not run and MAG_ECANCELED comes of it; a call that runs is waited for,
 * since what it was given is its caller's. */
#ifndef MAGPIE_WRAP_H
#define MAGPIE_WRAP_H

#include <errno.h>
#include <magpie/offload.h>
#include <magpie/task.h>

MAGI_C_BEGIN

/* Defines async function `name`: a call of `function` on `lane`. Up to eight parameters, each (type, name); a type that
 * has no place before a name (a pointer to a function, an array) wants a typedef. Its arguments are these and `result`,
 * where what the function returns is put, unless that is NULL. `static` may not precede it.
 *
 * Await:    as mag_offload
 * Returns:  0; as mag_offload when the function did not run: *result is as before
 * Since:    0.2 */
#define MAG_WRAP(name, lane, type, function, ...)                                \
	MAGI_WRAP(name, lane, MAGI_WRAP_FIELDS(__VA_ARGS__) type *result;,       \
		  type magi_result = function(MAGI_WRAP_VALUES(__VA_ARGS__));    \
		  if (magi_self->result) *magi_self->result = magi_result;       \
		  return 0;)

/* The same for one that returns nothing: without `result`.  Since: 0.2 */
#define MAG_WRAP_VOID(name, lane, function, ...) \
	MAGI_WRAP(name, lane, MAGI_WRAP_FIELDS(__VA_ARGS__), function(MAGI_WRAP_VALUES(__VA_ARGS__)); return 0;)

/* The same for one that returns an integer, negative when it failed, and then has set errno: without `result`.
 *
 * Returns:  what the function returned when that is not negative, -errno otherwise; as mag_offload when it did not run
 * Since:    0.2 */
#define MAG_WRAP_ERRNO(name, lane, function, ...)                                      \
	MAGI_WRAP(name, lane, MAGI_WRAP_FIELDS(__VA_ARGS__),                                   \
		  int64_t magi_result = (int64_t)function(MAGI_WRAP_VALUES(__VA_ARGS__));      \
		  return magi_result < 0 ? -(int64_t)errno : magi_result;)

/* Not API. */

/* The rest: what the call on the thread does. */
#define MAGI_WRAP(name, lane, fields, ...)                                                \
	struct name {                                                                     \
		mag_frame frame;                                                          \
		MAG_ARGS(name, fields char magi_none[0];);                                \
		int64_t magi_rc;                                                          \
	};                                                                                \
	static int64_t name##_run(void *magi_arg)                                         \
	{                                                                                 \
		struct name *magi_self __attribute__((unused)) = (struct name *)magi_arg; \
		__VA_ARGS__                                                               \
	}                                                                                 \
	MAG_TASK(name)                                                                    \
	{                                                                                 \
		MAG_BEGIN(name);                                                          \
		MAG_AWAIT(self->magi_rc, mag_offload, (lane), name##_run, self);          \
		MAG_RETURN(self->magi_rc);                                                \
		MAG_END;                                                                  \
	}

#define MAGI_WRAP_FIELD(pair) MAGI_WRAP_FIELD_ pair
#define MAGI_WRAP_FIELD_(type, name) type name;
#define MAGI_WRAP_VALUE(pair) magi_self->MAGI_WRAP_SECOND pair
#define MAGI_WRAP_SECOND(type, name) name

/* How many pairs; 1 also for none, which the first then tells: a comma in front of nothing is not dropped in ISO C. */
#define MAGI_WRAP_COUNT(...) MAGI_WRAP_COUNT_(__VA_ARGS__, 8, 7, 6, 5, 4, 3, 2, 1, none)
#define MAGI_WRAP_COUNT_(a, b, c, d, e, f, g, h, n, ...) n
#define MAGI_WRAP_IS_PAIR(a) MAGI_WRAP_THIRD(MAGI_WRAP_TWO a, 1, 0, none)
#define MAGI_WRAP_TWO(type, name) type, name
#define MAGI_WRAP_THIRD(...) MAGI_WRAP_THIRD_(__VA_ARGS__)
#define MAGI_WRAP_THIRD_(a, b, c, ...) c
#define MAGI_WRAP_JOIN(a, b) MAGI_WRAP_JOIN_(a, b)
#define MAGI_WRAP_JOIN_(a, b) a##b

#define MAGI_WRAP_FIELDS(...) MAGI_WRAP_JOIN(MAGI_WRAP_F, MAGI_WRAP_COUNT(__VA_ARGS__))(__VA_ARGS__)
#define MAGI_WRAP_FIELD0(none)
#define MAGI_WRAP_FIELD1(a) MAGI_WRAP_FIELD(a)
#define MAGI_WRAP_F1(a) MAGI_WRAP_JOIN(MAGI_WRAP_FIELD, MAGI_WRAP_IS_PAIR(a))(a)
#define MAGI_WRAP_F2(a, ...) MAGI_WRAP_FIELD(a) MAGI_WRAP_F1(__VA_ARGS__)
#define MAGI_WRAP_F3(a, ...) MAGI_WRAP_FIELD(a) MAGI_WRAP_F2(__VA_ARGS__)
#define MAGI_WRAP_F4(a, ...) MAGI_WRAP_FIELD(a) MAGI_WRAP_F3(__VA_ARGS__)
#define MAGI_WRAP_F5(a, ...) MAGI_WRAP_FIELD(a) MAGI_WRAP_F4(__VA_ARGS__)
#define MAGI_WRAP_F6(a, ...) MAGI_WRAP_FIELD(a) MAGI_WRAP_F5(__VA_ARGS__)
#define MAGI_WRAP_F7(a, ...) MAGI_WRAP_FIELD(a) MAGI_WRAP_F6(__VA_ARGS__)
#define MAGI_WRAP_F8(a, ...) MAGI_WRAP_FIELD(a) MAGI_WRAP_F7(__VA_ARGS__)

#define MAGI_WRAP_VALUES(...) MAGI_WRAP_JOIN(MAGI_WRAP_V, MAGI_WRAP_COUNT(__VA_ARGS__))(__VA_ARGS__)
#define MAGI_WRAP_VALUE0(none)
#define MAGI_WRAP_VALUE1(a) MAGI_WRAP_VALUE(a)
#define MAGI_WRAP_V1(a) MAGI_WRAP_JOIN(MAGI_WRAP_VALUE, MAGI_WRAP_IS_PAIR(a))(a)
#define MAGI_WRAP_V2(a, ...) MAGI_WRAP_VALUE(a), MAGI_WRAP_V1(__VA_ARGS__)
#define MAGI_WRAP_V3(a, ...) MAGI_WRAP_VALUE(a), MAGI_WRAP_V2(__VA_ARGS__)
#define MAGI_WRAP_V4(a, ...) MAGI_WRAP_VALUE(a), MAGI_WRAP_V3(__VA_ARGS__)
#define MAGI_WRAP_V5(a, ...) MAGI_WRAP_VALUE(a), MAGI_WRAP_V4(__VA_ARGS__)
#define MAGI_WRAP_V6(a, ...) MAGI_WRAP_VALUE(a), MAGI_WRAP_V5(__VA_ARGS__)
#define MAGI_WRAP_V7(a, ...) MAGI_WRAP_VALUE(a), MAGI_WRAP_V6(__VA_ARGS__)
#define MAGI_WRAP_V8(a, ...) MAGI_WRAP_VALUE(a), MAGI_WRAP_V7(__VA_ARGS__)

MAGI_C_END

#endif
