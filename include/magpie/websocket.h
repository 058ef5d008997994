/* SPDX-License-Identifier: MIT */
/* websocket.h - messages both ways over a byte stream: RFC 6455, version 13, without extensions.
 *
 *	mag_websocket_init(&self->ws, &mag_websocket_over_fd, &self->fd, &options);      // .role = MAG_WEBSOCKET_CLIENT
 *	MAG_AWAIT(self->rc, mag_websocket_connect, &self->ws, "example.org", "/chat");
 *	MAG_AWAIT(self->rc, mag_websocket_send, &self->ws, MAG_WEBSOCKET_TEXT, "hello", 5);
 *	MAG_AWAIT(self->rc, mag_websocket_recv, &self->ws, &self->message);              // 1, or 0: the other end has closed
 *	MAG_AWAIT(self->rc, mag_websocket_close, &self->ws, 1000, "done");
 *	mag_websocket_fini(&self->ws);
 *
 * The stream is a socket, a TLS session (magpie/websocket_tls.h), or anything that can receive and send; it stays the
 * caller's.
 *
 * Tasks. One may receive while another sends; more than one that receives, or sends, take turns. Pings are answered, and
 * pings of its own sent, while a task receives: one should, all the time. A send waits for the other end to take it.
 *
 * Cancellation. A receive that was cancelled loses nothing. A message of which no more than a fragment is to be sent goes
 * ahead of the next one, if its send was cancelled once it had begun; a longer one is cut: from then on only
 * mag_websocket_close is of use.
 *
 * What the other end does wrong ends it: it is told so by the close code that the RFC wants, the receive returns -EPROTO, and
 * mag_websocket_why says what it was. */
#ifndef MAGPIE_WEBSOCKET_H
#define MAGPIE_WEBSOCKET_H

#include <magpie/io.h>
#include <magpie/mutex.h>
#include <magpie/websocket_handshake.h>

MAGI_C_BEGIN

enum mag_websocket_role { MAG_WEBSOCKET_CLIENT = 1, MAG_WEBSOCKET_SERVER = 2 };

enum mag_websocket_type { MAG_WEBSOCKET_TEXT = 1, MAG_WEBSOCKET_BINARY = 2 };

enum {
	MAG_WEBSOCKET_MESSAGE_MAX = 1 << 20, /* bytes received, unless the options say otherwise */
	MAG_WEBSOCKET_FRAGMENT = 32 * 1024,  /* bytes of a message that go in a frame */
	MAG_WEBSOCKET_REASON_MAX = 123,
	MAG_WEBSOCKET_CONTROL_MAX = 125,
	MAG_WEBSOCKET_SMALL = 512
};
#define MAG_WEBSOCKET_PING_NS UINT64_C(30000000000)
#define MAG_WEBSOCKET_PONG_NS UINT64_C(10000000000)
#define MAG_WEBSOCKET_CLOSE_NS UINT64_C(5000000000)
#define MAG_WEBSOCKET_HANDSHAKE_NS UINT64_C(10000000000)

/* A byte stream. Cancelled, a receive has taken nothing; a send says how much of it must not be given again. */
typedef struct mag_websocket_stream {
	mag_frame *(*recv)(MAG_OP_ARGS, void *stream, void *buf, size_t len);
	mag_frame *(*send_all)(MAG_OP_ARGS, void *stream, const void *buf, size_t len, size_t *count);
} mag_websocket_stream;

/* The stream is a mag_fd. */
MAG_API extern const mag_websocket_stream mag_websocket_over_fd;

typedef struct mag_websocket_options {
	size_t size; /* sizeof(mag_websocket_options) */
	enum mag_websocket_role role;
	bool fragments;       /* receives give what has come of a message, at once */
	uint8_t unused[3];
	size_t message_max;   /* 0: MAG_WEBSOCKET_MESSAGE_MAX; with .fragments: of no matter */
	size_t fragment;      /* 0: MAG_WEBSOCKET_FRAGMENT; at most 16 MiB */
	uint64_t ping_ns;     /* when nothing has come for so long, a ping is sent; 0: MAG_WEBSOCKET_PING_NS; MAG_NEVER: none */
	uint64_t pong_ns;     /* when nothing comes of it for so long, the other end is gone; 0: MAG_WEBSOCKET_PONG_NS */
	uint64_t close_ns;    /* how long the other end has to answer a close; 0: MAG_WEBSOCKET_CLOSE_NS */
	uint64_t handshake_ns;      /* 0: MAG_WEBSOCKET_HANDSHAKE_NS */
	const char *protocols;      /* "chat,superchat": a client asks for one, a server takes the first that is asked for;
				     * lent until the handshake is over */
	const char *origins;        /* a server's: whose pages may connect, see mag_websocket_upgrade; NULL: those of its
				     * own host; lent as the protocols */
	const void *ahead;          /* what was received behind the handshake, by who has read that; it is copied */
	size_t ahead_len;
} mag_websocket_options;

