/* SPDX-License-Identifier: MIT */
/* serve_conn.c - one connection of the server.
 *
 * Deadlines. A scope with a deadline around each await would cost more than all else that the task does for a small
 * request. So one scope stays open for as many awaits as have the same kind of deadline, and is opened anew, with the
 * deadline as it is by then, at most once a second. When it fires early, that is seen by the clock and the await is done
 * again. An answer that fits in the socket at once runs under the deadline of the wait for the next request.
 *
 * Rates. A body and an answer get their time over and over, as long as enough was moved in it. What was moved before
 * does not count: who was fast for a while may not be silent for the longer.
 *
 * Stopping. The server cancels all connections. Whoever waits for a request without having any of it closes; all
 * others go on under a shield, with what is left of SERVE_STOP_S as its deadline, and close after the answer to the last
 * request that has come until then: what lies unread in the socket counts, too. */
#include "serve_conn.h"

#include <linux/sockios.h>
#include <magpie/time.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

/* All but STOP_NS are shorter by the site's hurry. */
#define IDLE_NS (60 * MAG_SECOND)
#define HEAD_NS (10 * MAG_SECOND)
#define BODY_NS (10 * MAG_SECOND)   /* in which a body must come at the minimum rate */
#define TAKE_NS (30 * MAG_SECOND)   /* the same for taking an answer */
#define BYTE_NS (MAG_SECOND / 1024) /* the minimum rate, both ways: 1 KiB a second */
#define LINGER_NS (2 * MAG_SECOND)
#define STOP_NS (SERVE_STOP_S * MAG_SECOND)
#define RENEW_NS MAG_SECOND /* how far behind a scope's deadline may be */

_Static_assert(sizeof(struct serve_conn) <= 4096, "a connection costs a page");

static unsigned wait_of(const struct serve_conn *c)
{
	return c->slow && c->step == SERVE_SEND ? SERVE_WAIT_TAKE : c->input;
}

static uint64_t deadline_of(const struct serve_conn *c)
{
	uint64_t since = c->input_since, time = 0, at;

	switch ((enum serve_wait)wait_of(c)) {
	case SERVE_WAIT_NONE:
	case SERVE_WAIT_IDLE:
		time = IDLE_NS;
		break;
	case SERVE_WAIT_HEAD:
		time = HEAD_NS;
		break;
	case SERVE_WAIT_BODY:
		time = BODY_NS;
		break;
	case SERVE_WAIT_TAKE:
		since = c->take_since;
		time = TAKE_NS;
		break;
	case SERVE_WAIT_LINGER:
		time = LINGER_NS;
		break;
	}
	at = since + time / c->site->hurry;
	if (c->stopping && at > c->stop_since + STOP_NS)
		at = c->stop_since + STOP_NS;
	return at;
}

/* Whether the open scope is for another deadline than what comes next. */
static bool is_stale(const struct serve_conn *c)
{
	return c->scoped != wait_of(c) || (c->now - c->scope_since) * c->site->hurry > RENEW_NS;
}

/* What the next scope gets, in ns. */
static uint64_t time_left(struct serve_conn *c)
{
	uint64_t at = deadline_of(c);

	c->now = c->scope_since = serve_clock();
	c->scoped = (uint8_t)wait_of(c);
	return at > c->now ? at - c->now : 0;
}

/* What of the answer the client has not taken yet, though it is sent. */
static int64_t held(const struct serve_conn *c)
{
	int bytes = 0;

	ioctl(mag_fd_raw(c->fd), SIOCOUTQ, &bytes);
	return bytes;
}

/* From now on it counts how fast the answer is taken. */
static void begin_take(struct serve_conn *c)
{
	c->slow = true;
	c->take_since = c->now;
	c->take_left = held(c);
}

/* Whether the client has moved enough in its time; then it gets as much again. */
static bool goes_on(struct serve_conn *c)
{
	int64_t left;

	if (c->step == SERVE_RECV && c->input == SERVE_WAIT_BODY && c->input_bytes * BYTE_NS >= BODY_NS) {
		c->input_since = c->now;
		c->input_bytes = 0;
		return true;
	}
	if (c->step != SERVE_SEND || !c->slow)
		return false;
	left = held(c);
	if ((c->take_left - left) * (int64_t)BYTE_NS < (int64_t)TAKE_NS)
		return false;
	c->take_since = c->now;
	c->take_left = left;
	return true;
}

bool serve_has_more(const struct serve_conn *c)
{
	int bytes = 0;

	return c->in_at < c->in_len || (ioctl(mag_fd_raw(c->fd), FIONREAD, &bytes) == 0 && bytes > 0);
}

/* The client had its time. */
static void expired(struct serve_conn *c)
{
	bool over = c->stopping && c->now >= c->stop_since + STOP_NS;

	if (!over && goes_on(c))
		return;
	if (c->step == SERVE_RECV && c->input != SERVE_WAIT_IDLE && !over) {
		c->parser.keep_alive = false;
		c->head_only = false;
		serve_say(c, serve_here(c->site, c->now), 408, NULL);
		c->step = SERVE_SEND;
		/* its time is over, but it shall hear that */
		c->input = SERVE_WAIT_LINGER;
		c->input_since = c->now;
	} else if (c->step == SERVE_SEND && !c->slow && !over) {
		begin_take(c);
	} else {
		c->broken = c->step == SERVE_SEND || c->step == SERVE_OPEN || c->step == SERVE_READ;
		c->step = SERVE_OVER;
	}
}

