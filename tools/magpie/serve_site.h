/* SPDX-License-Identifier: MIT */
/* serve_site.h - what `magpie serve` serves with the module's server: a hello, or the files below a directory; its access
 * log and its counters.
 *
 * Who:     `magpie serve`, `magpie demo` and the bench of that name, each through the task serve_run. */
#ifndef MAGPIE_TOOLS_SERVE_SITE_H
#define MAGPIE_TOOLS_SERVE_SITE_H

#include <magpie/http_server.h>

#include "serve_tls.h"

#define SERVE_HELLO "Hello, world!" /* what is answered where there is no root: 13 bytes */

enum {
	SERVE_CONNECTIONS = 10000, /* as the module */
	SERVE_STOP_S = 5           /* how long requests in flight may take once the server was told to stop */
};

struct serve_site {
	/* set before serve_run starts */
	mag_addr addr;             /* where to listen; port 0: any */
	int listener;              /* a socket that listens already, instead of addr; -1: none */
	struct mag_shutdown *down; /* when it begins, the server stops */
	const char *root;          /* directory of the files; NULL: answers SERVE_HELLO to everything */
	bool listing;              /* directories without an index are listed */
	bool compress;
	bool no_http2;             /* HTTP/1.1 alone */
	struct serve_tls tls;      /* without a certificate: none */
	const char *access_log;    /* a file that lines are added to; NULL: none */
	const char *metrics;       /* a path that answers with the counters; NULL: none */
	uint32_t connections, each; /* limits; 0: the usual ones */
	uint32_t fail;             /* one answer in so many, by chance, is 503, or breaks off: for demos; 0: none */
	uint32_t hurry;            /* clients get so many times less time: for tests; 0: 1 */
	/* called once, when connections are taken, with where; may be NULL */
	void (*ready)(struct serve_site *site, const mag_addr *at);
	void (*trouble)(const char *what, int64_t rc); /* says what went wrong, but does not end the server */
	void *user;

	/* serve_run's */
	mag_http_server *server;
	struct mag_http_directory files;
	int log;
	const char *failed; /* what could not be done, when serve_run failed */
	const char *why;    /* in words; NULL: the error says it */
};

/* MAG_CALL(rc, serve_run, .site = &site): serves until site->down begins, as mag_http_serve.
 * Returns: 0, MAG_ECANCELED, or why it could not begin: site->failed says what could not be done */
struct serve_run {
	mag_frame frame;
	MAG_ARGS(serve_run, struct serve_site *site;);
	mag_group group;
	int64_t rc, waste;
};
MAG_DECLARE_TASK(serve_run);

#endif
