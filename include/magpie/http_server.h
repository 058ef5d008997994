/* SPDX-License-Identifier: MIT */
/* http_server.h - a server of HTTP/1.1 and HTTP/2 (RFC 9110, 9112, 9113) in the runtime of whoever runs it.
 *
 *	mag_http_server_create(&(mag_http_server_options){ .size = sizeof(mag_http_server_options) }, &server);
 *	mag_http_server_route(server, "GET", "/users/{id}", MAG_HTTP_TASK(show_user), &db);
 *	mag_http_server_route(server, "POST", "/users", MAG_HTTP_TASK(add_user), &db);
 *	mag_addr_parse(&addr, "127.0.0.1:8080");
 *	mag_http_server_listen(server, &addr);
 *	…
 *	MAG_CALL(self->rc, mag_http_serve, .server = server);        // until it is told to stop
 *	…
 *	mag_http_server_destroy(server);
 *
 * A connection is a task; handlers run in it, one after another. All limits are finite unless they are raised. What is
 * malformed gets one answer and the connection is closed.
 *
 * HTTP/2 is spoken where the server was built with it and the client begins so: by ALPN in TLS (mag_http_server_alpn), or,
 * without TLS, by prior knowledge. Each request is a task then, whose handler is cancelled when its client resets it. */
#ifndef MAGPIE_HTTP_SERVER_H
#define MAGPIE_HTTP_SERVER_H

#include <magpie/http_access.h>
#include <magpie/http_files.h>
#include <magpie/http_reply.h>
#include <magpie/shutdown.h>
#include <magpie/tcp.h>

MAGI_C_BEGIN

typedef struct mag_http_server mag_http_server;

/* Where something is 0, what is said beside it holds. Durations in ns; MAG_NEVER: no limit. */
typedef struct mag_http_server_options {
	size_t size;               /* sizeof(mag_http_server_options) */
	uint32_t connections;      /* at once, in all: 10000 */
	uint32_t connections_each; /* from one address (IPv6: one /64): 2000 */
	uint32_t target_max;       /* bytes of a request's target: 8 KiB; more is 414 */
	uint32_t head_max;         /* bytes of header fields: 16 KiB; more is 431 */
	uint32_t fields_max;       /* header fields: 100; more is 431 */
	uint32_t streams;          /* of HTTP/2: requests of one connection at once: 100 */
	uint32_t rate;             /* bytes a second that bodies and answers must move at least: 1024 */
	uint64_t body_max;         /* bytes of a body: 1 MiB; more is 413 */
	uint64_t head_ns;          /* for a head, from its first byte on: 10 s; longer is 408 */
	uint64_t idle_ns;          /* between requests: 60 s */
	uint64_t body_ns;          /* over which `rate` is asked of a body: 10 s; less is 408 */
	uint64_t write_ns;         /* and of a client that takes an answer: 30 s */
	uint64_t request_ns;       /* for a handler: 60 s; it is cancelled then */
	uint64_t linger_ns;        /* for the client to close, once the last answer was sent: 2 s */
	uint64_t drain_ns;         /* for requests under way, when the server stops: 5 s */
	const char *name;          /* the Server field; NULL: none */
	/* Connections speak TLS by this context of a server (magpie/tls_context.h), which outlives it. NULL: none does. */
	struct mag_tls_context *tls;
	bool no_http2;             /* HTTP/1.1 alone is spoken; then ALPN must not offer "h2" */
	bool compress;             /* with gzip, what is compressible and 1 KiB at least */
	struct mag_shutdown *shutdown; /* when it begins the server stops; NULL: mag_http_server_stop, or a cancellation */
	/* Called when connections are taken, once for each address. NULL: nobody is told. */
	void (*ready)(void *ctx, const mag_addr *at);
	void (*trouble)(void *ctx, const char *what, int64_t error); /* something is wrong that does not end the server */
	/* Called behind each answer, on a worker; it must not wait. NULL: no log. */
	void (*access)(void *ctx, const mag_http_access *access);
	void *ctx;
} mag_http_server_options;

/* Makes a server without routes. options: NULL for the defaults; its texts live as long as the server.
 *
 * Threads:  any
 * Owns:     the caller owns *server, when it returns 0: mag_http_server_destroy
 * Returns:  0, -ENOMEM, -EINVAL (a size that this library does not know, a limit beyond reason, a name with control
 *           characters)
 * Since:    0.2 */
MAG_API int mag_http_server_create(const mag_http_server_options *options, mag_http_server **server);

/* Ends it; NULL is fine. It does not run.  Threads: any */
MAG_API void mag_http_server_destroy(mag_http_server *server);

