/* SPDX-License-Identifier: MIT */
/* workers.c - what each worker is at, in a line. */
#include <inttypes.h>

#include "base/clock.h"
#include "base/peek.h"
#include "sched/ready.h"
#include "task/tree.h"

enum { LONG_STEP_MS = 10 };

/* How long ago it last looked around: not since it has been in its present step. */
static uint64_t in_step_ns(const struct magi_worker *w)
{
	uint64_t then, now = magi_ticks();

	magi_peek(&then, &w->polled_at, sizeof(then));
	return now > then ? (now - then) / w->rt->ticks_per_us * MAGI_NS_PER_US : 0;
}

static void add_state(struct magi_text *t, struct magi_worker *w)
{
	const char *inside;

	if (magi_load_acq(&w->rt->idle.sleepers) >> w->pub.index & 1) { /* [sleep] */
		magi_text_add(t, "asleep");
	} else if (!magi_load_rlx(&w->awake)) { /* [busy] */
		magi_text_add(t, "looks for work");
	} else {
		magi_text_add(t, "runs");
		magi_peek(&inside, &w->pub.inside, sizeof(inside)); /* debug builds: a name, which stays */
		if (inside) {
			magi_text_add(t, " ");
			magi_text_function(t, inside);
		}
		if (!w->rt->options.world && in_step_ns(w) > LONG_STEP_MS * MAGI_NS_PER_MS) {
			magi_text_add(t, ", the same step for ");
			magi_text_ns(t, in_step_ns(w));
		}
	}
}

/* many: what more than one is called besides, "s" say. */
static void add_count(struct magi_text *t, uint64_t n, const char *one, const char *many)
{
	if (n)
		magi_text_add(t, ", %" PRIu64 " %s%s", n, one, n > 1 ? many : "");
}

void magi_workers_add(struct magi_text *t, mag_runtime *rt)
{
	for (uint32_t i = 0; i < rt->n; i++) {
		struct magi_worker *w = rt->workers[i];

		magi_text_add(t, "worker %u: ", i);
		add_state(t, w);
		add_count(t, (uint64_t)magi_deque_count(&w->pub.deque), "ready task", "s");
		add_count(t, (uint64_t)magi_ready_count(&w->ready), "woken task", "s");
		if (magi_load_acq(&w->inbox) || magi_load_acq(&w->pinned_inbox)) /* [inbox] */
			magi_text_add(t, ", mail not read");
		add_count(t, magi_load_rlx(&w->slots.used), "I/O operation", "s"); /* [stat] */
		add_count(t, magi_wheel_armed(&w->wheel), "timer", "s");
		magi_text_add(t, "\n");
	}
	magi_text_add(t, "so far:");
	for (uint32_t k = 0; k < 5; k++) {
		static const char *const names[] = { "taken up", "stolen", "sleeps", "wakes", "operations" };
		uint64_t sum = 0;

		for (uint32_t i = 0; i < rt->n; i++) {
			struct magi_worker *w = rt->workers[i];
			uint64_t *const at[] = { &w->picks, &w->steals, &w->parks, &w->wakes, &w->started };

			sum += magi_load_rlx(at[k]); /* [stat] */
		}
		magi_text_add(t, "%s %" PRIu64 " %s", k ? "," : "", sum, names[k]);
	}
	magi_text_add(t, "\n");
}
