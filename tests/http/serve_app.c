/* SPDX-License-Identifier: MIT */
/* serve_app.c - a small app on the server, and its cases. */
#include "serve_app.h"

#include <errno.h>
#include <magpie/io.h>
#include <magpie/time.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Handlers. */

static int64_t hello(mag_http_exchange *http, void *user)
{
	(void)user;
	return mag_http_reply_text(http, 200, "hello");
}

static int64_t show(mag_http_exchange *http, void *user)
{
	char id[16], q[16], text[80];

	(void)user;
	if (mag_http_param(http, "id", id, sizeof id) < 0)
		return mag_http_reply_status(http, 400);
	if (mag_http_query_value(http, "q", q, sizeof q) < 0)
		strcpy(q, "none");
	snprintf(text, sizeof text, "%s %s %s", mag_http_method(http), id, q);
	return mag_http_reply_text(http, 200, text);
}

/* What comes several times, and what has room for it. */
static int64_t all_of_a_name(mag_http_exchange *http)
{
	char list[10];

	if (mag_http_field_list(http, "None", list, sizeof list) != -ENOENT ||
	    mag_http_field_list(http, "list", list, 9) != -ENOBUFS || mag_http_field_list(http, "which", list, 0) != -ENOBUFS ||
	    mag_http_field_list(http, "Empty", list, 1) != 0 || *list || mag_http_field_list(http, "list", list, 10) != 9)
		return -EIO;
	return mag_http_reply_text(http, 200, list);
}

/* What the request's Which field says of a plain function's ways to go. */
static int64_t ways(mag_http_exchange *http, void *user)
{
	mag_http_text which = mag_http_field(http, "which");

	(void)user;
	if (!which.length)
		return 0;
	switch (*which.at) {
	case 'n':
		return -ENOENT;
	case 'x':
		return -EIO;
	case 'j':
		mag_http_reply_header(http, "X-One", "1");
		mag_http_reply_header(http, "X-Two", "2");
		return mag_http_reply_json(http, 201, "{}");
	case 'r':
		return mag_http_reply_redirect(http, 303, "/hello");
	case 'e':
		return mag_http_reply(http, 204, NULL, NULL, 0);
	case 't':
		mag_http_reply_status(http, 402);
		return mag_http_reply_status(http, 200) == -EALREADY ? 0 : -EIO;
	case 'a':
		return all_of_a_name(http);
	case 'i':
		return mag_http_reply_header(http, "Content-Length", "3") == -EINVAL &&
				       mag_http_reply_header(http, "A", "b\r\nC: d") == -EINVAL &&
				       mag_http_reply(http, 42, NULL, "", 0) == -EINVAL
			       ? mag_http_reply_text(http, 200, "refused")
			       : -EIO;
	default:
		return mag_http_reply_begin(http, 200, NULL, 10); /* and nothing of it */
	}
}

struct app_slow {
	mag_frame frame;
	MAG_ARGS(app_slow, mag_http_exchange *http; void *user;);
	int64_t rc;
};

MAG_TASK(app_slow)
{
	MAG_BEGIN(app_slow);
	MAG_AWAIT(self->rc, mag_sleep, self->user ? 1000 * MAG_SECOND : MAG_MILLISECOND);
	if (self->rc < 0)
		MAG_RETURN(self->rc);
	MAG_RETURN(mag_http_reply_text(self->http, 200, "slow"));
	MAG_END;
}

static char app_soon[1]; /* the user of one that answers at once */

struct app_tardy {
	mag_frame frame;
	MAG_ARGS(app_tardy, mag_http_exchange *http; void *user;);
	int64_t rc;
};

/* Four seconds, then more than a socket takes; or at once not quite so much, behind which the next request is looked at. */
MAG_TASK(app_tardy)
{
	static const char much[400000];

	MAG_BEGIN(app_tardy);
	if (self->user != app_soon)
		MAG_AWAIT(self->rc, mag_sleep, 4 * MAG_SECOND);
	MAG_RETURN(mag_http_reply(self->http, 200, "text/plain", much, self->user == app_soon ? 66500 : sizeof much));
	MAG_END;
}

struct app_sum {
	mag_frame frame;
	MAG_ARGS(app_sum, mag_http_exchange *http; void *user;);
	mag_http_text body;
	int64_t n;
};

