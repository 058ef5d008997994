/* SPDX-License-Identifier: MIT */
/* client.c - the load: C connections, each with one batch of messages under way, on a bare ring of its own.
 *
 * It has to cost less than the server, or it measures itself: one send and one receive a batch, the send says nothing
 * when it succeeds, the receive asks for the whole answer (its length is known) and does not try before there is data.
 * The two are not linked: the answer cannot come before the send has run. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "ring.h"

#define ECHO_BYTES 64
#define RESPONSE_MAX 1024
#define PIPELINE_MAX 64
#define WARM_NS 200000000u
#define WINDOW_NS 1000000000u
#define QUICK_NS 100000000u
#define RTT_MAX 1000000

static const char http_request[] = "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n";

struct link {
	int fd;
	uint64_t sent_ns, serial;
	char *out, *in; /* one batch each */
};

struct client {
	const struct bench_server *how;
	struct bench_run *r;
	struct io_uring ring;
	struct link *links;
	char *memory;
	size_t request, response; /* bytes of one message either way */
	int batch;
	uint64_t messages;
	uint32_t *rtt; /* ns, when round trips are asked for */
	int rtts;
};

static int connect_to(int port, struct bench_run *r)
{
	struct sockaddr_in a = { .sin_family = AF_INET,
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
				 .sin_port = htons((uint16_t)port) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;

	if (fd < 0)
		return bench_fail(r, -errno, "socket: %s", strerror(errno));
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	if (connect(fd, (struct sockaddr *)&a, sizeof a)) {
		int rc = bench_fail(r, -errno, "connect: %s", strerror(errno));

		close(fd);
		return rc;
	}
	return fd;
}

static bool response_ok(const char *p, size_t n)
{
	static const char start[] = "HTTP/1.1 200 ", end[] = "\r\n\r\n" BENCH_HELLO;

	return n >= sizeof start + sizeof end - 2 && !memcmp(p, start, sizeof start - 1) &&
	       !memcmp(p + n - (sizeof end - 1), end, sizeof end - 1);
}

/* One request on a connection of its own, to learn how long the server's responses are. */
static int probe_http(struct client *c, int port)
{
	char buf[RESPONSE_MAX + 1];
	size_t have = 0;
	int fd = connect_to(port, c->r), rc = -EPROTO;

	if (fd < 0)
		return fd;
	if (send(fd, http_request, sizeof http_request - 1, MSG_NOSIGNAL) < 0)
		have = RESPONSE_MAX;
	while (have < RESPONSE_MAX) {
		ssize_t n = recv(fd, buf + have, RESPONSE_MAX - have, 0);

		if (n <= 0)
			break;
		have += (size_t)n;
		buf[have] = 0;
		if (response_ok(buf, have) && strcasestr(buf, "\r\nContent-Length: 13\r\n")) {
			rc = 0;
			break;
		}
	}
	close(fd);
	c->response = have;
	return rc ? bench_fail(c->r, rc, "the answer is not a 200 with %s", BENCH_HELLO) : 0;
}

/* Connects everything and gives each connection its buffers. */
static int prepare(struct client *c, int port)
{
	size_t out = c->request * (size_t)c->batch, in = c->response * (size_t)c->batch;

	c->memory = malloc((out + in) * (size_t)c->how->connections);
	c->links = calloc((size_t)c->how->connections, sizeof *c->links);
	c->rtt = malloc(sizeof *c->rtt * RTT_MAX);
	if (!c->memory || !c->links || !c->rtt)
		return bench_fail(c->r, -ENOMEM, "no memory for %d connections", c->how->connections);
	for (int i = 0; i < c->how->connections; i++) {
		struct link *l = &c->links[i];

		l->fd = connect_to(port, c->r);
		if (l->fd < 0)
			return l->fd;
		l->out = c->memory + (out + in) * (size_t)i;
		l->in = l->out + out;
		for (int k = 0; k < c->batch; k++)
			if (c->how->protocol == BENCH_HTTP)
				memcpy(l->out + c->request * (size_t)k, http_request, c->request);
			else
				memset(l->out + c->request * (size_t)k, 'a' + (i + k) % 26, c->request);
	}
	return 0;
}

static void send_batch(struct client *c, struct link *l, uint64_t now)
{
	struct io_uring_sqe *sqe = ring_sqe(&c->ring);

	/* a number in each message: an answer to an earlier one, or another connection's, is seen */
	if (c->how->protocol == BENCH_ECHO)
		for (int k = 0; k < c->batch; k++) {
			uint64_t mark = (uint64_t)(l - c->links) << 48 | ++l->serial;

			memcpy(l->out + c->request * (size_t)k, &mark, sizeof mark);
		}
	l->sent_ns = now;
	io_uring_prep_send(sqe, l->fd, l->out, c->request * (size_t)c->batch, MSG_WAITALL | MSG_NOSIGNAL);
	io_uring_sqe_set_flags(sqe, IOSQE_CQE_SKIP_SUCCESS);
	io_uring_sqe_set_data(sqe, NULL);
	sqe = ring_sqe(&c->ring);
	io_uring_prep_recv(sqe, l->fd, l->in, c->response * (size_t)c->batch, MSG_WAITALL);
	sqe->ioprio = IORING_RECVSEND_POLL_FIRST;
	io_uring_sqe_set_data(sqe, l);
}

static int check_batch(struct client *c, const struct link *l)
{
	if (c->how->protocol == BENCH_ECHO)
		return memcmp(l->in, l->out, c->request * (size_t)c->batch)
			       ? bench_fail(c->r, -EBADMSG, "an echo came back changed")
			       : 0;
	for (int k = 0; k < c->batch; k++)
		if (!response_ok(l->in + c->response * (size_t)k, c->response))
			return bench_fail(c->r, -EBADMSG, "a response differs from the first one");
	return 0;
}

/* Takes all answers that are there and sends the next batches. Returns: 0 or negative. */
static int turn(struct client *c, uint64_t now)
{
	struct io_uring_cqe *cqe;
	unsigned head, seen = 0;
	int rc = 0;

	io_uring_for_each_cqe(&c->ring, head, cqe) {
		struct link *l = io_uring_cqe_get_data(cqe);

		seen++;
		if (!l || cqe->res < 0)
			rc = bench_fail(c->r, -EIO, "%s: %s", l ? "recv" : "send", strerror(-cqe->res));
		else if ((size_t)cqe->res < c->response * (size_t)c->batch)
			rc = bench_fail(c->r, -EPIPE, "the server closed a connection");
		else
			rc = check_batch(c, l);
		if (rc)
			break;
		c->messages += (uint64_t)c->batch;
		if (c->how->measure == BENCH_RTT && c->rtts < RTT_MAX)
			c->rtt[c->rtts++] = (uint32_t)(now - l->sent_ns);
		send_batch(c, l, now);
	}
	io_uring_cq_advance(&c->ring, seen);
	return rc;
}

static int run_until(struct client *c, uint64_t end)
{
	for (;;) {
		uint64_t now;
		int rc;

		if (c->how->client_spins)
			rc = io_uring_submit_and_get_events(&c->ring);
		else
			rc = io_uring_submit_and_wait(&c->ring, 1);
		if (rc < 0 && rc != -EINTR)
			return bench_fail(c->r, rc, "io_uring_enter: %s", strerror(-rc));
		now = bench_now_ns();
		rc = turn(c, now);
		if (rc || now >= end)
			return rc;
	}
}

static int by_ns(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

static uint64_t read_cpu(clockid_t clock)
{
	struct timespec ts = { 0 };

	clock_gettime(clock, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

static int measure(struct client *c, clockid_t server, struct bench_client_report *out)
{
	uint64_t start = bench_now_ns(), cpu;
	int rc;

	for (int i = 0; i < c->how->connections; i++)
		send_batch(c, &c->links[i], start);
	rc = run_until(c, start + (c->r->quick ? QUICK_NS : WARM_NS));
	if (rc)
		return rc;
	c->messages = 0;
	c->rtts = 0;
	cpu = read_cpu(server);
	start = bench_now_ns();
	rc = run_until(c, start + (c->r->quick ? QUICK_NS : WINDOW_NS));
	if (rc)
		return rc;
	out->server_cpu_ns = read_cpu(server) - cpu;
	out->window_ns = bench_now_ns() - start;
	out->messages = c->messages;
	if (c->rtts) {
		qsort(c->rtt, (size_t)c->rtts, sizeof *c->rtt, by_ns);
		out->rtt_p50_ns = c->rtt[c->rtts / 2];
	}
	return 0;
}

int bench_client(const struct bench_server *how, int port, int server, struct bench_client_report *out,
		 struct bench_run *r)
{
	struct client c = { .how = how, .r = r, .request = ECHO_BYTES, .response = ECHO_BYTES };
	clockid_t clock;
	int rc;

	c.batch = how->pipeline > 1 ? how->pipeline : 1;
	if (c.batch > PIPELINE_MAX)
		return bench_fail(r, -EINVAL, "a pipeline of %d, at most %d", c.batch, PIPELINE_MAX);
	if (clock_getcpuclockid(server, &clock))
		return bench_fail(r, -ESRCH, "the server's CPU clock cannot be read");
	rc = ring_open(&c.ring, 4096, r);
	if (rc)
		return rc;
	if (how->protocol == BENCH_HTTP) {
		c.request = sizeof http_request - 1;
		rc = probe_http(&c, port);
	}
	if (!rc)
		rc = prepare(&c, port);
	if (!rc)
		rc = measure(&c, clock, out);
	/* the process ends here: receives under way may still write to the buffers, so the ring goes first */
	io_uring_queue_exit(&c.ring);
	free(c.rtt);
	free(c.links);
	free(c.memory);
	return rc;
}
