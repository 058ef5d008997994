/* SPDX-License-Identifier: MIT */
/* http_request.h - takes the bytes of a connection and gives HTTP/1.1 requests, one at a time: first the head, then the
 * body in pieces.
 *
 * llhttp (strict) parses; around it stand the rules of RFC 9112 that it does not enforce and every limit. The outcome
 * never depends on where the reads end: each fault belongs to one byte of the stream. Does no I/O, allocates nothing,
 * keeps nothing of what it has read: the head's bytes are the caller's, who keeps them together.
 *
 *	struct http_parser p;
 *	magi_http_parser_init(&p, &limits);
 *	... n bytes were read into buf ...
 *	for (at = 0;; at += used)
 *		switch (magi_http_parse(&p, buf + at, n - at, &used)) {
 *		HTTP_BEGUN:  its line and fields are the p.head_bytes bytes before buf + at + used;
 *		            the request is complete unless magi_http_in_body(&p)
 *		HTTP_DATA:  a piece of its body: p.piece, p.piece_len
 *		HTTP_READY: its body is complete
 *		HTTP_ERROR: answer with p.status, then close
 *		HTTP_MORE:  read on, unless magi_http_closing(&p): then close once the answers are out */
#ifndef MAGPIE_HTTP_SERVER_REQUEST_H
#define MAGPIE_HTTP_SERVER_REQUEST_H

#include <llhttp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "http_fields.h"
#include "http_guard.h"

#define HTTP_TARGET_MAX 8192u        /* what holds where no limit is given */
#define HTTP_HEADERS_MAX 16384u
#define HTTP_FIELDS_MAX 100u
#define HTTP_BODY_MAX (1024u * 1024)
#define HTTP_CHUNK_LINE_MAX 256u     /* bytes of a chunk-size line with its line end; more is 400 */

enum http_result {
	HTTP_ERROR = -1, /* answer once with p->status and close; *used is len */
	HTTP_MORE = 0,   /* everything was taken (*used is len), nothing has come of it yet */
	HTTP_READY = 1,  /* a body is complete; the bytes from *used on belong to the next request */
	HTTP_BEGUN = 2,   /* a head is complete; what follows is its body, or the next request */
	HTTP_DATA = 3    /* a piece of the body */
};

/* What the parser waits for. Timers hang on it: see magi_http_idle and magi_http_in_body. */
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
	HTTP_PHASE_CLOSED      /* nothing: bytes are dropped, nothing leaves it */
};

struct http_parser {
	llhttp_t ll; /* first: its callbacks find the parser by it */

	/* The request, after HTTP_BEGUN, until the next one's. */
	uint32_t head_bytes; /* request line and header fields */
	uint32_t target_at;  /* where in these the target is */
	uint32_t target_len; /* bytes */
	uint32_t fields_at;  /* where in these the first field is */
	uint16_t status;     /* after HTTP_ERROR: 400, 413, 414, 417, 431, 501 or 505 */
	uint8_t method;      /* llhttp_method_t */
	uint8_t minor;       /* 0 or 1, of HTTP/1.x */
	bool keep_alive;     /* false: answer, then close; later bytes are dropped. May be made false */
	bool expects;        /* the client waits to be asked for the body: 100 Continue */
	bool chunked;        /* its body is; else it has `left` bytes after HTTP_BEGUN */
	uint64_t left;       /* bytes of the body or chunk to come */
	uint64_t body_max;   /* may be changed between HTTP_BEGUN and the next call */
	const char *piece;   /* of the body, after HTTP_DATA */
	size_t piece_len;

	/* The parser's own. */
	const struct http_limits *limits;
	uint8_t phase;      /* enum http_phase */
	bool blank;         /* the tolerated empty line was there */
	bool head_done;     /* llhttp has seen the head's end */
	bool ended;         /* llhttp has seen the request's end */
	bool chunk_done;    /* llhttp has seen the chunk-size line's end */
	bool judged;        /* the body's length is */
	bool body_began;    /* the head was told, and a body follows */
	bool reported;      /* the error has been returned */
	uint8_t event;      /* enum http_result: what the call returns, at once */
	uint32_t line;      /* bytes of the chunk-size line so far */
	uint64_t body;      /* bytes of the chunks so far */
	uint64_t framing;   /* bytes of the chunk-size lines so far */
	const char *fed;    /* what llhttp is reading */
	struct http_guard guard;
	struct http_fields seen;
};

/* What holds where nobody says otherwise. */
extern const struct http_limits magi_http_limits;

/* Begins a connection. The limits live as long as the parser. */
void magi_http_parser_init(struct http_parser *p, const struct http_limits *limits);

/* Reads up to the next event. */
int magi_http_parse(struct http_parser *p, const char *buf, size_t len, size_t *used);

/* So many bytes of a body of known length were read by somebody else. */
void magi_http_skip(struct http_parser *p, size_t bytes);

/* Between requests: the idle deadline holds, and the peer may close without a fault. */
static inline bool magi_http_idle(const struct http_parser *p)
{
	return p->phase == HTTP_PHASE_START || p->phase == HTTP_PHASE_READY;
}

/* In a body: the minimum rate holds. Neither idle nor this: the head's deadline holds. */
static inline bool magi_http_in_body(const struct http_parser *p)
{
	return p->phase >= HTTP_PHASE_BODY && p->phase <= HTTP_PHASE_TRAILER;
}

/* The body's last byte was passed; the next call says so, with or without bytes. */
static inline bool magi_http_body_at_end(const struct http_parser *p)
{
	return p->phase == HTTP_PHASE_BODY && p->left == 0;
}

/* Nothing more will come out of this connection. */
static inline bool magi_http_closing(const struct http_parser *p)
{
	return p->phase == HTTP_PHASE_CLOSED || (p->phase == HTTP_PHASE_READY && !p->keep_alive);
}

#endif
