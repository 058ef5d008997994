/* SPDX-License-Identifier: MIT */
/* server.h - measuring a server: the server in one process, a cheap client that saturates it in another. */
#ifndef MAGPIE_BENCH_SERVER_H
#define MAGPIE_BENCH_SERVER_H

#include "bench.h"
#include "site.h"

enum bench_protocol {
	BENCH_ECHO, /* 64 bytes come back as they were */
	BENCH_HTTP, /* GET / gives 200, a Content-Length and BENCH_HELLO, or what `site` has as BENCH_SITE_FILE */
	BENCH_WEBSOCKET, /* behind the handshake: text messages of 64 characters come back as they were */
};

enum bench_measure {
	BENCH_CPU,  /* CPU time of the server process for each message: us */
	BENCH_RATE, /* messages a second */
	BENCH_RTT,  /* median round trip as the client sees it: us */
};

struct bench_server {
	/* Serves connections of `listen_fd` (it listens already, nothing is accepted yet) until `stop_fd` becomes
	 * readable, then returns 0. Runs in a process of its own, forked before any runtime exists, pinned to the
	 * first CPU when there are two; when round trips are measured it does that itself (bench_pin).
	 * What goes wrong: BENCH_SKIP or a negative code, and r->why. */
	int (*serve)(int listen_fd, int stop_fd, const struct bench_server *how, struct bench_run *r);
	enum bench_protocol protocol;
	enum bench_measure measure;
	int connections;
	int pipeline;      /* messages that a connection sends at once; 0 is 1 */
	const struct bench_site *site; /* what else it serves; NULL: nothing */
	bool file;         /* the site's file is asked for, which takes the client more time than the server */
	bool tls;          /* 1.3, with one cipher */
	bool other;        /* `serve` becomes another program, which listens at the address that `listen_fd` is bound to,
			    * and stops by SIGTERM */
	bool client_spins; /* the client never sleeps (BENCH_RTT) */
};

/* Runs server and client for about a second after a warm-up and sets r->value. Returns: as a bench_run_fn. */
int bench_server_run(const struct bench_server *how, struct bench_run *r);

/* What the client process reports. */
struct bench_client_report {
	uint64_t messages, window_ns, server_cpu_ns, rtt_p50_ns;
};

/* client.c: drives the server at 127.0.0.1:port, whose process is `server`. Returns: as a bench_run_fn. */
int bench_client(const struct bench_server *how, int port, int server, struct bench_client_report *out,
		 struct bench_run *r);
/* client_tls.c: the same over TLS. */
int bench_client_tls(const struct bench_server *how, int port, int server, struct bench_client_report *out,
		     struct bench_run *r);

/* client.c, for both: a socket; the time that a process has spent; how long a run is. */
int bench_client_connect(int port, struct bench_run *r);
bool bench_client_cpu(int server, uint64_t *ns);
enum { BENCH_WARM_NS = 200000000, BENCH_WINDOW_NS = 1000000000, BENCH_QUICK_NS = 100000000 };

#endif
