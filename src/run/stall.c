/* SPDX-License-Identifier: MIT */
/* stall.c - steps that hold a worker for too long, in debug mode.
 *
 * Who:     begin, end: the worker. look: its runtime's watcher, or a test.
 * Always:  a step is told of once while it lasts, and once when it has ended if it was too long.
 *          The frame of a step is read while it may end: it is memory of the runtime's in any case, and what was read
 *          counts only if the same step still lasts afterwards, and the frame is still that step's.
 * Pairs:   [step] step_at is 0 (release), then the next frame is stored (release), then its step_at (release) -> loaded
 *          (acquire) twice, with the frame between: who sees the same time twice has read the frame of that step
 *          [told] what was told of a step is stored, then its beginning (release) -> loaded (acquire) by the worker
 *          [unwatch] set (release) before the sleeper is woken -> loaded (acquire)
 * Not:     the count of picks, which is there in any case: one pick is up to 1024 steps. The time of the CPU: a step that
 *          sleeps holds its worker, too; so a thread that the system has not let run for so long is told of as well. */
#include "run/stall.h"

#include <dlfcn.h>

#include "base/futex.h"
#include "base/peek.h"
#include "task/tree.h"

enum { STACK_BYTES = 128 * 1024, LOOKS = 4, LOOK_MIN_US = 250 };

/* A function that has not come to an await yet has no site to name it: its module and address, for addr2line. */
static void add_function(struct magi_saying *s, mag_step_fn fn)
{
	union {
		mag_step_fn fn;
		void *address;
	} step = { fn };
	Dl_info info = { .dli_fname = "?" };

	if (!s->task[0]) {
		dladdr(step.address, &info);
		magi_say_name(s, info.dli_saddr == step.address ? info.dli_sname : NULL);
	}
	if (s->task[0])
		magi_text_add(&s->text, "%s", s->task);
	else
		magi_text_add(&s->text, "a function at %s+%#zx", info.dli_fname,
			      (size_t)((char *)step.address - (char *)info.dli_fbase));
}

static void say(struct magi_worker *w, enum mag_report_kind kind, const struct magi_step *step, const char *name,
		uint64_t ns)
{
	struct magi_saying s;

	magi_say_begin(&s, kind, step->at);
	if (!step->at)
		magi_say_name(&s, name);
	s.report.ns = ns;
	add_function(&s, step->fn);
	magi_text_add(&s.text, kind == MAG_REPORT_STALL ? " holds worker %u for " : " has held worker %u for ",
		      w->pub.index);
	magi_text_ns(&s.text, ns);
	if (step->at) {
		magi_text_add(&s.text, " in one step, after %s at ", step->at->what);
		magi_text_place(&s.text, step->at);
	} else {
		magi_text_add(&s.text, " in its first step");
	}
	magi_say_end(&s, w->rt);
}

void magi_stall_ended(struct magi_worker *w, const struct magi_step *step, uint64_t ns)
{
	struct magi_debug *d = w->rt->debug;
	struct magi_step last = *step;
	const char *name = NULL;
	uint32_t i = w->pub.index;

	if (magi_load_acq(&d->told[i].began) == step->began) { /* [told] */
		last.at = magi_load_rlx(&d->told[i].at);       /* [told] */
		name = magi_load_rlx(&d->told[i].name);        /* [told] */
	}
	say(w, MAG_REPORT_STALL_END, &last, name, ns);
}

/* Where the frame of a step is by now; or where it was when that began, if its memory has another use already: the step has
 * ended it, and only the worker has not come back. The first word of a free frame is a link. */
static const mag_site *last_await(const mag_frame *frame, mag_step_fn fn, const mag_site *before)
{
	mag_frame f, again;
	uint32_t own = 0;

	magi_peek(&f, frame, sizeof(f));
	magi_fence_seq(&own); /* [step] the second look comes after the first */
	(void)own;
	magi_peek(&again, frame, sizeof(again));
	return f.step == fn && again.step == fn && f.at == again.at ? f.at : before;
}

static void look_at(struct magi_worker *w, uint64_t now)
{
	struct magi_debug *d = w->rt->debug;
	struct magi_step step = { .began = magi_load_acq(&w->step_at) }; /* [step] */
	const char *name;
	uint32_t i = w->pub.index;

	if (!step.began || now < step.began + d->options.stall_ns)
		return;
	if (magi_load_rlx(&d->told[i].began) == step.began) /* [told] this thread has stored it */
		return;
	step.fn = magi_load_acq(&w->step_fn);                                                       /* [step] */
	step.at = last_await(magi_load_acq(&w->step_frame), step.fn, magi_load_acq(&w->step_site)); /* [step] */
	magi_peek(&name, &w->pub.inside, sizeof(name)); /* debug builds: a name, which stays */
	if (magi_load_acq(&w->step_at) != step.began)   /* [step] */
		return;
	magi_store_rlx(&d->told[i].at, step.at);       /* [told] */
	magi_store_rlx(&d->told[i].name, name);        /* [told] */
	magi_store_rel(&d->told[i].began, step.began); /* [told] */
	say(w, MAG_REPORT_STALL, &step, name, now - step.began);
}

void magi_stall_look(mag_runtime *rt, uint64_t now)
{
	for (uint32_t i = 0; i < rt->n; i++)
		look_at(rt->workers[i], now);
}

static void *watch(void *arg)
{
	mag_runtime *rt = arg;
	struct magi_debug *d = rt->debug;
	uint64_t every = d->options.stall_ns / LOOKS;

	magi_thread_name("mag-debug");
	if (every < LOOK_MIN_US * MAGI_NS_PER_US)
		every = LOOK_MIN_US * MAGI_NS_PER_US;
	while (!magi_load_acq(&d->stop)) { /* [unwatch] */
		magi_futex_wait(&d->stop, 0, every);
		magi_stall_look(rt, magi_clock_ns());
	}
	return NULL;
}

void magi_stall_watch(mag_runtime *rt)
{
	struct magi_thread_start start = { .fn = watch, .arg = rt, .stack = STACK_BYTES, .quiet = true };

	if (magi_debug(rt) && !magi_host())
		rt->debug->watched = magi_thread_start(&rt->debug->watcher, &start) == 0;
}

void magi_stall_unwatch(mag_runtime *rt)
{
	if (!magi_stall_threads(rt))
		return;
	magi_store_rel(&rt->debug->stop, 1u); /* [unwatch] */
	magi_futex_wake(&rt->debug->stop, 1);
	magi_thread_join(&rt->debug->watcher);
	rt->debug->watched = false;
}

uint32_t magi_stall_threads(const mag_runtime *rt)
{
	return magi_debug(rt) && rt->debug->watched;
}