/* An await was cut short: by a deadline, or because the server stops. */
static void cut(struct serve_conn *c)
{
	int why = mag_scope_cancelled(&c->scope);

	c->now = serve_clock();
	c->scoped = SERVE_WAIT_NONE;
	if (why == MAG_ETIMEDOUT) {
		if (c->now >= deadline_of(c))
			expired(c);
	} else if (why == 0 || c->stopping) {
		c->step = SERVE_OVER;
	} else {
		c->stopping = true;
		c->stop_since = c->now;
		if ((c->step == SERVE_RECV && c->input == SERVE_WAIT_IDLE && !serve_has_more(c)) ||
		    c->step == SERVE_LINGER)
			c->step = SERVE_OVER;
	}
}

static void received(struct serve_conn *c)
{
	if (c->n <= 0) { /* the client has closed, or is gone: whatever was begun is of no use to it */
		c->step = SERVE_OVER;
		return;
	}
	c->in_at = 0;
	c->in_len = (uint32_t)c->n;
	serve_answer(c);
}

/* All that was gathered is sent. */
static void sent_all(struct serve_conn *c)
{
	if (c->file_left) {
		c->out_at = c->out_len = 0;
		c->now = serve_clock();
		c->input_since = c->now;
		c->step = SERVE_READ;
		return;
	}
	if (c->slow) {
		c->slow = false;
		c->now = serve_clock();
		if (c->input == SERVE_WAIT_IDLE)
			c->input_since = c->now;
	}
	serve_emptied(c);
	if (c->in_at < c->in_len || c->closing || c->stopping)
		serve_answer(c);
	else
		c->step = SERVE_RECV;
}

static void sent(struct serve_conn *c)
{
	if (c->n <= 0) {
		c->step = SERVE_OVER;
		return;
	}
	c->out_at += (uint32_t)c->n;
	if (c->slow)
		c->take_left += c->n;
	if (c->out_at == c->out_len) {
		sent_all(c);
		return;
	}
	c->now = serve_clock();
	if (!c->slow)
		begin_take(c);
}

static void finished(struct serve_conn *c)
{
	c->input = SERVE_WAIT_LINGER;
	c->input_since = serve_clock();
	c->step = c->n < 0 ? SERVE_OVER : SERVE_LINGER;
}

static uint32_t read_size(const struct serve_conn *c)
{
	uint32_t room = c->out_size - c->out_len;

	return c->file_left < room ? (uint32_t)c->file_left : room;
}

static void begin(struct serve_conn *c)
{
	uint64_t now = serve_clock();

	c->step = SERVE_RECV;
	c->input = SERVE_WAIT_IDLE;
	c->slow = c->closing = c->stopping = c->broken = false;
	c->in_at = c->in_len = 0;
	c->buffer = NULL;
	c->spill = NULL;
	c->file = MAG_FD_NONE;
	c->file_left = 0;
	c->input_since = now;
	c->stop_since = 0;
	c->out_at = c->out_len = 0;
	c->out = c->gather;
	c->out_size = sizeof c->gather;
	http_parser_init(&c->parser, serve_here(c->site, now)->spill, HTTP_TARGET_MAX);
}

static void end(struct serve_conn *c)
{
	static const struct linger reset = { .l_onoff = 1, .l_linger = 0 };

	if (c->broken)
		mag_socket_option(c->fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
	serve_emptied(c);
	free(c->spill);
}

MAG_TASK(serve_conn)
{
	MAG_BEGIN(serve_conn);
	begin(self);
	MAG_WITH_TIMEOUT(&self->scope, time_left(self));
	while (self->step != SERVE_OVER) {
		if (is_stale(self)) {
			MAG_SCOPE_END(self->why, &self->scope);
			if (self->stopping)
				MAG_SHIELD(&self->scope, time_left(self));
			else
				MAG_WITH_TIMEOUT(&self->scope, time_left(self));
		}
		switch ((enum serve_step)self->step) {
		case SERVE_RECV:
			MAG_AWAIT(self->n, mag_recv, self->fd, self->in, sizeof self->in);
			if (self->n != MAG_ECANCELED)
				received(self);
			break;
		case SERVE_SEND:
			MAG_AWAIT(self->n, mag_send, self->fd, self->out + self->out_at, self->out_len - self->out_at);
			if (self->n != MAG_ECANCELED)
				sent(self);
			break;
		case SERVE_OPEN:
			/* not to wait for the other end of a FIFO */
			MAG_AWAIT(self->n, mag_open_beneath, self->site->root_fd, self->buffer->path,
				  O_RDONLY | O_NOCTTY | O_NONBLOCK, 0, &self->file);
			if (self->n != MAG_ECANCELED)
				serve_file_opened(self);
			break;
		case SERVE_READ:
			MAG_AWAIT(self->n, mag_read, self->file, self->out + self->out_len, read_size(self),
				  self->file_at);
			if (self->n != MAG_ECANCELED)
				serve_file_read(self);
			break;
		case SERVE_SHUT:
			MAG_AWAIT(self->n, mag_close, self->file);
			self->file = MAG_FD_NONE;
			serve_answer(self);
			break;
		case SERVE_FINISH:
			MAG_AWAIT(self->n, mag_shutdown, self->fd, SHUT_WR);
			if (self->n != MAG_ECANCELED)
				finished(self);
			break;
		case SERVE_LINGER:
			MAG_AWAIT(self->n, mag_recv, self->fd, self->in, sizeof self->in);
			if (self->n <= 0 && self->n != MAG_ECANCELED)
				self->step = SERVE_OVER;
			break;
		case SERVE_OVER:
			break;
		}
		if (self->n == MAG_ECANCELED)
			cut(self);
	}
	MAG_SCOPE_END(self->why, &self->scope);
	end(self);
	if (self->file.generation)
		MAG_AWAIT(self->n, mag_close, self->file);
	MAG_AWAIT(self->n, mag_close, self->fd);
	serve_gate_leave(&self->site->gate, self->ticket);
	MAG_RETURN(0);
	MAG_END;
}
