/* SPDX-License-Identifier: MIT */
/* crew.h - workers without threads, for tests of the scheduler's parts: the test plays each of them.
 *
 * Their backend does nothing but count doorbells and tell the crew's clock. */
#ifndef MAGPIE_TESTS_CREW_H
#define MAGPIE_TESTS_CREW_H

#include <criterion/criterion.h>

#include <string.h>

#include "base/alloc.h"
#include "sched/idle.h"
#include "sched/depot.h"
#include "sched/slab.h"
#include "sched/types.h"

enum { CREW_MAX = 64 };

struct crew_bell {
	uint32_t rings; /* atomic */
	uint64_t now;
};

struct crew {
	mag_runtime *rt;
	struct magi_worker **w;
	struct crew_bell bell[CREW_MAX];
};

static inline void crew_wake(struct magi_io *to, struct magi_io *from)
{
	(void)from;
	magi_add_ar(&((struct crew_bell *)(void *)to)->rings, 1u); /* [bell] */
}

static inline uint64_t crew_now(struct magi_io *io)
{
	return ((struct crew_bell *)(void *)io)->now;
}

static const struct magi_io_ops crew_ops = { .name = "crew", .wake = crew_wake, .now = crew_now };

static inline void crew_init(struct crew *c, uint32_t n)
{
	memset(c, 0, sizeof(*c));
	c->rt = magi_alloc_aligned(MAGI_CACHE_LINE, sizeof(*c->rt));
	c->w = magi_zalloc(n * sizeof(*c->w));
	cr_assert(c->rt && c->w);
	c->rt->n = n;
	c->rt->ops = &crew_ops;
	c->rt->workers = c->w;
	c->rt->ticks_per_us = 1000;
	cr_assert_eq(magi_idle_init(c->rt), 0);
	for (uint32_t i = 0; i < n; i++) {
		struct magi_worker *w = magi_alloc_aligned(MAGI_CACHE_LINE, sizeof(*w));

		cr_assert_not_null(w);
		w->pub.index = i;
		w->pub.sleepers = c->rt->idle.fenced ? &c->rt->idle.everyone : &c->rt->idle.sleepers;
		w->rt = c->rt;
		w->ops = &crew_ops;
		w->io = (struct magi_io *)(void *)&c->bell[i];
		magi_random_seed(&w->random, i + 1);
		magi_slab_init(w);
		magi_wheel_init(&w->wheel, (uint16_t)(i + 1), 0);
		c->w[i] = w;
	}
}

static inline void crew_fini(struct crew *c)
{
	for (uint32_t i = 0; i < c->rt->n; i++) {
		magi_slab_drain(c->w[i]);
		magi_slots_fini(&c->w[i]->slots);
		magi_free(c->w[i]);
	}
	magi_depot_fini(&c->rt->depot);
	magi_free(c->w);
	magi_free(c->rt);
}

static inline uint32_t crew_rings(struct crew *c, uint32_t i)
{
	return magi_load_acq(&c->bell[i].rings); /* [bell] */
}

static inline uint32_t crew_all_rings(struct crew *c)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < c->rt->n; i++)
		n += crew_rings(c, i);
	return n;
}

/* A task that no step function stands behind. */
static inline void crew_frame(mag_frame *f, unsigned flags)
{
	memset(f, 0, sizeof(*f));
	f->leader = f;
	f->flags = (uint8_t)flags;
}

#endif
