/* SPDX-License-Identifier: MIT */
/* test_source_refused.c - a multishot request that is to end while there is no memory to cancel it with. */
#include "play.h"

#include <magpie/acceptor.h>
#include <magpie/tcp.h>

#include "task/iop.h"

enum { RING = 8 };

static void forget(struct magi_worker *w, struct magi_slot *s, const struct magi_rec *rec)
{
	(void)rec;
	magi_slot_give(&w->slots, s);
}

struct starved_close {
	mag_frame frame;
	MAG_ARGS(starved_close, uint32_t *starving;);
	mag_fd listener;
	mag_addr addr;
	mag_acceptor acceptor;
	int64_t rc;
};

/* The accept and as many operations that do nothing fill the queue before any of them gets to the kernel. */
MAG_TASK(starved_close)
{
	MAG_BEGIN(starved_close);
	MAG_AWAIT(self->rc, mag_sleep, MAG_MILLISECOND); /* the ring listens to its doorbell */
	if (mag_addr_parse(&self->addr, "127.0.0.1:0") < 0 || mag_tcp_listen(&self->addr, NULL, &self->listener) < 0)
		MAG_RETURN(-1);
	self->rc = mag_acceptor_start(&self->acceptor, self->listener, NULL);
	if (self->rc < 0)
		MAG_RETURN(self->rc);
	for (int i = 1; i < RING; i++) {
		struct magi_req nop = { .code = MAGI_IO_NOP };

		if (!magi_io_start(magi_worker_of(w), &nop, NULL, NULL, forget))
			MAG_RETURN(-ENOMEM);
	}
	magi_fault_plan(1, 1);
	raise_flag(self->starving);
	MAG_AWAIT(self->rc, mag_acceptor_close, &self->acceptor);
	MAG_AWAIT(self->rc, mag_close, self->listener);
	MAG_RETURN(self->rc);
	MAG_END;
}

/* Tried: a source that forgets a cancel that was refused: closing waits for ever. */
Test(source_refused, it_is_closed_when_there_is_memory_again, .timeout = 20)
{
	mag_runtime_options options = { .size = sizeof(options), .workers = 1, .ring_entries = RING, .backend = "uring" };
	uint32_t starving = 0;
	mag_future done;
	mag_runtime *rt;
	int rc = mag_runtime_create(&options, &rt);

	if (rc == MAG_EBACKEND)
		cr_skip_test("%s", mag_runtime_why());
	cr_assert_eq(rc, 0);
	mag_future_init(&done);
	cr_assert_eq(mag_spawn_from(rt, &done, starved_close, .starving = &starving), 0);
	while (!is_raised(&starving) || magi_fault_reached() < 2)
		sched_yield();
	magi_fault_plan(0, 0);
	cr_assert_eq(play_wait(&done), 0);
	ledger_closes(rt);
	cr_assert_eq(mag_runtime_destroy(rt, mag_deadline_in(30 * MAG_SECOND)), 0);
}
