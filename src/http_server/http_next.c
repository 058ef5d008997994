/* SPDX-License-Identifier: MIT */
/* http_next.c - from the connection through the middleware to the route's handler; and how the server's own async functions
 * are run from an await. */
#include <errno.h>
#include <string.h>

#include "http_conn.h"

/* What is called where the arguments are not known to the compiler. */
mag_frame *magi_http_call(mag_worker *w, mag_frame *f, mag_step_fn step, int class_, size_t frame_size, size_t args_at,
			  const void *args, size_t args_size)
{
	mag_frame *frame = magi_frame_take(w, class_, frame_size);

	if (!frame)
		return magi_http_done(f, -ENOMEM);
	memcpy((char *)frame + args_at, args, args_size);
	return magi_call(f, frame, step, class_);
}

static mag_frame *run(mag_worker *w, mag_frame *f, const mag_http_handler *h, mag_http_exchange *x, void *user)
{
	void *const args[2] = { x, user };

	if (h->plain)
		return magi_http_done(f, h->plain(x, user));
	return magi_http_call(w, f, h->step, (int)h->class_, h->frame_size, h->args_at, args, sizeof args);
}

/* No route: what the server itself has to say. */
static int64_t say_owed(struct http_conn *c)
{
	if (c->x.reply != HTTP_REPLY_NONE)
		return -EALREADY;
	magi_http_say(c, magi_http_conn_here(c), c->x.owed);
	return 0;
}

/* Whether plain middleware lets the request pass. */
static bool passes(const mag_http_exchange *x, int64_t rc)
{
	return rc == MAG_HTTP_NEXT && x->reply == HTTP_REPLY_NONE;
}

int64_t magi_http_call_plain(struct http_conn *c)
{
	const struct mag_http_server *server = c->server;
	const struct http_route *route = c->x.match.route;

	for (uint32_t i = 0; i < server->middle_count; i++) {
		int64_t rc = server->middle[i].handler.plain(&c->x, server->middle[i].user);

		if (!passes(&c->x, rc))
			return rc;
	}
	return route->handler.plain(&c->x, route->user);
}

/* What comes next on the way to the handler. */
static mag_frame *go(MAG_OP_ARGS, mag_http_exchange *x)
{
	struct http_conn *c = magi_http_conn_of(x);
	const struct mag_http_server *server = c->server;

	while (x->turn < server->middle_count) {
		const struct http_middle *middle = &server->middle[x->turn++];
		int64_t rc;

		if (!middle->handler.plain)
			return run(w, f, &middle->handler, x, middle->user);
		rc = middle->handler.plain(x, middle->user);
		if (!passes(x, rc))
			return magi_http_done(f, rc);
	}
	x->turn++;
	if (!x->match.route)
		return magi_http_done(f, say_owed(c));
	return run(w, f, &x->match.route->handler, x, x->match.route->user);
}

/* A call by middleware. It is the last one, however far it came: a second one would begin behind whoever refused. */
struct http_next {
	mag_frame frame;
	MAG_ARGS(http_next, mag_http_exchange *http;);
	int64_t rc;
};

static MAG_TASK(http_next)
{
	MAG_BEGIN(http_next);
	MAG_AWAIT(self->rc, go, self->http);
	self->http->turn = UINT8_MAX;
	MAG_RETURN(self->rc);
	MAG_END;
}

mag_frame *mag_http_next(MAG_OP_ARGS, mag_http_exchange *x)
{
	if (x->turn > magi_http_conn_of(x)->server->middle_count)
		return magi_http_done(f, -EALREADY);
	return x->turn ? MAGI_HTTP_CALL(http_next, .http = x) : go(w, f, x);
}
