/* SPDX-License-Identifier: MIT */
/* load_conn.h - one connection of a load: requests one after the other, until none may be begun any more. */
#ifndef MAGPIE_TOOLS_LOAD_CONN_H
#define MAGPIE_TOOLS_LOAD_CONN_H

#include "load.h"
#include "load_reader.h"
#include "load_wire.h"

enum { LOAD_BUFFER = 16384 };

/* Pinned to at's worker. */
struct load_conn {
	mag_frame frame;
	MAG_ARGS(load_conn, struct load_worker *at; struct load_watch * watch;);
	struct load_wire wire;
	bool used;         /* this connection has brought an answer */
	bool resend;       /* this request was sent on a connection that turned out to be closed */
	bool broken;       /* off, from outside */
	uint8_t phase;     /* enum load_phase */
	int got;           /* enum load_read */
	uint64_t from;     /* where the latency of the request under way begins */
	uint64_t now;      /* of the last look at the clock */
	uint64_t pause_ns; /* after a connection that could not be made */
	int64_t rc, waste;
	struct load_reader reader;
	char buf[LOAD_BUFFER];
};
MAG_DECLARE_TASK(load_conn);

#endif
