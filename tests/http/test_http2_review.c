/* SPDX-License-Identifier: MIT */
/* test_http2_review.c - the ends of streams whose request and answer do not end in the usual order, and what HTTP/1.1 would
 * refuse, in the simulator. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "http2_peer.h"
#include "support/heap.h"

/* An answer before its request's end. */

static void ask_early(struct peer *p)
{
	peer_ask(p, "POST", "/early", NULL, 30000);
}

/* The whole stream is closed by then, and the handler has read a part of the body. */
static bool until_early(struct peer *p)
{
	if (p->ms > 1500)
		mag_event_set(&p->handlers.gate);
	return p->ms < 3000;
}

static void judge_early(struct peer *p)
{
	mag_sim_assert(p->answers[0].status == 200 && p->answers[0].ended && p->answers[0].sent == 30000);
	if (p->handlers.early != 30000 || p->handlers.read_error)
		mag_sim_fail("%u bytes, then %lld", p->handlers.early, (long long)p->handlers.read_error);
}

/* Tried: a body that is dropped when its stream is closed, in the middle of a chunk that the handler reads. */
Test(http2_review, a_body_outlives_its_stream, .timeout = 60)
{
	peer_play(&(struct play){ .begin = ask_early, .turn = until_early, .judge = judge_early });
}

static void ask_endless(struct peer *p)
{
	peer_ask(p, "POST", "/early", NULL, PEER_NO_END);
	mag_event_set(&p->handlers.gate);
}

static bool until_let_go(struct peer *p)
{
	if (p->ms > 1000 && !p->did) {
		p->did = true;
		nghttp2_submit_rst_stream(p->session, 0, p->answers[0].id, NGHTTP2_NO_ERROR);
	}
	return p->ms < 6000;
}

static void judge_let_go(struct peer *p)
{
	mag_sim_assert(p->answers[0].status == 200 && p->answers[0].ended && p->handlers.early == 1000);
	if (p->handlers.read_error != -ECONNRESET || p->handlers.early_ms > 3000)
		mag_sim_fail("%lld after %u ms", (long long)p->handlers.read_error, p->handlers.early_ms);
}

/* Tried: a reset that is none if it says that there is no error. */
Test(http2_review, who_is_answered_and_resets_the_rest_is_not_waited_for, .timeout = 60)
{
	peer_play(&(struct play){ .begin = ask_endless, .turn = until_let_go, .judge = judge_let_go });
}

/* Resets that call themselves no error. */

static void ask_fifty(struct peer *p)
{
	memset(p->answers, 0, sizeof p->answers);
	for (int i = 0; i < 50; i++)
		peer_get(p, "/wait/1000");
}

static bool until_resets(struct peer *p)
{
	if (p->goaway)
		return false;
	if (p->answers[0].id)
		for (int i = 0; i < 50; i++)
			nghttp2_submit_rst_stream(p->session, 0, p->answers[i].id, NGHTTP2_NO_ERROR);
	ask_fifty(p);
	return true;
}

/* nghttp2's own limit, where it has one, is 1000. */
static void judge_resets(struct peer *p)
{
	int32_t last = 0;

	for (int i = 0; i < 50; i++)
		last = p->answers[i].id > last ? p->answers[i].id : last;
	if (p->goaway && (p->goaway_error != NGHTTP2_ENHANCE_YOUR_CALM || last > 2 * 900))
		mag_sim_fail("error %u, after %d requests", p->goaway_error, last / 2);
	mag_sim_assert(p->hung_up || p->goaway);
}

/* Tried: only resets with an error are counted. */
Test(http2_review, resets_without_an_error_end_the_connection_too, .timeout = 60)
{
	peer_play(&(struct play){ .begin = ask_fifty, .turn = until_resets, .judge = judge_resets });
}

/* What HTTP/1.1 would refuse. */

