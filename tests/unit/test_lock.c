/* SPDX-License-Identifier: MIT */
/* test_lock.c - the spin lock of src/base/lock.h. */
#include "base/lock.h"

#include <criterion/criterion.h>
#include <pthread.h>

enum { ADDS = 200000 };

struct guarded {
	magi_lock lock;
	size_t n; /* under the lock */
};

static void *add_under_lock(void *arg)
{
	struct guarded *g = arg;

	for (int i = 0; i < ADDS; i++) {
		if (i % 2 || !magi_lock_try(&g->lock))
			magi_lock_acquire(&g->lock);
		g->n++;
		magi_lock_release(&g->lock);
	}
	return NULL;
}

Test(lock, one_thread_at_a_time_is_in_the_section, .timeout = 10)
{
	static struct guarded g;
	pthread_t threads[4];

	for (int i = 0; i < 4; i++)
		cr_assert_eq(pthread_create(&threads[i], NULL, add_under_lock, &g), 0);
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	cr_assert_eq(g.n, (size_t)4 * ADDS);
	cr_assert_eq(g.lock.held, 0);
}

Test(lock, try_fails_while_it_is_held, .timeout = 10)
{
	magi_lock lock = { 0 };

	cr_assert(magi_lock_try(&lock));
	cr_assert_not(magi_lock_try(&lock));
	magi_lock_release(&lock);
	cr_assert(magi_lock_try(&lock));
}
