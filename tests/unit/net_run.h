/* SPDX-License-Identifier: MIT */
/* net_run.h - what the tests of sockets and files share: a runtime a test, and checks inside tasks.
 *
 * A check of Criterion's must not fail on a worker's thread, so a task's check ends the task with its line. */
#ifndef MAGPIE_TEST_NET_RUN_H
#define MAGPIE_TEST_NET_RUN_H

#include <criterion/criterion.h>
#include <errno.h>
#include <limits.h>
#include <magpie/error.h>
#include <magpie/group.h>
#include <magpie/runtime.h>
#include <magpie/scope.h>
#include <magpie/tcp.h>
#include <magpie/time.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

#include "support/ledger.h"

enum { FAILED = 1000000, WORKERS = 4 };

/* Ends the task when `cond` does not hold; `got` is said. */
#define CHECK_SAYING(cond, got)                                                                                     \
	do {                                                                                                        \
		if (!(cond)) {                                                                                      \
			int64_t check_got = (int64_t)(got);                                                         \
			fprintf(stderr, "%s:%d: %s; got %lld (%s)\n", __FILE__, __LINE__, #cond, (long long)check_got, \
				check_got < 0 ? mag_errname(check_got) : "");                                       \
			MAG_RETURN(-FAILED - __LINE__);                                                             \
		}                                                                                                   \
	} while (0)
#define CHECK(cond) CHECK_SAYING(cond, 0)
#define CHECK_EQ(value, want) CHECK_SAYING((int64_t)(value) == (int64_t)(want), value)

/* Closes a file, which must be open. */
#define CLOSE(fd)                                   \
	do {                                        \
		MAG_AWAIT(self->rc, mag_close, fd); \
		CHECK_EQ(self->rc, 0);              \
	} while (0)

#define NET_OPTIONS(...) \
	(&(mag_runtime_options){ .size = sizeof(mag_runtime_options), .workers = WORKERS, __VA_ARGS__ })

/* Runs a task, with its arguments, on a new runtime, which must have all back in the end, and wants 0 of it; skips the
 * test where the kernel's backend cannot run. */
#define RUN(...)                                                                                            \
	do {                                                                                                \
		int64_t run_rc = LEDGER_RUN(NET_OPTIONS(.spin_us = 5), __VA_ARGS__);                        \
		if (run_rc == MAG_EBACKEND)                                                                 \
			cr_skip_test("%s", mag_runtime_why());                                              \
		cr_assert(run_rc == 0, "%lld %s %s", (long long)run_rc, mag_errname(run_rc), mag_runtime_why()); \
	} while (0)

/* Files that are open now in the table of the calling worker's runtime. */
static inline uint64_t open_files(void)
{
	mag_stats stats = { .size = sizeof(stats) };

	mag_runtime_stats(mag_runtime_current(), &stats);
	return stats.fds;
}

/* Listens on the loopback and says where. */
static inline int listen_local(mag_fd *fd, mag_addr *addr)
{
	int rc = mag_addr_parse(addr, "127.0.0.1:0");

	if (rc == 0)
		rc = mag_tcp_listen(addr, NULL, fd);
	return rc < 0 ? rc : mag_fd_local_addr(*fd, addr);
}

/* Sleeps until the condition holds, at most 10 s: for what another task or the kernel is about to do. */
#define WAIT_UNTIL(rc, cond)                                                       \
	do {                                                                       \
		for (self->waited = 0; !(cond) && self->waited < 100000; self->waited++) \
			MAG_AWAIT(rc, mag_sleep, 100 * MAG_MICROSECOND);           \
		CHECK(cond);                                                       \
	} while (0)

/* Cancels the scope around its group when so much is there to be read: an event, where a deadline could come before the
 * operation that it is to cut short has begun. */
struct cuts_short {
	mag_frame frame;
	MAG_ARGS(cuts_short, mag_scope *scope; int raw, least, most;);
	int64_t rc;
};

static inline bool readable_is_within(int raw, int least, int most)
{
	int n = -1;

	return ioctl(raw, FIONREAD, &n) == 0 && n >= least && n <= most;
}

MAG_TASK(cuts_short)
{
	MAG_BEGIN(cuts_short);
	while (!readable_is_within(self->raw, self->least, self->most)) {
		MAG_AWAIT(self->rc, mag_sleep, 100 * MAG_MICROSECOND);
		if (self->rc < 0)
			MAG_RETURN(0);
	}
	mag_scope_cancel(self->scope);
	MAG_RETURN(0);
	MAG_END;
}

/* To be ended by MAG_GROUP_END of self->cutter, then MAG_SCOPE_END of self->scope. */
#define CUT_SHORT_BEGIN(raw_, least_, most_)                                                                          \
	MAG_SCOPE_BEGIN(&self->scope);                                                                                \
	MAG_GROUP_BEGIN(&self->cutter);                                                                               \
	MAG_SPAWN(self->rc, &self->cutter, cuts_short, .scope = &self->scope, .raw = (raw_), .least = (least_), \
		  .most = (most_));                                                                                   \
	CHECK_EQ(self->rc, 0)

/* A pair of connected TCP sockets. */
struct connected {
	mag_frame frame;
	MAG_ARGS(connected, mag_fd *a; mag_fd *b;);
	mag_fd listener;
	mag_addr addr;
	int64_t rc;
};

MAG_TASK(connected)
{
	MAG_BEGIN(connected);
	CHECK_EQ(listen_local(&self->listener, &self->addr), 0);
	MAG_CALL(self->rc, mag_tcp_connect, .addr = &self->addr, .fd = self->a);
	CHECK_EQ(self->rc, 0);
	MAG_AWAIT(self->rc, mag_accept, self->listener, self->b, NULL);
	CHECK_EQ(self->rc, 0);
	MAG_AWAIT(self->rc, mag_close, self->listener);
	MAG_RETURN(self->rc);
	MAG_END;
}

#endif
