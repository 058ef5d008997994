/* SPDX-License-Identifier: MIT */
/* test_serve_time.c - clients of the server that take their time, in the simulator's: each gets the time that it has, and no
 * more; and a server that is told to stop while handlers run.
 *
 * A client is a script: what it says, when, and what it must have heard at the end. */
#include <criterion/criterion.h>
#include <errno.h>
#include <magpie/event.h>
#include <magpie/magpie.h>
#include <magpie/sim.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "serve_app.h"
#include "support/heap.h"

enum { HEARD = 800000, PLAIN_MAX = 60000, EARLY = 20 /* ms: the server's clock is coarse */ };

struct script {
	const char *first;  /* said at once */
	const char *piece;  /* then again and again: NULL: nothing */
	uint32_t times;     /* so often */
	uint32_t pause_ms;  /* before each */
	const char *before; /* what must have been heard by then */
	uint32_t deaf_ms;   /* before it begins to hear; its window is small */
	uint32_t least_ms, most_ms; /* when the connection ends, after its first byte */
	const char *heard;  /* must be in what it heard; NULL: anything */
	bool no_more;       /* nothing else may come after */
	bool slow;          /* it is counted as too slow */
	uint32_t stop_ms;   /* the server is told to stop then; 0: not before the client has gone */
	bool cancelled;     /* who serves is cancelled instead */
	uint32_t stopped_ms; /* and it has by then; 0: whenever */
	bool compress;
	void (*look)(const char *heard, size_t n);
};

struct town {
	mag_http_server *server;
	mag_event ready;
	mag_scope scope; /* around the server */
	mag_addr addr;
	uint64_t begun, over; /* the first connection, the server's end */
};

static void ready(void *ctx, const mag_addr *at)
{
	(void)at;
	mag_event_set(&((struct town *)ctx)->ready);
}

struct server {
	mag_frame frame;
	MAG_ARGS(server, struct town *town;);
	int64_t rc, why;
};

MAG_TASK(server)
{
	MAG_BEGIN(server);
	MAG_WITH_TIMEOUT(&self->town->scope, MAG_NEVER);
	MAG_CALL(self->rc, mag_http_serve, .server = self->town->server);
	MAG_SCOPE_END(self->why, &self->town->scope);
	mag_sim_assert(self->rc == 0);
	self->town->over = mag_now();
	MAG_RETURN(0);
	MAG_END;
}

/* Says its piece again and again, beside hearing. */
struct talker {
	mag_frame frame;
	MAG_ARGS(talker, const struct script *script; mag_fd fd; const char *heard;);
	uint32_t i;
	int64_t rc;
};

MAG_TASK(talker)
{
	MAG_BEGIN(talker);
	for (self->i = 0; self->i < self->script->times; self->i++) {
		MAG_AWAIT(self->rc, mag_sleep, self->script->pause_ms * MAG_MILLISECOND);
		if (self->script->before)
			mag_sim_assert(strstr(self->heard, self->script->before));
		MAG_AWAIT(self->rc, mag_send_all, self->fd, self->script->piece, strlen(self->script->piece));
		if (self->rc < 0)
			break;
	}
	MAG_RETURN(0);
	MAG_END;
}

struct stopper {
	mag_frame frame;
	MAG_ARGS(stopper, struct town *town; uint32_t ms; bool cancels;);
	int64_t rc;
};

MAG_TASK(stopper)
{
	MAG_BEGIN(stopper);
	MAG_AWAIT(self->rc, mag_sleep, self->ms * MAG_MILLISECOND);
	if (self->cancels)
		mag_scope_cancel(&self->town->scope);
	else
		mag_http_server_stop(self->town->server);
	MAG_RETURN(0);
	MAG_END;
}

struct client {
	mag_frame frame;
	MAG_ARGS(client, struct town *town; const struct script *script;);
	mag_group group;
	mag_fd fd;
	char *heard;
	size_t n;
	uint64_t since;
	int64_t rc, waste;
};

