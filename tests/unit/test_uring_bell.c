/* SPDX-License-Identifier: MIT */
/* test_uring_bell.c - how a sleeper is rung, and what happens when that fails. */
#include <poll.h>

#include "unit/ring.h"

static bool eventfd_rung(struct magi_uring *u)
{
	struct pollfd p = { .fd = u->eventfd, .events = POLLIN };
	uint64_t value;

	if (poll(&p, 1, 0) != 1)
		return false;
	cr_assert(read(u->eventfd, &value, sizeof(value)) == sizeof(value));
	return true;
}

/* As a blocked owner looks to a waker; the rings here never block, so nothing reads the eventfd but the test. */
static void pretend_asleep(struct magi_uring *u)
{
	u->state = MAGI_URING_ASLEEP;
}

Test(uring_bell, only_a_sleeper_is_rung, .timeout = 5)
{
	struct magi_uring *u = open_ring(0, MAGI_URING_ALL);

	magi_uring_wake(u, NULL);
	cr_assert(!eventfd_rung(u));
	pretend_asleep(u);
	magi_uring_wake(u, NULL);
	cr_assert(eventfd_rung(u));
	magi_uring_wake(u, NULL);
	cr_assert(!eventfd_rung(u), "it is being woken already");
	close_ring(u);
}

Test(uring_bell, a_doorbell_that_is_not_proven_is_backed_by_the_eventfd, .timeout = 5)
{
	struct magi_uring *u = open_ring(0, MAGI_URING_ALL), *from = open_ring(0, MAGI_URING_ALL);

	/* nobody stirs here: each try ends with the eventfd, and after some nobody tries any more */
	for (uint32_t i = 0; i < MAGI_URING_BELL_TRIES + 2; i++) {
		pretend_asleep(u);
		magi_uring_wake(u, from);
		cr_assert(eventfd_rung(u));
	}
	cr_assert(!(u->features & MAGI_URING_BELL) || u->bell_tries == MAGI_URING_BELL_TRIES);
	close_ring(u);
	close_ring(from);
}

Test(uring_bell, a_proven_doorbell_goes_through_the_ring, .timeout = 5)
{
	struct magi_uring *u = open_ring(0, MAGI_URING_ALL), *from = open_ring(0, MAGI_URING_ALL);
	struct magi_rec rec;

	if (!(u->features & MAGI_URING_BELL))
		cr_skip_test("this kernel has no MSG_RING");
	u->bell_works = 1;
	pretend_asleep(u);
	magi_uring_wake(u, from);
	cr_assert(!eventfd_rung(u));
	cr_assert(ops->due((struct magi_io *)u));
	cr_assert(poll_ring(u, 0, &rec, 1) == 0);
	cr_assert(u->bell_heard);
	close_ring(u);
	close_ring(from);
}

/* A ring that a loop watches is rung while it dozes, and gathers the bell in the poll that ends that. Tried: whether it was
 * heard looked at before the poll. */
Test(uring_bell, a_doorbell_that_ends_a_doze_is_proven, .timeout = 5)
{
	struct magi_uring *u = open_ring(0, MAGI_URING_ALL), *from = open_ring(0, MAGI_URING_ALL);
	uint64_t until = UINT64_MAX;
	struct magi_rec rec;

	if (!(u->features & MAGI_URING_BELL))
		cr_skip_test("this kernel has no MSG_RING");
	cr_assert_geq(ops->doze((struct magi_io *)u, &until), 0);
	u->bell_works = 1; /* as a waker that tries sees it: it rings the bell alone, at first */
	magi_uring_wake(u, from);
	u->bell_works = 0;
	cr_assert_eq(poll_ring(u, 0, &rec, 1), 0);
	cr_assert_eq(u->bell_works, 1);
	close_ring(u);
	close_ring(from);
}

Test(uring_bell, a_doorbell_that_fails_is_replaced_by_the_eventfd, .timeout = 5)
{
	struct magi_uring *u = open_ring(0, MAGI_URING_ALL), *from = open_ring(0, MAGI_URING_ALL);
	int ring_fd = u->ring_fd;
	struct magi_rec rec;

	u->bell_works = 1;
	/* the kernel takes the doorbell and says that there is no such ring */
	u->ring_fd = -1;
	pretend_asleep(u);
	magi_uring_wake(u, from);
	cr_assert(eventfd_rung(u));
	u->ring_fd = ring_fd;
	/* the kernel does not take it at all */
	magi_fault_plan(1, 0);
	pretend_asleep(u);
	magi_uring_wake(u, from);
	magi_fault_plan(0, 0);
	cr_assert(eventfd_rung(u));
	/* and it is not rung later either; nor are the failures anybody's records */
	cr_assert(poll_ring(from, 0, &rec, 1) == 0);
	cr_assert(poll_ring(u, 0, &rec, 1) == 0);
	cr_assert(!u->bell_heard);
	close_ring(u);
	close_ring(from);
}

Test(uring_bell, a_doorbell_with_a_full_queue_uses_the_eventfd, .timeout = 5)
{
	struct magi_uring *u = open_ring(0, MAGI_URING_ALL), *from = open_ring(8, MAGI_URING_ALL);
	struct magi_rec recs[8];

	u->bell_works = 1;
	for (uint64_t token = 0; token < 8; token++)
		submit(from, MAGI_IO_NOP, token);
	pretend_asleep(u);
	magi_uring_wake(u, from);
	cr_assert(eventfd_rung(u));
	cr_assert(poll_ring(from, 0, recs, 8) == 8);
	close_ring(u);
	close_ring(from);
}
