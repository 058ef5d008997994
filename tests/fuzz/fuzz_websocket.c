/* SPDX-License-Identifier: MIT */
/* fuzz_websocket.c - any bytes as frames, for either role, in one piece, cut anywhere, and with messages in pieces: the same
 * messages, the same pongs, the same close; and that which a decoder says that reads RFC 6455 once, from the left to the right.
 * The first byte: the role, the limit; the second: where the cuts are. */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "websocket/frames.h"

enum { TOLD = 20000, INPUT = 4096 };

/* What was told, up to the end. */
struct told {
	char text[TOLD];
	size_t n;
	unsigned char message[INPUT];
	size_t len;
};

static void say(struct told *t, const char *what, unsigned detail, const void *data, size_t len)
{
	const unsigned char *p = data;
	uint64_t sum = 0;

	for (size_t i = 0; i < len; i++)
		sum = sum * 31 + p[i] + 1;
	t->n += (size_t)snprintf(t->text + t->n, TOLD - t->n, "%s %u %zu:%llx\n", what, detail, len,
				 (unsigned long long)sum);
	if (t->n >= TOLD)
		abort();
}

static void hear(mag_websocket *ws, struct told *t, const mag_websocket_message *m)
{
	if (m->first != !t->len && !ws->o.fragments)
		abort();
	if (m->len > ws->o.message_max && !ws->o.fragments)
		abort();
	if (t->len + m->len > INPUT)
		abort();
	if (m->len)
		memcpy(t->message + t->len, m->data, m->len);
	t->len += m->len;
	if (!m->last)
		return;
	say(t, "message", m->type, t->message, t->len);
	t->len = 0;
}

/* One piece, in memory of its own. false: it is over. */
static bool feed(mag_websocket *ws, struct told *t, const uint8_t *data, size_t len)
{
	mag_websocket_message m;
	int rc;

	ws->in.data = malloc(len);
	ws->in.room = ws->in.end = len;
	memcpy(ws->in.data, data, len);
	do {
		rc = magi_websocket_parse(ws, &m);
		if (rc == 1)
			hear(ws, t, &m);
		if (ws->message.end > ws->o.message_max && !ws->o.fragments)
			abort();
		if (ws->due.opcode == WSLAY_PONG) {
			say(t, "pong", 0, ws->due.data, ws->due.len);
			ws->due.opcode = 0;
		}
	} while (rc >= 0 && !ws->over && !ws->failed);
	free(ws->in.data);
	memset(&ws->in, 0, sizeof ws->in);
	if (rc == -EAGAIN)
		return true;
	if (ws->due.opcode != WSLAY_CONNECTION_CLOSE || ws->due.len != (ws->code == 1005 ? 0 : 2) ||
	    (ws->due.len && (ws->due.data[0] << 8 | ws->due.data[1]) != ws->code)) /* what the other end is told */
		abort();
	say(t, ws->over ? "closed" : "failed", ws->code, ws->reason, ws->reason_len);
	return false;
}

static void tell(struct told *t, const mag_websocket_options *o, const uint8_t *s, size_t n, uint32_t cuts)
{
	static mag_websocket ws;
	uint32_t random = cuts;
	bool on = true;

	t->n = t->len = 0;
	t->text[0] = 0;
	if (mag_websocket_init(&ws, &mag_websocket_over_fd, NULL, o) < 0)
		abort();
	for (size_t at = 0, take; at < n && on; at += take) {
		take = cuts ? 1 + (random = random * 1664525 + 1013904223) % 97 % (1 + cuts % 31) : n;
		take = take < n - at ? take : n - at;
		on = feed(&ws, t, s + at, take);
	}
	mag_websocket_fini(&ws);
}

/* How many bytes of this are characters; those of one that is not yet whole, too, unless nothing makes it one. */
static size_t utf8(const unsigned char *p, size_t n, bool *whole)
{
	size_t at = 0;

	*whole = true;
	while (at < n) {
		unsigned c = p[at], follow = c < 0x80                ? 0
					     : c >= 0xc2 && c < 0xe0 ? 1
					     : c >= 0xe0 && c < 0xf0 ? 2
					     : c >= 0xf0 && c < 0xf5 ? 3
								     : 9;
		uint32_t low = c & (0x3fu >> follow), high;

		if (follow == 9)
			return at;
		if (c < 0x80) {
			at++;
			continue;
		}
		for (unsigned i = 1; i <= follow; i++) {
			if (at + i == n) { /* with any bytes to follow: is there a character? */
				high = low;
				for (; i <= follow; i++) {
					low <<= 6;
					high = high << 6 | 0x3f;
				}
				*whole = false;
				return high < (follow == 2   ? 0x800u
					       : follow == 3 ? 0x10000u
							     : 0x80u) ||
						       low > 0x10ffff || (low >= 0xd800 && high <= 0xdfff)
					       ? at
					       : n;
			}
			if ((p[at + i] & 0xc0) != 0x80)
				return at;
			low = low << 6 | (p[at + i] & 0x3f);
		}
		if (low < (follow == 2   ? 0x800u
			   : follow == 3 ? 0x10000u
					 : 0x80u) ||
		    low > 0x10ffff || (low >= 0xd800 && low <= 0xdfff))
			return at;
		at += follow + 1;
	}
	return n;
}

