/* SPDX-License-Identifier: MIT */
/* baseline_epoll.c - 64-byte TCP echo on a bare epoll loop: what can be had where io_uring is forbidden.
 *
 * A receive and a send for each message and an epoll_wait for each batch. Edge-triggered, and less than was asked for
 * means that there is no more, so no call is made to find nothing. A connection has a buffer of its own, as on the bare
 * ring: what the other end does not take at once stays there. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "baseline_server.h"
#include "cases.h"

#define CONNS_MAX 4096 /* by fd; what lies above is refused */

enum { EVENTS = 256 };

struct loop {
	int epfd, listen_fd, stop_fd;
	struct bare_conn *conns; /* untouched pages cost nothing */
};

static int watch(struct loop *s, int fd, uint32_t events)
{
	struct epoll_event event = { .events = events, .data.fd = fd };

	return epoll_ctl(s->epfd, EPOLL_CTL_ADD, fd, &event);
}

static void take_one(struct loop *s)
{
	int fd = accept4(s->listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK), one = 1;

	if (fd < 0)
		return;
	if (fd >= CONNS_MAX || watch(s, fd, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET) < 0) {
		close(fd);
		return;
	}
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	s->conns[fd].used = s->conns[fd].left = 0;
}

/* Sends what is left. Returns: 1 when all is gone, 0: there is no room, negative: the connection is over. */
static int answer(struct bare_conn *c, int fd)
{
	while (c->left) {
		ssize_t n = send(fd, c->reply, c->left, MSG_NOSIGNAL);

		if (n < 0)
			return errno == EAGAIN ? 0 : -errno;
		c->reply += n;
		c->left -= (unsigned)n;
	}
	return 1;
}

static void echo(struct loop *s, int fd, uint32_t events)
{
	struct bare_conn *c = &s->conns[fd];
	int rc = answer(c, fd);

	while (rc > 0) {
		ssize_t n = recv(fd, c->buf, sizeof c->buf, 0);

		if (n < 0 && errno == EAGAIN)
			return;
		if (n <= 0) {
			rc = -1;
			break;
		}
		c->reply = c->buf;
		c->left = (unsigned)n;
		rc = answer(c, fd);
		if (rc > 0 && n < (ssize_t)sizeof c->buf && !(events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)))
			return;
	}
	if (rc < 0)
		close(fd);
}

/* Returns: false when it was told to stop. */
static bool turn(struct loop *s, const struct epoll_event *events, int n)
{
	for (int i = 0; i < n; i++) {
		if (events[i].data.fd == s->stop_fd)
			return false;
		if (events[i].data.fd == s->listen_fd)
			take_one(s);
		else
			echo(s, events[i].data.fd, events[i].events);
	}
	return true;
}

static int serve(int listen_fd, int stop_fd, const struct bench_server *how, struct bench_run *r)
{
	struct loop s = { .listen_fd = listen_fd, .stop_fd = stop_fd };
	struct epoll_event events[EVENTS];
	int n;

	(void)how;
	bench_pin(0);
	s.conns = mmap(NULL, sizeof *s.conns * CONNS_MAX, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (s.conns == MAP_FAILED)
		return bench_fail(r, -ENOMEM, "no memory for the connections");
	s.epfd = epoll_create1(EPOLL_CLOEXEC);
	if (s.epfd < 0 || watch(&s, listen_fd, EPOLLIN) < 0 || watch(&s, stop_fd, EPOLLIN) < 0)
		return bench_fail(r, -errno, "epoll: %s", strerror(errno));
	do {
		n = epoll_wait(s.epfd, events, EVENTS, -1);
		if (n < 0 && errno != EINTR)
			return bench_fail(r, -errno, "epoll_wait: %s", strerror(errno));
	} while (turn(&s, events, n));
	close(s.epfd);
	munmap(s.conns, sizeof *s.conns * CONNS_MAX);
	return 0;
}

int baseline_epoll(struct bench_run *r)
{
	struct bench_server how = {
		.serve = serve, .protocol = BENCH_ECHO, .measure = BENCH_CPU, .connections = (int)r->param
	};

	return bench_server_run(&how, r);
}
