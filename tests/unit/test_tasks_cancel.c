/* SPDX-License-Identifier: MIT */
/* test_tasks_cancel.c - src/task: who waits for a future, for a task by its handle, for the next of a group, or for the first of
 * several things is cancelled, and nothing of it is lost. */
#include <magpie/magpie.h>
#include <stdlib.h>

#include "support/matrix.h"
#include "unit/play.h"

/* A future. */

struct future_subject {
	struct subject s;
	mag_future future;
};

static mag_future *future_of(struct subject *s)
{
	return &((struct future_subject *)s)->future;
}

static mag_frame *future_wait(mag_worker *w, mag_frame *f, struct subject *s, uint64_t *out)
{
	(void)out;
	return mag_future_await(w, f, future_of(s));
}

static mag_frame *future_wait_until(mag_worker *w, mag_frame *f, struct subject *s, uint64_t *out)
{
	(void)out;
	return mag_future_await_until(w, f, future_of(s), mag_deadline_in(3600 * MAG_SECOND));
}

static void future_give(struct subject *s, mag_worker *w, mag_frame *f)
{
	(void)w;
	(void)f;
	mag_future_complete(future_of(s), 0);
}

static bool future_reset(struct subject *s, mag_worker *w, mag_frame *f)
{
	bool had = mag_future_poll(future_of(s), NULL);

	(void)w;
	(void)f;
	mag_future_fini(future_of(s));
	mag_future_init(future_of(s));
	return had;
}

static void make_future(struct future_subject *s)
{
	s->s = (struct subject){ .wait = future_wait, .give = future_give, .reset = future_reset,
				 .waitq = &s->future.waiters, .stays = true, .result = true };
	mag_future_init(&s->future);
}

static void make_future_until(struct future_subject *s)
{
	make_future(s);
	s->s.wait = future_wait_until;
}

/* Tried: a completion that wakes one of those who wait. */
Test(tasks_cancel, cancelled_waiter_leaves_the_future_to_the_others, .timeout = 20)
{
	MATRIX_CASES(struct future_subject, make_future);
	MATRIX_CASES(struct future_subject, make_future_until);
}

Test(tasks_cancel, completed_and_cancelled_at_once_is_one_of_both, .timeout = 120)
{
	MATRIX_RACES(struct future_subject, make_future);
}

/* The first of several things: a permit or an element, whichever is given; what was not chosen is there. */

struct select_subject {
	struct subject s;
	mag_semaphore permits;
	mag_queue queue;
	mag_event never;
	uint64_t room[1];
	bool by_queue;
};

static struct select_subject *select_of(struct subject *s)
{
	return (struct select_subject *)s;
}

struct choice {
	mag_frame frame;
	MAG_ARGS(choice, struct subject *s;);
	mag_case cases[3];
	uint64_t item;
	int64_t rc;
};

MAG_TASK(choice)
{
	MAG_BEGIN(choice);
	mag_case_acquire(&self->cases[0], &select_of(self->s)->permits, 1);
	mag_case_pop(&self->cases[1], &select_of(self->s)->queue, &self->item);
	mag_case_event(&self->cases[2], &select_of(self->s)->never);
	self->item = 0;
	MAG_AWAIT(self->rc, mag_select, self->cases, 3);
	NEED(self->rc == MAG_ECANCELED || self->rc == select_of(self->s)->by_queue);
	NEED(self->rc < 0 || self->cases[self->rc].result == 0);
	NEED(self->item == (self->rc == 1 ? 3 : 0));
	MAG_RETURN(self->rc < 0 ? self->rc : 0);
	MAG_END;
}
SUBJECT_CALLS(choose, choice)

static mag_frame *select_wait(mag_worker *w, mag_frame *f, struct subject *s, uint64_t *out)
{
	(void)out;
	return choose(w, f, s);
}

static void select_give(struct subject *s, mag_worker *w, mag_frame *f)
{
	(void)w;
	(void)f;
	if (select_of(s)->by_queue)
		mag_queue_try_push(&select_of(s)->queue, &(uint64_t){ 3 });
	else
		mag_semaphore_release(&select_of(s)->permits, 1);
}

/* In none of the three is anybody left. */
static bool select_reset(struct subject *s, mag_worker *w, mag_frame *f)
{
	struct select_subject *of = select_of(s);
	uint64_t item;

	(void)w;
	(void)f;
	if (waiting(&of->permits.waitq) || waiting(&of->queue.waitq) || waiting(&of->never.waitq))
		abort();
	return (of->by_queue ? mag_queue_try_pop(&of->queue, &item) : mag_semaphore_try_acquire(&of->permits, 1)) == 0;
}

