/* SPDX-License-Identifier: MIT */
/* trade.h - a small program whose tasks hand things to one another, by a queue of any kind, a oneshot, a watch and a
 * broadcast, with deadlines that fall into the middle. What is handed over is in the ledger, which ends at zero; it may
 * be cancelled. */
#ifndef MAGPIE_TESTS_TRADE_H
#define MAGPIE_TESTS_TRADE_H

#include <magpie/magpie.h>
#include <magpie/ledger.h>
#include <magpie/sim.h>

#define TRADE_SOON(i) (mag_deadline_in((uint64_t)(3 + (i) * 7) * MAG_MICROSECOND))

/* Pushes until it loses patience. */
struct trade_giver {
	mag_frame frame;
	MAG_ARGS(trade_giver, mag_queue *q; int i;);
	uint64_t item;
	int64_t rc;
};

MAG_TASK(trade_giver)
{
	MAG_BEGIN(trade_giver);
	for (self->item = 1; self->item <= 3; self->item++) {
		MAG_AWAIT(self->rc, mag_queue_push_until, self->q, &self->item, TRADE_SOON(self->i));
		mag_ledger_add("items", self->rc == 0 ? (int64_t)self->item : 0);
		if (self->rc < 0)
			break;
	}
	MAG_RETURN(0);
	MAG_END;
}

/* Pops until there is no more, or it loses patience. */
struct trade_taker {
	mag_frame frame;
	MAG_ARGS(trade_taker, mag_queue *q; int i;);
	uint64_t item;
	int64_t rc;
};

MAG_TASK(trade_taker)
{
	MAG_BEGIN(trade_taker);
	for (;;) {
		MAG_AWAIT(self->rc, mag_queue_pop_until, self->q, &self->item, TRADE_SOON(self->i));
		if (self->rc < 0)
			break;
		mag_ledger_add("items", -(int64_t)self->item);
		mag_sim_assert(mag_queue_task_done(self->q) == 0);
	}
	MAG_RETURN(0);
	MAG_END;
}

static void trade_back(void *arg, void *element)
{
	(void)arg;
	mag_ledger_add("items", -(int64_t) * (uint64_t *)element);
}

/* Answers once; tells all; changes the level; in an order that its number says. */
struct trade_teller {
	mag_frame frame;
	MAG_ARGS(trade_teller, mag_oneshot *answer; mag_broadcast * news; mag_watch * level; int i;);
	int64_t rc;
	uint64_t n;
};

MAG_TASK(trade_teller)
{
	MAG_BEGIN(trade_teller);
	for (self->n = 1; self->n <= 3; self->n++) {
		if ((uint64_t)self->i == self->n)
			mag_ledger_add("answers", mag_oneshot_send(self->answer, &self->n) == 0);
		(void)mag_broadcast_send(self->news, &self->n);
		(void)mag_watch_send(self->level, &self->n);
		if (self->n == 2)
			MAG_YIELD(self->rc);
	}
	mag_broadcast_close(self->news);
	mag_watch_close(self->level);
	MAG_RETURN(0);
	MAG_END;
}

struct trade_asker {
	mag_frame frame;
	MAG_ARGS(trade_asker, mag_oneshot *answer; int i;);
	uint64_t got;
	int64_t rc;
};

MAG_TASK(trade_asker)
{
	MAG_BEGIN(trade_asker);
	MAG_AWAIT(self->rc, mag_oneshot_recv_until, self->answer, &self->got, TRADE_SOON(self->i));
	mag_ledger_add("answers", self->rc == 0 ? -1 : 0);
	MAG_RETURN(0);
	MAG_END;
}

/* Sees that what it had and what it missed is what was sent, and that the level's last value is the last. */
struct trade_listener {
	mag_frame frame;
	MAG_ARGS(trade_listener, mag_broadcast_receiver *news; mag_watch * level;);
	uint64_t next, got, seen;
	int64_t rc;
};

