/* SPDX-License-Identifier: MIT */
/* test_old_kernel.c - kernels and sandboxes that lack a system call: what is done instead, or said. */
#include <dirent.h>
#include <linux/openat2.h>
#include <magpie/error.h>
#include <pthread.h>
#include <sys/mman.h>

#include "base/barrier.h"
#include "io/uring.h"
#include "sched/cpus.h"
#include "support/refuse.h"
#include "unit/epoll_io.h"

#ifndef SYS_epoll_pwait2
#define SYS_epoll_pwait2 441
#endif

static int open_fds(void)
{
	DIR *dir = opendir("/proc/self/fd");
	int n = 0;

	while (readdir(dir))
		n++;
	closedir(dir);
	return n;
}

static void waits_until_the_deadline(void)
{
	struct magi_epoll *u = open_io(NULL);
	uint64_t began = magi_clock_ns();
	struct magi_rec rec;

	cr_assert_eq(poll_io(u, 3 * MAGI_NS_PER_MS, &rec, 1), 0);
	cr_assert_geq(magi_clock_ns() - began, 3 * MAGI_NS_PER_MS, "and not before");
	cr_assert(u->no_pwait2, "it is not asked again");
	cr_assert_eq(poll_io(u, MAGI_NS_PER_MS, &rec, 1), 0);
	close_io(u);
}

Test(old_kernel, without_epoll_pwait2_epoll_waits_in_milliseconds, .timeout = 20)
{
	refuse(SYS_epoll_pwait2, ENOSYS);
	waits_until_the_deadline();
}

Test(old_kernel, a_sandbox_that_forbids_what_it_does_not_know_is_an_old_kernel, .timeout = 20)
{
	refuse(SYS_epoll_pwait2, EPERM);
	waits_until_the_deadline();
}

Test(old_kernel, an_epoll_that_cannot_watch_its_bell_is_not_opened, .timeout = 20)
{
	struct magi_io *io = NULL;
	int before = open_fds();

	refuse(SYS_epoll_ctl, ENOSPC);
	cr_assert_eq(ops->open(&io, &(struct magi_io_params){ 0 }), -ENOSPC);
	cr_assert_eq(open_fds(), before);
}

static int open_by(struct magi_epoll *u, const char *path, uint64_t flags, uint64_t resolve)
{
	struct open_how how = { .flags = flags | O_CLOEXEC, .resolve = resolve, .mode = flags & O_CREAT ? 0600 : 0 };

	submit(u, (struct magi_req){ .code = MAGI_IO_OPEN, .fd = AT_FDCWD, .addr = (void *)(uintptr_t)path,
				     .addr2 = &how, .token = 7 });
	return result_of(u, 7);
}

Test(old_kernel, without_openat2_files_are_opened_but_not_beneath_a_directory, .timeout = 20)
{
	struct magi_epoll *u = open_io(NULL);
	int fd;

	refuse(SYS_openat2, ENOSYS);
	fd = open_by(u, "/dev/null", O_RDONLY, 0);
	cr_assert_geq(fd, 0);
	close(fd);
	cr_assert_eq(open_by(u, "/dev/none", O_RDONLY, 0), -ENOENT);
	cr_assert_eq(open_by(u, "dev/null", O_RDONLY, RESOLVE_BENEATH), -ENOSYS, "that cannot be promised");
	close_io(u);
}

Test(old_kernel, an_openat2_that_is_forbidden_is_not_gone_round, .timeout = 20)
{
	struct magi_epoll *u = open_io(NULL);

	refuse(SYS_openat2, EPERM);
	cr_assert_eq(open_by(u, "/dev/null", O_RDONLY, 0), -EPERM);
	close_io(u);
}

static int read_at(struct magi_epoll *u, int fd, char *to, uint32_t n, uint64_t offset)
{
	submit(u, (struct magi_req){ .code = MAGI_IO_READ, .fd = fd, .addr = to, .len = n, .offset = offset,
				     .token = 9 });
	return result_of(u, 9);
}

Test(old_kernel, without_reads_that_do_not_block_files_are_read_all_the_same, .timeout = 20)
{
	struct magi_epoll *u = open_io(NULL);
	int fd = memfd_create("file", MFD_CLOEXEC);
	char in[8];

	cr_assert_eq(write(fd, "012345", 6), 6);
	refuse(SYS_preadv2, ENOSYS);
	cr_assert(read_at(u, fd, in, 4, 2) == 4 && !memcmp(in, "2345", 4));
	cr_assert(read_at(u, fd, in, 4, 4) == 2 && !memcmp(in, "45", 2));
	close(fd);
	close_io(u);
}

Test(old_kernel, without_reads_that_do_not_block_pipes_are_looked_at_first, .timeout = 20)
{
	struct magi_epoll *u = open_io(NULL);
	struct magi_rec rec;
	int fds[2];
	char in[8];

	cr_assert_eq(pipe2(fds, O_CLOEXEC), 0);
	refuse(SYS_preadv2, EOPNOTSUPP);
	for (int i = 0; i < 2; i++) { /* the second time it is known */
		submit(u, (struct magi_req){ .code = MAGI_IO_READ, .fd = fds[0], .addr = in, .len = 8,
					     .offset = UINT64_MAX, .token = 1, .file = 5 });
		cr_assert_eq(poll_io(u, 0, &rec, 1), 0, "it would block");
		cr_assert_eq(write(fds[1], "abc", 3), 3);
		cr_assert(result_of(u, 1) == 3 && !memcmp(in, "abc", 3));
	}
	cr_assert_eq(known(u, fds[0])->kind, MAGI_EPOLL_OTHER);
	close(fds[0]);
	close(fds[1]);
	close_io(u);
}

