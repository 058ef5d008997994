/* SPDX-License-Identifier: MIT */
/* api.h - visibility and compiler attributes of the public headers. */
#ifndef MAGPIE_IMPL_API_H
#define MAGPIE_IMPL_API_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
#define MAGI_C_BEGIN extern "C" {
#define MAGI_C_END }
#define MAGI_ASSERT_STATIC(cond, text) static_assert(cond, text)
#else
#define MAGI_C_BEGIN
#define MAGI_C_END
#define MAGI_ASSERT_STATIC(cond, text) _Static_assert(cond, text)
#endif

/* Part of the library's interface. */
#define MAG_API __attribute__((visibility("default")))

/* A step function is entered through its frame only: a clone or an inlined copy would have labels of its own. */
#if defined(__clang__)
#define MAGI_STEP_ATTR __attribute__((noinline))
#else
#define MAGI_STEP_ATTR __attribute__((noinline, noclone))
#endif

#define MAGI_FAST static inline __attribute__((always_inline, unused))
#define MAGI_LIKELY(x) __builtin_expect(!!(x), 1)
#define MAGI_UNLIKELY(x) __builtin_expect(!!(x), 0)
#define MAGI_CACHE_LINE 64
#define MAGI_ALIGNED(n) __attribute__((aligned(n)))

#endif
