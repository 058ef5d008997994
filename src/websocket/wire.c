/* SPDX-License-Identifier: MIT */
/* wire.c - wslay over memory, and the memory. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "websocket/frames.h"

enum { HEADER_MAX = 14 };

void magi_websocket_free(mag_websocket *ws, struct magi_websocket_bytes *b)
{
	if (b->data != ws->small)
		free(b->data);
	memset(b, 0, sizeof(*b));
}

static bool reserve(struct magi_websocket_bytes *b, size_t len)
{
	size_t room = b->room ? b->room : 256;
	unsigned char *grown;

	if (b->end + len <= b->room)
		return true;
	while (room < b->end + len)
		room *= 2;
	grown = realloc(b->data, room);
	if (!grown)
		return false;
	b->data = grown;
	b->room = room;
	return true;
}

bool magi_websocket_append(struct magi_websocket_bytes *b, const void *data, size_t len)
{
	if (!reserve(b, len))
		return false;
	if (len)
		memcpy(b->data + b->end, data, len);
	b->end += len;
	return true;
}

static ssize_t take(uint8_t *buf, size_t len, int flags, void *user)
{
	mag_websocket *ws = user;
	size_t n = ws->in.end - ws->in.start < len ? ws->in.end - ws->in.start : len;

	(void)flags;
	if (!n)
		return -1;
	memcpy(buf, ws->in.data + ws->in.start, n);
	ws->in.start += n;
	return (ssize_t)n;
}

static ssize_t put(const uint8_t *data, size_t len, int flags, void *user)
{
	mag_websocket *ws = user;

	(void)flags;
	return magi_websocket_append(&ws->out, data, len) ? (ssize_t)len : -1;
}

/* Unpredictable, and not a system call for each frame. */
static int mask(uint8_t *buf, size_t len, void *user)
{
	mag_websocket *ws = user;

	if (ws->random_left < len) {
		if (getrandom(ws->random, sizeof(ws->random), 0) != sizeof(ws->random))
			return -1;
		ws->random_left = sizeof(ws->random);
	}
	ws->random_left = (uint8_t)(ws->random_left - len);
	memcpy(buf, ws->random + ws->random_left, len);
	return 0;
}

int magi_websocket_wire(mag_websocket *ws)
{
	static const struct wslay_frame_callbacks callbacks = { put, take, mask };

	return wslay_frame_context_init(&ws->frames, &callbacks, ws) == 0 ? 0 : -ENOMEM;
}

void magi_websocket_room(mag_websocket *ws)
{
	struct magi_websocket_bytes *in = &ws->in;

	if (ws->greedy && in->room < MAGI_WEBSOCKET_CHUNK) {
		in->data = malloc(MAGI_WEBSOCKET_CHUNK);
		in->room = in->data ? MAGI_WEBSOCKET_CHUNK : 0;
	} else if (!ws->greedy && in->data != ws->small) {
		magi_websocket_free(ws, in);
	}
	if (!in->data) {
		in->data = ws->small;
		in->room = sizeof(ws->small);
	}
	in->start = in->end = 0;
}

int magi_websocket_frame(mag_websocket *ws, unsigned opcode, bool fin, const void *data, size_t len)
{
	struct wslay_frame_iocb frame = { .fin = fin, .opcode = (uint8_t)opcode, .payload_length = len,
					  .mask = ws->o.role == MAG_WEBSOCKET_CLIENT, .data = data, .data_length = len };

	/* wslay must not be stopped in the middle */
	if (!reserve(&ws->out, len + HEADER_MAX))
		return -ENOMEM;
	return wslay_frame_send(ws->frames, &frame) == (ssize_t)len ? 0 : -EIO;
}
