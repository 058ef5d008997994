/* SPDX-License-Identifier: MIT */
/* test_select.c - src/task/select.c: exactly one of several things happens, and the others as if nobody had waited. */
#include <magpie/select.h>
#include <magpie/time.h>

#include <criterion/criterion.h>

#include "support/matrix.h"

enum { EVENT, FUTURE, ACQUIRE, POP, PUSH, HANDLE, CASES };

/* One of each kind; nothing of it is to be had. */
struct things {
	mag_event event;
	mag_future future;
	mag_semaphore semaphore;
	mag_queue empty, full;
	mag_handle handle;
	mag_event go;
	uint64_t popped, pushed;
};

static void things_make(struct things *t)
{
	uint64_t word = 1;

	mag_event_init(&t->event);
	mag_event_init(&t->go);
	mag_future_init(&t->future);
	mag_semaphore_init(&t->semaphore, 1, 10);
	mag_queue_init(&t->empty, 1, sizeof(word));
	mag_queue_init(&t->full, 1, sizeof(word));
	mag_queue_try_push(&t->full, &word);
	t->popped = 0;
	t->pushed = 2;
}

static uint32_t all_waiting(struct things *t)
{
	return waiting(&t->event.waitq) + waiting(&t->future.waiters) + waiting(&t->semaphore.waitq) +
	       waiting(&t->empty.waitq) + waiting(&t->full.waitq) + waiting(&t->handle.waiters);
}

static int things_end(struct things *t)
{
	int rc = all_waiting(t);

	rc |= mag_event_fini(&t->event) | mag_event_fini(&t->go) | mag_semaphore_fini(&t->semaphore) |
	      mag_queue_fini(&t->empty) | mag_queue_fini(&t->full);
	mag_future_fini(&t->future);
	return rc;
}

static void cases_of(struct things *t, mag_case *c)
{
	mag_case_event(&c[EVENT], &t->event);
	mag_case_future(&c[FUTURE], &t->future);
	mag_case_acquire(&c[ACQUIRE], &t->semaphore, 2);
	mag_case_pop(&c[POP], &t->empty, &t->popped);
	mag_case_push(&c[PUSH], &t->full, &t->pushed);
	mag_case_handle(&c[HANDLE], &t->handle);
}

/* The task that a handle is for. */
struct ends {
	mag_frame frame;
	MAG_ARGS(ends, struct things *t;);
	int64_t rc;
};

MAG_TASK(ends)
{
	MAG_BEGIN(ends);
	MAG_AWAIT(self->rc, mag_event_wait, &self->t->go);
	MAG_RETURN(self->rc < 0 ? self->rc : 17);
	MAG_END;
}

static void give(struct things *t, int which)
{
	uint64_t word = 42;

	if (which == EVENT)
		mag_event_set(&t->event);
	else if (which == FUTURE)
		mag_future_complete(&t->future, 5);
	else if (which == ACQUIRE)
		mag_semaphore_release(&t->semaphore, 1);
	else if (which == POP)
		mag_queue_try_push(&t->empty, &word);
	else if (which == PUSH)
		mag_queue_try_pop(&t->full, &word);
	else
		mag_event_set(&t->go);
}

static const int64_t results[CASES] = { [FUTURE] = 5, [HANDLE] = 17 };

/* What did not happen is there to be had; what did is gone. */
static bool as_if_alone(struct things *t, int which)
{
	return mag_semaphore_permits(&t->semaphore) == (which == ACQUIRE ? 0 : 1) && mag_queue_length(&t->empty) == 0 &&
	       t->popped == (which == POP ? 42 : 0) && mag_queue_length(&t->full) == 1 &&
	       mag_handle_done(&t->handle) == (which == HANDLE);
}

struct selects {
	mag_frame frame;
	MAG_ARGS(selects, struct things *t; int64_t * chosen; int64_t * result; bool with_deadline;);
	mag_case cases[CASES + 1];
};

MAG_TASK(selects)
{
	MAG_BEGIN(selects);
	cases_of(self->t, self->cases);
	mag_case_until(&self->cases[CASES], mag_deadline_in(2 * MAG_MILLISECOND));
	MAG_AWAIT(*self->chosen, mag_select, self->cases, (uint32_t)CASES + self->with_deadline);
	if (*self->chosen >= 0)
		*self->result = self->cases[*self->chosen].result;
	MAG_RETURN(0);
	MAG_END;
}

/* which: what happens; CASES: the deadline; above: it is cancelled. */
struct one {
	mag_frame frame;
	MAG_ARGS(one, int which;);
	struct things t;
	mag_group group, other;
	int64_t rc, chosen, result;
};

