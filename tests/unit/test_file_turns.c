/* SPDX-License-Identifier: MIT */
/* test_file_turns.c - src/task/file.c: turns to read and to write, closing under operations, stale names. */
#include "gates.h"

#include "task/file.h"

static MAG_OP receive(MAG_OP_ARGS, mag_fd fd, void *addr, uint32_t len)
{
	struct magi_req req = { .code = MAGI_IO_RECV, .addr = addr, .len = len };

	return magi_file_await(w, f, fd, MAGI_FD_READING, &req, NULL, NULL);
}

static MAG_OP transmit(MAG_OP_ARGS, mag_fd fd, const void *addr, uint32_t len)
{
	struct magi_req req = { .code = MAGI_IO_SEND, .addr = (void *)(uintptr_t)addr, .len = len };

	return magi_file_await(w, f, fd, MAGI_FD_WRITING, &req, NULL, NULL);
}

struct pair {
	mag_fd fd[2];
};

static void pair_open(struct pair *p, struct magi_world *world)
{
	int raw[2];

	CHECK(magi_world_pair(world, raw) == 0);
	CHECK(mag_fd_adopt(raw[0], &p->fd[0]) == 0 && mag_fd_adopt(raw[1], &p->fd[1]) == 0);
}

/* Reads one byte in its turn. */
struct one_byte {
	mag_frame frame;
	MAG_ARGS(one_byte, mag_fd fd; uint64_t patience; int64_t want; char byte; uint32_t *ended;);
	mag_scope scope;
	int64_t rc, left;
	char got;
};

MAG_TASK(one_byte)
{
	MAG_BEGIN(one_byte);
	MAG_WITH_TIMEOUT(&self->scope, self->patience);
	MAG_AWAIT(self->rc, receive, self->fd, &self->got, 1);
	CHECK(self->rc == self->want);
	CHECK(self->rc != 1 || self->got == self->byte);
	MAG_SCOPE_END(self->left, &self->scope);
	if (self->ended)
		count(self->ended);
	MAG_RETURN(0);
	MAG_END;
}

enum { READERS = 12 };

struct queueing {
	mag_frame frame;
	MAG_ARGS(queueing, struct magi_world *world;);
	struct pair pair;
	mag_group group;
	uint32_t ended;
	int64_t rc;
	int i, served;
	char letter[READERS];
};

MAG_TASK(queueing)
{
	MAG_BEGIN(queueing);
	pair_open(&self->pair, self->world);
	self->ended = 0;
	self->served = 0;
	MAG_GROUP_BEGIN(&self->group);
	for (self->i = 0; self->i < READERS; self->i++) { /* each third gives up before its turn; so does the first */
		MAG_SPAWN(self->rc, &self->group, one_byte, .fd = self->pair.fd[0],
			  .byte = (char)('a' + self->served), .patience = self->i % 3 ? MAG_NEVER : 40 * REST,
			  .want = self->i % 3 ? 1 : MAG_ECANCELED,
			  .ended = &self->ended);
		self->served += self->i % 3 != 0;
		MAG_AWAIT(self->rc, mag_sleep, REST);
	}
	MAG_AWAIT(self->rc, mag_sleep, 60 * REST);
	CHECK(counted(&self->ended) == READERS / 3);
	CHECK(mag_fd_release(self->pair.fd[0]) == -EBUSY);
	for (self->i = 0; self->i < self->served; self->i++) {
		self->letter[self->i] = (char)('a' + self->i);
		MAG_AWAIT(self->rc, transmit, self->pair.fd[1], &self->letter[self->i], 1);
		CHECK(self->rc == 1);
	}
	MAG_GROUP_END(self->rc, &self->group);
	CHECK(self->rc == 0 && counted(&self->ended) == READERS);
	MAG_AWAIT(self->rc, mag_close, self->pair.fd[0]);
	CHECK(self->rc == 0);
	MAG_AWAIT(self->rc, mag_close, self->pair.fd[1]);
	MAG_RETURN(self->rc);
	MAG_END;
}

#define EACH_WORLD(p, n)                                                                        \
	for (int mode = 0; mode < 2; mode++)                                                    \
		for (uint32_t n = 1; n <= 4; n *= 2)                                            \
			for (bool once = world_begin(&(p), n, mode); once; once = world_end(&(p)))

static bool world_begin(struct play *p, uint32_t n, int mode)
{
	mag_runtime_options options;

	p->world = magi_world_create(n + 1, mode ? MAGI_SIM_READINESS : MAGI_SIM_COMPLETION);
	magi_world_auto_advance(p->world, true);
	options = play_options(p->world, n);
	cr_assert_eq(mag_runtime_create(&options, &p->rt), 0);
	return true;
}

static bool world_end(struct play *p)
{
	mag_stats stats = { .size = sizeof(stats) };

	cr_assert_eq(mag_runtime_stats(p->rt, &stats), 0);
	cr_assert_eq(stats.fds, 0);
	cr_assert_eq(magi_world_open_fds(p->world), 0);
	play_end(p);
	return false;
}

/* Tried: a turn not passed on. */
Test(file_turns, readers_take_turns_in_order_and_those_who_give_up_are_passed_over, .timeout = 30)
{
	struct play p;
	int64_t rc;

	EACH_WORLD(p, n) {
		play_run(&p, rc, queueing, .world = p.world);
		cr_assert_eq(rc, 0);
	}
}

