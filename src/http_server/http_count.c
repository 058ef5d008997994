/* SPDX-License-Identifier: MIT */
/* http_count.c - counters of each worker, behind a lock that nearly always is free; summed up when somebody asks. */
#include "http_count.h"

#include <errno.h>
#include <inttypes.h>
#include <magpie/options.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static void tell(const struct http_conn *c)
{
	const struct mag_http_exchange *x = &c->x;
	mag_http_access a = { .peer = &c->peer,
			      .method = "-",
			      .version = mag_http_version(x),
			      .status = x->status,
			      .bytes = x->head_only ? 0 : x->sent,
			      .at = (int64_t)time(NULL),
			      .took_ns = magi_http_clock() - x->began };

	if (!x->malformed) {
		a.method = mag_http_method(x);
		a.target = mag_http_target(x);
		a.referer = mag_http_field(x, "Referer");
		a.agent = mag_http_field(x, "User-Agent");
	}
	c->server->options.access(c->server->options.ctx, &a);
}

void magi_http_count(struct http_conn *c)
{
	unsigned first = c->broken ? 0 : c->x.status / 100u;

	c->tally.requests++;
	c->tally.answers[first < 6 ? first : 0]++;
	c->tally.malformed += c->x.malformed;
	if (c->server->options.access)
		tell(c);
}

void magi_http_count_up(struct http_conn *c, struct http_here *here)
{
	struct http_tally *t = &c->tally;
	mag_http_metrics *m = &here->metrics;

	if (c->wire.stream) /* its connection counts what it has moved */
		t->received = t->sent = 0;
	pthread_mutex_lock(&here->lock);
	m->received += t->received;
	m->sent += t->sent;
	m->requests += t->requests;
	m->malformed += t->malformed;
	m->timeouts += t->timeouts;
	for (int i = 0; t->requests && i < 6; i++)
		m->answers[i] += t->answers[i];
	pthread_mutex_unlock(&here->lock);
	memset(t, 0, sizeof *t);
}

void magi_http_count_door(mag_http_server *server, bool accepted)
{
	struct http_here *here = magi_http_here(server, magi_http_clock());

	pthread_mutex_lock(&here->lock);
	here->metrics.accepted += accepted;
	here->metrics.refused += !accepted;
	pthread_mutex_unlock(&here->lock);
}

static void add(mag_http_metrics *sum, const mag_http_metrics *m)
{
	sum->accepted += m->accepted;
	sum->refused += m->refused;
	sum->requests += m->requests;
	sum->malformed += m->malformed;
	sum->timeouts += m->timeouts;
	sum->received += m->received;
	sum->sent += m->sent;
	for (int i = 0; i < 6; i++)
		sum->answers[i] += m->answers[i];
}

int mag_http_server_metrics(mag_http_server *server, mag_http_metrics *metrics)
{
	mag_http_metrics sum = { 0 };

	if (!server || !metrics)
		return -EINVAL;
	pthread_mutex_lock(&server->lock);
	for (uint32_t i = 0; i < server->workers; i++) {
		pthread_mutex_lock(&server->here[i].lock);
		add(&sum, &server->here[i].metrics);
		pthread_mutex_unlock(&server->here[i].lock);
	}
	sum.connections = server->conn_count;
	pthread_mutex_unlock(&server->lock);
	return mag_options_give(metrics, &sum, sizeof sum);
}

struct line {
	const char *name, *type, *help;
	uint64_t value;
};

int64_t mag_http_metrics_text(mag_http_exchange *http, void *server)
{
	mag_http_metrics m = { .size = sizeof m };
	int rc = mag_http_server_metrics(server, &m);
	const struct line lines[] = {
		{ "connections", "gauge", "Connections that there are now.", m.connections },
		{ "connections_accepted_total", "counter", "Connections that were taken.", m.accepted },
		{ "connections_refused_total", "counter", "Connections that were one too many.", m.refused },
		{ "requests_malformed_total", "counter", "Requests that are none.", m.malformed },
		{ "timeouts_total", "counter", "Clients that were too slow.", m.timeouts },
		{ "received_bytes_total", "counter", "Bytes of connections received.", m.received },
		{ "sent_bytes_total", "counter", "Bytes of connections sent.", m.sent },
	};
	char text[2048];
	int n = 0;

	if (rc < 0)
		return rc;
	for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
		n += snprintf(text + n, sizeof text - (size_t)n,
			      "# HELP magpie_http_%s %s\n# TYPE magpie_http_%s %s\nmagpie_http_%s %" PRIu64 "\n",
			      lines[i].name, lines[i].help, lines[i].name, lines[i].type, lines[i].name,
			      lines[i].value);
	n += snprintf(text + n, sizeof text - (size_t)n,
		      "# HELP magpie_http_requests_total Requests by the first digit of their answer's status.\n"
		      "# TYPE magpie_http_requests_total counter\n");
	for (int i = 0; i < 6; i++)
		n += snprintf(text + n, sizeof text - (size_t)n,
			      "magpie_http_requests_total{status=\"%s\"} %" PRIu64 "\n",
			      (const char *const[]){ "none", "1xx", "2xx", "3xx", "4xx", "5xx" }[i], m.answers[i]);
	return mag_http_reply(http, 200, "text/plain; version=0.0.4; charset=utf-8", text, (size_t)n);
}
