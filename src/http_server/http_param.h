/* SPDX-License-Identifier: MIT */
/* http_param.h - what is percent-encoded in targets. Does no I/O. */
#ifndef MAGPIE_HTTP_SERVER_PARAM_H
#define MAGPIE_HTTP_SERVER_PARAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Decodes s[0, n) and terminates it. query: "+" is a blank, and a slash may be encoded.
 * Returns: its length, -ENOBUFS, -EINVAL */
int64_t magi_http_decode(const char *s, size_t n, bool query, char *out, size_t size);

/* Whether a segment of a path means this text, which is not encoded. */
bool magi_http_segment_is(const char *s, size_t n, const char *text, size_t length);

/* Finds name=value in a query: the value, still encoded; NULL if there is none. */
const char *magi_http_query_find(const char *query, size_t n, const char *name, size_t *length);

#endif
