/* SPDX-License-Identifier: MIT */
/* story.h - what a parser makes of a stream, as one line of text, so that ways to cut the stream can be compared. */
#ifndef MAGPIE_TESTS_HTTP_STORY_H
#define MAGPIE_TESTS_HTTP_STORY_H

#include <stddef.h>

#define STORY_MAX 65536

/* A string with its length, since some have a NUL inside. */
#define BYTES(literal) (literal), sizeof(literal) - 1

struct story_case {
	const char *name;
	const char *stream;
	size_t len;
	const char *story;
};

/* Feeds the stream in pieces that end at the cuts (ascending; n of them) and tells what came out: "GET /a 1.1 @40" for
 * a request and where it ended, " close" behind it if it was the last one, "!400" for an error, and at last what the
 * parser waits for: "idle", "head", "body" or "closed". */
void story_tell(char out[STORY_MAX], const char *stream, size_t len, const size_t *cuts, size_t n);

/* Checks that the stream has this story in one piece, byte by byte, cut at each place, and short streams also at each
 * two places. */
void story_check(const char *name, const char *stream, size_t len, const char *story);

void story_check_all(const struct story_case *cases, size_t n);

#endif
