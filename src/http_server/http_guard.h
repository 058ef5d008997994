/* SPDX-License-Identifier: MIT */
/* http_guard.h - the rules for the lines of a request's head and trailer, ahead of the real parser.
 *
 * Every line ends in CRLF, none begins with a blank, the request line ends in one blank and HTTP/1.0 or 1.1, and all
 * has limits. Who: whoever feeds the parser gives each piece to the guard first. Always: a fault belongs to one byte of
 * the stream, wherever the pieces end. Does no I/O. */
#ifndef MAGPIE_HTTP_SERVER_GUARD_H
#define MAGPIE_HTTP_SERVER_GUARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What a request may have. */
struct http_limits {
	uint32_t target; /* bytes of its target; more is 414 */
	uint32_t head;   /* bytes of header fields with their line ends, trailers too; more is 431 */
	uint32_t fields; /* header fields, trailers too; more is 431 */
	uint64_t body;   /* bytes of its body, and of its chunk lines; more is 413 */
};

/* " HTTP/1.1\r\n" and the byte before it, which must not be another blank */
#define HTTP_TAIL_LEN 12

struct http_guard {
	const struct http_limits *limits;
	uint32_t room;            /* bytes that the request line, then the fields, may still take */
	uint32_t line;            /* bytes of the line at hand so far */
	uint32_t line_end;        /* where the request line ended, in the piece in which it did */
	uint16_t fields;          /* complete fields so far */
	bool request;             /* in the request line */
	bool done;                /* the empty line was passed */
	char last;                /* the byte before this piece */
	char tail[HTTP_TAIL_LEN]; /* the request line's last bytes, when a piece ended in it */
};

/* Begins a request. */
void magi_http_guard_reset(struct http_guard *g, const struct http_limits *limits);

/* Goes on to the trailer, which shares what is left of the limits. */
void magi_http_guard_trailer(struct http_guard *g);

/* Walks up to the first fault, the empty line's end or the piece's end.
 * Returns: how many bytes are good; *status is 0, or 400, 414, 431 or 505 if the next byte is at fault */
size_t magi_http_guard_walk(struct http_guard *g, const char *s, size_t n, int *status);

#endif
