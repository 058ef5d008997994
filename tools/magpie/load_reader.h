/* SPDX-License-Identifier: MIT */
/* load_reader.h - takes the bytes of a connection and tells where the answer to a request ends.
 *
 * An answer whose head is whole in one piece and simple (HTTP/1.1, one Content-Length) is read by hand; all others by
 * llhttp: chunked, until the end of the connection, interim answers, no body. What comes out is the same (the tests
 * hold each against the other), and never depends on where the pieces end. Bodies are counted and dropped. Does no I/O,
 * allocates nothing, trusts nobody. */
#ifndef MAGPIE_TOOLS_LOAD_READER_H
#define MAGPIE_TOOLS_LOAD_READER_H

#include <llhttp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LOAD_HEAD_MAX 65536u                /* bytes of names and values of all heads of an answer, and its trailer */
#define LOAD_ANSWER_MAX (UINT64_C(1) << 30) /* bytes of an answer */

enum load_read {
	LOAD_READ_TOO_LARGE = -2,
	LOAD_READ_MALFORMED = -1, /* why: reader->why */
	LOAD_READ_MORE = 0,
	LOAD_READ_DONE = 1,
};

struct load_reader {
	llhttp_t ll; /* first: its callbacks find the reader by it */

	/* The answer, once it is done. */
	uint16_t status;
	bool keep_alive; /* another request may follow on this connection */
	uint64_t bytes;  /* of the answer so far, as they came */
	const char *why; /* what is malformed; lives for ever */

	/* The reader's own. */
	bool head;    /* the request was HEAD */
	bool begun;   /* the first byte of the answer has come */
	bool general; /* llhttp reads this one */
	bool large;   /* a limit was passed */
	bool done;
	uint32_t head_bytes;
	uint64_t left; /* of a body read by hand */
};

void load_reader_init(struct load_reader *r, bool head);

/* Reads on; begins anew after an answer. Bytes behind the end of an answer are malformed: nobody has asked for them.
 * len: at least 1.  Returns: enum load_read */
int load_reader_feed(struct load_reader *r, const char *buf, size_t len);

/* The connection has ended: that may be what ends the answer.
 * Returns: LOAD_READ_DONE, or LOAD_READ_MORE: it was cut short */
int load_reader_end(struct load_reader *r);

#endif