MAG_TASK(trade_listener)
{
	MAG_BEGIN(trade_listener);
	self->next = 1;
	for (;;) {
		MAG_AWAIT(self->rc, mag_broadcast_recv_until, self->news, &self->got, TRADE_SOON(self->next));
		if (self->rc == MAG_ETIMEDOUT)
			continue;
		if (self->rc < 0)
			break;
		mag_sim_assert(self->rc > 0 || self->got == self->next);
		self->next += self->rc > 0 ? (uint64_t)self->rc : 1;
	}
	mag_sim_assert(self->rc != MAG_ECLOSED || self->next == 4);
	self->seen = self->got = 0;
	for (;;) {
		MAG_AWAIT(self->rc, mag_watch_changed, self->level, self->seen);
		if (self->rc < 0)
			break;
		self->seen = mag_watch_get(self->level, &self->got);
	}
	mag_sim_assert(self->rc != MAG_ECLOSED || self->got == 3);
	MAG_RETURN(0);
	MAG_END;
}

static int trade_smaller_first(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

/* kind: 0 rendezvous, then first in first out, last in first out, priority */
struct trade {
	mag_frame frame;
	MAG_ARGS(trade, int kind;);
	mag_queue q;
	mag_oneshot answer;
	mag_broadcast news;
	mag_broadcast_receiver receiver[2];
	mag_watch level;
	mag_group group;
	uint64_t room, first;
	int64_t rc;
	int i;
};

MAG_TASK(trade)
{
	MAG_BEGIN(trade);
	self->rc = mag_queue_init_as(&self->q, &(mag_queue_options){
		.size = sizeof(mag_queue_options), .capacity = self->kind ? 2 : 0, .element_size = sizeof(uint64_t),
		.order = self->kind == 3 ? MAG_QUEUE_PRIORITY : self->kind == 2 ? MAG_QUEUE_LIFO : MAG_QUEUE_FIFO,
		.before = trade_smaller_first });
	if (self->rc < 0)
		MAG_RETURN(0);
	if (mag_broadcast_init(&self->news, 2, sizeof(uint64_t)) < 0) {
		mag_queue_fini(&self->q);
		MAG_RETURN(0);
	}
	self->first = 0;
	mag_oneshot_init(&self->answer, &self->room, sizeof(self->room));
	mag_watch_init(&self->level, &self->first, sizeof(self->first));
	MAG_GROUP_BEGIN(&self->group, .policy = MAG_COLLECT);
	for (self->i = 0; self->i < 2; self->i++) {
		mag_broadcast_subscribe(&self->news, &self->receiver[self->i]);
		MAG_SPAWN(self->rc, &self->group, trade_giver, .q = &self->q, .i = self->i + 1);
		MAG_SPAWN(self->rc, &self->group, trade_taker, .q = &self->q, .i = self->i + 1);
		MAG_SPAWN(self->rc, &self->group, trade_asker, .answer = &self->answer, .i = self->i);
		MAG_SPAWN(self->rc, &self->group, trade_listener, .news = &self->receiver[self->i],
			  .level = &self->level);
	}
	MAG_CALL(self->rc, trade_teller, .answer = &self->answer, .news = &self->news, .level = &self->level,
		 .i = 1 + self->kind % 3);
	mag_broadcast_close(&self->news); /* it may not have been started */
	mag_watch_close(&self->level);
	MAG_AWAIT(self->rc, mag_queue_join_until, &self->q, TRADE_SOON(2));
	(void)mag_queue_drain(&self->q, trade_back, NULL);
	MAG_AWAIT(self->rc, mag_queue_join, &self->q); /* what was taken will be done */
	mag_sim_assert(self->rc == 0 || self->rc == MAG_ECANCELED);
	MAG_GROUP_END(self->rc, &self->group);
	mag_group_clear(&self->group);
	mag_sim_assert(self->q.unfinished == 0 && mag_queue_fini(&self->q) == 0);
	mag_ledger_add("answers", mag_oneshot_try_recv(&self->answer, &self->first) == 0 ? -1 : 0);
	for (self->i = 0; self->i < 2; self->i++)
		mag_broadcast_unsubscribe(&self->receiver[self->i]);
	mag_sim_assert(mag_broadcast_fini(&self->news) == 0 && mag_watch_fini(&self->level) == 0 &&
		       mag_oneshot_fini(&self->answer) == 0);
	MAG_RETURN(0);
	MAG_END;
}

#endif
