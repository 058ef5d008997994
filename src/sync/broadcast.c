/* SPDX-License-Identifier: MIT */
/* broadcast.c - a ring that is overwritten, and receivers that each have a place of their own in it.
 *
 * Who:     recv: tasks. send, try_recv, close and the rest: any thread; a receiver's own fields: who uses it, or who
 *          grants it while it waits.
 * Always:  the ring has the elements from sent - capacity to sent - 1. Who waits has seen them all, so that what is
 *          sent next is what it gets: the sender copies it to where the receiver said, and the receiver is no step
 *          behind. A receiver has such a place as long as a task waits with it, and until its canceller has let go.
 * Pairs:   the lock; [hint] what a receiver that has seen all finds without it, and looks at again under it before it
 *          waits; [state] task/wait.h
 * Not:     keeping what the slowest has not seen: one that is stuck holds up all. A list of receivers: a number and a
 *          counter are enough, and an element is copied by each receiver on its own worker. */
#include <errno.h>
#include <magpie/broadcast.h>
#include <string.h>

#include "base/alloc.h"
#include "sync/busy.h"
#include "task/until.h"

static magi_lock *lock_of(mag_broadcast *b)
{
	return magi_waitq_lock(&b->waitq);
}

/* Under the lock, or a hint. */
static uint64_t sent(const mag_broadcast *b)
{
	return magi_load_rlx(&b->sent); /* [hint] */
}

static bool closed(const mag_broadcast *b)
{
	return magi_load_rlx(&b->closed); /* [hint] */
}

static uint32_t power_of_two_from(uint32_t n)
{
	uint32_t p = 1;

	while (p < n)
		p *= 2;
	return p;
}

static mag_broadcast_receiver *receiver_of(const mag_frame *f)
{
	return (mag_broadcast_receiver *)(uintptr_t)f->op.wait.need;
}

/* Who was cancelled waits no more. The lock is held. */
static bool gone(struct magi_waitq *q, mag_frame *f, mag_frame **granted)
{
	(void)q;
	(void)granted;
	receiver_of(f)->to = NULL;
	return true;
}

int mag_broadcast_init(mag_broadcast *b, uint32_t capacity, size_t size)
{
	if (capacity == 0 || capacity > MAG_BROADCAST_CAPACITY_MAX || size == 0 || size > MAG_BROADCAST_ELEMENT_MAX)
		return -EINVAL;
	capacity = power_of_two_from(capacity);
	*b = (mag_broadcast){ .mask = capacity - 1, .size = (uint32_t)size };
	b->items = magi_alloc(capacity * size);
	return b->items ? 0 : -ENOMEM;
}

int mag_broadcast_fini(mag_broadcast *b)
{
	int rc = magi_sync_busy(&b->waitq, mag_broadcast_receivers(b) > 0, "mag_broadcast_fini");

	if (rc < 0)
		return rc;
	magi_free(b->items);
	b->items = NULL;
	return 0;
}

/* Receivers. */

int mag_broadcast_subscribe(mag_broadcast *b, mag_broadcast_receiver *r)
{
	int rc = 0;

	*r = (mag_broadcast_receiver){ .broadcast = NULL };
	magi_lock_acquire(lock_of(b));
	if (closed(b)) {
		rc = MAG_ECLOSED;
	} else {
		*r = (mag_broadcast_receiver){ .broadcast = b, .next = sent(b) };
		b->receivers++;
	}
	magi_lock_release(lock_of(b));
	return rc;
}

int mag_broadcast_unsubscribe(mag_broadcast_receiver *r)
{
	mag_broadcast *b = r->broadcast;
	bool busy;

	if (!b)
		return 0;
	magi_lock_acquire(lock_of(b));
	busy = r->to != NULL;
	b->receivers -= !busy;
	magi_lock_release(lock_of(b));
	if (busy) {
		magi_misuse("mag_broadcast_unsubscribe: a task waits with this receiver");
		return -EBUSY;
	}
	r->broadcast = NULL;
	return 1;
}

uint32_t mag_broadcast_receivers(mag_broadcast *b)
{
	uint32_t n;

	magi_lock_acquire(lock_of(b));
	n = b->receivers;
	magi_lock_release(lock_of(b));
	return n;
}

/* Sending. */

static unsigned char *item_at(const mag_broadcast *b, uint64_t n)
{
	return b->items + (size_t)(n & b->mask) * b->size;
}

/* The lock is held. Who waits is given the element; the others find it in the ring. */
static mag_frame *add(mag_broadcast *b, const void *element)
{
	uint64_t after = sent(b) + 1;
	mag_frame *list = NULL, **tail = &list, *f;

	memcpy(item_at(b, after - 1), element, b->size);
	magi_store_rlx(&b->sent, after); /* [hint] */
	while ((f = magi_wait_first(&b->waitq))) {
		mag_broadcast_receiver *r = receiver_of(f);

		if (!magi_wait_take(&b->waitq, f))
			continue;
		memcpy(r->to, element, b->size);
		r->to = NULL;
		r->next = after;
		f->op.result = 0;
		magi_store_rlx(&f->q.next, NULL); /* [state] */
		magi_store_rlx(tail, f); /* [state] */
		tail = &f->q.next;
	}
	return list;
}

