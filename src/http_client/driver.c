/* SPDX-License-Identifier: MIT */
/* driver.c - the task of a lane that acts when a time has come: libcurl's timer, the limits of exchanges, sockets that
 * are to be polled again. */
#include "http_client/exchange.h"

#include <errno.h>

enum { TIMER_SPINS = 1000 }; /* as SPIN_TURNS in socket.c, for the timer */

/* When the driver is to look again. */
static uint64_t next_look(struct magi_client_lane *lane)
{
	uint64_t due = lane->gathering ? MAG_NEVER : lane->due;

	if (lane->due == MAG_NEVER)
		lane->turns = 0;
	else if (lane->paused && lane->turns > TIMER_SPINS)
		due = mag_deadline_in(MAG_MILLISECOND);
	due = due < lane->sweep ? due : lane->sweep;
	return due < lane->rearm ? due : lane->rearm;
}

/* Wakes the exchanges whose phase has taken too long. One timer for all: few ever come to that. */
static void sweep(struct magi_client_lane *lane, uint64_t now)
{
	lane->sweep = MAG_NEVER;
	for (struct magi_client_exchange *x = lane->exchanges; x; x = x->next) {
		if (x->planned <= now) {
			x->overdue = true;
			mag_event_set(&x->call->wake);
		} else {
			magi_client_plan(lane, x->planned);
		}
	}
}

static void look(struct magi_client_lane *lane)
{
	uint64_t now = mag_now(), progress = lane->progress;

	if (lane->sweep <= now)
		sweep(lane, now);
	if (lane->rearm <= now)
		magi_client_socket_rearm(lane);
	if (lane->due <= now && !lane->gathering) { /* else the poller does */
		magi_client_settle(lane);
		lane->turns = progress == lane->progress ? lane->turns + 1 : 0;
	}
}

MAG_TASK(magi_client_driver)
{
	MAG_BEGIN(magi_client_driver);
	while (!self->lane->stopping) {
		mag_event_reset(&self->lane->tick);
		if (!self->lane->polled) {
			self->lane->polled = true;
			MAG_SPAWN_ON(self->rc, self->lane->worker, mag_background(self->lane->hub->rt),
				     magi_client_poller, .lane = self->lane);
			self->lane->polled = self->rc == 0;
			if (self->rc == -ENOMEM)
				self->lane->rearm = mag_deadline_in(MAG_MILLISECOND);
		}
		look(self->lane);
		self->lane->planned = next_look(self->lane);
		self->lane->awake = false;
		MAG_AWAIT(self->rc, mag_event_wait_until, &self->lane->tick, self->lane->planned);
		self->lane->awake = true;
		if (self->rc == MAG_ECANCELED) /* the runtime ends */
			break;
		if (self->rc == -ENOMEM)
			MAG_YIELD(self->rc);
	}
	self->lane->driven = false;
	mag_event_set(&self->lane->left);
	MAG_RETURN(0);
	MAG_END;
}