static void judge(struct client *self)
{
	const struct script *s = self->script;
	uint32_t took = (uint32_t)((mag_now() - self->since) / MAG_MILLISECOND);

	self->heard[self->n] = '\0';
	if (took + EARLY < s->least_ms || took > s->most_ms)
		mag_sim_fail("'%.60s' takes %u ms, not %u to %u", s->first, took, s->least_ms, s->most_ms);
	if (s->heard && !strstr(self->heard, s->heard))
		mag_sim_fail("'%.60s' hears '%.300s'", s->first, self->heard);
	if (s->look)
		s->look(self->heard, self->n);
}

MAG_TASK(client)
{
	MAG_BEGIN(client);
	self->heard = calloc(1, HEARD + 1);
	self->n = 0;
	MAG_CALL(self->rc, mag_tcp_connect, .addr = &self->town->addr, .fd = &self->fd);
	mag_sim_assert(self->rc == 0);
	self->since = self->town->begun = mag_now();
	MAG_GROUP_BEGIN(&self->group, .policy = MAG_COLLECT);
	MAG_AWAIT(self->rc, mag_send_all, self->fd, self->script->first, strlen(self->script->first));
	MAG_SPAWN(self->rc, &self->group, talker, .script = self->script, .fd = self->fd,
		  .heard = self->heard);
	if (self->script->deaf_ms)
		MAG_AWAIT(self->rc, mag_sleep, self->script->deaf_ms * MAG_MILLISECOND);
	do {
		MAG_AWAIT(self->rc, mag_recv, self->fd, self->heard + self->n, HEARD - self->n);
		self->n += self->rc > 0 ? (size_t)self->rc : 0;
	} while (self->rc > 0 && self->n < HEARD);
	judge(self);
	mag_group_cancel(&self->group);
	MAG_GROUP_END(self->waste, &self->group);
	mag_group_clear(&self->group);
	MAG_AWAIT(self->waste, mag_close, self->fd);
	free(self->heard);
	MAG_RETURN(0);
	MAG_END;
}

struct run {
	mag_frame frame;
	MAG_ARGS(run, const struct script *script;);
	struct town town;
	mag_group group;
	mag_http_metrics metrics;
	int64_t rc;
};

static void build(struct run *self)
{
	const mag_http_server_options o = { .size = sizeof o, .ready = ready, .ctx = &self->town,
					    .compress = self->script->compress };

	mag_event_init(&self->town.ready);
	mag_addr_parse(&self->town.addr, "127.0.0.1:8080");
	mag_sim_assert(mag_http_server_create(&o, &self->town.server) == 0);
	mag_sim_assert(app_routes(self->town.server, false) == 0);
	mag_http_server_listen(self->town.server, &self->town.addr);
}

MAG_TASK(run)
{
	MAG_BEGIN(run);
	build(self);
	MAG_GROUP_BEGIN(&self->group);
	MAG_SPAWN(self->rc, &self->group, server, .town = &self->town);
	MAG_AWAIT(self->rc, mag_event_wait, &self->town.ready);
	if (self->script->stop_ms)
		MAG_SPAWN(self->rc, &self->group, stopper, .town = &self->town, .ms = self->script->stop_ms,
			  .cancels = self->script->cancelled);
	MAG_CALL(self->rc, client, .town = &self->town, .script = self->script);
	mag_http_server_stop(self->town.server);
	MAG_GROUP_END(self->rc, &self->group);
	if (self->script->stopped_ms && self->town.over > self->town.begun + self->script->stopped_ms * MAG_MILLISECOND)
		mag_sim_fail("'%.60s': the server ends after %d ms", self->script->first,
			     (int)((self->town.over - self->town.begun) / MAG_MILLISECOND));
	self->metrics = (mag_http_metrics){ .size = sizeof self->metrics };
	mag_http_server_metrics(self->town.server, &self->metrics);
	if ((self->metrics.timeouts > 0) != self->script->slow)
		mag_sim_fail("'%.60s': %d timeouts", self->script->first, (int)self->metrics.timeouts);
	mag_http_server_destroy(self->town.server);
	mag_sim_assert_quiescent();
	MAG_RETURN(0);
	MAG_END;
}

