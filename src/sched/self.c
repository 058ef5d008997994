/* SPDX-License-Identifier: MIT */
/* self.c - which worker runs this thread. The one thread-local of the scheduler: its address must not be cached over a
 * suspension, so it is read in functions that are never inlined. */
#include "sched/types.h"

static __thread mag_worker *self;

__attribute__((noinline)) mag_worker *magi_self(void)
{
	__asm__ volatile("" ::: "memory");
	return self;
}

__attribute__((noinline)) void magi_self_set(mag_worker *w)
{
	self = w;
}

mag_runtime *mag_runtime_current(void)
{
	mag_worker *w = magi_self();

	return w ? magi_runtime_of(w) : NULL;
}

int mag_worker_index(void)
{
	mag_worker *w = magi_self();

	return w ? (int)w->index : -1;
}
