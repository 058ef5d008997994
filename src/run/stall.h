/* SPDX-License-Identifier: MIT */
/* stall.h - steps that hold a worker for too long: noted by the worker, told by a thread that watches; in debug mode. */
#ifndef MAGI_RUN_STALL_H
#define MAGI_RUN_STALL_H

#include "base/clock.h"
#include "task/report.h"

/* What is known of a step once it is over: its frame may be gone then. */
struct magi_step {
	uint64_t began; /* ns */
	const mag_site *at;
	mag_step_fn fn;
};

/* Tells that a step was too long. */
void magi_stall_ended(struct magi_worker *w, const struct magi_step *step, uint64_t ns);

/* The worker, before each step and after it. */
static inline void magi_step_begin(struct magi_worker *w, const mag_frame *f, struct magi_step *step)
{
	if (!magi_debug(w->rt))
		return;
	*step = (struct magi_step){ magi_clock_ns(), f->at, f->step };
	magi_store_rel(&w->step_frame, f);        /* [step] */
	magi_store_rel(&w->step_fn, step->fn);    /* [step] */
	magi_store_rel(&w->step_site, step->at);  /* [step] */
	magi_store_rel(&w->step_at, step->began); /* [step] */
}

static inline void magi_step_end(struct magi_worker *w, const struct magi_step *step)
{
	uint64_t ns;

	if (!magi_debug(w->rt))
		return;
	magi_store_rel(&w->step_at, 0); /* [step] */
	ns = magi_clock_ns() - step->began;
	if (MAGI_UNLIKELY(ns >= w->rt->debug->options.stall_ns))
		magi_stall_ended(w, step, ns);
}

/* Looks once at all workers, and tells of those that are in a step since so long before `now`. */
void magi_stall_look(mag_runtime *rt, uint64_t now);

/* Starts the thread that looks every quarter of the threshold; not in a simulation, whose steps take no time. */
void magi_stall_watch(mag_runtime *rt);
void magi_stall_unwatch(mag_runtime *rt);

/* How many there are: 0 or 1. */
uint32_t magi_stall_threads(const mag_runtime *rt);

#endif
