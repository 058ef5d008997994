/* SPDX-License-Identifier: MIT */
/* http_fields.h - the few header fields that the server minds, judged piece by piece.
 *
 * A field may come in any number of pieces (a read can end anywhere), so each value runs through a small automaton and
 * nothing is kept of it. Does no I/O and knows nothing of the parser. */
#ifndef MAGPIE_HTTP_SERVER_FIELDS_H
#define MAGPIE_HTTP_SERVER_FIELDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define HTTP_NAME_MAX 18 /* one more than the longest name that matters: a longer one is none of them */
#define HTTP_DATE_LEN 29 /* "Sun, 06 Nov 1994 08:49:37 GMT" */

enum http_field_kind {
	HTTP_FIELD_UNKNOWN, /* the name is not complete yet; the value's first piece settles the kind */
	HTTP_FIELD_OTHER,
	HTTP_FIELD_HOST,
	HTTP_FIELD_CODING,
	HTTP_FIELD_EXPECT,
};

struct http_fields {
	uint8_t kind;      /* enum http_field_kind, of the field at hand */
	uint8_t name_len;  /* saturates at HTTP_NAME_MAX */
	uint8_t host;      /* the automaton of the Host value */
	uint8_t hosts;     /* Host fields; saturates at 2 */
	uint8_t coding;    /* characters of "chunked" matched, or one of the states after it */
	uint8_t codings;   /* Transfer-Encoding fields; saturates at 2 */
	uint8_t expect;    /* characters of "100-continue" matched, or one of the states after it */
	bool expects;      /* an Expect field is there */
	bool nameless;     /* a field with an empty name was seen */
	char name[HTTP_NAME_MAX];
};

/* Settles what kind of field it is, now that its name is complete. */
void magi_http_field_begin(struct http_fields *f);

/* Takes a piece of the value of a field that matters. */
void magi_http_field_take(struct http_fields *f, const char *at, size_t len);

/* No Host, or a second one, or a value that is no host: judged when the head is complete. */
bool magi_http_host_ok(const struct http_fields *f, bool required);

/* The Expect field, if any, says "100-continue" and nothing else. */
bool magi_http_expect_ok(const struct http_fields *f);

/* There is exactly one Transfer-Encoding field and it says "chunked" and nothing else. */
bool magi_http_coding_ok(const struct http_fields *f);

static inline void magi_http_fields_reset(struct http_fields *f)
{
	/* the name is guarded by its length */
	memset(f, 0, offsetof(struct http_fields, name));
}

/* Takes a piece of a field's name; the first one after a value begins a new field. */
static inline void magi_http_field_name(struct http_fields *f, const char *at, size_t len)
{
	size_t room;

	if (f->kind != HTTP_FIELD_UNKNOWN) {
		f->kind = HTTP_FIELD_UNKNOWN;
		f->name_len = 0;
	}
	room = (size_t)(HTTP_NAME_MAX - f->name_len);
	if (len > room)
		len = room;
	memcpy(f->name + f->name_len, at, len);
	f->name_len = (uint8_t)(f->name_len + len);
}

/* Takes a piece of a field's value, which may be empty; every field has at least one piece. */
static inline void magi_http_field_value(struct http_fields *f, const char *at, size_t len)
{
	if (f->kind == HTTP_FIELD_UNKNOWN)
		magi_http_field_begin(f);
	if (f->kind > HTTP_FIELD_OTHER)
		magi_http_field_take(f, at, len);
}

#endif
