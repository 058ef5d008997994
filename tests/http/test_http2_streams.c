/* SPDX-License-Identifier: MIT */
/* test_http2_streams.c - requests of HTTP/2 and their answers, in the simulator: bodies under flow control, what a reset
 * cancels, a server that is told to stop. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "http2_peer.h"

#define WANT(p, i, status_is, text_is)                                                                              \
	do {                                                                                                        \
		const struct peer_answer *a_ = &(p)->answers[i];                                                    \
		if (a_->status != (status_is) || !a_->ended || strcmp(a_->text, (text_is)))                         \
			mag_sim_fail("stream %d: %d '%s', error %u", a_->id, a_->status, a_->text, a_->error);      \
	} while (0)

/* Several at once. */

static void ask_some(struct peer *p)
{
	static const char *const host[] = { "host", "A", "cookie", "x=1", "b", "2", "cookie", "y=2", NULL };

	peer_get(p, "/hello");
	peer_get(p, "/wait/30");
	peer_ask(p, "HEAD", "/hello", NULL, 0);
	peer_ask(p, "PUT", "/told", host, 0);
	peer_ask(p, "POST", "/echo", NULL, 100000);
	peer_get(p, "/none");
	peer_get(p, "/large");
	peer_ask(p, "POST", "/hello", NULL, 100000);
}

static void judge_some(struct peer *p)
{
	WANT(p, 0, 200, "hello");
	WANT(p, 1, 200, "waited");
	WANT(p, 2, 200, "");
	WANT(p, 3, 200, "PUT 20\nhost: a\ncookie: x=1; y=2\nb: 2\n");
	WANT(p, 5, 404, "404 Not Found\n");
	WANT(p, 7, 405, "405 Method Not Allowed\n");
	mag_sim_assert(p->answers[4].ended && p->answers[4].length == 100000 && p->answers[4].status == 200);
	mag_sim_assert(p->answers[6].ended && p->answers[6].length == 200000 && p->answers[6].text[9] == 'b');
	if (!strstr(p->answers[3].fields, "x-seen: Yes\n") || strstr(p->answers[4].fields, "transfer-encoding"))
		mag_sim_fail("fields: '%s', '%s'", p->answers[3].fields, p->answers[4].fields);
	mag_sim_assert(p->log_version == 20 && p->logged == 8 && p->metrics.requests == 8);
	mag_sim_assert(p->metrics.sent > 300000 && p->metrics.received > 200000);
}

/* Tried: the text of a body's chunks told as body; an end of stream before what is held is sent. */
Test(http2_streams, each_is_answered, .timeout = 60)
{
	peer_play(&(struct play){ .begin = ask_some, .judge = judge_some, .most_ms = 5000 });
}

/* What comes before the end. */

static void ask_early(struct peer *p)
{
	static const char *const expect[] = { "expect", "100-continue", NULL };

	peer_get(p, "/events");
	peer_ask(p, "POST", "/gate", expect, 100);
	mag_event_set(&p->handlers.gate);
	peer_ask(p, "POST", "/hello", expect, 100);
}

static bool until_late(struct peer *p)
{
	if (p->ms > 350 && p->ms < 450) {
		mag_sim_assert(strcmp(p->answers[0].text, "data: 1\n\n") == 0 && !p->answers[0].ended);
		p->did = true;
	}
	return !peer_all_closed(p);
}

static void judge_early(struct peer *p)
{
	WANT(p, 0, 200, "data: 1\n\n:\n\n");
	WANT(p, 1, 200, "100");
	mag_sim_assert(p->did && p->answers[1].continued);
	mag_sim_assert(!p->answers[2].continued && p->answers[2].status == 405);
}

/* Tried: 100 as the end of the heads. */
Test(http2_streams, pieces_come_when_they_are_written, .timeout = 60)
{
	peer_play(&(struct play){ .begin = ask_early, .turn = until_late, .judge = judge_early, .most_ms = 5000 });
}

/* Flow control. */

