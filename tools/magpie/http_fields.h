/* SPDX-License-Identifier: MIT */
/* http_fields.h - the few header fields that the server minds, judged piece by piece.
 *
 * A field may come in any number of pieces (a read can end anywhere), so each value runs through a small automaton and
 * nothing is kept of it, except the 29 bytes of a date. Does no I/O and knows nothing of the parser. */
#ifndef MAGPIE_TOOLS_HTTP_FIELDS_H
#define MAGPIE_TOOLS_HTTP_FIELDS_H

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
	HTTP_FIELD_SINCE,
};

struct http_fields {
	uint8_t kind;      /* enum http_field_kind, of the field at hand */
	uint8_t name_len;  /* saturates at HTTP_NAME_MAX */
	uint8_t host;      /* the automaton of the Host value */
	uint8_t hosts;     /* Host fields; saturates at 2 */
	uint8_t coding;    /* characters of "chunked" matched, or one of the states after it */
	uint8_t codings;   /* Transfer-Encoding fields; saturates at 2 */
	uint8_t since_len; /* saturates one above HTTP_DATE_LEN: such a date is of no use */
	bool expects;      /* an Expect field is there */
	bool etag;         /* If-None-Match is there: If-Modified-Since must then be ignored (RFC 9110, 13.1.3) */
	bool nameless;     /* a field with an empty name was seen */
	char name[HTTP_NAME_MAX];
	char since[HTTP_DATE_LEN];
};

/* Settles what kind of field it is, now that its name is complete. */
void http_field_begin(struct http_fields *f);

/* Takes a piece of the value of a field that matters. */
void http_field_take(struct http_fields *f, const char *at, size_t len);

/* No Host, or a second one, or a value that is no host: judged when the head is complete. */
bool http_host_ok(const struct http_fields *f, bool required);

/* There is exactly one Transfer-Encoding field and it says "chunked" and nothing else. */
bool http_coding_ok(const struct http_fields *f);

static inline void http_fields_reset(struct http_fields *f)
{
	/* the name and the date are guarded by their lengths */
	memset(f, 0, offsetof(struct http_fields, name));
}

/* Takes a piece of a field's name; the first one after a value begins a new field. */
static inline void http_field_name(struct http_fields *f, const char *at, size_t len)
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
static inline void http_field_value(struct http_fields *f, const char *at, size_t len)
{
	if (f->kind == HTTP_FIELD_UNKNOWN)
		http_field_begin(f);
	if (f->kind > HTTP_FIELD_OTHER)
		http_field_take(f, at, len);
}

#endif
