/* SPDX-License-Identifier: MIT */
/* ring.h - a bare ring as a careful programmer sets it up by hand: for the baselines and the load client. */
#ifndef MAGPIE_BENCH_RING_H
#define MAGPIE_BENCH_RING_H

#include <liburing.h>

#include "bench.h"

/* Returns: 0; BENCH_SKIP with r->why where io_uring is forbidden or too old; else negative with r->why. */
static inline int ring_open(struct io_uring *ring, unsigned entries, struct bench_run *r)
{
	struct io_uring_params p = {
		.flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_CQSIZE,
		.cq_entries = entries * 4,
	};
	int rc = io_uring_queue_init_params(entries, ring, &p);

	if (rc == -EPERM || rc == -ENOSYS || rc == -EOPNOTSUPP || rc == -EINVAL)
		return bench_fail(r, BENCH_SKIP, "no bare ring here: io_uring_setup: %s", strerror(-rc));
	if (rc < 0)
		return bench_fail(r, rc, "io_uring_setup: %s", strerror(-rc));
	io_uring_register_ring_fd(ring); /* saves the lookup of the ring's fd on each entry; works without */
	return 0;
}

static inline struct io_uring_sqe *ring_sqe(struct io_uring *ring)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(ring);

	while (!sqe) {
		io_uring_submit(ring);
		sqe = io_uring_get_sqe(ring);
	}
	return sqe;
}

#endif
