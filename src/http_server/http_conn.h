/* SPDX-License-Identifier: MIT */
/* http_conn.h - one connection of the server: a task that receives requests, runs their handlers, and sends answers.
 *
 * What:    a state machine around one await at a time. Requests that come together are answered together, in one send,
 *          as long as no handler is a task; nothing is received while an answer is to be sent, unless a handler wants the
 *          body.
 * Who:     the task itself, on whichever worker it is; handlers run in it. For the end of the server: http_server.c, under
 *          `lock`.
 * Always:  a request's head stays where it is in `in`, in one piece, until its exchange is over.
 *          An await that was cut short has moved nothing: it is simply done again once its reason has been dealt with
 *          (a deadline that has moved meanwhile; a server that stops, but not in the middle of a request). */
#ifndef MAGPIE_HTTP_SERVER_CONN_H
#define MAGPIE_HTTP_SERVER_CONN_H

#include "http_core.h"
#include "http_wire.h"

/* What the task does next; http_conn.c says what leaves it. */
enum http_step {
	HTTP_SHAKE,  /* agrees upon TLS */
	HTTP_STREAMS, /* speaks HTTP/2 until its end: http2_serve.c */
	HTTP_RECV,   /* receives what there is of requests */
	HTTP_CALL,   /* runs the handler of the request at hand */
	HTTP_SEND,   /* sends what is gathered */
	HTTP_FINISH, /* says that nothing more will come */
	HTTP_LINGER, /* reads away what the client still sends: closing at once could destroy the answer under way */
	HTTP_OVER    /* closes the connection */
};

/* What the client, or a handler, is given time for. */
enum http_wait {
	HTTP_WAIT_NONE,
	HTTP_WAIT_IDLE,   /* the next request */
	HTTP_WAIT_HEAD,   /* the rest of a head, however many pieces it comes in */
	HTTP_WAIT_BODY,   /* a body, at a minimum rate */
	HTTP_WAIT_TAKE,   /* taking an answer that does not fit in the socket, at a minimum rate */
	HTTP_WAIT_LINGER, /* closing its end */
	HTTP_WAIT_STREAMS, /* what streams wait for is their affair */
	HTTP_WAIT_WORK    /* a handler */
};

/* How far the answer of an exchange is. */
enum http_reply_state {
	HTTP_REPLY_NONE,
	HTTP_REPLY_LENGTH, /* begun, of known length: `left` bytes are to come */
	HTTP_REPLY_CHUNKS, /* begun, in chunks */
	HTTP_REPLY_CLOSE,  /* begun, ends with the connection: HTTP/1.0 */
	HTTP_REPLY_DONE,
	HTTP_REPLY_TAKEN   /* the connection is the handler's */
};

struct http_zip;

/* A request and its answer. */
struct mag_http_exchange {
	const char *head; /* of p->head_bytes bytes, in the connection's `in` */
	uint32_t path_at, path_len, query_len;
	uint8_t reply; /* enum http_reply_state */
	uint8_t turn;  /* how much of the chain to the handler has begun */
	bool open;     /* there is a request at hand */
	bool head_only, no_body;
	bool continued; /* the body was asked for */
	bool malformed;
	bool body_over;
	bool zipped;    /* what is written goes through `zip` */
	uint16_t status;
	uint16_t owed;  /* a status to be answered once the body is read away; 0: none */
	int32_t body_error;
	uint32_t extra_len; /* of fields that the handler has added: at the end of `out` */
	uint64_t body_length; /* as announced */
	uint64_t body_waited;
	uint64_t left, sent; /* of the answer's body: to come, so far */
	uint64_t began;      /* ns */
	char *whole;         /* the body, where a handler wanted all of it */
	struct http_zip *zip;
	struct http_match match;
};

/* What was counted, and not yet told to the worker's counters. */
struct http_tally {
	uint64_t received, sent;
	uint32_t requests, malformed, timeouts;
	uint32_t answers[6];
};

/* An idle connection costs 4 KiB at most: this frame, and up to 800 bytes that the runtime has for its socket and for the
 * receive that waits there (epoll's are the most). What most requests and small answers need is in it; what needs more
 * is lent it (http_room.c). */
enum { HTTP_GATHER = 640, HTTP_INPUT = 1152, HTTP_CONN_MAX = 4096 - 800 };

