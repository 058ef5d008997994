/* SPDX-License-Identifier: MIT */
/* coroutine.h - stacks that one thread switches between.
 *
 * Who:     the thread that created them.
 * Not:     swapcontext(3): two system calls a switch, and a simulation switches some thousand times a millisecond. It
 *          serves where there is no assembly for the machine. */
#ifndef MAGI_SIM_COROUTINE_H
#define MAGI_SIM_COROUTINE_H

#include <stdbool.h>
#include <stddef.h>

#if !defined(__x86_64__)
#include <ucontext.h>
#endif

struct magi_coroutine {
	void *sp;    /* where it was left */
	void *stack; /* NULL: the thread's own */
	size_t size; /* bytes */
	void (*fn)(void *arg);
	void *arg;
	void *fake;         /* AddressSanitizer's stack for locals that may outlive their function */
	const void *bottom; /* and what it knows of the thread's own stack */
	size_t bottom_size;
	void *tsan; /* ThreadSanitizer's own */
#if !defined(__x86_64__)
	ucontext_t context;
#endif
};

/* Makes the calling thread's own stack one of them. */
void magi_coroutine_here(struct magi_coroutine *c);
/* `fn` runs at the first switch to it, and never returns: its last act is a switch for good. -ENOMEM. */
int magi_coroutine_create(struct magi_coroutine *c, size_t size, void (*fn)(void *arg), void *arg);
void magi_coroutine_destroy(struct magi_coroutine *c);
/* Leaves `from`, the one that runs, and goes on with `to`; returns when somebody switches back. `last`: nobody will. */
void magi_coroutine_switch(struct magi_coroutine *from, struct magi_coroutine *to, bool last);

#endif
