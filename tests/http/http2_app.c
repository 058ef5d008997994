/* SPDX-License-Identifier: MIT */
/* http2_app.c - what the peer asks for. */
#include <magpie/magpie.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "http2_peer.h"

/* Handlers; their user is the peer. */

static int64_t hello(mag_http_exchange *http, void *user)
{
	(void)user;
	return mag_http_reply_text(http, 200, "hello");
}

/* What was asked, as a handler sees it. */
static int64_t told(mag_http_exchange *http, void *user)
{
	char text[PEER_TEXT];
	mag_http_header h = { .next = 0 };
	size_t n = (size_t)snprintf(text, sizeof text, "%s %d\n", mag_http_method(http), mag_http_version(http));

	(void)user;
	while (mag_http_fields(http, &h) && n < sizeof text)
		n += (size_t)snprintf(text + n, sizeof text - n, "%.*s: %.*s\n", (int)h.name.length, h.name.at,
				      (int)h.value.length, h.value.at);
	mag_http_reply_header(http, "X-Seen", "Yes");
	return mag_http_reply_text(http, 200, text);
}

static void enter(struct peer *p)
{
	if (++p->handlers.running > p->handlers.most)
		p->handlers.most = p->handlers.running;
}

struct peer_wait {
	mag_frame frame;
	MAG_ARGS(peer_wait, mag_http_exchange *http; struct peer *p;);
	char ms[20];
	int64_t rc;
};

MAG_TASK(peer_wait)
{
	MAG_BEGIN(peer_wait);
	enter(self->p);
	if (mag_http_param(self->http, "ms", self->ms, sizeof self->ms) < 0)
		MAG_RETURN(-EINVAL);
	MAG_AWAIT(self->rc, mag_sleep, strtoull(self->ms, NULL, 10) * MAG_MILLISECOND);
	self->p->handlers.running--;
	if (self->rc < 0) {
		self->p->handlers.cancelled++;
		self->p->handlers.cancelled_ms = (uint32_t)((mag_now() - self->p->since) / MAG_MILLISECOND);
		MAG_RETURN(self->rc);
	}
	MAG_RETURN(mag_http_reply_text(self->http, 200, "waited"));
	MAG_END;
}

struct peer_stubborn {
	mag_frame frame;
	MAG_ARGS(peer_stubborn, mag_http_exchange *http; struct peer *p;);
	mag_scope scope;
	int64_t rc;
};

/* Takes a second, whatever happens. */
MAG_TASK(peer_stubborn)
{
	MAG_BEGIN(peer_stubborn);
	enter(self->p);
	MAG_SHIELD(&self->scope, MAG_NEVER);
	MAG_AWAIT(self->rc, mag_sleep, MAG_SECOND);
	MAG_SCOPE_END(self->rc, &self->scope);
	self->p->handlers.running--;
	MAG_RETURN(mag_http_reply_text(self->http, 200, "done"));
	MAG_END;
}

struct peer_gate {
	mag_frame frame;
	MAG_ARGS(peer_gate, mag_http_exchange *http; struct peer *p;);
	uint64_t sum;
	int64_t n;
	char buf[1000], text[30];
};

/* Reads, once the gate is open; answers how much that was. */
MAG_TASK(peer_gate)
{
	MAG_BEGIN(peer_gate);
	self->sum = 0;
	MAG_AWAIT(self->n, mag_event_wait, &self->p->handlers.gate);
	while (self->n >= 0) {
		MAG_AWAIT(self->n, mag_http_body_read, self->http, self->buf, sizeof self->buf);
		if (self->n <= 0)
			break;
		self->sum += (uint64_t)self->n;
	}
	self->p->handlers.read_error = self->n;
	if (self->n < 0)
		MAG_RETURN(self->n);
	snprintf(self->text, sizeof self->text, "%llu", (unsigned long long)self->sum);
	MAG_RETURN(mag_http_reply_text(self->http, 200, self->text));
	MAG_END;
}

struct peer_early {
	mag_frame frame;
	MAG_ARGS(peer_early, mag_http_exchange *http; struct peer *p;);
	int64_t n;
	char buf[1000];
};

