/* SPDX-License-Identifier: MIT */
/* http_count.h - what a server counts and tells of each answer. */
#ifndef MAGPIE_HTTP_SERVER_COUNT_H
#define MAGPIE_HTTP_SERVER_COUNT_H

#include "http_conn.h"

/* An answer is made, or given up: it is told, and counted in the connection's tally. */
void magi_http_count(struct http_conn *c);
/* The tally goes to the worker's counters. */
void magi_http_count_up(struct http_conn *c, struct http_here *here);
void magi_http_count_door(mag_http_server *server, bool accepted);

#endif
