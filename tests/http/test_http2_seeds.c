/* SPDX-License-Identifier: MIT */
/* test_http2_seeds.c - a client of HTTP/2 that asks, resets, reads or does not, and goes, at random, seed after seed, on a
 * server that is stopped at some time.
 *
 * Always:  an answer that ends is the right one, whole; the server ends when it is told to, and nothing is left. */
#include <criterion/criterion.h>
#include <string.h>

#include "http2_peer.h"
#include "simulated/seeds.h"

static uint64_t state; /* of a run, which is one thread's */

static uint32_t draw(uint32_t n)
{
	state = state * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(state >> 33) % n;
}

static const struct {
	const char *method, *path;
	int status;
	uint32_t length; /* of the answer; 0: of the text */
	const char *text;
} kinds[] = {
	{ "GET", "/hello", 200, 0, "hello" },
	{ "GET", "/wait/5", 200, 0, "waited" },
	{ "GET", "/wait/100000", 0, 0, "" },
	{ "GET", "/large", 200, 200000, "" },
	{ "GET", "/large?cut=1", 0, 0, "" },
	{ "GET", "/none", 404, 0, "404 Not Found\n" },
	{ "POST", "/gate", 200, 0, "30000" },
	{ "POST", "/echo", 200, 30000, "" },
	{ "POST", "/hello", 405, 0, "405 Method Not Allowed\n" },
};

static uint8_t asked[PEER_STREAMS];

static void ask(struct peer *p)
{
	uint32_t kind = draw(sizeof kinds / sizeof kinds[0]);
	struct peer_answer *a;

	for (a = p->answers; a < p->answers + PEER_STREAMS && a->id; a++)
		;
	if (a == p->answers + PEER_STREAMS || nghttp2_session_check_request_allowed(p->session) == 0)
		return;
	asked[a - p->answers] = (uint8_t)kind;
	peer_ask(p, kinds[kind].method, kinds[kind].path, NULL, *kinds[kind].method == 'P' ? 30000 : 0);
}

static void act(struct peer *p)
{
	struct peer_answer *a = &p->answers[draw(PEER_STREAMS)];

	switch (draw(8)) {
	case 0:
		if (a->id && !a->closed)
			nghttp2_submit_rst_stream(p->session, 0, a->id, NGHTTP2_CANCEL);
		break;
	case 1:
		mag_event_set(&p->handlers.gate);
		break;
	case 2:
		nghttp2_submit_ping(p->session, 0, NULL);
		break;
	case 3:
		if (a->id && !a->closed && a->length > a->sent && p->play->deaf)
			nghttp2_session_consume(p->session, a->id, 1);
		break;
	default:
		ask(p);
	}
}

static void begin(struct peer *p)
{
	for (uint32_t i = draw(6); i > 0; i--)
		ask(p);
}

static bool turn(struct peer *p)
{
	for (uint32_t i = draw(4); i > 0; i--)
		act(p);
	return draw(40) && p->ms < 30000;
}

static void judge(struct peer *p)
{
	for (int i = 0; i < PEER_STREAMS && p->answers[i].id; i++) {
		const struct peer_answer *a = &p->answers[i];
		uint32_t length = kinds[asked[i]].length ? kinds[asked[i]].length : (uint32_t)strlen(kinds[asked[i]].text);
		bool too_late = a->status == 503; /* its time to stop was over */

		if (a->ended && !too_late && (a->status != kinds[asked[i]].status || a->length != length ||
					      (!kinds[asked[i]].length && strcmp(a->text, kinds[asked[i]].text))))
			mag_sim_fail("%s: %d, %u bytes, '%s'", kinds[asked[i]].path, a->status, a->length, a->text);
	}
	mag_sim_assert(p->handlers.running == 0);
}

static int64_t run(uint64_t seed)
{
	const mag_sim_options o = { .size = sizeof o, .faults = MAG_SIM_MILD | MAG_SIM_RESET | MAG_SIM_SLOW };
	struct play play = { .begin = begin, .turn = turn, .judge = judge };

	state = seed * 2 + 1;
	play.rude = draw(2);
	play.deaf = draw(3) == 0;
	play.streams = draw(2) ? 0 : 1 + draw(5);
	play.stop_ms = draw(2) ? 0 : 1 + draw(300);
	return peer_run(seed, &o, &play);
}

Test(http2_seeds, an_answer_that_ends_is_the_right_one, .timeout = 300)
{
	run_all("http2", run);
}
