/* SPDX-License-Identifier: MIT */
/* load.h - a load on one URL: what is asked for, what comes out, and the state of each worker between.
 *
 * What:    one connection is one task, pinned to a worker; it sends the same bytes, reads the answer, and goes on.
 *          Closed loop: each connection sends when it has its answer. Open loop (rate): requests are due at times
 *          that do not depend on the answers, and each one's latency counts from when it was due: a server that
 *          stalls cannot hide that by keeping requests from being sent.
 * Who:     struct load_worker belongs to the tasks pinned to its worker: no two of them run at once, so nothing in it is
 *          atomic. struct load belongs to load_run, which has copies of the tallies made on their workers.
 * Not:     tasks that are stolen: a tally would have to be found anew after each await. */
#ifndef MAGPIE_TOOLS_LOAD_H
#define MAGPIE_TOOLS_LOAD_H

#include <magpie/addr.h>
#include <magpie/event.h>
#include <magpie/runtime.h>
#include <magpie/semaphore.h>

#include "histogram.h"
#include "load_error.h"
#include "load_request.h"
#include "load_self.h"

enum { LOAD_STATUSES = 1000, LOAD_CONNECTIONS_MAX = 1000000 };

/* What is asked for. */
struct load_plan {
	const char *host, *port;
	struct mag_tls_context *tls; /* NULL: bare connections */
	const struct load_request *request;
	uint32_t connections;
	double rate;          /* requests a second, all connections together; 0: closed loop */
	uint64_t requests;    /* how many; 0: no limit */
	uint64_t duration_ns; /* how long requests are begun; 0: no limit */
	uint64_t timeout_ns;  /* of a connection's opening, and of a request */
	bool close;           /* a connection for each request */
};

/* What has come of requests. */
struct load_tally {
	uint64_t answers;    /* whole ones, whatever their status */
	uint64_t late;       /* of these, those that came after the time for beginning requests was over */
	uint64_t bytes;      /* of answers */
	uint64_t unfinished; /* under way when the run was broken off */
	uint64_t opened;     /* connections */
	uint64_t again;      /* sent once more: the server had closed the idle connection */
	uint64_t errors[LOAD_ERRORS];
	const char *example[LOAD_ERRORS]; /* the last one in words; they live for ever */
	uint64_t status[LOAD_STATUSES];
	struct histogram latency; /* ns, of answers */
};

/* A stretch of the run, a second mostly. Times are from the start. */
struct load_second {
	uint64_t from_ns, to_ns, answers, errors, bytes, p50_ns, p90_ns, p99_ns, max_ns;
};

struct load_meter; /* load_meter.c */

/* For who looks for requests that take too long; one for each connection of a worker. */
struct load_watch {
	uint64_t since; /* 0: no request is under way */
	mag_fd fd;      /* closed under it when it takes too long */
	bool expired;
};

struct load_worker {
	struct load *load;
	struct load_tally tally;
	struct histogram connects; /* ns: how long it took */
	struct histogram lateness; /* open loop, ns: how much later than due a request was given out */
	uint32_t index, connections;
	struct load_watch *watches;
	uint64_t left;         /* closed loop: requests that may still be begun */
	uint64_t taken;        /* open loop: requests that a connection has taken */
	uint64_t due;          /* … and that are or were due */
	mag_semaphore tickets; /* due and not taken */
} __attribute__((aligned(64)));

/* A run. */
struct load {
	struct load_plan plan;
	void (*begun)(struct load *load);  /* NULL, or called when requests begin */
	void (*ticked)(struct load *load); /* … and now and then while they go on: `all` is up to date */
	void *user;

	/* What has come out. */
	struct load_tally all;
	struct histogram connects, lateness;
	struct load_second *seconds;
	size_t second_count;
	uint64_t start;        /* mag_now, when requests began; 0: not yet */
	uint64_t window_ns;    /* how long requests were begun */
	uint64_t elapsed_ns;   /* until the last one's end */
	uint64_t unsent;       /* open loop: due, but no connection was free until the end */
	struct load_self self; /* what this process needed for it */
	bool interrupted;      /* it was cancelled after it had begun */
	const char *failed;    /* what could not be done */
	char why[160];         /* in words, where TLS has any; else "" */

	/* The run's own. */
	mag_addr addr;
	uint32_t worker_count;
	struct load_worker *workers;
	uint64_t stop_at; /* mag_now: no request becomes due from here on */
	mag_semaphore connected;
	mag_event go;
	struct load_meter *meter;
};

/* MAG_CALL(rc, load_run, .load = &load): runs it, on all workers of this runtime. What has come out is the caller's,
 * also after an error: load_free. Cancelled, it breaks off, and what was under way counts as unfinished.
 * Returns: 0, also when it was broken off; or why it could not begin: load->failed says what it was at */
struct load_run {
	mag_frame frame;
	MAG_ARGS(load_run, struct load *load;);
	mag_group helpers;
	struct load_self before;
	uint32_t i;
	int64_t rc, waste;
};
MAG_DECLARE_TASK(load_run);

void load_free(struct load *load);

#endif