MAG_TASK(one)
{
	MAG_BEGIN(one);
	things_make(&self->t);
	self->chosen = self->result = 99;
	MAG_GROUP_BEGIN(&self->other);
	MAG_SPAWN_AS(self->rc, &self->t.handle, &self->other, ends, .t = &self->t);
	NEED(self->rc == 0);
	MAG_GROUP_BEGIN(&self->group);
	MAG_SPAWN(self->rc, &self->group, selects, .t = &self->t, .chosen = &self->chosen, .result = &self->result,
		  .with_deadline = self->which == CASES);
	NEED(self->rc == 0);
	if (self->which != CASES)
		UNTIL_WAITING(self->rc, &self->t.event.waitq, 1);
	if (self->which < CASES) {
		NEED(all_waiting(&self->t) == CASES);
		give(&self->t, self->which);
	} else if (self->which > CASES) {
		mag_group_cancel(&self->group);
	}
	MAG_GROUP_END(self->rc, &self->group);
	NEED(self->chosen == (self->which > CASES ? MAG_ECANCELED : self->which));
	NEED(self->which >= CASES || self->result == results[self->which]);
	NEED(self->which != CASES || self->result == 0);
	NEED(all_waiting(&self->t) == 0);
	NEED(as_if_alone(&self->t, self->which));
	mag_event_set(&self->t.go);
	MAG_GROUP_END(self->rc, &self->other);
	NEED(self->rc == 0);
	NEED(things_end(&self->t) == 0);
	MAG_RETURN(0);
	MAG_END;
}

Test(select, one_of_each_kind_happens_alone, .timeout = 30)
{
	for (int which = 0; which <= CASES + 1; which++) {
		int64_t rc = RUN(2, one, .which = which);

		cr_assert_eq(rc, 0, "case %d: %s", which, where(rc));
	}
}

/* Several can happen at once. */
struct ready {
	mag_frame frame;
	MAG_NO_ARGS(ready);
	struct things t;
	mag_case cases[CASES + 1];
	mag_queue meeting;
	mag_group group;
	int64_t rc, i;
	uint32_t seen;
};

MAG_TASK(ready)
{
	MAG_BEGIN(ready);
	things_make(&self->t);
	cases_of(&self->t, self->cases);
	MAG_AWAIT(self->rc, mag_select, self->cases, 0);
	NEED(self->rc == -EINVAL);
	MAG_AWAIT(self->rc, mag_select, self->cases, MAG_SELECT_MAX + 1);
	NEED(self->rc == -EINVAL);
	MAG_GROUP_BEGIN(&self->group);
	MAG_SPAWN_AS(self->rc, &self->t.handle, &self->group, ends, .t = &self->t);
	mag_case_until(&self->cases[CASES], 0);
	MAG_AWAIT(self->rc, mag_select, self->cases, CASES + 1);
	NEED(self->rc == CASES);
	NEED(all_waiting(&self->t) == 0);
	give(&self->t, PUSH);
	give(&self->t, FUTURE);
	give(&self->t, POP);
	MAG_AWAIT(self->rc, mag_select_first, self->cases, CASES + 1);
	NEED(self->rc == FUTURE && self->cases[FUTURE].result == 5);
	NEED(mag_queue_length(&self->t.full) == 0 && mag_queue_length(&self->t.empty) == 1);
	for (self->i = 0; self->i < 200; self->i++) {
		uint64_t word = 1;

		mag_queue_try_pop(&self->t.full, &word);
		mag_queue_try_push(&self->t.empty, &word);
		MAG_AWAIT(self->rc, mag_select, self->cases, CASES + 1);
		NEED(self->rc == FUTURE || self->rc == PUSH || self->rc == POP);
		NEED(mag_queue_length(&self->t.full) == (self->rc == PUSH));
		NEED(mag_queue_length(&self->t.empty) == (self->rc != POP));
		self->seen |= 1u << self->rc;
	}
	NEED(self->seen == (1u << FUTURE | 1u << PUSH | 1u << POP));
	mag_queue_close(&self->t.empty);
	mag_case_acquire(&self->cases[0], &self->t.semaphore, 11);
	MAG_AWAIT(self->rc, mag_select_first, self->cases, 1);
	NEED(self->rc == 0 && self->cases[0].result == -EINVAL);
	mag_queue_try_pop(&self->t.empty, &self->t.popped);
	mag_case_pop(&self->cases[0], &self->t.empty, &self->t.popped);
	MAG_AWAIT(self->rc, mag_select_first, self->cases, 1);
	NEED(self->rc == 0 && self->cases[0].result == MAG_ECLOSED);
	mag_case_acquire(&self->cases[0], &self->t.semaphore, 2);
	mag_case_acquire(&self->cases[1], &self->t.semaphore, 1);
	MAG_AWAIT(self->rc, mag_select, self->cases, 2);
	NEED(self->rc == -EINVAL);
	mag_queue_init_as(&self->meeting, &(mag_queue_options){ .size = sizeof(mag_queue_options), .element_size = 8 });
	mag_case_pop(&self->cases[0], &self->meeting, &self->t.popped);
	mag_case_push(&self->cases[1], &self->meeting, &self->t.pushed);
	MAG_AWAIT(self->rc, mag_select, self->cases, 2);
	NEED(self->rc == -EINVAL);
	mag_queue_fini(&self->meeting);
	mag_event_set(&self->t.go);
	MAG_GROUP_END(self->rc, &self->group);
	NEED(things_end(&self->t) == 0);
	MAG_RETURN(0);
	MAG_END;
}

