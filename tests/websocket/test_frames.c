/* SPDX-License-Identifier: MIT */
/* test_frames.c - frames that come in, good ones and bad ones, split at every byte; and the code that each bad one is
 * answered with. */
#include "websocket/memory.h"

#include "websocket/utf8.h"

enum { SAID_MAX = 2000 };

/* Receives all there is; says it as "t:text|b:4|", what it returned at last, and the close that was sent. */
struct heard {
	char said[SAID_MAX];
	int64_t rc;
	unsigned code;     /* that was received, or of the fault */
	int sent_code;     /* in the close that was sent; 0: none in it, -1: no close */
	char pongs[64];    /* payloads of pongs sent, joined by | */
	char why[128], reason[128];
};

struct hearing {
	mag_frame frame;
	MAG_ARGS(hearing, struct memory *memory; mag_websocket_options options; struct heard *heard;);
	mag_websocket ws;
	mag_websocket_message m;
	int64_t rc;
};

static void write_down(struct heard *h, const mag_websocket_message *m)
{
	size_t at = strlen(h->said), room = sizeof(h->said) - at;

	if (m->type == MAG_WEBSOCKET_BINARY || m->len > 100)
		snprintf(h->said + at, room, "%s%zu%s", m->first ? m->type == MAG_WEBSOCKET_BINARY ? "b:" : "t:" : "+", m->len,
			 m->last ? "|" : "");
	else
		snprintf(h->said + at, room, "%s%.*s%s", m->first ? "t:" : "+", (int)m->len, (char *)m->data,
			 m->last ? "|" : "");
}

/* What was sent: frames with a mask if a client's. */
static void read_sent(struct heard *h, const struct bytes *out, bool masked)
{
	h->sent_code = -1;
	for (size_t i = 0; i + 2 <= out->n;) {
		unsigned opcode = out->b[i] & 15, n = out->b[i + 1] & 127, code = 0;
		const unsigned char *key = out->b + i + 2, *p = key + (masked ? 4 : 0);

		cr_assert_eq(!(out->b[i + 1] & 0x80), !masked);
		if (opcode == 10) {
			size_t at = strlen(h->pongs);

			for (unsigned k = 0; k < n; k++)
				h->pongs[at++] = (char)(p[k] ^ (masked ? key[k % 4] : 0));
			h->pongs[at++] = '|';
			h->pongs[at] = 0;
		} else if (opcode == 8) {
			cr_assert_eq(h->sent_code, -1, "a second close");
			cr_assert_leq(n, 2); /* no reason of ours */
			for (unsigned k = 0; k < 2 && k < n; k++)
				code = code << 8 | (unsigned)(p[k] ^ (masked ? key[k] : 0));
			h->sent_code = (int)code;
		}
		i += 2 + (masked ? 4 : 0) + n;
	}
}

static MAG_TASK(hearing)
{
	MAG_BEGIN(hearing);
	if (!self->options.role)
		self->options.role = MAG_WEBSOCKET_SERVER;
	CHECK_EQ(mag_websocket_init(&self->ws, &over_memory, self->memory, &self->options), 0);
	do {
		MAG_AWAIT(self->rc, mag_websocket_recv, &self->ws, &self->m);
		if (self->rc == 1)
			write_down(self->heard, &self->m);
	} while (self->rc > 0);
	self->heard->rc = self->rc;
	MAG_AWAIT(self->rc, mag_websocket_recv, &self->ws, &self->m); /* it stays so */
	CHECK_EQ(self->rc, self->heard->rc);
	self->heard->code = mag_websocket_close_code(&self->ws);
	snprintf(self->heard->why, sizeof(self->heard->why), "%s", mag_websocket_why(&self->ws));
	snprintf(self->heard->reason, sizeof(self->heard->reason), "%s", mag_websocket_close_reason(&self->ws));
	if (self->rc != MAG_EEOF) {
		MAG_AWAIT(self->rc, mag_websocket_send, &self->ws, MAG_WEBSOCKET_TEXT, "x", 1);
		CHECK_EQ(self->rc, -EPIPE);
	}
	mag_websocket_fini(&self->ws);
	MAG_RETURN(0);
	MAG_END;
}

