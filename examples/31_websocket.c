/* SPDX-License-Identifier: MIT */
/* 31_websocket.c - a room: what one client says all of them hear. Each connection has a task that receives and one that sends;
 * between them is a broadcast, so that a slow client misses something instead of holding up the others. */
/* needs: websocket */
#include <errno.h>
#include <magpie/magpie.h>
#include <magpie/tcp.h>
#include <magpie/websocket.h>
#include <stdio.h>
#include <string.h>

enum { CLIENTS = 4, LINES = 3, LINE_MAX = 120, KEPT = 64 };

struct line {
	uint32_t len;
	char text[LINE_MAX];
};

struct room {
	mag_broadcast lines;
};

/* To the client: all that is said, until the connection closes. */
struct speak {
	mag_frame frame;
	MAG_ARGS(speak, mag_websocket *ws; mag_broadcast_receiver *ear;);
	struct line line;
	int64_t rc;
};

MAG_TASK(speak)
{
	MAG_BEGIN(speak);
	do {
		MAG_AWAIT(self->rc, mag_broadcast_recv, self->ear, &self->line);
		if (self->rc == 0)
			MAG_AWAIT(self->rc, mag_websocket_send, self->ws, MAG_WEBSOCKET_TEXT, self->line.text,
				  self->line.len);
	} while (self->rc >= 0); /* above 0: so many were missed */
	MAG_RETURN(0);
	MAG_END;
}

/* One connection, from its handshake to its close. */
struct serve {
	mag_frame frame;
	MAG_ARGS(serve, struct room *room; mag_fd fd;);
	mag_websocket ws;
	mag_websocket_options options;
	mag_websocket_message message;
	mag_broadcast_receiver ear;
	mag_group group;
	struct line line;
	int64_t rc, ended;
};

MAG_TASK(serve)
{
	MAG_BEGIN(serve);
	self->options = (mag_websocket_options){ .size = sizeof self->options, .role = MAG_WEBSOCKET_SERVER,
						 .message_max = LINE_MAX };
	self->ear.broadcast = NULL;
	self->rc = mag_websocket_init(&self->ws, &mag_websocket_over_fd, &self->fd, &self->options);
	if (self->rc == 0)
		self->rc = mag_broadcast_subscribe(&self->room->lines, &self->ear);
	if (self->rc == 0)
		MAG_AWAIT(self->rc, mag_websocket_accept, &self->ws, NULL, 0);
	if (self->rc == 0) {
		MAG_GROUP_BEGIN(&self->group);
		MAG_SPAWN(self->rc, &self->group, speak, .ws = &self->ws, .ear = &self->ear);
		while (self->rc >= 0) {
			MAG_AWAIT(self->rc, mag_websocket_recv, &self->ws, &self->message);
			if (self->rc <= 0)
				break;
			self->line.len = (uint32_t)self->message.len;
			memcpy(self->line.text, self->message.data, self->message.len);
			mag_broadcast_send(&self->room->lines, &self->line);
		}
		mag_group_cancel(&self->group);
		MAG_GROUP_END(self->ended, &self->group);
	}
	if (self->rc < 0)
		fprintf(stderr, "a connection ends: %s %s\n", mag_strerror(self->rc), mag_websocket_why(&self->ws));
	mag_broadcast_unsubscribe(&self->ear);
	mag_websocket_fini(&self->ws);
	MAG_AWAIT(self->ended, mag_close, self->fd);
	MAG_RETURN(0);
	MAG_END;
}

/* Takes so many connections. */
struct server {
	mag_frame frame;
	MAG_ARGS(server, struct room *room; mag_fd listener; int connections;);
	mag_group group;
	mag_fd fd;
	int64_t rc, joined;
	int i;
};