MAG_TASK(app_sum)
{
	MAG_BEGIN(app_sum);
	MAG_AWAIT(self->n, mag_http_body_all, self->http, &self->body);
	if (self->n < 0)
		MAG_RETURN(self->n);
	MAG_RETURN(mag_http_reply(self->http, 200, "text/plain", self->body.at, self->body.length));
	MAG_END;
}

struct app_echo {
	mag_frame frame;
	MAG_ARGS(app_echo, mag_http_exchange *http; void *user;);
	int64_t n;
	char buf[100];
};

/* As it comes, in chunks; gathered until the end. */
MAG_TASK(app_echo)
{
	MAG_BEGIN(app_echo);
	mag_http_reply_begin(self->http, 200, "text/plain", (uint64_t)mag_http_body_length(self->http));
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

static char app_endless[1]; /* the user of a stream that does not end */

struct app_stream {
	mag_frame frame;
	MAG_ARGS(app_stream, mag_http_exchange *http; void *user;);
	int64_t n;
	int i;
	char piece[1000];
};

MAG_TASK(app_stream)
{
	MAG_BEGIN(app_stream);
	memset(self->piece, 'a', sizeof self->piece);
	if (self->user && self->user != app_endless)
		mag_http_reply_begin(self->http, 200, self->user, MAG_HTTP_UNKNOWN);
	for (self->i = 0; self->i < APP_LARGE / 1000 || self->user == app_endless; self->i++) {
		MAG_AWAIT(self->n, mag_http_write, self->http, self->piece, sizeof self->piece);
		if (self->n < 0)
			MAG_RETURN(self->n);
	}
	MAG_RETURN(0);
	MAG_END;
}

struct app_which {
	mag_frame frame;
	MAG_ARGS(app_which, mag_http_exchange *http; void *user;);
	mag_http_text which;
	int64_t n, sum;
	char buf[2], text[40];
};

/* Its head is looked at when the body has come. */
MAG_TASK(app_which)
{
	MAG_BEGIN(app_which);
	self->sum = 0;
	do {
		MAG_AWAIT(self->n, mag_http_body_read, self->http, self->buf, sizeof self->buf);
		self->sum += self->n;
	} while (self->n > 0);
	self->which = mag_http_field(self->http, "which");
	snprintf(self->text, sizeof self->text, "%.*s %d", (int)self->which.length, self->which.at, (int)self->sum);
	MAG_RETURN(mag_http_reply_text(self->http, 200, self->text));
	MAG_END;
}

struct app_events {
	mag_frame frame;
	MAG_ARGS(app_events, mag_http_exchange *http; void *user;);
	mag_http_event event;
	int64_t rc;
};

MAG_TASK(app_events)
{
	MAG_BEGIN(app_events);
	self->event = (mag_http_event){ .name = "a", .data = "1\n2", .id = "7" };
	MAG_AWAIT(self->rc, mag_http_send_event, self->http, &self->event);
	if (self->rc == 0)
		MAG_AWAIT(self->rc, mag_http_send_event, self->http, NULL);
	MAG_RETURN(self->rc);
	MAG_END;
}

struct app_up {
	mag_frame frame;
	MAG_ARGS(app_up, mag_http_exchange *http; void *user;);
	mag_http_upgraded up;
	int64_t n, sent;
	char buf[40];
};

/* Sends back all that comes. */
MAG_TASK(app_up)
{
	MAG_BEGIN(app_up);
	MAG_AWAIT(self->n, mag_http_upgrade, self->http, "echo", &self->up);
	if (self->n < 0)
		MAG_RETURN(self->n);
	if (self->up.early.length)
		MAG_AWAIT(self->n, mag_send_all, self->up.fd, self->up.early.at, self->up.early.length);
	while (self->n >= 0) {
		MAG_AWAIT(self->n, mag_recv, self->up.fd, self->buf, sizeof self->buf);
		if (self->n <= 0)
			break;
		MAG_AWAIT(self->n, mag_send_all, self->up.fd, self->buf, (size_t)self->n);
	}
	MAG_RETURN(0);
	MAG_END;
}

struct app_middle {
	mag_frame frame;
	MAG_ARGS(app_middle, mag_http_exchange *http; void *user;);
	int64_t rc;
};

MAG_TASK(app_middle)
{
	MAG_BEGIN(app_middle);
	mag_http_reply_header(self->http, "X-Middle", "1");
	MAG_AWAIT(self->rc, mag_http_next, self->http);
	MAG_RETURN(self->rc);
	MAG_END;
}

int app_routes(mag_http_server *server, bool middleware)
{
	static const mag_http_route_options brief = { .size = sizeof brief, .request_ns = 50 * MAG_MILLISECOND };
	static const mag_http_route_options endless = { .size = sizeof endless, .request_ns = MAG_NEVER };
	static const mag_http_route_options tiny = { .size = sizeof tiny, .body_max = 4 };
	int rc = 0;

	if (middleware)
		rc |= mag_http_server_use(server, MAG_HTTP_TASK(app_middle), NULL);
	rc |= mag_http_server_route(server, "GET", "/hello", MAG_HTTP_PLAIN(hello), NULL);
	rc |= mag_http_server_route(server, NULL, "/users/{id}", MAG_HTTP_PLAIN(show), NULL);
	rc |= mag_http_server_route(server, "GET", "/ways", MAG_HTTP_PLAIN(ways), NULL);
	rc |= mag_http_server_route(server, "GET", "/slow", MAG_HTTP_TASK(app_slow), NULL);
	rc |= mag_http_server_route_with(server, "GET", "/late", MAG_HTTP_TASK(app_slow), server, &brief);
	rc |= mag_http_server_route(server, "POST", "/sum", MAG_HTTP_TASK(app_sum), NULL);
	rc |= mag_http_server_route_with(server, "PUT", "/sum", MAG_HTTP_TASK(app_sum), NULL, &tiny);
	rc |= mag_http_server_route(server, "POST", "/echo", MAG_HTTP_TASK(app_echo), NULL);
	rc |= mag_http_server_route(server, "GET", "/stream", MAG_HTTP_TASK(app_stream), NULL);
	rc |= mag_http_server_route(server, "GET", "/text", MAG_HTTP_TASK(app_stream), (void *)(uintptr_t)"text/plain");
	rc |= mag_http_server_route_with(server, "GET", "/flood", MAG_HTTP_TASK(app_stream), app_endless, &endless);
	rc |= mag_http_server_route(server, "GET", "/ages", MAG_HTTP_TASK(app_slow), server);
	rc |= mag_http_server_route(server, "GET", "/tardy", MAG_HTTP_TASK(app_tardy), NULL);
	rc |= mag_http_server_route(server, "GET", "/much", MAG_HTTP_TASK(app_tardy), app_soon);
	rc |= mag_http_server_route(server, "POST", "/which", MAG_HTTP_TASK(app_which), NULL);
	rc |= mag_http_server_route(server, "GET", "/events", MAG_HTTP_TASK(app_events), NULL);
	rc |= mag_http_server_route(server, "GET", "/up", MAG_HTTP_TASK(app_up), NULL);
	return rc;
}

/* Cases. */

#define REQUEST(line) line " HTTP/1.1\r\nHost: a\r\n"
#define LAST "Connection: close\r\n\r\n"
#define END "Connection: close\r\n\r\n"
#define TEXT "Content-Type: text/plain; charset=utf-8\r\n"
#define PLAIN "Content-Type: text/plain\r\n"
#define LENGTH(n) "Content-Length: " #n "\r\n"
#define HELLO "HTTP/1.1 200 OK\r\n" TEXT LENGTH(5)
#define WAY(c) REQUEST("GET /ways") "Which: " c "\r\n" LAST
#define CHUNKED "Transfer-Encoding: chunked\r\n"

const struct app_case app_cases[] = {
	{ "hello", REQUEST("GET /hello") LAST, HELLO END "hello", false },
	{ "HEAD", REQUEST("HEAD /hello") LAST, HELLO END, false },
	{ "two", REQUEST("GET /hello") "\r\n" REQUEST("GET /users/7?q=a+b") LAST,
	  HELLO "\r\nhelloHTTP/1.1 200 OK\r\n" TEXT LENGTH(9) END "GET 7 a b", false },
	{ "1.0", "GET /hello HTTP/1.0\r\n\r\n", HELLO END "hello", false },
	{ "1.0 kept", "GET /hello HTTP/1.0\r\nConnection: keep-alive\r\n\r\n" REQUEST("GET /hello") LAST,
	  HELLO "Connection: keep-alive\r\n\r\nhello" HELLO END "hello", false },
	{ "decoded", REQUEST("DELETE /%75sers/%41%20b?x=1&q=%2f") LAST,
	  "HTTP/1.1 200 OK\r\n" TEXT LENGTH(12) END "DELETE A b /", false },
	{ "an absolute target", REQUEST("GET http://a/hello") LAST, HELLO END "hello", false },
	{ "wrongly encoded", REQUEST("GET /users/%4") LAST,
	  "HTTP/1.1 400 Bad Request\r\n" TEXT LENGTH(16) END "400 Bad Request\n", false },
	{ "none", REQUEST("GET /none") LAST, "HTTP/1.1 404 Not Found\r\n" TEXT LENGTH(14) END "404 Not Found\n",
	  false },
	{ "other method", REQUEST("POST /hello") LAST,
	  "HTTP/1.1 405 Method Not Allowed\r\n" TEXT LENGTH(23)
		  "Allow: GET, HEAD, OPTIONS\r\n" END "405 Method Not Allowed\n",
	  false },
	{ "a body that nobody reads", REQUEST("POST /hello") "Content-Length: 3\r\n\r\nabc" REQUEST("GET /hello") LAST,
	  "HTTP/1.1 405 Method Not Allowed\r\n" TEXT LENGTH(23)
		  "Allow: GET, HEAD, OPTIONS\r\n\r\n405 Method Not Allowed\n" HELLO END "hello",
	  false },
	{ "chunks that a handler does not read",
	  REQUEST("PATCH /users/1") CHUNKED "\r\n2;x=y\r\nab\r\n0\r\nA: b\r\n\r\n" REQUEST("GET /hello") LAST,
	  "HTTP/1.1 200 OK\r\n" TEXT LENGTH(12) "\r\nPATCH 1 none" HELLO END "hello", false },
	{ "OPTIONS", REQUEST("OPTIONS /sum") LAST, "HTTP/1.1 204 No Content\r\nAllow: POST, PUT, OPTIONS\r\n" END,
	  false },
	{ "not found by the handler", WAY("n"),
	  "HTTP/1.1 404 Not Found\r\n" TEXT LENGTH(14) END "404 Not Found\n", false },
	{ "an error of the handler", WAY("x"),
	  "HTTP/1.1 500 Internal Server Error\r\n" TEXT LENGTH(26) END "500 Internal Server Error\n", false },
	{ "no answer of the handler", REQUEST("GET /ways") LAST,
	  "HTTP/1.1 500 Internal Server Error\r\n" TEXT LENGTH(26) END "500 Internal Server Error\n", false },
	{ "fields", WAY("j"),
	  "HTTP/1.1 201 Created\r\nContent-Type: application/json\r\n" LENGTH(2) "X-One: 1\r\nX-Two: 2\r\n" END "{}",
	  false },
	{ "fields of a name", REQUEST("GET /ways") "Which: a\r\nList: a, b\r\nEmpty:\r\nLISTED: x\r\nlist:\r\nliST:  cde \r\n" LAST,
	  "HTTP/1.1 200 OK\r\n" TEXT LENGTH(9) END "a, b,,cde", false },
	{ "redirect", WAY("r"),
	  "HTTP/1.1 303 See Other\r\n" TEXT LENGTH(14) "Location: /hello\r\n" END "303 See Other\n", false },
	{ "nothing", WAY("e"), "HTTP/1.1 204 No Content\r\n" END, false },
	{ "twice", WAY("t"), "HTTP/1.1 402 Payment Required\r\n" TEXT LENGTH(21) END "402 Payment Required\n", false },
	{ "what may not be said", WAY("i"), "HTTP/1.1 200 OK\r\n" TEXT LENGTH(7) END "refused", false },
	{ "less than announced", WAY("l"), "", true },
	{ "a task", REQUEST("GET /slow") "\r\n" REQUEST("GET /slow") LAST,
	  "HTTP/1.1 200 OK\r\n" TEXT LENGTH(4) "\r\nslowHTTP/1.1 200 OK\r\n" TEXT LENGTH(4) END "slow", false },
	{ "too late", REQUEST("GET /late") LAST,
	  "HTTP/1.1 503 Service Unavailable\r\n" TEXT LENGTH(24) END "503 Service Unavailable\n", false },
	{ "a whole body", REQUEST("POST /sum") "Content-Length: 10\r\n\r\n0123456789" REQUEST("GET /hello") LAST,
	  "HTTP/1.1 200 OK\r\n" PLAIN LENGTH(10) "\r\n0123456789" HELLO END "hello", false },
	{ "a whole body in chunks",
	  REQUEST("POST /sum") CHUNKED "\r\n3\r\n012\r\n07\r\n3456789\r\n0\r\n\r\n" REQUEST("GET /hello") LAST,
	  "HTTP/1.1 200 OK\r\n" PLAIN LENGTH(10) "\r\n0123456789" HELLO END "hello", false },
	{ "no body", REQUEST("POST /sum") LAST, "HTTP/1.1 200 OK\r\n" PLAIN LENGTH(0) END, false },
	{ "asked for", REQUEST("POST /sum") "Expect: 100-continue\r\nContent-Length: 2\r\n" LAST "ab",
	  "HTTP/1.1 200 OK\r\n" PLAIN LENGTH(2) END "ab", false },
	{ "too much", REQUEST("PUT /sum") "Content-Length: 5\r\n\r\n01234",
	  "HTTP/1.1 413 Content Too Large\r\n" TEXT LENGTH(22) END "413 Content Too Large\n", false },
	{ "too much in chunks", REQUEST("PUT /sum") CHUNKED "\r\n4\r\n0123\r\n1\r\n4\r\n0\r\n\r\n",
	  "HTTP/1.1 413 Content Too Large\r\n" TEXT LENGTH(22) END "413 Content Too Large\n", false },
	{ "broken chunks", REQUEST("POST /sum") CHUNKED "\r\n4\r\n0123\r\nx\r\n",
	  "HTTP/1.1 400 Bad Request\r\n" TEXT LENGTH(16) END "400 Bad Request\n", false },
	{ "echo", REQUEST("POST /echo") "Content-Length: 6\r\n\r\nabcdef" REQUEST("GET /hello") LAST,
	  "HTTP/1.1 200 OK\r\n" PLAIN LENGTH(6) "\r\nabcdef" HELLO END "hello", false },
	{ "echo of nothing", REQUEST("POST /echo") "Content-Length: 0\r\n" LAST,
	  "HTTP/1.1 200 OK\r\n" PLAIN LENGTH(0) END, false },
	{ "stream", REQUEST("GET /stream") LAST, NULL, false },
	{ "stream to 1.0", "GET /stream HTTP/1.0\r\n\r\n", NULL, false },
	{ "HEAD of a stream", REQUEST("HEAD /stream") LAST,
	  "HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\n" CHUNKED END, false },
	{ "events", REQUEST("GET /events") LAST,
	  "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n" CHUNKED "Cache-Control: no-store\r\n" END
	  "000020\r\nevent: a\nid: 7\ndata: 1\ndata: 2\n\n\r\n000003\r\n:\n\n\r\n0\r\n\r\n",
	  false },
	{ "another protocol", REQUEST("GET /up") "Connection: Upgrade\r\nUpgrade: echo\r\n\r\nabcdef",
	  "HTTP/1.1 101 Switching Protocols\r\nUpgrade: echo\r\nConnection: Upgrade\r\n\r\nabcdef", false },
	{ "another protocol, with a body", REQUEST("GET /up") "Upgrade: echo\r\nContent-Length: 1\r\n" LAST "a",
	  "HTTP/1.1 400 Bad Request\r\n" TEXT LENGTH(16) END "400 Bad Request\n", false },
	{ "malformed", REQUEST("GET /hello") "\r\nGET nonsense\r\n\r\n" REQUEST("GET /hello") LAST,
	  HELLO "\r\nhelloHTTP/1.1 400 Bad Request\r\n" TEXT LENGTH(16) END "400 Bad Request\n", false },
};

const size_t app_case_count = sizeof app_cases / sizeof app_cases[0];

/* Takes out each piece that begins so and ends so. */
static void take_out(char *s, const char *from, const char *to)
{
	char *at, *end;

	while ((at = strstr(s, from)) && (end = strstr(at, to)))
		memmove(at, end + strlen(to), strlen(end + strlen(to)) + 1);
}

bool app_is_answer(const struct app_case *c, char *heard, size_t n)
{
	size_t body = 0;

	heard[n] = '\0';
	take_out(heard, "HTTP/1.1 100 ", "\r\n\r\n");
	take_out(heard, "Date: ", "\r\n");
	take_out(heard, "X-Middle: ", "\r\n");
	if (c->cut)
		return strncmp(heard, "HTTP/1.1 200", strlen(heard) < 12 ? strlen(heard) : 12) == 0;
	if (c->answer)
		return strcmp(heard, c->answer) == 0;
	for (const char *s = strstr(heard, "\r\n\r\n"); s && *s; s++)
		body += *s == 'a' && (s[-1] == 'a' || s[1] == 'a');
	return body == APP_LARGE;
}
