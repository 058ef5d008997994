/* SPDX-License-Identifier: MIT */
/* fault.c - plans for faults in turn.
 *
 * They are the only process-wide state of the library: faults are a matter of the test process, not of one runtime.
 *
 * Pairs:   [stat] counters; plans and logs are set while nothing runs. */
#undef MAGI_POINTS /* a run that is counted goes the same way as one that is not */

#include "base/fault.h"

#include <inttypes.h>
#include <magpie/error.h>
#include <magpie/impl/atomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ERRNO_MAX = 4095 };

static struct {
	uint64_t reached;
	uint64_t at;
	uint64_t every;
	uint64_t times;
	int how;
	const char **log;
	uint64_t room;
} sites[MAGI_FAULT_SITES];

static const char *const site_names[MAGI_FAULT_SITES] = {
	[MAGI_FAULT_MEMORY] = "memory", [MAGI_FAULT_SYSTEM] = "system",     [MAGI_FAULT_BEGIN] = "begin",
	[MAGI_FAULT_RECORD] = "record", [MAGI_FAULT_TRANSFER] = "transfer", [MAGI_FAULT_CANCEL] = "cancel",
};

const char *magi_fault_site_name(enum magi_fault_site site)
{
	return site_names[site];
}

/* Whether it comes again, `after` the first one. */
static bool repeats(enum magi_fault_site site, uint64_t after)
{
	uint64_t every = magi_load_rlx(&sites[site].every); /* [stat] */
	uint64_t times = magi_load_rlx(&sites[site].times); /* [stat] */

	return every && after % every == 0 && (!times || after / every <= times);
}

int magi_fault_at(enum magi_fault_site site, const char *what)
{
	uint64_t at = magi_load_rlx(&sites[site].at); /* [stat] */
	uint64_t n;

	if (__builtin_expect(at == 0, 1))
		return 0;
	n = magi_add_rlx(&sites[site].reached, 1) + 1; /* [stat] */
	if (sites[site].log && n <= sites[site].room)
		sites[site].log[n - 1] = what;
	if (n != at && (n < at || !repeats(site, n - at)))
		return 0;
	return magi_load_rlx(&sites[site].how); /* [stat] */
}

void magi_fault_set(enum magi_fault_site site, uint64_t n, int how)
{
	magi_store_rlx(&sites[site].reached, 0); /* [stat] */
	magi_fault_repeat(site, 0, 0);
	magi_store_rlx(&sites[site].how, how); /* [stat] */
	magi_store_rlx(&sites[site].at, n);    /* [stat] */
}

void magi_fault_repeat(enum magi_fault_site site, uint64_t every, uint64_t times)
{
	magi_store_rlx(&sites[site].every, every); /* [stat] */
	magi_store_rlx(&sites[site].times, times); /* [stat] */
}

void magi_fault_clear(void)
{
	for (int i = 0; i < MAGI_FAULT_SITES; i++) {
		magi_fault_set((enum magi_fault_site)i, 0, 0);
		magi_fault_log((enum magi_fault_site)i, NULL, 0);
	}
}

uint64_t magi_fault_count(enum magi_fault_site site)
{
	return magi_load_rlx(&sites[site].reached); /* [stat] */
}

void magi_fault_log(enum magi_fault_site site, const char **names, uint64_t room)
{
	sites[site].log = names;
	sites[site].room = room;
}

static const char *how_name(int how)
{
	return how == MAGI_FAULT_LATE ? "LATE" : how == MAGI_FAULT_LAST ? "LAST" : mag_errname(-how);
}

bool magi_fault_text(char *text, size_t size)
{
	for (int i = 0; i < MAGI_FAULT_SITES; i++) {
		int n;

		if (!sites[i].at || sites[i].at == UINT64_MAX)
			continue;
		n = snprintf(text, size, "%s:%" PRIu64 ":%s", site_names[i], sites[i].at, how_name(sites[i].how));
		if (sites[i].every && (size_t)n < size)
			snprintf(text + n, size - (size_t)n, ":%" PRIu64 ":%" PRIu64, sites[i].every, sites[i].times);
		return true;
	}
	return false;
}

static bool is_named(const char *known, const char *name, size_t len)
{
	return strlen(known) == len && !memcmp(known, name, len);
}

static int how_named(const char *name, size_t len)
{
	for (int how = 1; how <= MAGI_FAULT_LAST; how++) {
		if (is_named(how_name(how), name, len))
			return how;
		if (how == ERRNO_MAX)
			how = MAGI_FAULT_LATE - 1;
	}
	return 0;
}

bool magi_fault_parse(const char *text)
{
	const char *number = strchr(text, ':');
	char *how, *every;
	int site = 0, kind;
	uint64_t n;

	if (!number)
		return false;
	while (site < MAGI_FAULT_SITES && !is_named(site_names[site], text, (size_t)(number - text)))
		site++;
	n = strtoull(number + 1, &how, 10);
	if (site == MAGI_FAULT_SITES || !n || *how != ':')
		return false;
	how++;
	every = how + strcspn(how, ":");
	kind = how_named(how, (size_t)(every - how));
	if (!kind || (kind > ERRNO_MAX && site != MAGI_FAULT_RECORD && site != MAGI_FAULT_CANCEL))
		return false;
	magi_fault_clear();
	magi_fault_set((enum magi_fault_site)site, n, kind);
	if (*every) {
		n = strtoull(every + 1, &how, 10);
		magi_fault_repeat((enum magi_fault_site)site, n, *how ? strtoull(how + 1, NULL, 10) : 0);
	}
	return true;
}
