/* SPDX-License-Identifier: MIT */
/* crew.h - the tasks of a stage. */
#ifndef MAGI_STREAM_CREW_H
#define MAGI_STREAM_CREW_H

#include <magpie/mutex.h>
#include <magpie/stream_crew.h>

#include "stream/stream.h"

struct magi_lane {
	mag_stream *up;
	mag_mutex turn;   /* to take from `up`; guards the rest */
	uint64_t fetched;
	uint32_t hands, most;
	bool ended;
};

/* A task of the crew: takes an item, calls the function, tells; and again. */
struct magi_crew_hand {
	mag_frame frame;
	MAG_ARGS(magi_crew_hand, mag_stream_crew *crew; struct magi_lane *lane;);
	struct magi_done done;
	int64_t rc;
	uint32_t slot;
	bool more;
};
MAG_DECLARE_TASK(magi_crew_hand);

/* Where an item lies that is taken from above, and what is made of it: the same without a function. */
static inline unsigned char *magi_crew_in(const mag_stream_crew *c, uint32_t slot)
{
	return c->places + (size_t)slot * c->place_bytes;
}

static inline unsigned char *magi_crew_out(const mag_stream_crew *c, uint32_t slot)
{
	return magi_crew_in(c, slot) + c->in_bytes;
}

/* Whether there is an item to give. */
static inline bool magi_done_has_item(const struct magi_done *d)
{
	return !d->end && d->rc >= 0 && d->rc != MAG_STREAM_DROP;
}

static inline void magi_crew_discard(mag_stream_crew *c, const struct magi_done *d)
{
	if (c->options.discard && magi_done_has_item(d))
		c->options.discard(c->options.ctx, magi_crew_out(c, d->slot));
}

#endif