static void ask_gate(struct peer *p)
{
	peer_ask(p, "POST", "/gate", NULL, 300000);
	peer_get(p, "/hello");
}

static bool until_gate(struct peer *p)
{
	if (p->ms > 1000 && !mag_event_is_set(&p->handlers.gate)) {
		mag_sim_assert(p->answers[0].sent == 65535 && p->answers[1].ended);
		mag_event_set(&p->handlers.gate);
	}
	return !p->answers[0].closed;
}

static void judge_gate(struct peer *p)
{
	WANT(p, 0, 200, "300000");
	WANT(p, 1, 200, "hello");
}

/* Tried: windows that nghttp2 opens by itself. */
Test(http2_streams, a_window_stays_closed_while_the_handler_does_not_read, .timeout = 60)
{
	peer_play(&(struct play){ .begin = ask_gate, .turn = until_gate, .judge = judge_gate, .most_ms = 8000 });
}

static void ask_five(struct peer *p)
{
	for (int i = 0; i < 5; i++)
		peer_ask(p, "POST", "/gate", NULL, 65535);
}

/* Four have filled the connection's window; their bodies go with their streams, and the fifth one's comes. */
static bool until_five(struct peer *p)
{
	if (p->ms < 1000)
		return true;
	if (!p->did) {
		p->did = true;
		mag_sim_assert(p->answers[4].sent < 65535);
		for (int i = 0; i < 4; i++)
			nghttp2_submit_rst_stream(p->session, 0, p->answers[i].id, NGHTTP2_CANCEL);
		return true;
	}
	if (p->answers[4].sent < 65535)
		return true;
	mag_event_set(&p->handlers.gate);
	return !p->answers[4].closed;
}

static void judge_five(struct peer *p)
{
	WANT(p, 4, 200, "65535");
}

/* Tried: what nobody has read of a stream that is gone is never given back to the connection's window. */
Test(http2_streams, what_a_stream_has_not_read_is_given_back_when_it_ends, .timeout = 60)
{
	peer_play(&(struct play){ .begin = ask_five, .turn = until_five, .judge = judge_five, .most_ms = 8000 });
}

static void ask_large(struct peer *p)
{
	peer_get(p, "/large");
	peer_get(p, "/hello");
}

/* The client takes 1000 bytes a second, then all. */
static bool until_taken(struct peer *p)
{
	struct peer_answer *a = &p->answers[0];

	if (p->ms > 3000 && a->sent < a->length) { /* `sent`: what is consumed */
		nghttp2_session_consume(p->session, a->id, a->length - a->sent);
		a->sent = a->length;
	} else {
		mag_sim_assert(p->ms > 3000 || a->length <= 65535);
	}
	return !a->closed;
}

static void judge_taken(struct peer *p)
{
	mag_sim_assert(p->answers[0].ended && p->answers[0].length == 200000);
	mag_sim_assert(p->answers[1].length == 0 || p->answers[1].ended);
}

Test(http2_streams, an_answer_waits_for_its_clients_window, .timeout = 60)
{
	peer_play(&(struct play){ .begin = ask_large, .turn = until_taken, .judge = judge_taken, .deaf = true, .most_ms = 20000 });
}

/* Resets. */

static void ask_wait(struct peer *p)
{
	peer_get(p, "/wait/1000000");
	peer_ask(p, "POST", "/gate", NULL, PEER_NO_END);
	mag_event_set(&p->handlers.gate);
}

static bool until_reset(struct peer *p)
{
	if (p->ms >= 500 && !p->answers[2].id) {
		nghttp2_submit_rst_stream(p->session, 0, p->answers[0].id, NGHTTP2_CANCEL);
		nghttp2_submit_rst_stream(p->session, 0, p->answers[1].id, NGHTTP2_CANCEL);
		peer_get(p, "/hello");
	}
	return !p->answers[2].closed;
}

