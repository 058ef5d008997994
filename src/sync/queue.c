/* SPDX-License-Identifier: MIT */
/* queue.c - a bounded queue: a ring of elements, or a stack or heap, and one queue of waiters, under one lock.
 *
 * Who:     push, pop: tasks. try_push, try_pop, close and the rest: any thread.
 * Always:  who pushes waits only while it is full, who pops only while it is empty; so the waiters are all of one kind,
 *          which the length tells, and at a rendezvous a bit: who finds waiters of the other kind there goes through
 *          them before he waits himself. A pop from a full queue puts the element of the first waiting pusher in; a
 *          push into an empty one gives its element to the first waiting popper.
 *          An element is in the queue, or with a task: it changes hands when the CAS of magi_wait_take says that its
 *          taker is not cancelled, and before that one runs.
 *          A cancelled waiter holds up nothing: who comes next goes to the one behind it.
 *          Who would have to wait while others are ready here lets these run first, once, and tries again: what it
 *          waits for is often what they do next, and that is cheaper than parking and being granted.
 * Pairs:   the lock; [hint] the length, for who only asks; [state] task/wait.h
 * Not:     two indexes and a sequence number per element: each operation needs a full barrier more to see waiters,
 *          which costs what the lock costs, and both ends then share lines all the same. */
#include <errno.h>
#include <magpie/queue.h>
#include <string.h>

#include "sched/ready.h"
#include "sync/heap.h"
#include "task/select.h"
#include "task/until.h"
#include "task/wait.h"

enum { WORD = 8, WORDS = MAGI_QUEUE_WORDS, CLOSED = MAGI_QUEUE_CLOSED, PUSHERS = MAGI_QUEUE_PUSHERS };

static magi_lock *lock_of(mag_queue *q)
{
	return magi_waitq_lock(&q->waitq);
}

/* The elements; the lock is held. */

static void copy(void *to, const void *from, uint32_t size)
{
	if (MAGI_LIKELY(size == WORD))
		memcpy(to, from, WORD);
	else
		memcpy(to, from, size);
}

static unsigned char *item_at(const mag_queue *q, uint32_t i)
{
	return (unsigned char *)q->items + (size_t)i * q->size;
}

/* Where the next one goes, of a ring or a stack, whose first is 0. */
static unsigned char *end_of(const mag_queue *q)
{
	uint32_t left = q->capacity - q->first; /* from the oldest to the end of the array */

	return item_at(q, q->length < left ? q->first + q->length : q->length - left);
}

static void add(mag_queue *q, const void *item)
{
	if (MAGI_LIKELY(q->kind == WORDS))
		memcpy(end_of(q), item, WORD);
	else if (q->kind == MAGI_QUEUE_HEAP)
		magi_heap_add(q->items, item);
	else
		memcpy(end_of(q), item, q->size);
	magi_store_rlx(&q->length, q->length + 1); /* [hint] */
	q->unfinished++;
}

static void ring_take(mag_queue *q, void *item)
{
	if (MAGI_LIKELY(q->kind == WORDS))
		memcpy(item, item_at(q, q->first), WORD);
	else
		memcpy(item, item_at(q, q->first), q->size);
	q->first = q->first + 1 < q->capacity ? q->first + 1 : 0;
}

static void take(mag_queue *q, void *item)
{
	if (MAGI_LIKELY(q->kind <= MAGI_QUEUE_RING))
		ring_take(q, item);
	else if (q->kind == MAGI_QUEUE_HEAP)
		magi_heap_take(q->items, item);
	else
		memcpy(item, item_at(q, q->length - 1), q->size);
	magi_store_rlx(&q->length, q->length - 1); /* [hint] */
}

/* What a waiter needs to know: where a pop's element goes, or where a push's lies; words lie here themselves. */

static uint64_t need_of(const mag_queue *q, bool push, void *item)
{
	uint64_t word;

	if (!push || q->size != WORD)
		return (uint64_t)(uintptr_t)item;
	memcpy(&word, item, WORD);
	return word;
}

/* The element of a waiting pusher. */
static const void *pushed_by(const mag_queue *q, const uint64_t *need)
{
	return q->size == WORD ? (const void *)need : (const void *)(uintptr_t)*need;
}

static int put(mag_queue *q, const void *item, mag_frame **granted)
{
	mag_frame *f;

	if (MAGI_UNLIKELY(q->state))
		return q->state & CLOSED ? MAG_ECLOSED : -EAGAIN; /* pushers wait: behind them */
	while (q->length == 0 && (f = magi_wait_first(&q->waitq))) {
		void *to = (void *)(uintptr_t)f->op.wait.need;

		if (!magi_wait_take(&q->waitq, f))
			continue;
		copy(to, item, q->size);
		q->unfinished++;
		f->op.result = 0;
		*granted = f;
		return 0;
	}
	if (q->length == q->capacity)
		return -EAGAIN;
	add(q, item);
	return 0;
}

