/* SPDX-License-Identifier: MIT */
/* sim_weather.c - what befalls the simulated network: parts of it are cut, for a time or until told.
 *
 * Who:     whoever has entered the world; magi_world_partition: the simulation's driver.
 * Always:  what had come before a cut is there. What is under way comes when the cut is over. */
#include <netinet/in.h>
#include <string.h>

#include "io/sim_world.h"

#define CUT_MIN_NS MAGI_NS_PER_MS
#define CUT_MAX_NS (2 * MAGI_NS_PER_S)

static bool is_between(const struct sim_cut *cut, const struct sim_addr *a, const struct sim_addr *b)
{
	return cut->all || (magi_world_addr_same_host(&cut->a, a) && magi_world_addr_same_host(&cut->b, b)) ||
	       (magi_world_addr_same_host(&cut->a, b) && magi_world_addr_same_host(&cut->b, a));
}

bool magi_world_cut(const struct magi_world *world, const struct sim_addr *a, const struct sim_addr *b, uint64_t at,
		    uint64_t *until)
{
	bool cut = false;

	*until = at;
	for (int i = 0; i < SIM_CUTS; i++) {
		const struct sim_cut *c = &world->cuts[i];

		if (c->from <= at && at < c->until && is_between(c, a, b)) {
			cut = true;
			if (c->until > *until)
				*until = c->until;
		}
	}
	if (world->parted && world->parted_at <= at) {
		cut = true;
		*until = MAGI_NEVER;
	}
	return cut;
}

void magi_world_draw_cut(struct magi_world *world, const struct sim_addr *a, const struct sim_addr *b)
{
	struct sim_cut *cut = &world->cuts[0];

	if (!sim_chance(world, MAGI_CHANCE_LOSS))
		return;
	for (int i = 1; i < SIM_CUTS; i++) {
		if (world->cuts[i].until < cut->until)
			cut = &world->cuts[i];
	}
	cut->from = world->now;
	cut->until = world->now + magi_world_between(world, CUT_MIN_NS, CUT_MAX_NS);
	cut->all = magi_world_random(world, 4) != 0;
	cut->a = *a;
	cut->b = *b;
	magi_note(MAGI_NOTE_NET, SIM_NET_CUT, cut->all, (int64_t)(cut->until - cut->from));
}

void magi_world_partition(struct magi_world *world, bool on)
{
	magi_world_enter(world);
	if (world->parted != on) {
		world->parted = on;
		world->parted_at = world->now;
		magi_note(MAGI_NOTE_NET, SIM_NET_PARTED, on, 0);
	}
	if (!on) {
		/* what waits for something that was under way has no event */
		for (uint32_t i = 0; i < world->fd_slots; i++)
			magi_world_changed(world->fds[i]);
	}
	magi_world_leave(world);
}
