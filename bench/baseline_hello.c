/* SPDX-License-Identifier: MIT */
/* baseline_hello.c - an HTTP server that answers everything with 13 bytes, on a bare ring: it looks for the empty line
 * that ends a request and gathers the answers to all requests that came together in one send. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "baseline_server.h"
#include "cases.h"

#include <errno.h>
#include <string.h>

#define ANSWER                         \
	"HTTP/1.1 200 OK\r\n"          \
	"Content-Type: text/plain\r\n" \
	"Content-Length: 13\r\n"       \
	"\r\n" BENCH_HELLO
#define ANSWERS 64 /* that one send carries at most; the client's pipelines are shorter */

static char answers[ANSWERS * (sizeof ANSWER - 1)];

static int hello(struct bare_conn *c)
{
	const char *at = c->buf, *end = c->buf + c->used, *stop;
	unsigned n = 0;

	while (n < ANSWERS && (stop = memmem(at, (size_t)(end - at), "\r\n\r\n", 4))) {
		at = stop + 4;
		n++;
	}
	c->reply = answers;
	c->left = n * (unsigned)(sizeof ANSWER - 1);
	c->used = (unsigned)(end - at);
	if (!n && c->used == BARE_BUFFER)
		return -E2BIG;
	memmove(c->buf, at, c->used);
	return 0;
}

static int serve(int listen_fd, int stop_fd, const struct bench_server *how, struct bench_run *r)
{
	(void)how;
	for (int i = 0; i < ANSWERS; i++)
		memcpy(answers + (size_t)i * (sizeof ANSWER - 1), ANSWER, sizeof ANSWER - 1);
	return bare_serve(listen_fd, stop_fd, hello, r);
}

int baseline_hello(struct bench_run *r)
{
	struct bench_server how = {
		.serve = serve,
		.protocol = BENCH_HTTP,
		.measure = r->param2 > 1 ? BENCH_RATE : BENCH_CPU,
		.connections = (int)r->param,
		.pipeline = (int)r->param2,
	};

	return bench_server_run(&how, r);
}