static void play_all(const struct script *scripts, size_t n)
{
	heap_keep();
	for (size_t i = 0; i < n; i++) {
		for (uint64_t seed = 1; seed <= 20; seed++) {
			const mag_sim_options o = { .size = sizeof o, .faults = seed % 2 ? MAG_SIM_NONE : MAG_SIM_MILD };

			cr_assert_geq(mag_sim_run_into(&(mag_sim_result){ 0 }, seed, &o, run, .script = &scripts[i]), 0, "%zu",
				      i);
		}
	}
}

#define PLAY(scripts) play_all(scripts, sizeof(scripts) / sizeof((scripts)[0]))
#define HEAD(line) line " HTTP/1.1\r\nHost: a\r\n"
#define LAST "Connection: close\r\n\r\n"
#define LATE 1200 /* ms: how far behind a deadline may be noticed, and what the simulation's faults add */

/* Behind a body of zeros. */
static void hears_hello(const char *heard, size_t n)
{
	mag_sim_assert(n > 66505 && memcmp(heard + n - 5, "hello", 5) == 0);
}

/* Tried: a head whose pieces each get its time; a silent client that stays; a body at any rate; a wait for the body without
 * an end; a client that takes nothing and is waited for. */
Test(serve_time, each_client_has_its_time_and_no_more, .timeout = 60)
{
	static const struct script scripts[] = {
		{ .first = "", .least_ms = 60000, .most_ms = 60000 + LATE },
		{ .first = HEAD("GET /hello") "\r\n", .least_ms = 60000, .most_ms = 60000 + LATE, .heard = "hello" },
		{ .first = "GET /", .piece = "a", .times = 100, .pause_ms = 500, .least_ms = 10000, .most_ms = 14000,
		  .heard = "HTTP/1.1 408", .slow = true },
		{ .first = HEAD("POST /sum") "Content-Length: 1000\r\n\r\n", .piece = "a", .times = 100, .pause_ms = 500,
		  .least_ms = 10000, .most_ms = 14000, .heard = "HTTP/1.1 408", .slow = true },
		{ .first = HEAD("POST /hello") "Content-Length: 1000\r\n\r\n", .piece = "a", .times = 100, .pause_ms = 500,
		  .least_ms = 10000, .most_ms = 14000, .heard = "HTTP/1.1 408", .slow = true },
		{ .first = HEAD("GET /users/1") "Content-Length: 1000\r\n\r\n", .piece = "a", .times = 100, .pause_ms = 500,
		  .least_ms = 10000, .most_ms = 14000, .heard = "HTTP/1.1 200", .slow = true },
		{ .first = HEAD("POST /sum") "Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nX: ", .piece = "a",
		  .times = 100, .pause_ms = 500, .least_ms = 10000, .most_ms = 14000, .heard = "HTTP/1.1 408", .slow = true },
		{ .first = HEAD("POST /sum") "Transfer-Encoding: chunked\r\n\r\n", .piece = "1;x\r\na\r\n",
		  .times = 100, .pause_ms = 500, .least_ms = 10000, .most_ms = 14000, .heard = "HTTP/1.1 408", .slow = true },
		{ .first = HEAD("POST /hello") "Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nX: ", .piece = "a",
		  .times = 100, .pause_ms = 500, .least_ms = 10000, .most_ms = 14000, .heard = "HTTP/1.1 408", .slow = true },
		{ .first = HEAD("GET /slow") "Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nX: ", .piece = "a",
		  .times = 100, .pause_ms = 500, .least_ms = 10000, .most_ms = 14000, .heard = "HTTP/1.1 200", .slow = true },
		{ .first = HEAD("GET /hello") "\r\nGET /", .piece = "a",
		  .times = 100, .pause_ms = 500, .least_ms = 10000, .most_ms = 14000, .heard = "HTTP/1.1 408", .slow = true },
	};

	PLAY(scripts);
}

