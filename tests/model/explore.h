/* SPDX-License-Identifier: MIT */
/* explore.h - runs a few small threads in every order that a memory model allows, one execution after the other: x86-TSO
 * (memory.h), or a weaker one in which the orders in the sources count (view.h).
 *
 * What:    the threads are coroutines on one OS thread. Before each atomic operation, the search chooses who goes on, or
 *          whose oldest waiting store becomes visible (memory.h), and which store a load gives (view.h); an execution is
 *          a list of such choices, and the next one repeats it up to the last choice that has another answer.
 * Always:  a state that was there before is not gone on with: threads that have read the same values are at the same place,
 *          so what they have read stands for them.
 *          A thread that spins (magi_pause) does nothing until something visible has changed.
 *          Data that is not atomic is visible at once; start names what threads share of it (plain.h).
 * Not:     a thread that depends on anything but what it has read: time, random numbers, addresses from malloc. */
#ifndef MAGPIE_TESTS_MODEL_EXPLORE_H
#define MAGPIE_TESTS_MODEL_EXPLORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/memory.h"
#include "model/plain.h"

enum { EXPLORE_ALL = -1 };

struct explore_model {
	const char *name;
	void (*start)(void); /* sets the first state; no other thread is there */
	void (*thread[MODEL_THREADS])(void);
	void (*end)(void); /* after the last thread, when all is visible */
	/* Whether it is fine that those who are left sleep for ever; NULL: it is not. */
	bool (*quiet)(void);
	/* How often a thread may lose its turn although it could go on; EXPLORE_ALL: as often as it likes. */
	int preemptions;
	int quick;       /* the same with views, in explore_holds, unless MAGPIE_LONG is set; 0: no other */
	bool views;      /* the weaker model */
	bool only_views; /* there are too many orders under TSO, and none that views do not have */
	bool barriers;   /* a thread calls magi_barrier_all */
	bool again;      /* a thread calls explore_again */
};

struct explore_result {
	uint64_t executions, states;
	double seconds;
	bool refuted; /* explore_schedule prints how */
};

struct explore_result explore(const struct explore_model *m);

/* Prints what failed, and the schedule that led there. */
void explore_schedule(void);

/* Searches in both memory models, or in that which MODEL_MEMORY names (tso, views); prints the counts, and why it does not
 * hold. */
bool explore_holds(const struct explore_model *m);
/* For programs that have a fault: whether some of these do not hold. */
bool explore_some_fail(const struct explore_model *const m[], size_t n);

/* What belongs to one thread needs fewer choices. Called by start; the program is aborted when it is not so. */
enum explore_own {
	NOT_OWN,
	WRITTEN, /* nobody else stores there */
	HIDDEN   /* nor loads */
};
void explore_own(int thread, const void *p, size_t size, enum explore_own how);

/* Called by start: nobody stores there, so a load is no step. */
void explore_constant(const void *p, size_t size);

/* What a thread sleeps on: the doorbell of model thread t, which orders nothing. */
void explore_ring(int t);
void explore_sleep(void);
/* The running thread has looked at something in vain, and does so again once that can make a difference. */
void explore_again(void);
/* The running thread does nothing more. */
void explore_leave(void);
/* The model thread that runs, -1: start or end does. */
int explore_thread(void);

/* A moment of a thread, and whether release and acquire alone order it before what the running thread does from here
 * on. What has to come after a load must be asked for: no execution has a load that gives what is stored later, though
 * a memory model may. Under TSO all is ordered. */
struct explore_moment {
	int16_t thread, clock; /* all zero: none */
};
struct explore_moment explore_last_load(void); /* the running thread's */
bool explore_is_after(struct explore_moment m);

/* A store there, other than an exchange, has to come after the last one that made a difference: whoever stores must
 * know of that, or a memory model may have it the other way round, as no execution does. Called by start. */
void explore_ordered(const void *p);

/* What the running thread has read does not matter from here on, but for what is in memory that start has named. */
void explore_point(void);

/* A thread that fails ends the search; start and end go on after the call. */
void explore_fail(const char *what, const char *file, int line);
#define explore_assert(cond) ((cond) ? (void)0 : explore_fail(#cond, __FILE__, __LINE__))

#endif
