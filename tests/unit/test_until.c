/* SPDX-License-Identifier: MIT */
/* test_until.c - src/task/until.c: the twins of awaits that take a deadline. */
#include <magpie/magpie.h>
#include <stdio.h>

#include "play.h"
#include "support/matrix.h"

#undef RUN
#define RUN(rc, ...)                                    \
	do {                                            \
		struct play play_;                      \
		play_begin(&play_, 1);                  \
		play_run(&play_, rc, __VA_ARGS__);      \
		play_end(&play_);                       \
		cr_assert_eq(rc, 0, "%s", where(rc));   \
	} while (0)

/* Each twin, as one operation: it waits for what `busy` takes away and `give` gives. */

enum twin { MUTEX, SEMAPHORE, EVENT, FUTURE, HANDLE, TWINS };
enum { RESULT = 3 };

struct all {
	mag_mutex mutex;
	mag_semaphore semaphore;
	mag_event event, end;
	mag_future future;
	mag_handle handle;
};

static mag_frame *twin(mag_worker *w, mag_frame *f, struct all *a, enum twin which, uint64_t deadline)
{
	switch (which) {
	case MUTEX:
		return mag_mutex_lock_until(w, f, &a->mutex, deadline);
	case SEMAPHORE:
		return mag_semaphore_acquire_until(w, f, &a->semaphore, 1, deadline);
	case EVENT:
		return mag_event_wait_until(w, f, &a->event, deadline);
	case FUTURE:
		return mag_future_await_until(w, f, &a->future, deadline);
	default:
		return mag_handle_wait_until(w, f, &a->handle, deadline);
	}
}

static int64_t result_of(enum twin which)
{
	return which == FUTURE || which == HANDLE ? RESULT : 0;
}

static void give(mag_worker *w, mag_frame *f, struct all *a, enum twin which)
{
	switch (which) {
	case MUTEX:
		mag_mutex_unlock_by(w, f, &a->mutex);
		break;
	case SEMAPHORE:
		mag_semaphore_release(&a->semaphore, 1);
		break;
	case EVENT:
		mag_event_set(&a->event);
		break;
	case FUTURE:
		mag_future_complete(&a->future, RESULT);
		break;
	default:
		mag_event_set(&a->end);
		break;
	}
}

static struct magi_waitq *waitq_of(struct all *a, enum twin which)
{
	struct magi_waitq *const of[TWINS] = { &a->mutex.waitq, &a->semaphore.waitq, &a->event.waitq,
					       &a->future.waiters, &a->handle.waiters };

	return of[which];
}

struct named {
	mag_frame frame;
	MAG_ARGS(named, struct all *a;);
	int64_t rc;
};

MAG_TASK(named)
{
	MAG_BEGIN(named);
	MAG_AWAIT(self->rc, mag_event_wait, &self->a->end);
	MAG_RETURN(RESULT);
	MAG_END;
}

/* Waits in a scope that others may cancel; tells the result and the time. */
struct waits {
	mag_frame frame;
	MAG_ARGS(waits, struct all *a; enum twin which; uint64_t ns; int64_t *got; uint64_t *took; mag_scope **scope;);
	mag_scope own;
	uint64_t began;
	int64_t why;
};

MAG_TASK(waits)
{
	MAG_BEGIN(waits);
	self->began = mag_now();
	MAG_SCOPE_BEGIN(&self->own);
	*self->scope = &self->own;
	MAG_AWAIT(*self->got, twin, self->a, self->which, mag_deadline_in(self->ns));
	*self->took = mag_now() - self->began;
	MAG_SCOPE_END(self->why, &self->own);
	if (self->which == MUTEX && *self->got == 0)
		NEED(mag_mutex_unlock(&self->a->mutex) == 0);
	MAG_RETURN(0);
	MAG_END;
}

enum how { PASSED, TIMED_OUT, CANCELED, GRANTED, GRANTED_FIRST, FREE, FREE_AND_PASSED, FREE_BUT_CANCELED, WAYS };

struct one {
	mag_frame frame;
	MAG_ARGS(one, enum twin which; enum how how;);
	mag_group members, group;
	struct all all;
	mag_scope *scope;
	uint64_t took;
	int64_t rc, got, want;
};

