/* SPDX-License-Identifier: MIT */
/* test_http2_limits.c - clients of HTTP/2 that ask for too much, or take their time, in the simulator's. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "http2_peer.h"

#define LATE 1500 /* ms: how far behind a deadline may be noticed, and what the simulation's faults add */

enum flood { FLOOD_PING, FLOOD_SETTINGS, FLOOD_DATA, FLOOD_WINDOW, FLOOD_PRIORITY, FLOODS };

static enum flood flood_now;

/* Who is still sending may not hear why. */
static void want_calm(struct peer *p)
{
	if (!p->hung_up || (p->goaway && p->goaway_error != NGHTTP2_ENHANCE_YOUR_CALM) || p->ms > 20000)
		mag_sim_fail("flood %d: hung up %d, goaway %d, error %u, after %u ms", flood_now, p->hung_up, p->goaway, p->goaway_error,
			     p->ms);
}

/* Heads. */

static void ask_heads(struct peer *p)
{
	static char long_value[30000], long_path[20000];
	static const char *const big[] = { "x", long_value, NULL };
	static const char *const other[] = { "host", "b", NULL };
	static const char *const coding[] = { "transfer-encoding", "chunked", NULL };
	static const char *const length[] = { "content-length", "5", NULL };

	memset(long_value, 'a', sizeof long_value - 1);
	memset(long_path, '/', sizeof long_path - 1);
	peer_ask(p, "GET", "/hello", big, 0);
	peer_get(p, long_path);
	peer_ask(p, "GET", "/hello", other, 0);
	peer_ask(p, "GET", "/hello", coding, 0);
	peer_ask(p, "POST", "/gate", length, 6);
	peer_ask(p, "NONE", "/hello", NULL, 0);
	peer_get(p, "/hello HTTP/1.1");
	peer_get(p, "/hello\r\nx: y");
	peer_ask(p, "GET", "hello", NULL, 0);
	peer_get(p, "/hello");
}

static void judge_heads(struct peer *p)
{
	static const int want[] = { 431, 414, 400, 0, 0, 501, 0, 0, 0, 200 };

	for (int i = 0; i < 10; i++)
		if (p->answers[i].status != want[i] || !p->answers[i].closed)
			mag_sim_fail("request %d: %d, error %u", i, p->answers[i].status, p->answers[i].error);
	mag_sim_assert(!p->goaway);
}

/* Tried: a text of a request that is cut without a trace; a host that is another's. */
Test(http2_limits, heads_are_judged_as_those_of_HTTP_1, .timeout = 60)
{
	peer_play(&(struct play){ .begin = ask_heads, .judge = judge_heads, .most_ms = 30000 });
}

/* Frames that cost the client less than the server. */

static void ask_fifty(struct peer *p)
{
	memset(p->answers, 0, sizeof p->answers);
	for (int i = 0; i < 50; i++)
		peer_get(p, "/wait/1000");
}

/* A request and its reset must not meet before they are sent. */
static bool until_resets(struct peer *p)
{
	if (p->goaway)
		return p->ms < 50000;
	if (p->answers[0].id)
		for (int i = 0; i < 50; i++)
			nghttp2_submit_rst_stream(p->session, 0, p->answers[i].id, NGHTTP2_CANCEL);
	ask_fifty(p);
	return true;
}

static void judge_resets(struct peer *p)
{
	want_calm(p);
	mag_sim_assert(p->handlers.most <= 200 && p->handlers.running == 0);
}

/* Tried: resets that nobody counts. */
Test(http2_limits, resets_in_quick_succession_end_the_connection, .timeout = 60)
{
	peer_play(&(struct play){ .begin = ask_fifty, .turn = until_resets, .judge = judge_resets });
}

static char floods[FLOODS][40000];
static size_t flood_len[FLOODS];

static void put_flood(enum flood kind, const char *frame, size_t n)
{
	for (flood_len[kind] = 0; flood_len[kind] + n < sizeof floods[kind]; flood_len[kind] += n)
		memcpy(floods[kind] + flood_len[kind], frame, n);
}

#define FLOOD(kind, frame) put_flood(kind, frame, sizeof(frame) - 1)

static void make_floods(void)
{
	FLOOD(FLOOD_PING, "\0\0\10\6\0\0\0\0\0" "12345678");
	FLOOD(FLOOD_SETTINGS, "\0\0\0\4\0\0\0\0\0");
	FLOOD(FLOOD_DATA, "\0\0\0\0\0\0\0\0\1");
	FLOOD(FLOOD_WINDOW, "\0\0\4\10\0\0\0\0\0" "\0\0\0\1");
	FLOOD(FLOOD_PRIORITY, "\0\0\5\2\0\0\0\0\1" "\0\0\0\0\1");
}

static void begin_flood(struct peer *p)
{
	peer_ask(p, "POST", "/gate", NULL, PEER_NO_END);
}

static bool until_flooded(struct peer *p)
{
	if (!p->did && p->answers[0].sent) {
		p->did = true;
		p->say = floods[flood_now];
		p->say_len = flood_len[flood_now];
	}
	return p->ms < 50000;
}