/* The same bytes at every split. */
struct every {
	mag_frame frame;
	MAG_ARGS(every, const struct bytes *in; mag_websocket_options options; const struct heard *want; size_t step;);
	struct memory memory;
	struct heard heard;
	size_t split;
	int64_t rc;
};

static bool as_wanted(const struct heard *h, const struct heard *want)
{
	bool same = h->rc == want->rc && h->sent_code == want->sent_code && strcmp(h->pongs, want->pongs) == 0 &&
		    (!want->code || h->code == want->code) && strcmp(h->reason, want->reason) == 0;

	if (!same || strcmp(h->said, want->said) != 0)
		fprintf(stderr, "got %s %s, close %d, code %u, pongs %s, %s %s\n", h->said, mag_errname(h->rc), h->sent_code, h->code,
			h->pongs, h->why, h->reason);
	return same && strcmp(h->said, want->said) == 0;
}

static MAG_TASK(every)
{
	MAG_BEGIN(every);
	for (self->split = 0; self->split <= self->in->n; self->split += self->step) {
		memset(&self->heard, 0, sizeof(self->heard));
		memset(&self->memory, 0, offsetof(struct memory, out.b));
		self->memory.in = self->in;
		self->memory.split = self->split;
		self->memory.piece = self->split == self->in->n ? 1 : 0;
		MAG_CALL(self->rc, hearing, .memory = &self->memory, .options = self->options, .heard = &self->heard);
		CHECK_EQ(self->rc, 0);
		read_sent(&self->heard, &self->memory.out, self->options.role == MAG_WEBSOCKET_CLIENT);
		CHECK_SAYING(as_wanted(&self->heard, self->want), (int64_t)self->split);
	}
	MAG_RETURN(0);
	MAG_END;
}

static void at_every_split(const struct bytes *in, mag_websocket_options options, struct heard want, const char *name)
{
	mag_runtime_options one = { .size = sizeof(one), .workers = 1 };
	int64_t rc = LEDGER_RUN(&one, every, .in = in, .options = options, .want = &want, .step = in->n > 2000 ? in->n / 50 : 1);

	if (rc == MAG_EBACKEND)
		cr_skip_test("%s", mag_runtime_why());
	cr_assert_eq(rc, 0, "%s: %lld", name, (long long)rc);
}

#define OPTIONS(...) ((mag_websocket_options){ .size = sizeof(mag_websocket_options), __VA_ARGS__ })
#define HEARD(text, result, close, ...) ((struct heard){ .said = (text), .rc = (result), .sent_code = (close), ##__VA_ARGS__ })

static struct bytes in; /* in the test's own process */

Test(websocket_frames, messages_come_as_they_were_sent, .timeout = 60)
{
	static char much[70000];

	memset(much, 'm', sizeof(much));
	in.n = 0;
	add_frame(&in, FIN | 1, MASKED, "Hello", 5);
	add_frame(&in, FIN | 2, MASKED, "\0\1\2\3", 4);
	add_frame(&in, FIN | 1, MASKED, "", 0);
	add_frame(&in, 1, MASKED, "Hel", 3);
	add_frame(&in, FIN | 9, MASKED, "ping", 4);
	add_frame(&in, 0, MASKED, "", 0);
	add_frame(&in, FIN | 10, MASKED, "nobody asked", 12);
	add_frame(&in, FIN | 0, MASKED, "lo", 2);
	add_frame(&in, 1, MASKED, "\xe2\x82", 2);
	add_frame(&in, FIN, MASKED, "\xac", 1);
	add_frame(&in, FIN | 9, MASKED, "", 0);
	add_frame(&in, FIN | 8, MASKED, "\x03\xe8" "bye", 5);
	add_frame(&in, FIN | 1, MASKED, "too late", 8);
	at_every_split(&in, OPTIONS(.ping_ns = MAG_NEVER),
		       HEARD("t:Hello|b:4|t:|t:Hello|t:\xe2\x82\xac|", 0, 1000, .code = 1000, .pongs = "ping||", .reason = "bye"),
		       "small");

	in.n = 0;
	add_frame(&in, FIN | 2, MASKED, much, 125);
	add_frame(&in, FIN | 2, MASKED, much, 126);
	add_frame(&in, FIN | 2, MASKED, much, 300);
	add_frame(&in, FIN | 1, MASKED, much, sizeof(much));
	add_frame(&in, FIN | 8, MASKED, "", 0);
	at_every_split(&in, OPTIONS(.message_max = 70000), HEARD("b:125|b:126|b:300|t:70000|", 0, 0, .code = 1005), "large");
}

