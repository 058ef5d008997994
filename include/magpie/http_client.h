/* SPDX-License-Identifier: MIT */
/* http_client.h - a session with HTTP servers, on libcurl: connections that are kept and used again, limits, safe
 * defaults.
 *
 *	mag_http_session_init(&self->session, &(mag_http_options){ .size = sizeof(mag_http_options),
 *								   .base = "https://example.org/api/" });
 *	MAG_AWAIT(self->rc, mag_http_get, &self->session, "things/7", &self->response);
 *	if (self->rc < 0)
 *		fprintf(stderr, "%s: %s\n", mag_http_fault_name(self->response.fault), self->response.why);
 *	else if (self->rc == 200)
 *		fwrite(self->response.body, 1, self->response.length, stdout);
 *	mag_http_response_fini(&self->response);
 *	MAG_AWAIT(self->rc, mag_http_session_close, &self->session);
 *
 * Each worker has connections of its own: a request runs on the worker on which it was made, and blocks it at no
 * time: names are looked up in the blocking lane. Without being told otherwise: http and https only, certificates
 * are verified, TLS 1.2 or later, five redirects, none of which takes credentials or cookies that were given for one
 * origin to another (other headers of the request do go along, and with 307 and 308 its body), no proxy out of the environment, and all limits are finite.
 *
 * Library magpie_http_client (CMake: magpie::http_client). */
#ifndef MAGPIE_HTTP_CLIENT_H
#define MAGPIE_HTTP_CLIENT_H

#include <magpie/http_client_request.h>
#include <magpie/http_client_response.h>
#include <pthread.h>

MAGI_C_BEGIN

typedef struct mag_http_options {
	size_t size;                  /* sizeof(mag_http_options) */
	const char *base;             /* URL that others are relative to; NULL: all are whole */
	const mag_http_pair *headers; /* of each request */
	size_t headers_n;
	const char *user, *password;      /* Basic, for the origin of `base`; without that for that of each request */
	const char *bearer;               /* a token instead, for the same */
	const char *agent;                /* User-Agent; NULL: magpie/version; "": none */
	const char *proxy;                /* URL: http, https, socks4a, socks5h; NULL: none */
	const char *ca_file;              /* PEM: who is trusted instead of those the system trusts */
	const char *cert_file, *key_file; /* PEM: this client's */
	uint32_t total_max;               /* requests under way at once; more wait: 1024 */
	uint32_t host_max;                /* the same for each host and port: 64 */
	uint32_t idle_max;                /* connections that a worker keeps open: 128 */
	uint64_t name_ns;                 /* how long the addresses of a name are kept: 60 s */
	mag_http_limits limits;
	bool cookies;      /* are kept and sent, by the rules of their domains and paths */
	bool compressed;   /* answers may come compressed; they are decompressed */
	bool http2;        /* over TLS, where the server has it */
	bool trust_anyone; /* certificates are not verified: for tests */
} mag_http_options;

/* A session: the caller's memory; it must not be moved. */
typedef struct mag_http_session {
	struct magi_client_hub *hub;
	pthread_mutex_t lock; /* held for some instructions at a time */
	uint32_t coming;      /* requests that are not on their worker yet */
	bool closing;
} mag_http_session;

/* Makes the memory a session. options: NULL for the defaults; they are copied.
 *
 * Threads:  any worker of the runtime that is to use it
 * Owns:     memory, and what requests leave open: mag_http_session_close
 * Returns:  0, -ENOMEM, -EPERM (not on a worker), -EINVAL: a size that this library does not know, a base or proxy
 *           that is no URL, a header with a line break; mag_http_why() says it
 * Since:    0.2 */
MAG_API int mag_http_session_init(mag_http_session *session, const mag_http_options *options);

/* MAG_AWAIT(rc, mag_http_session_close, &session): ends it. Requests under way end with MAG_ECLOSED, those of
 * streams, too, and are waited for; so do those that are begun meanwhile and afterwards.
 *
 * Await:    yes; never cut short
 * Threads:  any worker
 * Returns:  0, also when it is closed; -ENOMEM: it is not; -EBUSY: another task is about to
 * Since:    0.2 */
MAG_API MAG_OP mag_http_session_close(MAG_OP_ARGS, mag_http_session *session);

/* MAG_AWAIT(rc, mag_http_perform, &session, &request, &response): sends a request and takes the whole answer.
 *
 * Await:    yes, a cancellation point: the request ends at once and its connection is closed
 * Threads:  any worker
 * Owns:     request and response are the operation's until it returns; what the response holds: mag_http_response_fini
 * Returns:  the status, 100 or more, whatever it is; or an error: response.fault and response.why, and what enum
 *           mag_http_fault says; -EBUSY: the response is that of a stream that is open (mag_http_close)
 * Since:    0.2 */
MAG_API MAG_OP mag_http_perform(MAG_OP_ARGS, mag_http_session *session, const mag_http_request *request,
				mag_http_response *response);

/* MAG_AWAIT(rc, mag_http_get, &session, url, &response): the same for a GET. The URL lives until it returns. */
MAG_API MAG_OP mag_http_get(MAG_OP_ARGS, mag_http_session *session, const char *url, mag_http_response *response);

/* MAG_AWAIT(rc, mag_http_post_json, &session, url, json, &response): the same for a POST of a JSON text. */
MAG_API MAG_OP mag_http_post_json(MAG_OP_ARGS, mag_http_session *session, const char *url, const char *json,
				  mag_http_response *response);

/* Why the last mag_http_session_init of this thread has failed, in words; "" when it has not. */
MAG_API const char *mag_http_why(void);

typedef struct mag_http_stats {
	size_t size;          /* sizeof(mag_http_stats), set by the caller */
	uint64_t requests;    /* so far; a redirect is one more */
	uint64_t connections; /* made so far */
	uint64_t lookups;     /* of names */
	uint64_t open;        /* connections now */
	uint64_t under_way;   /* requests now */
} mag_http_stats;

/* MAG_AWAIT(rc, mag_http_session_stats, &session, &stats): fills *stats, up to the size it says.
 *
 * Await:    yes, a cancellation point: each worker is asked
 * Threads:  any worker
 * Returns:  0, -EINVAL, MAG_ECLOSED, MAG_ECANCELED, -ENOMEM
 * Since:    0.2 */
MAG_API MAG_OP mag_http_session_stats(MAG_OP_ARGS, mag_http_session *session, mag_http_stats *stats);

MAGI_C_END

#endif