MAG_TASK(one)
{
	MAG_BEGIN(one);
	self->all = (struct all){ .mutex = MAG_MUTEX_INIT, .semaphore = MAG_SEMAPHORE_INIT(0, 1) };
	mag_future_init(&self->all.future);
	NEED(mag_mutex_try_lock(&self->all.mutex) == 0);
	MAG_GROUP_BEGIN(&self->members);
	MAG_SPAWN_AS(self->rc, &self->all.handle, &self->members, named, .a = &self->all);
	NEED(self->rc == 0);
	if (self->how >= FREE) {
		give(w, &self->frame, &self->all, self->which);
		while (self->which == HANDLE && !mag_handle_done(&self->all.handle))
			MAG_YIELD(self->rc);
	}
	self->want = self->how >= GRANTED ? result_of(self->which) : MAG_ETIMEDOUT;
	if (self->how == CANCELED || (self->how == FREE_BUT_CANCELED && self->want == 0))
		self->want = MAG_ECANCELED;
	if (self->how == FREE_BUT_CANCELED) {
		MAG_GROUP_BEGIN(&self->group);
		mag_group_cancel(&self->group);
		MAG_AWAIT(self->got, twin, &self->all, self->which, mag_deadline_in(MAG_SECOND));
		MAG_GROUP_END(self->rc, &self->group);
	} else {
		MAG_GROUP_BEGIN(&self->group);
		MAG_SPAWN(self->rc, &self->group, waits, .a = &self->all, .which = self->which,
			  .ns = self->how == PASSED || self->how == FREE_AND_PASSED ? 0 : MAG_SECOND,
			  .got = &self->got, .took = &self->took, .scope = &self->scope);
		if (self->how >= TIMED_OUT && self->how <= GRANTED_FIRST)
			UNTIL_WAITING(self->rc, waitq_of(&self->all, self->which), 1);
		if (self->how == GRANTED || self->how == GRANTED_FIRST)
			give(w, &self->frame, &self->all, self->which);
		if (self->how == CANCELED)
			mag_scope_cancel(self->scope);
		if (self->how == GRANTED_FIRST && self->which == HANDLE)
			MAG_YIELD(self->rc);
		if (self->how == GRANTED_FIRST) /* the waiter has not run yet: here is but one worker */
			mag_group_cancel(&self->group);
		MAG_GROUP_END(self->rc, &self->group);
		NEED(self->rc == (self->how == GRANTED_FIRST ? MAG_ECANCELED : 0));
		NEED(self->how == TIMED_OUT ? self->took >= MAG_SECOND : self->took < MAG_SECOND);
	}
	NEED(self->got == self->want);
	NEED(waiting(waitq_of(&self->all, self->which)) == 0);
	mag_event_set(&self->all.end);
	MAG_GROUP_END(self->rc, &self->members);
	MAG_RETURN(self->rc);
	MAG_END;
}

struct each {
	mag_frame frame;
	MAG_NO_ARGS(each);
	int which, how;
	int64_t rc;
};

MAG_TASK(each)
{
	MAG_BEGIN(each);
	for (self->which = 0; self->which < TWINS; self->which++) {
		for (self->how = 0; self->how < WAYS; self->how++) {
			MAG_CALL(self->rc, one, .which = (enum twin)self->which, .how = (enum how)self->how);
			if (self->rc < 0) {
				fprintf(stderr, "twin %d, way %d\n", self->which, self->how);
				MAG_RETURN(self->rc);
			}
		}
	}
	MAG_RETURN(0);
	MAG_END;
}

/* Tried: a twin that does not try first, one that gives MAG_ETIMEDOUT whatever ended the wait, one that waits although its
 * deadline has passed, one that gives the result of its scope when there is one of the operation. */
Test(until, each_twin_gives_the_result_or_says_what_ended_the_wait, .timeout = 20)
{
	int64_t rc;

	RUN(rc, each);
}

/* The mutex is the task's, not the called frame's; a task that waits for itself is told so. */
struct owner {
	mag_frame frame;
	MAG_NO_ARGS(owner);
	mag_mutex mutex;
	int64_t rc;
};

MAG_TASK(owner)
{
	MAG_BEGIN(owner);
	mag_mutex_init(&self->mutex);
	MAG_AWAIT(self->rc, mag_mutex_lock_until, &self->mutex, mag_deadline_in(MAG_SECOND));
	NEED(self->rc == 0);
	MAG_AWAIT(self->rc, mag_mutex_lock_until, &self->mutex, mag_deadline_in(MAG_SECOND));
	NEED(self->rc == MAG_EDEADLK);
	MAG_AWAIT(self->rc, mag_mutex_lock_until, &self->mutex, 0);
	NEED(self->rc == MAG_EDEADLK);
	NEED(mag_mutex_unlock(&self->mutex) == 0);
	NEED(mag_mutex_fini(&self->mutex) == 0);
	MAG_RETURN(0);
	MAG_END;
}

