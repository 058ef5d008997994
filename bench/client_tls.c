/* SPDX-License-Identifier: MIT */
/* client_tls.c - the load over TLS: OpenSSL on non-blocking sockets and epoll, a request under way on each connection. */
#include "server.h"

#include <errno.h>

#ifdef MAGPIE_HAVE_TLS
#include <fcntl.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

enum { ANSWER_MAX = 1024, EVENTS = 64 };

static const char request[] = "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n";

struct link {
	int fd;
	SSL *ssl;
	size_t have;
	char answer[ANSWER_MAX];
};

struct client {
	const struct bench_server *how;
	struct bench_run *r;
	SSL_CTX *context;
	struct link *links;
	int epoll;
	uint64_t messages;
};

/* One cipher, so that all servers have the same; whose certificate it is does not matter here. */
static SSL_CTX *context(void)
{
	SSL_CTX *c = SSL_CTX_new(TLS_client_method());

	if (!c || !SSL_CTX_set_min_proto_version(c, TLS1_3_VERSION) ||
	    !SSL_CTX_set_ciphersuites(c, "TLS_AES_128_GCM_SHA256")) {
		SSL_CTX_free(c);
		return NULL;
	}
	SSL_CTX_set_verify(c, SSL_VERIFY_NONE, NULL);
	return c;
}

static int ask(struct client *c, struct link *l)
{
	size_t n;

	/* it goes at once: the socket is empty */
	return SSL_write_ex(l->ssl, request, sizeof request - 1, &n) ? 0 : bench_fail(c->r, -EPIPE, "a send failed");
}

/* 1: a whole answer is there; 0: not yet. */
static int complete(struct client *c, struct link *l)
{
	static const char start[] = "HTTP/1.1 200 ", end[] = "\r\n\r\n" BENCH_HELLO;

	if (l->have < sizeof start + sizeof end - 2 ||
	    memcmp(l->answer + l->have - (sizeof end - 1), end, sizeof end - 1))
		return l->have < ANSWER_MAX ? 0 : bench_fail(c->r, -EBADMSG, "an answer without an end");
	if (memcmp(l->answer, start, sizeof start - 1))
		return bench_fail(c->r, -EBADMSG, "the answer is no 200");
	return 1;
}

/* Takes what there is on a connection. */
static int take(struct client *c, struct link *l)
{
	size_t n;
	int rc;

	while (SSL_read_ex(l->ssl, l->answer + l->have, ANSWER_MAX - l->have, &n)) {
		l->have += n;
		rc = complete(c, l);
		if (rc < 0)
			return rc;
		if (rc) {
			c->messages++;
			l->have = 0;
			return ask(c, l);
		}
	}
	return SSL_get_error(l->ssl, 0) == SSL_ERROR_WANT_READ
		       ? 0
		       : bench_fail(c->r, -EPIPE, "the server closed a connection");
}

static int run_until(struct client *c, uint64_t end)
{
	struct epoll_event events[EVENTS];
	int rc = 0;

	while (rc == 0 && bench_now_ns() < end) {
		int n = epoll_wait(c->epoll, events, EVENTS, 1000);

		for (int i = 0; i < n && rc == 0; i++)
			rc = take(c, events[i].data.ptr);
	}
	return rc;
}

static int shake(struct client *c, struct link *l, int port)
{
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = l };

	l->fd = bench_client_connect(port, c->r);
	if (l->fd < 0)
		return l->fd;
	l->ssl = SSL_new(c->context);
	if (!l->ssl || !SSL_set_fd(l->ssl, l->fd) || SSL_connect(l->ssl) != 1)
		return bench_fail(c->r, -EPROTO, "no TLS 1.3 with the server");
	fcntl(l->fd, F_SETFL, O_NONBLOCK);
	return epoll_ctl(c->epoll, EPOLL_CTL_ADD, l->fd, &event) ? bench_fail(c->r, -errno, "epoll_ctl") : 0;
}

static int measure(struct client *c, int server, struct bench_client_report *out)
{
	uint64_t start = bench_now_ns(), cpu;
	int rc = 0;

	for (int i = 0; i < c->how->connections && rc == 0; i++)
		rc = ask(c, &c->links[i]);
	if (rc == 0)
		rc = run_until(c, start + (c->r->quick ? BENCH_QUICK_NS : BENCH_WARM_NS));
	if (rc)
		return rc;
	c->messages = 0;
	if (!bench_client_cpu(server, &cpu))
		return bench_fail(c->r, -ESRCH, "the server's CPU clock cannot be read");
	start = bench_now_ns();
	rc = run_until(c, start + (c->r->quick ? BENCH_QUICK_NS : BENCH_WINDOW_NS));
	bench_client_cpu(server, &out->server_cpu_ns);
	out->server_cpu_ns -= cpu;
	out->window_ns = bench_now_ns() - start;
	out->messages = c->messages;
	return rc;
}

int bench_client_tls(const struct bench_server *how, int port, int server, struct bench_client_report *out,
		     struct bench_run *r)
{
	struct client c = { .how = how, .r = r, .context = context(), .epoll = epoll_create1(EPOLL_CLOEXEC) };
	int rc = 0;

	c.links = calloc((size_t)how->connections, sizeof *c.links);
	if (!c.context || !c.links || c.epoll < 0)
		rc = bench_fail(r, -ENOMEM, "no memory for %d connections", how->connections);
	for (int i = 0; i < how->connections && rc == 0; i++)
		rc = shake(&c, &c.links[i], port);
	if (rc == 0)
		rc = measure(&c, server, out);
	for (int i = 0; i < how->connections && c.links; i++)
		SSL_free(c.links[i].ssl);
	SSL_CTX_free(c.context);
	free(c.links);
	close(c.epoll);
	return rc; /* the process ends here, and with it the sockets */
}
#else
int bench_client_tls(const struct bench_server *how, int port, int server, struct bench_client_report *out,
		     struct bench_run *r)
{
	(void)how, (void)port, (void)server, (void)out;
	return bench_fail(r, BENCH_SKIP, "this build has no TLS");
}
#endif
