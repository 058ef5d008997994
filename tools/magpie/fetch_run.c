/* SPDX-License-Identifier: MIT */
/* fetch_run.c - the tasks of `magpie fetch`: one reads the list, so many fetch, one shows how far it is, one waits
 * for the signal that ends it. */
#include "fetch.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const uint64_t show_every = 200 * MAG_MILLISECOND;

struct fetcher {
	mag_frame frame;
	MAG_ARGS(fetcher, struct fetch *f;);
	struct fetch_job job;
	mag_scope shield;
	bool skip;
	int64_t rc, locked;
};

static MAG_TASK(fetcher)
{
	MAG_BEGIN(fetcher);
	for (;;) {
		MAG_AWAIT(self->rc, mag_queue_pop, &self->f->jobs, &self->job);
		if (self->rc < 0)
			break;
		self->skip = fetch_had_has(&self->f->had, self->job.url);
		if (!self->skip)
			MAG_CALL(self->rc, fetch_one, .f = self->f, .job = self->job);
		free(self->job.url);
		if (self->skip) {
			MAG_AWAIT(self->locked, mag_mutex_lock, &self->f->mutex);
			if (self->locked == 0) {
				self->f->skipped++;
				mag_mutex_unlock(&self->f->mutex);
			}
		}
	}
	MAG_SHIELD(&self->shield, MAG_NEVER);
	MAG_AWAIT(self->locked, mag_mutex_lock, &self->f->mutex);
	if (!--self->f->running)
		mag_event_set(&self->f->done);
	mag_mutex_unlock(&self->f->mutex);
	MAG_SCOPE_END(self->locked, &self->shield);
	MAG_RETURN(0);
	MAG_END;
}

/* With the mutex held. */
static void show(struct fetch *f)
{
	double s = (double)(mag_now() - f->start) / 1e9;
	uint64_t ended = f->good + f->failed, seen = ended + f->skipped;
	double rate = s > 0 ? (double)ended / s : 0;
	char eta[48] = "";

	if (f->total && rate > 0 && f->total >= seen)
		snprintf(eta, sizeof eta, " of %" PRIu64 ", %.0f s left", f->total, (double)(f->total - seen) / rate);
	fprintf(stderr, "\r\033[K%" PRIu64 " done%s, %" PRIu64 " failed, %.0f/s, %.1f MB", seen, eta, f->failed, rate,
		(double)f->bytes / 1e6);
	fflush(stderr);
}

struct fetch_shower {
	mag_frame frame;
	MAG_ARGS(fetch_shower, struct fetch *f;);
	int64_t rc;
};

static MAG_TASK(fetch_shower)
{
	MAG_BEGIN(fetch_shower);
	for (;;) {
		MAG_AWAIT(self->rc, mag_sleep, show_every);
		if (self->rc == 0)
			MAG_AWAIT(self->rc, mag_mutex_lock, &self->f->mutex);
		if (self->rc < 0)
			MAG_RETURN(0);
		show(self->f);
		mag_mutex_unlock(&self->f->mutex);
	}
	MAG_END;
}

/* The first signal ends it in order, the next one ends the process. */
struct fetch_signals {
	mag_frame frame;
	MAG_ARGS(fetch_signals, struct fetch *f;);
	mag_signal signals;
	int64_t rc;
};

static MAG_TASK(fetch_signals)
{
	MAG_BEGIN(fetch_signals);
	self->rc = mag_signal_open(&self->signals, SIGINT, SIGTERM);
	if (self->rc < 0)
		MAG_RETURN(self->rc);
	MAG_AWAIT(self->rc, mag_signal_next, &self->signals);
	mag_signal_close(&self->signals);
	if (self->rc > 0)
		mag_event_set(&self->f->stop);
	MAG_RETURN(0);
	MAG_END;
}

struct fetch_all {
	mag_frame frame;
	MAG_ARGS(fetch_all, struct fetch *f;);
	mag_group group;
	mag_case cases[2];
	uint32_t i;
	int64_t rc, ended;
};

static MAG_TASK(fetch_all)
{
	MAG_BEGIN(fetch_all);
	MAG_GROUP_BEGIN(&self->group, .policy = MAG_COLLECT);
	self->f->running = self->f->options->at_once;
	MAG_SPAWN(self->rc, &self->group, fetch_signals, .f = self->f);
	if (self->f->options->progress)
		MAG_SPAWN(self->rc, &self->group, fetch_shower, .f = self->f);
	MAG_SPAWN(self->rc, &self->group, fetch_feed, .f = self->f);
	for (self->i = 0; self->i < self->f->options->at_once && self->rc == 0; self->i++)
		MAG_SPAWN(self->rc, &self->group, fetcher, .f = self->f);
	if (self->rc == 0) {
		mag_case_event(&self->cases[0], &self->f->done);
		mag_case_event(&self->cases[1], &self->f->stop);
		MAG_AWAIT(self->rc, mag_select_first, self->cases, 2);
		self->f->interrupted = self->rc == 1 && self->f->fault == 0;
	}
	mag_group_cancel(&self->group);
	MAG_GROUP_END(self->ended, &self->group);
	MAG_RETURN(self->rc < 0 ? self->rc : 0);
	MAG_END;
}

struct fetch_main {
	mag_frame frame;
	MAG_ARGS(fetch_main, struct fetch *f;);
	int64_t rc, closed;
};

static int begin(struct fetch *f)
{
	const struct fetch_options *o = f->options;
	const mag_http_options session = {
		.size = sizeof session,
		.headers = o->headers,
		.headers_n = o->headers_n,
		.ca_file = o->ca_file,
		.trust_anyone = o->trust_anyone,
		.total_max = o->at_once,
		.host_max = o->at_once,
		.idle_max = o->at_once,
		.agent = "magpie-fetch",
		.compressed = true,
		.http2 = true,
		.limits = { .total_ns = o->timeout_ns },
	};
	int rc = mag_queue_init(&f->jobs, o->at_once * 2, sizeof(struct fetch_job));

	if (rc == 0 && o->rate)
		rc = mag_limiter_init(&f->limiter,
				      &(mag_limiter_options){ .size = sizeof(mag_limiter_options), .rate = o->rate });
	mag_mutex_init(&f->mutex);
	mag_event_init(&f->done);
	mag_event_init(&f->stop);
	f->start = mag_now();
	return rc == 0 ? mag_http_session_init(&f->session, &session) : rc;
}

static void drop(void *arg, void *element)
{
	(void)arg;
	free(((struct fetch_job *)element)->url);
}

static MAG_TASK(fetch_main)
{
	MAG_BEGIN(fetch_main);
	self->rc = begin(self->f);
	if (self->rc < 0)
		MAG_RETURN(self->rc);
	MAG_CALL(self->rc, fetch_all, .f = self->f);
	MAG_AWAIT(self->closed, mag_http_session_close, &self->f->session);
	mag_queue_drain(&self->f->jobs, drop, NULL);
	mag_queue_fini(&self->f->jobs);
	if (self->f->options->progress)
		fprintf(stderr, "\r\033[K");
	MAG_RETURN(self->rc);
	MAG_END;
}

int64_t fetch_run(struct fetch *f)
{
	const mag_runtime_options options = { .size = sizeof options, .workers = f->options->workers };

	return mag_run(&options, fetch_main, .f = f);
}
