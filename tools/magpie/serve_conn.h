/* SPDX-License-Identifier: MIT */
/* serve_conn.h - one connection of the server: a task that receives requests and sends answers.
 *
 * What:    a state machine around one await at a time. Requests that come together are answered together, in one send;
 *          nothing is received while an answer is to be sent.
 * Who:     the task itself, on whichever worker it is; serve_answer.c and serve_file.c are its parts without awaits.
 * Always:  the input buffer is not received into before all requests in it are answered, so a request's target stays
 *          where the parser found it.
 *          An await that was cut short has moved nothing: it is simply done again once its reason has been dealt with
 *          (a deadline that has moved meanwhile; a server that stops, but not in the middle of a request). */
#ifndef MAGPIE_TOOLS_SERVE_CONN_H
#define MAGPIE_TOOLS_SERVE_CONN_H

#include <magpie/file.h>

#include "serve_site.h"

/* What the task does next; serve_conn.c says what leaves it. */
enum serve_step {
	SERVE_RECV,   /* receives what there is of requests */
	SERVE_SEND,   /* sends what is gathered */
	SERVE_OPEN,   /* opens the file that is asked for */
	SERVE_READ,   /* reads the next piece of it behind what is gathered */
	SERVE_SHUT,   /* closes the file */
	SERVE_FINISH, /* says that nothing more will come */
	SERVE_LINGER, /* reads away what the client still sends: closing at once could destroy the answer under way */
	SERVE_OVER    /* closes the connection */
};

/* What the client is given time for. */
enum serve_wait {
	SERVE_WAIT_NONE,
	SERVE_WAIT_IDLE,  /* the next request */
	SERVE_WAIT_HEAD,  /* the rest of a head, however many pieces it comes in */
	SERVE_WAIT_BODY,  /* a body, at a minimum rate */
	SERVE_WAIT_TAKE,  /* taking an answer that does not fit in the socket, at a minimum rate */
	SERVE_WAIT_LINGER /* closing its end */
};

/* A task's frame of 4 KiB is what a connection costs; the rest is for input. */
enum { SERVE_GATHER = 768, SERVE_INPUT = 2048 };

struct serve_conn {
	mag_frame frame;
	MAG_ARGS(serve_conn, struct serve_site *site; mag_fd fd; uint32_t ticket;);
	uint8_t step;   /* enum serve_step */
	uint8_t input;  /* enum serve_wait: IDLE, HEAD, BODY or LINGER */
	uint8_t scoped; /* enum serve_wait that the open scope's deadline is for; NONE: it must be opened anew */
	bool slow;      /* an answer did not fit in the socket: TAKE holds until it is sent */
	bool closing;   /* no more requests: what is gathered is the last */
	bool stopping;  /* the server stops */
	bool broken;    /* closes with a reset, so that an answer cut short does not look complete */
	bool head_only; /* the request at hand is HEAD */
	bool directory; /* its target ends in a slash */
	int64_t n, why;
	uint32_t in_at, in_len; /* what of `in` is not parsed yet */
	uint32_t out_at, out_len, out_size;
	char *out; /* `gather`, or the buffer's data */
	struct serve_buffer *buffer;
	char *spill;                           /* a target that came in pieces, else NULL */
	uint64_t input_since, input_bytes;     /* ns, and bytes of a body since */
	uint64_t take_since;                   /* ns */
	int64_t take_left;                     /* bytes that the client had not taken then, and what was sent since */
	uint64_t now, scope_since, stop_since; /* now: when it was asked last */
	mag_fd file;
	uint64_t file_at, file_left;
	mag_scope scope;
	struct http_parser parser;
	char gather[SERVE_GATHER];
	char in[SERVE_INPUT];
};
MAG_DECLARE_TASK(serve_conn);

/* Whether more has come than was parsed: in the input buffer, or still in the socket. */
bool serve_has_more(const struct serve_conn *c);

/* serve_answer.c */

/* Parses and answers what was received, up to a file or as far as there is room; sets the step. */
void serve_answer(struct serve_conn *c);
/* Gathers an answer without a file; there is room. */
void serve_say(struct serve_conn *c, struct serve_here *here, int status, const char *location);
/* Whether the answer at hand is followed by others. */
bool serve_keeps(const struct serve_conn *c);
/* Makes room for so many bytes behind what is gathered. False: send that first, or memory is out. */
bool serve_room(struct serve_conn *c, struct serve_here *here, uint32_t bytes);
/* Nothing is gathered any more: the buffer goes back. */
void serve_emptied(struct serve_conn *c);

/* serve_file.c */

/* Begins to answer a request with a file; sets the step. There is a buffer with room for any head, or memory is out. */
void serve_file(struct serve_conn *c, struct serve_here *here);
void serve_file_opened(struct serve_conn *c);
void serve_file_read(struct serve_conn *c);

#endif
