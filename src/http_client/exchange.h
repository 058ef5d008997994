/* SPDX-License-Identifier: MIT */
/* exchange.h - one call of the user's: a request, the answer, and the redirects between.
 *
 * Who:     the call: the caller's memory, or a flow's; `wake` may be set from any worker.   The exchange: the task
 *          that is pinned to the lane's worker, and the callbacks of libcurl, which run there.
 * Always:  what the caller reads of the response was written before something that it waits for: the end of the
 *          task's group, a future, or an element of a queue. */
#ifndef MAGPIE_HTTP_EXCHANGE_H
#define MAGPIE_HTTP_EXCHANGE_H

#include <magpie/future.h>
#include <magpie/queue.h>

#include "http_client/lane.h"

enum {
	MAGI_CLIENT_CHUNKS = 16, /* of a stream that wait to be taken: a chunk has what libcurl gives at once, 16 KiB */
	MAGI_CLIENT_UPLOADS = 4, /* of an upload that wait to be sent */
	MAGI_CLIENT_SMALL = 1024 /* libcurl's smallest buffer, which malloc has at hand; the usual one has 16 KiB */
};

/* A copy of some bytes on its way between tasks. */
struct magi_client_bytes {
	size_t length, at;
	char data[];
};

/* The body of an upload between the task that reads its stream and libcurl. */
struct magi_client_upload {
	mag_queue queue; /* of struct magi_client_bytes * */
	int64_t rc;      /* of the stream; written before the queue is closed */
};

/* What a streamed answer is made of, until it is closed. */
struct magi_client_flow;

struct magi_client_call {
	mag_http_session *session; /* until the transfer has come to its lane */
	struct magi_client_hub *hub;
	const mag_http_request *request;
	mag_http_response *response;
	struct magi_client_flow *flow;     /* NULL: the body goes into the response */
	struct magi_client_upload *upload; /* NULL: there is none */
	mag_group *group;                  /* of the caller, with the upload's task; NULL: none */
	mag_event wake;                    /* there is something new */
	mag_http_limits limits;            /* request's, session's, default's */
	/* how it ended; in the response once the caller knows that it did */
	int64_t rc;
	mag_http_fault fault;
	uint32_t connections;
	mag_http_timing timing;
	char why[MAG_HTTP_WHY_MAX];
};

/* A URL taken apart; shared by the exchanges of a lane, and by its memory of URLs. */
struct magi_client_url {
	CURLU *handle;
	char *text;
	char *asked; /* as the user wrote it; NULL: nobody has */
	uint32_t users;
	char host[256]; /* as it is looked up */
	char origin[MAGI_CLIENT_ORIGIN_MAX];
	uint16_t port;
	bool literal; /* the host is an address */
	bool tls;
	bool small; /* the last answer would have gone into MAGI_CLIENT_SMALL */
};

/* An easy handle, and whose it is at the moment. What all requests of a session have in common is set once, for the
 * seat: it is what the callbacks are given. */
struct magi_client_seat {
	CURL *easy;
	struct magi_client_exchange *x;
	struct magi_client_url *url;      /* that the handle has; NULL: none */
	const struct curl_slist *headers; /* of the lane's common ones; NULL: none */
	bool tls, small;                  /* as of the URL that it was made ready for last */
	bool prunes;                      /* it forgets old addresses */
	bool failed;                      /* there was no memory for an option: it must not be used without that */
	char error[CURL_ERROR_SIZE];
};

#define MAGI_CLIENT_SET(seat, option, value) \
	((seat)->failed = curl_easy_setopt((seat)->easy, option, value) == CURLE_OUT_OF_MEMORY || (seat)->failed)

struct magi_client_exchange {
	struct magi_client_call *call;
	struct magi_client_lane *lane;
	struct magi_client_exchange *next, **pprev; /* on the lane */
	struct magi_client_seat *seat;
	/* this hop */
	struct magi_client_url *url;
	const char *method; /* NULL: by what the request has */
	bool bodyless;      /* a redirect made a GET of it */
	bool stranger;      /* it goes elsewhere than the first one: no credentials */
	bool special;       /* the handle has options that the next request must not meet */
	struct magi_client_host *host;
	bool placed, permitted; /* among the requests to that, and among all */
	struct magi_client_name *name;
	struct curl_slist *headers, *resolve;
	uint32_t round; /* of the name: the lookup that gave these addresses */
	curl_mime *mime;
	char *form;
	/* what callbacks say */
	bool done;
	CURLcode code;
	bool connected; /* the request is about to be sent */
	bool answered;  /* a header has come */
	bool headed;    /* all headers have */
	bool discard;   /* the body of a redirect */
	bool paused_in, paused_out;
	struct magi_client_bytes *sending;
	int64_t rc; /* why a callback has broken it off; 0: none has */
	mag_http_fault fault;
	uint64_t heads;          /* bytes of headers, those of interim answers and trailers among them */
	uint64_t received, sent; /* bytes of the bodies */
	/* times, as mag_now */
	uint64_t start, deadline, hop, seen_at;
	uint64_t planned; /* when the phase is looked at */
	bool overdue;     /* now */
	uint64_t seen;    /* bytes both ways at seen_at */
	bool late;        /* it did not begin at `start`: it waited, or was sent elsewhere */
	bool stop;        /* the session is closed */
	bool starved;     /* libcurl had no memory for somebody */
};

