/* SPDX-License-Identifier: MIT */
/* test_file_crowd.c - src/task/file.c with very many tasks that wait for a turn on one file.
 *
 * Times are of the machine's clock, and compared with each other only: how slow the machine is does not matter; nor, for it
 * may stand still for a while, what comes of one try. */
#include "gates.h"

#include "task/file.h"

enum { CROWD = 50000 / PLAY_SLOWDOWN, TIMES = 10 };

static MAG_OP receive(MAG_OP_ARGS, mag_fd fd, void *addr)
{
	struct magi_req req = { .code = MAGI_IO_RECV, .addr = addr, .len = 1 };

	return magi_file_await(w, f, fd, MAGI_FD_READING, &req, NULL, NULL);
}

/* Waits until the file is closed. */
struct member {
	mag_frame frame;
	MAG_ARGS(member, mag_fd fd; uint32_t *refused;);
	int64_t rc;
	char byte;
};

MAG_TASK(member)
{
	MAG_BEGIN(member);
	MAG_AWAIT(self->rc, receive, self->fd, &self->byte);
	if (self->rc == MAG_ECLOSED)
		count(self->refused);
	else
		CHECK(self->rc == MAG_ECANCELED); /* it had the turn */
	MAG_RETURN(0);
	MAG_END;
}

struct crowd {
	mag_frame frame;
	MAG_ARGS(crowd, struct magi_world *world; uint64_t *queueing; uint64_t *closing;);
	mag_fd fd[2];
	mag_group group;
	uint64_t began, queued;
	uint32_t i, refused;
	int raw[2];
	int64_t rc;
};

MAG_TASK(crowd)
{
	MAG_BEGIN(crowd);
	self->refused = 0;
	CHECK(magi_world_pair(self->world, self->raw) == 0);
	CHECK(mag_fd_adopt(self->raw[0], &self->fd[0]) == 0 && mag_fd_adopt(self->raw[1], &self->fd[1]) == 0);
	self->began = magi_clock_ns();
	MAG_GROUP_BEGIN(&self->group);
	for (self->i = 0; self->i < CROWD; self->i++) {
		MAG_SPAWN(self->rc, &self->group, member, .fd = self->fd[0], .refused = &self->refused);
		CHECK(self->rc == 0);
	}
	MAG_AWAIT(self->rc, mag_sleep, REST);
	self->queued = magi_clock_ns();
	MAG_AWAIT(self->rc, mag_close, self->fd[0]);
	CHECK(self->rc == 0);
	MAG_GROUP_END(self->rc, &self->group);
	CHECK(self->rc == 0 && counted(&self->refused) == CROWD - 1);
	*self->queueing = self->queued - self->began;
	*self->closing = magi_clock_ns() - self->queued;
	MAG_AWAIT(self->rc, mag_close, self->fd[1]);
	MAG_RETURN(self->rc);
	MAG_END;
}

/* Tried: a walk to the end of the list of those that are refused, for each of them: 14 s in place of 10 ms. */
Test(file_crowd, closing_refuses_all_who_wait_in_the_time_it_took_them_to_queue, .timeout = 60)
{
	EACH_WORKERS(n) {
		uint64_t queueing = 0, closing = 0;

		for (int tries = 0; tries == 0 || (closing >= TIMES * queueing && tries < 3); tries++) {
			struct play p;
			int64_t rc;

			play_begin(&p, n);
			play_run(&p, rc, crowd, .world = p.world, .queueing = &queueing, .closing = &closing);
			cr_assert_eq(rc, 0);
			play_end(&p);
		}
		cr_assert_lt(closing, TIMES * queueing, "%llu us to queue, %llu us to close",
			     (unsigned long long)queueing / 1000, (unsigned long long)closing / 1000);
	}
}
