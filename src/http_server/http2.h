/* SPDX-License-Identifier: MIT */
/* http2.h - HTTP/2 (RFC 9113): a connection's session with nghttp2, and its streams.
 *
 * What:    a stream is a connection of HTTP/1.1 that has one request: a task, http_conn, whose wire (http_wire.h) is the
 *          stream. What comes is told to it as the text of a request of HTTP/1.1, what it answers is taken from the text
 *          of its answer. So all that holds for requests (limits, routes, middleware, deadlines, the log) is said once.
 * Who:     the connection's task receives, the writer sends, each stream's task asks for its own: on any worker, at the same
 *          time. Everything here, and nghttp2, is touched under `lock` alone, which nobody holds over an await.
 * Always:  a stream is there as long as the session knows it or its task runs.
 *          The client may send as much of a body as the handler has read, and a window more: windows open as it reads.
 *          What a task sends is lent until nghttp2 has put all of it into frames, and that waits for the client's window.
 *          Locks in this order: the session's, a stream's task's (http_conn.h).
 * Not:     push; priorities (RFC 9218's are nghttp2's affair); Upgrade: h2c; CONNECT for other protocols (RFC 8441). */
#ifndef MAGPIE_HTTP_SERVER_HTTP2_H
#define MAGPIE_HTTP_SERVER_HTTP2_H

#include <nghttp2/nghttp2.h>

#include "http_conn.h"
#include "http2_wire.h"

enum {
	HTTP2_STREAMS = 100,              /* of a client at once, unless the options say otherwise */
	HTTP2_WINDOW = 65535,             /* bytes of one body that nobody has read: what the RFC begins with */
	HTTP2_WINDOW_ALL = 256 * 1024,    /* and of all bodies of a connection; picked, not measured */
	HTTP2_RESETS = 500,               /* streams of a connection that end by an error, in a burst */
	HTTP2_RESETS_S = 33,              /* and a second; nghttp2 takes twice that of RST_STREAM, if it counts them */
	HTTP2_NOISE = 1000,               /* frames that carry nothing: PING, SETTINGS, empty DATA, …, in a burst */
	HTTP2_NOISE_S = 100,              /* and a second; both picked */
	HTTP2_QUEUE = 2000,               /* frames that wait to be sent, for a client that does not read; picked */
	HTTP2_SMALL_WINDOW = 256,         /* bytes; a window that opens by less is noise; picked */
	HTTP2_OWN = 640                   /* of a stream: a head, later a small answer; picked */
};

/* So many at once, and so many a second again. */
struct http2_budget {
	uint64_t since; /* ns */
	uint32_t used;
};

/* How the answer's body ends. */
enum http2_framing {
	HTTP2_HEAD,   /* its head is to come; a status of 200 or more leaves it */
	HTTP2_LENGTH, /* after `left` bytes */
	HTTP2_SIZE,   /* in chunks: the rest of a size */
	HTTP2_CHUNK,  /* the rest of a chunk */
	HTTP2_TAIL,   /* the line end behind a chunk */
	HTTP2_WHOLE   /* all of it has come */
};

struct http2;

struct http2_stream {
	struct http2 *h2;
	struct http2_stream *next, **pprev; /* of the session's */
	struct http2_stream *next_fresh;
	struct http_conn *conn; /* its task; NULL: not yet, or no more */
	int32_t id;
	bool known;    /* to nghttp2 */
	bool has_task; /* one is to be started, or was and runs */
	bool dead;     /* the client has reset it, or is gone */
	bool failed;   /* its answer was cut short */
	bool asked;    /* all of the request has come */
	bool answered; /* all of the answer was sent */
	bool head_only;
	bool chunked;  /* the task gets the body in chunks: its length is not known */
	bool last_told; /* the last chunk, too */
	bool begun;    /* the request's line is in the text */
	bool sized;    /* its body's length is said */
	uint8_t framing; /* enum http2_framing, of the answer */

	/* The request: its line's parts until they are put together, then its text. */
	nghttp2_rcbuf *method, *path, *authority;
	char *text; /* `own`, or malloc's. Once it is read it holds what is small of the answer */
	uint32_t text_at, text_len, text_size;
	uint32_t held_at, held_len;
	uint32_t fields;
	uint32_t cookie_end; /* where in the text the line of cookies ends; 0: there is none */

	/* Its body, as far as it has come and nobody has read it. */
	char *body;
	uint32_t body_at, body_len, body_size;
	uint32_t chunk_left; /* of the chunk that is told */
	char around[12];     /* what is told before or behind it */
	uint8_t around_at, around_len;

	/* The answer. */
	const char *lent; /* NULL: nothing */
	size_t lent_len, lent_of; /* what is left, and of how much */
	size_t taken;             /* of a send that was cut short: the same one gets it, done again */
	uint64_t left;

	mag_event in, out; /* there is something to read, or an end; what was lent is taken, or will not be */
	char own[HTTP2_OWN];
};

