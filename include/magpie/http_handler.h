/* SPDX-License-Identifier: MIT */
/* http_handler.h - what answers an HTTP request: an async function, or a plain one that never waits.
 *
 *	struct greet {
 *		mag_frame frame;
 *		MAG_ARGS(greet, mag_http_exchange *http; void *user;);
 *		int64_t rc;
 *	};
 *
 *	MAG_TASK(greet)
 *	{
 *		MAG_BEGIN(greet);
 *		MAG_AWAIT(self->rc, mag_sleep, MAG_MILLISECOND);
 *		MAG_RETURN(mag_http_reply_text(self->http, 200, "Hello\n"));
 *		MAG_END;
 *	}
 *
 *	mag_http_server_route(server, "GET", "/greet", MAG_HTTP_TASK(greet), NULL);
 *
 * Its arguments are two pointers: the exchange, which lives until the handler has returned, and what the route was given.
 * What it returns: >= 0; or an error, which becomes an answer if there is none yet (MAG_ETOOLONG: 413, MAG_ETIMEDOUT: 408
 * for the body, else 503, -EBADMSG: 400, -ENOENT: 404, -EACCES: 403, others: 500), or else ends the connection, so that
 * the client does not take half an answer for a whole one.
 *
 * A handler runs under the deadline of its route; when it is over, or when the server has stopped for long enough, awaits
 * return MAG_ECANCELED. That the server is told to stop does not cancel it, nor that its client has gone: this it hears when
 * it reads the body, or writes more than the socket takes; in HTTP/2, where clients say so, it is cancelled then.
 *
 * Middleware has the same form. It runs around the handlers: before `mag_http_next` nothing is answered, after it the
 * answer is made.
 *
 *	MAG_AWAIT(self->rc, mag_http_next, self->http);
 *
 * A plain one answers, or returns MAG_HTTP_NEXT without an answer: then what is inside of it runs. Where all middleware is
 * plain, and the handler, the answers to requests that have come together go out together.
 */
#ifndef MAGPIE_HTTP_HANDLER_H
#define MAGPIE_HTTP_HANDLER_H

#include <magpie/task.h>

MAGI_C_BEGIN

typedef struct mag_http_exchange mag_http_exchange;

typedef struct mag_http_handler {
	int64_t (*plain)(mag_http_exchange *http, void *user);
	mag_step_fn step; /* NULL: it is a plain one */
	uint32_t class_;
	uint32_t args_at;
	uint32_t args_size;
	uint32_t frame_size;
} mag_http_handler;

enum { MAG_HTTP_NEXT = 1 }; /* what plain middleware returns that lets the request pass */

/* An async function as a handler. */
#define MAG_HTTP_TASK(name)                                                                             \
	magi_http_task(name##_step, MAGI_CLASS(sizeof(struct name)), offsetof(struct name, args_),      \
		       sizeof(struct name##_args), sizeof(struct name))

/* A plain function as a handler, which answers at once: it costs no frame and needs no deadline. */
#define MAG_HTTP_PLAIN(function) magi_http_plain(function)

static inline mag_http_handler magi_http_task(mag_step_fn step, int class_, size_t args_at, size_t args_size, size_t size)
{
	mag_http_handler h;

	h.plain = NULL;
	h.step = step;
	h.class_ = (uint32_t)class_;
	h.args_at = (uint32_t)args_at;
	h.args_size = (uint32_t)args_size;
	h.frame_size = (uint32_t)size;
	return h;
}

static inline mag_http_handler magi_http_plain(int64_t (*plain)(mag_http_exchange *http, void *user))
{
	mag_http_handler h = magi_http_task(NULL, 0, 0, 0, 0);

	h.plain = plain;
	return h;
}

/* MAG_AWAIT(rc, mag_http_next, http): in middleware: runs what is inside of it: more middleware, or the route's handler.
 *
 * Await:    as what is called does
 * Threads:  the task that has the exchange
 * Returns:  what it returned; -EALREADY: it was called before; -ENOMEM
 * Since:    0.2 */
MAG_API MAG_OP mag_http_next(MAG_OP_ARGS, mag_http_exchange *http);

MAGI_C_END

#endif
