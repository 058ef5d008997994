/* SPDX-License-Identifier: MIT */
/* fetch_one.c - one URL: its attempts, its body, its record. */
#include "fetch.h"

#include <errno.h>
#include <inttypes.h>
#include <magpie/http_client_download.h>
#include <magpie/http_client_stream.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { RETRY_AFTER_MAX_S = 3600 };

/* What another attempt may mend. */
static bool worth_another(int64_t error, void *arg)
{
	const struct fetch_one *one = arg;

	(void)error;
	switch (one->response.fault) {
	case MAG_HTTP_DNS:
	case MAG_HTTP_CONNECT:
	case MAG_HTTP_TIMEOUT:
	case MAG_HTTP_BROKEN:
		return true;
	case MAG_HTTP_OK:
	case MAG_HTTP_STATUS:
		return one->response.status >= 500 || one->response.status == 429;
	default:
		return false;
	}
}

/* DIR/000017-name: the number keeps them apart; and another one behind it what an earlier run had from a list that was
 * another one then. */
static void name_file(struct fetch_one *one)
{
	const char *url = one->job.url, *slash = strrchr(url, '/');
	char name[64], more[16] = "";
	size_t n = 0;

	for (const char *c = slash ? slash + 1 : ""; *c && *c != '?' && *c != '#' && n < sizeof name - 1; c++) {
		bool plain = (*c >= '0' && *c <= '9') || (*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') ||
			     *c == '.' || *c == '-' || *c == '_';

		name[n++] = plain ? *c : '_';
	}
	name[n] = 0;
	for (unsigned again = 2;; again++) {
		snprintf(one->path, sizeof one->path, "%s/%06" PRIu64 "%s-%s", one->f->options->output, one->job.index,
			 more, n ? name : "index");
		if (!fetch_had_has(&one->f->had, one->path))
			return;
		snprintf(more, sizeof more, ".%u", again);
	}
}

static void hear_retry_after(struct fetch_one *one)
{
	const char *after = one->response.status == 429 || one->response.status == 503
				    ? mag_http_response_header(&one->response, "Retry-After")
				    : NULL;

	unsigned long s = after ? strtoul(after, NULL, 10) : 0; /* a date is not looked at */

	if (s)
		mag_retry_after(&one->retry, (s < RETRY_AFTER_MAX_S ? s : RETRY_AFTER_MAX_S) * MAG_SECOND);
}

/* One attempt: the body goes to a file, or is counted. */
struct fetch_attempt {
	mag_frame frame;
	MAG_ARGS(fetch_attempt, struct fetch_one *one;);
	int64_t rc, closed;
};

static MAG_TASK(fetch_attempt)
{
	MAG_BEGIN(fetch_attempt);
	self->one->result.bytes = 0;
	self->one->response.fault = MAG_HTTP_OK;
	if (self->one->f->options->rate)
		MAG_AWAIT(self->rc, mag_limiter_acquire, &self->one->f->limiter, 1);
	else
		self->rc = 0;
	if (self->rc < 0)
		MAG_RETURN(self->rc);
	self->one->request = MAG_HTTP_REQUEST(.url = self->one->job.url);
	if (self->one->f->options->output) {
		MAG_AWAIT(self->rc, mag_http_download, &self->one->f->session, &self->one->request, self->one->path,
			  NULL, &self->one->response);
		self->one->result.bytes = self->rc > 0 ? (uint64_t)self->rc : 0;
		MAG_RETURN(self->rc);
	}
	MAG_AWAIT(self->rc, mag_http_open, &self->one->f->session, &self->one->request, &self->one->response);
	while (self->rc > 0) {
		MAG_AWAIT(self->rc, mag_http_body, &self->one->response, &self->one->chunk);
		self->one->result.bytes += self->rc > 0 ? self->one->chunk.length : 0;
	}
	MAG_AWAIT(self->closed, mag_http_close, &self->one->response);
	MAG_RETURN(self->rc < 0 ? self->rc : self->one->response.status >= 400 ? -EREMOTEIO : 0);
	MAG_END;
}

static void conclude(struct fetch_one *one)
{
	struct fetch_result *r = &one->result;
	const mag_http_response *p = &one->response;

	r->url = one->job.url;
	r->status = p->status;
	r->attempts = one->retry.attempt;
	r->timing = p->timing;
	r->file = one->rc >= 0 && one->f->options->output ? one->path : NULL;
	if (one->rc >= 0)
		return;
	r->error = mag_http_fault_name(p->fault == MAG_HTTP_OK ? MAG_HTTP_STATUS : p->fault);
	if (p->fault == MAG_HTTP_OK)
		snprintf(one->why, sizeof one->why, "status %d", p->status);
	else
		snprintf(one->why, sizeof one->why, "%s", p->why);
	r->why = one->why;
}

/* With the mutex held: the record is written as a whole, in the order in which they are finished. */
static void put_record(struct fetch_one *one)
{
	struct fetch *f = one->f;
	size_t n = fetch_record(one->line, &one->result);

	f->good += !one->result.error;
	f->failed += one->result.error != NULL;
	f->bytes += one->result.bytes;
	for (size_t at = 0; at < n;) {
		ssize_t wrote = write(f->out, one->line + at, n - at);

		if (wrote < 0 && errno == EINTR)
			continue;
		if (wrote < 0) {
			f->fault = -errno;
			f->faulty = "the records";
			mag_event_set(&f->stop);
			return;
		}
		at += (size_t)wrote;
	}
}

MAG_TASK(fetch_one)
{
	MAG_BEGIN(fetch_one);
	self->response = (mag_http_response)MAG_HTTP_RESPONSE_INIT;
	memset(&self->result, 0, sizeof self->result);
	if (self->f->options->output)
		name_file(self);
	MAG_RETRY_BEGIN(&self->retry, .attempts = self->f->options->retries + 1, .within_ns = MAG_NEVER,
			.again = worth_another, .arg = self);
	MAG_CALL(self->tried, fetch_attempt, .one = self);
	hear_retry_after(self);
	MAG_RETRY_END(self->rc, &self->retry, self->tried);
	if (self->rc != MAG_ECANCELED) {
		conclude(self);
		MAG_SHIELD(&self->shield, MAG_NEVER); /* what is finished has its record */
		MAG_AWAIT(self->closed, mag_mutex_lock, &self->f->mutex);
		put_record(self);
		mag_mutex_unlock(&self->f->mutex);
		MAG_SCOPE_END(self->closed, &self->shield);
	}
	mag_http_response_fini(&self->response);
	MAG_RETURN(self->rc == MAG_ECANCELED ? self->rc : 0);
	MAG_END;
}
