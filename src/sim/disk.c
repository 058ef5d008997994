/* SPDX-License-Identifier: MIT */
/* disk.c - files that outlive a run, as their owner sees them: the io room has what is on them. */
#include "io/sim.h"
#include "sim/sim.h"

mag_sim_disk *mag_sim_disk_create(void)
{
	return magi_world_disk_create();
}

void mag_sim_disk_destroy(mag_sim_disk *disk)
{
	magi_world_disk_destroy(disk);
}