static void make_permit(struct select_subject *s)
{
	*s = (struct select_subject){
		.s = { .wait = select_wait, .give = select_give, .reset = select_reset, .waitq = &s->permits.waitq },
		.permits = MAG_SEMAPHORE_INIT(0, 1),
		.queue = MAG_QUEUE_INIT(s->room),
	};
	mag_event_init(&s->never);
}

static void make_element(struct select_subject *s)
{
	make_permit(s);
	s->by_queue = true;
	s->s.waitq = &s->queue.waitq;
}

/* Tried: a select that does not look at its scope first; one that gives up what was granted when it is cancelled then. */
Test(tasks_cancel, cancelled_select_has_taken_nothing, .timeout = 20)
{
	MATRIX_CASES(struct select_subject, make_permit);
	MATRIX_CASES(struct select_subject, make_element);
}

Test(tasks_cancel, chosen_and_cancelled_at_once_is_one_of_both, .timeout = 120)
{
	MATRIX_SOME_RACES(struct select_subject, make_permit, MATRIX_ROUNDS / 4);
	MATRIX_SOME_RACES(struct select_subject, make_element, MATRIX_ROUNDS / 4);
}

/* A task, by its handle: it goes on, and its result is there. */

enum { ONES = 6, RESULT = 42 };

struct handle_subject {
	struct subject s;
	mag_handle handle[ONES];
	mag_event ends[ONES];
	mag_future kept;
	mag_event begun;
	uint32_t at;
	uint32_t waits; /* atomic */
};

static struct handle_subject *handle_of(struct subject *s)
{
	return (struct handle_subject *)s;
}

struct member {
	mag_frame frame;
	MAG_ARGS(member, mag_event *ends;);
	mag_scope shield;
	int64_t rc;
};

MAG_TASK(member)
{
	MAG_BEGIN(member);
	MAG_SHIELD(&self->shield, MAG_NEVER);
	MAG_AWAIT(self->rc, mag_event_wait, self->ends);
	MAG_SCOPE_END(self->rc, &self->shield);
	MAG_RETURN(RESULT);
	MAG_END;
}

struct keeper {
	mag_frame frame;
	MAG_ARGS(keeper, struct handle_subject *h;);
	mag_group group;
	int64_t rc;
	int i;
};

MAG_TASK(keeper)
{
	MAG_BEGIN(keeper);
	MAG_GROUP_BEGIN(&self->group, .policy = MAG_COLLECT);
	for (self->i = 0; self->i < ONES; self->i++)
		MAG_SPAWN_AS(self->rc, &self->h->handle[self->i], &self->group, member, .ends = &self->h->ends[self->i]);
	mag_event_set(&self->h->begun);
	MAG_GROUP_END(self->rc, &self->group);
	MAG_RETURN(0);
	MAG_END;
}

struct enter {
	mag_frame frame;
	MAG_ARGS(enter, struct subject *s;);
	int64_t rc;
};

MAG_TASK(enter)
{
	MAG_BEGIN(enter);
	NEED(mag_spawn_from(mag_runtime_current(), &handle_of(self->s)->kept, keeper, .h = handle_of(self->s)) == 0);
	MAG_AWAIT(self->rc, mag_event_wait, &handle_of(self->s)->begun);
	MAG_RETURN(self->rc);
	MAG_END;
}
SUBJECT_CALLS(begin_all, enter)

struct leave {
	mag_frame frame;
	MAG_ARGS(leave, struct subject *s;);
	int64_t rc;
};

MAG_TASK(leave)
{
	MAG_BEGIN(leave);
	for (int i = 0; i < ONES; i++)
		mag_event_set(&handle_of(self->s)->ends[i]);
	MAG_AWAIT(self->rc, mag_future_await, &handle_of(self->s)->kept);
	mag_future_fini(&handle_of(self->s)->kept);
	MAG_RETURN(self->rc);
	MAG_END;
}
SUBJECT_CALLS(end_all, leave)

struct asks {
	mag_frame frame;
	MAG_ARGS(asks, struct subject *s;);
	mag_handle *handle;
	int64_t rc;
};

MAG_TASK(asks)
{
	MAG_BEGIN(asks);
	self->handle = &handle_of(self->s)->handle[handle_of(self->s)->at];
	magi_add_ar(&handle_of(self->s)->waits, 1u); /* [waits] */
	MAG_AWAIT(self->rc, mag_handle_wait, self->handle);
	magi_sub_rlx(&handle_of(self->s)->waits, 1u); /* [waits] */
	MAG_RETURN(self->rc == RESULT ? 0 : self->rc);
	MAG_END;
}
SUBJECT_CALLS(ask, asks)

