/* SPDX-License-Identifier: MIT */
/* stack.c - stacks that are used again.
 *
 * What:    a run has some four stacks, and to map, touch and unmap them took longer than a short run itself.
 * Who:     any thread.
 * Not:     a lock that is waited for: a child that was forked while it was held would wait for ever. Who does not get it
 *          at once goes to the kernel. With a sanitizer: it knows of each byte whether it was in use. */
#include "sim/stack.h"

#include <magpie/impl/slab.h>
#include <pthread.h>
#include <stdbool.h>
#include <sys/mman.h>

#if defined(MAGI_ASAN) || defined(MAGI_TSAN)
enum { KEPT = 0 };
#else
enum { KEPT = 32 };
#endif

static struct {
	pthread_mutex_t lock;
	int n;
	struct kept {
		void *stack;
		size_t size;
	} kept[KEPT + 1];
} store = { .lock = PTHREAD_MUTEX_INITIALIZER };

static void *take_kept(size_t size)
{
	void *stack = NULL;

	if (pthread_mutex_trylock(&store.lock) != 0)
		return NULL;
	for (int i = store.n; i-- > 0 && !stack;) {
		if (store.kept[i].size != size)
			continue;
		stack = store.kept[i].stack;
		store.kept[i] = store.kept[--store.n];
	}
	pthread_mutex_unlock(&store.lock);
	return stack;
}

static bool keep(void *stack, size_t size)
{
	bool room = false;

	if (pthread_mutex_trylock(&store.lock) != 0)
		return false;
	room = store.n < KEPT;
	if (room)
		store.kept[store.n++] = (struct kept){ stack, size };
	pthread_mutex_unlock(&store.lock);
	return room;
}

void *magi_stack_take(size_t size)
{
	char *low = take_kept(size);

	if (low)
		return low;
	low = mmap(NULL, size + MAGI_STACK_GUARD, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1,
		   0);
	if (low == MAP_FAILED)
		return NULL;
	mprotect(low, MAGI_STACK_GUARD, PROT_NONE);
	return low + MAGI_STACK_GUARD;
}

void magi_stack_give(void *stack, size_t size)
{
	if (!keep(stack, size))
		munmap((char *)stack - MAGI_STACK_GUARD, size + MAGI_STACK_GUARD);
}
