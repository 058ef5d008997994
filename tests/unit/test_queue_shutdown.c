/* SPDX-License-Identifier: MIT */
/* test_queue_shutdown.c - a runtime ends while tasks wait at queues of each kind, oneshots, watches and broadcasts:
 * each is told, nothing is taken or added, and all can be ended. */
#include <criterion/criterion.h>

#include "support/matrix.h"
#include "unit/play.h"

enum wait { FULL_PUSH, EMPTY_POP, MEETING_PUSH, MEETING_POP, JOIN, RECV, CHANGED, HEAR, WAITS };

struct things {
	mag_queue full, empty, meeting[2];
	mag_oneshot oneshot;
	mag_watch watch;
	mag_broadcast broadcast;
	mag_broadcast_receiver receiver;
	uint64_t oneshot_room, watch_room;
};

struct guest {
	mag_frame frame;
	MAG_ARGS(guest, struct things *t; enum wait what;);
	uint64_t item;
	int64_t rc;
};

MAG_TASK(guest)
{
	MAG_BEGIN(guest);
	self->item = 7;
	if (self->what == FULL_PUSH)
		MAG_AWAIT(self->rc, mag_queue_push, &self->t->full, &self->item);
	else if (self->what == EMPTY_POP)
		MAG_AWAIT(self->rc, mag_queue_pop, &self->t->empty, &self->item);
	else if (self->what == MEETING_PUSH)
		MAG_AWAIT(self->rc, mag_queue_push, &self->t->meeting[0], &self->item);
	else if (self->what == MEETING_POP)
		MAG_AWAIT(self->rc, mag_queue_pop, &self->t->meeting[1], &self->item);
	else if (self->what == JOIN)
		MAG_AWAIT(self->rc, mag_queue_join, &self->t->full);
	else if (self->what == RECV)
		MAG_AWAIT(self->rc, mag_oneshot_recv, &self->t->oneshot, &self->item);
	else if (self->what == CHANGED)
		MAG_AWAIT(self->rc, mag_watch_changed, &self->t->watch, mag_watch_version(&self->t->watch));
	else
		MAG_AWAIT(self->rc, mag_broadcast_recv, &self->t->receiver, &self->item);
	MAG_RETURN(self->rc);
	MAG_END;
}

static void things_init(struct things *t)
{
	const uint64_t first = 1;

	cr_assert_eq(mag_queue_init(&t->full, 1, sizeof(uint64_t)), 0);
	cr_assert_eq(mag_queue_try_push(&t->full, &first), 0);
	cr_assert_eq(mag_queue_init(&t->empty, 1, sizeof(uint64_t)), 0);
	for (int i = 0; i < 2; i++)
		cr_assert_eq(mag_queue_init(&t->meeting[i], 0, sizeof(uint64_t)), 0);
	mag_oneshot_init(&t->oneshot, &t->oneshot_room, sizeof(uint64_t));
	mag_watch_init(&t->watch, &t->watch_room, sizeof(uint64_t));
	cr_assert_eq(mag_broadcast_init(&t->broadcast, 1, sizeof(uint64_t)), 0);
	cr_assert_eq(mag_broadcast_subscribe(&t->broadcast, &t->receiver), 0);
}

static bool all_wait(struct things *t)
{
	return waiting(&t->full.waitq) && waiting(&t->full.joiners) && waiting(&t->empty.waitq) &&
	       waiting(&t->meeting[0].waitq) && waiting(&t->meeting[1].waitq) && waiting(&t->oneshot.waitq) &&
	       waiting(&t->watch.waitq) && waiting(&t->broadcast.waitq);
}

/* Nobody's element has gone, and each can be had that is given now. */
static void things_are_whole(struct things *t)
{
	uint64_t item = 0;

	cr_assert(mag_queue_length(&t->full) == 1 && mag_queue_try_pop(&t->full, &item) == 0 && item == 1);
	cr_assert_eq(mag_queue_task_done(&t->full), 0);
	cr_assert_eq(mag_queue_try_pop(&t->full, &item), -EAGAIN);
	item = 2;
	cr_assert_eq(mag_queue_try_push(&t->empty, &item), 0);
	cr_assert_eq(mag_queue_length(&t->empty), 1);
	cr_assert_eq(mag_queue_try_pop(&t->meeting[0], &item), -EAGAIN);
	cr_assert_eq(mag_queue_try_push(&t->meeting[1], &item), -EAGAIN);
	cr_assert_eq(mag_oneshot_send(&t->oneshot, &item), 0);
	cr_assert_eq(mag_oneshot_try_recv(&t->oneshot, &item), 0);
	cr_assert_eq(mag_broadcast_send(&t->broadcast, &item), 1);
	cr_assert_eq(mag_broadcast_try_recv(&t->receiver, &item), 0);
}

static void things_fini(struct things *t)
{
	cr_assert_eq(mag_queue_fini(&t->full), 0);
	cr_assert_eq(mag_queue_fini(&t->empty), 0);
	for (int i = 0; i < 2; i++)
		cr_assert_eq(mag_queue_fini(&t->meeting[i]), 0);
	cr_assert_eq(mag_oneshot_fini(&t->oneshot), 0);
	cr_assert_eq(mag_watch_fini(&t->watch), 0);
	cr_assert_eq(mag_broadcast_unsubscribe(&t->receiver), 1);
	cr_assert_eq(mag_broadcast_fini(&t->broadcast), 0);
}

static void shut_down(mag_runtime *rt, struct things *t)
{
	mag_future done[WAITS];
	int64_t rc;

	things_init(t);
	for (int i = 0; i < WAITS; i++) {
		mag_future_init(&done[i]);
		cr_assert_eq(mag_spawn_from(rt, &done[i], guest, .t = t, .what = (enum wait)i), 0);
	}
	while (!all_wait(t))
		sched_yield();
	cr_assert_eq(mag_runtime_destroy(rt, mag_deadline_in(30 * MAG_SECOND)), 0);
	for (int i = 0; i < WAITS; i++) {
		cr_assert(mag_future_poll(&done[i], &rc));
		cr_assert_eq(rc, MAG_ECANCELED, "%d: %s", i, where(rc));
		mag_future_fini(&done[i]);
	}
	things_are_whole(t);
	things_fini(t);
}

Test(queue_shutdown, who_waits_is_told_and_nothing_is_lost, .timeout = 60)
{
	const mag_runtime_options options = { .size = sizeof(options), .workers = 2 };
	static struct things t;

	for (int i = 0; i < 20; i++) {
		mag_runtime *rt;
		int rc = mag_runtime_create(&options, &rt);

		if (rc == MAG_EBACKEND)
			cr_skip_test("%s", mag_runtime_why());
		cr_assert_eq(rc, 0);
		shut_down(rt, &t);
	}
}
