/* SPDX-License-Identifier: MIT */
/* test_http_answer.c - for tools/magpie/load_reader.c: what is an answer, where it ends, and that this never depends on
 * where the pieces end. A byte at a time llhttp reads; in one piece simple heads are read by hand: each is held
 * against the other. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../tools/magpie/load_head.c"
#include "../../tools/magpie/load_reader.c"

/* What comes of a stream that ends. */
struct outcome {
	int rc; /* LOAD_READ_MORE: cut short */
	unsigned status;
	bool keep_alive;
	bool by_hand;
};

/* The stream in pieces that end at a, at b, and at the end; each 1: byte by byte. */
static struct outcome read_pieces(const char *text, size_t len, size_t a, size_t b, bool head)
{
	struct load_reader r;
	size_t at = 0;
	int rc = LOAD_READ_MORE;

	load_reader_init(&r, head);
	while (at < len) {
		size_t to = a == 1 && b == 1 ? at + 1 : at < a ? a : at < b ? b : len;
		char *piece = malloc(to - at); /* so that reading beyond it is seen */

		if (rc == LOAD_READ_DONE) { /* bytes that nobody has asked for */
			free(piece);
			return (struct outcome){ .rc = LOAD_READ_MALFORMED };
		}
		memcpy(piece, text + at, to - at);
		rc = load_reader_feed(&r, piece, to - at);
		free(piece);
		if (rc < 0)
			return (struct outcome){ .rc = rc };
		at = to;
	}
	if (rc == LOAD_READ_MORE) {
		rc = load_reader_end(&r);
		r.keep_alive = false;
	}
	if (rc != LOAD_READ_DONE)
		return (struct outcome){ .rc = rc };
	return (struct outcome){ rc, r.status, r.keep_alive, !r.general };
}

static struct outcome read_whole(const char *text, size_t len, bool head)
{
	return read_pieces(text, len, len, len, head);
}

static bool same(struct outcome a, struct outcome b)
{
	return a.rc == b.rc && a.status == b.status && a.keep_alive == b.keep_alive;
}

static const struct {
	const char *text;
	int rc;
	unsigned status;
	bool keep_alive, by_hand, head;
} cases[] = {
	/* simple ones */
	{ "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", 1, 200, true, true, false },
	{ "HTTP/1.1 200 \r\ncontent-length:0\r\n\r\n", 1, 200, true, true, false },
	{ "HTTP/1.1 404 Not Found\r\nServer: x\r\nContent-Length: 1 \r\nConnection: close\r\n\r\nx", 1, 404, false,
	  true, false },
	{ "HTTP/1.1 200 OK\r\nConnection: Keep-Alive\r\nContent-Length: 1\r\n\r\nx", 1, 200, true, true, false },
	{ "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", 1, 200, true, true, true },
	{ "HTTP/1.1 503 Busy: try later!\r\nContent-Length: 0\r\nX-Empty:\r\n\r\n", 1, 503, true, true, false },
	/* those that llhttp reads */
	{ "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n", 1, 200, true, false, false },
	{ "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;a=b\r\nhi\r\n0\r\nX: y\r\n\r\n", 1, 200, true, false,
	  false },
	{ "HTTP/1.1 200 OK\r\n\r\nuntil the end", 1, 200, false, false, false },
	{ "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nhi", 1, 200, false, false, false },
	{ "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nhi", 1, 200, true, false, false },
	{ "HTTP/1.1 204 No Content\r\n\r\n", 1, 204, true, false, false },
	{ "HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n", 1, 204, true, false, false },
	{ "HTTP/1.1 304 Not Modified\r\nContent-Length: 100\r\n\r\n", 1, 304, true, false, false },
	{ "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", 1, 200, true, false, false },
	{ "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 201 Created\r\n"
	  "Content-Length: 0\r\n\r\n",
	  1, 201, true, false, false },
	{ "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", 1, 200, true, false, true },
	{ "HTTP/1.1 200 OK\r\nConnection: close, x\r\nContent-Length: 1\r\n\r\nx", 1, 200, false, false, false },
	/* cut short */
	{ "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nhi", 0, 0, false, false, false },
	{ "HTTP/1.1 200 OK\r\nContent-Le", 0, 0, false, false, false },
	{ "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n", 0, 0, false, false, false },
	{ "HTTP/1.1 100 Continue\r\n\r\n", 0, 0, false, false, false },
	/* malformed */
	{ "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi!", -1, 0, false, false, false },
	{ "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nhi", -1, 0, false, false, false },
	{ "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", -1, 0, false, false,
	  false },
	{ "HTTP/1.1 200 OK\r\nContent-Length: -2\r\n\r\nhi", -1, 0, false, false, false },
	{ "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\nhi", -1, 0, false, false, false },
	{ "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", -1, 0, false, false, false },
	{ "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nx", -1, 0, false, false, false },
	{ "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n", -1, 0, false, false, false },
	{ "HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\nx", -1, 0, false, false, false },
	{ "HTTP/1.1 200 OK\r\nBad Name: 1\r\nContent-Length: 0\r\n\r\n", -1, 0, false, false, false },
	{ "HTTP/1.1 099 Odd\r\nContent-Length: 0\r\n\r\n", -1, 0, false, false, false },
	{ "SSH-2.0-OpenSSH_9\r\n", -1, 0, false, false, false },
	{ "HTTP/3.0 200 OK\r\nContent-Length: 0\r\n\r\n", -1, 0, false, false, false },
	/* too large */
	{ "HTTP/1.1 200 OK\r\nContent-Length: 1073741825\r\n\r\n", -2, 0, false, false, false },
	{ "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffff\r\n", 0, 0, false, false, false },
};

