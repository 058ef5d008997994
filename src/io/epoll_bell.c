/* SPDX-License-Identifier: MIT */
/* epoll_bell.c - the owner's sleep in epoll_wait, and what ends it.
 *
 * `state` says it all, as in uring_bell.c: a waker that finds ASLEEP writes to the eventfd; one that finds AWAKE need
 * not, since before it blocks the owner finds RUNG and does not. Nobody reads the eventfd: registered for edges, each
 * write is one.
 *
 * Who:     wake, give_back: any thread. The rest: the owner.
 * Always:  a ring that comes late wakes for nothing, once.
 * Pairs:   [erung] state is exchanged by wakers and owner (acquire, release): what a waker did before it is seen by the
 *          owner after the poll that it ended
 *          [efinished] an operation that a thread has done is pushed (acquire, release) -> the owner takes the whole
 *          stack (acquire, release)
 *          [eguests] a thread that has rung counts itself out (acquire, release) -> who closes loads 0 (acquire): only
 *          then is the memory of the io nobody's */
#include <errno.h>
#include <linux/time_types.h>
#include <magpie/impl/atomic.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "base/clock.h"
#include "base/futex.h"
#include "io/epoll.h"

#ifndef SYS_epoll_pwait2
#define SYS_epoll_pwait2 441 /* the same everywhere; 5.11 */
#endif

#define BELL UINT64_MAX /* an event's data: the eventfd */

enum magi_epoll_sleep {
	AWAKE,  /* by the owner; left for ASLEEP by the owner, for RUNG by a waker */
	ASLEEP, /* about to block, or blocked; left for RUNG by a waker, who then rings, or AWAKE by the owner */
	RUNG    /* woken; left for AWAKE by the owner, in a poll that may block */
};

int magi_epoll_bell_init(struct magi_epoll *u)
{
	struct epoll_event event = { .events = EPOLLIN | EPOLLET, .data.u64 = BELL };
	int rc;

	u->epfd = magi_fault() ? (errno = EMFILE, -1) : epoll_create1(EPOLL_CLOEXEC);
	if (u->epfd < 0)
		return -errno;
	u->eventfd = magi_fault() ? (errno = EMFILE, -1) : eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (u->eventfd >= 0 && epoll_ctl(u->epfd, EPOLL_CTL_ADD, u->eventfd, &event) == 0)
		return 0;
	rc = -errno;
	if (u->eventfd >= 0)
		close(u->eventfd);
	close(u->epfd);
	return rc;
}

void magi_epoll_bell_fini(struct magi_epoll *u)
{
	close(u->eventfd);
	close(u->epfd);
}

bool magi_epoll_fall_asleep(struct magi_epoll *u)
{
	uint32_t state = AWAKE;

	if (magi_cas_ar(&u->state, &state, (uint32_t)ASLEEP)) /* [erung] */
		return true;
	magi_xchg_ar(&u->state, (uint32_t)AWAKE); /* [erung] */
	return false;
}

bool magi_epoll_get_up(struct magi_epoll *u)
{
	return magi_xchg_ar(&u->state, (uint32_t)AWAKE) == RUNG; /* [erung] */
}

void magi_epoll_wake(struct magi_epoll *u)
{
	uint64_t one = 1;
	ssize_t n;

	if (magi_xchg_ar(&u->state, (uint32_t)RUNG) != ASLEEP) /* [erung] */
		return;
	do
		n = write(u->eventfd, &one, sizeof(one));
	while (n < 0 && errno == EINTR); /* [cov kernel] Linux does not interrupt it */
	magi_assert(n == (ssize_t)sizeof(one));
}

/* Milliseconds, rounded up: never before the deadline. */
static int wait_ms(uint64_t wait_ns)
{
	uint64_t ms;

	if (wait_ns == UINT64_MAX)
		return -1;
	ms = wait_ns / MAGI_NS_PER_MS + (wait_ns % MAGI_NS_PER_MS != 0);
	return ms > INT_MAX ? INT_MAX : (int)ms;
}

static int wait_for_events(struct magi_epoll *u, struct epoll_event *events, uint64_t wait_ns)
{
	struct __kernel_timespec ts = { (int64_t)(wait_ns / MAGI_NS_PER_S), (int64_t)(wait_ns % MAGI_NS_PER_S) };
	long n;

	if (wait_ns && wait_ns != UINT64_MAX && !u->no_pwait2) {
		n = syscall(SYS_epoll_pwait2, u->epfd, events, MAGI_EPOLL_EVENTS, &ts, NULL, (size_t)0);
		/* some sandboxes answer EPERM to what they do not know */
		if (n >= 0 || (errno != ENOSYS && errno != EPERM))
			return n < 0 ? -errno : (int)n;
		u->no_pwait2 = true;
	}
	n = epoll_wait(u->epfd, events, MAGI_EPOLL_EVENTS, wait_ms(wait_ns));
	return n < 0 ? -errno : (int)n;
}

int magi_epoll_harvest(struct magi_epoll *u, uint64_t wait_ns)
{
	struct epoll_event events[MAGI_EPOLL_EVENTS];
	int n = wait_for_events(u, events, wait_ns);

	u->looked_at = magi_ticks();
	u->skipped = 0;
	for (int i = 0; i < n; i++) {
		if (events[i].data.u64 != BELL)
			magi_epoll_event(u, &events[i]);
	}
	return n;
}

void magi_epoll_give_back(struct magi_epoll_op *op)
{
	struct magi_epoll *u = op->io;
	struct magi_epoll_op *first = magi_load_rlx(&u->finished); /* [efinished] the exchange orders */

	do
		op->next = first;
	while (!magi_cas_ar(&u->finished, &first, op)); /* [efinished] */
	/* the operation is the owner's from here on */
	magi_epoll_wake(u);
	magi_sub_ar(&u->guests, 1u); /* [eguests] */
}

void magi_epoll_collect(struct magi_epoll *u)
{
	struct magi_epoll_op *op, *next, *in_order = NULL;

	if (MAGI_LIKELY(!magi_load_rlx(&u->finished))) /* [efinished] a ring follows what is missed here */
		return;
	for (op = magi_xchg_ar(&u->finished, (struct magi_epoll_op *)NULL); op; op = next) { /* [efinished] */
		next = op->next;
		op->next = in_order;
		in_order = op;
	}
	for (op = in_order; op; op = next) {
		next = op->next;
		magi_epoll_end(u, op, op->res);
	}
}

void magi_epoll_guests_gone(struct magi_epoll *u)
{
	while (magi_load_acq(&u->guests)) /* [eguests] */
		magi_thread_yield(); /* a few instructions of theirs are left */
}