/* There is no element here: at a rendezvous a pusher may have one. */
static int get_handed(mag_queue *q, void *item, mag_frame **granted)
{
	mag_frame *f;

	while ((q->state & PUSHERS) && (f = magi_wait_first(&q->waitq))) {
		uint64_t need = f->op.wait.need;

		if (!magi_wait_take(&q->waitq, f))
			continue;
		copy(item, pushed_by(q, &need), q->size);
		q->unfinished++;
		f->op.result = 0;
		*granted = f;
		return 0;
	}
	return q->state & CLOSED ? MAG_ECLOSED : -EAGAIN;
}

static int get(mag_queue *q, void *item, mag_frame **granted)
{
	mag_frame *f;

	if (q->length == 0)
		return q->state ? get_handed(q, item, granted) : -EAGAIN;
	take(q, item);
	while ((f = magi_wait_first(&q->waitq))) {
		uint64_t need = f->op.wait.need;

		if (!magi_wait_take(&q->waitq, f))
			continue;
		add(q, pushed_by(q, &need));
		f->op.result = 0;
		*granted = f;
		break;
	}
	return 0;
}

/* The lock is held, and somebody is about to wait. */
static void will_wait(mag_queue *q, bool push)
{
	if (q->capacity == 0)
		q->state = push ? PUSHERS : 0; /* nobody of the other kind is left in the queue */
}

static bool park(mag_queue *q, mag_frame *f, bool push, void *item)
{
	will_wait(q, push);
	return magi_wait_park(f, &q->waitq, need_of(q, push, item));
}

/* The operations. */

MAGI_FAST int exchange(mag_queue *q, bool push, void *item, mag_frame **granted)
{
	return push ? put(q, item, granted) : get(q, item, granted);
}

static mag_frame *push_again(mag_worker *w, mag_frame *f);
static mag_frame *pop_again(mag_worker *w, mag_frame *f);

/* Until f is resumed, word[1] is its step, [2] the queue, [3] the element. */
static mag_frame *let_others(mag_worker *w, mag_frame *f, mag_queue *q, bool push, void *item)
{
	if (f->leader->flags & MAGI_INLINE)
		magi_inline_release(w, f->leader);
	f->op.word[1] = (uint64_t)(uintptr_t)f->step;
	f->op.word[2] = (uint64_t)(uintptr_t)q;
	f->op.word[3] = (uint64_t)(uintptr_t)item;
	f->step = push ? push_again : pop_again;
	magi_resume_later(magi_runtime_of(w), w, f);
	return NULL;
}

MAGI_FAST mag_frame *await(mag_worker *w, mag_frame *f, mag_queue *q, bool push, bool again, void *item)
{
	/* a task that does not wait need not be known to its scope: only when it must is all of magi_wait_begin done */
	bool begun = (f->leader->flags & (MAGI_LINKED | MAGI_INLINE)) == MAGI_LINKED;
	mag_frame *granted = NULL;
	int rc;

	if (magi_cancelled(f))
		return magi_wait_done(w, f, MAG_ECANCELED);
	if (!again && magi_load_rlx(&q->length) == (push ? q->capacity : 0) && /* [hint] */
	    magi_ready_count(&magi_worker_of(w)->ready))
		return let_others(w, f, q, push, item);
	magi_lock_acquire(lock_of(q));
	rc = exchange(q, push, item, &granted);
	if (MAGI_UNLIKELY(rc == -EAGAIN && !begun)) {
		magi_lock_release(lock_of(q));
		rc = magi_wait_begin(w, f);
		if (rc < 0)
			return magi_wait_done(w, f, rc);
		magi_lock_acquire(lock_of(q));
		rc = exchange(q, push, item, &granted);
	}
	if (rc == -EAGAIN) {
		magi_wait_stamp(w, f->leader);
		if (park(q, f, push, item)) {
			magi_lock_release(lock_of(q));
			return NULL;
		}
		rc = MAG_ECANCELED;
	}
	magi_lock_release(lock_of(q));
	if (granted)
		magi_resume_later(magi_runtime_of(w), w, granted);
	return magi_wait_done(w, f, rc);
}

mag_frame *mag_queue_push(mag_worker *w, mag_frame *f, mag_queue *q, const void *element)
{
	return await(w, f, q, true, false, (void *)(uintptr_t)element);
}

mag_frame *mag_queue_pop(mag_worker *w, mag_frame *f, mag_queue *q, void *element)
{
	return await(w, f, q, false, false, element);
}