struct http2 {
	struct http_conn *c;
	pthread_mutex_t lock;
	nghttp2_session *session;
	struct http2_stream *streams;
	struct http2_stream *fresh, **fresh_tail; /* whose tasks are to be started */
	uint32_t count, tasks;                    /* streams that there are; of these, with a task */
	bool draining; /* the server stops */
	bool noticed;  /* and the client has seen it: what it began before has come */
	bool over;     /* the writer ends when it has sent all */
	bool broken;   /* nothing more can be sent */
	bool ended;    /* nothing more is to be heard */
	uint64_t idle_since; /* without tasks: a stream that has none may be one that waits for its client, which may not */
	uint64_t told_since; /* that the server stops */
	uint64_t head_since; /* a head has begun to come that has not ended; 0: none */
	int32_t head_of;     /* the stream's */
	uint64_t sent; /* bytes that nobody has counted yet */
	mag_scope *pause; /* in which the connection's task waits for the client, and for what is said of it here; NULL: it does
			     not */
	mag_scope *writing; /* in which the writer sends */
	struct http2_budget resets, noise;
	mag_event wanted;  /* there may be something to send */
	mag_event written; /* the writer has ended */
};

/* http2_session.c */

/* NULL: memory is out. */
struct http2 *magi_http2_new(struct http_conn *c);
void magi_http2_free(struct http2 *h2);
/* What has come. False: the session is over. */
bool magi_http2_take(struct http2 *h2, const void *bytes, size_t n);
/* Puts frames into out, as many as there is room for: bytes. Of room for one frame, HTTP2_FRAME, at least. */
enum { HTTP2_FRAME = 9 + 256 + 16384 };
size_t magi_http2_put(struct http2 *h2, char *out, size_t room);
/* All streams end as if the client had reset them. */
void magi_http2_cut(struct http2 *h2);
/* It is over: whoever waits for the client hears that. With the lock held. */
void magi_http2_end_session(struct http2 *h2);
/* Tells the client that a stream has ended; without memory for that the session is over. With the lock held. */
void magi_http2_reset(struct http2_stream *s, uint32_t error);
/* Tells the client that the server stops; and, with the lock held, which streams are the last. */
void magi_http2_notice(struct http2 *h2);
void magi_http2_goodbye(struct http2 *h2);
/* The next stream that wants a task; NULL: none. */
struct http2_stream *magi_http2_fresh(struct http2 *h2);
/* There is no task for it. */
void magi_http2_refuse(struct http2_stream *s);

/* http2_frames.c: nghttp2 tells it what comes and goes */
void magi_http2_listen(nghttp2_session_callbacks *callbacks);

/* http2_limit.c: whether one more is within the budget */
bool magi_http2_spend(struct http2_budget *b, uint32_t burst, uint32_t per_second);

/* http2_stream.c */
struct http2_stream *magi_http2_stream_new(struct http2 *h2, int32_t id);
/* The session does not know it any more, or its task has ended: it goes when neither is left. */
void magi_http2_stream_release(struct http2_stream *s);
/* It has no task any more: the next thing is its release. */
void magi_http2_task_over(struct http2_stream *s);
/* Its task, if there is one, hears that its client has gone. */
void magi_http2_stream_cut(struct http2_stream *s);

/* http2_request.c: from fields to the text of a request. 0, or what nghttp2 is told */
int magi_http2_field(struct http2_stream *s, nghttp2_rcbuf *name, nghttp2_rcbuf *value);
int magi_http2_fields_end(struct http2_stream *s);

/* http2_body.c: a request's body, and what its task reads of all: bytes, 0 at the end, -EAGAIN, an error */
int magi_http2_body_came(struct http2_stream *s, const uint8_t *bytes, size_t n);
int64_t magi_http2_read(struct http2_stream *s, char *buf, size_t size);
/* Nobody will read it: others may send instead. */
void magi_http2_body_drop(struct http2_stream *s);

/* http2_answer.c: from the text of an answer to frames: bytes that are taken, -EAGAIN, an error */
int64_t magi_http2_write(struct http2_stream *s, const char *data, size_t size);
/* Takes back what was lent and is not in frames yet: the next write gives how much was. */
void magi_http2_unlend(struct http2_stream *s);

/* http2_head.c: submits the answer's head that the text begins with. Its length, or an error */
int64_t magi_http2_head(struct http2_stream *s, const char *text, size_t size);
/* http2_answer.c: where nghttp2 takes the body from */
ssize_t magi_http2_source(nghttp2_session *session, int32_t id, uint8_t *out, size_t room, uint32_t *flags,
			  nghttp2_data_source *source, void *user);

/* http2_serve.c: the connection from its preface on. Its first bytes may be in the connection's input. Returns 0: the client
 * is to be told that nothing more comes; or an error: it has gone. */
struct http2_serve {
	mag_frame frame;
	MAG_ARGS(http2_serve, struct http_conn *c;);
	struct http2 *h2;
	struct http2_stream *fresh;
	struct http_buffer *buffer;
	mag_group writers, streams;
	mag_scope scope;
	int64_t n, rc, why;
	uint64_t timed_for; /* the head_since that the scope was opened for */
	bool more;
};
MAG_DECLARE_TASK(http2_serve);

/* http2_writer.c: sends what the session has to say, until it is over */
struct http2_writer {
	mag_frame frame;
	MAG_ARGS(http2_writer, struct http2 *h2;);
	struct http_buffer *buffer;
	mag_scope scope;
	size_t at, len;
	int64_t n, rc;
};
MAG_DECLARE_TASK(http2_writer);

#endif
