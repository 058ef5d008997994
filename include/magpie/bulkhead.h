/* SPDX-License-Identifier: MIT */
/* bulkhead.h - so many at once, so many that wait, and the rest is refused at once: a slow neighbour does not fill the ship.
 *
 *	static mag_bulkhead bulkhead = MAG_BULKHEAD_INIT(20, 50);
 *	…
 *	MAG_USING_BEGIN(self->rc, &self->use, mag_bulkhead_permit, &bulkhead);
 *	if (self->rc >= 0)
 *		MAG_CALL(self->rc, request, .url = self->url);
 *	MAG_USING_END(self->rc, &self->use, self->rc);               // -EBUSY: it was refused
 *
 * Who waits is served in the order of coming. The memory is the caller's: nobody may be inside, or in a call, when it goes;
 * who has been let in last may end it. Its tasks belong to one runtime. */
#ifndef MAGPIE_BULKHEAD_H
#define MAGPIE_BULKHEAD_H

#include <magpie/resource.h>
#include <magpie/semaphore.h>
#include <magpie/time.h>

MAGI_C_BEGIN

typedef struct mag_bulkhead {
	mag_semaphore places;
	uint32_t present; /* atomic: those inside, and those that wait */
	uint32_t most;
} mag_bulkhead;

/* A static initialiser: how many may be inside (at least 1), and how many wait. */
#define MAG_BULKHEAD_INIT(inside, waiting) \
	{ MAG_SEMAPHORE_INIT(inside, inside), 0, (uint32_t)(inside) + (uint32_t)(waiting) }

/* Makes the memory a bulkhead with nobody inside.
 *
 * Threads:  any
 * Returns:  0, -EINVAL: nobody might be inside, or both together are above MAG_SEMAPHORE_MAX
 * Since:    0.2 */
MAG_API int mag_bulkhead_init(mag_bulkhead *bulkhead, uint32_t inside, uint32_t waiting);

/* Ends it.
 *
 * Threads:  any
 * Returns:  0, -EBUSY when somebody is inside or waits (ends the program in debug builds)
 * Since:    0.2 */
MAG_API int mag_bulkhead_fini(mag_bulkhead *bulkhead);

/* MAG_AWAIT(rc, mag_bulkhead_enter, &bulkhead): comes in, waiting for a place if not too many do.
 *
 * Await:    yes, a cancellation point
 * Threads:  any worker
 * Owns:     a place after 0: mag_bulkhead_leave
 * Returns:  0, -EBUSY (too many wait), MAG_ECANCELED, -ENOMEM; after an error there is no place to give back
 * Since:    0.2 */
MAG_API MAG_OP mag_bulkhead_enter(MAG_OP_ARGS, mag_bulkhead *bulkhead);

/* MAG_AWAIT(rc, mag_bulkhead_enter_until, &bulkhead, deadline): the same, until `deadline` (mag_now; MAG_NEVER) at most.
 *
 * Returns:  as mag_bulkhead_enter; MAG_ETIMEDOUT
 * Since:    0.2 */
MAG_API MAG_OP mag_bulkhead_enter_until(MAG_OP_ARGS, mag_bulkhead *bulkhead, uint64_t deadline);

/* Comes in if there is a place and nobody waits.
 *
 * Threads:  any
 * Owns:     a place after 0: mag_bulkhead_leave
 * Returns:  0, -EAGAIN (it would have to wait), -EBUSY (too many do)
 * Since:    0.2 */
MAG_API int mag_bulkhead_try_enter(mag_bulkhead *bulkhead);

/* mag_bulkhead_leave(&bulkhead): gives the place back. Never cut short.
 *
 * Threads:  any
 * Returns:  0; -EOVERFLOW when nobody is inside (ends the program in debug builds)
 * Since:    0.2 */
#define mag_bulkhead_leave(bulkhead) magi_bulkhead_leave((bulkhead), __FILE__ MAGI_SEMAPHORE_LINE(__LINE__))
MAG_API int magi_bulkhead_leave(mag_bulkhead *bulkhead, const char *where);

/* A resource (magpie/resource.h): a place, waited for until `until` (mag_now; 0: for ever) at most.  Since: 0.2 */
struct mag_bulkhead_permit_enter {
	mag_frame frame;
	MAG_ARGS(mag_bulkhead_permit_enter, mag_bulkhead *resource; uint64_t until;);
	int64_t rc;
};
struct mag_bulkhead_permit_exit {
	mag_frame frame;
	MAG_ARGS(mag_bulkhead_permit_exit, mag_bulkhead *resource; int64_t why;);
};
MAG_API MAG_DECLARE_TASK(mag_bulkhead_permit_enter);
MAG_API MAG_DECLARE_TASK(mag_bulkhead_permit_exit);

/* How many are inside or wait. A snapshot.  Threads: any.  Since: 0.2 */
MAG_API uint32_t mag_bulkhead_present(const mag_bulkhead *bulkhead);

MAGI_C_END

#endif