/* What was received; the memory is the WebSocket's, until the next mag_websocket_recv or mag_websocket_fini. */
typedef struct mag_websocket_message {
	enum mag_websocket_type type;
	bool first, last; /* of its message: both, but with .fragments */
	unsigned char *data;
	size_t len;
} mag_websocket_message;

struct magi_websocket_bytes {
	unsigned char *data;
	size_t start, end, room;
};

/* Where a check of UTF-8 is within a character. */
struct magi_utf8 {
	uint8_t left, least, most;
};

/* A control frame that is due. */
struct magi_websocket_control {
	uint8_t opcode; /* 0: none */
	uint8_t len;
	unsigned char data[MAG_WEBSOCKET_CONTROL_MAX];
};

typedef struct mag_websocket {
	const mag_websocket_stream *ops;
	void *stream;
	struct wslay_frame_context *frames;
	mag_websocket_options o;
	mag_mutex reading; /* held by who receives: the first part */
	mag_mutex sending; /* held by who sends: the second part */
	mag_mutex lock;    /* guards the third part */
	/* who receives */
	struct magi_websocket_bytes in, message;
	struct magi_websocket_bytes aside; /* a message that is lent, while a close receives */
	struct magi_websocket_control due; /* to be handed to who sends, before anything else is done */
	struct magi_websocket_control come; /* one that is coming in */
	struct magi_utf8 heard;
	uint64_t left;       /* of the frame that is coming in */
	const char *why;
	int32_t failed;      /* what ended it; 0 */
	uint16_t code;       /* of the close that came; or that was sent for what the other end did wrong */
	uint8_t opcode;      /* of the frame */
	uint8_t type;        /* of the message; 0: none is begun */
	bool in_frame, fin, given, greedy, pinged, over;
	bool lent; /* the message, to who has received it */
	uint8_t reason_len;
	char reason[MAG_WEBSOCKET_REASON_MAX + 1];
	/* who sends */
	struct magi_websocket_bytes out;
	struct magi_utf8 said;
	uint8_t sending_type; /* of the message that is begun; 0: none */
	bool cut;             /* that one cannot be ended any more */
	uint8_t random_left;
	unsigned char random[64];
	/* both */
	struct magi_websocket_control pong, close; /* to be sent */
	bool closing;                              /* a close is sent, or about to be */
	char protocol[MAG_WEBSOCKET_PROTOCOL_MAX + 1];
	unsigned char small[MAG_WEBSOCKET_SMALL];
} mag_websocket;

/* Makes one on a stream, after the handshake or before mag_websocket_connect or _accept; it must not be moved.
 *
 * Threads:  any
 * Owns:     the caller owns it, when it returns 0: mag_websocket_fini. Stream and table are lent until then
 * Returns:  0, -EINVAL (options), -ENOMEM
 * Since:    0.2 */
MAG_API int mag_websocket_init(mag_websocket *ws, const mag_websocket_stream *ops, void *stream,
			       const mag_websocket_options *options);

/* Ends it; no operation is under way. Nothing is sent. One that was not made, all zero, is fine.
 *
 * Threads:  any
 * Since:    0.2 */
MAG_API void mag_websocket_fini(mag_websocket *ws);

/* MAG_AWAIT(rc, mag_websocket_connect, &ws, host, target): the client's handshake. host: as in "Host:", with the port if that
 * is not the usual one; target: the path and query.
 *
 * Await:    yes, a cancellation point; after an error or cancellation the stream is of no use
 * Threads:  any worker
 * Owns:     the strings are lent until the await returns
 * Returns:  0; -EPROTO (the answer is no, or no WebSocket: mag_websocket_why), MAG_ETOOLONG (of head or answer), MAG_EEOF,
 *           MAG_ETIMEDOUT (handshake_ns are over), -ENOMEM, -EINVAL; errors of the stream
 * Since:    0.2 */
MAG_API MAG_OP mag_websocket_connect(MAG_OP_ARGS, mag_websocket *ws, const char *host, const char *target);

