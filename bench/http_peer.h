/* SPDX-License-Identifier: MIT */
/* http_peer.h - the server that HTTP clients are measured against, in a process of its own on the first CPU: the bare
 * ring loop of baseline_hello.c, or nginx. */
#ifndef MAGPIE_BENCH_HTTP_PEER_H
#define MAGPIE_BENCH_HTTP_PEER_H

#include "bench.h"

enum { HTTP_PEER_AT_ONCE = 64 };

/* param2 of the cases */
enum {
	HTTP_PEER_NGINX = 1, /* that is the server */
	HTTP_PEER_RATE = 2   /* requests/s, not CPU */
};

struct http_peer {
	int pid, stop_fd, port;
	char url[64];
	char dir[32]; /* of nginx; "": it is not that */
};

/* Starts it, and pins this process to another CPU. Returns: as a bench_run_fn. */
int http_peer_start(struct http_peer *p, struct bench_run *r);

/* Ends it. Returns: rc, or why the server has failed. */
int http_peer_stop(struct http_peer *p, struct bench_run *r, int rc);

/* http_nginx.c: becomes nginx, or returns; waits until it answers; and what it leaves behind. */
void http_nginx_become(const struct http_peer *p);
bool http_nginx_answers(const struct http_peer *p);
bool http_nginx_found(void);
void http_nginx_clean(const struct http_peer *p);

/* How many requests a run makes. */
static inline int http_peer_requests(const struct bench_run *r)
{
	return r->quick ? 1000 : 20000;
}

#endif
