/* SPDX-License-Identifier: MIT */
/* load_pace.c - the schedule of an open loop, and deadlines. */
#include "load_pace.h"

#include <magpie/time.h>

#define SWEEPS 20 /* in a timeout: it comes at most so much of it late */

uint64_t load_due_at(const struct load_worker *at, uint64_t n)
{
	const struct load *load = at->load;
	uint64_t all = n * load->worker_count + at->index;

	return load->start + (uint64_t)((double)all * 1e9 / load->plan.rate);
}

/* How many requests this worker may begin. */
static uint64_t limit(const struct load_worker *at)
{
	uint64_t all = at->load->plan.requests, n = at->load->worker_count;

	return all ? (all + n - 1 - at->index) / n : UINT64_MAX;
}

static bool is_over(const struct load_worker *at)
{
	return at->due >= limit(at) || load_due_at(at, at->due) >= at->load->stop_at;
}

static void give_out(struct load_worker *at)
{
	uint64_t now = mag_now(), due;
	uint32_t n = 0;

	while (!is_over(at) && (due = load_due_at(at, at->due)) <= now) {
		histogram_add(&at->lateness, now - due);
		at->due++;
		n++;
	}
	if (n)
		mag_semaphore_release(&at->tickets, n);
}

MAG_TASK(load_pace)
{
	MAG_BEGIN(load_pace);
	for (;;) {
		give_out(self->at);
		if (is_over(self->at))
			break;
		MAG_AWAIT(self->rc, mag_sleep_until, load_due_at(self->at, self->at->due));
		if (self->rc < 0)
			break;
	}
	mag_semaphore_release(&self->at->tickets, self->at->connections); /* each finds that there is nothing more */
	MAG_RETURN(0);
	MAG_END;
}

static uint64_t sweep_every(const struct load *load)
{
	uint64_t ns = load->plan.timeout_ns / SWEEPS;

	return ns < MAG_MILLISECOND ? MAG_MILLISECOND : ns < 100 * MAG_MILLISECOND ? ns : 100 * MAG_MILLISECOND;
}

/* The next connection that takes too long, or none. */
static bool find_expired(struct load_sweep *s)
{
	for (; s->i < s->at->connections; s->i++) {
		struct load_watch *watch = &s->at->watches[s->i];

		if (watch->since && !watch->expired && watch->since < s->now &&
		    s->now - watch->since >= s->at->load->plan.timeout_ns) {
			watch->expired = true;
			return true;
		}
	}
	return false;
}

MAG_TASK(load_sweep)
{
	MAG_BEGIN(load_sweep);
	self->every_ns = sweep_every(self->at->load);
	for (;;) {
		MAG_AWAIT(self->rc, mag_sleep, self->every_ns);
		if (self->rc < 0)
			break;
		self->now = mag_now();
		for (self->i = 0; find_expired(self); self->i++)
			MAG_AWAIT(self->waste, mag_close, self->at->watches[self->i].fd);
	}
	MAG_RETURN(0);
	MAG_END;
}
