/* SPDX-License-Identifier: MIT */
/* baseline_server.c - the best straightforward server that one thread on one bare ring can be.
 *
 * A connection does one thing at a time: receive, then send the answer, then receive. What a turn of the loop produces
 * is submitted at once, by the call that waits for the next completions.
 *
 * Not:     send linked to the next receive (one completion less, yet measured no faster). */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "baseline_server.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ring.h"

#define CONNS_MAX 4096 /* by fd; what lies above is refused */

enum op { ACCEPT, STOP, RECV, SEND };

struct bare {
	struct io_uring ring;
	struct bare_conn *conns; /* untouched pages cost nothing */
	bare_protocol *answer;
	int listen_fd;
};

static void arm_accept(struct bare *s)
{
	struct io_uring_sqe *sqe = ring_sqe(&s->ring);

	io_uring_prep_multishot_accept(sqe, s->listen_fd, NULL, NULL, SOCK_CLOEXEC);
	sqe->user_data = ACCEPT;
}

static void arm_recv(struct bare *s, int fd)
{
	struct bare_conn *c = &s->conns[fd];
	struct io_uring_sqe *sqe = ring_sqe(&s->ring);

	io_uring_prep_recv(sqe, fd, c->buf + c->used, BARE_BUFFER - c->used, 0);
	sqe->ioprio = IORING_RECVSEND_POLL_FIRST; /* the client has just been answered: there is nothing yet */
	sqe->user_data = (uint64_t)fd << 8 | RECV;
}

static void arm_send(struct bare *s, int fd)
{
	struct bare_conn *c = &s->conns[fd];
	struct io_uring_sqe *sqe = ring_sqe(&s->ring);

	io_uring_prep_send(sqe, fd, c->reply, c->left, MSG_WAITALL | MSG_NOSIGNAL);
	sqe->user_data = (uint64_t)fd << 8 | SEND;
}

static void on_accept(struct bare *s, int fd, unsigned flags)
{
	int one = 1;

	if (!(flags & IORING_CQE_F_MORE))
		arm_accept(s);
	if (fd < 0)
		return;
	if (fd >= CONNS_MAX) {
		close(fd);
		return;
	}
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	s->conns[fd].used = 0;
	s->conns[fd].left = 0;
	arm_recv(s, fd);
}

/* Sends the answer to what is in the buffer, or waits for more. */
static void go_on(struct bare *s, int fd)
{
	struct bare_conn *c = &s->conns[fd];

	if (c->used && s->answer(c) < 0)
		close(fd);
	else if (c->left)
		arm_send(s, fd);
	else
		arm_recv(s, fd);
}

static void on_recv(struct bare *s, int fd, int n)
{
	if (n <= 0) {
		close(fd);
		return;
	}
	s->conns[fd].used += (unsigned)n;
	go_on(s, fd);
}

static void on_send(struct bare *s, int fd, int n)
{
	struct bare_conn *c = &s->conns[fd];

	if (n <= 0) {
		close(fd);
		return;
	}
	c->reply += n;
	c->left -= (unsigned)n;
	if (c->left)
		arm_send(s, fd);
	else
		go_on(s, fd);
}

/* Returns: false when it was told to stop. */
static bool turn(struct bare *s)
{
	struct io_uring_cqe *cqe;
	unsigned head, seen = 0;
	bool more = true;

	io_uring_for_each_cqe(&s->ring, head, cqe) {
		int fd = (int)(cqe->user_data >> 8);

		seen++;
		switch ((enum op)(cqe->user_data & 0xff)) {
		case ACCEPT:
			on_accept(s, cqe->res, cqe->flags);
			break;
		case RECV:
			on_recv(s, fd, cqe->res);
			break;
		case SEND:
			on_send(s, fd, cqe->res);
			break;
		case STOP:
			more = false;
			break;
		}
	}
	io_uring_cq_advance(&s->ring, seen);
	return more;
}

int bare_serve(int listen_fd, int stop_fd, bare_protocol *answer, struct bench_run *r)
{
	struct bare s = { .answer = answer, .listen_fd = listen_fd };
	struct io_uring_sqe *sqe;
	int rc = ring_open(&s.ring, 2048, r);

	if (rc)
		return rc;
	s.conns = mmap(NULL, sizeof *s.conns * CONNS_MAX, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (s.conns == MAP_FAILED)
		return bench_fail(r, -ENOMEM, "no memory for the connections");
	arm_accept(&s);
	sqe = ring_sqe(&s.ring);
	io_uring_prep_poll_add(sqe, stop_fd, POLLIN);
	sqe->user_data = STOP;
	do {
		rc = io_uring_submit_and_wait(&s.ring, 1);
		if (rc < 0 && rc != -EINTR)
			return bench_fail(r, rc, "io_uring_enter: %s", strerror(-rc));
	} while (turn(&s));
	io_uring_queue_exit(&s.ring);
	munmap(s.conns, sizeof *s.conns * CONNS_MAX);
	return 0;
}
