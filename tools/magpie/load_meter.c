/* SPDX-License-Identifier: MIT */
/* load_meter.c - each worker's tally is moved out by a task on that worker, so that nobody reads what another writes,
 * and counting needs no atomics. */
#include "load_meter.h"

#include <errno.h>
#include <magpie/time.h>
#include <stdlib.h>
#include <string.h>

#include "load_figures.h"

#define TICK_NS (200 * MAG_MILLISECOND)
#define SHORT_NS (5 * MAG_SECOND) /* a run that is not longer is cut into shorter stretches */
#define STRETCHES 25

struct load_meter {
	struct load_tally second; /* since the last cut */
	uint64_t cut_ns, every_ns, tick_ns;
	struct load_tally *moved; /* one for each worker */
	size_t room;              /* of load->seconds */
};

int load_meter_init(struct load *load)
{
	struct load_meter *m = calloc(1, sizeof *m);
	uint64_t ns = load->plan.duration_ns;

	if (!m)
		return -ENOMEM;
	load->meter = m;
	m->every_ns = ns && ns <= SHORT_NS ? ns / STRETCHES : MAG_SECOND;
	if (m->every_ns < 10 * MAG_MILLISECOND)
		m->every_ns = 10 * MAG_MILLISECOND;
	m->tick_ns = m->every_ns < TICK_NS ? m->every_ns : TICK_NS;
	m->moved = calloc(load->worker_count, sizeof *m->moved);
	return m->moved ? 0 : -ENOMEM;
}

void load_meter_fini(struct load *load)
{
	if (load->meter)
		free(load->meter->moved);
	free(load->meter);
	load->meter = NULL;
}

static void add(struct load_tally *to, const struct load_tally *from)
{
	to->answers += from->answers;
	to->late += from->late;
	to->bytes += from->bytes;
	to->unfinished += from->unfinished;
	to->opened += from->opened;
	to->again += from->again;
	for (int i = 0; i < LOAD_ERRORS; i++) {
		to->errors[i] += from->errors[i];
		to->example[i] = from->example[i] ? from->example[i] : to->example[i];
	}
	for (int i = 0; i < LOAD_STATUSES; i++)
		to->status[i] += from->status[i];
	histogram_merge(&to->latency, &from->latency);
}

/* Ends a stretch. */
static void cut(struct load *load, uint64_t now_ns)
{
	struct load_meter *m = load->meter;
	const struct histogram *h = &m->second.latency;

	if (load->second_count == m->room) {
		size_t room = m->room ? 2 * m->room : 64;
		void *more = realloc(load->seconds, room * sizeof *load->seconds);

		if (!more)
			return; /* the stretch gets longer */
		load->seconds = more;
		m->room = room;
	}
	load->seconds[load->second_count++] = (struct load_second){
		.from_ns = m->cut_ns,
		.to_ns = now_ns,
		.answers = m->second.answers,
		.errors = load_errors(&m->second),
		.bytes = m->second.bytes,
		.p50_ns = histogram_value(h, 0.5),
		.p90_ns = histogram_value(h, 0.9),
		.p99_ns = histogram_value(h, 0.99),
		.max_ns = h->max,
	};
	memset(&m->second, 0, sizeof m->second);
	m->cut_ns = now_ns;
}

static void take(struct load *load, struct load_tally *from)
{
	add(&load->all, from);
	add(&load->meter->second, from);
	memset(from, 0, sizeof *from);
}

struct load_move {
	mag_frame frame;
	MAG_ARGS(load_move, struct load_tally *from; struct load_tally * to;);
};

static MAG_TASK(load_move)
{
	MAG_BEGIN(load_move);
	*self->to = *self->from;
	memset(self->from, 0, sizeof *self->from);
	MAG_RETURN(0);
	MAG_END;
}

static void take_moved(struct load *load)
{
	struct load_meter *m = load->meter;
	uint64_t now_ns = mag_now() - load->start;

	for (uint32_t i = 0; i < load->worker_count; i++)
		take(load, &m->moved[i]);
	if (now_ns - m->cut_ns >= m->every_ns - m->tick_ns / 2)
		cut(load, now_ns);
	if (load->ticked)
		load->ticked(load);
}

MAG_TASK(load_metering)
{
	MAG_BEGIN(load_metering);
	for (self->tick = self->load->start;;) {
		/* no tick is made up for: who is late goes on from there */
		self->tick += ((mag_now() - self->tick) / self->load->meter->tick_ns + 1) * self->load->meter->tick_ns;
		MAG_AWAIT(self->rc, mag_sleep_until, self->tick);
		if (self->rc < 0)
			break;
		MAG_GROUP_BEGIN(&self->group, .policy = MAG_COLLECT);
		for (self->i = 0; self->i < self->load->worker_count; self->i++)
			MAG_SPAWN_ON(self->waste, self->i, &self->group, load_move,
				     .from = &self->load->workers[self->i].tally,
				     .to = &self->load->meter->moved[self->i]);
		MAG_GROUP_END(self->waste, &self->group);
		take_moved(self->load);
	}
	MAG_RETURN(0);
	MAG_END;
}

void load_meter_end(struct load *load, uint64_t now)
{
	uint64_t now_ns = now - load->start;

	for (uint32_t i = 0; i < load->worker_count; i++) {
		take(load, &load->workers[i].tally);
		histogram_merge(&load->connects, &load->workers[i].connects);
		histogram_merge(&load->lateness, &load->workers[i].lateness);
	}
	if (now_ns > load->meter->cut_ns && (load->meter->second.answers || load_errors(&load->meter->second)))
		cut(load, now_ns);
}
