/* SPDX-License-Identifier: MIT */
/* uring_bell.c - how an owner that blocks in its ring is woken.
 *
 * `state` says it all; a doorbell only interrupts the sleep. A waker that finds ASLEEP rings; one that finds AWAKE need
 * not: before it blocks the owner finds RUNG and does not. The doorbell is an operation of the waker's own ring
 * (MSG_RING), or a write to an eventfd that the sleeper's ring reads. MSG_RING is believed after one has arrived by
 * itself at this sleeper: until then the waker watches the sleeper, and writes to the eventfd when it does not stir.
 *
 * Who:     wake: any thread; `from` is the caller's own ring. The rest: the owner.
 * Always:  a doorbell carries nothing but the wake, and one that comes late wakes for nothing, once.
 * Pairs:   [rung] state is exchanged by wakers and owner (acquire, release): what a waker did before it is seen by the
 *          owner after the poll that it ended
 *          [bell] bell_works is stored (release) by the owner, loaded (acquire) by wakers
 * Not:     payload in the doorbell: whether MSG_RING orders memory is an open question */
#include <errno.h>
#include <magpie/impl/atomic.h>
#include <sched.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "base/clock.h"
#include "io/uring.h"

#define STIR_NS (300 * MAGI_NS_PER_US) /* a sleeper takes 20 us to stir when a CPU is free; picked */

int magi_uring_bell_init(struct magi_uring *u)
{
	int fd = magi_fault() ? -EMFILE : eventfd(0, EFD_CLOEXEC); /* blocking: else the read would not wait */

	if (fd < 0)
		return fd == -1 ? -errno : fd;
	u->eventfd = fd;
	return 0;
}

void magi_uring_bell_fini(struct magi_uring *u)
{
	close(u->eventfd);
}

bool magi_uring_listen(struct magi_uring *u)
{
	struct io_uring_sqe *sqe;

	if (u->listening)
		return true;
	sqe = magi_uring_sqe(u);
	if (!sqe)
		return false;
	memset(sqe, 0, sizeof(*sqe));
	sqe->opcode = IORING_OP_READ;
	sqe->fd = u->eventfd;
	sqe->addr = (uintptr_t)&u->eventfd_value;
	sqe->len = sizeof(u->eventfd_value);
	sqe->user_data = MAGI_OWN(MAGI_OWN_EVENTFD);
	u->listening = true;
	return true;
}

bool magi_uring_fall_asleep(struct magi_uring *u)
{
	uint32_t state = MAGI_URING_AWAKE;

	if (magi_cas_ar(&u->state, &state, MAGI_URING_ASLEEP)) /* [rung] */
		return true;
	magi_xchg_ar(&u->state, MAGI_URING_AWAKE); /* [rung] */
	return false;
}

bool magi_uring_get_up(struct magi_uring *u)
{
	return magi_xchg_ar(&u->state, MAGI_URING_AWAKE) == MAGI_URING_RUNG; /* [rung] */
}

void magi_uring_woken(struct magi_uring *u)
{
	/* with the eventfd in play nobody can say which of the two it was */
	if (u->bell_heard && u->listening && !magi_load_rlx(&u->bell_works)) /* [bell] */
		magi_store_rel(&u->bell_works, 1u); /* [bell] */
}

/* Looks for the failure of the doorbell just submitted: it completes, if at all, at once. */
static bool ringing_failed(struct magi_uring *from, uint32_t since)
{
	const struct io_uring_cq *cq = &from->ring.cq;
	uint32_t tail = magi_load_acq(cq->ktail); /* [uring] */

	if (magi_load_rlx(from->ring.sq.kflags) & IORING_SQ_CQ_OVERFLOW) /* [uring] */
		return true; /* it may be among what did not fit */
	for (; since != tail; since++) {
		if (cq->cqes[since & cq->ring_mask].user_data == MAGI_OWN(MAGI_OWN_RINGING))
			return true;
	}
	return false;
}

/* Rings through the caller's ring, with all else that it has to hand over. False: it is not certain that it rang. */
static bool ring_bell(struct magi_uring *u, struct magi_uring *from)
{
	uint32_t since = magi_load_acq(from->ring.cq.ktail); /* [uring] */
	struct io_uring_sqe *sqe = magi_uring_sqe(from);

	if (!sqe)
		return false;
	memset(sqe, 0, sizeof(*sqe));
	sqe->opcode = IORING_OP_MSG_RING;
	sqe->flags = IOSQE_CQE_SKIP_SUCCESS;
	sqe->fd = u->ring_fd;
	sqe->off = MAGI_OWN(MAGI_OWN_BELL);
	sqe->user_data = MAGI_OWN(MAGI_OWN_RINGING);
	magi_uring_enter(from, 0, 0);
	if (magi_uring_unsubmitted(from)) {
		/* it must not ring at a ring of the same number later */
		sqe->opcode = IORING_OP_NOP;
		sqe->fd = -1;
		sqe->off = 0;
		return false;
	}
	return !ringing_failed(from, since);
}

static bool stirs(struct magi_uring *u)
{
	uint64_t until = magi_clock_ns() + STIR_NS;

	do {
		if (magi_load_acq(&u->state) != MAGI_URING_RUNG) /* [rung] */
			return true;
		sched_yield(); /* it may want this CPU */
	} while (magi_clock_ns() < until);
	return false;
}

static bool woke_through_ring(struct magi_uring *u, struct magi_uring *from)
{
	if (!from || from == u || !(from->features & MAGI_URING_BELL) || !(u->features & MAGI_URING_BELL))
		return false;
	if (magi_load_acq(&u->bell_works)) /* [bell] */
		return ring_bell(u, from);
	if (magi_load_rlx(&u->bell_tries) >= MAGI_URING_BELL_TRIES) /* [stat] */
		return false;
	magi_add_rlx(&u->bell_tries, 1); /* [stat] */
	return ring_bell(u, from) && stirs(u);
}

void magi_uring_wake(struct magi_uring *u, struct magi_uring *from)
{
	uint64_t one = 1;
	ssize_t n;

	if (magi_xchg_ar(&u->state, MAGI_URING_RUNG) != MAGI_URING_ASLEEP) /* [rung] */
		return;
	if (woke_through_ring(u, from))
		return;
	do
		n = write(u->eventfd, &one, sizeof(one));
	while (n < 0 && errno == EINTR); /* [cov kernel] Linux does not interrupt it */
	magi_assert(n == (ssize_t)sizeof(one));
}

void magi_uring_own(struct magi_uring *u, uint64_t user_data, int res)
{
	uint64_t what = user_data - MAGI_OWN(0);

	switch (what) {
	case MAGI_OWN_CANCEL:  /* there was nothing to cancel, or it comes too late */
	case MAGI_OWN_RINGING: /* the waker has seen it */
		break;
	case MAGI_OWN_BELL:
		u->bell_heard = true;
		break;
	case MAGI_OWN_EVENTFD:
		u->listening = false;
		break;
	default:
		magi_assert(what < MAGI_URING_BUFS);
		if (res < 0)
			magi_uring_buffer_refused(u, (uint16_t)what);
	}
}
