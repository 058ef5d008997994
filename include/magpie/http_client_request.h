/* SPDX-License-Identifier: MIT */
/* http_client_request.h - what is asked of a server, and how long and how large all of it may get. */
#ifndef MAGPIE_HTTP_CLIENT_REQUEST_H
#define MAGPIE_HTTP_CLIENT_REQUEST_H

#include <magpie/stream.h>
#include <magpie/time.h>

MAGI_C_BEGIN

/* A header, or a field of a form. The value of a header may be "". */
typedef struct mag_http_pair {
	const char *name;
	const char *value;
} mag_http_pair;

/* One part of a multipart body. */
typedef struct mag_http_part {
	const char *name;
	const void *data;
	size_t length;
	const char *filename; /* NULL: a field, not a file */
	const char *type;     /* NULL: text/plain of a field, application/octet-stream of a file */
} mag_http_part;

/* Some bytes: what an upload is a stream of, and what a body comes in. */
typedef struct mag_http_chunk {
	const void *data;
	size_t length;
} mag_http_chunk;

enum { MAG_HTTP_NO_REDIRECTS = -1 };

/* Limits of a request. 0: what the session says; there 0 is the default. MAG_NEVER is no limit of time. */
typedef struct mag_http_limits {
	uint64_t connect_ns;    /* until there is a connection, TLS and all: 10 s; 5 minutes at most */
	uint64_t first_byte_ns; /* from then, or from the last byte that was sent, until an answer begins: 30 s */
	uint64_t total_ns;      /* the whole, the waiting for a place too: 60 s; of a stream and a download: 1 hour */
	uint64_t low_speed_ns;  /* in so long ... : 30 s */
	uint64_t low_speed;     /* ... so many bytes must have come or gone: 1 */
	uint64_t body_max; /* bytes of an answer, behind its decompression: 64 MiB; of a stream and a download: 1 TiB */
	uint32_t head_max; /* bytes of an answer's headers: 64 KiB */
	int32_t redirects; /* how many are followed: 5; MAG_HTTP_NO_REDIRECTS: a redirect is an answer as any other */
} mag_http_limits;

/* A request: `MAG_HTTP_REQUEST(.method = "PUT", .url = "/things/7", .json = text)`. At most one of body, json, form,
 * parts and upload is given. It and all it points to are the request's until it has ended. */
typedef struct mag_http_request {
	size_t size;                  /* sizeof(mag_http_request) */
	const char *method;           /* NULL: GET, with a body POST */
	const char *url;              /* a whole one, or relative to the session's base */
	const mag_http_pair *headers; /* instead of those of the session with the same name */
	size_t headers_n;
	const void *body;
	size_t body_length;
	const char *body_type;     /* Content-Type of body and upload; NULL: application/octet-stream */
	const char *json;          /* text */
	const mag_http_pair *form; /* application/x-www-form-urlencoded */
	size_t form_n;
	const mag_http_part *parts; /* multipart/form-data */
	size_t parts_n;
	mag_stream *upload;          /* of items mag_http_chunk, each good until the next is asked for */
	uint64_t upload_length;      /* 0: not known, it goes out in chunks; of one that is shorter: MAG_EEOF */
	const char *user, *password; /* Basic */
	const char *bearer;          /* a token */
	mag_http_limits limits;
} mag_http_request;

/* A request, its members given by name.  Since: 0.2 */
#define MAG_HTTP_REQUEST(...) ((mag_http_request){ .size = sizeof(mag_http_request), __VA_ARGS__ })

MAGI_C_END

#endif