static void hears_all(const char *heard, size_t n)
{
	(void)heard;
	mag_sim_assert(n > 66500);
}

static void looks_cut(const char *heard, size_t n)
{
	mag_sim_assert(n < HEARD && !strstr(heard, "\r\n0\r\n\r\n"));
}

Test(serve_time, who_takes_nothing_is_cut_off, .timeout = 60)
{
	static const struct script scripts[] = {
		{ .first = HEAD("GET /flood") LAST, .deaf_ms = 100000, .least_ms = 100000, .most_ms = 100000 + LATE, .slow = true,
		  .look = looks_cut },
		/* it cannot say more before it has heard */
		{ .first = HEAD("GET /much") "\r\nGET /hel", .piece = "lo HTTP/1.1\r\nHost: a\r\n" LAST, .times = 1, .pause_ms = 13000,
		  .deaf_ms = 12000, .least_ms = 13000, .most_ms = 13000 + LATE, .look = hears_hello },
		{ .first = HEAD("GET /stream") LAST, .deaf_ms = 20000, .least_ms = 20000, .most_ms = 20000 + LATE,
		  .heard = "\r\n0\r\n\r\n" },
	};

	PLAY(scripts);
}

/* Tried: handlers that the stop cancels at once; handlers that it waits for without an end; a connection that hears of a
 * cancellation before the server has noted when it came, and has no time then. */
Test(serve_time, a_stop_lets_handlers_finish_for_a_time, .timeout = 60)
{
	static const struct script scripts[] = {
		{ .first = HEAD("GET /slow") LAST, .least_ms = 1, .most_ms = LATE, .heard = "slow", .stop_ms = 1 },
		{ .first = HEAD("GET /ages") LAST, .least_ms = 6000, .most_ms = 6000 + LATE, .heard = "HTTP/1.1 503",
		  .stop_ms = 1000 },
		{ .first = HEAD("POST /sum") "Content-Length: 4\r\n\r\nab", .piece = "cd", .times = 1, .pause_ms = 2000,
		  .least_ms = 2000, .most_ms = 2000 + LATE, .heard = "close\r\n\r\nabcd", .stop_ms = 1000 },
		{ .first = HEAD("GET /hello") "\r\n", .least_ms = 1000, .most_ms = 1000 + LATE, .heard = "hello",
		  .stop_ms = 1000 },
		{ .first = HEAD("GET /much") LAST, .deaf_ms = 20000, .least_ms = 20000, .most_ms = 20000 + LATE, .look = hears_all,
		  .stop_ms = 16500, .cancelled = true },
		/* what a handler says late has what is left of the time: it hears of the end when it begins to hear */
		{ .first = HEAD("GET /tardy") LAST, .deaf_ms = 20000, .least_ms = 20000, .most_ms = 20000 + LATE, .stop_ms = 1000,
		  .slow = true, .stopped_ms = 6500 + LATE },
	};

	PLAY(scripts);
}

/* Tried: a body that is not asked for, or not before what was answered earlier has gone. */
Test(serve_time, a_body_is_asked_for_when_it_is_wanted, .timeout = 60)
{
	static const struct script scripts[] = {
		{ .first = HEAD("GET /hello") "\r\n" HEAD("POST /sum") "Expect: 100-continue\r\nContent-Length: 2\r\n" LAST,
		  .piece = "ab", .times = 1, .pause_ms = 1000, .before = "helloHTTP/1.1 100 Continue\r\n\r\n", .least_ms = 1000, .most_ms = 1000 + LATE,
		  .heard = "helloHTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK" },
		{ .first = HEAD("POST /hello") "Expect: 100-continue\r\nContent-Length: 2\r\n\r\n", .least_ms = 0,
		  .most_ms = 3000, .heard = "HTTP/1.1 405" },
	};

	PLAY(scripts);
}

