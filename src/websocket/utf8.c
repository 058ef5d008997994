/* SPDX-License-Identifier: MIT */
/* utf8.c - see utf8.h. */
#include "websocket/utf8.h"

#include <string.h>

/* What a first byte says: how many follow, and between what the first of them is. */
static bool begin(struct magi_utf8 *u, unsigned char c)
{
	*u = (struct magi_utf8){ 0, 0x80, 0xbf };
	if (c < 0x80)
		return true;
	if (c < 0xc2 || c > 0xf4)
		return false;
	u->left = c < 0xe0 ? 1 : c < 0xf0 ? 2 : 3;
	if (c == 0xe0)
		u->least = 0xa0;
	else if (c == 0xed)
		u->most = 0x9f;
	else if (c == 0xf0)
		u->least = 0x90;
	else if (c == 0xf4)
		u->most = 0x8f;
	return true;
}

bool magi_utf8_feed(struct magi_utf8 *u, const void *data, size_t len)
{
	const unsigned char *p = data, *end = p + len;

	for (uint64_t eight; p < end; p++) {
		while (!u->left && end - p >= 8 && (memcpy(&eight, p, 8), !(eight & UINT64_C(0x8080808080808080))))
			p += 8;
		if (p == end)
			break;
		if (!u->left) {
			if (!begin(u, *p))
				return false;
			continue;
		}
		if (*p < u->least || *p > u->most)
			return false;
		u->left--;
		u->least = 0x80;
		u->most = 0xbf;
	}
	return true;
}
