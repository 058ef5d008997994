/* SPDX-License-Identifier: MIT */
/* test_serve_answers.c - what a client hears that sends several requests at once, and what of an answer is its handler's
 * affair, on real sockets.
 *
 * Tried: see each test. */
#include <magpie/http_server.h>
#include <magpie/impl/atomic.h>
#include <magpie/magpie.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>

#include "support/client.h"

enum { HEARD = 4 << 20, LARGE = 20000, HUGE = 3 << 20, MUCH = 32 << 20 };

#define HEAD(line) line " HTTP/1.1\r\nHost: a\r\n"
#define LAST "Connection: close\r\n\r\n"
#define GZIP "Accept-Encoding: gzip\r\n"

struct world {
	mag_runtime *rt;
	mag_http_server *server;
	mag_future done;
	mag_event ready, gate, gone;
	mag_addr peer;
	char file[40];
	uint32_t worked, worked_before; /* atomic */
	uint16_t port;
};

static struct world world;
static char large[MUCH];
static char heard[HEARD + 1];

/* Handlers. */

static int64_t hello(mag_http_exchange *http, void *user)
{
	(void)user;
	return mag_http_reply_text(http, 200, "hello");
}

/* With a field, where the route has one. */
static int64_t say_large(mag_http_exchange *http, void *user)
{
	const char *field = user;

	if (field)
		mag_http_reply_header(http, field, "\"v1\"");
	return mag_http_reply(http, 200, "text/plain", large, LARGE);
}

static int64_t begin(mag_http_exchange *http, void *user)
{
	(void)user;
	return mag_http_reply_begin(http, 200, "text/plain", MAG_HTTP_UNKNOWN);
}

/* Less than it announces. */
static int64_t say_short(mag_http_exchange *http, void *user)
{
	(void)user;
	return mag_http_reply_begin(http, 200, "text/plain", 10);
}

/* Plain handlers that take their time, and one that tells how many of them went ahead of it. */
static int64_t work(mag_http_exchange *http, void *user)
{
	uint64_t until = mag_deadline_in(10 * MAG_MILLISECOND);

	(void)user;
	while (mag_now() < until)
		;
	magi_add_rlx(&world.worked, 1u); /* [stat] */
	return mag_http_reply_text(http, 200, "worked");
}

static int64_t beside(mag_http_exchange *http, void *user)
{
	(void)user;
	magi_store_rlx(&world.worked_before, magi_load_rlx(&world.worked)); /* [stat] [stat] */
	return mag_http_reply_text(http, 200, "beside");
}

static int64_t say_huge(mag_http_exchange *http, void *user)
{
	(void)user;
	return mag_http_reply(http, 200, "text/plain", large, HUGE);
}

static int64_t nothing(mag_http_exchange *http, void *user)
{
	(void)user;
	return mag_http_reply(http, 200, NULL, NULL, 0);
}

struct gated {
	mag_frame frame;
	MAG_ARGS(gated, mag_http_exchange *http; void *user;);
	int64_t rc;
};

MAG_TASK(gated)
{
	MAG_BEGIN(gated);
	MAG_AWAIT(self->rc, mag_event_wait, &world.gate);
	MAG_RETURN(mag_http_reply_text(self->http, 200, "gated"));
	MAG_END;
}

/* A file, whatever the method. */
struct filed {
	mag_frame frame;
	MAG_ARGS(filed, mag_http_exchange *http; void *user;);
	int64_t rc;
};

MAG_TASK(filed)
{
	MAG_BEGIN(filed);
	MAG_AWAIT(self->rc, mag_http_reply_file, self->http, MAG_FD_NONE, world.file);
	MAG_RETURN(self->rc);
	MAG_END;
}

/* Does not mind that it could not write all. */
struct careless {
	mag_frame frame;
	MAG_ARGS(careless, mag_http_exchange *http; void *user;);
	int64_t rc;
};

MAG_TASK(careless)
{
	MAG_BEGIN(careless);
	MAG_AWAIT(self->rc, mag_http_write, self->http, large, sizeof large);
	mag_event_set(&world.gone);
	MAG_RETURN(0);
	MAG_END;
}

/* Middleware that tries again, around one that refuses. */
struct again {
	mag_frame frame;
	MAG_ARGS(again, mag_http_exchange *http; void *user;);
	int64_t rc, second;
};

MAG_TASK(again)
{
	MAG_BEGIN(again);
	MAG_AWAIT(self->rc, mag_http_next, self->http);
	MAG_AWAIT(self->second, mag_http_next, self->http);
	MAG_RETURN(self->second == -EALREADY ? self->rc : self->second);
	MAG_END;
}

static int64_t refuse(mag_http_exchange *http, void *user)
{
	(void)http;
	(void)user;
	return -EACCES;
}

