/* SPDX-License-Identifier: MIT */
/* websocket.h - what a client of the bench says to a WebSocket server: the handshake, then a text message of 64 characters at
 * a time, masked. */
#ifndef MAGPIE_BENCH_WEBSOCKET_H
#define MAGPIE_BENCH_WEBSOCKET_H

#include <string.h>

#include "bench.h"

enum {
	WEBSOCKET_TEXT = 64,
	WEBSOCKET_SENT = 2 + 4 + WEBSOCKET_TEXT, /* bytes of the frame */
	WEBSOCKET_BACK = 2 + WEBSOCKET_TEXT
};

static const unsigned char websocket_mask[8] = { 0x37, 0xfa, 0x21, 0x3d, 0x37, 0xfa, 0x21, 0x3d };

/* The handshake on a connection. Returns: as a bench_run_fn. */
int websocket_shake(int fd, struct bench_run *r);

static inline void websocket_put(char *frame, size_t at, char c)
{
	frame[WEBSOCKET_SENT - WEBSOCKET_TEXT + at] = (char)(c ^ (char)websocket_mask[at % 4]);
}

static inline void websocket_frame(char *frame, int letter)
{
	static const char head[2] = { (char)0x81, (char)(0x80 | WEBSOCKET_TEXT) };

	memcpy(frame, head, 2);
	memcpy(frame + 2, websocket_mask, 4);
	for (size_t i = 0; i < WEBSOCKET_TEXT; i++)
		websocket_put(frame, i, (char)('a' + letter % 26));
}

/* In letters: the text has to be UTF-8. */
static inline void websocket_number(char *frame, uint64_t number)
{
	for (size_t i = 0; i < 16; i++, number >>= 4)
		websocket_put(frame, i, (char)('A' + (number & 15)));
}

/* Whether this is the echo of that frame. */
static inline bool websocket_is_echo(const char *back, const char *frame)
{
	uint64_t mask, in, out, differs = 0;

	memcpy(&mask, websocket_mask, 8);
	for (size_t i = 0; i < WEBSOCKET_TEXT; i += 8) {
		memcpy(&in, back + 2 + i, 8);
		memcpy(&out, frame + 6 + i, 8);
		differs |= in ^ out ^ mask;
	}
	return !differs && (unsigned char)back[0] == 0x81 && back[1] == WEBSOCKET_TEXT;
}

#endif