Test(select, of_several_at_once_one_happens, .timeout = 30)
{
	int64_t rc = RUN(1, ready);

	cr_assert_eq(rc, 0, "%s", where(rc));
}

/* A select that leaves must not hold up who waits behind it: it wanted three permits, the other wants one. */
struct head {
	mag_frame frame;
	MAG_ARGS(head, mag_semaphore *semaphore; mag_event * event;);
	mag_case cases[2];
	int64_t rc;
};

MAG_TASK(head)
{
	MAG_BEGIN(head);
	mag_case_acquire(&self->cases[0], self->semaphore, 3);
	mag_case_event(&self->cases[1], self->event);
	MAG_AWAIT(self->rc, mag_select, self->cases, 2);
	NEED(self->rc == 1);
	MAG_RETURN(0);
	MAG_END;
}

struct takes {
	mag_frame frame;
	MAG_ARGS(takes, mag_semaphore *semaphore;);
	int64_t rc;
};

MAG_TASK(takes)
{
	MAG_BEGIN(takes);
	MAG_AWAIT(self->rc, mag_semaphore_acquire, self->semaphore, 1);
	MAG_RETURN(self->rc);
	MAG_END;
}

struct behind_head {
	mag_frame frame;
	MAG_NO_ARGS(behind_head);
	mag_semaphore semaphore;
	mag_event event;
	mag_group group;
	int64_t rc;
};

MAG_TASK(behind_head)
{
	MAG_BEGIN(behind_head);
	mag_semaphore_init(&self->semaphore, 2, 3);
	mag_event_init(&self->event);
	MAG_GROUP_BEGIN(&self->group);
	MAG_SPAWN(self->rc, &self->group, head, .semaphore = &self->semaphore, .event = &self->event);
	UNTIL_WAITING(self->rc, &self->semaphore.waitq, 1);
	MAG_SPAWN(self->rc, &self->group, takes, .semaphore = &self->semaphore);
	UNTIL_WAITING(self->rc, &self->semaphore.waitq, 2);
	mag_event_set(&self->event);
	MAG_GROUP_END(self->rc, &self->group);
	NEED(self->rc == 0);
	NEED(mag_semaphore_permits(&self->semaphore) == 1);
	MAG_RETURN(0);
	MAG_END;
}

/* Tried: a kind without `leave`; the second then waits for ever. */
Test(select, who_leaves_lets_those_behind_go, .timeout = 30)
{
	int64_t rc = RUN(2, behind_head);

	cr_assert_eq(rc, 0, "%s", where(rc));
}

/* Somebody barges in between a release and the select that it woke. */
struct barged {
	mag_frame frame;
	MAG_NO_ARGS(barged);
	mag_semaphore semaphore;
	mag_event event;
	mag_group group;
	int64_t rc, chosen, end;
	mag_case cases[2];
};

struct chooses {
	mag_frame frame;
	MAG_ARGS(chooses, struct barged *b;);
};

MAG_TASK(chooses)
{
	MAG_BEGIN(chooses);
	mag_case_acquire(&self->b->cases[0], &self->b->semaphore, 1);
	mag_case_event(&self->b->cases[1], &self->b->event);
	MAG_AWAIT(self->b->chosen, mag_select, self->b->cases, 2);
	MAG_RETURN(0);
	MAG_END;
}

MAG_TASK(barged)
{
	MAG_BEGIN(barged);
	NEED(mag_semaphore_init_as(&self->semaphore, 0, 1, MAG_BARGING) == 0);
	mag_event_init(&self->event);
	MAG_GROUP_BEGIN(&self->group);
	MAG_SPAWN(self->rc, &self->group, chooses, .b = self);
	UNTIL_WAITING(self->rc, &self->event.waitq, 1);
	mag_semaphore_release(&self->semaphore, 1);
	self->rc = mag_semaphore_try_acquire(&self->semaphore, 1);
	mag_event_set(&self->event);
	MAG_GROUP_END(self->end, &self->group);
	NEED(self->end == 0);
	NEED(self->chosen == (self->rc == 0 ? 1 : 0));
	NEED(mag_semaphore_permits(&self->semaphore) == 0);
	MAG_RETURN(0);
	MAG_END;
}

/* Tried: a case that a barging semaphore wakes to try for itself; it then waits for the semaphore alone. */
Test(select, who_is_woken_has_what_it_was_woken_for, .timeout = 30)
{
	int64_t rc = RUN(1, barged);

	cr_assert_eq(rc, 0, "%s", where(rc));
}
