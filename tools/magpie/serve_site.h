/* SPDX-License-Identifier: MIT */
/* serve_site.h - an HTTP/1.1 server in the runtime of whoever starts it: what it serves, to how many, until when.
 *
 * Who:     `magpie serve`, `magpie demo` and the bench of that name, each through the task serve_run.
 * Always:  nothing that two workers touch changes while it runs, except behind the gate's lock: what a worker changes
 *          all the time is its own (struct serve_here), and connections find it by the worker that they are on now. */
#ifndef MAGPIE_TOOLS_SERVE_SITE_H
#define MAGPIE_TOOLS_SERVE_SITE_H

#include <magpie/group.h>
#include <magpie/runtime.h>
#include <magpie/tcp.h>

#include "http_request.h"
#include "http_response.h"
#include "serve_buffer.h"
#include "serve_gate.h"

#define SERVE_HELLO "Hello, world!" /* what is answered where there is no root: 13 bytes */

enum {
	SERVE_CONNECTIONS = 10000,     /* in all */
	SERVE_CONNECTIONS_EACH = 2000, /* from one address: load generators on the same host open a thousand */
	SERVE_STOP_S = 5               /* how long requests in flight may take once the server was told to stop */
};

/* What belongs to one worker. */
struct serve_here {
	uint64_t turn; /* of the clock: the texts below are of then */
	struct http_date date;
	char hello[256]; /* the whole answer to an ordinary request where there is no root */
	uint32_t hello_len;
	struct serve_shelf shelf;
	char spill[HTTP_TARGET_MAX]; /* lent to a parser for the length of a call */
} __attribute__((aligned(64)));

struct serve_site {
	/* set before serve_run starts */
	mag_addr addr;              /* where to listen; port 0: any */
	int listener;               /* a socket that listens already, instead of addr; -1: none */
	int stop;                   /* becomes readable when the server shall stop */
	const char *root;           /* directory of the files; NULL: answers SERVE_HELLO to everything */
	uint32_t connections, each; /* limits; 0: the usual ones */
	uint32_t hurry;             /* clients get so many times less time: for tests; 0: 1 */
	/* called once, when connections are taken, with where; and when the stop is seen. Either may be NULL */
	void (*ready)(struct serve_site *site, const mag_addr *at);
	void (*stopping)(struct serve_site *site);
	void (*trouble)(const char *what, int64_t rc); /* says what went wrong, but does not end the server */
	void *user;

	/* serve_run's */
	mag_fd root_fd;
	mag_group *guests; /* the connections */
	struct serve_gate gate;
	struct serve_here *here; /* one for each worker */
	const char *failed;      /* what could not be done, when serve_run failed */
};

/* MAG_CALL(rc, serve_run, .site = &site): serves until site->stop is readable; then takes no more connections, lets those
 * that have a request finish it, SERVE_STOP_S at most, and returns.
 * When the caller is cancelled it stops in the same way. The caller keeps the descriptors that it set.
 * Returns: 0, MAG_ECANCELED, or why it could not begin: site->failed says what could not be done */
struct serve_run {
	mag_frame frame;
	MAG_ARGS(serve_run, struct serve_site *site;);
	mag_fd listeners[MAG_WORKERS_MAX], stop;
	uint32_t n, i;
	int64_t rc, waste;
	mag_group guests, doors;
};
MAG_DECLARE_TASK(serve_run);

/* The time for deadlines, in ns; at most some ms behind, and cheap. */
uint64_t serve_clock(void);

/* What belongs to the worker that runs the caller now, brought up to date: until the next await. */
struct serve_here *serve_here(struct serve_site *site, uint64_t now);

#endif
