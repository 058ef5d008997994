/* SPDX-License-Identifier: MIT */
/* watch.h - the latest value of something that changes: settings, a state. Who looks sees the newest, and may wait for
 * a change; what came in between is not kept.
 *
 *	static struct settings first = { … };
 *	mag_watch_init(&self->settings, &first, sizeof(first));  // `first` is the room, and the value at the start
 *	…
 *	mag_watch_send(&self->settings, &newer);                         // never waits
 *	…
 *	self->seen = 0;                                                  // in each that follows it: nothing seen yet
 *	for (;;) {
 *		MAG_AWAIT(self->rc, mag_watch_changed, self->settings, self->seen);
 *		if (self->rc < 0)
 *			break;                                           // MAG_ECLOSED: the last value has been seen
 *		self->seen = mag_watch_get(self->settings, &self->mine);
 *		…
 *	}
 *
 * A version is a number that grows with each value sent; that of the value which was there at the start is not 0. A
 * receiver is no more than the version it has seen: there may be any number, and none has to be told of.
 * The struct and the room are the caller's memory. Its tasks belong to one runtime; any thread may send, look and
 * close. */
#ifndef MAGPIE_WATCH_H
#define MAGPIE_WATCH_H

#include <magpie/impl/waitq.h>
#include <magpie/scope.h>

MAGI_C_BEGIN

enum { MAG_WATCH_VALUE_MAX = 1024 }; /* bytes: it is copied under a spin lock. Larger things go by pointer */

typedef struct mag_watch {
	uint64_t version; /* atomic: written under the lock. Bit 0: closed */
	struct magi_waitq waitq;
	void *room; /* under the lock */
	size_t size;
} mag_watch;

enum { MAGI_WATCH_CLOSED = 1, MAGI_WATCH_STEP = 2 };

/* A static initialiser, with the variable in which the value lies: `static struct settings now = { … };`
 * `static mag_watch watch = MAG_WATCH_INIT(now);` */
#define MAG_WATCH_INIT(variable)                                                                        \
	{                                                                                               \
		MAGI_WATCH_STEP, { 0, 0, NULL, NULL, NULL }, &(variable),                               \
			MAGI_SIZE_WITHIN(variable, MAG_WATCH_VALUE_MAX)                                 \
	}

/* Makes the memory a watch on a value of `size` bytes, which lies in `room`: what is there now is the first value, and
 * from now on it is not to be touched.
 *
 * Threads:  any
 * Owns:     nothing: `room` lives as long as the watch
 * Returns:  0, -EINVAL when size is 0 or above MAG_WATCH_VALUE_MAX
 * Since:    0.2 */
MAG_API int mag_watch_init(mag_watch *watch, void *room, size_t size);

/* Ends it: waits until who has closed it or sent the last value has let go of it. Nobody may wait for it any more.
 *
 * Threads:  any
 * Returns:  0, -EBUSY when somebody waits (ends the program in debug builds)
 * Since:    0.2 */
MAG_API int mag_watch_fini(mag_watch *watch);

/* The version of the newest value: who begins with it sees only what is sent from now on.  Threads: any */
MAGI_FAST uint64_t mag_watch_version(const mag_watch *watch)
{
	return magi_load_acq(&watch->version) & ~(uint64_t)MAGI_WATCH_CLOSED; /* [version] */
}

/* Whether there is a value that is newer than version `seen`. One load.  Threads: any */
MAGI_FAST bool mag_watch_has_changed(const mag_watch *watch, uint64_t seen)
{
	return mag_watch_version(watch) != seen;
}

/* Copies the newest value, also when the watch is closed. Returns its version.
 *
 * Threads:  any
 * Since:    0.2 */
MAG_API uint64_t mag_watch_get(mag_watch *watch, void *value);

MAG_API mag_frame *magi_watch_changed(mag_worker *w, mag_frame *f, mag_watch *watch, uint64_t seen);

/* MAG_AWAIT(rc, mag_watch_changed, &watch, seen): waits until there is a value that is newer than version `seen`.
 *
 * Await:    yes, a cancellation point
 * Threads:  any worker
 * Returns:  0, MAG_ECLOSED when there will be none, MAG_ECANCELED
 * Since:    0.2 */
MAGI_FAST MAG_OP mag_watch_changed(MAG_OP_ARGS, mag_watch *watch, uint64_t seen)
{
#ifndef MAGI_FORCED_MIGRATION
	if (MAGI_LIKELY(!magi_load_rlx(&f->scope->cancelled)) && /* [cancelled] */
	    mag_watch_has_changed(watch, seen)) {
		f->op.result = 0;
		return f;
	}
#endif
	return magi_watch_changed(w, f, watch, seen);
}

/* MAG_AWAIT(rc, mag_watch_changed_until, &watch, seen, deadline): the same, until `deadline` (mag_now; MAG_NEVER) at
 * most.
 *
 * Await:    yes, a cancellation point
 * Threads:  any worker
 * Returns:  as mag_watch_changed; MAG_ETIMEDOUT, -ENOMEM
 * Since:    0.2 */
MAG_API MAG_OP mag_watch_changed_until(MAG_OP_ARGS, mag_watch *watch, uint64_t seen, uint64_t deadline);

/* Puts a newer value, a copy, in the place of the one that was there, and lets all go on who wait. Never waits.
 *
 * Threads:  any
 * Returns:  0, MAG_ECLOSED
 * Since:    0.2 */
MAG_API int mag_watch_send(mag_watch *watch, const void *value);

/* Takes no more values. Who has not seen the last one still does. Never cut short.
 *
 * Threads:  any
 * Returns:  1, or 0 when it was closed already
 * Since:    0.2 */
MAG_API int mag_watch_close(mag_watch *watch);

/* Whether it is closed.  Threads: any */
MAG_API bool mag_watch_is_closed(const mag_watch *watch);

MAGI_C_END

#endif