Test(answer, each_case_has_its_outcome_at_every_split, .timeout = 60)
{
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		const char *text = cases[i].text;
		size_t len = strlen(text);
		struct outcome want = read_whole(text, len, cases[i].head), got;

		cr_assert(want.rc == cases[i].rc && want.status == cases[i].status &&
				  want.keep_alive == cases[i].keep_alive && want.by_hand == cases[i].by_hand,
			  "case %zu: %d %u %d %d: %s", i, want.rc, want.status, want.keep_alive, want.by_hand, text);
		got = read_pieces(text, len, 1, 1, cases[i].head);
		cr_assert(same(got, want), "case %zu, byte by byte: %d %u: %s", i, got.rc, got.status, text);
		for (size_t a = 1; a < len; a++) {
			for (size_t b = a; b < len; b++) {
				got = read_pieces(text, len, a, b, cases[i].head);
				cr_assert(same(got, want), "case %zu, at %zu and %zu: %d %u: %s", i, a, b, got.rc,
					  got.status, text);
			}
		}
	}
}

static uint64_t random_state = 88172645463325252u;

static uint64_t next_random(void)
{
	random_state ^= random_state << 13; /* xorshift64 */
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state;
}

/* Heads that are nearly simple. */
static size_t mutate(char *text, size_t len, size_t room)
{
	static const char *const bits[] = { "\r\n",
					    "\n",
					    " ",
					    ":",
					    "\t",
					    "\r",
					    "0",
					    "9",
					    "close",
					    "Connection: close\r\n",
					    "Content-Length: 3\r\n",
					    "Upgrade: x\r\n",
					    "\x80",
					    "\x7f",
					    ",",
					    "Transfer-Encoding: chunked\r\n",
					    "1",
					    "Proxy-Connection: close\r\n",
					    "" };

	for (uint64_t n = next_random() % 3 + 1; n > 0; n--) {
		size_t at = next_random() % (len + 1), cut = next_random() % 3;
		const char *bit = bits[next_random() % (sizeof bits / sizeof bits[0])];
		size_t more = strlen(bit);

		if (cut > len - at)
			cut = len - at;
		if (len - cut + more > room)
			continue;
		memmove(text + at + more, text + at + cut, len - at - cut);
		memcpy(text + at, bit, more);
		len += more - cut;
	}
	return len;
}

