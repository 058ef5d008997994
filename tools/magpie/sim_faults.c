/* SPDX-License-Identifier: MIT */
/* sim_faults.c - the names of what may go wrong in a simulation. */
#include "sim_faults.h"

#include <magpie/sim.h>
#include <stdio.h>
#include <string.h>

static const struct name {
	const char *name;
	uint32_t faults;
} names[] = {
	{ "short", MAG_SIM_SHORT },
	{ "delay", MAG_SIM_DELAY },
	{ "cancel", MAG_SIM_CANCEL },
	{ "multishot", MAG_SIM_MULTISHOT },
	{ "ring", MAG_SIM_RING },
	{ "buffers", MAG_SIM_BUFFERS },
	{ "wake", MAG_SIM_WAKE },
	{ "reset", MAG_SIM_RESET },
	{ "loss", MAG_SIM_LOSS },
	{ "slow", MAG_SIM_SLOW },
	{ "disk", MAG_SIM_DISK },
	{ "fd", MAG_SIM_FD },
	{ "name", MAG_SIM_NAME },
	{ "memory", MAG_SIM_MEMORY },
	{ "migrate", MAG_SIM_MIGRATE },
	{ "mild", MAG_SIM_MILD },
	{ "net", MAG_SIM_RESET | MAG_SIM_LOSS | MAG_SIM_SLOW },
	{ "all", MAG_SIM_ALL },
	{ "none", MAG_SIM_NONE },
};

enum { NAMES = sizeof(names) / sizeof(names[0]) };

bool sim_faults_parse(const char *text, uint32_t *faults)
{
	*faults = 0;
	while (*text) {
		size_t n = strcspn(text, ",");
		int i = 0;

		while (i < NAMES && (strlen(names[i].name) != n || strncmp(names[i].name, text, n)))
			i++;
		if (i == NAMES)
			return false;
		*faults |= names[i].faults;
		text += n + (text[n] == ',');
	}
	return *faults != 0;
}

void sim_faults_format(uint32_t faults, char *text, size_t size)
{
	size_t at = 0;

	text[0] = 0;
	if (faults & MAG_SIM_NONE)
		snprintf(text, size, "none");
	for (int i = 0; i < NAMES && names[i].faults != MAG_SIM_MILD && at < size; i++) {
		if (faults & names[i].faults)
			at += (size_t)snprintf(text + at, size - at, "%s%s", at ? "," : "", names[i].name);
	}
}