/* The server. */

static void ready(void *ctx, const mag_addr *at)
{
	(void)ctx;
	world.port = (uint16_t)mag_addr_port(at);
	mag_event_set(&world.ready);
}

static void add_routes(bool guarded)
{
	static const mag_http_route_options brief = { .size = sizeof brief, .request_ns = 100 * MAG_MILLISECOND };
	mag_http_server *s = world.server;
	int rc = 0;

	if (guarded) {
		rc |= mag_http_server_use(s, MAG_HTTP_TASK(again), NULL);
		rc |= mag_http_server_use(s, MAG_HTTP_PLAIN(refuse), NULL);
	}
	rc |= mag_http_server_route(s, "GET", "/hello", MAG_HTTP_PLAIN(hello), NULL);
	rc |= mag_http_server_route(s, "GET", "/large", MAG_HTTP_PLAIN(say_large), NULL);
	rc |= mag_http_server_route(s, "GET", "/tagged", MAG_HTTP_PLAIN(say_large), (void *)(uintptr_t) "etag");
	rc |= mag_http_server_route(s, "GET", "/policy", MAG_HTTP_PLAIN(say_large),
				    (void *)(uintptr_t) "Content-Security-Policy");
	rc |= mag_http_server_route(s, "GET", "/coded", MAG_HTTP_PLAIN(say_large),
				    (void *)(uintptr_t) "CONTENT-ENCODING");
	rc |= mag_http_server_route(s, "GET", "/begun", MAG_HTTP_PLAIN(begin), NULL);
	rc |= mag_http_server_route(s, "GET", "/short", MAG_HTTP_PLAIN(say_short), NULL);
	rc |= mag_http_server_route(s, NULL, "/file", MAG_HTTP_TASK(filed), NULL);
	rc |= mag_http_server_route(s, "GET", "/work", MAG_HTTP_PLAIN(work), NULL);
	rc |= mag_http_server_route(s, "GET", "/beside", MAG_HTTP_PLAIN(beside), NULL);
	rc |= mag_http_server_route(s, "GET", "/huge", MAG_HTTP_PLAIN(say_huge), NULL);
	rc |= mag_http_server_route(s, "GET", "/nothing", MAG_HTTP_PLAIN(nothing), NULL);
	rc |= mag_http_server_route(s, "GET", "/gated", MAG_HTTP_TASK(gated), NULL);
	rc |= mag_http_server_route_with(s, "GET", "/careless", MAG_HTTP_TASK(careless), NULL, &brief);
	cr_assert_eq(rc, 0);
}

static void start(bool guarded)
{
	const mag_http_server_options o = { .size = sizeof o, .ready = ready, .compress = true };
	const mag_runtime_options r = { .size = sizeof r, .workers = 1 };
	mag_addr addr;

	memset(large, 'x', sizeof large);
	mag_event_init(&world.ready);
	mag_event_init(&world.gate);
	mag_event_init(&world.gone);
	cr_assert_eq(mag_http_server_create(&o, &world.server), 0);
	add_routes(guarded);
	mag_addr_parse(&addr, "127.0.0.1:0");
	mag_http_server_listen(world.server, &addr);
	if (mag_runtime_create(&r, &world.rt) == MAG_EBACKEND)
		cr_skip_test("%s", mag_runtime_why());
	mag_future_init(&world.done);
	cr_assert_eq(mag_spawn_from(world.rt, &world.done, mag_http_serve, .server = world.server), 0);
	while (!mag_event_is_set(&world.ready))
		sched_yield();
}

static void stop(void)
{
	int64_t rc;

	mag_http_server_stop(world.server);
	cr_assert_eq(mag_future_wait(&world.done, &rc, MAG_NEVER), 0);
	cr_assert_eq(rc, 0);
	mag_future_fini(&world.done);
	cr_assert_eq(mag_runtime_destroy(world.rt, mag_deadline_in(30 * MAG_SECOND)), 0);
	mag_http_server_destroy(world.server);
}

/* All that comes, up to the end. Returns: whether it ends in order */
static bool hear(int fd)
{
	size_t n = 0;
	ssize_t got;

	do {
		got = recv(fd, heard + n, HEARD - n, 0);
		n += got > 0 ? (size_t)got : 0;
	} while (got > 0 && n < HEARD);
	cr_assert(got >= 0 || errno == ECONNRESET, "a client waits for ever: %s", strerror(errno));
	heard[n] = '\0';
	return got == 0;
}

static bool ask(const char *requests)
{
	int fd = client_call(world.port);
	bool rc;

	cr_assert_geq(fd, 0);
	client_ask(fd, requests);
	rc = hear(fd);
	close(fd);
	return rc;
}