/* transfer.c: the whole, in a task that is pinned. Its result is in the call. */
struct magi_client_transfer {
	mag_frame frame;
	MAG_ARGS(magi_client_transfer, struct magi_client_call *call;);
	struct magi_client_exchange x;
	int64_t rc;
};
MAG_DECLARE_TASK(magi_client_transfer);

/* hop.c: one request and its answer, which may be a redirect. Returns 0 or an error. */
struct magi_client_hop {
	mag_frame frame;
	MAG_ARGS(magi_client_hop, struct magi_client_exchange *x;);
	mag_scope scope;
	int64_t rc, timed;
};
MAG_DECLARE_TASK(magi_client_hop);

/* admit.c: what a request waits for before it begins: a place, and its address. 0 when there is all of it at once; or
 * -EAGAIN, and a task that waits; or -ENOMEM. And the places given back. */
int magi_client_admit_now(struct magi_client_exchange *x);
void magi_client_dismiss(struct magi_client_exchange *x);
struct magi_client_admit {
	mag_frame frame;
	MAG_ARGS(magi_client_admit, struct magi_client_exchange *x;);
	int64_t rc;
};
MAG_DECLARE_TASK(magi_client_admit);

/* names.c: libcurl has the addresses that the exchange came with. */
void magi_client_name_told(const struct magi_client_exchange *x);

/* The name to look up; NULL: none. */
const char *magi_client_name_of(const struct magi_client_exchange *x, uint16_t *port);

/* hop.c: a phase has begun: the driver looks at the exchange when it has taken too long. */
void magi_client_plan_phase(struct magi_client_exchange *x);

/* url.c */
int magi_client_url_parse(const char *text, CURLU *base, struct magi_client_url **url);
int magi_client_url_of(struct magi_client_lane *lane, const char *text,
		       struct magi_client_url **url); /* relative to the base */
void magi_client_url_drop(struct magi_client_url *url);

/* easy.c: a handle of the lane, made ready for this hop; 0, -ENOMEM. And the end of that. */
int magi_client_easy_begin(struct magi_client_exchange *x);
void magi_client_easy_end(struct magi_client_exchange *x);
void magi_client_seat_free(struct magi_client_seat *seat);

/* headers.c: those that all requests of a lane have; those of this hop; 0, -ENOMEM. */
int magi_client_common_headers(struct magi_client_lane *lane);
int magi_client_set_headers(struct magi_client_exchange *x);
bool magi_client_is_home(const struct magi_client_exchange *x); /* what the session has for its base goes along */

/* body.c: what is sent; 0, -ENOMEM. */
bool magi_client_has_body(const struct magi_client_exchange *x);
int magi_client_set_body(struct magi_client_exchange *x);

/* callbacks.c */
size_t magi_client_on_header(char *data, size_t size, size_t n, void *arg);
size_t magi_client_on_body(char *data, size_t size, size_t n, void *arg);
size_t magi_client_on_read(char *data, size_t size, size_t n, void *arg);
int magi_client_on_connected(void *arg, char *to, char *from, int to_port, int from_port);
int magi_client_on_resolve(void *state, void *reserved, void *arg);

/* flow.c */
int magi_client_flow_put(struct magi_client_flow *flow, const char *data, size_t length); /* -EAGAIN: full; -ENOMEM */
bool magi_client_flow_has_room(struct magi_client_flow *flow);
void magi_client_flow_begin(struct magi_client_flow *flow); /* the headers are there */
void magi_client_flow_end(struct magi_client_call *call);

/* response.c */
void magi_client_response_clear(mag_http_response *r);
int magi_client_response_add_header(mag_http_response *r, const char *line, size_t length, size_t max);
int magi_client_response_add_body(mag_http_response *r, const char *data, size_t length, uint64_t max);

/* fault.c: notes what went wrong, in words unless libcurl has put some there already, and gives the code that is
 * returned. */
int64_t magi_client_fail(struct magi_client_call *call, mag_http_fault fault, int64_t rc, const char *why);
int64_t magi_client_fail_curl(struct magi_client_exchange *x);
void magi_client_tell(struct magi_client_call *call); /* all of it to the response */

/* redirect.c: whether the answer is one that is to be followed; the next hop's URL and method in *x. 0, or an error. */
bool magi_client_redirects(const struct magi_client_exchange *x);
int64_t magi_client_redirect(struct magi_client_exchange *x);

/* upload.c: reads the stream of an upload into the queue. */
struct magi_client_feed {
	mag_frame frame;
	MAG_ARGS(magi_client_feed, struct magi_client_call *call;);
	mag_http_chunk chunk;
	struct magi_client_bytes *bytes;
	int64_t rc;
};
MAG_DECLARE_TASK(magi_client_feed);
int magi_client_upload_init(struct magi_client_upload *upload);
void magi_client_upload_fini(struct magi_client_upload *upload);

/* limits.c: each limit from the request, the session, or the defaults; and whether a request makes sense. */
void magi_client_limits_of(struct magi_client_call *call, bool streamed);
bool magi_client_pairs_ok(const mag_http_pair *pairs, size_t n);
bool magi_client_credentials_ok(const char *user, const char *bearer);
/* As much of a request as the program knew; size 0: it is none. */
void magi_client_request_take(mag_http_request *asked, const mag_http_request *given);
const char *magi_client_request_fault(const mag_http_request *request); /* in words; NULL: it does */

#endif
