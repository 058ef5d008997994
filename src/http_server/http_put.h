/* SPDX-License-Identifier: MIT */
/* http_put.h - what the forms of answers share. */
#ifndef MAGPIE_HTTP_SERVER_PUT_H
#define MAGPIE_HTTP_SERVER_PUT_H

#include "http_conn.h"

enum {
	HTTP_ZIP_MIN = 1024,             /* bytes of a body that is compressed: picked, not measured */
	HTTP_ZIP_MAX = 1 << 20,          /* and of one that is compressed at once: others wait meanwhile; picked, too */
	HTTP_REPLY_MAX = 64 << 20,       /* bytes of one that is answered at once */
	HTTP_EXTRA_MAX = 64 << 10,       /* bytes of fields that a handler adds */
	HTTP_CHUNK_EXTRA = 8 + 2 + 5     /* around a chunk, and the end of all */
};

/* Whether an answer may be begun with this status: 0, or an error. */
int magi_http_may_reply(const mag_http_exchange *x, int status);
/* Whether a text may stand in a field's value. */
bool magi_http_is_value(const char *text);

/* Puts a piece of the answer's body behind what is gathered, where there is room for it and HTTP_CHUNK_EXTRA. */
void magi_http_put(struct http_conn *c, const void *data, size_t length);

/* Puts what an empty body is when it is compressed: a plain handler has begun one. False: memory is out. */
bool magi_http_put_zip_of_nothing(struct http_conn *c);

#endif
