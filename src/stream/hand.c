/* SPDX-License-Identifier: MIT */
/* hand.c - a task of a stage's crew.
 *
 * Who:     the tasks of a lane take turns at the stream above; each calls the function by itself.
 * Always:  an item that was taken is told, once, whatever the function made of it: in `done` there is room for as many as
 *          there are places, and one end a lane.
 *          A lane has one more task with each item until it has as many as it may: who has few items starts few.
 *          Cancelled, the lane ends with that, behind all that was taken. */
#include "stream/crew.h"

/* Nothing comes any more: rc says why. The turn is ours. */
static void end_lane(struct magi_crew_hand *self, bool has_place)
{
	mag_stream_crew *c = self->crew;
	const struct magi_done end = { .rc = self->rc, .seq = self->lane->fetched, .end = 1 };

	self->lane->ended = true;
	mag_queue_try_push(&c->done, &end);
	if (has_place)
		mag_queue_try_push(&c->free, &self->slot);
}

/* An item was taken. Says whether the lane may have one more task. */
static bool begin_item(struct magi_crew_hand *self)
{
	struct magi_lane *lane = self->lane;

	self->done = (struct magi_done){ .rc = 1, .seq = lane->fetched++, .slot = self->slot };
	if (lane->hands == lane->most)
		return false;
	lane->hands++;
	return true;
}

static mag_frame *call(mag_worker *w, mag_frame *f, mag_stream_crew *c, uint32_t slot)
{
	void *args[3] = { magi_crew_in(c, slot), magi_crew_out(c, slot), c->options.ctx };

	return magi_stream_call(w, f, &c->fn, args, NULL);
}

/* Cancelled before its turn. Whoever has the turn now ends the lane, or comes here in his turn: the last one finds it free. */
static void give_up(mag_worker *w, struct magi_crew_hand *self)
{
	if (mag_mutex_try_lock(&self->lane->turn) < 0)
		return;
	if (!self->lane->ended)
		end_lane(self, false);
	mag_mutex_unlock(&self->lane->turn);
}

MAG_TASK(magi_crew_hand)
{
	MAG_BEGIN(magi_crew_hand);
	for (;;) {
		MAG_AWAIT(self->rc, mag_mutex_lock, &self->lane->turn);
		if (self->rc < 0) {
			give_up(w, self);
			break;
		}
		if (self->lane->ended) {
			mag_mutex_unlock(&self->lane->turn);
			break;
		}
		MAG_AWAIT(self->rc, mag_queue_pop, &self->crew->free, &self->slot);
		if (self->rc < 0) {
			end_lane(self, false);
			mag_mutex_unlock(&self->lane->turn);
			break;
		}
		MAG_AWAIT(self->rc, magi_stream_take, self->lane->up, magi_crew_in(self->crew, self->slot));
		if (self->rc <= 0) {
			end_lane(self, true);
			mag_mutex_unlock(&self->lane->turn);
			break;
		}
		self->more = begin_item(self);
		mag_mutex_unlock(&self->lane->turn);
		if (self->more) /* without memory there are fewer */
			MAG_SPAWN(self->rc, &self->crew->group, magi_crew_hand, .crew = self->crew, .lane = self->lane);
		if (self->crew->fn.step)
			MAG_AWAIT(self->done.rc, call, self->crew, self->slot);
		mag_queue_try_push(&self->crew->done, &self->done);
	}
	MAG_RETURN(0);
	MAG_END;
}