static int count(const char *what)
{
	int n = 0;

	for (const char *s = heard; (s = strstr(s, what)); s += strlen(what))
		n++;
	return n;
}

/* Tried: a limit for what is gathered that holds in the middle of an answer, too. */
Test(serve_answers, many_large_ones_that_come_together_all_arrive, .timeout = 30)
{
	char requests[2000] = "";

	start(false);
	for (int i = 0; i < 30; i++)
		strcat(requests, HEAD("GET /large") "\r\n");
	strcat(requests, HEAD("GET /hello") LAST);
	cr_assert(ask(requests));
	cr_assert_eq(count("HTTP/1.1 200 OK\r\n"), 31);
	cr_assert_eq(count("Content-Length: 20000\r\n"), 30);
	stop();
}

/* Tried: answers that are kept while the next request's handler waits. */
Test(serve_answers, one_that_is_made_does_not_wait_for_the_next_handler, .timeout = 30)
{
	int fd;

	start(false);
	fd = client_call(world.port);
	client_ask(fd, HEAD("GET /hello") "\r\n" HEAD("GET /gated") LAST);
	cr_assert(client_hears(fd, "HTTP/1.1 200 OK\r\n"));
	mag_event_set(&world.gate);
	cr_assert(hear(fd));
	cr_assert(strstr(heard, "hello") && strstr(heard, "gated"));
	close(fd);
	stop();
}

/* Tried: a chain to the handler that goes on where the first call of it has ended. */
Test(serve_answers, middleware_that_tries_again_does_not_pass_by_another, .timeout = 30)
{
	start(true);
	cr_assert(ask(HEAD("GET /hello") LAST));
	cr_assert(strncmp(heard, "HTTP/1.1 403 ", 13) == 0, "%s", heard);
	stop();
}

/* Tried: the method of the request before. */
Test(serve_answers, what_is_malformed_behind_a_head_request_gets_its_text, .timeout = 30)
{
	start(false);
	cr_assert(ask(HEAD("HEAD /hello") "\r\nGET nonsense\r\n\r\n"));
	cr_assert(strstr(heard, "\r\n\r\n400 Bad Request\n"), "%s", heard);
	stop();
}

Test(serve_answers, one_of_no_bytes_is_one, .timeout = 30)
{
	start(false);
	cr_assert(ask(HEAD("GET /nothing") LAST));
	cr_assert(strstr(heard, "Content-Length: 0\r\n"), "%s", heard);
	stop();
}

/* Tried: any field whose name begins like that of a coding; one in capitals that is not seen; a strong tag for two
 * representations. */
Test(serve_answers, fields_of_the_handler_and_compression_agree, .timeout = 30)
{
	start(false);
	cr_assert(ask(HEAD("GET /policy") GZIP LAST));
	cr_assert(strstr(heard, "Content-Encoding: gzip\r\n") && strstr(heard, "Content-Security-Policy: \"v1\"\r\n"));
	cr_assert(ask(HEAD("GET /coded") GZIP LAST));
	cr_assert(!strstr(heard, "gzip") && strstr(heard, "Content-Length: 20000\r\n"));
	cr_assert(ask(HEAD("GET /tagged") GZIP LAST));
	cr_assert(strstr(heard, "Content-Encoding: gzip\r\n") && strstr(heard, "etag: W/\"v1\"\r\n"), "%.400s", heard);
	cr_assert(ask(HEAD("GET /tagged") LAST));
	cr_assert(strstr(heard, "etag: \"v1\"\r\n"), "%.400s", heard);
	stop();
}

/* Tried: answers that are taken back with the one that cannot end. */
Test(serve_answers, those_before_one_that_cannot_end_arrive, .timeout = 30)
{
	start(false);
	cr_assert(ask(HEAD("GET /hello") "\r\n" HEAD("GET /large") "\r\n" HEAD("GET /short") "\r\n" HEAD("GET /hello")
			      LAST));
	cr_assert_eq(count("HTTP/1.1 200 OK\r\n"), 2);
	cr_assert(!ask(HEAD("GET /short") LAST));
	stop();
}

static bool is_told(const char *request, const char *status)
{
	cr_assert(ask(request));
	return strncmp(heard + 9, status, 3) == 0;
}