/* Answers, reads a little, and the rest once the gate is open. */
MAG_TASK(peer_early)
{
	MAG_BEGIN(peer_early);
	mag_http_reply_text(self->http, 200, "early");
	MAG_AWAIT(self->n, mag_http_body_read, self->http, self->buf, sizeof self->buf);
	while (self->n > 0) {
		self->p->handlers.early += (uint32_t)self->n;
		MAG_AWAIT(self->n, mag_event_wait, &self->p->handlers.gate);
		if (self->n == 0)
			MAG_AWAIT(self->n, mag_http_body_read, self->http, self->buf, sizeof self->buf);
	}
	self->p->handlers.read_error = self->n;
	self->p->handlers.early_ms = (uint32_t)((mag_now() - self->p->since) / MAG_MILLISECOND);
	MAG_RETURN(self->n);
	MAG_END;
}

struct peer_echo {
	mag_frame frame;
	MAG_ARGS(peer_echo, mag_http_exchange *http; struct peer *p;);
	int64_t n;
	char buf[3000];
};

MAG_TASK(peer_echo)
{
	MAG_BEGIN(peer_echo);
	mag_http_reply_begin(self->http, 200, "text/plain", MAG_HTTP_UNKNOWN);
	for (;;) {
		MAG_AWAIT(self->n, mag_http_body_read, self->http, self->buf, sizeof self->buf);
		if (self->n <= 0)
			MAG_RETURN(self->n);
		MAG_AWAIT(self->n, mag_http_write, self->http, self->buf, (size_t)self->n);
		if (self->n < 0)
			MAG_RETURN(self->n);
	}
	MAG_END;
}

/* 200,000 bytes, of known length; ?cut=1: half of it. */
struct peer_large {
	mag_frame frame;
	MAG_ARGS(peer_large, mag_http_exchange *http; struct peer *p;);
	int64_t n;
	int i;
	char buf[2000];
};

MAG_TASK(peer_large)
{
	MAG_BEGIN(peer_large);
	memset(self->buf, 'b', sizeof self->buf);
	mag_http_reply_begin(self->http, 200, "text/plain", 200000);
	for (self->i = 0; self->i < (mag_http_query(self->http).length ? 50 : 100); self->i++) {
		MAG_AWAIT(self->n, mag_http_write, self->http, self->buf, sizeof self->buf);
		if (self->n < 0)
			MAG_RETURN(self->n);
	}
	MAG_RETURN(0);
	MAG_END;
}

/* Two events, half a second between them. */
struct peer_events {
	mag_frame frame;
	MAG_ARGS(peer_events, mag_http_exchange *http; struct peer *p;);
	mag_http_event event;
	int64_t rc;
};

MAG_TASK(peer_events)
{
	MAG_BEGIN(peer_events);
	self->event = (mag_http_event){ .data = "1" };
	MAG_AWAIT(self->rc, mag_http_send_event, self->http, &self->event);
	if (self->rc == 0)
		MAG_AWAIT(self->rc, mag_sleep, MAG_SECOND / 2);
	if (self->rc == 0)
		MAG_AWAIT(self->rc, mag_http_send_event, self->http, NULL);
	MAG_RETURN(self->rc);
	MAG_END;
}

int peer_routes(struct peer *p)
{
	static const mag_http_route_options ages = { .size = sizeof ages, .request_ns = MAG_NEVER };
	int rc = 0;

	rc |= mag_http_server_route(p->server, "GET", "/hello", MAG_HTTP_PLAIN(hello), p);
	rc |= mag_http_server_route(p->server, NULL, "/told", MAG_HTTP_PLAIN(told), p);
	rc |= mag_http_server_route_with(p->server, "GET", "/wait/{ms}", MAG_HTTP_TASK(peer_wait), p, &ages);
	rc |= mag_http_server_route(p->server, "GET", "/late/{ms}", MAG_HTTP_TASK(peer_wait), p);
	rc |= mag_http_server_route(p->server, "GET", "/stubborn", MAG_HTTP_TASK(peer_stubborn), p);
	rc |= mag_http_server_route(p->server, "POST", "/gate", MAG_HTTP_TASK(peer_gate), p);
	rc |= mag_http_server_route(p->server, "POST", "/early", MAG_HTTP_TASK(peer_early), p);
	rc |= mag_http_server_route(p->server, "POST", "/echo", MAG_HTTP_TASK(peer_echo), p);
	rc |= mag_http_server_route(p->server, "GET", "/events", MAG_HTTP_TASK(peer_events), p);
	rc |= mag_http_server_route(p->server, "GET", "/large", MAG_HTTP_TASK(peer_large), p);
	return rc;
}
