/* SPDX-License-Identifier: MIT */
/* head.h - the head of an HTTP message, as far as a handshake needs it: a first line and fields, each a string. */
#ifndef MAGPIE_WEBSOCKET_HEAD_H
#define MAGPIE_WEBSOCKET_HEAD_H

#include <magpie/websocket.h>

/* Where the head ends, behind its empty line; 0: not yet. */
size_t magi_head_end(const char *text, size_t len);

/* Takes a head apart, in place: lines become strings. false: it is badly made. */
bool magi_head_split(char *text, size_t len);

/* The value of a field, of a head that was taken apart; NULL: there is none. Of one that comes twice, the first. */
const char *magi_head_field(const char *text, size_t len, const char *name);
/* All values of a field that is a list, with commas between (RFC 9110, 5.3); NULL: there is none. They are put into the room,
 * which is moved on; for each of a head's fields once, as much as the head itself is enough. */
const char *magi_head_list(const char *text, size_t len, const char *name, char **room);
/* How often it comes. */
unsigned magi_head_count(const char *text, size_t len, const char *name);

/* Whether a list with commas has this token, without regard to case. */
bool magi_head_has(const char *list, const char *token);

/* The first of our protocols that the list has, too, which is compared as it is; 0: none. */
bool magi_head_protocol(const char *ours, const char *list, char into[MAG_WEBSOCKET_PROTOCOL_MAX + 1]);

/* Whether a page of this origin may talk to this host: it has none, is of the host itself, or of the list, in which "*" is any. */
bool magi_head_origin(const char *origin, const char *host, const char *list);

#endif