Test(answer, by_hand_and_by_llhttp_it_is_the_same, .timeout = 120)
{
	uint64_t by_hand = 0, done = 0;

	for (int i = 0; i < 150000; i++) {
		const char *base = cases[next_random() % 6].text;
		char text[512];
		size_t len = strlen(base);
		struct outcome whole, bytes;

		memcpy(text, base, len);
		len = mutate(text, len, sizeof text);
		if (len == 0)
			continue;
		whole = read_whole(text, len, false);
		bytes = read_pieces(text, len, 1, 1, false);
		cr_assert(same(whole, bytes), "%d %u %d, byte by byte %d %u %d: %.*s", whole.rc, whole.status,
			  whole.keep_alive, bytes.rc, bytes.status, bytes.keep_alive, (int)len, text);
		by_hand += whole.by_hand;
		done += whole.rc == LOAD_READ_DONE;
	}
	cr_assert(by_hand > 5000 && done > by_hand, "%llu by hand, %llu in all", (unsigned long long)by_hand,
		  (unsigned long long)done);
}

Test(answer, heads_without_an_end_are_too_large, .timeout = 20)
{
	static const char *const lines[] = { "X-Field: 0123456789\r\n", "A:\r\n", "0123456789" };

	for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
		struct load_reader r;
		int rc;

		load_reader_init(&r, false);
		rc = load_reader_feed(&r, "HTTP/1.1 200 OK\r\nX-Long: y", 26);
		if (i < 2 && rc == LOAD_READ_MORE)
			rc = load_reader_feed(&r, "\r\n", 2);
		for (int n = 0; n < 100000 && rc == LOAD_READ_MORE; n++)
			rc = load_reader_feed(&r, lines[i], strlen(lines[i]));
		cr_assert(rc == LOAD_READ_TOO_LARGE && r.bytes < 8 * LOAD_HEAD_MAX, "line %zu: %d", i, rc);
	}
}

Test(answer, a_body_without_an_end_is_too_large, .timeout = 60)
{
	static char piece[1 << 20];
	struct load_reader r;
	int rc;

	load_reader_init(&r, false);
	rc = load_reader_feed(&r, "HTTP/1.1 200 OK\r\n\r\n", 19);
	for (int n = 0; n < 2000 && rc == LOAD_READ_MORE; n++)
		rc = load_reader_feed(&r, piece, sizeof piece);
	cr_assert(rc == LOAD_READ_TOO_LARGE && r.bytes <= LOAD_ANSWER_MAX + sizeof piece);
}

Test(answer, one_after_the_other_on_a_connection, .timeout = 10)
{
	static const char simple[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi";
	static const char chunked[] = "HTTP/1.1 201 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n";
	struct load_reader r;

	load_reader_init(&r, false);
	for (int i = 0; i < 3; i++) {
		cr_assert(load_reader_feed(&r, simple, sizeof simple - 1) == LOAD_READ_DONE && r.status == 200);
		cr_assert(r.bytes == sizeof simple - 1);
		cr_assert(load_reader_feed(&r, chunked, sizeof chunked - 1) == LOAD_READ_DONE && r.status == 201);
		cr_assert(r.bytes == sizeof chunked - 1);
	}
	cr_assert(load_reader_end(&r) == LOAD_READ_MORE);
}

Test(answer, what_is_malformed_is_said_in_words, .timeout = 10)
{
	struct load_reader r;

	load_reader_init(&r, false);
	cr_assert(load_reader_feed(&r, "nonsense", 8) == LOAD_READ_MALFORMED && r.why && strlen(r.why) > 5);
	load_reader_init(&r, false);
	cr_assert(load_reader_feed(&r, cases[0].text, 5) == LOAD_READ_MORE);
	cr_assert(load_reader_feed(&r, "2.9 x\r\n", 7) == LOAD_READ_MALFORMED && r.why);
}