/* Tried: one of the kinds not counted. */
Test(http2_limits, frames_that_carry_nothing_end_the_connection, .timeout = 60)
{
	make_floods();
	for (flood_now = 0; flood_now < FLOODS; flood_now++)
		peer_play(&(struct play){ .begin = begin_flood, .turn = until_flooded, .judge = want_calm });
}

/* A head of which no end comes, in frames that go on; and one of many fields that are small. */

static char endless[400000];
static size_t endless_len;

static void put_endless(const char *frame, size_t n)
{
	memcpy(endless + endless_len, frame, n);
	endless_len += n;
}

static void begin_endless(struct peer *p)
{
	(void)p;
}

static bool until_endless(struct peer *p)
{
	if (!p->did && p->ms > 50) {
		p->did = true;
		p->say = endless;
		p->say_len = endless_len;
	}
	return p->ms < 50000;
}

static void judge_endless(struct peer *p)
{
	mag_sim_assert(p->hung_up && p->ms < 10000);
}

/* Tried: fields that are not counted once the text is full. */
Test(http2_limits, a_head_without_end_ends_the_connection, .timeout = 60)
{
	static char fields[9 + 10000] = "\0\x27\x10\1\0\0\0\0\1\x82\x86\x84";

	endless_len = 0;
	put_endless("\0\0\1\1\0\0\0\0\1\x82", 10);
	while (endless_len + 10 < 5000)
		put_endless("\0\0\1\11\0\0\0\0\1\x86", 10);
	peer_play(&(struct play){ .begin = begin_endless, .turn = until_endless, .judge = judge_endless });
	/* ten thousand times the field of index 58, user-agent, by one byte each */
	memset(fields + 12, 0xba, sizeof fields - 12);
	endless_len = 0;
	put_endless(fields, sizeof fields);
	peer_play(&(struct play){ .begin = begin_endless, .turn = until_endless, .judge = judge_endless });
}

/* Streams that are refused, each with a frame that nobody takes: said before the limit is known to the client. */
static void say_at_once(struct peer *p)
{
	p->did = true;
	p->say = endless;
	p->say_len = endless_len;
}

static void judge_refusals(struct peer *p)
{
	mag_sim_assert(p->hung_up && p->ms < 20000 && p->metrics.sent < 150000);
}

/* Tried: frames that wait to be sent, without a limit. */
Test(http2_limits, a_client_that_only_speaks_is_not_listened_to_for_ever, .timeout = 60)
{
	char head[] = "\0\0\6\1\5\0\0\0\0\x82\x86\x84\x41\1a";

	endless_len = 0;
	for (uint32_t id = 1; endless_len + sizeof head <= sizeof endless; id += 2) {
		head[6] = (char)(id >> 16);
		head[7] = (char)(id >> 8);
		head[8] = (char)id;
		put_endless(head, sizeof head - 1);
	}
	peer_play(&(struct play){ .begin = say_at_once, .turn = until_endless, .judge = judge_refusals });
}

/* Time. */

static void ask_once(struct peer *p)
{
	peer_get(p, "/hello");
}

static bool and_ping(struct peer *p)
{
	if (p->answers[0].closed && p->ms % 10000 < 200)
		nghttp2_submit_ping(p->session, 0, NULL);
	return p->ms < 200000;
}

static void judge_idle(struct peer *p)
{
	mag_sim_assert(p->hung_up && p->goaway && p->goaway_error == NGHTTP2_NO_ERROR);
	mag_sim_assert(p->answers[0].status == 200 && p->ms >= 59000 && p->ms < 60000 + 2 * LATE);
}

/* Tried: pings that keep a connection. */
Test(http2_limits, an_idle_connection_ends, .timeout = 60)
{
	peer_play(&(struct play){ .begin = ask_once, .turn = and_ping, .judge = judge_idle, .turn_ms = 200 });
}

/* A window that never opens, for an answer that is small enough to be kept; a head that stops in the middle. */

static void ask_closed(struct peer *p)
{
	static const nghttp2_settings_entry none = { NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, 0 };

	nghttp2_submit_settings(p->session, NGHTTP2_FLAG_NONE, &none, 1);
	peer_get(p, "/hello");
}

static bool until_the_end(struct peer *p)
{
	return p->ms < 200000;
}

static void judge_closed(struct peer *p)
{
	mag_sim_assert(p->answers[0].status == 200 && !p->answers[0].ended);
	mag_sim_assert(p->hung_up && p->ms >= 59000 && p->ms < 60000 + 3 * LATE);
}

static bool until_half(struct peer *p)
{
	until_endless(p);
	return p->ms < 200000;
}

static void judge_half(struct peer *p)
{
	mag_sim_assert(p->hung_up && p->ms >= 9000 && p->ms < 10000 + 3 * LATE && p->metrics.timeouts == 1);
}

