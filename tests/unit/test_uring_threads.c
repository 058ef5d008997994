/* SPDX-License-Identifier: MIT */
/* test_uring_threads.c - what the kernel does in threads of its own: how many they are, how their work is cut short.
 *
 * Opening a FIFO waits for the other end. With O_CREAT the kernel does not even try without a thread. */
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <sys/stat.h>

#include "support/kernel_threads.h"
#include "unit/ring.h"

enum { OPENS = 40 };

static char fifo[64];

static void make_fifo(void)
{
	snprintf(fifo, sizeof(fifo), "/tmp/magpie-fifo-%d", (int)getpid());
	cr_assert(mkfifo(fifo, 0600) == 0);
}

static void remove_fifo(void)
{
	unlink(fifo);
}

TestSuite(uring_threads, .init = make_fifo, .fini = remove_fifo, .timeout = 20);

static void open_fifo(struct magi_uring *u, uint64_t token)
{
	static struct open_how how = { .flags = O_RDONLY | O_CREAT | O_CLOEXEC, .mode = 0600 };
	struct magi_req req = { .code = MAGI_IO_OPEN, .token = token, .fd = AT_FDCWD, .addr = fifo, .addr2 = &how };

	ops->submit((struct magi_io *)u, &req);
}

/* Cancels all; each ends, and not with a word that is the kernel's own. */
static void end_opens(struct magi_uring *u, int n)
{
	struct magi_rec recs[OPENS];

	for (uint64_t token = 0; token < (uint64_t)n; token++)
		cr_assert(ops->cancel((struct magi_io *)u, token));
	while (n) {
		int got = poll_ring(u, 1000000000, recs, OPENS);

		for (int i = 0; i < got; i++)
			cr_assert(recs[i].res == -ECANCELED || recs[i].res == -EINTR, "%d", recs[i].res);
		n -= got;
	}
}

/* Tried: report() that lets ERESTARTSYS through: -512. */
Test(uring_threads, work_that_is_cut_short_says_so_by_an_errno)
{
	struct magi_uring *u = open_ring(0, MAGI_URING_ALL);
	struct magi_rec rec;

	for (uint64_t token = 0; token < 6; token++)
		open_fifo(u, token);
	while (kernel_threads() < MAGI_URING_BOUND)
		cr_assert(poll_ring(u, 1000000, &rec, 1) == 0);
	end_opens(u, 6);
	close_ring(u);
}

/* Tried: tune() without the limit: four threads a CPU, which shows where there are two CPUs or more. */
Test(uring_threads, blocked_work_does_not_make_them_many)
{
	struct magi_uring *u = open_ring(0, MAGI_URING_ALL);
	struct magi_rec rec;

	for (uint64_t token = 0; token < OPENS; token++)
		open_fifo(u, token);
	while (kernel_threads() < MAGI_URING_BOUND)
		cr_assert(poll_ring(u, 1000000, &rec, 1) == 0);
	/* each that is blocked makes the next, in some 50 us */
	for (int i = 0; i < 100; i++) {
		cr_assert(poll_ring(u, 1000000, &rec, 1) == 0);
		cr_assert(kernel_threads() <= MAGI_URING_BOUND, "%d", kernel_threads());
	}
	end_opens(u, OPENS);
	close_ring(u);
}
