/* SPDX-License-Identifier: MIT */
/* test_http_random.c - random streams, sound and damaged, have the same story however they are cut.
 *
 * The seed is fixed; MAGPIE_HTTP_SEED=n and MAGPIE_HTTP_ROUNDS=n try others. A failure names its seed. */
#include <criterion/criterion.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "story.h"

static uint64_t state;

static size_t below(size_t n)
{
	state = state * 6364136223846793005u + 1442695040888963407u;
	return (size_t)((state >> 33) % n);
}

static const char *const parts[] = {
	"GET / HTTP/1.1\r\n",
	"GET /a/b?c HTTP/1.1\r\n",
	"HEAD /x HTTP/1.0\r\n",
	"POST /p HTTP/1.1\r\n",
	"OPTIONS * HTTP/1.1\r\n",
	"Host: a\r\n",
	"Host: [::1]:80\r\n",
	"Connection: keep-alive\r\n",
	"Connection: close\r\n",
	"Content-Length: 3\r\n",
	"Content-Length: 0\r\n",
	"Transfer-Encoding: chunked\r\n",
	"Transfer-Encoding:\r\n",
	"Expect: 100-continue\r\n",
	"Upgrade: x\r\nConnection: upgrade\r\n",
	"X:\r\n",
	"X-Y: \t z \t\r\n",
	": v\r\n",
	" folded\r\n",
	"If-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT\r\n",
	"\r\n",
	"\r\n",
	"\r\n",
	"\n",
	"\r",
	"abc",
	"3\r\nabc\r\n",
	"3;x=\"y\"\r\nabc\r\n",
	"0\r\n",
	"0\r\n\r\n",
	"T: r\r\n",
	"ffffffff\r\n",
};

static const char *const whole[] = {
	"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
	"GET /a/b?c HTTP/1.1\r\nHost: a.b:80\r\nUser-Agent: x y z\r\nAccept: */*\r\n\r\n",
	"HEAD /x HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
	"POST /p HTTP/1.1\r\nHost: a\r\nContent-Length: 12\r\n\r\nGET / HTTP/1",
	"POST /c HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n4;e\r\n0123\r\n0\r\nT: r\r\n\r\n",
	"\r\nGET /e HTTP/1.1\r\nHost:\r\nX: y\r\n\r\n",
};

#define PICK(list) (list)[below(sizeof(list) / sizeof((list)[0]))]

static size_t make_stream(char *s, size_t cap)
{
	static const char noise[] = "\r\n \t:;,\0/ 0aA\x7f\xff";
	bool sound = below(2);
	size_t n = 1 + below(8), len = 0;

	for (size_t i = 0; i < n * (sound ? 1 : 3); i++) {
		const char *part = sound ? PICK(whole) : PICK(parts);

		if (i == 0 && !sound)
			part = parts[below(5)];
		if (len + strlen(part) >= cap)
			break;
		memcpy(s + len, part, strlen(part));
		len += strlen(part);
	}
	for (size_t damage = below(3); damage > 0; damage--) {
		size_t at = below(len);

		switch (below(4)) {
		case 0:
			s[at] = noise[below(sizeof noise)];
			break;
		case 1:
			s[at] = (char)below(256);
			break;
		case 2:
			memmove(s + at, s + at + 1, len - at - 1);
			len -= len > 1;
			break;
		default:
			break; /* sound streams stay so now and then */
		}
	}
	return len;
}

static int ascending(const void *a, const void *b)
{
	size_t x = *(const size_t *)a, y = *(const size_t *)b;

	return (x > y) - (x < y);
}

static size_t number(const char *name, size_t otherwise)
{
	const char *text = getenv(name);

	return text ? strtoull(text, NULL, 10) : otherwise;
}

Test(http_random, the_story_does_not_depend_on_the_cuts, .timeout = 100)
{
	static char stream[2048], want[STORY_MAX], got[STORY_MAX];
	uint64_t seed = number("MAGPIE_HTTP_SEED", 1);
	size_t rounds = number("MAGPIE_HTTP_ROUNDS", 10000), finished = 0;

	for (size_t round = 0; round < rounds; round++, seed++) {
		size_t len;

		state = seed;
		len = make_stream(stream, sizeof stream);
		story_tell(want, stream, len, NULL, 0);
		finished += strchr(want, '!') == NULL;
		for (int way = 0; way < 6; way++) {
			size_t cuts[64], n = 1 + below(way < 3 ? 4 : 64);

			for (size_t i = 0; i < n; i++)
				cuts[i] = below(len + 1);
			qsort(cuts, n, sizeof cuts[0], ascending);
			story_tell(got, stream, len, cuts, n);
			cr_assert_str_eq(got, want, "seed %llu: got '%s', want '%s'", (unsigned long long)seed, got,
					 want);
		}
	}
	/* the streams must be worth it: neither all damaged nor all sound */
	cr_assert(finished > rounds / 10 && finished < rounds - rounds / 10, "%zu of %zu without an error", finished,
		  rounds);
}
