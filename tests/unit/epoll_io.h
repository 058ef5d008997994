/* SPDX-License-Identifier: MIT */
/* epoll_io.h - an io of the epoll backend for the tests of its parts (test_epoll*.c), seen from inside. */
#ifndef MAGPIE_TESTS_UNIT_EPOLL_IO_H
#define MAGPIE_TESTS_UNIT_EPOLL_IO_H

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "io/epoll.h"

static const struct magi_io_ops *const ops = &magi_epoll_ops;

static inline struct magi_epoll *open_io(const struct magi_io_params *params)
{
	static const struct magi_io_params none;
	struct magi_io *io = NULL;

	cr_assert_eq(ops->open(&io, params ? params : &none), 0);
	return (struct magi_epoll *)io;
}

static inline void take(void *buffer, void *ctx)
{
	(void)ctx;
	free(buffer);
}

static inline void close_io(struct magi_epoll *u)
{
	ops->close((struct magi_io *)u, take, NULL);
}

static inline void submit(struct magi_epoll *u, struct magi_req req)
{
	ops->submit((struct magi_io *)u, &req);
}

static inline int poll_io(struct magi_epoll *u, uint64_t wait_ns, struct magi_rec *recs, int max)
{
	struct magi_io *io = (struct magi_io *)u;

	return ops->poll(io, wait_ns ? ops->now(io) + wait_ns : 0, recs, max);
}

/* The next record, which must be that token's; its result. */
static inline int result_of(struct magi_epoll *u, uint64_t token)
{
	struct magi_rec rec;

	cr_assert_eq(poll_io(u, 5 * MAGI_NS_PER_S, &rec, 1), 1, "nothing has come for %d", (int)token);
	cr_assert_eq(rec.token, token, "%d has come, not %d", (int)rec.token, (int)token);
	return rec.res;
}

/* Nothing comes. */
static inline void expect_silence(struct magi_epoll *u)
{
	struct magi_rec rec;

	for (int i = 0; i < 4; i++)
		cr_assert_eq(poll_io(u, 0, &rec, 1), 0, "%d has come: %d", (int)rec.token, rec.res);
}

static inline struct magi_epoll_fd *known(struct magi_epoll *u, int fd)
{
	int why;

	return magi_epoll_fd_find(u, fd, &why);
}

static inline struct magi_req recv_of(int fd, uint64_t file, void *to, uint32_t len, uint64_t token)
{
	return (struct magi_req){ .code = MAGI_IO_RECV, .fd = fd, .file = file, .addr = to, .len = len, .token = token };
}

/* Two ends of a TCP connection. */
static inline void tcp_pair(int fds[2])
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof(at);
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	cr_assert(bind(listener, (struct sockaddr *)&at, size) == 0 && listen(listener, 1) == 0);
	cr_assert(getsockname(listener, (struct sockaddr *)&at, &size) == 0);
	fds[0] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	cr_assert(connect(fds[0], (struct sockaddr *)&at, size) == 0);
	fds[1] = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	cr_assert(fds[1] >= 0);
	close(listener);
}

/* Waits until the kernel has brought what was sent to fd. */
static inline void until_arrived(int fd, short events)
{
	struct pollfd p = { .fd = fd, .events = events };

	cr_assert_eq(poll(&p, 1, 5000), 1);
}

#endif
