/* SPDX-License-Identifier: MIT */
/* http_server.c - a small service over HTTP: parameters, a body, a stream of events, middleware, an orderly end; and a client
 * that asks it over a bare socket. */
/* needs: http_server */
#include <magpie/http_server.h>
#include <magpie/magpie.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NOTES_MAX = 8, NOTE_MAX = 64 };

/* What handlers share. One worker runs all of it here; several would take a mutex. */
struct notes {
	char text[NOTES_MAX][NOTE_MAX];
	int count, asked;
};

/* GET /notes/{n}: answers at once, so a plain function does. */
static int64_t show_note(mag_http_exchange *http, void *user)
{
	struct notes *notes = user;
	char n[8];
	int at;

	if (mag_http_param(http, "n", n, sizeof n) < 0)
		return mag_http_reply_status(http, 400);
	at = atoi(n);
	if (at < 0 || at >= notes->count)
		return mag_http_reply_status(http, 404);
	return mag_http_reply_text(http, 200, notes->text[at]);
}

/* POST /notes: waits for the body. */
struct add_note {
	mag_frame frame;
	MAG_ARGS(add_note, mag_http_exchange *http; struct notes *notes;);
	mag_http_text body;
	char where[32];
	int64_t n;
};

MAG_TASK(add_note)
{
	MAG_BEGIN(add_note);
	MAG_AWAIT(self->n, mag_http_body_all, self->http, &self->body);
	if (self->n < 0)
		MAG_RETURN(self->n); /* 413, 408 or 400: as the error says */
	if (self->n >= NOTE_MAX || self->notes->count == NOTES_MAX)
		MAG_RETURN(mag_http_reply_status(self->http, 507));
	snprintf(self->where, sizeof self->where, "/notes/%d", self->notes->count);
	memcpy(self->notes->text[self->notes->count++], self->body.at, self->body.length + 1);
	mag_http_reply_header(self->http, "Location", self->where);
	MAG_RETURN(mag_http_reply_status(self->http, 201));
	MAG_END;
}

/* GET /count: an event each millisecond, as fast as the client takes them. */
struct count {
	mag_frame frame;
	MAG_ARGS(count, mag_http_exchange *http; void *user;);
	mag_http_event event;
	char text[16];
	int i;
	int64_t rc;
};

MAG_TASK(count)
{
	MAG_BEGIN(count);
	for (self->i = 1; self->i <= 3 && !mag_http_stopping(self->http); self->i++) {
		snprintf(self->text, sizeof self->text, "%d", self->i);
		self->event = (mag_http_event){ .data = self->text };
		MAG_AWAIT(self->rc, mag_http_send_event, self->http, &self->event);
		if (self->rc == 0)
			MAG_AWAIT(self->rc, mag_sleep, MAG_MILLISECOND);
		if (self->rc < 0)
			MAG_RETURN(self->rc);
	}
	MAG_RETURN(0);
	MAG_END;
}

/* Around all handlers: a key is asked for. */
struct guard {
	mag_frame frame;
	MAG_ARGS(guard, mag_http_exchange *http; struct notes *notes;);
	mag_http_text key;
	int64_t rc;
};

MAG_TASK(guard)
{
	MAG_BEGIN(guard);
	self->key = mag_http_field(self->http, "X-Key");
	if (self->key.length != 6 || memcmp(self->key.at, "sesame", 6) != 0)
		MAG_RETURN(mag_http_reply_status(self->http, 401));
	self->notes->asked++;
	MAG_AWAIT(self->rc, mag_http_next, self->http);
	MAG_RETURN(self->rc);
	MAG_END;
}

/* A client: one connection, all requests at once. */
#define KEY "Host: localhost\r\nX-Key: sesame\r\n"

static const char requests[] = "POST /notes HTTP/1.1\r\n" KEY "Content-Length: 5\r\n\r\nhello"
			       "GET /notes/0 HTTP/1.1\r\n" KEY "\r\n"
			       "GET /notes/1 HTTP/1.1\r\n" KEY "\r\n"
			       "GET /notes/0 HTTP/1.1\r\nHost: localhost\r\n\r\n"
			       "GET /count HTTP/1.1\r\n" KEY "Connection: close\r\n\r\n";