Test(websocket_frames, a_server_masks_nothing, .timeout = 60)
{
	in.n = 0;
	add_frame(&in, FIN | 9, PLAIN, "p", 1);
	add_frame(&in, FIN | 1, PLAIN, "Hello", 5);
	add_frame(&in, FIN | 8, PLAIN, "\x0f\xa0", 2);
	at_every_split(&in, OPTIONS(.role = MAG_WEBSOCKET_CLIENT), HEARD("t:Hello|", 0, 4000, .code = 4000, .pongs = "p|"), "client");
	in.n = 0;
	add_frame(&in, FIN | 1, MASKED, "Hello", 5);
	at_every_split(&in, OPTIONS(.role = MAG_WEBSOCKET_CLIENT), HEARD("", -EPROTO, 1002), "masked");
}

/* What a client may not send, and the code it is told. */
static const struct bad {
	const char *name, *payload;
	size_t len;
	unsigned first, how;
	int code;
} bads[] = {
	{ "reserved bit 1", "x", 1, FIN | 0x40 | 1, MASKED, 1002 },
	{ "reserved bit 2", "x", 1, FIN | 0x20 | 1, MASKED, 1002 },
	{ "reserved bit 3", "x", 1, FIN | 0x10 | 1, MASKED, 1002 },
	{ "reserved bit in a ping", "x", 1, FIN | 0x40 | 9, MASKED, 1002 },
	{ "no mask", "x", 1, FIN | 1, PLAIN, 1002 },
	{ "no mask, empty", "", 0, FIN | 1, PLAIN, 1002 },
	{ "ping without a mask", "x", 1, FIN | 9, PLAIN, 1002 },
	{ "opcode 3", "x", 1, FIN | 3, MASKED, 1002 },
	{ "opcode 7", "x", 1, FIN | 7, MASKED, 1002 },
	{ "opcode 11", "x", 1, FIN | 11, MASKED, 1002 },
	{ "opcode 15", "x", 1, FIN | 15, MASKED, 1002 },
	{ "continuation of nothing", "x", 1, FIN | 0, MASKED, 1002 },
	{ "ping in fragments", "x", 1, 9, MASKED, 1002 },
	{ "close in fragments", "", 0, 8, MASKED, 1002 },
	{ "long ping", NULL, 126, FIN | 9, MASKED, 1002 },
	{ "long close", NULL, 126, FIN | 8, MASKED, 1002 },
	{ "length in more bytes than it needs", "xxxxx", 5, FIN | 1, MASKED | LONG, 1002 },
	{ "length in many more", NULL, 300, FIN | 2, MASKED | LONGEST, 1002 },
	{ "close of one byte", "x", 1, FIN | 8, MASKED, 1002 },
	{ "close by 0", "\0\0", 2, FIN | 8, MASKED, 1002 },
	{ "close by 999", "\x03\xe7", 2, FIN | 8, MASKED, 1002 },
	{ "close by 1004", "\x03\xec", 2, FIN | 8, MASKED, 1002 },
	{ "close by 1005", "\x03\xed", 2, FIN | 8, MASKED, 1002 },
	{ "close by 1006", "\x03\xee", 2, FIN | 8, MASKED, 1002 },
	{ "close by 1015", "\x03\xf7", 2, FIN | 8, MASKED, 1002 },
	{ "close by 2000", "\x07\xd0", 2, FIN | 8, MASKED, 1002 },
	{ "close by 2999", "\x0b\xb7", 2, FIN | 8, MASKED, 1002 },
	{ "close by 5000", "\x13\x88", 2, FIN | 8, MASKED, 1002 },
	{ "close by 65535", "\xff\xff", 2, FIN | 8, MASKED, 1002 },
	{ "reason that is no UTF-8", "\x03\xe8\xc3\x28", 4, FIN | 8, MASKED, 1007 },
	{ "reason that ends early", "\x03\xe8\xe2\x82", 4, FIN | 8, MASKED, 1007 },
	{ "text: a lone continuation", "\x80", 1, FIN | 1, MASKED, 1007 },
	{ "text: overlong", "\xc0\xaf", 2, FIN | 1, MASKED, 1007 },
	{ "text: overlong of 3", "\xe0\x80\xaf", 3, FIN | 1, MASKED, 1007 },
	{ "text: surrogate", "\xed\xa0\x80", 3, FIN | 1, MASKED, 1007 },
	{ "text: beyond the last", "\xf4\x90\x80\x80", 4, FIN | 1, MASKED, 1007 },
	{ "text: 0xff", "abc\xff", 4, FIN | 1, MASKED, 1007 },
	{ "text: ends within a character", "\xe2\x82", 2, FIN | 1, MASKED, 1007 },
	{ "longer than the limit", NULL, 501, FIN | 2, MASKED, 1009 },
};