static void ask_bad(struct peer *p)
{
	static const char *const bell[] = { "x", "a\ab", NULL };
	static const char *const line[] = { "x", "a\r\ny: b", NULL };
	static const char *const length[] = { "content-length", "1\a", NULL };
	static const char *const name[] = { "a b", "c", NULL };

	peer_ask(p, "GET", "/told", bell, 0);
	peer_ask(p, "GET", "/told", line, 0);
	peer_ask(p, "POST", "/echo", length, 1);
	peer_ask(p, "GET", "/told", name, 0);
	peer_get(p, "/hello");
}

static void judge_bad(struct peer *p)
{
	for (int i = 0; i < 4; i++)
		if (p->answers[i].status || p->answers[i].error != NGHTTP2_PROTOCOL_ERROR)
			mag_sim_fail("request %d: %d, error %u, '%s'", i, p->answers[i].status, p->answers[i].error, p->answers[i].text);
	mag_sim_assert(p->answers[4].status == 200);
}

/* Tried: fields that are left out without a word. */
Test(http2_review, a_field_with_bytes_that_are_none_of_a_field_is_an_error, .timeout = 60)
{
	peer_play(&(struct play){ .begin = ask_bad, .judge = judge_bad });
}

/* Memory that the server's nghttp2 asks for and does not get: once, the nth time. */

static uint32_t asked, refused_at;

static bool is_refused(void)
{
	return ++asked == refused_at;
}

static void *mem_malloc(size_t size, void *user)
{
	(void)user;
	return is_refused() ? NULL : malloc(size);
}

static void *mem_calloc(size_t n, size_t size, void *user)
{
	(void)user;
	return is_refused() ? NULL : calloc(n, size);
}

/* Not refused: where a queue cannot grow nghttp2 1.52 frees a frame twice. */
static void *mem_realloc(void *memory, size_t size, void *user)
{
	(void)user;
	return realloc(memory, size);
}

static void mem_free(void *memory, void *user)
{
	(void)user;
	free(memory);
}

/* The server finds this one before the library's. */
int nghttp2_session_server_new2(nghttp2_session **session, const nghttp2_session_callbacks *callbacks, void *user,
				const nghttp2_option *option)
{
	nghttp2_mem mem = { NULL, mem_malloc, mem_free, mem_calloc, mem_realloc };

	return nghttp2_session_server_new3(session, callbacks, user, option, &mem);
}

static void ask_some(struct peer *p)
{
	peer_get(p, "/hello");
	peer_ask(p, "POST", "/echo", NULL, 3000);
	peer_ask(p, "HEAD", "/hello", NULL, 0);
	peer_get(p, "/wait/30");
	peer_get(p, "/events");
	peer_get(p, "/large?cut=1");
	peer_ask(p, "POST", "/early", NULL, 3000);
	mag_event_set(&p->handlers.gate);
}

static bool until_some(struct peer *p)
{
	if (p->ms > 200 && !p->did) {
		p->did = true;
		peer_get(p, "/hello");
	}
	return p->ms < 3000 && !(p->did && peer_all_closed(p));
}

static void judge_some(struct peer *p)
{
	if (!p->hung_up && !peer_all_closed(p))
		mag_sim_fail("memory %u of %u: a client waits for ever", refused_at, asked);
}

/* Tried: a stream whose answer nghttp2 has not taken, and which is said to be answered. */
Test(http2_review, without_memory_for_nghttp2_a_stream_ends_or_all_do, .timeout = 120)
{
	const mag_sim_options o = { .size = sizeof o, .faults = MAG_SIM_NONE };
	const struct play play = { .begin = ask_some, .turn = until_some, .judge = judge_some, .most_ms = 20000 };

	heap_keep();
	do {
		asked = 0;
		refused_at++;
		cr_assert_geq(peer_run(refused_at, &o, &play), 0, "memory %u", refused_at);
	} while (asked >= refused_at);
	cr_assert_gt(refused_at, 50);
}
