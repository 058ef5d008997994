/* SPDX-License-Identifier: MIT */
/* test_queue_faults.c - tasks at both ends of a bounded queue, while memory runs out: whichever allocation fails, no
 * element is lost or comes twice, nobody waits for ever, and no frame is left.
 *
 * Tried: mag_queue_init and magi_slab_refill that do not look at what they got; a spawn that counts its task before it
 * looks at the frame; a member's error that counts only if it can be listed, or after which its end is not told. */
#include "unit/play.h"

#include <stdio.h>

#include "support/matrix.h"

enum {
	PUSHERS = 3,
	POPPERS = 3,
	EACH = 40,
	ELEMENTS = PUSHERS * EACH,
	CAPACITY = 2, /* so that both ends wait */
	FILL = 10,    /* one popper leaves, with an error, after so many */
	TRIES = 8     /* for a frame, before a popper gives up */
};

struct element {
	uint32_t number;
	char name[20]; /* larger than a word, so that it goes by pointer while a push waits */
};

struct ledger {
	uint32_t pushed[ELEMENTS]; /* by the one that pushes it */
	uint32_t popped[ELEMENTS]; /* atomic, relaxed: the join orders it */
	uint32_t poppers;          /* atomic: those that still pop; the last one closes the queue */
	uint32_t failed;           /* atomic, relaxed: those that ended with an error */
	uint32_t started;          /* tasks */
};

static bool book(struct ledger *l, const struct element *e)
{
	char name[sizeof(e->name)];

	snprintf(name, sizeof(name), "element %u", e->number);
	if (e->number >= ELEMENTS || strcmp(name, e->name) != 0)
		return false;
	(void)magi_add_rlx(&l->popped[e->number], 1);
	return true;
}

static void leave(struct ledger *l, mag_queue *q)
{
	if (magi_sub_ar(&l->poppers, 1) == 1) /* [poppers] */
		mag_queue_close(q);
}

struct pusher {
	mag_frame frame;
	MAG_ARGS(pusher, mag_queue *queue; struct ledger *ledger; uint32_t from;);
	struct element e;
	uint32_t i;
	int64_t rc;
};

MAG_TASK(pusher)
{
	MAG_BEGIN(pusher);
	for (self->i = 0; self->i < EACH; self->i++) {
		self->e.number = self->from * EACH + self->i;
		snprintf(self->e.name, sizeof(self->e.name), "element %u", self->e.number);
		MAG_AWAIT(self->rc, mag_queue_push, self->queue, &self->e);
		if (self->rc < 0)
			break;
		self->ledger->pushed[self->e.number] = 1;
		memset(&self->e, 0, sizeof(self->e));
	}
	NEED(self->rc == 0 || self->rc == MAG_ECLOSED);
	MAG_RETURN(0);
	MAG_END;
}

/* One element into the ledger, by a call of its own: its frame is of another size, and there may be none. */
struct pop_one {
	mag_frame frame;
	MAG_ARGS(pop_one, mag_queue *queue; struct ledger *ledger;);
	struct element e;
	char room[3000];
	int64_t rc;
};

MAG_TASK(pop_one)
{
	MAG_BEGIN(pop_one);
	MAG_AWAIT(self->rc, mag_queue_pop, self->queue, &self->e);
	if (self->rc == 0)
		NEED(book(self->ledger, &self->e));
	MAG_RETURN(self->rc);
	MAG_END;
}

struct popper {
	mag_frame frame;
	MAG_ARGS(popper, mag_queue *queue; struct ledger *ledger; uint32_t fill;);
	uint32_t had, tries;
	int64_t rc;
};

MAG_TASK(popper)
{
	MAG_BEGIN(popper);
	self->had = self->tries = 0;
	self->rc = 0;
	while (self->had < self->fill && self->tries < TRIES) {
		MAG_CALL(self->rc, pop_one, .queue = self->queue, .ledger = self->ledger);
		if (self->rc < 0 && self->rc != -ENOMEM)
			break;
		if (self->rc == 0)
			self->had++;
		else
			self->tries++;
	}
	leave(self->ledger, self->queue);
	if (self->rc == MAG_ECLOSED)
		MAG_RETURN(0);
	(void)magi_add_rlx(&self->ledger->failed, 1);
	MAG_RETURN(self->rc < 0 ? self->rc : -ENOBUFS);
	MAG_END;
}

struct ends {
	mag_frame frame;
	MAG_ARGS(ends, struct ledger *ledger;);
	mag_queue queue;
	mag_group pushers, poppers;
	struct element left;
	uint32_t i;
	int64_t rc;
};