struct http_conn {
	mag_frame frame;
	MAG_ARGS(http_conn, mag_http_server *server; struct http_wire wire; uint32_t ticket; mag_addr peer;);
	uint8_t step;   /* enum http_step */
	uint8_t input;  /* enum http_wait: IDLE, HEAD, BODY or LINGER */
	uint8_t scoped; /* enum http_wait that the open scope's deadline is for; NONE: it must be opened anew */
	bool slow;      /* an answer did not fit in the socket: TAKE holds until it is sent */
	bool closing;   /* no more requests: what is gathered is the last */
	bool stopping;  /* the server stops */
	bool yields;    /* others are to run first */
	bool broken;    /* closes with a reset, so that an answer cut short does not look complete */
	bool used;      /* there was a request */
	bool working;   /* a handler's scope is open; under `lock` */
	int64_t n, why;
	char *in;                       /* `input_own`, or the buffer's data */
	uint32_t in_size, in_at, in_len; /* [in_at, in_len): what is not parsed yet */
	uint32_t out_at, out_len, out_size;
	char *out; /* `gather`, or the buffer's data */
	struct http_here *here; /* of the worker that it is on, until the next await; NULL: to be asked for */
	struct http_buffer *in_buffer, *out_buffer;
	uint64_t input_since, input_bytes;     /* ns, and bytes of a body since */
	uint64_t take_since;                   /* ns */
	int64_t take_left;                     /* bytes that the client had not taken then, and what was sent since */
	uint64_t now, scope_since, stop_since; /* now: when it was asked last */
	uint64_t work_ns;                      /* of the open scope */
	struct mag_http_exchange x;
	struct http_tally tally;
	pthread_mutex_t lock;
	struct http_conn *next, **pprev; /* under the server's lock */
	mag_scope scope;
	struct http_parser parser;
	char gather[HTTP_GATHER];
	char input_own[HTTP_INPUT];
};
MAG_DECLARE_TASK(http_conn);

static inline struct http_conn *magi_http_conn_of(const mag_http_exchange *x)
{
	return (struct http_conn *)(void *)((char *)(uintptr_t)x - offsetof(struct http_conn, x));
}

/* What belongs to the worker that the connection is on now. */
static inline struct http_here *magi_http_conn_here(const struct http_conn *c)
{
	return c->here ? c->here : magi_http_here(c->server, c->now);
}

/* Whether more has come than was parsed: in the input buffer, or still in the socket. */
bool magi_http_has_more(const struct http_conn *c);

/* Goes over to HTTP/2. */
void magi_http_begin_streams(struct http_conn *c);

/* How a slow client is dealt with, also by what handlers call: what of the answer it has not taken yet counts from here. */
void magi_http_begin_take(struct http_conn *c);
/* Its time is over: whether it has taken enough, and gets as much again. */
bool magi_http_takes_on(struct http_conn *c);

/* http_answer.c */

/* Parses and answers what was received, up to a handler or as far as there is room; sets the step. */
void magi_http_answer(struct http_conn *c);
/* The handler has returned this. */
void magi_http_answered(struct http_conn *c, int64_t rc);
/* Answers with the status in words; there is room. */
void magi_http_say(struct http_conn *c, struct http_here *here, int status);
/* Begins an exchange for what is no request, or not all of one. */
void magi_http_begin_none(struct http_conn *c);
/* Ends the exchange: the log, the counts. */
void magi_http_exchange_over(struct http_conn *c);

/* http_next.c: what plain middleware says to the request at hand, or the route's plain handler. */
int64_t magi_http_call_plain(struct http_conn *c);

/* http_room.c: buffers */

/* Makes room for so many bytes behind what is gathered, however much that is: an answer that has begun has to end. False:
 * memory is out, or an answer is beyond all limits. */
bool magi_http_room(struct http_conn *c, struct http_here *here, uint32_t bytes);
/* What may be written behind what is gathered. */
static inline uint32_t magi_http_free(const struct http_conn *c)
{
	return c->out_size - c->out_len - c->x.extra_len;
}
/* Nothing is gathered any more: the buffer goes back. */
void magi_http_emptied(struct http_conn *c);
/* Makes room to receive: a head that has come in part, or that is not answered yet, is moved to the front, or to a larger
 * buffer. False: memory is out. */
bool magi_http_input_room(struct http_conn *c);
/* The same for a body in chunks, behind the head that stays where it is: to be called before anybody has seen it. */
bool magi_http_body_room(struct http_conn *c);

/* http_compose.c */

/* Puts an answer's head behind what is gathered. Returns: 0, or -ENOMEM */
int magi_http_compose(struct http_conn *c, struct http_here *here, struct http_answer *a);
/* Whether the answer at hand is followed by others. */
bool magi_http_keeps(const struct http_conn *c);

/* http_flush.c: sends all that is gathered, within the client's time. */
struct http_flush {
	mag_frame frame;
	MAG_ARGS(http_flush, struct http_conn *c; int64_t result;);
	mag_scope scope;
	int64_t n, why;
};
MAG_DECLARE_TASK(http_flush);

/* Runs an async function of the server's own from an await. Its arguments stand in the order of the struct. */
mag_frame *magi_http_call(mag_worker *w, mag_frame *f, mag_step_fn step, int class_, size_t frame_size, size_t args_at,
			  const void *args, size_t args_size);
#define MAGI_HTTP_CALL(name, ...)                                                                              \
	magi_http_call(w, f, name##_step, MAGI_CLASS(sizeof(struct name)), sizeof(struct name),                \
		       offsetof(struct name, args_), &(const struct name##_args){ __VA_ARGS__ },                \
		       sizeof(struct name##_args))
/* An await that is over at once. */
static inline mag_frame *magi_http_done(mag_frame *f, int64_t rc)
{
	f->op.result = rc;
	return f;
}

#endif
