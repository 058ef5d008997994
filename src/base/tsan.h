/* SPDX-License-Identifier: MIT */
/* tsan.h - tells ThreadSanitizer of hand-overs that it cannot see.
 *
 * The kernel takes what a submission queue entry names and gives it back with a completion; between the two there is no
 * instruction of this process that ThreadSanitizer could follow. All that was released on an address happened before
 * whatever acquires it later. */
#ifndef MAGI_BASE_TSAN_H
#define MAGI_BASE_TSAN_H

#include <magpie/impl/atomic.h>

#if defined(MAGI_TSAN)
void __tsan_acquire(void *addr);
void __tsan_release(void *addr);
#define MAGI_TSAN_ACQUIRE(addr) __tsan_acquire((void *)(addr))
#define MAGI_TSAN_RELEASE(addr) __tsan_release((void *)(addr))
#else
#define MAGI_TSAN_ACQUIRE(addr) ((void)(addr))
#define MAGI_TSAN_RELEASE(addr) ((void)(addr))
#endif

#endif
