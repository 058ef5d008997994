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
#include "websocket.h"

#define ECHO_BYTES 64
#define HEAD_MAX 1024
#define PIPELINE_MAX 64
#define RTT_MAX 1000000
#define START_NS 5000000000u /* by then a program that is the server listens */

static const char hello_request[] = "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n";
static const char file_request[] = "GET /" BENCH_SITE_FILE " HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n";

struct link {
	int fd;
	bool thrown; /* what it receives the kernel throws away */
	size_t left; /* of the batch's answers */
	uint64_t sent_ns, serial;
	char *out, *in; /* one batch each */
};

struct client {
	const struct bench_server *how;
	struct bench_run *r;
	struct io_uring ring;
	struct link *links;
	char *memory;
	const char *http;  /* the request */
	const char *body;  /* of the answer */
	size_t body_bytes;
	size_t request, response; /* bytes of one message either way */
	int batch;
	uint64_t messages;
	bool measures;
	uint32_t *rtt; /* ns, when round trips are asked for */
	int rtts;
};

int bench_client_connect(int port, struct bench_run *r)
{
	struct sockaddr_in a = { .sin_family = AF_INET,
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
				 .sin_port = htons((uint16_t)port) };
	const uint64_t end = bench_now_ns() + START_NS;
	int fd = -1, rc, one = 1;

	do {
		if (fd >= 0)
			close(fd);
		fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		if (fd < 0)
			return bench_fail(r, -errno, "socket: %s", strerror(errno));
		rc = connect(fd, (struct sockaddr *)&a, sizeof a) ? -errno : 0;
	} while (rc == -ECONNREFUSED && bench_now_ns() < end && usleep(1000) == 0);
	if (rc) {
		close(fd);
		return bench_fail(r, rc, "connect: %s", strerror(-rc));
	}
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	return fd;
}

static bool response_ok(const struct client *c, const char *p, size_t n)
{
	static const char start[] = "HTTP/1.1 200 ";

	return n >= sizeof start - 1 + 4 + c->body_bytes && !memcmp(p, start, sizeof start - 1) &&
	       !memcmp(p + n - c->body_bytes - 4, "\r\n\r\n", 4) &&
	       !memcmp(p + n - c->body_bytes, c->body, c->body_bytes);
}

/* One request on a connection of its own, to learn how long the server's responses are. */
static int probe_http(struct client *c, int port)
{
	const size_t most = HEAD_MAX + c->body_bytes;
	char *buf = calloc(1, most + 1);
	size_t have = 0;
	int fd = buf ? bench_client_connect(port, c->r) : -ENOMEM, rc = -EPROTO;

	if (fd < 0) {
		free(buf);
		return fd;
	}
	if (send(fd, c->http, c->request, MSG_NOSIGNAL) < 0)
		have = most;
	while (have < most && rc) {
		ssize_t n = recv(fd, buf + have, most - have, 0);

		if (n <= 0)
			break;
		have += (size_t)n;
		if (response_ok(c, buf, have) && strcasestr(buf, "\r\nContent-Length: "))
			rc = 0;
	}
	close(fd);
	free(buf);
	c->response = have;
	return rc ? bench_fail(c->r, rc, "the answer is not a 200 with what was asked for") : 0;
}

/* A message, the same one each time but for its number. */
static void compose(const struct client *c, char *out, int letter)
{
	if (c->how->protocol == BENCH_HTTP)
		memcpy(out, c->http, c->request);
	else if (c->how->protocol == BENCH_WEBSOCKET)
		websocket_frame(out, letter);
	else
		memset(out, 'a' + letter % 26, c->request);
}

/* A number in each message: an answer to an earlier one, or another connection's, is seen. */
static void number(struct client *c, struct link *l)
{
	for (int k = 0; c->how->protocol != BENCH_HTTP && k < c->batch; k++) {
		uint64_t mark = (uint64_t)(l - c->links) << 48 | ++l->serial;
		char *out = l->out + c->request * (size_t)k;

		if (c->how->protocol == BENCH_WEBSOCKET)
			websocket_number(out, mark);
		else
			memcpy(out, &mark, sizeof mark);
	}
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

		l->fd = bench_client_connect(port, c->r);
		if (l->fd < 0)
			return l->fd;
		l->out = c->memory + (out + in) * (size_t)i;
		l->in = l->out + out;
		for (int k = 0; k < c->batch; k++)
			compose(c, l->out + c->request * (size_t)k, i + k);
	}
	for (int i = 0; c->how->protocol == BENCH_WEBSOCKET && i < c->how->connections; i++) {
		int rc = websocket_shake(c->links[i].fd, c->r);

		if (rc)
			return rc;
	}
	return 0;
}

