/* SPDX-License-Identifier: MIT */
/* report.c - searches of test programs, and what is said of them. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/explore.h"

static bool is_wanted(bool views)
{
	const char *memory = getenv("MODEL_MEMORY");

	return !memory || !strcmp(memory, views ? "views" : "tso");
}

static const char *bound(int preemptions)
{
	static char text[16];

	snprintf(text, sizeof(text), preemptions == EXPLORE_ALL ? "all" : "%d", preemptions);
	return text;
}

static bool holds_in(const struct explore_model *m, bool views)
{
	struct explore_model copy = *m;
	struct explore_result r;

	if (!is_wanted(views) || (m->only_views && !views))
		return true;
	copy.views = views;
	if (getenv("MODEL_PREEMPTIONS"))
		copy.preemptions = atoi(getenv("MODEL_PREEMPTIONS"));
	else if (views && m->quick && !getenv("MAGPIE_LONG"))
		copy.preemptions = m->quick;
	r = explore(&copy);
	fprintf(stderr, "model %s %s %s: %" PRIu64 " executions, %" PRIu64 " states, %.2f s%s\n", m->name,
		views ? "views" : "tso", bound(copy.preemptions), r.executions, r.states, r.seconds,
		r.refuted ? ", refuted" : "");
	if (r.refuted)
		explore_schedule();
	return !r.refuted;
}

bool explore_holds(const struct explore_model *m)
{
	return holds_in(m, false) && holds_in(m, true);
}

bool explore_some_fail(const struct explore_model *const m[], size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (!explore_holds(m[i]))
			return true;
	}
	return false;
}
