/* SPDX-License-Identifier: MIT */
/* test_send_at_once.c - src/task/iop.c on a backend that can send without waiting: a task goes on after its send, but not
 * for ever. */
#include "net_run.h"

#include <magpie/group.h>
#include <sys/socket.h>

enum { SENDS = 80, IN_A_ROW = 8 };

struct counts {
	mag_frame frame;
	MAG_ARGS(counts, int *turns;);
	int64_t rc;
};

MAG_TASK(counts)
{
	MAG_BEGIN(counts);
	do {
		++*self->turns;
		MAG_YIELD(self->rc);
	} while (self->rc == 0);
	MAG_RETURN(0);
	MAG_END;
}

struct sends_one {
	mag_frame frame;
	MAG_ARGS(sends_one, mag_fd fd;);
	int64_t rc;
	char byte;
};

MAG_TASK(sends_one)
{
	MAG_BEGIN(sends_one);
	MAG_AWAIT(self->rc, mag_send_all, self->fd, &self->byte, 1);
	MAG_RETURN(self->rc < 0 ? self->rc : 0);
	MAG_END;
}

struct sends {
	mag_frame frame;
	MAG_NO_ARGS(sends);
	mag_group group;
	mag_fd fd, other;
	int raw[2], i, turns, first;
	int64_t rc;
	char byte;
};

/* The socket has room for all of it. */
MAG_TASK(sends)
{
	MAG_BEGIN(sends);
	CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, self->raw), 0);
	CHECK_EQ(mag_fd_adopt(self->raw[0], &self->fd), 0);
	CHECK_EQ(mag_fd_adopt(self->raw[1], &self->other), 0);
	MAG_GROUP_BEGIN(&self->group);
	MAG_SPAWN(self->rc, &self->group, counts, .turns = &self->turns);
	while (self->turns == 0)
		MAG_YIELD(self->rc);
	self->first = self->turns;
	for (self->i = 0; self->i < SENDS; self->i++) {
		MAG_AWAIT(self->rc, mag_send_all, self->fd, &self->byte, 1);
		CHECK_EQ(self->rc, 1);
#ifndef MAGI_FORCED_MIGRATION
		if (self->i == IN_A_ROW - 1)
			CHECK_EQ(self->turns, self->first);
#endif
	}
	CHECK(self->turns > self->first);
	self->first = self->turns;
	for (self->i = 0; self->i < SENDS; self->i++) {
		MAG_AWAIT(self->rc, mag_send_all, self->fd, &self->byte, 1);
		MAG_FORK(sends_one, .fd = self->fd);
		MAG_JOIN(self->rc);
		CHECK_EQ(self->rc, 0);
	}
	CHECK(self->turns > self->first);
	mag_group_cancel(&self->group);
	MAG_GROUP_END(self->rc, &self->group);
	CLOSE(self->other);
	MAG_AWAIT(self->rc, mag_send, self->fd, &self->byte, 1);
	CHECK_EQ(self->rc, -EPIPE);
	CLOSE(self->fd);
	MAG_RETURN(0);
	MAG_END;
}

/* Tried: may_go_on that always says yes, or counts for each task by itself; the other task then gets no turn before the last send. And one that says no: each
 * send gives it a turn. */
Test(send_at_once, who_sends_and_sends_lets_others_run, .timeout = 30)
{
	const mag_runtime_options alone = { .size = sizeof(alone), .workers = 1, .backend = "epoll" };

	cr_assert_eq(LEDGER_RUN(&alone, sends), 0);
}
