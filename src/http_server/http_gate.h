/* SPDX-License-Identifier: MIT */
/* http_gate.h - how many connections there may be: in all, and from one address.
 *
 * Who:     any worker; a lock that is held for some instructions, when a connection comes and when it goes.
 * Always:  each ticket is given back once. An IPv6 address counts as its /64: that is what one client gets to choose
 *          from. All Unix sockets are one address. */
#ifndef MAGPIE_HTTP_SERVER_GATE_H
#define MAGPIE_HTTP_SERVER_GATE_H

#include <magpie/addr.h>
#include <pthread.h>

struct http_gate_place;

struct http_gate {
	pthread_mutex_t lock;
	uint32_t max, each; /* connections in all, from one address */
	uint32_t now;
	uint32_t fresh;             /* places used so far */
	uint32_t unused;            /* index + 1 of the first place given back, 0: none */
	uint32_t mask;              /* of the hash */
	uint64_t secret[2];         /* what it depends on: who chooses addresses does not know which fall into one chain */
	uint32_t *chains;           /* index + 1 of the first place in the chain */
	struct http_gate_place *places; /* one for each address that has a connection */
};

/* Returns: 0, -ENOMEM, -EINVAL (a limit of 0) */
int magi_http_gate_init(struct http_gate *g, uint32_t max, uint32_t each);
void magi_http_gate_fini(struct http_gate *g);

/* Counts a connection in. Returns: its ticket, 0 or more; -EBUSY (there are max), -EDQUOT (that address has its each) */
int64_t magi_http_gate_enter(struct http_gate *g, const mag_addr *peer);
void magi_http_gate_leave(struct http_gate *g, uint32_t ticket);

#endif