/* Tried: streams without a task as a reason to wait; a head that has the time of an idle connection. */
Test(http2_limits, streams_that_wait_for_their_client_do_not_keep_a_connection, .timeout = 60)
{
	peer_play(&(struct play){ .begin = ask_closed, .turn = until_the_end, .judge = judge_closed, .turn_ms = 200 });
	endless_len = 0;
	put_endless("\0\0\1\1\0\0\0\0\1\x82", 10);
	peer_play(&(struct play){ .begin = begin_endless, .turn = until_half, .judge = judge_half, .turn_ms = 200 });
}

static void ask_slowly(struct peer *p)
{
	peer_ask(p, "POST", "/gate", NULL, PEER_NO_END); /* a body that stays away */
	peer_get(p, "/late/100000");                     /* a handler that takes too long */
	mag_event_set(&p->handlers.gate);
}

static void judge_slow(struct peer *p)
{
	const struct peer_answer *body = &p->answers[0], *late = &p->answers[1];

	if (body->status != 408 || body->at_ms < 9000 || body->at_ms > 10000 + LATE)
		mag_sim_fail("a slow body: %d after %u ms", body->status, body->at_ms);
	if (late->status != 503 || late->at_ms < 59000 || late->at_ms > 60000 + LATE)
		mag_sim_fail("a slow handler: %d after %u ms", late->status, late->at_ms);
	mag_sim_assert(p->metrics.timeouts == 2);
}

Test(http2_limits, bodies_and_handlers_have_their_time, .timeout = 60)
{
	peer_play(&(struct play){ .begin = ask_slowly, .judge = judge_slow, .turn_ms = 200, .most_ms = 65000 });
}

static void ask_deaf(struct peer *p)
{
	peer_get(p, "/large");
}

static void judge_deaf(struct peer *p)
{
	const struct peer_answer *a = &p->answers[0];

	if (a->ended || a->error != NGHTTP2_INTERNAL_ERROR || a->at_ms < 29000 || a->at_ms > 30000 + LATE)
		mag_sim_fail("error %u after %u ms", a->error, a->at_ms);
	mag_sim_assert(p->metrics.timeouts == 1 && !p->goaway);
}

/* Tried: a window that stays closed and is waited for. */
Test(http2_limits, who_does_not_take_an_answer_is_not_waited_for, .timeout = 60)
{
	peer_play(&(struct play){ .begin = ask_deaf, .judge = judge_deaf, .turn_ms = 200, .deaf = true, .most_ms = 35000 });
}

/* Numbers. */

static void ask_first(struct peer *p)
{
	peer_get(p, "/hello");
}

/* By now the client knows how many there may be, and keeps the rest back. */
static bool until_many(struct peer *p)
{
	if (p->answers[0].closed && !p->did) {
		p->did = true;
		for (int i = 0; i < 20; i++)
			peer_get(p, "/wait/20");
	}
	return !p->did || !peer_all_closed(p);
}

static void judge_many(struct peer *p)
{
	for (int i = 0; i < 21; i++)
		if (p->answers[i].status != 200)
			mag_sim_fail("%d: %d, error %u", i, p->answers[i].status, p->answers[i].error);
	mag_sim_assert(p->handlers.most == 3);
}

Test(http2_limits, so_many_handlers_run_at_once, .timeout = 60)
{
	peer_play(&(struct play){ .begin = ask_first, .turn = until_many, .judge = judge_many, .streams = 3, .most_ms = 8000 });
}

/* All at once, before it knows. */
static void ask_many(struct peer *p)
{
	for (int i = 0; i < 20; i++)
		peer_get(p, "/wait/20");
}

static void judge_refused(struct peer *p)
{
	for (int i = 0; i < 20; i++)
		mag_sim_assert(p->answers[i].status == 200 || p->answers[i].error == NGHTTP2_REFUSED_STREAM);
	mag_sim_assert(p->answers[0].status == 200 && p->answers[19].status == 0 && p->handlers.most <= 6);
}

Test(http2_limits, what_is_too_many_is_refused_and_may_come_again, .timeout = 60)
{
	peer_play(&(struct play){ .begin = ask_many, .judge = judge_refused, .streams = 3, .most_ms = 5000 });
}

/* Three at a time, reset as soon as they run; then three more. */
static bool until_stubborn(struct peer *p)
{
	if (p->ms < 500 && peer_all_closed(p)) {
		for (int i = 0; i < 3; i++)
			peer_get(p, "/stubborn");
	} else if (p->ms < 500) {
		for (int i = 0; i < PEER_STREAMS && p->answers[i].id; i++)
			if (!p->answers[i].closed)
				nghttp2_submit_rst_stream(p->session, 0, p->answers[i].id, NGHTTP2_CANCEL);
	}
	return p->ms < 900 && p->answers[PEER_STREAMS - 4].id == 0;
}

static void judge_stubborn(struct peer *p)
{
	if (p->handlers.most != 6 || p->handlers.running)
		mag_sim_fail("%u at once, %u at the end", p->handlers.most, p->handlers.running);
}

/* Tried: handlers of streams that are gone not counted. */
Test(http2_limits, handlers_that_do_not_end_when_they_are_cancelled_count, .timeout = 60)
{
	peer_play(&(struct play){ .begin = ask_first, .turn = until_stubborn, .judge = judge_stubborn, .streams = 3 });
}
