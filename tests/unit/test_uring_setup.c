/* SPDX-License-Identifier: MIT */
/* test_uring_setup.c - opening a ring where something is missing.
 *
 * A seccomp filter would need a process of its own, and fork in a Criterion test hangs: what the errors of set-up mean
 * is tested on the function that decides it. */
#include <fcntl.h>

#include "unit/ring.h"

static int open_fds(void)
{
	int n = 0;

	for (int fd = 0; fd < 256; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

Test(uring_setup, forbidden_names_the_switch_or_the_filter, .timeout = 5)
{
	char why[300];

	cr_assert(magi_uring_explain(-EPERM, 2, why, sizeof(why)) == MAG_EBACKEND);
	cr_assert(strstr(why, "kernel.io_uring_disabled"));
	cr_assert(magi_uring_explain(-EPERM, 0, why, sizeof(why)) == MAG_EBACKEND);
	cr_assert(strstr(why, "seccomp") && strstr(why, "io_uring_setup"));
	cr_assert(magi_uring_explain(-EPERM, -1, NULL, 0) == MAG_EBACKEND);
}

Test(uring_setup, missing_or_old_says_what_is_needed, .timeout = 5)
{
	const int errors[] = { -ENOSYS, -EOPNOTSUPP, -EINVAL };
	char why[300];

	for (int i = 0; i < 3; i++) {
		cr_assert(magi_uring_explain(errors[i], -1, why, sizeof(why)) == MAG_EBACKEND);
		cr_assert(strstr(why, "6.1"));
	}
}

Test(uring_setup, want_of_memory_or_descriptors_is_not_want_of_io_uring, .timeout = 5)
{
	char why[300];

	cr_assert(magi_uring_explain(-ENOMEM, 0, why, sizeof(why)) == -ENOMEM);
	cr_assert(strstr(why, "memory"));
	cr_assert(magi_uring_explain(-EMFILE, 0, why, sizeof(why)) == -EMFILE);
	cr_assert(strstr(why, "ulimit -n"));
	cr_assert(magi_uring_explain(-EIO, 0, why, sizeof(why)) == -EIO);
}

Test(uring_setup, a_reason_that_is_too_long_is_cut, .timeout = 5)
{
	char why[8];

	magi_uring_explain(-EPERM, 0, why, sizeof(why));
	cr_assert(strlen(why) == 7);
}

Test(uring_setup, no_memory_for_a_ring_asks_for_a_smaller_one, .timeout = 5)
{
	struct magi_uring *u;
	struct magi_rec rec;

	close_ring(open_ring(0, MAGI_URING_ALL));
	magi_fault_plan(2, 0); /* the first site is the memory of the io itself */
	u = open_ring(0, MAGI_URING_ALL);
	magi_fault_plan(0, 0);
	cr_assert(u->ring.sq.ring_entries == MAGI_URING_ENTRIES / 2);
	submit(u, MAGI_IO_NOP, 7);
	cr_assert(poll_ring(u, 1000000000, &rec, 1) == 1 && rec.token == 7);
	close_ring(u);
}

Test(uring_setup, no_memory_for_the_smallest_ring_fails, .timeout = 5)
{
	char why[200] = "";
	struct magi_io_params params = { .why = why, .why_size = sizeof(why) };
	struct magi_io *io;

	magi_fault_plan(2, 1);
	cr_assert(ops->open(&io, &params) == -ENOMEM);
	magi_fault_plan(0, 0);
	cr_assert(strstr(why, "memory"));
}

Test(uring_setup, every_failure_on_the_way_is_undone, .timeout = 20)
{
	int fds = open_fds(), failures = 0;
	struct magi_io_params params = { 0 };
	struct magi_io *io;

	close_ring(open_ring(0, MAGI_URING_ALL));
	for (uint64_t n = 1; n < 100; n++) {
		uint64_t reached;
		int rc;

		magi_fault_plan(n, 0);
		rc = ops->open(&io, &params);
		reached = magi_fault_reached();
		magi_fault_plan(0, 0);
		if (rc == 0)
			close_ring((struct magi_uring *)io);
		else
			failures++;
		cr_assert(rc == 0 || rc == -ENOMEM || rc == -EMFILE, "%d", rc);
		cr_assert(open_fds() == fds, "site %d leaks a descriptor", (int)n);
		if (reached < n)
			break;
	}
	cr_assert(failures >= 5);
}

Test(uring_setup, each_feature_can_be_missing, .timeout = 20)
{
	for (uint32_t bit = 1; bit < MAGI_URING_ALL; bit <<= 1) {
		struct magi_uring *u = open_ring(16, MAGI_URING_ALL & ~bit);
		struct magi_rec rec;

		cr_assert(!(u->features & bit));
		submit(u, MAGI_IO_NOP, bit);
		cr_assert(poll_ring(u, 1000000000, &rec, 1) == 1 && rec.token == bit);
		close_ring(u);
	}
}
