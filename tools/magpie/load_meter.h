/* SPDX-License-Identifier: MIT */
/* load_meter.h - brings the tallies of the workers together while the load goes on, and cuts it into seconds. */
#ifndef MAGPIE_TOOLS_LOAD_METER_H
#define MAGPIE_TOOLS_LOAD_METER_H

#include "load.h"

int load_meter_init(struct load *load);
void load_meter_fini(struct load *load);

/* Takes the tallies now and then until it is cancelled. */
struct load_metering {
	mag_frame frame;
	MAG_ARGS(load_metering, struct load *load;);
	mag_group group;
	uint64_t tick;
	uint32_t i;
	int64_t rc, waste;
};
MAG_DECLARE_TASK(load_metering);

/* Takes what is left, once nobody counts any more. */
void load_meter_end(struct load *load, uint64_t now);

#endif
