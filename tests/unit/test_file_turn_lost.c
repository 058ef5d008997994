/* SPDX-License-Identifier: MIT */
/* test_file_turn_lost.c - src/task/file.c: the turn on a file comes to a task that a canceller has claimed, but not yet
 * taken out of the queue. The test is that canceller, in slow motion. */
#include "canceller.h"

#include "task/file.h"

static MAG_OP receive(MAG_OP_ARGS, mag_fd fd, void *addr)
{
	struct magi_req req = { .code = MAGI_IO_RECV, .addr = addr, .len = 1 };

	return magi_file_await(w, f, fd, MAGI_FD_READING, &req, NULL, NULL);
}

static MAG_OP transmit(MAG_OP_ARGS, mag_fd fd, const char *addr)
{
	struct magi_req req = { .code = MAGI_IO_SEND, .addr = (void *)(uintptr_t)addr, .len = 1 };

	return magi_file_await(w, f, fd, MAGI_FD_WRITING, &req, NULL, NULL);
}

/* Reads one byte in its turn; returns it, or the error. */
struct reader {
	mag_frame frame;
	MAG_ARGS(reader, mag_fd fd; int64_t want; uint32_t *ended;);
	int64_t rc;
	char got;
};

MAG_TASK(reader)
{
	MAG_BEGIN(reader);
	MAG_AWAIT(self->rc, receive, self->fd, &self->got);
	CHECK((self->rc == 1 ? self->got : self->rc) == self->want);
	count(self->ended);
	MAG_RETURN(0);
	MAG_END;
}

static struct magi_waitq *turns_of(mag_worker *w, mag_fd fd)
{
	return &magi_fds_find(&magi_runtime_of(w)->fds, fd)->turn[0];
}

enum third { BEHIND, LATER, CLOSED };

/* The first reader has the turn, the second is claimed; where is the third? */
struct turns {
	mag_frame frame;
	MAG_ARGS(turns, struct magi_world *world; enum third third;);
	mag_group group;
	mag_frame *claimed;
	mag_fd fd[2];
	uint32_t ended;
	int raw[2];
	int64_t rc;
};

MAG_TASK(turns)
{
	MAG_BEGIN(turns);
	self->ended = 0;
	CHECK(magi_world_pair(self->world, self->raw) == 0);
	CHECK(mag_fd_adopt(self->raw[0], &self->fd[0]) == 0 && mag_fd_adopt(self->raw[1], &self->fd[1]) == 0);
	MAG_GROUP_BEGIN(&self->group);
	MAG_SPAWN(self->rc, &self->group, reader, .fd = self->fd[0], .ended = &self->ended,
		  .want = self->third == CLOSED ? MAG_ECANCELED : 'a');
	MAG_AWAIT(self->rc, mag_sleep, REST);
	MAG_SPAWN(self->rc, &self->group, reader, .fd = self->fd[0], .ended = &self->ended, .want = MAG_ECANCELED);
	MAG_AWAIT(self->rc, mag_sleep, REST);
	if (self->third != LATER)
		MAG_SPAWN(self->rc, &self->group, reader, .fd = self->fd[0], .ended = &self->ended,
			  .want = self->third == CLOSED ? MAG_ECLOSED : 'b');
	MAG_AWAIT(self->rc, mag_sleep, REST);
	self->claimed = claim_first(turns_of(w, self->fd[0]));
	if (self->third != CLOSED) {
		MAG_AWAIT(self->rc, transmit, self->fd[1], "a");
		CHECK(self->rc == 1);
		MAG_AWAIT(self->rc, mag_sleep, REST);
		CHECK(counted(&self->ended) == 1);
		if (self->third == LATER)
			MAG_SPAWN(self->rc, &self->group, reader, .fd = self->fd[0], .want = 'b',
				  .ended = &self->ended);
		MAG_AWAIT(self->rc, transmit, self->fd[1], "b");
		CHECK(self->rc == 1);
	} else {
		MAG_AWAIT(self->rc, mag_close, self->fd[0]);
		CHECK(self->rc == 0);
	}
	MAG_AWAIT(self->rc, mag_sleep, REST);
	CHECK(counted(&self->ended) == 2);
	end_wait(w, self->claimed);
	MAG_GROUP_END(self->rc, &self->group);
	CHECK(self->rc == 0 && counted(&self->ended) == 3);
	if (self->third != CLOSED) {
		MAG_AWAIT(self->rc, mag_close, self->fd[0]);
		CHECK(self->rc == 0); /* no reference was left */
	}
	MAG_AWAIT(self->rc, mag_close, self->fd[1]);
	MAG_RETURN(self->rc);
	MAG_END;
}

static void cancelled_in_its_turn(enum third third)
{
	EACH_WORKERS(n) {
		struct play p;
		int64_t rc;

		play_begin(&p, n);
		play_run(&p, rc, turns, .world = p.world, .third = third);
		cr_assert_eq(rc, 0);
		cr_assert_eq(magi_world_open_fds(p.world), 0);
		play_end(&p);
	}
}

/* Tried: take_turn without magi_fd_unbegin, for these two. */
Test(file_turn_lost, who_waits_behind_one_that_is_being_cancelled_gets_the_turn, .timeout = 10)
{
	cancelled_in_its_turn(BEHIND);
}

Test(file_turn_lost, turn_that_only_one_that_is_being_cancelled_waits_for_is_free, .timeout = 10)
{
	cancelled_in_its_turn(LATER);
}

/* Tried: empty_turn that frees the request before it knows whose it is; it is then freed twice. */
Test(file_turn_lost, closing_leaves_one_that_is_being_cancelled_to_its_canceller, .timeout = 10)
{
	cancelled_in_its_turn(CLOSED);
}
