/* SPDX-License-Identifier: MIT */
/* barrier.h - so many tasks wait for each other, round after round.
 *
 *	for (self->round = 0; self->round < ROUNDS; self->round++) {
 *		compute(self->part);
 *		MAG_AWAIT(self->rc, mag_barrier_wait, &self->all->barrier);
 *		if (self->rc < 0)
 *			MAG_RETURN(self->rc);
 *		if (self->rc == 1)              // one of them
 *			…
 *	}
 *
 * Who is cancelled while it waits leaves the round, which then waits for another party: if there is none, end it for
 * all with mag_barrier_abort.
 *
 * The memory is the caller's. Its tasks belong to one runtime; any thread may abort and reset. */
#ifndef MAGPIE_BARRIER_H
#define MAGPIE_BARRIER_H

#include <magpie/impl/waitq.h>
#include <magpie/scope.h>

MAGI_C_BEGIN

typedef struct mag_barrier {
	uint32_t parties;
	uint32_t broken;         /* under the lock, as is who has come: those in the queue */
	struct magi_waitq waitq;
} mag_barrier;

/* A static initialiser: for `parties` tasks, 1 at least. */
#define MAG_BARRIER_INIT(parties) { (parties), 0, { 0, 0, NULL, NULL, NULL } }

/* Makes the memory a barrier for that many tasks.
 *
 * Threads:  any
 * Returns:  0, -EINVAL when parties is 0
 * Since:    0.2 */
MAG_API int mag_barrier_init(mag_barrier *barrier, uint32_t parties);

/* Ends it. Nobody may wait, and all who have waited must have returned.
 *
 * Threads:  any
 * Returns:  0, -EBUSY when somebody waits (ends the program in debug builds)
 * Since:    0.2 */
MAG_API int mag_barrier_fini(mag_barrier *barrier);

/* MAG_AWAIT(rc, mag_barrier_wait, &barrier): waits until so many tasks have come, this one included. Then all of them
 * go on, and the next round begins.
 *
 * Await:    yes, a cancellation point
 * Threads:  any worker
 * Returns:  1 to the one that came last, 0 to the others; MAG_ECANCELED (this task left the round), MAG_ECLOSED when
 *           the barrier was aborted
 * Since:    0.2 */
MAG_API MAG_OP mag_barrier_wait(MAG_OP_ARGS, mag_barrier *barrier);

/* MAG_AWAIT(rc, mag_barrier_wait_until, &barrier, deadline): the same, until `deadline` (mag_now; MAG_NEVER) at most.
 * When that has passed, as mag_barrier_try_wait.
 *
 * Await:    yes, a cancellation point
 * Threads:  any worker
 * Returns:  1, 0, MAG_ETIMEDOUT (this task left the round), and what mag_barrier_wait returns; -ENOMEM
 * Since:    0.2 */
MAG_API MAG_OP mag_barrier_wait_until(MAG_OP_ARGS, mag_barrier *barrier, uint64_t deadline);

/* Comes if it is the last one: the round is over then.
 *
 * Threads:  any
 * Returns:  1, -EAGAIN when others are still to come, MAG_ECLOSED when the barrier was aborted
 * Since:    0.2 */
MAG_API int mag_barrier_try_wait(mag_barrier *barrier);

/* Ends the round for all: who waits, or comes from now on, gets MAG_ECLOSED, until the barrier is reset.
 *
 * Threads:  any
 * Returns:  1, or 0 when it was aborted already
 * Since:    0.2 */
MAG_API int mag_barrier_abort(mag_barrier *barrier);

/* Makes an aborted barrier as new.
 *
 * Threads:  any
 * Returns:  1, or 0 when it was not aborted
 * Since:    0.2 */
MAG_API int mag_barrier_reset(mag_barrier *barrier);

/* How many wait. A snapshot.  Threads: any */
MAG_API uint32_t mag_barrier_waiting(mag_barrier *barrier);

MAGI_C_END

#endif
