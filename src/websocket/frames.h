/* SPDX-License-Identifier: MIT */
/* frames.h - how the parts of a WebSocket work together.
 *
 * Who:     three parts, each with its mutex: who receives, who sends, and what both look at. `sending` is awaited before
 *          `lock`, never with it. wslay keeps what it receives by and what it sends by apart, so its one context has two users.
 * Always:  a control frame that the receiver owes goes to `pong` or `close` before it does anything else; before it waits,
 *          these are being sent: by itself, or, a pong, by who holds `sending` and will look there again, under `lock`,
 *          before giving it back. When that one is cut short, it goes with the next send.
 *          `out` is whole frames, or the end of some: only a message of several fragments can be cut.
 *          When `closing` is set, what is sent after the close is nothing.
 * Not:     wslay's messages: it takes as many as have come at once, so nobody could be made to wait. */
#ifndef MAGPIE_WEBSOCKET_FRAMES_H
#define MAGPIE_WEBSOCKET_FRAMES_H

#include <magpie/websocket.h>
#include <wslay/wslay.h>

enum {
	MAGI_WEBSOCKET_CHUNK = 16 * 1024, /* received at a time where much comes; picked, not measured */
	MAGI_WEBSOCKET_KEPT = 4096        /* a larger message's memory goes with the next receive */
};

/* wire.c: wslay's context, which reads `in` and writes `out`. */
int magi_websocket_wire(mag_websocket *ws);
void magi_websocket_free(mag_websocket *ws, struct magi_websocket_bytes *b);
bool magi_websocket_append(struct magi_websocket_bytes *b, const void *data, size_t len);
/* `in` is empty: gets room for what comes. */
void magi_websocket_room(mag_websocket *ws);
/* Puts a frame into `out`. 0, -ENOMEM. */
int magi_websocket_frame(mag_websocket *ws, unsigned opcode, bool fin, const void *data, size_t len);

/* parse.c: takes from `in`. 1 and a message; -EAGAIN: more must come; 0: something is due, or it is over. */
int magi_websocket_parse(mag_websocket *ws, mag_websocket_message *message);
/* The other end has done something wrong, or something was wrong: it is told `code`, and `rc` is what is returned. */
void magi_websocket_fail(mag_websocket *ws, unsigned code, int rc, const char *why);
/* A close frame. false: no code that may be sent, or no reason. */
bool magi_websocket_close_frame(struct magi_websocket_control *c, unsigned code, const char *reason);

/* MAG_CALL(rc, magi_websocket_sending, .ws = ws, .what = …): puts frames into `out`, and sends until nothing is left. */
enum magi_websocket_what {
	MAGI_WEBSOCKET_DATA,    /* a message, or a part */
	MAGI_WEBSOCKET_PING,
	MAGI_WEBSOCKET_CONTROL, /* what is due, unless somebody is sending: that one will */
	MAGI_WEBSOCKET_CLOSE    /* what is due, after what is being sent */
};

struct magi_websocket_sending {
	mag_frame frame;
	MAG_ARGS(magi_websocket_sending, mag_websocket *ws; enum magi_websocket_what what; enum mag_websocket_type type;
		 const unsigned char *data; size_t len; bool part; bool last;);
	size_t at, sent;
	int64_t rc, failed;
	bool begun, done; /* the message */
	bool due;         /* a control frame was put into `out` */
};
MAG_DECLARE_TASK(magi_websocket_sending);

#endif
