/* SPDX-License-Identifier: MIT */
/* baseline_server.h - the bare ring server loop that echo and hello share. */
#ifndef MAGPIE_BENCH_BASELINE_SERVER_H
#define MAGPIE_BENCH_BASELINE_SERVER_H

#include "server.h"

#define BARE_BUFFER 4096

struct bare_conn {
	unsigned used;     /* bytes in buf */
	const char *reply; /* what is still to be sent, `left` bytes of it */
	unsigned left;
	char buf[BARE_BUFFER];
};

/* Looks at the `used` bytes of `buf` and sets reply and left when there is an answer. Returns: negative to close. */
typedef int bare_protocol(struct bare_conn *c);

int bare_serve(int listen_fd, int stop_fd, bare_protocol *answer, struct bench_run *r);

#endif