Test(websocket_frames, what_is_wrong_is_answered_by_its_code, .timeout = 60)
{
	static char filler[600];

	memset(filler, 'f', sizeof(filler));
	for (size_t i = 0; i < sizeof(bads) / sizeof(*bads); i++) {
		const struct bad *b = &bads[i];

		in.n = 0;
		add_frame(&in, FIN | 1, MASKED, "good", 4);
		add_frame(&in, b->first, b->how, b->payload ? b->payload : filler, b->len);
		add_frame(&in, FIN | 1, MASKED, "never seen", 10);
		at_every_split(&in, OPTIONS(.message_max = 500),
			       HEARD("t:good|", b->code == 1009 ? -EMSGSIZE : -EPROTO, b->code, .code = (unsigned)b->code), b->name);
	}
}

Test(websocket_frames, what_is_wrong_in_fragments, .timeout = 60)
{
	in.n = 0;
	add_frame(&in, 1, MASKED, "one", 3);
	add_frame(&in, FIN | 1, MASKED, "two", 3);
	at_every_split(&in, OPTIONS(.message_max = 500), HEARD("", -EPROTO, 1002), "begins before the end");
	in.n = 0;
	add_frame(&in, 2, MASKED, "123", 3);
	add_frame(&in, 0, MASKED, "123", 3);
	add_frame(&in, FIN, MASKED, "45", 2);
	at_every_split(&in, OPTIONS(.message_max = 8), HEARD("b:8|", MAG_EEOF, -1, .code = 1006), "as long as the limit");
	at_every_split(&in, OPTIONS(.message_max = 7), HEARD("", -EMSGSIZE, 1009), "one byte more");
	in.n = 0;
	add_frame(&in, 1, MASKED, "\xe2\x82", 2);
	add_frame(&in, 0, MASKED, "x", 1);
	at_every_split(&in, OPTIONS(.message_max = 8), HEARD("", -EPROTO, 1007), "told at once");
	in.n = 0; /* 2^63 bytes */
	add(&in, "\x82\xff\x80\0\0\0\0\0\0\0\1\2\3\4x", 15);
	at_every_split(&in, OPTIONS(.message_max = 8), HEARD("", -EPROTO, 1002), "a length with the highest bit");
	in.n = 0;
	add(&in, "\x82\xff\x7f\xff\xff\xff\xff\xff\xff\xff\1\2\3\4x", 15);
	at_every_split(&in, OPTIONS(.message_max = 8), HEARD("", -EMSGSIZE, 1009), "the longest there is");
}

/* A cut is no end. */
Test(websocket_frames, a_stream_that_just_ends, .timeout = 60)
{
	struct bytes whole = { 0 };

	add_frame(&whole, FIN | 1, MASKED, "Hello", 5);
	for (size_t n = 0; n < whole.n; n++) {
		in.n = 0;
		add(&in, whole.b, n);
		at_every_split(&in, OPTIONS(.message_max = 500), HEARD("", MAG_EEOF, -1, .code = 1006), "cut");
	}
}

/* It has closed first: one close goes out, what still comes is thrown away, pings are answered no more. */
struct closing {
	mag_frame frame;
	MAG_ARGS(closing, struct memory *memory; int64_t want;);
	mag_websocket ws;
	mag_websocket_options o;
	int64_t rc;
};

