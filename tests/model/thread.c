/* SPDX-License-Identifier: MIT */
/* thread.c - what a thread waits for, and what is its own. */
#include "model/thread.h"

struct thread thread[MODEL_THREADS];
int running = NOBODY;

void explore_own(int t, const void *p, size_t size, enum explore_own how)
{
	for (int i = 0; i < OWN; i++) {
		if (!thread[t].own[i].p) {
			thread[t].own[i].p = p;
			thread[t].own[i].size = size;
			thread[t].own[i].how = how;
			return;
		}
	}
	explore_abort("too many places are a thread's own");
}

static struct {
	const void *p;
	size_t size;
} constant[CONSTANTS];
static uint32_t constants;

void thread_reset(void)
{
	constants = 0;
}

void explore_constant(const void *p, size_t size)
{
	if (constants == CONSTANTS)
		explore_abort("too many constants");
	constant[constants].p = p;
	constant[constants++].size = size;
}

bool thread_constant(const void *p)
{
	for (uint32_t i = 0; i < constants; i++) {
		if ((uintptr_t)p - (uintptr_t)constant[i].p < constant[i].size)
			return true;
	}
	return false;
}

enum explore_own thread_owns(int t, const void *p)
{
	for (int i = 0; i < OWN; i++) {
		if ((uintptr_t)p - (uintptr_t)thread[t].own[i].p < thread[t].own[i].size)
			return thread[t].own[i].how;
	}
	return NOT_OWN;
}

uint32_t thread_before_step(int t)
{
	int32_t before = (int32_t)(thread[t].stepped - memory_flushed(t));

	return before > 0 ? (uint32_t)before : 0;
}

/* What a thread has stored since its last step might as well not have been stored yet: it is between two stores. */
uint32_t thread_clean(void)
{
	uint32_t clean = 0;

	for (int t = 0; t < MODEL_THREADS; t++) {
		if ((int32_t)(memory_flushed(t) - thread[t].stepped) >= 0)
			clean |= 1u << t;
	}
	return clean;
}

bool thread_can_go_on(int t)
{
	switch (thread[t].pending) {
	case NONE:
	case START:
		return false;
	case ANY:
		return true;
	case FENCE:
	case DRAINED:
		return memory_stored(t) == memory_flushed(t);
	case CHANGED:
		return thread_version(t) != thread[t].since;
	case RUNG:
		return thread[t].rung;
	case BARRIER:
		return thread[t].clean == (1u << MODEL_THREADS) - 1;
	}
	return false;
}