struct closing {
	mag_frame frame;
	MAG_ARGS(closing, struct magi_world *world; bool cancelled;);
	struct pair pair, other;
	mag_group group;
	mag_scope scope;
	uint32_t ended;
	int64_t rc;
	int i;
	char byte;
};

MAG_TASK(closing)
{
	MAG_BEGIN(closing);
	pair_open(&self->pair, self->world);
	self->ended = 0;
	MAG_GROUP_BEGIN(&self->group);
	for (self->i = 0; self->i < READERS; self->i++) { /* the first has the turn */
		MAG_SPAWN(self->rc, &self->group, one_byte, .fd = self->pair.fd[0], .patience = MAG_NEVER,
			  .want = self->i ? MAG_ECLOSED : MAG_ECANCELED, .ended = &self->ended);
		MAG_AWAIT(self->rc, mag_sleep, REST);
	}
	MAG_SCOPE_BEGIN(&self->scope);
	if (self->cancelled)
		mag_scope_cancel(&self->scope);
	MAG_AWAIT(self->rc, mag_close, self->pair.fd[0]);
	CHECK(self->rc == 0); /* never cut short */
	MAG_SCOPE_END(self->rc, &self->scope);
	MAG_GROUP_END(self->rc, &self->group);
	CHECK(self->rc == 0 && counted(&self->ended) == READERS);
	pair_open(&self->other, self->world); /* takes its record and its number */
	MAG_AWAIT(self->rc, receive, self->pair.fd[0], &self->byte, 1);
	CHECK(self->rc == MAG_ECLOSED);
	MAG_AWAIT(self->rc, mag_close, self->pair.fd[0]);
	CHECK(self->rc == MAG_ECLOSED);
	CHECK(mag_fd_raw(self->pair.fd[0]) == MAG_ECLOSED && mag_fd_release(self->pair.fd[0]) == MAG_ECLOSED);
	CHECK(mag_fd_raw(MAG_FD_NONE) == MAG_ECLOSED);
	CHECK(mag_fd_raw(self->other.fd[0]) >= MAGI_SIM_FD);
	MAG_AWAIT(self->rc, receive, self->pair.fd[1], &self->byte, 1);
	CHECK(self->rc == 0); /* the other end sees the end of the stream */
	MAG_AWAIT(self->rc, mag_close, self->pair.fd[1]);
	MAG_AWAIT(self->rc, mag_close, self->other.fd[0]);
	self->i = mag_fd_release(self->other.fd[1]);
	CHECK(self->i >= MAGI_SIM_FD && magi_world_close(self->world, self->i) == 0);
	MAG_RETURN(self->rc);
	MAG_END;
}

/* Tried: closing without the mail to the rings; without emptying the queues. */
Test(file_turns, closing_ends_what_is_under_way_and_what_waits_and_the_name_is_stale, .timeout = 30)
{
	struct play p;
	int64_t rc;

	EACH_WORLD(p, n) {
		for (int cancelled = 0; cancelled < 2; cancelled++) {
			play_run(&p, rc, closing, .world = p.world, .cancelled = cancelled);
			cr_assert_eq(rc, 0);
		}
	}
}

/* Many readers whose deadlines, turns and the close come together. */
struct storm {
	mag_frame frame;
	MAG_ARGS(storm, struct magi_world *world; int rounds;);
	struct pair pair;
	mag_group group;
	int64_t rc;
	int i;
	char byte;
};

struct any_byte {
	mag_frame frame;
	MAG_ARGS(any_byte, mag_fd fd; uint64_t patience;);
	mag_scope scope;
	int64_t rc;
	char got;
};

MAG_TASK(any_byte)
{
	MAG_BEGIN(any_byte);
	MAG_WITH_TIMEOUT(&self->scope, self->patience);
	MAG_AWAIT(self->rc, receive, self->fd, &self->got, 1);
	CHECK(self->rc == 1 || self->rc == MAG_ECANCELED || self->rc == MAG_ECLOSED);
	MAG_SCOPE_END(self->rc, &self->scope);
	MAG_RETURN(0);
	MAG_END;
}

MAG_TASK(storm)
{
	MAG_BEGIN(storm);
	self->byte = 'x';
	for (; self->rounds; self->rounds--) {
		pair_open(&self->pair, self->world);
		MAG_GROUP_BEGIN(&self->group);
		for (self->i = 0; self->i < READERS; self->i++) {
			MAG_SPAWN(self->rc, &self->group, any_byte, .fd = self->pair.fd[0],
				  .patience = (uint64_t)((self->i + self->rounds) % 4) * 100);
			if (self->i % 3 == 0)
				MAG_AWAIT(self->rc, transmit, self->pair.fd[1], &self->byte, 1);
		}
		if (self->rounds % 2)
			MAG_AWAIT(self->rc, mag_sleep, 100);
		MAG_AWAIT(self->rc, mag_close, self->pair.fd[0]);
		CHECK(self->rc == 0);
		MAG_GROUP_END(self->rc, &self->group);
		CHECK(self->rc == 0);
		MAG_AWAIT(self->rc, mag_close, self->pair.fd[1]);
	}
	MAG_RETURN(self->rc);
	MAG_END;
}

Test(file_turns, turns_deadlines_and_closing_race, .timeout = 60)
{
	struct play p;
	int64_t rc;

	EACH_WORLD(p, n) {
		play_run(&p, rc, storm, .world = p.world, .rounds = 1000 / PLAY_SLOWDOWN);
		cr_assert_eq(rc, 0);
	}
}
