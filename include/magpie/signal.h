/* SPDX-License-Identifier: MIT */
/* signal.h - signals as events that a task awaits.
 *
 *	self->rc = mag_signal_open(&self->signals, SIGHUP, SIGUSR1);
 *	…
 *	for (;;) {
 *		MAG_AWAIT(self->rc, mag_signal_next, &self->signals);
 *		if (self->rc == SIGHUP)
 *			MAG_CALL(self->rc, read_settings);
 *		if (self->rc < 0)
 *			break;
 *	}
 *	mag_signal_close(&self->signals);
 *
 * From the opening on a signal does no longer do to the process what it did; when the last receiver of it is closed, what
 * was there before is there again. Each receiver that is open gets each signal of its set, in whichever runtime its tasks
 * are; which thread the kernel interrupts, and what that has blocked, makes no difference. Signals that nobody has taken
 * yet do not add up, as in the kernel: it came, once or more often. What comes between two calls of mag_signal_next is kept.
 * In a child of fork(2) they are closed, and it may open its own.
 *
 * The memory is the caller's, its tasks belong to one runtime. In a simulation signals come by mag_sim_raise alone. For
 * the end of the program there is magpie/shutdown.h. */
#ifndef MAGPIE_SIGNAL_H
#define MAGPIE_SIGNAL_H

#include <magpie/impl/waitq.h>
#include <magpie/scope.h>
#include <magpie/select.h>
#include <signal.h>

MAGI_C_BEGIN

struct magi_receivers;

typedef struct mag_signal {
	struct magi_waitq waitq;
	uint64_t pending; /* under the lock: bit n - 1 for signal n */
	uint64_t came;    /* under the lock: how many, those that fell together included */
	uint32_t closed;  /* under the lock */
	/* under that of all receivers */
	uint32_t left;    /* takes so many more; UINT32_MAX: any number */
	uint64_t wanted;
	struct mag_signal *next, **pprev;
	struct magi_receivers *among;
} mag_signal;

/* mag_signal_open(&signal, SIGINT, SIGTERM, …): opens a receiver for these signals. Those that come from now on are kept
 * until a task asks.
 *
 * Threads:  any; also before there is a runtime
 * Owns:     the caller: mag_signal_close
 * Returns:  0; -EINVAL: a signal that cannot be caught, or that a thread raises by what it does and could not go on from
 *           (SIGKILL, SIGSTOP, SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS, SIGABRT), or no signal; -EAGAIN, -ENOMEM
 * Since:    0.2 */
#define mag_signal_open(signal, ...)                           \
	magi_signal_open((signal), (const int[]){ __VA_ARGS__ }, \
			 sizeof((const int[]){ __VA_ARGS__ }) / sizeof(int), UINT32_MAX)

/* most: takes no more than that many signals: then the next one does what it did before the opening. */
MAG_API int magi_signal_open(mag_signal *signal, const int *set, size_t n, uint32_t most);

/* Ends it: what it has not given is dropped, who waits gets MAG_ECLOSED. What was there before these signals were opened
 * is there again when this was the last receiver, unless somebody else has put something in its place. The memory is the
 * caller's again once all who waited have returned.
 *
 * Threads:  any
 * Returns:  1, or 0 when it was closed already
 * Since:    0.2 */
MAG_API int mag_signal_close(mag_signal *signal);

/* MAG_AWAIT(number, mag_signal_next, &signal): waits for a signal of the set. Of several that are there the one with the
 * lowest number is given. Of several tasks that wait one gets it.
 *
 * Await:    yes, a cancellation point: no signal is lost by it
 * Threads:  any worker
 * Returns:  the signal's number, MAG_ECLOSED, MAG_ECANCELED
 * Since:    0.2 */
MAG_API MAG_OP mag_signal_next(MAG_OP_ARGS, mag_signal *signal);

/* MAG_AWAIT(number, mag_signal_next_until, &signal, deadline): the same, until `deadline` (mag_now; MAG_NEVER) at most.
 *
 * Await:    yes, a cancellation point
 * Threads:  any worker
 * Returns:  as mag_signal_next, also when the deadline has passed; MAG_ETIMEDOUT, -ENOMEM
 * Since:    0.2 */
MAG_API MAG_OP mag_signal_next_until(MAG_OP_ARGS, mag_signal *signal, uint64_t deadline);

/* The same without waiting.
 *
 * Threads:  any
 * Returns:  the signal's number, MAG_ECLOSED, -EAGAIN
 * Since:    0.2 */
MAG_API int mag_signal_try_next(mag_signal *signal);

MAG_API extern const struct magi_case_kind magi_case_signal;

/* Makes a case of mag_select that waits as mag_signal_next does. cases[i].result: the signal, MAG_ECLOSED.  Since: 0.2 */
MAGI_FAST void mag_case_signal(mag_case *c, mag_signal *signal)
{
	magi_case_make(c, &magi_case_signal, signal, 0);
}

MAGI_C_END

#endif
