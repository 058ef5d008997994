/* SPDX-License-Identifier: MIT */
/* websocket_server.c - a WebSocket at a path of an HTTP server; and two clients: one that says something and closes, one
 * that is told when the server stops. */
/* needs: http_server websocket */
#include <magpie/http_server.h>
#include <magpie/magpie.h>
#include <magpie/websocket.h>
#include <magpie/websocket_http.h>
#include <stdio.h>

/* Beside a connection: says goodbye when the server stops. */
struct farewell {
	mag_frame frame;
	MAG_ARGS(farewell, mag_http_exchange *http; mag_websocket *ws;);
	int64_t rc;
};

MAG_TASK(farewell)
{
	MAG_BEGIN(farewell);
	MAG_AWAIT(self->rc, mag_event_wait, mag_http_stop_event(self->http));
	if (self->rc == 0)
		MAG_AWAIT(self->rc, mag_websocket_close, self->ws, 1001, "the server stops");
	MAG_RETURN(0);
	MAG_END;
}

/* GET /echo: sends back what it gets. `early` is what has come behind the request. */
struct echo {
	mag_frame frame;
	MAG_ARGS(echo, mag_http_exchange *http; int *open;);
	mag_websocket_answer answer;
	mag_http_upgraded upgraded;
	mag_websocket ws;
	mag_websocket_options options;
	mag_websocket_message message;
	mag_group group;
	int64_t rc, ended;
};

MAG_TASK(echo)
{
	MAG_BEGIN(echo);
	if (mag_websocket_agree(self->http, "echo", NULL, &self->answer) != 101)
		MAG_RETURN(0);
	MAG_AWAIT(self->rc, mag_http_upgrade, self->http, "websocket", &self->upgraded);
	if (self->rc < 0)
		MAG_RETURN(self->rc);
	self->options = (mag_websocket_options){ .size = sizeof self->options, .role = MAG_WEBSOCKET_SERVER,
						 .ahead = self->upgraded.early.at,
						 .ahead_len = self->upgraded.early.length };
	self->rc = mag_websocket_init(&self->ws, &mag_websocket_over_fd, &self->upgraded.fd, &self->options);
	if (self->rc < 0)
		MAG_RETURN(self->rc);
	MAG_GROUP_BEGIN(&self->group);
	MAG_SPAWN(self->rc, &self->group, farewell, .http = self->http, .ws = &self->ws);
	while (self->rc >= 0) {
		MAG_AWAIT(self->rc, mag_websocket_recv, &self->ws, &self->message);
		if (self->rc <= 0)
			break;
		MAG_AWAIT(self->rc, mag_websocket_send, &self->ws, self->message.type, self->message.data,
			  self->message.len);
	}
	mag_group_cancel(&self->group);
	MAG_GROUP_END(self->ended, &self->group);
	printf("the server's end: %s %u\n", self->rc == 0 ? "closed" : mag_strerror(self->rc),
	       mag_websocket_close_code(&self->ws));
	*self->open -= self->rc == 0;
	mag_websocket_fini(&self->ws);
	MAG_RETURN(0);
	MAG_END;
}

/* A client: says something, hears it; then closes, or waits until the server does. */
struct client {
	mag_frame frame;
	MAG_ARGS(client, const mag_addr *addr; mag_event *talked; bool stays;);
	mag_fd fd;
	mag_websocket ws;
	mag_websocket_options options;
	mag_websocket_message message;
	int64_t rc, closed;
};