/* MAG_AWAIT(rc, mag_websocket_accept, &ws, target, size): the server's handshake, where there is no HTTP server that does it:
 * reads the request, and answers. target, of `size` bytes, gets the path and query; it may be NULL.
 *
 * Await:    yes, a cancellation point; after an error or cancellation the stream is of no use
 * Threads:  any worker
 * Owns:     the target is lent until the await returns
 * Returns:  0; -EPROTO (no request for a WebSocket, or another site's page asks: it was answered with 400, 403 or 426),
 *           MAG_ETOOLONG, and as mag_websocket_connect
 * Since:    0.2 */
MAG_API MAG_OP mag_websocket_accept(MAG_OP_ARGS, mag_websocket *ws, char *target, size_t size);

/* MAG_AWAIT(rc, mag_websocket_recv, &ws, &message): the next message; with .fragments what has come of it.
 *
 * Await:    yes, a cancellation point, at which nothing is lost
 * Threads:  any worker
 * Owns:     the message is lent until the next receive
 * Returns:  1 and the message; 0: the other end has closed (mag_websocket_close_code); MAG_EEOF: the stream has ended without
 *           that; -EPROTO, -EMSGSIZE (message_max; the other end is told by 1009); MAG_ETIMEDOUT (no answer to a ping);
 *           -ENOMEM; -EINVAL; errors of the stream
 * Since:    0.2 */
MAG_API MAG_OP mag_websocket_recv(MAG_OP_ARGS, mag_websocket *ws, mag_websocket_message *message);

/* MAG_AWAIT(rc, mag_websocket_send, &ws, type, data, len): sends a message.
 *
 * Await:    yes, a cancellation point; see above what is sent of it
 * Threads:  any worker
 * Owns:     the data is lent until the await returns
 * Returns:  0; -EILSEQ (text that is no UTF-8), -EPIPE (closed, or a message was cut), -EBUSY (parts of another message are
 *           being sent), -ENOMEM, -EINVAL; errors of the stream
 * Since:    0.2 */
MAG_API MAG_OP mag_websocket_send(MAG_OP_ARGS, mag_websocket *ws, enum mag_websocket_type type, const void *data, size_t len);

/* MAG_AWAIT(rc, mag_websocket_send_part, &ws, type, data, len, last): sends a part of a message, in the order of the calls; the
 * type is that of the first one. A character may be split between two.
 *
 * Returns:  as mag_websocket_send
 * Since:    0.2 */
MAG_API MAG_OP mag_websocket_send_part(MAG_OP_ARGS, mag_websocket *ws, enum mag_websocket_type type, const void *data, size_t len,
				       bool last);

/* MAG_AWAIT(rc, mag_websocket_ping, &ws, data, len): sends a ping, of at most MAG_WEBSOCKET_CONTROL_MAX bytes. The answer is
 * no message.
 *
 * Returns:  0, -EINVAL, and as mag_websocket_send
 * Since:    0.2 */
MAG_API MAG_OP mag_websocket_ping(MAG_OP_ARGS, mag_websocket *ws, const void *data, size_t len);

/* MAG_AWAIT(rc, mag_websocket_close, &ws, code, reason): says that this is the end, and waits until the other end has said so,
 * too; messages that still come are thrown away, unless a task receives them. Then close the stream: a server at once, a
 * client better when the server has. code: 1000 … 1003, 1007 … 1014, 3000 … 4999; or 0: none, and no reason. reason: in UTF-8,
 * at most MAG_WEBSOCKET_REASON_MAX bytes, or NULL.
 *
 * Await:    yes, a cancellation point; it can be called again
 * Threads:  any worker
 * Returns:  0, also when it was closed; MAG_ETIMEDOUT (close_ns are over), -EINVAL (code or reason); and as
 *           mag_websocket_recv
 * Since:    0.2 */
MAG_API MAG_OP mag_websocket_close(MAG_OP_ARGS, mag_websocket *ws, unsigned code, const char *reason);

/* The code that the other end has closed with: 1005: it gave none; 1006: it has not closed. After -EPROTO or -EMSGSIZE that
 * which it was told. And the reason, "" if there is none.
 *
 * Threads:  the task that receives, or has closed
 * Since:    0.2 */
MAG_API unsigned mag_websocket_close_code(const mag_websocket *ws);
MAG_API const char *mag_websocket_close_reason(const mag_websocket *ws);

/* The protocol that both have agreed on, of .protocols; NULL: none.  Threads: any, after the handshake */
MAG_API const char *mag_websocket_protocol(const mag_websocket *ws);

/* What has ended it, in words; "" if nothing has.  Threads: as mag_websocket_close_code */
MAG_API const char *mag_websocket_why(const mag_websocket *ws);

MAGI_C_END

#endif