static MAG_TASK(closing)
{
	MAG_BEGIN(closing);
	self->o = (mag_websocket_options){ .size = sizeof(self->o), .role = MAG_WEBSOCKET_SERVER };
	CHECK_EQ(mag_websocket_init(&self->ws, &over_memory, self->memory, &self->o), 0);
	MAG_AWAIT(self->rc, mag_websocket_close, &self->ws, 1001, NULL);
	CHECK_EQ(self->rc, self->want);
	MAG_AWAIT(self->rc, mag_websocket_close, &self->ws, 1000, NULL);
	CHECK_EQ(self->rc, self->want);
	mag_websocket_fini(&self->ws);
	MAG_RETURN(0);
	MAG_END;
}

static void closes(int64_t want)
{
	static struct memory m;
	mag_runtime_options one = { .size = sizeof(one), .workers = 1 };
	struct heard h = { .said = "" };
	int64_t rc;

	memset(&m, 0, sizeof(m));
	m.in = &in;
	rc = LEDGER_RUN(&one, closing, .memory = &m, .want = want);
	if (rc == MAG_EBACKEND)
		cr_skip_test("%s", mag_runtime_why());
	cr_assert_eq(rc, 0);
	read_sent(&h, &m.out, false);
	cr_assert_eq(h.sent_code, 1001);
}

Test(websocket_frames, a_close_is_said_once, .timeout = 60)
{
	in.n = 0;
	add_frame(&in, FIN | 1, MASKED, "late", 4);
	add_frame(&in, FIN | 8, MASKED, "\x03\xe8", 2);
	closes(0);
	in.n = 0;
	add_frame(&in, FIN | 1, PLAIN, "bad", 3);
	closes(-EPROTO);
	in.n = 0;
	closes(MAG_EEOF);
}

/* Pieces, as they come. */
Test(websocket_frames, fragments_are_given_as_they_come, .timeout = 60)
{
	static char much[5000];
	mag_runtime_options one = { .size = sizeof(one), .workers = 1 };
	static struct memory m;
	struct heard h = { .said = "" };
	int64_t rc;

	memset(much, 'm', sizeof(much));
	in.n = 0;
	add_frame(&in, 1, MASKED, "ab", 2);
	add_frame(&in, FIN | 9, MASKED, "p", 1);
	add_frame(&in, 0, MASKED, "", 0);
	add_frame(&in, FIN, MASKED, "c", 1);
	add_frame(&in, FIN | 1, MASKED, "", 0);
	add_frame(&in, FIN | 2, MASKED, much, sizeof(much));
	m.in = &in;
	m.piece = 512;
	rc = LEDGER_RUN(&one, hearing, .memory = &m, .options = OPTIONS(.fragments = true, .message_max = 1), .heard = &h);
	if (rc == MAG_EBACKEND)
		cr_skip_test("%s", mag_runtime_why());
	cr_assert_eq(rc, 0);
	cr_assert_eq(strncmp(h.said, "t:ab+c|t:|b:", 12), 0, "%s", h.said);
	cr_assert_not_null(strstr(h.said + 12, "+512"), "%s", h.said);
	cr_assert_eq(h.rc, MAG_EEOF);
}

Test(websocket_frames, utf8)
{
	static const struct {
		const char *text;
		bool good;
	} texts[] = {
		{ "", true },
		{ "plain text of more than eight bytes", true },
		{ "eight by\xc3\xa9 eight by", true },
		{ "\xc2\x80\xdf\xbf", true },
		{ "\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbf", true },
		{ "\xf0\x90\x80\x80\xf4\x8f\xbf\xbf", true },
		{ "\xc1\xbf", false },
		{ "\xe0\x9f\xbf", false },
		{ "\xf0\x8f\xbf\xbf", false },
		{ "\xf5\x80\x80\x80", false },
		{ "\xed\xbf\xbf", false },
		{ "\xc3", false },
		{ "\xf0\x90\x80", false },
		{ "\xc3\xc3", false },
		{ "12345678\x80", false },
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		size_t n = strlen(texts[i].text);

		cr_assert_eq(magi_utf8_good(texts[i].text, n), texts[i].good, "%zu", i);
		for (size_t split = 0; split <= n; split++) {
			struct magi_utf8 u = { 0, 0, 0 };
			bool good = magi_utf8_feed(&u, texts[i].text, split) &&
				    magi_utf8_feed(&u, texts[i].text + split, n - split) && magi_utf8_whole(&u);

			cr_assert_eq(good, texts[i].good, "%zu at %zu", i, split);
		}
	}
}
