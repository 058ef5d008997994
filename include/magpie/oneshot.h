/* SPDX-License-Identifier: MIT */
/* oneshot.h - one value from one to another, sent once: an answer to a request, the end of something.
 *
 *	struct reply room;                  // beside the oneshot: where the value lies until it is taken
 *	mag_oneshot_init(&self->answer, &self->room, sizeof(self->room));
 *	…                                                         // the other gets &self->answer
 *	MAG_AWAIT(self->rc, mag_oneshot_recv, &self->answer, &self->reply);
 *	…
 *	mag_oneshot_send(request->answer, &reply);                // or mag_oneshot_close: there will be none
 *
 * The struct and the room are the caller's memory. Its tasks belong to one runtime; any thread may send and close.
 *
 * It may be freed by who has received, once mag_oneshot_recv or mag_oneshot_try_recv has returned 0 or MAG_ECLOSED: the
 * send or close that made it so has let go of it then, even if its call has not returned yet. So each side makes one
 * such call at most: who has sent does not touch it again. After MAG_ECANCELED, and when the receiver itself has closed
 * it, the other one may still come: it is kept until that one has ended. */
#ifndef MAGPIE_ONESHOT_H
#define MAGPIE_ONESHOT_H

#include <magpie/impl/waitq.h>
#include <magpie/task.h>

MAGI_C_BEGIN

enum { MAG_ONESHOT_VALUE_MAX = 1024 }; /* bytes: it is copied under a spin lock. Larger things go by pointer */

typedef struct mag_oneshot {
	struct magi_waitq waitq; /* its lock guards all */
	void *room;
	uint32_t size;  /* of the value */
	uint32_t state; /* atomic: written under the lock */
} mag_oneshot;

/* A static initialiser, with the variable in which the value may lie: `static uint64_t room;`
 * `static mag_oneshot oneshot = MAG_ONESHOT_INIT(room);` */
#define MAG_ONESHOT_INIT(variable)                                                                              \
	{                                                                                                       \
		{ 0, 0, NULL, NULL, NULL }, &(variable), MAGI_SIZE_WITHIN(variable, MAG_ONESHOT_VALUE_MAX), 0   \
	}

/* Makes the memory a oneshot for a value of `size` bytes, which may lie in `room` until it is taken.
 *
 * Threads:  any
 * Owns:     nothing: `room` lives as long as the oneshot
 * Returns:  0, -EINVAL when size is 0 or above MAG_ONESHOT_VALUE_MAX
 * Since:    0.2 */
MAG_API int mag_oneshot_init(mag_oneshot *oneshot, void *room, size_t size);

/* Ends it; a value that nobody took is forgotten. Not needed where the rule above lets it be freed.
 *
 * Threads:  any
 * Returns:  0, -EBUSY when somebody waits (ends the program in debug builds)
 * Since:    0.2 */
MAG_API int mag_oneshot_fini(mag_oneshot *oneshot);

/* Sends the value, a copy. Never waits.
 *
 * Threads:  any
 * Returns:  0, MAG_ECLOSED when it was closed: nobody will have it; -EALREADY when one was sent before, which stays
 * Since:    0.2 */
MAG_API int mag_oneshot_send(mag_oneshot *oneshot, const void *value);

/* MAG_AWAIT(rc, mag_oneshot_recv, &oneshot, &value): takes the value, waiting until it is sent. `value` is in the
 * frame, or lives as long. Of several that wait the first gets it, the others MAG_ECLOSED.
 *
 * Await:    yes, a cancellation point
 * Threads:  any worker
 * Returns:  0; MAG_ECLOSED when there will be none: closed, or taken before; MAG_ECANCELED: nothing was taken, and a
 *           value that comes later is still to be had
 * Since:    0.2 */
MAG_API MAG_OP mag_oneshot_recv(MAG_OP_ARGS, mag_oneshot *oneshot, void *value);

/* MAG_AWAIT(rc, mag_oneshot_recv_until, &oneshot, &value, deadline): the same, until `deadline` (mag_now; MAG_NEVER) at
 * most.
 *
 * Await:    yes, a cancellation point
 * Threads:  any worker
 * Returns:  as mag_oneshot_recv; MAG_ETIMEDOUT, -ENOMEM: as after MAG_ECANCELED
 * Since:    0.2 */
MAG_API MAG_OP mag_oneshot_recv_until(MAG_OP_ARGS, mag_oneshot *oneshot, void *value, uint64_t deadline);

/* The same without waiting.
 *
 * Threads:  any
 * Returns:  0, -EAGAIN when it has not been sent yet, MAG_ECLOSED when there will be none
 * Since:    0.2 */
MAG_API int mag_oneshot_try_recv(mag_oneshot *oneshot, void *value);

/* Says that there will be no value (the sender), or that nobody wants it any more (the receiver). Never cut short.
 *
 * Threads:  any
 * Returns:  1; 0 when that changes nothing: it was closed before, or the value has been sent and can still be taken
 * Since:    0.2 */
MAG_API int mag_oneshot_close(mag_oneshot *oneshot);

/* Whether it was closed before a value was sent: who works on one may stop.  Threads: any */
MAG_API bool mag_oneshot_is_closed(const mag_oneshot *oneshot);

MAGI_C_END

#endif