/* Tried: 304 for a method that does not read; a date that counts for it; only the first line of a list. */
Test(serve_answers, conditions_mean_what_the_method_makes_of_them, .timeout = 30)
{
	char request[300], *tag, *end;
	int fd;

	strcpy(world.file, "/tmp/magpie_answers_XXXXXX");
	fd = mkstemp(world.file);
	cr_assert(fd >= 0 && write(fd, "hello", 5) == 5 && close(fd) == 0);
	start(false);
	cr_assert(is_told(HEAD("GET /file") "If-None-Match: *\r\n" LAST, "304"));
	cr_assert(is_told(HEAD("PUT /file") "If-None-Match: *\r\n" LAST, "412"));
	cr_assert(is_told(HEAD("GET /file") "If-Modified-Since: Fri, 01 Jan 2099 00:00:00 GMT\r\n" LAST, "304"));
	cr_assert(is_told(HEAD("PUT /file") "If-Modified-Since: Fri, 01 Jan 2099 00:00:00 GMT\r\n" LAST, "200"));
	tag = strstr(heard, "ETag: ");
	end = tag ? strstr(tag, "\r\n") : NULL;
	cr_assert(end);
	snprintf(request, sizeof request, HEAD("GET /file") "If-Match: \"x\"\r\nIf-Match: %.*s\r\n" LAST,
		 (int)(end - tag) - 6, tag + 6);
	cr_assert(is_told(request, "200"));
	cr_assert(is_told(HEAD("GET /file") "If-Match: \"x\"\r\n" LAST, "412"));
	stop();
	unlink(world.file);
}

/* Tried: all that came together answered in one go. */
Test(serve_answers, who_sends_many_at_once_lets_others_in_between, .timeout = 30)
{
	enum { MANY = 40 };
	char requests[2000] = "";
	uint32_t before = MANY;
	int fd;

	start(false);
	for (int i = 0; i < MANY; i++)
		strcat(requests, i < MANY - 1 ? HEAD("GET /work") "\r\n" : HEAD("GET /work") LAST);
	for (int tries = 0; tries < 20 && before == MANY; tries++) { /* on a busy machine we may come late */
		magi_store_rlx(&world.worked, 0u); /* [stat] */
		fd = client_call(world.port);
		client_ask(fd, requests);
		while (!magi_load_rlx(&world.worked)) /* [stat] */
			sched_yield();
		cr_assert(ask(HEAD("GET /beside") LAST));
		cr_assert(hear(fd));
		cr_assert_eq(count("worked"), MANY);
		close(fd);
		before = magi_load_rlx(&world.worked_before); /* [stat] */
	}
	cr_assert_lt(before, MANY);
	stop();
}

/* Tried: no bytes at all, which is no gzip. */
Test(serve_answers, nothing_is_compressed_as_such, .timeout = 30)
{
	start(false);
	cr_assert(ask(HEAD("GET /begun") GZIP LAST));
	cr_assert(strstr(heard, "Content-Encoding: gzip\r\n") && strstr(heard, "\r\n\r\n000014\r\n\x1f\x8b"), "%s",
		  heard);
	cr_assert(ask(HEAD("GET /begun") LAST));
	cr_assert(strstr(heard, "\r\n\r\n0\r\n\r\n"), "%s", heard);
	stop();
}

/* Tried: one of any length, for which all others on the worker wait. */
Test(serve_answers, one_that_would_take_long_to_compress_is_sent_as_it_is, .timeout = 30)
{
	start(false);
	cr_assert(ask(HEAD("GET /huge") GZIP LAST));
	cr_assert(strstr(heard, "Content-Length: 3145728\r\n") && !strstr(heard, "gzip"));
	stop();
}

/* Tried: an answer whose last write was cut short by the handler's deadline, and that ends as if it were whole. */
Test(serve_answers, one_that_is_cut_short_does_not_look_whole, .timeout = 30)
{
	bool in_order;
	size_t n;
	int fd;

	start(false);
	fd = client_call(world.port);
	client_ask(fd, HEAD("GET /careless") LAST);
	while (!mag_event_is_set(&world.gone))
		sched_yield();
	do {
		in_order = hear(fd);
		n = strlen(heard);
	} while (n == HEARD);
	cr_assert(!in_order && (n < 5 || strcmp(heard + n - 5, "0\r\n\r\n") != 0));
	close(fd);
	stop();
}

/* Tried: fields of every answer that the name makes up. */
Test(serve_answers, the_name_of_the_server_is_one_line)
{
	const mag_http_server_options o = { .size = sizeof o, .name = "a\r\nX: y" };

	cr_assert_eq(mag_http_server_create(&o, &world.server), -EINVAL);
}

/* Tried: the path of a client's socket as it is. */
Test(serve_answers, a_peer_with_a_line_end_in_its_name_makes_no_line_of_the_log)
{
	const mag_http_access access = { .peer = &world.peer, .method = "GET", .version = 11, .status = 200 };
	char line[400];
	size_t n;

	cr_assert_eq(mag_addr_parse(&world.peer, "unix:/tmp/a\nb"), 0);
	n = mag_http_access_format(&access, line, sizeof line);
	cr_assert(n > 0 && memchr(line, '\n', n) == line + n - 1, "%.*s", (int)n, line);
}
