/* SPDX-License-Identifier: MIT */
/* test_interrupted.c - operations that the system breaks off with EINTR, each in its turn: nobody is told, nothing is
 * lost. */
#include <criterion/criterion.h>
#include <errno.h>
#include <magpie/magpie.h>
#include <magpie/sim.h>
#include <sys/socket.h>

#include "base/fault.h"

struct sender {
	mag_frame frame;
	MAG_ARGS(sender, mag_fd fd;);
	int64_t rc;
};

MAG_TASK(sender)
{
	MAG_BEGIN(sender);
	MAG_AWAIT(self->rc, mag_send_all, self->fd, "one", 3);
	mag_sim_assert(self->rc == 3);
	MAG_AWAIT(self->rc, mag_sleep, MAG_MILLISECOND);
	MAG_AWAIT(self->rc, mag_send_all, self->fd, "two", 3);
	mag_sim_assert(self->rc == 3);
	MAG_RETURN(0);
	MAG_END;
}

struct letter {
	mag_frame frame;
	MAG_NO_ARGS(letter);
	mag_fd pair[2];
	mag_group group;
	mag_receiver receiver;
	mag_buffer buffer;
	int64_t rc, got;
};

MAG_TASK(letter)
{
	MAG_BEGIN(letter);
	mag_sim_assert(mag_socket_pair(SOCK_STREAM, self->pair) == 0);
	mag_sim_assert(mag_receiver_start(&self->receiver, self->pair[0], NULL) == 0);
	MAG_GROUP_BEGIN(&self->group);
	MAG_SPAWN(self->rc, &self->group, sender, .fd = self->pair[1]);
	for (self->got = 0; self->got < 6; self->got += self->rc) {
		MAG_AWAIT(self->rc, mag_receiver_next, &self->receiver, &self->buffer);
		mag_sim_assert(self->rc > 0);
		mag_buffer_give(&self->buffer);
	}
	MAG_GROUP_END(self->rc, &self->group);
	mag_sim_assert(self->rc == 0);
	MAG_AWAIT(self->rc, mag_receiver_close, &self->receiver);
	MAG_AWAIT(self->rc, mag_close, self->pair[0]);
	MAG_AWAIT(self->rc, mag_close, self->pair[1]);
	mag_sim_assert_quiescent();
	MAG_RETURN(0);
	MAG_END;
}

/* Tried: a receiver that takes EINTR for the end of its stream. */
Test(interrupted, a_receiver_goes_on, .timeout = 60)
{
	const mag_sim_options calm = { .size = sizeof(calm), .faults = MAG_SIM_NONE };
	enum { CLOSES = 2 }; /* the last ones; those do close when they are broken off */

	for (uint64_t seed = 0; seed < 20; seed++) {
		uint64_t count;

		magi_fault_set(MAGI_FAULT_BEGIN, UINT64_MAX, 0);
		cr_assert_eq(mag_sim_run(seed, &calm, letter), 0);
		count = magi_fault_count(MAGI_FAULT_BEGIN);
		cr_assert_geq(count, 3 + CLOSES);
		for (uint64_t n = 1; n <= count - CLOSES; n++) {
			magi_fault_set(MAGI_FAULT_BEGIN, n, EINTR);
			cr_assert_eq(mag_sim_run(seed, &calm, letter), 0);
		}
	}
	magi_fault_clear();
}
