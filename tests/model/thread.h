/* SPDX-License-Identifier: MIT */
/* thread.h - a model's threads: where each is, and when it can go on.
 *
 * Who:     explore.c chooses among them, operation.c is what they do when they are chosen.
 * Always:  one runs, or none: then start or end does, whose operations are not steps. */
#ifndef MAGPIE_TESTS_MODEL_THREAD_H
#define MAGPIE_TESTS_MODEL_THREAD_H

#include <setjmp.h>

#include "model/explore.h"

enum { NOBODY = -1, OWN = 12, CONSTANTS = 32 };

/* What a thread does when it is chosen; it must be able to. */
enum pending {
	NONE,    /* there is no such thread, or it has ended */
	START,   /* it comes to its first step, which nobody sees */
	ANY,     /* always */
	FENCE,   /* as DRAINED; nobody else sees it */
	DRAINED, /* once its own stores are visible */
	CHANGED, /* once another has changed something since its last turn in a spin loop */
	RUNG,    /* once its bell has been rung */
	BARRIER  /* once each thread has been without waiting stores, or been interrupted, since the call */
};

struct thread {
	jmp_buf context;
	enum pending pending;
	uint64_t history; /* hash of what it has read */
	uint64_t since;   /* the version of memory at its last turn in a spin loop */
	uint32_t stepped; /* how many stores there were at its last step */
	uint32_t clean;   /* BARRIER: a bit for each thread that has been without, or interrupted */
	bool rung;
	uint32_t points;
	uint8_t loaded; /* its clock at its last load */
	struct {
		const void *p;
		size_t size;
		enum explore_own how;
	} own[OWN];
};

extern struct thread thread[MODEL_THREADS];
extern int running; /* or NOBODY */

/* The model asks for what the search cannot do: this refutes nothing. */
_Noreturn void explore_abort(const char *why);

bool thread_can_go_on(int t);
/* Whether the model's memory is view.h's, not memory.h's. */
bool thread_views(void);
uint64_t thread_version(int t);
/* The running thread is about to access memory that is not atomic. */
void thread_plain(const void *p, size_t size, bool stores);
/* A bit for each thread that is without waiting stores, or may be taken for such a one. */
uint32_t thread_clean(void);
/* How many of its waiting stores are from before its last step. */
uint32_t thread_before_step(int t);
bool thread_constant(const void *p);
void thread_reset(void);
enum explore_own thread_owns(int t, const void *p);

/* The running thread waits until it may do this, and is chosen. */
void explore_step(enum pending what);
/* One of n things happens to it: 0 to n - 1. */
unsigned explore_choose(unsigned n);
bool explore_has_barriers(void);
bool explore_asks_again(void);
/* The oldest waiting store of a thread becomes visible. */
void explore_flush(int t);
/* What it does is what it would do at another time as well: this execution tells nothing new. */
void explore_prune(void);
/* The end of a step: what it has shown to its thread. */
void explore_note(const char *what, const char *name, uint64_t value);

#endif