MAG_TASK(server)
{
	MAG_BEGIN(server);
	MAG_GROUP_BEGIN(&self->group, .policy = MAG_COLLECT);
	for (self->i = 0; self->i < self->connections; self->i++) {
		MAG_AWAIT(self->rc, mag_accept, self->listener, &self->fd, NULL);
		if (self->rc < 0)
			break;
		MAG_SPAWN(self->rc, &self->group, serve, .room = self->room, .fd = self->fd);
	}
	MAG_GROUP_END(self->joined, &self->group);
	MAG_RETURN(self->rc < 0 ? self->rc : self->joined);
	MAG_END;
}

/* Says some lines when all are there, hears those of all, and closes. */
struct client {
	mag_frame frame;
	MAG_ARGS(client, const mag_addr *addr; mag_barrier *all; int number; int *heard;);
	mag_fd fd;
	mag_websocket ws;
	mag_websocket_options options;
	mag_websocket_message message;
	char text[LINE_MAX];
	int64_t rc, closed;
	int i;
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
		MAG_AWAIT(self->rc, mag_websocket_connect, &self->ws, "localhost", "/room");
	if (self->rc == 0)
		MAG_AWAIT(self->rc, mag_barrier_wait, self->all);
	for (self->i = 0; self->i < LINES && self->rc >= 0; self->i++) {
		snprintf(self->text, sizeof self->text, "client %d says %d", self->number, self->i);
		MAG_AWAIT(self->rc, mag_websocket_send, &self->ws, MAG_WEBSOCKET_TEXT, self->text, strlen(self->text));
	}
	while (*self->heard < CLIENTS * LINES && self->rc >= 0) {
		MAG_AWAIT(self->rc, mag_websocket_recv, &self->ws, &self->message);
		if (self->rc <= 0)
			break;
		++*self->heard;
	}
	if (self->rc > 0)
		MAG_AWAIT(self->rc, mag_websocket_close, &self->ws, 1000, "good night");
	mag_websocket_fini(&self->ws);
	MAG_AWAIT(self->closed, mag_close, self->fd);
	MAG_RETURN(self->rc);
	MAG_END;
}

struct both {
	mag_frame frame;
	MAG_NO_ARGS(both);
	struct room room;
	mag_barrier all;
	mag_fd listener;
	mag_addr addr;
	mag_group group;
	int heard[CLIENTS];
	int64_t rc, ended, closed;
	int i;
};

MAG_TASK(both)
{
	MAG_BEGIN(both);
	memset(self->heard, 0, sizeof self->heard);
	mag_barrier_init(&self->all, CLIENTS);
	self->rc = mag_broadcast_init(&self->room.lines, KEPT, sizeof(struct line));
	if (self->rc == 0)
		self->rc = mag_addr_parse(&self->addr, "127.0.0.1:0");
	if (self->rc == 0)
		self->rc = mag_tcp_listen(&self->addr, NULL, &self->listener);
	if (self->rc == 0)
		self->rc = mag_fd_local_addr(self->listener, &self->addr);
	if (self->rc < 0)
		MAG_RETURN(self->rc);
	MAG_GROUP_BEGIN(&self->group);
	MAG_SPAWN(self->rc, &self->group, server, .room = &self->room, .listener = self->listener,
		  .connections = CLIENTS);
	for (self->i = 0; self->i < CLIENTS && self->rc == 0; self->i++)
		MAG_SPAWN(self->rc, &self->group, client, .addr = &self->addr, .all = &self->all, .number = self->i,
			  .heard = &self->heard[self->i]);
	MAG_GROUP_END(self->ended, &self->group);
	MAG_AWAIT(self->closed, mag_close, self->listener);
	for (int i = 0; i < CLIENTS; i++)
		printf("client %d has heard %d lines\n", i, self->heard[i]);
	mag_broadcast_fini(&self->room.lines);
	mag_barrier_fini(&self->all);
	MAG_RETURN(self->rc < 0 ? self->rc : self->ended);
	MAG_END;
}

int main(void)
{
	int64_t rc = mag_run(NULL, both);

	if (rc < 0)
		fprintf(stderr, "31_websocket: %s %s\n", mag_strerror(rc), mag_runtime_why());
	return rc < 0;
}
