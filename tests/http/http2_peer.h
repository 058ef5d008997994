/* SPDX-License-Identifier: MIT */
/* http2_peer.h - a client of HTTP/2 in the simulator, a session of nghttp2, against a server of its own. A play says what it
 * asks, looks on each turn (some ms), and judges at the end.
 *
 * Who:     the peer's task; `handlers` is also changed by handlers, all in one thread. */
#ifndef MAGPIE_TESTS_HTTP2_PEER_H
#define MAGPIE_TESTS_HTTP2_PEER_H

#include <magpie/http_server.h>
#include <magpie/sim.h>
#include <nghttp2/nghttp2.h>

enum { PEER_STREAMS = 64, PEER_TEXT = 200 };
#define PEER_NO_END UINT32_MAX /* of a body: 1000 bytes of it come, and no more */

/* What was heard of a stream. */
struct peer_answer {
	int32_t id; /* 0: none */
	int status;
	uint32_t length; /* of its body */
	char text[PEER_TEXT], fields[PEER_TEXT];
	bool continued; /* by 100, before its status */
	bool ended;  /* by END_STREAM */
	bool closed;
	uint32_t error; /* then */
	uint32_t at_ms;
	uint32_t to_send, sent; /* of the request's body */
};

/* What the handlers have seen. */
struct peer_handlers {
	uint32_t running, most; /* at once */
	uint32_t cancelled;
	uint32_t cancelled_ms; /* since the peer began */
	uint32_t early, early_ms; /* bytes that /early has read, and when it ended */
	int64_t read_error;
	mag_event gate; /* /gate reads its body when it is set */
};

struct peer;

struct play {
	void (*begin)(struct peer *p);
	bool (*turn)(struct peer *p); /* false: the peer goes. NULL: when all that was asked is closed */
	void (*judge)(struct peer *p); /* the server has ended */
	uint32_t most_ms;              /* and it takes so long, at most */
	uint32_t stop_ms;              /* the server is told to stop then; 0: when the peer has gone */
	bool deaf;                     /* windows open only by hand: nghttp2_session_consume */
	bool rude;                     /* the peer goes without a word */
	uint32_t turn_ms;              /* of a turn, at most; 0: 10 */
	uint32_t streams;              /* option of the server; 0: the usual */
};

struct peer {
	const struct play *play;
	nghttp2_session *session;
	struct peer_answer answers[PEER_STREAMS];
	struct peer_handlers handlers;
	mag_http_server *server;
	mag_http_metrics metrics; /* after the end */
	mag_addr addr;
	mag_event ready;
	mag_fd fd;
	uint64_t since;
	uint32_t ms;     /* since */
	bool goaway;     /* it has come */
	int32_t last_stream;
	uint32_t goaway_error;
	bool hung_up;    /* by the server */
	bool did;        /* the play's */
	const void *say; /* bytes to be sent as they are, behind nghttp2's */
	size_t say_len;
	int log_version;
	uint32_t logged;
};

/* Asks. fields: up to 8 pairs of name and value behind the usual ones, a NULL at the end, or NULL. body: bytes, 0: none;
 * Returns: the answer to be */
struct peer_answer *peer_ask(struct peer *p, const char *method, const char *path, const char *const *fields, uint32_t body);
struct peer_answer *peer_get(struct peer *p, const char *path);
bool peer_all_closed(const struct peer *p);

/* http2_app.c: all that may be asked. Their user is the peer. */
int peer_routes(struct peer *p);

/* Plays with many seeds, each without and with faults that nobody may notice. */
void peer_play(const struct play *play);
/* One run, for those that have seeds of their own. */
int64_t peer_run(uint64_t seed, const mag_sim_options *o, const struct play *play);

#endif
