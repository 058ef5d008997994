/* SPDX-License-Identifier: MIT */
/* ledger.c - what a run takes and gives back.
 *
 * Who:     any thread of the run.
 * Pairs:   the lock */
#include "sim/ledger.h"

#include <string.h>

#include "base/host.h"

static struct magi_ledger_line *line_of(struct magi_ledger *l, const char *name)
{
	uint32_t i = 0;

	while (i < l->count && strncmp(l->line[i].name, name, MAG_LEDGER_NAME_MAX - 1))
		i++;
	if (i == MAG_LEDGER_LINES_MAX)
		return NULL;
	if (i == l->count) {
		l->count++;
		strncat(l->line[i].name, name, MAG_LEDGER_NAME_MAX - 1);
	}
	return &l->line[i];
}

void mag_ledger_add(const char *name, int64_t n)
{
	struct magi_host *h = magi_host();
	struct magi_ledger *l = h ? h->ledger : NULL;
	struct magi_ledger_line *line;

	if (!l)
		return;
	magi_lock_acquire(&l->lock);
	line = line_of(l, name);
	if (line)
		line->sum += n;
	else
		l->full = true;
	magi_lock_release(&l->lock);
}

const struct magi_ledger_line *magi_ledger_off(const struct magi_ledger *l)
{
	for (uint32_t i = 0; i < l->count; i++) {
		if (l->line[i].sum)
			return &l->line[i];
	}
	return NULL;
}
