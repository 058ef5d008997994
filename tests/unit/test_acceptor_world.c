/* SPDX-License-Identifier: MIT */
/* test_acceptor_world.c - what an acceptor does in the backend's own time: the sim backend has no reserve that could help
 * when descriptors run out, and knows how often it was asked. */
#include "gates.h"

#include <magpie/acceptor.h>
#include <magpie/tcp.h>

static uint64_t operations(void)
{
	mag_stats stats = { .size = sizeof(stats) };

	mag_runtime_stats(mag_runtime_current(), &stats);
	return stats.io;
}

static void adopt_listener(struct magi_world *world, mag_fd *listener, mag_addr *addr)
{
	int raw = magi_world_listener(world);

	addr->len = magi_world_address(raw, &addr->storage);
	CHECK(mag_fd_adopt(raw, listener) == 0);
}

/* A client that nobody has a descriptor for, for ten seconds; then somebody has. */
enum { SHORT_S = 10, TRIES_MAX = 30 }; /* in a second: two for each of the ten waits, and a few */

struct shortage {
	mag_frame frame;
	MAG_ARGS(shortage, struct magi_world *world;);
	mag_fd listener, client, fd;
	mag_addr addr;
	mag_acceptor acceptor;
	uint64_t before;
	int64_t rc;
};

MAG_TASK(shortage)
{
	MAG_BEGIN(shortage);
	adopt_listener(self->world, &self->listener, &self->addr);
	CHECK(mag_fd_adopt(magi_world_socket(self->world), &self->client) == 0);
	CHECK(mag_acceptor_start(&self->acceptor, self->listener, NULL) == 0);
	magi_world_limit_fds(self->world, magi_world_open_fds(self->world));
	MAG_AWAIT(self->rc, mag_connect, self->client, &self->addr);
	CHECK(self->rc == 0);
	self->before = operations();
	MAG_AWAIT(self->rc, mag_sleep, SHORT_S * MAG_SECOND);
	CHECK(operations() - self->before <= SHORT_S * TRIES_MAX);
	CHECK(operations() - self->before >= SHORT_S);
	magi_world_limit_fds(self->world, UINT32_MAX);
	MAG_AWAIT(self->rc, mag_acceptor_next, &self->acceptor, &self->fd);
	CHECK(self->rc == 0);
	MAG_AWAIT(self->rc, mag_close, self->fd);
	MAG_AWAIT(self->rc, mag_close, self->client);
	MAG_AWAIT(self->rc, mag_acceptor_close, &self->acceptor);
	MAG_AWAIT(self->rc, mag_close, self->listener);
	MAG_RETURN(0);
	MAG_END;
}

Test(acceptor_world, without_descriptors_it_asks_now_and_then, .timeout = 20)
{
	struct play p;
	int64_t rc;

	play_begin(&p, 1);
	play_run(&p, rc, shortage, .world = p.world);
	cr_assert_eq(rc, 0);
	play_end(&p);
}

/* Nobody closes it: its request must not outlive the ring that has it. What the acceptor itself holds is lost. */
struct forgetful {
	mag_frame frame;
	MAG_ARGS(forgetful, struct magi_world *world; mag_acceptor *acceptor;);
	mag_fd listener;
	mag_addr addr;
};

MAG_TASK(forgetful)
{
	MAG_BEGIN(forgetful);
	adopt_listener(self->world, &self->listener, &self->addr);
	CHECK(mag_acceptor_start(self->acceptor, self->listener, NULL) == 0);
	MAG_RETURN(0);
	MAG_END;
}

Test(acceptor_world, one_that_nobody_closes_ends_with_the_runtime, .timeout = 20)
{
	static mag_acceptor acceptor; /* so that it is not taken for leaked */
	struct play p;
	int64_t rc;

	play_begin(&p, 2);
	play_run(&p, rc, forgetful, .world = p.world, .acceptor = &acceptor);
	cr_assert_eq(rc, 0);
	cr_assert_eq(magi_world_ops_pending(p.world), 1);
	cr_assert_eq(mag_runtime_destroy(p.rt, mag_deadline_in(10 * MAG_SECOND)), 0);
	cr_assert_eq(magi_world_ops_pending(p.world), 0);
	magi_world_destroy(p.world);
}