MAG_TASK(client)
{
	MAG_BEGIN(client);
	MAG_CALL(self->rc, mag_tcp_connect, .addr = self->addr, .fd = &self->fd);
	if (self->rc < 0)
		MAG_RETURN(self->rc);
	self->options = (mag_websocket_options){ .size = sizeof self->options, .role = MAG_WEBSOCKET_CLIENT };
	self->rc = mag_websocket_init(&self->ws, &mag_websocket_over_fd, &self->fd, &self->options);
	if (self->rc == 0)
		MAG_AWAIT(self->rc, mag_websocket_connect, &self->ws, "localhost", "/echo");
	if (self->rc == 0)
		MAG_AWAIT(self->rc, mag_websocket_send, &self->ws, MAG_WEBSOCKET_TEXT, "hello", 5);
	if (self->rc == 0)
		MAG_AWAIT(self->rc, mag_websocket_recv, &self->ws, &self->message);
	if (self->rc == 1)
		printf("a client hears: %.*s\n", (int)self->message.len, self->message.data);
	mag_event_set(self->talked);
	if (self->rc == 1 && !self->stays)
		MAG_AWAIT(self->rc, mag_websocket_close, &self->ws, 1000, "done");
	if (self->rc == 1)
		MAG_AWAIT(self->rc, mag_websocket_recv, &self->ws, &self->message);
	printf("a client's end: %u %s\n", mag_websocket_close_code(&self->ws), mag_websocket_close_reason(&self->ws));
	if (self->stays && mag_websocket_close_code(&self->ws) != 1001)
		self->rc = -1;
	mag_websocket_fini(&self->ws);
	MAG_AWAIT(self->closed, mag_close, self->fd);
	MAG_RETURN(self->rc);
	MAG_END;
}

/* The program: server and clients. */
struct where {
	mag_addr addr;
	mag_event known;
};

static void ready(void *ctx, const mag_addr *at)
{
	struct where *where = ctx;

	where->addr = *at;
	mag_event_set(&where->known);
}

struct program {
	mag_frame frame;
	MAG_NO_ARGS(program);
	mag_http_server *server;
	struct where where;
	mag_event talked;
	mag_group group;
	int open; /* connections that have not been closed well */
	int64_t rc, end;
};

static int64_t build(struct program *self)
{
	const mag_http_server_options options = { .size = sizeof options, .ready = ready, .ctx = &self->where };
	/* a conversation has no deadline: its pings find out who is gone */
	const mag_http_route_options o = { .size = sizeof o, .request_ns = MAG_NEVER };
	mag_addr addr;
	int rc = mag_http_server_create(&options, &self->server);

	if (rc == 0)
		rc = mag_http_server_route_with(self->server, "GET", "/echo", MAG_HTTP_TASK(echo), &self->open, &o);
	mag_addr_parse(&addr, "127.0.0.1:0");
	return rc < 0 ? rc : mag_http_server_listen(self->server, &addr);
}

MAG_TASK(program)
{
	MAG_BEGIN(program);
	self->server = NULL;
	self->open = 2;
	mag_event_init(&self->where.known);
	mag_event_init(&self->talked);
	self->rc = build(self);
	if (self->rc == 0) {
		MAG_GROUP_BEGIN(&self->group);
		MAG_SPAWN(self->rc, &self->group, mag_http_serve, .server = self->server);
		MAG_AWAIT(self->rc, mag_event_wait, &self->where.known);
		if (self->rc == 0)
			MAG_CALL(self->rc, client, .addr = &self->where.addr, .talked = &self->talked, .stays = false);
		mag_event_reset(&self->talked);
		if (self->rc == 0)
			MAG_SPAWN(self->rc, &self->group, client, .addr = &self->where.addr, .talked = &self->talked,
				  .stays = true);
		if (self->rc == 0)
			MAG_AWAIT(self->rc, mag_event_wait, &self->talked);
		mag_http_server_stop(self->server);
		MAG_GROUP_END(self->end, &self->group);
	}
	mag_http_server_destroy(self->server);
	MAG_RETURN(self->rc < 0 ? self->rc : self->open == 0 ? self->end : -1);
	MAG_END;
}

int main(void)
{
	const mag_runtime_options options = { .size = sizeof options, .workers = 1 };

	return mag_run(&options, program) < 0;
}
