/* SPDX-License-Identifier: MIT */
/* bulkhead.c - a semaphore, and a count of those that have it or wait for it.
 *
 * Who:     enter: tasks. try_enter, leave: any thread.
 * Always:  present >= those inside + those that wait: who is counted first may wait then, and who goes is counted out before
 *          it gives its place back, so that the one who gets it may end the bulkhead. So one more than was said may wait for
 *          a moment: for the place of one that is just leaving. And one fewer: who tries, and finds that the place he saw
 *          has just been taken, was counted until then, so that one who comes in that moment may be told -EBUSY with room
 *          for one more. To count him after he has the place would let too many wait for as long as he stays.
 * Pairs:   [stat] the count orders nothing: places are given by the semaphore
 * Not:     the length of the semaphore's queue: it changes under a lock, and who asks and then waits is two steps. */
#include <errno.h>
#include <magpie/bulkhead.h>

#include "base/assert.h"
#include "task/wait.h"

int mag_bulkhead_init(mag_bulkhead *b, uint32_t inside, uint32_t waiting)
{
	if (waiting > MAG_SEMAPHORE_MAX || inside > MAG_SEMAPHORE_MAX - waiting)
		return -EINVAL;
	b->present = 0;
	b->most = inside + waiting;
	return mag_semaphore_init(&b->places, inside, inside);
}

int mag_bulkhead_fini(mag_bulkhead *b)
{
	if (mag_bulkhead_present(b) == 0)
		return 0;
	magi_misuse("mag_bulkhead_fini: %u are inside or wait", mag_bulkhead_present(b));
	return -EBUSY;
}

uint32_t mag_bulkhead_present(const mag_bulkhead *b)
{
	return magi_load_rlx(&b->present); /* [stat] */
}

static bool come(mag_bulkhead *b)
{
	uint32_t n = magi_load_rlx(&b->present); /* [stat] */

	do {
		if (n >= b->most)
			return false;
	} while (!magi_cas_rlx(&b->present, &n, n + 1)); /* [stat] */
	return true;
}

static void go(mag_bulkhead *b)
{
	magi_sub_rlx(&b->present, 1u); /* [stat] */
}

/* Who waits: the place is there, or will not be. */
struct entering {
	mag_frame frame;
	MAG_ARGS(entering, mag_bulkhead *bulkhead; uint64_t deadline;);
	int64_t rc;
};

static MAG_TASK(entering)
{
	MAG_BEGIN(entering);
	MAG_AWAIT(self->rc, mag_semaphore_acquire_until, &self->bulkhead->places, 1, self->deadline);
	if (self->rc < 0)
		go(self->bulkhead);
	MAG_RETURN(self->rc);
	MAG_END;
}

mag_frame *mag_bulkhead_enter_until(mag_worker *w, mag_frame *f, mag_bulkhead *b, uint64_t deadline)
{
	enum { CLASS = MAGI_CLASS(sizeof(struct entering)) };
	struct entering *entering;

	if (magi_cancelled(f))
		return magi_wait_done(w, f, MAG_ECANCELED);
	if (!come(b))
		return magi_wait_done(w, f, -EBUSY);
	if (MAGI_LIKELY(mag_semaphore_try_acquire(&b->places, 1) == 0))
		return magi_wait_done(w, f, 0);
	entering = magi_frame_take(w, CLASS, sizeof(*entering));
	if (!entering) {
		go(b);
		return magi_wait_done(w, f, -ENOMEM);
	}
	entering->args_ = (struct entering_args){ .bulkhead = b, .deadline = deadline };
	return magi_call(f, &entering->frame, entering_step, CLASS);
}

mag_frame *mag_bulkhead_enter(mag_worker *w, mag_frame *f, mag_bulkhead *b)
{
	return mag_bulkhead_enter_until(w, f, b, MAG_NEVER);
}

int mag_bulkhead_try_enter(mag_bulkhead *b)
{
	/* who counts, but will not wait, takes the room of one that would */
	if (mag_semaphore_permits(&b->places) == 0)
		return mag_bulkhead_present(b) < b->most ? -EAGAIN : -EBUSY;
	if (!come(b))
		return -EBUSY;
	if (mag_semaphore_try_acquire(&b->places, 1) == 0)
		return 0;
	go(b);
	return -EAGAIN;
}

int magi_bulkhead_leave(mag_bulkhead *b, const char *where)
{
	if (mag_semaphore_permits(&b->places) == b->places.max) {
		magi_misuse("mag_bulkhead_leave at %s: nobody is inside", where);
		(void)where;
		return -EOVERFLOW;
	}
	go(b);
	return magi_semaphore_give(&b->places, 1, where);
}

MAG_TASK(mag_bulkhead_permit_enter)
{
	MAG_BEGIN(mag_bulkhead_permit_enter);
	MAG_AWAIT(self->rc, mag_bulkhead_enter_until, self->resource, self->until ? self->until : MAG_NEVER);
	MAG_RETURN(self->rc);
	MAG_END;
}

MAG_TASK(mag_bulkhead_permit_exit)
{
	MAG_BEGIN(mag_bulkhead_permit_exit);
	mag_bulkhead_leave(self->resource);
	MAG_RETURN(0);
	MAG_END;
}
