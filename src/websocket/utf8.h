/* SPDX-License-Identifier: MIT */
/* utf8.h - whether bytes are UTF-8 (RFC 3629), piece by piece: no surrogates, nothing longer than it must be. */
#ifndef MAGPIE_WEBSOCKET_UTF8_H
#define MAGPIE_WEBSOCKET_UTF8_H

#include <magpie/websocket.h>

/* Goes on with this piece; false: it is wrong. */
bool magi_utf8_feed(struct magi_utf8 *u, const void *data, size_t len);

/* Whether a text may end here. */
static inline bool magi_utf8_whole(const struct magi_utf8 *u)
{
	return !u->left;
}

static inline bool magi_utf8_good(const void *data, size_t len)
{
	struct magi_utf8 u = { 0, 0, 0 };

	return magi_utf8_feed(&u, data, len) && magi_utf8_whole(&u);
}

#endif
