/* SPDX-License-Identifier: MIT */
/* lane.h - a worker's part of a session: its multi handle, sockets and timer.
 *
 * Who:     tasks that are pinned to this worker; so there are no locks, and what lies between two awaits is
 *          undisturbed.
 * Always:  callbacks write down what libcurl wants, and tell the epoll set; none calls libcurl. magi_client_settle, the
 *          poller and the driver act on it, when the call has returned.
 * Not:     one task that alone calls libcurl: each event would be handed over once more. A poll for each socket: as many
 *          operations as requests. */
#ifndef MAGPIE_HTTP_LANE_H
#define MAGPIE_HTTP_LANE_H

#include <magpie/addr.h>
#include <magpie/event.h>
#include <magpie/poll.h>
#include <sys/epoll.h>

#include "http_client/hub.h"

enum {
	MAGI_CLIENT_PRUNE = 64,      /* requests of which one forgets old addresses */
	MAGI_CLIENT_EASY_MAX = 64,   /* easy handles kept for the next request: picked, not measured */
	MAGI_CLIENT_NAMES_MAX = 256, /* names whose addresses are kept */
	MAGI_CLIENT_ADDRS_MAX = 8,   /* addresses of a name */
	MAGI_CLIENT_URLS = 64        /* URLs that are remembered, taken apart: that costs a tenth of a small request */
};

struct magi_client_lane;
struct magi_client_exchange;
struct magi_client_seat;
struct magi_client_url;

/* A connection's socket, found by its number. The lane has one epoll set, level-triggered as libcurl wants it, in which
 * a socket stays from one transfer to the next, so that a request costs no call for that; one poll of the set stands for
 * all sockets. The kernel takes a socket out when it is closed, with a word to us or without: libcurl closes some that
 * were still connecting by itself, and what has the number then must not be taken for the old one. */
struct magi_client_socket {
	uint64_t inode;      /* tells whether the number is still this socket */
	uint32_t generation; /* a late event never meets another socket of the same number */
	uint16_t turns;      /* events that nothing came of */
	uint16_t want;       /* by libcurl: EPOLLIN, EPOLLOUT */
	uint16_t armed;      /* by the set */
	bool open;
	bool listed; /* in the set */
	bool heard;  /* it has wanted to read: it is connected, and will be closed by way of us */
	bool over;   /* the peer has ended it while nobody used it */
};

/* A name and its addresses. */
struct magi_client_name {
	struct magi_client_name *next;
	uint64_t until;
	mag_event known;  /* set when the lookup has ended */
	uint32_t waiting; /* tasks that wait for it */
	int64_t rc;       /* addresses, or why there are none */
	bool looking;
	bool told;      /* the multi has these addresses */
	uint32_t round; /* lookups */
	uint16_t port;
	char host[256];
	mag_addr addrs[MAGI_CLIENT_ADDRS_MAX];
};

struct magi_client_lane {
	struct magi_client_hub *hub;
	CURLM *multi;
	uint32_t worker;
	bool driven; /* there is a driver */
	bool stopping;
	bool polled;       /* there is a poller */
	bool awake;        /* the driver is */
	bool gathering;    /* the poller is about to run the timer, for all that is begun meanwhile */
	uint64_t due;      /* when libcurl's timer fires */
	uint64_t planned;  /* until when the driver sleeps */
	uint64_t rearm;    /* when it puts sockets into the set that should be there */
	uint64_t now;      /* mag_now of when libcurl was called last */
	uint64_t sweep;    /* when it looks at the exchanges for one that has taken too long */
	uint32_t turns;    /* times the timer fired and nothing came of it */
	uint64_t progress; /* counts whatever moves */
	uint32_t paused;   /* directions of transfers */
	mag_event tick;    /* the driver has something to do */
	mag_event left;    /* a transfer, the driver or the poller is no more */
	int set;           /* of sockets: an epoll instance */
	mag_fd set_fd;     /* and as a file of the runtime's, which closes it */
	struct magi_client_socket *by_raw;
	int by_raw_n;
	uint32_t generation;
	struct magi_client_exchange *exchanges;
	uint32_t exchanges_n;
	struct magi_client_seat *idle[MAGI_CLIENT_EASY_MAX];
	uint32_t idle_n;
	struct curl_slist *common[2]; /* headers that all requests have; [true]: those to the session's own origin */
	uint32_t begun;
	struct magi_client_url *urls[MAGI_CLIENT_URLS];
	struct magi_client_name *names;
	uint32_t names_n;
	mag_http_stats stats;
};

