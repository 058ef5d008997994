/* SPDX-License-Identifier: MIT */
/* futex.c - futex(2) and sched_yield(2), or what a simulation has for them. */
#include "base/futex.h"

#include <errno.h>
#include <linux/futex.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/tsan.h"

#if defined(MAGI_TSAN)
/* ThreadSanitizer keeps a signal back until its thread calls something that it wraps, which syscall is not: waits are
 * cut into slices. A wake between two of them is seen by what it has stored, as all that call this store something. */
static bool wait_kernel(uint32_t *word, uint32_t value, uint64_t ns)
{
	uint64_t begun = magi_clock_ns(), gone = 0;

	do {
		uint64_t left = ns - gone < 20 * MAGI_NS_PER_MS ? ns - gone : 20 * MAGI_NS_PER_MS;
		struct timespec slice = { 0, (long)left };

		if (syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, value, &slice, NULL, 0) == 0 || errno != ETIMEDOUT)
			return true;
		usleep(0); /* wrapped */
		gone = magi_clock_ns() - begun;
	} while (gone < ns);
	return false;
}
#else
static bool wait_kernel(uint32_t *word, uint32_t value, uint64_t ns)
{
	struct timespec limit = { (time_t)(ns / MAGI_NS_PER_S), (long)(ns % MAGI_NS_PER_S) };
	const struct timespec *ts = ns == MAGI_NEVER ? NULL : &limit;

	return syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, value, ts, NULL, 0) == 0 || errno != ETIMEDOUT;
}
#endif

bool magi_futex_wait(uint32_t *word, uint32_t value, uint64_t ns)
{
	struct magi_host *h = magi_host();

	return h ? h->ops->wait(h, word, value, ns) : wait_kernel(word, value, ns);
}

void magi_futex_wake(uint32_t *word, uint32_t n)
{
	struct magi_host *h = magi_host();

	if (h)
		h->ops->wake(h, word, n);
	else
		syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, n < INT32_MAX ? n : INT32_MAX, NULL, NULL, 0);
}

void magi_thread_yield(void)
{
	struct magi_host *h = magi_host();

	if (h)
		h->ops->yield(h);
	else
		sched_yield();
}