/* Serves at this address, port 0 for any; or at a socket that listens already, which stays the caller's. Up to 16 in all.
 *
 * Threads:  any, before mag_http_serve
 * Returns:  0, -ENOSPC (too many)
 * Since:    0.2 */
MAG_API int mag_http_server_listen(mag_http_server *server, const mag_addr *addr);
MAG_API int mag_http_server_listen_fd(mag_http_server *server, int listener);

/* What a TLS context of a server offers by ALPN: "h2,http/1.1", or "http/1.1" where it was built without HTTP/2.
 *
 * Threads:  any
 * Since:    0.2 */
MAG_API const char *mag_http_server_alpn(void);

/* What a route may have of its own; 0: as the server. */
typedef struct mag_http_route_options {
	size_t size;         /* sizeof(mag_http_route_options) */
	uint64_t body_max;   /* bytes */
	uint64_t request_ns; /* for its handler (mag_http_files: no limit); MAG_NEVER: no limit */
} mag_http_route_options;

/* Requests of a method (NULL: any) whose path has this form go to the handler, with `user`. A form is "/", or segments:
 * literal ones, compared after decoding; {name}, any one; at the end {name...}, all that is left, which may be nothing. A
 * literal one goes before {name}, this before {name...}. HEAD is answered by the GET of the same path, OPTIONS and 405 by
 * the server. With options: mag_http_server_route_with.
 *
 * Threads:  any, before mag_http_serve
 * Returns:  0, -EEXIST (there is one of this method and form), -EINVAL (no form; no method; a handler whose arguments are
 *           not two pointers), -ENOMEM
 * Since:    0.2 */
MAG_API int mag_http_server_route(mag_http_server *server, const char *method, const char *path, mag_http_handler handler,
				  void *user);
MAG_API int mag_http_server_route_with(mag_http_server *server, const char *method, const char *path,
				       mag_http_handler handler, void *user, const mag_http_route_options *options);

/* Adds middleware around all handlers, also where no route fits; the first is the outermost.
 *
 * Threads:  any, before mag_http_serve
 * Returns:  0, -EINVAL (as for a route), -ENOSPC (there are 16)
 * Since:    0.2 */
MAG_API int mag_http_server_use(mag_http_server *server, mag_http_handler handler, void *user);

/* MAG_CALL(rc, mag_http_serve, .server = server): serves until the shutdown begins, mag_http_server_stop, or a
 * cancellation of the caller; then takes no more connections, lets those that have a request finish it, `drain_ns` at
 * most, and returns. In the shutdown its listeners are MAG_SHUTDOWN_TAKING and the connections MAG_SHUTDOWN_LAST: they are
 * told when no more come, and stop by themselves.
 *
 * Await:    yes, a cancellation point
 * Threads:  any worker
 * Returns:  0; why it could not begin, and mag_http_server_failed says what could not be done
 * Since:    0.2 */
struct mag_http_serve {
	mag_frame frame;
	MAG_ARGS(mag_http_serve, mag_http_server *server;);
	struct mag_shutdown_part taking, connections;
	mag_group guests, doors, reaper;
	mag_fd fd;
	uint32_t i, unused;
	int64_t rc, waste;
};
MAG_API MAG_DECLARE_TASK(mag_http_serve);

/* Tells it to stop.  Threads: any, while mag_http_serve runs */
MAG_API void mag_http_server_stop(mag_http_server *server);

/* What could not be done ("listen", "start"), when mag_http_serve failed; NULL: nothing.  Threads: any */
MAG_API const char *mag_http_server_failed(const mag_http_server *server);

typedef struct mag_http_metrics {
	size_t size;          /* sizeof(mag_http_metrics) */
	uint64_t connections; /* that there are now */
	uint64_t accepted, refused;
	uint64_t requests;       /* that were answered */
	uint64_t answers[6];     /* of these, by the first digit of the status; [0]: none was sent */
	uint64_t malformed;      /* of these, by the parser */
	uint64_t timeouts;       /* clients that were too slow */
	uint64_t received, sent; /* bytes of connections; [sent]: also what the system still has */
} mag_http_metrics;

/* Counts since mag_http_serve began.  Threads: any.  Returns: 0, -EINVAL */
MAG_API int mag_http_server_metrics(mag_http_server *server, mag_http_metrics *metrics);

/* A handler that answers with these in the text format of Prometheus.
 *
 *	mag_http_server_route(server, "GET", "/metrics", MAG_HTTP_PLAIN(mag_http_metrics_text), server); */
MAG_API int64_t mag_http_metrics_text(mag_http_exchange *http, void *server);

MAGI_C_END

#endif