Test(until, mutex_belongs_to_the_task, .timeout = 20)
{
	int64_t rc;

	RUN(rc, owner);
}

struct flag {
	mag_frame frame;
	MAG_ARGS(flag, bool *raised;);
};

MAG_TASK(flag)
{
	MAG_BEGIN(flag);
	*self->raised = true;
	MAG_RETURN(0);
	MAG_END;
}

/* Nobody else runs on the only worker while a twin tries. */
struct tries {
	mag_frame frame;
	MAG_NO_ARGS(tries);
	mag_group group;
	mag_event event;
	bool raised;
	int64_t rc;
};

MAG_TASK(tries)
{
	MAG_BEGIN(tries);
	mag_event_init(&self->event);
	self->raised = false;
	MAG_GROUP_BEGIN(&self->group);
	MAG_SPAWN(self->rc, &self->group, flag, .raised = &self->raised);
	NEED(self->rc == 0);
	MAG_AWAIT(self->rc, mag_event_wait_until, &self->event, mag_now());
	NEED(self->rc == MAG_ETIMEDOUT);
	NEED(!self->raised);
	MAG_AWAIT(self->rc, mag_event_wait_until, &self->event, mag_deadline_in(1));
	NEED(self->rc == MAG_ETIMEDOUT);
	NEED(self->raised);
	MAG_GROUP_END(self->rc, &self->group);
	MAG_RETURN(self->rc);
	MAG_END;
}

Test(until, deadline_that_has_passed_does_not_wait, .timeout = 20)
{
	int64_t rc;

	RUN(rc, tries);
}

struct never {
	mag_frame frame;
	MAG_NO_ARGS(never);
	mag_semaphore semaphore;
	mag_scope scope;
	int64_t rc;
};

MAG_TASK(never)
{
	MAG_BEGIN(never);
	NEED(mag_semaphore_init(&self->semaphore, 1, 1) == 0);
	MAG_AWAIT(self->rc, mag_semaphore_acquire_until, &self->semaphore, 2, 0);
	NEED(self->rc == -EINVAL);
	MAG_AWAIT(self->rc, mag_semaphore_acquire_until, &self->semaphore, 1, 0);
	NEED(self->rc == 0);
	/* the scope's own deadline is the outer one's affair: no MAG_ETIMEDOUT from the twin */
	MAG_WITH_TIMEOUT(&self->scope, MAG_SECOND);
	MAG_AWAIT(self->rc, mag_semaphore_acquire_until, &self->semaphore, 1, MAG_NEVER);
	NEED(self->rc == MAG_ECANCELED);
	MAG_SCOPE_END(self->rc, &self->scope);
	NEED(self->rc == MAG_ETIMEDOUT);
	MAG_WITH_TIMEOUT(&self->scope, MAG_SECOND);
	MAG_AWAIT(self->rc, mag_semaphore_acquire_until, &self->semaphore, 1, mag_deadline_in(2 * MAG_SECOND));
	NEED(self->rc == MAG_ECANCELED);
	MAG_SCOPE_END(self->rc, &self->scope);
	NEED(self->rc == MAG_ETIMEDOUT);
	MAG_RETURN(0);
	MAG_END;
}

Test(until, deadline_of_a_scope_around_it_is_a_cancellation, .timeout = 20)
{
	int64_t rc;

	RUN(rc, never);
}

/* What ends as cancelled by itself, shortly before the deadline, which passes before the one that waits has run. */

struct ends_cancelled {
	mag_frame frame;
	MAG_ARGS(ends_cancelled, mag_event *end;);
	int64_t rc;
};

MAG_TASK(ends_cancelled)
{
	MAG_BEGIN(ends_cancelled);
	MAG_AWAIT(self->rc, mag_event_wait, self->end);
	MAG_RETURN(MAG_ECANCELED);
	MAG_END;
}

struct crosses {
	mag_frame frame;
	MAG_ARGS(crosses, struct magi_world *world; enum twin which;);
	mag_group members, group;
	struct all all;
	mag_scope *scope;
	uint64_t took;
	uint32_t never;
	int64_t rc, got;
};

