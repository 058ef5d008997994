/* SPDX-License-Identifier: MIT */
/* http_core.h - a server: what it was told, what its workers have, what its connections share.
 *
 * Who:     set up by one thread, before mag_http_serve.
 * Always:  nothing that two workers touch changes while it runs, except behind a lock: what a worker changes all the time is
 *          its own (struct http_here), and connections find it by the worker that they are on now. */
#ifndef MAGPIE_HTTP_SERVER_CORE_H
#define MAGPIE_HTTP_SERVER_CORE_H

#include <magpie/acceptor.h>
#include <magpie/event.h>
#include <magpie/http_server.h>
#include <magpie/runtime.h>
#include <pthread.h>

#include "http_buffer.h"
#include "http_gate.h"
#include "http_request.h"
#include "http_response.h"
#include "http_router.h"

enum { HTTP_MIDDLEWARE_MAX = 16, HTTP_LISTEN_MAX = 16 };

/* The head that was made last, where it has nothing that is seldom: the next answer often has the same. */
struct http_last_head {
	uint64_t turn, length;
	uint16_t status;
	uint16_t bytes; /* of the head; 0: none */
	char type[46];  /* the empty text: none */
	char head[240];
};

/* What belongs to one worker. */
struct http_here {
	uint64_t turn; /* of the clock: the date is of then */
	struct http_date date;
	struct http_last_head last;
	struct http_shelf shelf;
	pthread_mutex_t lock; /* guards: */
	mag_http_metrics metrics;
} __attribute__((aligned(64)));

struct http_middle {
	mag_http_handler handler;
	void *user;
};

/* Where it listens. */
struct http_place {
	mag_addr addr;
	mag_addr bound;
	int listener; /* >= 0: that of somebody else, instead */
};

struct http_conn;

struct mag_http_server {
	mag_http_server_options options; /* without zeros */
	struct http_limits limits;
	struct http_router router;
	struct http_middle middle[HTTP_MIDDLEWARE_MAX];
	struct http_place places[HTTP_LISTEN_MAX];
	uint32_t middle_count, place_count;
	uint32_t middle_tasks; /* of the middleware: those that are no plain functions */
	struct mag_shutdown own; /* where the options have none */
	struct http_gate gate;
	uint32_t workers;
	struct http_here *here; /* one for each worker */
	const char *failed;
	mag_event stopping, gone; /* it takes no more connections; it has none */

	/* mag_http_serve's */
	mag_fd *listeners;
	uint32_t listening;
	mag_group *guests; /* the connections */

	pthread_mutex_t lock; /* guards: */
	struct http_conn *conns;
	uint32_t conn_count;
	bool hard; /* handlers are cancelled */
	uint64_t stop_since; /* ns; 0: it does not stop */
};

/* The time for deadlines, in ns; at most some ms behind, and cheap. */
uint64_t magi_http_clock(void);

/* Since when the server stops: whoever hears of it first, a connection maybe, says so to all. */
uint64_t magi_http_stops(mag_http_server *server);

/* What belongs to the worker that runs the caller now, brought up to date: until the next await. */
struct http_here *magi_http_here(mag_http_server *server, uint64_t now);

/* Takes connections of one listener, until it is cancelled. */
struct http_door {
	mag_frame frame;
	MAG_ARGS(http_door, mag_http_server *server; mag_fd listener;);
	mag_acceptor acceptor;
	mag_scope scope;
	mag_fd fd;
	int64_t rc, waste;
	uint64_t shut;    /* ns: until when it may stay open */
	int quiet;        /* waits in a row in which nobody came */
	uint64_t dropped; /* of those told about */
	uint32_t wait_ms;
};
MAG_DECLARE_TASK(http_door);

/* Opens the server's listeners, one for each worker and place. */
struct http_listen {
	mag_frame frame;
	MAG_ARGS(http_listen, mag_http_server *server;);
	mag_addr at;
	uint32_t place, i;
	int64_t rc, waste;
	int tries;
};
MAG_DECLARE_TASK(http_listen);

/* Takes one of them back, which is to be closed; those that are somebody else's are let go of. False: there is none. */
bool magi_http_unlisten(mag_http_server *server, mag_fd *fd);

/* Says where it listens. */
void magi_http_tell_ready(mag_http_server *server);
void magi_http_trouble(mag_http_server *server, const char *what, int64_t error);

#endif