/* The same descriptor's reading end, closed under the request: a look at it says so. */
Test(old_kernel, a_pipe_that_is_looked_at_and_gone_is_an_error, .timeout = 20)
{
	struct magi_epoll *u = open_io(NULL);
	int fds[2];
	char in[8];

	cr_assert_eq(pipe2(fds, O_CLOEXEC), 0);
	refuse(SYS_preadv2, EOPNOTSUPP);
	cr_assert_eq(write(fds[1], "abc", 3), 3);
	submit(u, (struct magi_req){ .code = MAGI_IO_READ, .fd = fds[0], .addr = in, .len = 8, .offset = UINT64_MAX,
				     .token = 1, .file = 5 });
	cr_assert_eq(result_of(u, 1), 3);
	close(fds[0]);
	submit(u, (struct magi_req){ .code = MAGI_IO_READ, .fd = fds[0], .addr = in, .len = 8, .offset = UINT64_MAX,
				     .token = 1, .file = 5 });
	cr_assert_eq(result_of(u, 1), -EBADF);
	close(fds[1]);
	close_io(u);
}

static int uring_says(char *why, size_t size)
{
	struct magi_io_params params = { .why = why, .why_size = size };
	struct magi_io *io = NULL;
	int rc = magi_uring_ops.open(&io, &params);

	if (rc == 0)
		magi_uring_ops.close(io, take, NULL);
	return rc;
}

Test(old_kernel, a_ring_that_takes_no_flag_at_all_is_too_old, .timeout = 20)
{
	char why[200] = "";

	refuse(SYS_io_uring_setup, EINVAL);
	cr_assert_eq(uring_says(why, sizeof(why)), MAG_EBACKEND);
	cr_assert(strstr(why, "too old"), "%s", why);
}

/* In a thread of its own: what ends the test opens files. */
static void *says_forbidden(void *why)
{
	refuse(SYS_io_uring_setup, EPERM);
	refuse(SYS_openat, EACCES);
	cr_assert_eq(uring_says(why, 200), MAG_EBACKEND);
	return NULL;
}

Test(old_kernel, a_forbidden_ring_is_explained_also_where_nothing_can_be_read, .timeout = 20)
{
	char why[200] = "";
	pthread_t thread;

	pthread_create(&thread, NULL, says_forbidden, why);
	pthread_join(thread, NULL);
	cr_assert(strstr(why, "forbidden to this process"), "%s", why);
}

Test(old_kernel, a_ring_that_cannot_be_enabled_leaves_nothing_behind, .timeout = 20)
{
	char why[200] = "";
	int before = open_fds(), rc = uring_says(why, sizeof(why));

	if (rc == MAG_EBACKEND)
		cr_skip_test("%s", why);
	refuse(SYS_io_uring_register, EACCES);
	cr_assert_eq(uring_says(why, sizeof(why)), MAG_EBACKEND);
	cr_assert_eq(open_fds(), before);
}

Test(old_kernel, want_of_descriptors_says_so_with_and_without_words, .timeout = 20)
{
	char why[200] = "";

	refuse(SYS_io_uring_setup, ENFILE);
	cr_assert_eq(uring_says(why, sizeof(why)), -ENFILE);
	cr_assert(strstr(why, "no file descriptor"), "%s", why);
	cr_assert_eq(uring_says(NULL, 0), -ENFILE);
}

Test(old_kernel, an_error_that_nobody_knows_is_named, .timeout = 20)
{
	char why[200] = "";

	refuse(SYS_io_uring_setup, EIO);
	cr_assert_eq(uring_says(why, sizeof(why)), -EIO);
	cr_assert(strstr(why, strerror(EIO)), "%s", why);
	cr_assert_eq(uring_says(NULL, 0), -EIO);
}

Test(old_kernel, a_ring_needs_an_eventfd, .timeout = 20)
{
	char why[200] = "";
	int before = open_fds(), rc = uring_says(why, sizeof(why));

	if (rc == MAG_EBACKEND)
		cr_skip_test("%s", why);
	refuse(SYS_eventfd2, ENFILE);
	cr_assert_eq(uring_says(why, sizeof(why)), -ENFILE);
	cr_assert_eq(open_fds(), before);
}

Test(old_kernel, without_membarrier_it_is_said_that_there_is_none, .timeout = 20)
{
	cr_assert(magi_barrier_works());
	refuse(SYS_membarrier, EINVAL);
	cr_assert_not(magi_barrier_works());
}

static void *count_cpus(void *n)
{
	refuse(SYS_sched_getaffinity, EPERM);
	refuse(SYS_openat, EACCES); /* nor cgroups */
	*(uint32_t *)n = magi_cpus_allowed();
	return NULL;
}

Test(old_kernel, who_may_not_ask_about_cpus_counts_those_of_the_machine, .timeout = 20)
{
	uint32_t online = (uint32_t)sysconf(_SC_NPROCESSORS_ONLN), n = 0;
	pthread_t thread;

	pthread_create(&thread, NULL, count_cpus, &n);
	pthread_join(thread, NULL);
	cr_assert_eq(n, online);
}