MAG_TASK(crosses)
{
	MAG_BEGIN(crosses);
	self->all = (struct all){ .mutex = MAG_MUTEX_INIT };
	self->never = 0;
	mag_future_init(&self->all.future);
	MAG_GROUP_BEGIN(&self->members, .policy = MAG_COLLECT);
	MAG_SPAWN_AS(self->rc, &self->all.handle, &self->members, ends_cancelled, .end = &self->all.end);
	MAG_GROUP_BEGIN(&self->group);
	MAG_SPAWN(self->rc, &self->group, waits, .a = &self->all, .which = self->which, .ns = MAG_SECOND,
		  .got = &self->got, .took = &self->took, .scope = &self->scope);
	UNTIL_WAITING(self->rc, waitq_of(&self->all, self->which), 1);
	if (self->which == FUTURE) {
		mag_future_complete(&self->all.future, MAG_ECANCELED);
	} else {
		mag_event_set(&self->all.end);
		while (waiting(&self->all.handle.waiters))
			MAG_YIELD(self->rc);
	}
	magi_world_advance(self->world, 2 * MAG_SECOND);
	busy_until(&self->never, MAG_MILLISECOND); /* timers are looked at before the next task runs */
	MAG_GROUP_END(self->rc, &self->group);
	NEED(self->got == MAG_ECANCELED);
	mag_event_set(&self->all.end);
	MAG_GROUP_END(self->rc, &self->members);
	MAG_RETURN(0);
	MAG_END;
}

/* The same of a stream, whose stage gives that for an item which has come in time. */

static int cancels(void *ctx, const void *in, void *out)
{
	(void)ctx;
	(void)in;
	(void)out;
	return MAG_ECANCELED;
}

struct takes_until {
	mag_frame frame;
	MAG_ARGS(takes_until, mag_queue *queue;);
	mag_stream_queue source;
	mag_stream_map map;
	uint64_t item;
	int64_t rc;
};

MAG_TASK(takes_until)
{
	MAG_BEGIN(takes_until);
	NEED(mag_stream_queue_init(&self->source, self->queue) == 0);
	NEED(mag_stream_map_init(&self->map, &self->source.stream, sizeof(uint64_t), cancels, NULL) == 0);
	MAG_AWAIT(self->rc, mag_stream_next_until, &self->map.stream, &self->item, mag_deadline_in(MAG_SECOND));
	NEED(self->rc == MAG_ECANCELED);
	MAG_RETURN(0);
	MAG_END;
}

struct streams_cross {
	mag_frame frame;
	MAG_ARGS(streams_cross, struct magi_world *world;);
	mag_queue queue;
	mag_group group;
	uint64_t item;
	uint32_t never;
	int64_t rc;
};

MAG_TASK(streams_cross)
{
	MAG_BEGIN(streams_cross);
	self->item = 1;
	self->never = 0;
	NEED(mag_queue_init(&self->queue, 1, sizeof(self->item)) == 0);
	MAG_GROUP_BEGIN(&self->group);
	MAG_SPAWN(self->rc, &self->group, takes_until, .queue = &self->queue);
	UNTIL_WAITING(self->rc, &self->queue.waitq, 1);
	NEED(mag_queue_try_push(&self->queue, &self->item) == 0);
	magi_world_advance(self->world, 2 * MAG_SECOND);
	busy_until(&self->never, MAG_MILLISECOND);
	MAG_GROUP_END(self->rc, &self->group);
	NEED(mag_queue_fini(&self->queue) == 0);
	MAG_RETURN(self->rc);
	MAG_END;
}

/* Tried: a drive that does not say that it was given. */
Test(until, streams_own_cancelled_is_not_taken_for_the_deadline, .timeout = 20)
{
	struct play p;
	int64_t rc;

	play_begin(&p, 1);
	for (int i = 0; i < 40; i++) {
		play_run(&p, rc, streams_cross, .world = p.world);
		cr_assert_eq(rc, 0, "%d: %s", i, where(rc));
	}
	play_end(&p);
}

Test(until, result_that_says_cancelled_is_not_taken_for_the_deadline, .timeout = 20)
{
	struct play p;
	int64_t rc;

	play_begin(&p, 1);
	for (int i = 0; i < 40; i++) {
		play_run(&p, rc, crosses, .world = p.world, .which = i % 2 ? FUTURE : HANDLE);
		cr_assert_eq(rc, 0, "%d: %s", i, where(rc));
	}
	play_end(&p);
}