/* The lane of the worker that the calling task is pinned to; NULL: no memory. */
struct magi_client_lane *magi_client_lane(struct magi_client_hub *hub);

/* Frees it: no exchanges, no driver, no poller, no multi; the set is closed. */
void magi_client_lane_free(struct magi_client_lane *lane);

/* After each call of libcurl: runs the timer if it is due, tells the exchanges that have ended, wakes the driver if it
 * has something to do. While the poller gathers it does that for all. */
void magi_client_settle(struct magi_client_lane *lane);
void magi_client_tell_ended(struct magi_client_lane *lane); /* a part of it */

/* What libcurl says of a call. Without memory it cannot tell for whom: some transfer will not be told of its socket. */
void magi_client_check(struct magi_client_lane *lane, CURLMcode code);

/* At `when`, if not before, the driver is to look at the exchanges. */
void magi_client_plan(struct magi_client_lane *lane, uint64_t when);

/* driver.c: starts the poller, runs the timer, looks for what has taken too long. */
struct magi_client_driver {
	mag_frame frame;
	MAG_ARGS(magi_client_driver, struct magi_client_lane *lane;);
	int64_t rc;
};
MAG_DECLARE_TASK(magi_client_driver);

/* poller.c: waits for sockets, and gives libcurl all that are ready; until set_fd is closed. */
struct magi_client_poller {
	mag_frame frame;
	MAG_ARGS(magi_client_poller, struct magi_client_lane *lane;);
	int64_t rc;
	int i;
};
MAG_DECLARE_TASK(magi_client_poller);

/* The callbacks of sockets: they open, close and note what is wanted. clientp: the lane. */
curl_socket_t magi_client_socket_open(void *clientp, curlsocktype purpose, struct curl_sockaddr *address);
int magi_client_socket_close(void *clientp, curl_socket_t raw);
int magi_client_socket_want(CURL *easy, curl_socket_t raw, int what, void *clientp, void *socketp);

/* Finds the sockets that libcurl has closed without a word. all: it has closed every one. */
void magi_client_socket_sweep(struct magi_client_lane *lane, bool all);

/* What the set has told of one: libcurl is called, if it wants that. */
void magi_client_socket_event(struct magi_client_lane *lane, const struct epoll_event *event);

/* Puts those into the set that could not be, or were to rest. */
void magi_client_socket_rearm(struct magi_client_lane *lane);

/* names.c: MAG_CALL(rc, magi_client_lookup, …): the addresses of a name, looked up in the blocking lane unless they
 * are known. Returns how many, or as mag_resolve. */
struct magi_client_lookup {
	mag_frame frame;
	MAG_ARGS(magi_client_lookup, struct magi_client_lane *lane; const char *host; uint16_t port;
		 struct magi_client_name * *name;);
	struct magi_client_name *entry;
	char service[8];
	int64_t rc;
};
MAG_DECLARE_TASK(magi_client_lookup);

/* The entry of a name whose addresses are known; NULL: it is to be looked up. */
struct magi_client_name *magi_client_name_known(struct magi_client_lane *lane, const char *host, uint16_t port);

/* The addresses as CURLOPT_RESOLVE wants them; NULL: no memory. */
struct curl_slist *magi_client_name_list(const struct magi_client_name *name);

/* Nobody answers there: it is looked up anew the next time. */
void magi_client_name_forget(struct magi_client_lane *lane, const char *host, uint16_t port);

void magi_client_names_free(struct magi_client_lane *lane);

#endif
