/* SPDX-License-Identifier: MIT */
/* baseline_websocket.c - a WebSocket echo server on libuv and wslay, in one thread. Empty where these are not. */
#include "cases.h"

#if HAVE_LIBUV
#include <errno.h>
#include <magpie/websocket_handshake.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>
#include <wslay/wslay.h>

#include "server.h"

enum { BUFFER = 4096 };

struct conn {
	uv_tcp_t tcp;
	wslay_event_context_ptr ws; /* NULL: in the handshake */
	const char *at;             /* what was read */
	size_t left, head, out_n;
	char in[BUFFER], out[BUFFER];
};

static void on_closed(uv_handle_t *h)
{
	struct conn *c = h->data;

	if (c->ws)
		wslay_event_context_free(c->ws);
	free(c);
}

static void end(struct conn *c)
{
	if (!uv_is_closing((uv_handle_t *)&c->tcp))
		uv_close((uv_handle_t *)&c->tcp, on_closed);
}

/* The client has one message under way on a connection: there is always room for the answer. */
static void flush(struct conn *c)
{
	uv_buf_t buf = uv_buf_init(c->out, (unsigned)c->out_n);

	if (c->out_n && uv_try_write((uv_stream_t *)&c->tcp, &buf, 1) != (int)c->out_n)
		end(c);
	c->out_n = 0;
}

static ssize_t take(wslay_event_context_ptr ws, uint8_t *buf, size_t len, int flags, void *user)
{
	struct conn *c = user;
	size_t n = len < c->left ? len : c->left;

	(void)flags;
	if (!n) {
		wslay_event_set_error(ws, WSLAY_ERR_WOULDBLOCK);
		return -1;
	}
	memcpy(buf, c->at, n);
	c->at += n;
	c->left -= n;
	return (ssize_t)n;
}

/* Header and payload come apart, and are sent at once. */
static ssize_t put(wslay_event_context_ptr ws, const uint8_t *data, size_t len, int flags, void *user)
{
	struct conn *c = user;

	(void)ws;
	(void)flags;
	if (len > BUFFER - c->out_n)
		flush(c);
	len = len < BUFFER - c->out_n ? len : BUFFER - c->out_n;
	memcpy(c->out + c->out_n, data, len);
	c->out_n += len;
	return (ssize_t)len;
}

static void on_message(wslay_event_context_ptr ws, const struct wslay_event_on_msg_recv_arg *m, void *user)
{
	struct wslay_event_msg back = { .opcode = m->opcode, .msg = m->msg, .msg_length = m->msg_length };

	(void)user;
	if (!wslay_is_ctrl_frame(m->opcode))
		wslay_event_queue_msg(ws, &back);
}

/* Measured is what comes behind it. */
static int shake(struct conn *c)
{
	static const struct wslay_event_callbacks callbacks = { take, put, NULL, NULL, NULL, NULL, on_message };
	char *key, accept[MAG_WEBSOCKET_ACCEPT_LEN + 1];

	c->in[c->head] = 0;
	if (!strstr(c->in, "\r\n\r\n"))
		return 0;
	key = strstr(c->in, "Sec-WebSocket-Key: ");
	if (!key)
		return -EPROTO;
	key += strlen("Sec-WebSocket-Key: ");
	key[strcspn(key, "\r")] = 0;
	if (mag_websocket_accept_key(key, accept) || wslay_event_context_server_init(&c->ws, &callbacks, c))
		return -EPROTO;
	c->out_n = (size_t)snprintf(c->out, BUFFER,
				    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
				    "Sec-WebSocket-Accept: %s\r\n\r\n",
				    accept);
	flush(c);
	return 0;
}

static void on_room(uv_handle_t *h, size_t want, uv_buf_t *buf)
{
	struct conn *c = h->data;

	(void)want;
	*buf = uv_buf_init(c->in + c->head, (unsigned)(BUFFER - 1 - c->head));
}

static void on_bytes(uv_stream_t *s, ssize_t n, const uv_buf_t *buf)
{
	struct conn *c = s->data;

	if (n > 0 && c->ws) {
		c->at = buf->base;
		c->left = (size_t)n;
		if (wslay_event_recv(c->ws) || wslay_event_send(c->ws))
			n = -1;
		flush(c);
	} else if (n > 0) {
		c->head += (size_t)n;
		n = shake(c);
		if (c->ws)
			c->head = 0;
	}
	if (n < 0)
		end(c);
}

static void on_connection(uv_stream_t *listener, int status)
{
	struct conn *c = status ? NULL : calloc(1, sizeof *c);

	if (!c)
		return;
	uv_tcp_init(listener->loop, &c->tcp);
	c->tcp.data = c;
	if (uv_accept(listener, (uv_stream_t *)&c->tcp) || uv_tcp_nodelay(&c->tcp, 1) ||
	    uv_read_start((uv_stream_t *)&c->tcp, on_room, on_bytes))
		end(c);
}

static void on_stop(uv_poll_t *p, int status, int events)
{
	(void)status;
	(void)events;
	uv_stop(p->loop);
}

static int serve(int listen_fd, int stop_fd, const struct bench_server *how, struct bench_run *r)
{
	uv_loop_t loop;
	uv_tcp_t listener;
	uv_poll_t stop;

	if (uv_loop_init(&loop) || uv_tcp_init(&loop, &listener) || uv_tcp_open(&listener, listen_fd) ||
	    uv_listen((uv_stream_t *)&listener, how->connections, on_connection) ||
	    uv_poll_init(&loop, &stop, stop_fd) || uv_poll_start(&stop, UV_READABLE, on_stop))
		return bench_fail(r, -EIO, "no loop");
	uv_run(&loop, UV_RUN_DEFAULT);
	exit(0); /* with its connections */
}

int baseline_websocket(struct bench_run *r)
{
	struct bench_server how = { .serve = serve,
				    .protocol = BENCH_WEBSOCKET,
				    .measure = r->param2 ? BENCH_RATE : BENCH_CPU,
				    .connections = (int)r->param };

	return bench_server_run(&how, r);
}
#endif
