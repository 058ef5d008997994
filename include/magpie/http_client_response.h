/* SPDX-License-Identifier: MIT */
/* http_client_response.h - what a server has answered, or why it has not. */
#ifndef MAGPIE_HTTP_CLIENT_RESPONSE_H
#define MAGPIE_HTTP_CLIENT_RESPONSE_H

#include <magpie/http_client_request.h>

MAGI_C_BEGIN

/* What went wrong, and what the call has returned then. */
typedef enum mag_http_fault {
	MAG_HTTP_OK = 0,    /* there is an answer, whatever its status */
	MAG_HTTP_URL,       /* no URL, or not of http or https; a header with a line break: -EINVAL */
	MAG_HTTP_DNS,       /* MAG_ERESOLVE */
	MAG_HTTP_CONNECT,   /* -ECONNREFUSED and others of connect(2) */
	MAG_HTTP_TLS,       /* the certificate is not to be trusted, or no common version: -EPROTO */
	MAG_HTTP_TIMEOUT,   /* a limit of time was reached: MAG_ETIMEDOUT */
	MAG_HTTP_CANCELLED, /* by the caller's scope: MAG_ECANCELED */
	MAG_HTTP_PROTOCOL,  /* what came is no HTTP: -EBADMSG */
	MAG_HTTP_BROKEN,    /* the connection ended in the middle: MAG_EEOF, -ECONNRESET */
	MAG_HTTP_TOO_LARGE, /* body_max, head_max: MAG_ETOOLONG */
	MAG_HTTP_REDIRECT, /* too many, to another scheme, or with an upload, which is sent once: -ELOOP */
	MAG_HTTP_UPLOAD, /* the stream of the upload has failed: its error; it is shorter than its length: MAG_EEOF */
	MAG_HTTP_STATUS, /* a download's answer has another status than 200: -EREMOTEIO */
	MAG_HTTP_FILE,   /* the file of a download: its error */
	MAG_HTTP_CLOSED, /* the session was closed: MAG_ECLOSED */
	MAG_HTTP_MEMORY, /* -ENOMEM */
	MAG_HTTP_OTHER   /* libcurl's own: -EIO */
} mag_http_fault;

enum { MAG_HTTP_WHY_MAX = 256 };

/* Nanoseconds from the start of the request to ... 0: it did not come to that. Behind redirects: those of the last
 * hop. */
typedef struct mag_http_timing {
	uint64_t name;       /* the address is known */
	uint64_t connect;    /* there is a connection */
	uint64_t tls;        /* TLS is agreed upon */
	uint64_t first_byte; /* of the answer */
	uint64_t total;      /* the end */
} mag_http_timing;

struct magi_client_flow;

/* An answer. All zero to begin with; used again, it keeps its memory. */
typedef struct mag_http_response {
	int status;  /* 200 ...; 0: there is none */
	int version; /* 10, 11, 20 */
	mag_http_fault fault;
	uint32_t redirects;   /* that were followed */
	uint32_t connections; /* that were made for it; 0: one that was open was used */
	const char *url;      /* the last one */
	char *body;           /* with a 0 behind it; NULL: none has come, or it is streamed */
	size_t length;        /* of the body, in bytes */
	mag_http_timing timing;
	char why[MAG_HTTP_WHY_MAX]; /* the fault in words, libcurl's as far as it has any */
	/* not the user's: */
	size_t room;
	char *head; /* name 0 value 0, ... */
	size_t head_length, head_room;
	char *url_copy;
	struct magi_client_flow *flow;
} mag_http_response;

#define MAG_HTTP_RESPONSE_INIT \
	{                      \
		0              \
	}

/* Frees what an answer holds. One that is streamed is closed first: mag_http_close.
 *
 * Threads:  any
 * Since:    0.2 */
MAG_API void mag_http_response_fini(mag_http_response *response);

/* The value of a header, the first of its name, in any case of letters; NULL: there is none.  Threads: any */
MAG_API const char *mag_http_response_header(const mag_http_response *response, const char *name);

/* One header after the other: `mag_http_pair h = { 0 }; while (mag_http_response_next(&response, &h)) ...`
 *
 * Threads:  any
 * Returns:  whether there is a next one, which is in *header then
 * Since:    0.2 */
MAG_API bool mag_http_response_next(const mag_http_response *response, mag_http_pair *header);

/* A fault as one word: "ok", "url", "dns", "connect", "tls", "timeout", "cancelled", "protocol", "broken", "too_large",
 * "redirect", "upload", "status", "file", "closed", "memory", "other".  Threads: any */
MAG_API const char *mag_http_fault_name(mag_http_fault fault);

MAGI_C_END

#endif