MAG_TASK(ends)
{
	MAG_BEGIN(ends);
	self->rc = mag_queue_init(&self->queue, CAPACITY, sizeof(struct element));
	if (self->rc < 0)
		MAG_RETURN(self->rc);
	self->ledger->poppers = POPPERS;
	MAG_GROUP_BEGIN(&self->poppers, .policy = MAG_COLLECT);
	for (self->i = 0; self->i < POPPERS; self->i++) {
		MAG_SPAWN(self->rc, &self->poppers, popper, .queue = &self->queue, .ledger = self->ledger,
			  .fill = self->i ? UINT32_MAX : FILL);
		NEED(self->rc == 0 || self->rc == -ENOMEM);
		if (self->rc == 0)
			self->ledger->started++;
		else
			leave(self->ledger, &self->queue);
	}
	MAG_GROUP_BEGIN(&self->pushers);
	for (self->i = 0; self->i < PUSHERS; self->i++) {
		MAG_SPAWN(self->rc, &self->pushers, pusher, .queue = &self->queue, .ledger = self->ledger,
			  .from = self->i);
		NEED(self->rc == 0 || self->rc == -ENOMEM);
		self->ledger->started += self->rc == 0;
	}
	MAG_GROUP_END(self->rc, &self->pushers);
	NEED(self->rc == 0);
	mag_queue_close(&self->queue);
	MAG_GROUP_END(self->rc, &self->poppers);
	NEED(self->rc == 0);
	NEED(mag_group_errors(&self->poppers, NULL) == self->ledger->failed);
	while (mag_queue_try_pop(&self->queue, &self->left) == 0)
		NEED(book(self->ledger, &self->left));
	NEED(mag_queue_fini(&self->queue) == 0);
	MAG_RETURN(0);
	MAG_END;
}

/* Each that was pushed was popped, once. Returns how many. */
static int audit(const struct ledger *l)
{
	int n = 0;

	for (int i = 0; i < ELEMENTS; i++) {
		cr_assert_eq(l->popped[i], l->pushed[i], "element %d: pushed %u times, popped %u times", i,
			     l->pushed[i], l->popped[i]);
		n += (int)l->pushed[i];
	}
	return n;
}

static void until_no_frame_is_used(mag_runtime *rt)
{
	mag_stats s = { .size = sizeof(s) };

	do
		cr_assert_eq(mag_runtime_stats(rt, &s), 0); /* the last frame goes after its future */
	while (s.frames);
}

/* Returns how many fault sites were reached. */
static uint64_t run_with_faults(mag_runtime *rt, uint64_t n, uint64_t every)
{
	struct ledger ledger = { 0 };
	uint64_t reached;
	mag_future done;
	int64_t rc;
	int arrived;

	mag_future_init(&done);
	magi_fault_plan(n, every);
	rc = mag_spawn_from(rt, &done, ends, .ledger = &ledger);
	if (rc == 0)
		rc = play_wait(&done);
	reached = magi_fault_reached();
	magi_fault_plan(0, 0);
	cr_assert(rc == 0 || rc == -ENOMEM, "fault %llu, %llu: %s", (unsigned long long)n, (unsigned long long)every,
		  where(rc));
	until_no_frame_is_used(rt);
	arrived = audit(&ledger);
	if (reached < n) {
		cr_assert_eq(ledger.started, PUSHERS + POPPERS);
		cr_assert_eq(arrived, ELEMENTS);
	}
	return reached;
}

/* On a runtime that has no frames yet. */
static uint64_t play_with_faults(uint64_t n, uint64_t every)
{
	struct play p;
	uint64_t reached;

	play_begin(&p, 2);
	reached = run_with_faults(p.rt, n, every);
	play_end(&p);
	return reached;
}

/* Which worker takes a frame first, and so how many sites there are, differs from run to run: a few must miss the
 * n-th. */
Test(queue_faults, each_allocation_in_turn_loses_no_element_and_leaves_no_frame, .timeout = 60)
{
	int missed = 0;

	for (uint64_t n = 1; missed < 5; n++)
		missed += play_with_faults(n, 0) < n;
}

Test(queue_faults, when_memory_stays_out_all_end_and_no_element_is_lost, .timeout = 60)
{
	for (uint64_t n = 1; n <= 16; n++)
		play_with_faults(n, 1);
}

Test(queue_faults, every_other_failure_loses_no_element_and_leaves_no_frame, .timeout = 60)
{
	for (uint64_t every = 2; every <= 5; every++) {
		for (uint64_t n = 1; n <= 8; n++)
			play_with_faults(n, every);
	}
}

/* There each entry into the kernel is a fault site too: what it refuses, a wake-up among others, is done later. */
Test(queue_faults, on_the_kernel_each_fault_in_turn_loses_no_element_and_leaves_no_frame, .timeout = 120)
{
	int missed = 0;

	for (uint64_t n = 1; missed < 5; n++) {
		mag_runtime *rt = play_real(2, n % 2 ? 5 : NEVER_SPIN); /* or skip */

		if (run_with_faults(rt, n, 0) >= n)
			run_with_faults(rt, n, 3);
		else
			missed++;
		ledger_closes(rt);
		cr_assert_eq(mag_runtime_destroy(rt, mag_deadline_in(30 * MAG_SECOND)), 0);
	}
}
