/* SPDX-License-Identifier: MIT */
/* assert.h - checks of our own promises: always on, since a broken scheduler must not go on. */
#ifndef MAGI_BASE_ASSERT_H
#define MAGI_BASE_ASSERT_H

/* Prints what failed and where, and aborts. */
__attribute__((noreturn, cold, format(printf, 3, 4))) void magi_panic(const char *file, int line, const char *format, ...);

#define magi_assert(cond) \
	(__builtin_expect(!!(cond), 1) ? (void)0 : magi_panic(__FILE__, __LINE__, "this should hold: %s", #cond))

/* Wrong use by the caller: said in debug builds, an error code is returned in any case. */
#ifdef MAGPIE_DEBUG
#define magi_misuse(...) magi_panic(__FILE__, __LINE__, __VA_ARGS__)
#else
#define magi_misuse(...) ((void)0)
#endif

#endif
