/* SPDX-License-Identifier: MIT */
/* operation.c - the operations of model/atomic.h, base/barrier.h and base/futex.h.
 *
 * A store is no step: it goes to the end of its thread's queue, which nobody sees; when it leaves the queue is a choice. */
#include "base/barrier.h"
#include "base/futex.h"
#include "base/host.h"
#include "model/atomic.h"
#include "model/thread.h"
#include "model/trace.h"

__thread struct magi_host *magi_host_here; /* no simulation */

static void check_owner(const void *p, bool stores)
{
	for (int t = 0; t < MODEL_THREADS; t++) {
		if (running != NOBODY && t != running && thread_owns(t, p) > (stores ? NOT_OWN : WRITTEN))
			explore_abort("a look or a store at what is another thread's own");
	}
}

uint64_t model_load(const void *p, size_t size, const char *name)
{
	uint64_t v;

	if (running == NOBODY)
		return memory_read(p, size);
	if (thread_owns(running, p)) {
		v = memory_load(running, p, size);
		trace_add(running, "load own", name, v);
		return v;
	}
	check_owner(p, false);
	explore_step(ANY);
	v = memory_load(running, p, size);
	explore_note("load", name, v);
	return v;
}

void model_store(void *p, size_t size, uint64_t v, const char *name)
{
	const struct memory_store store = { p, size, memory_read(&v, size), name };

	if (running == NOBODY) {
		memory_write(p, size, v);
		return;
	}
	check_owner(p, true);
	trace_add(running, "store", name, store.value);
	if (!memory_store(running, store))
		explore_abort("too many stores wait");
}

uint64_t model_rmw(enum model_rmw how, void *p, size_t size, uint64_t v, const char *name)
{
	uint64_t old, after = v;

	check_owner(p, true);
	explore_step(DRAINED);
	old = memory_read(p, size);
	if (how == MODEL_ADD)
		after = old + v;
	else if (how == MODEL_SUB)
		after = old - v;
	else if (how == MODEL_OR)
		after = old | v;
	else if (how == MODEL_AND)
		after = old & v;
	memory_write(p, size, after);
	explore_note("exchange", name, old);
	return old;
}

bool model_cas(void *p, size_t size, void *expected, uint64_t v, const char *name)
{
	uint64_t old;

	check_owner(p, true);
	explore_step(DRAINED);
	old = memory_read(p, size);
	if (old == memory_read(expected, size)) {
		memory_write(p, size, v);
		explore_note("cas won", name, old);
		return true;
	}
	explore_note("cas lost", name, old);
	__builtin_memcpy(expected, &old, size);
	return false;
}

void model_fence(void)
{
	explore_step(FENCE);
	explore_note("fence", NULL, 0);
}

void model_pause(void)
{
	if (running == NOBODY)
		explore_abort("start or end waits for a thread that is not there");
	explore_step(CHANGED);
	thread[running].since = memory_version();
	explore_note("pause", NULL, 0);
}

/* A spin loop that has lost patience still waits for the same change. */
void magi_thread_yield(void)
{
	model_pause();
}

/* membarrier(2) interrupts each running thread at some moment of the call, and a fence is made there. */
void magi_barrier_all(void)
{
	explore_step(DRAINED);
	if (running == NOBODY)
		return;
	explore_note("barrier", NULL, 0);
	thread[running].clean = thread_clean();
	explore_step(BARRIER);
	thread[running].clean = 0;
	explore_note("passed", NULL, 0);
}
