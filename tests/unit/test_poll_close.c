/* SPDX-License-Identifier: MIT */
/* test_poll_close.c - closing a file that another worker polls. */
#include "net_run.h"

#include <magpie/group.h>
#include <magpie/poll.h>
#include <magpie/tcp.h>

#include "base/lock.h"

enum { ROUNDS = 20 };

struct poller {
	mag_frame frame;
	MAG_ARGS(poller, mag_fd fd; uint32_t *began;);
	int64_t rc;
};

MAG_TASK(poller)
{
	MAG_BEGIN(poller);
	magi_add_ar(self->began, 1u); /* [count] */
	MAG_AWAIT(self->rc, mag_poll, self->fd, POLLIN);
	CHECK_EQ(self->rc, MAG_ECANCELED);
	MAG_RETURN(0);
	MAG_END;
}

struct closer {
	mag_frame frame;
	MAG_ARGS(closer, mag_fd fd;);
	int64_t rc;
};

MAG_TASK(closer)
{
	MAG_BEGIN(closer);
	MAG_AWAIT(self->rc, mag_close, self->fd);
	MAG_RETURN(self->rc);
	MAG_END;
}

struct closing {
	mag_frame frame;
	MAG_NO_ARGS(closing);
	mag_group group;
	mag_scope scope;
	mag_fd polled, peer;
	uint32_t began;
	int64_t rc, end, waited;
	int i;
	char byte;
};

MAG_TASK(closing)
{
	MAG_BEGIN(closing);
	for (self->i = 0; self->i < ROUNDS; self->i++) {
		MAG_CALL(self->rc, connected, .a = &self->polled, .b = &self->peer);
		CHECK_EQ(self->rc, 0);
		self->began = 0;
		MAG_GROUP_BEGIN(&self->group);
		MAG_SPAWN_ON(self->rc, 1, &self->group, poller, .fd = self->polled, .began = &self->began);
		WAIT_UNTIL(self->rc, magi_load_acq(&self->began) == 1); /* [count] */
		MAG_AWAIT(self->rc, mag_sleep, MAG_MILLISECOND); /* the kernel has it */
		MAG_SPAWN_ON(self->rc, 2, &self->group, closer, .fd = self->polled);
		MAG_WITH_TIMEOUT(&self->scope, 20 * MAG_SECOND);
		MAG_AWAIT(self->rc, mag_recv, self->peer, &self->byte, 1);
		MAG_SCOPE_END(self->end, &self->scope);
		CHECK_EQ(self->rc, 0);
		MAG_GROUP_END(self->rc, &self->group);
		CHECK_EQ(self->rc, 0);
		MAG_AWAIT(self->rc, mag_close, self->peer);
		CHECK_EQ(open_files(), 0);
	}
	MAG_RETURN(0);
	MAG_END;
}

/* The poll holds the file: as long as it is under way the peer hears nothing. Tried: a close that leaves alone what has
 * no direction: the peer hears nothing for 20 s. */
Test(poll_close, the_peer_of_a_polled_file_sees_that_it_is_closed, .timeout = 60)
{
	RUN(closing);
}
