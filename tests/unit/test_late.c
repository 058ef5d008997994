/* SPDX-License-Identifier: MIT */
/* test_late.c - a cancel that comes when the kernel has made a descriptor already: the await gives it all the same.
 *
 * The sim backend in completion mode lets half of all cancels lose. The runtime's table of files does not know of a
 * descriptor that was dropped: the system, and the backend, are asked what is open. */
#include "gates.h"

#include <fcntl.h>
#include <magpie/file.h>
#include <magpie/tcp.h>

#include "support/client.h"

enum { ROUNDS = 40 };

/* Makes one descriptor, in a group that is cancelled meanwhile; says whether it got it. */
struct maker {
	mag_frame frame;
	MAG_ARGS(maker, mag_fd listener; uint32_t *began; uint32_t *made;);
	mag_fd fd;
	int64_t rc;
};

MAG_TASK(maker)
{
	MAG_BEGIN(maker);
	count(self->began);
	if (self->listener.generation)
		MAG_AWAIT(self->rc, mag_accept, self->listener, &self->fd, NULL);
	else
		MAG_AWAIT(self->rc, mag_open, "/dev/null", O_RDONLY, 0, &self->fd);
	CHECK(self->rc == 0 || self->rc == MAG_ECANCELED);
	CHECK((self->rc == 0) == (self->fd.generation != 0));
	if (self->rc == 0) {
		count(self->made);
		MAG_AWAIT(self->rc, mag_close, self->fd);
		CHECK(self->rc == 0);
	}
	MAG_RETURN(0);
	MAG_END;
}

/* Starts one and cancels it when it has parked. */
struct late {
	mag_frame frame;
	MAG_ARGS(late, mag_fd listener; uint32_t *made;);
	mag_group group;
	uint32_t began;
	int64_t rc;
};

MAG_TASK(late)
{
	MAG_BEGIN(late);
	self->began = 0;
	MAG_GROUP_BEGIN(&self->group);
	MAG_SPAWN(self->rc, &self->group, maker, .listener = self->listener, .began = &self->began, .made = self->made);
	CHECK(self->rc == 0);
	while (!counted(&self->began))
		MAG_YIELD(self->rc);
	mag_group_cancel(&self->group);
	MAG_GROUP_END(self->rc, &self->group);
	MAG_RETURN(0);
	MAG_END;
}

struct late_opens {
	mag_frame frame;
	MAG_NO_ARGS(late_opens);
	uint32_t made;
	int64_t rc;
	int i, before;
};

MAG_TASK(late_opens)
{
	MAG_BEGIN(late_opens);
	self->made = 0;
	self->before = client_descriptors();
	for (self->i = 0; self->i < ROUNDS; self->i++) {
		MAG_CALL(self->rc, late, .listener = MAG_FD_NONE, .made = &self->made);
		CHECK(client_descriptors() == self->before);
	}
	CHECK(self->made > 0 && self->made < ROUNDS);
	MAG_RETURN(0);
	MAG_END;
}

/* Tried: opened() that drops the descriptor of a task that is marked as cancelled. */
Test(late, an_open_that_beats_its_cancel_leaves_no_descriptor, .timeout = 30)
{
	cr_assert_eq(RUN(1, late_opens), 0);
}

struct late_accepts {
	mag_frame frame;
	MAG_ARGS(late_accepts, struct magi_world *world;);
	mag_fd listener, client, fd;
	mag_addr addr;
	mag_scope scope;
	uint32_t made, before;
	int64_t rc;
	int i, raw;
};

MAG_TASK(late_accepts)
{
	MAG_BEGIN(late_accepts);
	self->made = 0;
	self->raw = magi_world_listener(self->world);
	self->addr.len = magi_world_address(self->raw, &self->addr.storage);
	CHECK(mag_fd_adopt(self->raw, &self->listener) == 0);
	for (self->i = 0; self->i < ROUNDS; self->i++) {
		CHECK(mag_fd_adopt(magi_world_socket(self->world), &self->client) == 0);
		MAG_AWAIT(self->rc, mag_connect, self->client, &self->addr);
		CHECK(self->rc == 0);
		self->before = self->made;
		MAG_CALL(self->rc, late, .listener = self->listener, .made = &self->made);
		if (self->made == self->before) { /* it still waits to be accepted */
			MAG_WITH_TIMEOUT(&self->scope, REST);
			MAG_AWAIT(self->rc, mag_accept, self->listener, &self->fd, NULL);
			CHECK(self->rc == 0);
			MAG_SCOPE_END(self->rc, &self->scope);
			MAG_AWAIT(self->rc, mag_close, self->fd);
		}
		MAG_AWAIT(self->rc, mag_close, self->client);
		CHECK(magi_world_open_fds(self->world) == 1);
	}
	CHECK(self->made > 0 && self->made < ROUNDS);
	MAG_AWAIT(self->rc, mag_close, self->listener);
	MAG_RETURN(0);
	MAG_END;
}

/* Tried: accepted() that drops the descriptor of a task that is marked as cancelled: the next accept finds nothing. */
Test(late, an_accept_that_beats_its_cancel_leaves_no_descriptor, .timeout = 30)
{
	struct play p;
	int64_t rc;

	play_begin(&p, 1);
	play_run(&p, rc, late_accepts, .world = p.world);
	cr_assert_eq(rc, 0);
	play_end(&p);
}
