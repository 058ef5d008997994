/* SPDX-License-Identifier: MIT */
/* atomic.h - every atomic operation of magpie, with the memory order in its name.
 *
 * The objects are plain integers and pointers, reached through the compiler's __atomic builtins: `_Atomic` would keep
 * the public structs out of C++. Nothing else in the tree may name an __atomic builtin (tools/check-layers), and every
 * use carries a label in a comment, `[label]`, which tools/check-orders pairs with its other end.
 *
 * rlx relaxed, acq acquire, rel release, ar acquire and release, seq sequentially consistent.
 *
 * A model checker compiles the same sources against its own definitions: define MAGI_ATOMIC_HEADER to its name. */
#ifndef MAGPIE_IMPL_ATOMIC_H
#define MAGPIE_IMPL_ATOMIC_H

#ifdef MAGI_ATOMIC_HEADER
#include MAGI_ATOMIC_HEADER
#else

/* Builds for the simulator let another coroutine go first here: base/host.h. */
#ifdef MAGI_POINTS
extern void magi_atomic_point(void);
#define MAGI_POINT_FIRST magi_atomic_point(),
#else
#define MAGI_POINT_FIRST
#endif

#define magi_load_rlx(p) __atomic_load_n((p), __ATOMIC_RELAXED)
#define magi_load_acq(p) (MAGI_POINT_FIRST __atomic_load_n((p), __ATOMIC_ACQUIRE))
#define magi_load_seq(p) (MAGI_POINT_FIRST __atomic_load_n((p), __ATOMIC_SEQ_CST))

#define magi_store_rlx(p, v) __atomic_store_n((p), (v), __ATOMIC_RELAXED)
#define magi_store_rel(p, v) (MAGI_POINT_FIRST __atomic_store_n((p), (v), __ATOMIC_RELEASE))

#define magi_xchg_rlx(p, v) (MAGI_POINT_FIRST __atomic_exchange_n((p), (v), __ATOMIC_RELAXED))
#define magi_xchg_acq(p, v) (MAGI_POINT_FIRST __atomic_exchange_n((p), (v), __ATOMIC_ACQUIRE))
#define magi_xchg_rel(p, v) (MAGI_POINT_FIRST __atomic_exchange_n((p), (v), __ATOMIC_RELEASE))
#define magi_xchg_ar(p, v) (MAGI_POINT_FIRST __atomic_exchange_n((p), (v), __ATOMIC_ACQ_REL))
#define magi_xchg_seq(p, v) (MAGI_POINT_FIRST __atomic_exchange_n((p), (v), __ATOMIC_SEQ_CST))

/* Strong compare and swap: true when *p was *expected; otherwise *expected is what was there (read as relaxed). */
#define magi_cas_rlx(p, expected, v) \
	(MAGI_POINT_FIRST __atomic_compare_exchange_n((p), (expected), (v), 0, __ATOMIC_RELAXED, __ATOMIC_RELAXED))
#define magi_cas_acq(p, expected, v) \
	(MAGI_POINT_FIRST __atomic_compare_exchange_n((p), (expected), (v), 0, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
#define magi_cas_rel(p, expected, v) \
	(MAGI_POINT_FIRST __atomic_compare_exchange_n((p), (expected), (v), 0, __ATOMIC_RELEASE, __ATOMIC_RELAXED))
#define magi_cas_ar(p, expected, v) \
	(MAGI_POINT_FIRST __atomic_compare_exchange_n((p), (expected), (v), 0, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
#define magi_cas_seq(p, expected, v) \
	(MAGI_POINT_FIRST __atomic_compare_exchange_n((p), (expected), (v), 0, __ATOMIC_SEQ_CST, __ATOMIC_RELAXED))

/* The value before the operation. */
#define magi_add_rlx(p, v) (MAGI_POINT_FIRST __atomic_fetch_add((p), (v), __ATOMIC_RELAXED))
#define magi_add_rel(p, v) (MAGI_POINT_FIRST __atomic_fetch_add((p), (v), __ATOMIC_RELEASE))
#define magi_add_ar(p, v) (MAGI_POINT_FIRST __atomic_fetch_add((p), (v), __ATOMIC_ACQ_REL))
#define magi_add_seq(p, v) (MAGI_POINT_FIRST __atomic_fetch_add((p), (v), __ATOMIC_SEQ_CST))
#define magi_sub_rlx(p, v) (MAGI_POINT_FIRST __atomic_fetch_sub((p), (v), __ATOMIC_RELAXED))
#define magi_sub_rel(p, v) (MAGI_POINT_FIRST __atomic_fetch_sub((p), (v), __ATOMIC_RELEASE))
#define magi_sub_ar(p, v) (MAGI_POINT_FIRST __atomic_fetch_sub((p), (v), __ATOMIC_ACQ_REL))
#define magi_or_rlx(p, v) (MAGI_POINT_FIRST __atomic_fetch_or((p), (v), __ATOMIC_RELAXED))
#define magi_or_ar(p, v) (MAGI_POINT_FIRST __atomic_fetch_or((p), (v), __ATOMIC_ACQ_REL))
#define magi_and_rlx(p, v) (MAGI_POINT_FIRST __atomic_fetch_and((p), (v), __ATOMIC_RELAXED))
#define magi_and_acq(p, v) (MAGI_POINT_FIRST __atomic_fetch_and((p), (v), __ATOMIC_ACQUIRE))
#define magi_and_ar(p, v) (MAGI_POINT_FIRST __atomic_fetch_and((p), (v), __ATOMIC_ACQ_REL))

/* Full barrier. p: a word that both ends touch, for ThreadSanitizer, which misreads fences and is given an RMW instead.
 * A locked operation on the own stack: never mfence, which costs several times as much. */
#if defined(__SANITIZE_THREAD__)
#define MAGI_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define MAGI_TSAN 1
#endif
#endif
#if defined(MAGI_TSAN)
#define magi_fence_seq(p) (MAGI_POINT_FIRST (void)__atomic_fetch_add((p), 0, __ATOMIC_SEQ_CST))
#elif defined(__x86_64__)
#define magi_fence_seq(p) __asm__ __volatile__("lock; orl $0, -8(%%rsp)" ::: "memory", "cc")
#else
#define magi_fence_seq(p) __atomic_thread_fence(__ATOMIC_SEQ_CST)
#endif

/* Keeps the compiler from moving accesses over it; the CPU's part is another thread's membarrier(2). ThreadSanitizer sees
 * neither, and needs none: what it guards is atomic. */
#define magi_fence_compiler() __asm__ __volatile__("" ::: "memory")

/* Says to the CPU that this is a spin loop. */
#if defined(__x86_64__) || defined(__i386__)
#define magi_pause() __builtin_ia32_pause()
#elif defined(__aarch64__)
#define magi_pause() __asm__ __volatile__("yield" ::: "memory")
#else
#define magi_pause() __asm__ __volatile__("" ::: "memory")
#endif

#endif /* MAGI_ATOMIC_HEADER */
#endif
