/* SPDX-License-Identifier: MIT */
/* hub.h - what a session holds: its options, limits that all workers share, and a lane for each worker.
 *
 * Who:     options, base and headers: written once, read by all.   lanes[i]: tasks that are pinned to worker i.
 *          total, hosts: any worker, through their own locks.
 * Always:  libcurl is called for a lane by tasks that are pinned to its worker, never from its callbacks.
 * Not:     one multi for all: its connections cannot be shared between threads. curl's own timeouts: they cost a
 *          timer for each transfer, and one of them may not fire; the limits are the exchange's (exchange.h). */
#ifndef MAGPIE_HTTP_HUB_H
#define MAGPIE_HTTP_HUB_H

#include <curl/curl.h>
#include <magpie/event.h>
#include <magpie/http_client.h>
#include <magpie/runtime.h>
#include <magpie/semaphore.h>
#include <pthread.h>

struct magi_client_lane;

enum { MAGI_CLIENT_ORIGIN_MAX = 300, MAGI_CLIENT_HOSTS = 64 };

/* The requests to one host and port. */
struct magi_client_host {
	struct magi_client_host *next;
	struct magi_client_host **bucket;
	mag_semaphore places;
	uint32_t users; /* that hold a place or wait for one */
	char origin[MAGI_CLIENT_ORIGIN_MAX];
};

struct magi_client_hub {
	mag_runtime *rt;
	mag_http_options options;            /* strings are copies */
	CURLU *base;                         /* NULL: none */
	char origin[MAGI_CLIENT_ORIGIN_MAX]; /* of the base: where its credentials may go */
	char proxy_host[256];                /* whose name is looked up instead of the server's; "": none */
	uint16_t proxy_port;
	bool proxy_literal; /* it is an address already */
	mag_http_pair *headers;
	CURLSH *share;           /* of cookies; NULL: none */
	pthread_mutex_t cookies; /* held by libcurl for as long as it looks at them */
	mag_semaphore total;
	pthread_mutex_t hosts_lock; /* held for some instructions at a time */
	struct magi_client_host *hosts[MAGI_CLIENT_HOSTS];
	mag_event closing;
	mag_event settled; /* set while it closes: nobody is coming any more */
	uint32_t lanes_n;
	struct magi_client_lane *lanes[MAG_WORKERS_MAX];
};

/* session.c: the hub, which stays until that is given back; NULL: the session is closed, or about to be. */
struct magi_client_hub *magi_client_come(mag_http_session *session);
void magi_client_came(mag_http_session *session);

/* hosts.c: one more that has a place among the requests to an origin, or waits for one; NULL: no memory. And one less:
 * that needs no memory, so that no place is ever lost. */
struct magi_client_host *magi_client_host_enter(struct magi_client_hub *hub, const char *origin);
void magi_client_host_leave(struct magi_client_hub *hub, struct magi_client_host *host, bool placed);

#endif