/* What gzip has in its chunks. */
static void looks_zipped(const char *heard, size_t n)
{
	static char packed[PLAIN_MAX], plain[PLAIN_MAX];
	const char *s = strstr(heard, "\r\n\r\n");
	z_stream z = { .next_in = (Bytef *)packed, .next_out = (Bytef *)plain, .avail_out = sizeof plain };
	size_t chunk;

	mag_sim_assert(s && strstr(heard, "Content-Encoding: gzip\r\n") && n < APP_LARGE / 2);
	for (s += 4; (chunk = strtoul(s, NULL, 16)) > 0; s += chunk + 10) {
		memcpy(packed + z.avail_in, s + 8, chunk);
		z.avail_in += (uInt)chunk;
	}
	mag_sim_assert(inflateInit2(&z, 15 + 16) == Z_OK && inflate(&z, Z_FINISH) == Z_STREAM_END);
	mag_sim_assert(z.total_out == APP_LARGE && plain[0] == 'a' && plain[APP_LARGE - 1] == 'a');
	inflateEnd(&z);
}

Test(serve_time, a_stream_is_compressed_where_that_is_liked, .timeout = 60)
{
	static const struct script scripts[] = {
		{ .first = HEAD("GET /text") "Accept-Encoding: br, gzip;q=0.5\r\n" LAST, .most_ms = LATE, .compress = true,
		  .look = looks_zipped },
		{ .first = HEAD("GET /text") LAST, .most_ms = LATE, .compress = true, .heard = "Vary: Accept-Encoding\r\n" },
	};

	PLAY(scripts);
}

#define X50 "0123456789012345678901234567890123456789012345678"
#define X500 X50 X50 X50 X50 X50 X50 X50 X50 X50 X50
#define LONG "A: " X500 X500 "\r\nB: " X500 X500 "\r\nC: " X500 "\r\n"

/* Tried: a head that moves while its handler has it; chunks that are received into it. */
Test(serve_time, a_long_head_stays_while_its_body_comes, .timeout = 60)
{
	static const struct script scripts[] = {
		{ .first = HEAD("POST /which") LONG "Which: me\r\nTransfer-Encoding: chunked\r\n" LAST "2\r\nab\r\n",
		  .piece = "3\r\ncde\r\n0\r\n\r\n", .times = 1, .pause_ms = 100, .least_ms = 100, .most_ms = 100 + LATE,
		  .heard = "\r\n\r\nme 5" },
		{ .first = HEAD("POST /which") LONG, .piece = "Which: me\r\nContent-Length: 3\r\n" LAST "abc", .times = 1,
		  .pause_ms = 100, .least_ms = 100, .most_ms = 100 + LATE, .heard = "\r\n\r\nme 3" },
	};

	PLAY(scripts);
}

/* Tried: no room for chunks behind a head that nearly fills what it was received into. */
Test(serve_time, heads_of_each_length_leave_room_for_chunks, .timeout = 60)
{
	for (int pad = 1400; pad < 1700; pad += 3) {
		char head[2000];
		const struct script one = { .first = head, .piece = "3\r\ncde\r\n0\r\n\r\n", .times = 1, .pause_ms = 100,
					    .least_ms = 100, .most_ms = 100 + LATE, .heard = "\r\n\r\nme 5" };

		snprintf(head, sizeof head, HEAD("POST /which") "Which: me\r\nA: %0*d\r\nTransfer-Encoding: chunked\r\n" LAST
			 "2\r\nab\r\n", pad, 0);
		play_all(&one, 1);
	}
}
