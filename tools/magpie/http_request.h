/* SPDX-License-Identifier: MIT */
/* http_request.h - takes the bytes of a connection and gives whole HTTP/1.1 requests, one at a time.
 *
 * llhttp (strict) parses; around it stand the rules of RFC 9112 that it does not enforce and every limit. Bodies are
 * counted and dropped. The outcome never depends on where the reads end: each fault belongs to one byte of the stream.
 * Does no I/O, allocates nothing.
 *
 *	struct http_parser p;
 *	http_parser_init(&p, spill, sizeof spill);
 *	... n bytes were read into buf ...
 *	for (at = 0; (rc = http_parse(&p, buf + at, n - at, &used)) == HTTP_READY; at += used)
 *		queue the answer to p.method, p.target;
 *	send the queued answers; HTTP_ERROR: one more answer with p.status, then close;
 *	HTTP_MORE: read on, unless http_closing(&p): then close once the answers are out */
#ifndef MAGPIE_TOOLS_HTTP_REQUEST_H
#define MAGPIE_TOOLS_HTTP_REQUEST_H

#include <llhttp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "http_fields.h"
#include "http_guard.h"

#define HTTP_TARGET_MAX 8192u        /* the spill buffer's size for the usual limit; longer is 414 */
#define HTTP_BODY_MAX (1024u * 1024) /* bytes of a body, and of its chunk lines; more is 413 */
#define HTTP_CHUNK_LINE_MAX 256u     /* bytes of a chunk-size line with its line end; more is 400 */

enum http_result {
	HTTP_ERROR = -1, /* answer once with p->status and close; *used is len */
	HTTP_MORE = 0,   /* everything was taken (*used is len), no request is complete */
	HTTP_READY = 1,  /* a request is complete; the bytes from *used on belong to the next one */
};

/* What the parser waits for. Timers hang on it: see http_idle and http_in_body. */
enum http_phase {
	HTTP_PHASE_START,      /* the first byte of a request; any byte leaves it */
	HTTP_PHASE_BLANK,      /* LF of the one empty line tolerated before a request; LF leaves it */
	HTTP_PHASE_LINE,       /* the request line's end */
	HTTP_PHASE_FIELDS,     /* the empty line that ends the header fields */
	HTTP_PHASE_BODY,       /* the rest of a body of known length */
	HTTP_PHASE_CHUNK_LINE, /* a chunk-size line's end; a size of 0 leaves it for the trailer */
	HTTP_PHASE_CHUNK_DATA, /* the rest of a chunk and its line end */
	HTTP_PHASE_TRAILER,    /* the empty line that ends the trailer */
	HTTP_PHASE_READY,      /* the caller, who has a request; the next call starts anew, or closes */
	HTTP_PHASE_CLOSED,     /* nothing: bytes are dropped, nothing leaves it */
};

struct http_parser {
	llhttp_t ll; /* first: its callbacks find the parser by it */

	/* The request, after HTTP_READY; valid until the next call or until the buffer is reused. */
	const char *target;  /* as sent, not terminated; in the caller's buffer, or in the spill if reads cut it off */
	uint32_t target_len; /* bytes */
	uint32_t head_bytes; /* request line and header fields */
	uint16_t status;     /* after HTTP_ERROR: 400, 413, 414, 431, 501 or 505 */
	uint8_t method;      /* llhttp_method_t */
	uint8_t minor;       /* 0 or 1, of HTTP/1.x */
	bool keep_alive;     /* false: answer, then close; later bytes are dropped */
	bool reported;       /* the error has been returned */

	/* The parser's own. */
	uint8_t phase;      /* enum http_phase */
	bool blank;         /* the tolerated empty line was there */
	bool chunked;       /* the body to come is */
	bool head_done;     /* llhttp has seen the head's end */
	bool ended;         /* llhttp has seen the request's end */
	bool chunk_done;    /* llhttp has seen the chunk-size line's end */
	uint32_t target_at; /* where in the request the target began */
	uint32_t line;      /* bytes of the chunk-size line so far */
	uint32_t body;      /* bytes of the chunks so far */
	uint32_t framing;   /* bytes of the chunk-size lines so far */
	uint64_t left;      /* bytes of the body or chunk to come */
	const char *piece;  /* what llhttp is reading */
	char *spill;
	uint32_t spill_len;
	struct http_guard guard;
	struct http_fields seen;
};

/* Begins a connection. spill holds a target that straddles two reads; its size is the longest target accepted (longer
 * is 414) and it must live as long as the parser. */
void http_parser_init(struct http_parser *p, char *spill, size_t spill_len);

/* Reads up to the end of one request. Owns: nothing; p->target may point into buf after HTTP_READY. */
int http_parse(struct http_parser *p, const char *buf, size_t len, size_t *used);

/* The value of If-Modified-Since is exactly this date (as Last-Modified was sent). */
bool http_since_is(const struct http_parser *p, const char date[HTTP_DATE_LEN]);

/* Between requests: the idle deadline holds, and the peer may close without a fault. */
static inline bool http_idle(const struct http_parser *p)
{
	return p->phase == HTTP_PHASE_START || p->phase == HTTP_PHASE_READY;
}

/* In a body: the minimum rate holds. Neither idle nor this: the head's deadline holds. */
static inline bool http_in_body(const struct http_parser *p)
{
	return p->phase >= HTTP_PHASE_BODY && p->phase <= HTTP_PHASE_TRAILER;
}

/* Nothing more will come out of this connection. */
static inline bool http_closing(const struct http_parser *p)
{
	return p->phase == HTTP_PHASE_CLOSED || (p->phase == HTTP_PHASE_READY && !p->keep_alive);
}

#endif
