/* SPDX-License-Identifier: MIT */
/* lost_wakeup.c - one task waits until another has filled a box. With the bug it now and then waits for ever: what is set
 * after its look at the box and before the reset of the event is forgotten.
 *
 *	magpie sim build/release/examples/sim/lost_wakeup.so --seeds 10000 --shrink
 *
 * Built twice: lost_wakeup.so with the bug, lost_wakeup_fixed.so without it. */
#include <magpie/magpie.h>
#include <magpie/sim.h>

enum { ROUNDS = 3 };

struct box {
	mag_mutex lock;
	mag_event filled;
	bool full; /* under the lock */
};

struct fill {
	mag_frame frame;
	MAG_ARGS(fill, struct box *box;);
	int64_t rc;
};

MAG_TASK(fill)
{
	MAG_BEGIN(fill);
	MAG_AWAIT(self->rc, mag_sleep, 200 * MAG_MICROSECOND);
	if (self->rc == 0)
		MAG_AWAIT(self->rc, mag_mutex_lock, &self->box->lock);
	if (self->rc < 0)
		MAG_RETURN(self->rc);
	self->box->full = true;
	mag_mutex_unlock(&self->box->lock);
	mag_event_set(&self->box->filled);
	MAG_RETURN(0);
	MAG_END;
}

struct take {
	mag_frame frame;
	MAG_ARGS(take, struct box *box;);
	int64_t rc;
};

MAG_TASK(take)
{
	MAG_BEGIN(take);
	MAG_AWAIT(self->rc, mag_mutex_lock, &self->box->lock);
	while (self->rc == 0 && !self->box->full) {
#ifdef FIXED
		mag_event_reset(&self->box->filled); /* under the lock: who fills the box sets it later */
		mag_mutex_unlock(&self->box->lock);
#else
		mag_mutex_unlock(&self->box->lock);
		mag_event_reset(&self->box->filled); /* it may have been set by now */
#endif
		MAG_AWAIT(self->rc, mag_event_wait, &self->box->filled);
		if (self->rc == 0)
			MAG_AWAIT(self->rc, mag_mutex_lock, &self->box->lock);
	}
	if (self->rc < 0)
		MAG_RETURN(self->rc);
	self->box->full = false;
	mag_mutex_unlock(&self->box->lock);
	MAG_RETURN(0);
	MAG_END;
}

struct lost_wakeup {
	mag_frame frame;
	MAG_NO_ARGS(lost_wakeup);
	mag_group group;
	struct box box;
	int64_t rc;
	int round;
};

MAG_TASK(lost_wakeup)
{
	MAG_BEGIN(lost_wakeup);
	for (self->round = 0; self->round < ROUNDS; self->round++) {
		mag_mutex_init(&self->box.lock);
		mag_event_init(&self->box.filled);
		self->box.full = false;
		MAG_GROUP_BEGIN(&self->group);
		MAG_SPAWN(self->rc, &self->group, take, .box = &self->box);
		MAG_SPAWN(self->rc, &self->group, fill, .box = &self->box);
		MAG_GROUP_END(self->rc, &self->group);
		if (self->rc < 0)
			MAG_RETURN(self->rc);
	}
	MAG_RETURN(0);
	MAG_END;
}

MAG_PROGRAM(lost_wakeup);
