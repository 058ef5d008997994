/* SPDX-License-Identifier: MIT */
/* test_sys.c - system calls: planned faults, and a simulation in the system's place. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/sys.h"

Test(sys, the_planned_call_fails_and_the_others_do_not, .timeout = 5)
{
	int fd;

	magi_fault_syscalls(2, ENFILE);
	fd = magi_sys_open("/dev/null", O_RDONLY | O_CLOEXEC);
	cr_assert_geq(fd, 0);
	cr_assert_eq(magi_sys_open("/dev/null", O_RDONLY | O_CLOEXEC), -ENFILE);
	cr_assert_geq(magi_sys_fcntl(fd, F_GETFL, 0), 0);
	cr_assert_eq(magi_fault_syscalls_reached(), 3);
	magi_fault_syscalls(0, 0);
	cr_assert_eq(magi_sys_close(fd), 0);
	cr_assert_eq(magi_fault_syscalls_reached(), 0, "they are counted only while a plan is there");
}

Test(sys, a_close_that_fails_has_closed, .timeout = 5)
{
	int fd = magi_sys_open("/dev/null", O_RDONLY | O_CLOEXEC);

	magi_fault_syscalls(1, EIO);
	cr_assert_eq(magi_sys_close(fd), -EIO);
	magi_fault_syscalls(0, 0);
	cr_assert_eq(fcntl(fd, F_GETFD), -1);
}

Test(sys, errors_are_results, .timeout = 5)
{
	struct sockaddr_storage addr;
	socklen_t len = sizeof(addr);
	char byte;
	struct iovec iov = { &byte, 1 };

	cr_assert_eq(magi_sys_close(-1), -EBADF);
	cr_assert_eq(magi_sys_listen(-1, 1), -EBADF);
	cr_assert_eq(magi_sys_getsockname(-1, (struct sockaddr *)&addr, &len), -EBADF);
	cr_assert_eq(magi_sys_sendfile(-1, -1, 0, 1), -EBADF);
	cr_assert_eq(magi_sys_preadv2(-1, &iov, 1, 0, 0), -EBADF);
	cr_assert_eq(magi_sys_socket(-1, SOCK_STREAM, 0), -EAFNOSUPPORT);
}

static int told_socket(struct magi_world *world, int family, int type, int protocol)
{
	cr_assert_eq((void *)world, (void *)&told_socket);
	return family * 100 + type * 10 + protocol;
}

static int told_close(struct magi_world *world, int fd)
{
	(void)world;
	return fd == 77 ? 0 : -EBADF;
}

Test(sys, a_simulation_is_asked_first_but_after_the_plan, .timeout = 5)
{
	static const struct magi_sys sim = { .socket = told_socket, .close = told_close };
	struct magi_host host = { .world = (struct magi_world *)(void *)&told_socket, .sys = &sim };

	magi_host_here = &host;
	cr_assert_eq(magi_sys_socket(1, 2, 3), 123);
	cr_assert_eq(magi_sys_close(77), 0);
	cr_assert_eq(magi_sys_close(1), -EBADF);
	magi_fault_syscalls(1, EMFILE);
	cr_assert_eq(magi_sys_socket(1, 2, 3), -EMFILE);
	magi_fault_syscalls(0, 0);
	magi_host_here = NULL;
}
