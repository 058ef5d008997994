/* SPDX-License-Identifier: MIT */
/* http_head.h - the parser's side towards llhttp. Who: http_request.c only. */
#ifndef MAGPIE_HTTP_SERVER_HEAD_H
#define MAGPIE_HTTP_SERVER_HEAD_H

#include "http_request.h"

/* Begins a request with a fresh llhttp. */
void magi_http_head_begin(struct http_parser *p);

/* Gives llhttp bytes that passed our own rules: 0, or -1 and the parser has failed. */
int magi_http_feed(struct http_parser *p, const char *s, size_t n);

/* Ends the connection with an error: -1. */
int magi_http_fail(struct http_parser *p, int status);

#endif