struct ask {
	mag_frame frame;
	MAG_ARGS(ask, const mag_addr *addr;);
	mag_fd fd;
	size_t n;
	int64_t rc, waste;
	char heard[4096];
};

static bool has_all(const char *heard)
{
	static const char *const parts[] = { "HTTP/1.1 201 Created", "Location: /notes/0\r\n", "\r\n\r\nhelloHTTP/1.1 404",
					     "HTTP/1.1 401", "data: 1\n\n", "data: 3\n\n" };

	for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
		if (!strstr(heard, parts[i]))
			return false;
	return true;
}

MAG_TASK(ask)
{
	MAG_BEGIN(ask);
	self->n = 0;
	MAG_CALL(self->rc, mag_tcp_connect, .addr = self->addr, .fd = &self->fd);
	if (self->rc < 0)
		MAG_RETURN(self->rc);
	MAG_AWAIT(self->rc, mag_send_all, self->fd, requests, sizeof requests - 1);
	while (self->rc > 0 && self->n < sizeof self->heard - 1) {
		MAG_AWAIT(self->rc, mag_recv, self->fd, self->heard + self->n, sizeof self->heard - 1 - self->n);
		self->n += self->rc > 0 ? (size_t)self->rc : 0;
	}
	MAG_AWAIT(self->waste, mag_close, self->fd);
	self->heard[self->n] = '\0';
	fputs(self->heard, stdout);
	MAG_RETURN(self->rc == 0 && has_all(self->heard) ? 0 : -1);
	MAG_END;
}

/* The program: server and client. */
struct where {
	mag_addr addr;
	mag_event known;
};

static void ready(void *ctx, const mag_addr *at)
{
	struct where *where = ctx;

	where->addr = *at;
	mag_event_set(&where->known);
}

struct program {
	mag_frame frame;
	MAG_NO_ARGS(program);
	mag_http_server *server;
	struct notes notes;
	struct where where;
	mag_group group;
	int64_t rc, end;
};

static int64_t build(struct program *self)
{
	const mag_http_server_options options = {
		.size = sizeof options, .name = "notes", .ready = ready, .ctx = &self->where
	};
	mag_addr addr;
	int rc = mag_http_server_create(&options, &self->server);

	if (rc == 0)
		rc = mag_http_server_use(self->server, MAG_HTTP_TASK(guard), &self->notes);
	if (rc == 0)
		rc = mag_http_server_route(self->server, "GET", "/notes/{n}", MAG_HTTP_PLAIN(show_note), &self->notes);
	if (rc == 0)
		rc = mag_http_server_route(self->server, "POST", "/notes", MAG_HTTP_TASK(add_note), &self->notes);
	if (rc == 0)
		rc = mag_http_server_route(self->server, "GET", "/count", MAG_HTTP_TASK(count), NULL);
	mag_addr_parse(&addr, "127.0.0.1:0");
	return rc < 0 ? rc : mag_http_server_listen(self->server, &addr);
}

MAG_TASK(program)
{
	MAG_BEGIN(program);
	self->server = NULL;
	self->notes = (struct notes){ .count = 0 };
	mag_event_init(&self->where.known);
	self->rc = build(self);
	if (self->rc == 0) {
		MAG_GROUP_BEGIN(&self->group);
		MAG_SPAWN(self->rc, &self->group, mag_http_serve, .server = self->server);
		MAG_AWAIT(self->rc, mag_event_wait, &self->where.known);
		if (self->rc == 0)
			MAG_CALL(self->rc, ask, .addr = &self->where.addr);
		mag_http_server_stop(self->server);
		MAG_GROUP_END(self->end, &self->group);
	}
	mag_http_server_destroy(self->server);
	printf("%d requests with the key\n", self->notes.asked);
	MAG_RETURN(self->rc < 0 ? self->rc : self->notes.asked == 4 ? self->end : -1);
	MAG_END;
}

int main(void)
{
	const mag_runtime_options options = { .size = sizeof options, .workers = 1 };

	return mag_run(&options, program) < 0;
}