int mag_broadcast_send(mag_broadcast *b, const void *element)
{
	mag_frame *list = NULL;
	int rc = MAG_ECLOSED;

	magi_lock_acquire(lock_of(b));
	if (!closed(b)) {
		list = add(b, element);
		rc = (int)b->receivers;
	}
	magi_lock_release(lock_of(b));
	magi_wait_resume(list);
	return rc;
}

int mag_broadcast_close(mag_broadcast *b)
{
	mag_frame *list;
	bool first;

	magi_lock_acquire(lock_of(b));
	first = !closed(b);
	magi_store_rlx(&b->closed, 1u); /* [hint] */
	for (mag_frame *f = magi_wait_first(&b->waitq); f; f = f->op.wait.next)
		receiver_of(f)->to = NULL;
	list = magi_wait_grant_all(&b->waitq, MAG_ECLOSED);
	magi_lock_release(lock_of(b));
	magi_wait_resume(list);
	return first;
}

bool mag_broadcast_is_closed(const mag_broadcast *b)
{
	return closed(b);
}

/* Receiving. */

/* The lock is held. */
static int64_t take(mag_broadcast *b, mag_broadcast_receiver *r, void *element)
{
	uint64_t behind = sent(b) - r->next, kept = (uint64_t)b->mask + 1;

	if (behind == 0)
		return closed(b) ? MAG_ECLOSED : -EAGAIN;
	if (behind > kept) {
		r->next += behind - kept;
		return (int64_t)(behind - kept);
	}
	memcpy(element, item_at(b, r->next), b->size);
	r->next++;
	return 0;
}

int64_t mag_broadcast_try_recv(mag_broadcast_receiver *r, void *element)
{
	mag_broadcast *b = r->broadcast;
	int64_t rc;

	if (!b)
		return MAG_ECLOSED;
	if (sent(b) == r->next && !closed(b))
		return -EAGAIN;
	magi_lock_acquire(lock_of(b));
	rc = take(b, r, element);
	magi_lock_release(lock_of(b));
	return rc;
}

mag_frame *mag_broadcast_recv(mag_worker *w, mag_frame *f, mag_broadcast_receiver *r, void *element)
{
	mag_broadcast *b = r->broadcast;
	int64_t rc;
	bool busy;

	if (magi_cancelled(f))
		return magi_wait_done(w, f, MAG_ECANCELED);
	rc = mag_broadcast_try_recv(r, element);
	if (rc != -EAGAIN)
		return magi_wait_done(w, f, rc);
	rc = magi_wait_begin(w, f);
	if (rc < 0)
		return magi_wait_done(w, f, rc);
	magi_lock_acquire(lock_of(b));
	busy = r->to != NULL;
	rc = busy ? -EBUSY : take(b, r, element);
	if (rc == -EAGAIN) {
		r->to = element;
		b->waitq.gone = gone;
		if (magi_wait_park(f, &b->waitq, (uintptr_t)r)) {
			magi_lock_release(lock_of(b));
			return NULL;
		}
		r->to = NULL;
		rc = MAG_ECANCELED;
	}
	magi_lock_release(lock_of(b));
	if (busy)
		magi_misuse("mag_broadcast_recv at %s:%d: another task waits with this receiver", f->at->file,
			    f->at->line);
	return magi_wait_done(w, f, rc);
}

static mag_frame *recv_op(mag_worker *w, mag_frame *f, void *receiver, uint64_t element)
{
	return mag_broadcast_recv(w, f, receiver, (void *)(uintptr_t)element);
}

mag_frame *mag_broadcast_recv_until(mag_worker *w, mag_frame *f, mag_broadcast_receiver *r, void *element,
				    uint64_t deadline)
{
	int64_t rc = magi_cancelled(f) ? MAG_ECANCELED : mag_broadcast_try_recv(r, element);

	if (rc != -EAGAIN)
		return magi_wait_done(w, f, rc);
	return magi_until(w, f, recv_op, r, (uintptr_t)element, deadline);
}

uint32_t mag_broadcast_length(const mag_broadcast_receiver *r)
{
	const mag_broadcast *b = r->broadcast;
	uint64_t behind;

	if (!b)
		return 0;
	behind = sent(b) - r->next;
	return (uint32_t)(behind > b->mask ? (uint64_t)b->mask + 1 : behind);
}

uint32_t mag_broadcast_capacity(const mag_broadcast *b)
{
	return b->mask + 1;
}