/* Thrown away is piece by piece: waiting for all of it, the ring would not see that some of it was. */
static void receive(struct client *c, struct link *l)
{
	struct io_uring_sqe *sqe = ring_sqe(&c->ring);

	io_uring_prep_recv(sqe, l->fd, l->in, l->left, l->thrown ? MSG_TRUNC : MSG_WAITALL);
	sqe->ioprio = IORING_RECVSEND_POLL_FIRST;
	io_uring_sqe_set_data(sqe, l);
}

static void send_batch(struct client *c, struct link *l, uint64_t now)
{
	struct io_uring_sqe *sqe = ring_sqe(&c->ring);

	number(c, l);
	l->sent_ns = now;
	io_uring_prep_send(sqe, l->fd, l->out, c->request * (size_t)c->batch, MSG_WAITALL | MSG_NOSIGNAL);
	io_uring_sqe_set_flags(sqe, IOSQE_CQE_SKIP_SUCCESS);
	io_uring_sqe_set_data(sqe, NULL);
	/* what is large was looked at in the warm-up; copying it, too, the client would be the slower one */
	l->thrown = c->measures && c->how->file;
	l->left = c->response * (size_t)c->batch;
	receive(c, l);
}

static int check_batch(struct client *c, const struct link *l)
{
	if (c->how->protocol == BENCH_ECHO)
		return memcmp(l->in, l->out, c->request * (size_t)c->batch)
			       ? bench_fail(c->r, -EBADMSG, "an echo came back changed")
			       : 0;
	for (int k = 0; k < c->batch && !l->thrown; k++)
		if (c->how->protocol == BENCH_WEBSOCKET) {
			if (!websocket_is_echo(l->in + c->response * (size_t)k, l->out + c->request * (size_t)k))
				return bench_fail(c->r, -EBADMSG, "a message came back changed");
		} else if (!response_ok(c, l->in + c->response * (size_t)k, c->response))
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
		else if (cqe->res == 0 || ((size_t)cqe->res < l->left && !l->thrown))
			rc = bench_fail(c->r, -EPIPE, "the server closed a connection");
		else
			l->left -= (size_t)cqe->res;
		if (rc == 0 && l->left) {
			receive(c, l);
			continue;
		}
		if (rc == 0)
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

bool bench_client_cpu(int server, uint64_t *ns)
{
	struct timespec ts = { 0 };
	clockid_t clock;

	if (clock_getcpuclockid(server, &clock) || clock_gettime(clock, &ts))
		return false;
	*ns = (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
	return true;
}

static int measure(struct client *c, int server, struct bench_client_report *out)
{
	uint64_t start = bench_now_ns(), cpu;
	int rc;

	for (int i = 0; i < c->how->connections; i++)
		send_batch(c, &c->links[i], start);
	rc = run_until(c, start + (c->r->quick ? BENCH_QUICK_NS : BENCH_WARM_NS));
	if (rc)
		return rc;
	c->messages = 0;
	c->rtts = 0;
	c->measures = true;
	if (!bench_client_cpu(server, &cpu))
		return bench_fail(c->r, -ESRCH, "the server's CPU clock cannot be read");
	start = bench_now_ns();
	rc = run_until(c, start + (c->r->quick ? BENCH_QUICK_NS : BENCH_WINDOW_NS));
	if (rc)
		return rc;
	bench_client_cpu(server, &out->server_cpu_ns);
	out->server_cpu_ns -= cpu;
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
	int rc;

	c.batch = how->pipeline > 1 ? how->pipeline : 1;
	if (c.batch > PIPELINE_MAX)
		return bench_fail(r, -EINVAL, "a pipeline of %d, at most %d", c.batch, PIPELINE_MAX);
	rc = ring_open(&c.ring, 4096, r);
	if (rc)
		return rc;
	if (how->protocol == BENCH_HTTP) {
		c.http = how->file ? file_request : hello_request;
		c.request = strlen(c.http);
		c.body = how->file ? how->site->file : BENCH_HELLO;
		c.body_bytes = how->file ? BENCH_SITE_BYTES : sizeof BENCH_HELLO - 1;
		rc = probe_http(&c, port);
	}
	if (how->protocol == BENCH_WEBSOCKET) {
		c.request = WEBSOCKET_SENT;
		c.response = WEBSOCKET_BACK;
	}
	if (!rc)
		rc = prepare(&c, port);
	if (!rc)
		rc = measure(&c, server, out);
	/* the process ends here: receives under way may still write to the buffers, so the ring goes first */
	io_uring_queue_exit(&c.ring);
	free(c.rtt);
	free(c.links);
	free(c.memory);
	return rc;
}