static mag_frame *push_again(mag_worker *w, mag_frame *f)
{
	f->step = (mag_step_fn)(uintptr_t)f->op.word[1];
	return await(w, f, (mag_queue *)(uintptr_t)f->op.word[2], true, true, (void *)(uintptr_t)f->op.word[3]);
}

static mag_frame *pop_again(mag_worker *w, mag_frame *f)
{
	f->step = (mag_step_fn)(uintptr_t)f->op.word[1];
	return await(w, f, (mag_queue *)(uintptr_t)f->op.word[2], false, true, (void *)(uintptr_t)f->op.word[3]);
}

static mag_frame *push_op(mag_worker *w, mag_frame *f, void *queue, uint64_t element)
{
	return await(w, f, queue, true, false, (void *)(uintptr_t)element);
}

static mag_frame *pop_op(mag_worker *w, mag_frame *f, void *queue, uint64_t element)
{
	return await(w, f, queue, false, false, (void *)(uintptr_t)element);
}

mag_frame *mag_queue_push_until(mag_worker *w, mag_frame *f, mag_queue *q, const void *element, uint64_t deadline)
{
	int rc = magi_cancelled(f) ? MAG_ECANCELED : mag_queue_try_push(q, element);

	if (rc != -EAGAIN)
		return magi_wait_done(w, f, rc);
	return magi_until(w, f, push_op, q, (uintptr_t)element, deadline);
}

mag_frame *mag_queue_pop_until(mag_worker *w, mag_frame *f, mag_queue *q, void *element, uint64_t deadline)
{
	int rc = magi_cancelled(f) ? MAG_ECANCELED : mag_queue_try_pop(q, element);

	if (rc != -EAGAIN)
		return magi_wait_done(w, f, rc);
	return magi_until(w, f, pop_op, q, (uintptr_t)element, deadline);
}

static int attempt(mag_queue *q, bool push, void *item)
{
	mag_frame *granted = NULL;
	int rc;

	magi_lock_acquire(lock_of(q));
	rc = exchange(q, push, item, &granted);
	magi_lock_release(lock_of(q));
	if (granted) {
		magi_store_rlx(&granted->q.next, NULL); /* [state] */
		magi_wait_resume(granted);
	}
	return rc;
}

int mag_queue_try_push(mag_queue *q, const void *element)
{
	return attempt(q, true, (void *)(uintptr_t)element);
}

int mag_queue_try_pop(mag_queue *q, void *element)
{
	return attempt(q, false, element);
}

int mag_queue_close(mag_queue *q)
{
	mag_frame *list = NULL;
	bool first;

	magi_lock_acquire(lock_of(q));
	first = !(q->state & CLOSED);
	q->state = CLOSED;
	if (first)
		list = magi_wait_grant_all(&q->waitq, MAG_ECLOSED);
	magi_lock_release(lock_of(q));
	magi_wait_resume(list);
	return first;
}

bool mag_queue_is_closed(mag_queue *q)
{
	bool closed;

	magi_lock_acquire(lock_of(q));
	closed = q->state & CLOSED;
	magi_lock_release(lock_of(q));
	return closed;
}

uint32_t mag_queue_length(const mag_queue *q)
{
	return magi_load_rlx(&q->length); /* [hint] */
}

uint32_t mag_queue_capacity(const mag_queue *q)
{
	return q->capacity;
}

/* As cases of mag_select. */

static struct magi_waitq *queue_of_case(const mag_case *c)
{
	return &((mag_queue *)c->object)->waitq;
}

static bool take_case(mag_case *c, bool push, uint64_t *need, mag_frame **granted)
{
	void *item = (void *)(uintptr_t)c->with;
	mag_frame *f = NULL;
	int rc = exchange(c->object, push, item, &f);

	if (rc == -EAGAIN) {
		*need = need_of(c->object, push, item);
		will_wait(c->object, push);
		return false;
	}
	if (f)
		magi_wait_list(granted, f);
	c->result = rc;
	return true;
}

static bool push_case(mag_case *c, uint64_t *need, mag_frame **granted)
{
	return take_case(c, true, need, granted);
}

static bool pop_case(mag_case *c, uint64_t *need, mag_frame **granted)
{
	return take_case(c, false, need, granted);
}

/* Who waits at a rendezvous is of one kind. */
static bool clashes(const mag_case *c, const mag_case *other)
{
	return c->object == other->object && c->kind != other->kind && ((mag_queue *)c->object)->capacity == 0;
}

const struct magi_case_kind magi_case_push = { .queue = queue_of_case, .take = push_case, .clashes = clashes };
const struct magi_case_kind magi_case_pop = { .queue = queue_of_case, .take = pop_case };