static void judge_reset(struct peer *p)
{
	WANT(p, 2, 200, "hello");
	if (p->handlers.cancelled != 1 || p->handlers.cancelled_ms > 2000)
		mag_sim_fail("%u cancelled after %u ms", p->handlers.cancelled, p->handlers.cancelled_ms);
	mag_sim_assert(p->handlers.read_error == -ECONNRESET);
}

/* Tried: a stream that is reset and whose handler is not told. */
Test(http2_streams, a_reset_cancels_the_handler_and_nobody_else, .timeout = 60)
{
	peer_play(&(struct play){ .begin = ask_wait, .turn = until_reset, .judge = judge_reset, .most_ms = 4000 });
}

static bool for_a_while(struct peer *p)
{
	return p->ms < 500;
}

static void judge_gone(struct peer *p)
{
	if (p->handlers.cancelled != 1 || p->handlers.cancelled_ms > 2000)
		mag_sim_fail("%u cancelled after %u ms", p->handlers.cancelled, p->handlers.cancelled_ms);
}

/* Tried: streams that go on when their connection has ended. */
Test(http2_streams, the_end_of_the_connection_cancels_all_handlers, .timeout = 60)
{
	peer_play(&(struct play){ .begin = ask_wait, .turn = for_a_while, .judge = judge_gone, .most_ms = 4000 });
	peer_play(&(struct play){ .begin = ask_wait, .turn = for_a_while, .judge = judge_gone, .rude = true, .most_ms = 4000 });
}

/* An answer that is cut short. */

static void ask_cut(struct peer *p)
{
	peer_get(p, "/large?cut=1");
	peer_get(p, "/wait/100");
}

static void judge_cut(struct peer *p)
{
	mag_sim_assert(!p->answers[0].ended && p->answers[0].error == NGHTTP2_INTERNAL_ERROR);
	WANT(p, 1, 200, "waited");
}

Test(http2_streams, half_an_answer_does_not_look_whole, .timeout = 60)
{
	peer_play(&(struct play){ .begin = ask_cut, .judge = judge_cut, .most_ms = 5000 });
}

/* The server stops. */

static void ask_stop(struct peer *p)
{
	peer_get(p, "/wait/300");
	peer_ask(p, "POST", "/gate", NULL, 100000);
}

static bool until_stopped(struct peer *p)
{
	if (p->ms > 400)
		mag_event_set(&p->handlers.gate);
	return true; /* until the server hangs up */
}

static void judge_stopped(struct peer *p)
{
	WANT(p, 0, 200, "waited");
	WANT(p, 1, 200, "100000");
	mag_sim_assert(p->hung_up && p->goaway && p->goaway_error == NGHTTP2_NO_ERROR);
	mag_sim_assert(p->last_stream == p->answers[1].id && p->handlers.cancelled == 0);
}

/* Tried: a connection that ends when the server stops, whatever it does. */
Test(http2_streams, a_server_that_stops_answers_what_has_begun, .timeout = 60)
{
	peer_play(&(struct play){ .begin = ask_stop, .turn = until_stopped, .judge = judge_stopped, .stop_ms = 200, .most_ms = 4500 });
}

static void ask_ages(struct peer *p)
{
	peer_get(p, "/wait/1000000");
}

static void judge_ages(struct peer *p)
{
	mag_sim_assert(p->hung_up && p->goaway && p->handlers.cancelled == 1);
	mag_sim_assert(p->ms >= 5000 && p->ms < 9000);
}

Test(http2_streams, a_server_that_stops_waits_for_drain_ns_and_no_longer, .timeout = 60)
{
	peer_play(&(struct play){ .begin = ask_ages, .turn = until_stopped, .judge = judge_ages, .stop_ms = 200 });
}

static void ask_nothing(struct peer *p)
{
	(void)p;
}

static void judge_nothing(struct peer *p)
{
	mag_sim_assert(p->hung_up && p->goaway && p->ms < 2500);
}

Test(http2_streams, a_server_that_stops_closes_idle_connections, .timeout = 60)
{
	peer_play(&(struct play){ .begin = ask_nothing, .turn = until_stopped, .judge = judge_nothing, .stop_ms = 200 });
}