static bool text_is_good(const unsigned char *p, size_t n, bool ends)
{
	bool whole;

	return utf8(p, n, &whole) == n && (whole || !ends);
}

/* A frame's header and what of its payload is there. */
struct frame {
	unsigned first, opcode;
	bool fin, masked;
	uint64_t len;
	size_t header, here;
	unsigned char payload[INPUT];
};

/* 1; 0: more must come; -1: badly made. */
static int read_header(struct frame *f, const uint8_t *s, size_t n)
{
	unsigned more;

	if (n < 2)
		return 0;
	f->first = s[0];
	f->opcode = s[0] & 15;
	f->fin = s[0] & 0x80;
	f->masked = s[1] & 0x80;
	f->len = s[1] & 127;
	if (f->opcode & 8 && (!f->fin || f->len > 125))
		return -1;
	more = f->len == 127 ? 8 : f->len == 126 ? 2 : 0;
	if (n < 2 + more)
		return 0;
	if (more)
		f->len = 0;
	for (unsigned i = 0; i < more; i++)
		f->len = f->len << 8 | s[2 + i];
	if ((more == 2 && f->len < 126) || (more == 8 && (f->len < 65536 || f->len >> 63)))
		return -1;
	f->header = 2 + more + (f->masked ? 4 : 0);
	if (n < f->header || (n == f->header && f->len)) /* a fault is told with the first byte behind the header */
		return 0;
	f->here = n - f->header < f->len ? n - f->header : (size_t)f->len;
	for (size_t i = 0; i < f->here; i++)
		f->payload[i] = s[f->header + i] ^ (f->masked ? s[f->header - 4 + i % 4] : 0);
	return 1;
}

static unsigned close_fault(const struct frame *f)
{
	unsigned code = f->here >= 2 ? (unsigned)f->payload[0] << 8 | f->payload[1] : 1000;

	if (f->here == 1 || code < 1000 || code > 4999 || (code > 1003 && code < 1007) || (code > 1014 && code < 3000))
		return 1002;
	return f->here > 2 && !text_is_good(f->payload + 2, f->here - 2, true) ? 1007 : 0;
}

/* A control frame that is whole. true: it goes on. */
static bool control(struct told *t, const struct frame *f)
{
	unsigned fault;

	if (f->opcode == 9)
		say(t, "pong", 0, f->payload, f->here);
	if (f->opcode != 8)
		return true;
	fault = close_fault(f);
	if (fault)
		say(t, "failed", fault, "", 0);
	else
		say(t, "closed", f->here ? (unsigned)f->payload[0] << 8 | f->payload[1] : 1005, f->payload + 2,
		    f->here ? f->here - 2 : 0);
	return false;
}

static void read_once(struct told *t, const mag_websocket_options *o, const uint8_t *s, size_t n)
{
	static struct frame f;
	unsigned type = 0, fault = 0;
	int rc;

	t->n = t->len = 0;
	t->text[0] = 0;
	for (size_t at = 0; (rc = read_header(&f, s + at, n - at)); at += f.header + f.here) {
		bool data = !(f.opcode & 8);

		if (rc < 0 || f.first & 0x70 || f.masked != (o->role == MAG_WEBSOCKET_SERVER) || (f.opcode & 7) > 2 ||
		    (data && !f.opcode == !type))
			fault = 1002;
		else if (data && !o->fragments && f.len > o->message_max - t->len)
			fault = 1009;
		if (fault)
			break;
		if (!data) {
			if (f.here < f.len || !control(t, &f))
				return;
			continue;
		}
		type = f.opcode ? f.opcode : type;
		memcpy(t->message + t->len, f.payload, f.here);
		t->len += f.here;
		fault = type == 1 && !text_is_good(t->message, t->len, f.fin && f.here == f.len) ? 1007 : 0;
		if (fault || f.here < f.len)
			break;
		if (f.fin) {
			say(t, "message", type, t->message, t->len);
			type = 0;
			t->len = 0;
		}
	}
	if (fault)
		say(t, "failed", fault, "", 0);
}

static void compare(const struct told *got, const struct told *want, const char *who)
{
	if (!strcmp(got->text, want->text))
		return;
	fprintf(stderr, "%s\ngot:\n%swant:\n%s", who, got->text, want->text);
	abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct told whole, cut, once;
	mag_websocket_options o = { .size = sizeof o };

	if (size < 2 || size > INPUT)
		return 0;
	o.role = data[0] & 1 ? MAG_WEBSOCKET_CLIENT : MAG_WEBSOCKET_SERVER;
	o.message_max = 1u << (data[0] >> 1 & 15);
	tell(&whole, &o, data + 2, size - 2, 0);
	tell(&cut, &o, data + 2, size - 2, data[1] | 1u);
	compare(&cut, &whole, "the same, cut");
	read_once(&once, &o, data + 2, size - 2);
	compare(&whole, &once, "the reference");
	o.fragments = true;
	tell(&whole, &o, data + 2, size - 2, 0);
	tell(&cut, &o, data + 2, size - 2, data[1] | 1u);
	compare(&cut, &whole, "in pieces, cut");
	read_once(&once, &o, data + 2, size - 2);
	compare(&whole, &once, "in pieces, the reference");
	return 0;
}