static mag_frame *handle_wait(mag_worker *w, mag_frame *f, struct subject *s, uint64_t *out)
{
	(void)out;
	return ask(w, f, s);
}

static uint32_t handle_waits(struct subject *s)
{
	return magi_load_acq(&handle_of(s)->waits); /* [waits] */
}

static void handle_give(struct subject *s, mag_worker *w, mag_frame *f)
{
	(void)w;
	(void)f;
	mag_event_set(&handle_of(s)->ends[handle_of(s)->at]);
}

static bool handle_settled(struct subject *s)
{
	return mag_handle_done(&handle_of(s)->handle[handle_of(s)->at]);
}

static bool handle_reset(struct subject *s, mag_worker *w, mag_frame *f)
{
	mag_handle *h = &handle_of(s)->handle[handle_of(s)->at++];

	(void)w;
	(void)f;
	return mag_handle_done(h) && mag_handle_result(h) == RESULT;
}

static void make_handle(struct handle_subject *h)
{
	*h = (struct handle_subject){
		.s = { .wait = handle_wait, .give = handle_give, .settled = handle_settled, .reset = handle_reset,
		       .enter = begin_all, .leave = end_all, .waits = handle_waits, .stays = true, .late = true, .result = true },
	};
	mag_future_init(&h->kept);
	mag_event_init(&h->begun);
	for (int i = 0; i < ONES; i++)
		mag_event_init(&h->ends[i]);
}

/* Tried: a wait that is cancelled before it looks at the result. */
Test(tasks_cancel, cancelled_waiter_leaves_the_task_and_its_result, .timeout = 20)
{
	MATRIX_CASES(struct handle_subject, make_handle);
	MATRIX_CASES_ON(1, struct handle_subject, make_handle);
}

/* The next of a group: each member is given once, however often who asks gives up, and by whose doing. */

enum { MEMBERS = 16 };

struct brief {
	mag_frame frame;
	MAG_ARGS(brief, uint32_t turns;);
	int64_t rc;
};

MAG_TASK(brief)
{
	MAG_BEGIN(brief);
	while (self->turns--)
		MAG_YIELD(self->rc);
	MAG_RETURN(RESULT);
	MAG_END;
}

struct nexts {
	mag_frame frame;
	MAG_ARGS(nexts, int rounds;);
	mag_group group;
	mag_scope scope;
	mag_handle handle[MEMBERS], *next;
	uint32_t given, cancelled;
	int64_t rc, why;
	int round, i;
};

MAG_TASK(nexts)
{
	MAG_BEGIN(nexts);
	self->cancelled = 0;
	for (self->round = 0; self->round < self->rounds; self->round++) {
		MAG_GROUP_BEGIN(&self->group, .policy = MAG_COLLECT);
		for (self->i = 0; self->i < MEMBERS; self->i++)
			MAG_SPAWN_AS(self->rc, &self->handle[self->i], &self->group, brief, .turns = (uint32_t)self->i * 3);
		for (self->given = self->i = 0; self->given < MEMBERS; self->i++) {
			MAG_WITH_TIMEOUT(&self->scope, (uint64_t)(self->i % 5 + 1) * MAG_MICROSECOND);
			if (self->i % 7 == 0)
				mag_scope_cancel(&self->scope);
			MAG_AWAIT(self->rc, mag_group_next, &self->group, &self->next);
			MAG_SCOPE_END(self->why, &self->scope);
			NEED(self->rc == 1 || (self->rc == MAG_ECANCELED && self->why < 0));
			NEED(self->rc < 0 || mag_handle_result(self->next) == RESULT);
			self->cancelled += self->rc < 0;
			self->given += self->rc == 1;
		}
		NEED(mag_group_try_next(&self->group, &self->next) == 0);
		MAG_GROUP_END(self->rc, &self->group);
	}
	NEED(self->cancelled > 0);
	MAG_RETURN(0);
	MAG_END;
}

/* Tried: a member taken off the list by who is cancelled, and not given. */
Test(tasks_cancel, each_member_is_given_once_to_an_owner_that_gives_up_again_and_again, .timeout = 60)
{
	for (uint32_t n = 1; n <= 4; n *= 2) {
		int64_t rc = RUN(n, nexts, .rounds = 200 / PLAY_SLOWDOWN);

		cr_assert_eq(rc, 0, "%s", where(rc));
	}
}
