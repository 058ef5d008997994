/* SPDX-License-Identifier: MIT */
/* test_faults_net.c - every fault in turn: connections, datagrams, names. */
#include <magpie/acceptor.h>
#include <magpie/receiver.h>
#include <magpie/resolve.h>
#include <magpie/tcp.h>
#include <magpie/udp.h>
#include <magpie/unix.h>

#include "simulated/turns.h"

enum { WORD = 8, CLIENTS = 4, WORDS = 2 };

struct house {
	mag_group *guests;
	mag_addr addr;
	int64_t shut;  /* why the door gives up by itself */
	uint32_t late; /* clients that waited in vain */
	bool over;
};

/* What was said so far is said back, in one of three ways. */

struct guest {
	mag_frame frame;
	MAG_ARGS(guest, mag_fd fd; uint32_t way;);
	mag_receiver receiver;
	mag_buffer buffer;
	char buf[WORD];
	int64_t rc, waste;
};

MAG_TASK(guest)
{
	MAG_BEGIN(guest);
	self->receiver.core = NULL;
	self->buffer = (mag_buffer){ NULL, 0 };
	if (self->way == 2) {
		self->rc = mag_receiver_start(&self->receiver, self->fd, NULL);
		if (self->rc < 0)
			self->way = 0;
	}
	do {
		if (self->way == 0) {
			MAG_AWAIT(self->rc, mag_recv, self->fd, self->buf, WORD);
			if (self->rc > 0)
				MAG_AWAIT(self->rc, mag_send_all, self->fd, self->buf, (size_t)self->rc);
			continue;
		}
		if (self->way == 1)
			MAG_AWAIT(self->rc, mag_recv_buffer, self->fd, &self->buffer);
		else
			MAG_AWAIT(self->rc, mag_receiver_next, &self->receiver, &self->buffer);
		mag_sim_assert((self->rc > 0) == (self->buffer.data != NULL));
		if (self->rc > 0)
			MAG_AWAIT(self->rc, mag_send_all, self->fd, self->buffer.data, self->buffer.len);
		mag_buffer_give(&self->buffer);
	} while (self->rc > 0);
	MAG_AWAIT(self->waste, mag_receiver_close, &self->receiver);
	MAG_AWAIT(self->waste, mag_close, self->fd);
	mag_ledger_add("guests", -1);
	MAG_RETURN(0);
	MAG_END;
}

struct door {
	mag_frame frame;
	MAG_ARGS(door, struct house *house; mag_fd listener; bool many;);
	mag_acceptor acceptor;
	mag_fd fd;
	mag_addr peer;
	int64_t rc, waste;
	uint32_t way;
	bool started;
};

static bool passes(int64_t rc)
{
	return rc == -ECONNABORTED || rc == -EMFILE || rc == -ENFILE || rc == -ENOMEM || rc == -ENOBUFS ||
	       rc == -EPROTO || rc == -EPERM || rc == -EAGAIN;
}

MAG_TASK(door)
{
	MAG_BEGIN(door);
	self->way = 0;
	self->rc = self->many ? mag_acceptor_start(&self->acceptor, self->listener, NULL) : 0;
	self->started = self->rc >= 0;
	while (self->rc >= 0) {
		if (self->many)
			MAG_AWAIT(self->rc, mag_acceptor_next, &self->acceptor, &self->fd);
		else
			MAG_AWAIT(self->rc, mag_accept, self->listener, &self->fd, &self->peer);
		if (passes(self->rc) && !self->many) {
			MAG_AWAIT(self->rc, mag_sleep, MAG_MILLISECOND);
			continue;
		}
		if (self->rc < 0)
			break;
		mag_ledger_add("guests", 1);
		MAG_SPAWN(self->rc, self->house->guests, guest, .fd = self->fd, .way = self->way++ % 3);
		if (self->rc < 0) {
			MAG_AWAIT(self->waste, mag_close, self->fd);
			mag_ledger_add("guests", -1);
		}
		self->rc = 0;
	}
	if (self->many)
		MAG_AWAIT(self->waste, mag_acceptor_close, &self->acceptor);
	mag_sim_assert(self->house->over || !self->many || !self->started); /* it goes on by itself */
	if (!self->house->over)
		self->house->shut = self->rc;
	MAG_RETURN(0);
	MAG_END;
}

/* Says some words and hears them again: 0, or an error. */
struct client {
	mag_frame frame;
	MAG_ARGS(client, struct house *house; const mag_addr *addr;);
	mag_scope scope;
	mag_fd fd;
	char out[WORD], in[WORD];
	size_t count;
	int64_t rc, i, waste, why;
};

MAG_TASK(client)
{
	MAG_BEGIN(client);
	mag_ledger_add("clients", 1);
	MAG_WITH_TIMEOUT(&self->scope, 20 * MAG_SECOND);
	if (self->addr->len && mag_addr_port(self->addr) >= 0)
		MAG_CALL(self->rc, mag_tcp_connect, .addr = self->addr, .fd = &self->fd);
	else
		MAG_CALL(self->rc, mag_unix_connect, .addr = self->addr, .fd = &self->fd);
	if (self->rc == 0) {
		for (self->i = 0; self->i < WORDS && self->rc >= 0; self->i++) {
			memset(self->out, 'a' + (int)self->i, WORD);
			MAG_AWAIT(self->rc, mag_send_all, self->fd, self->out, WORD);
			if (self->rc < 0)
				break;
			MAG_AWAIT(self->rc, mag_recv_all, self->fd, self->in, WORD, &self->count);
			mag_sim_assert(self->rc < 0 || (self->rc == WORD && self->count == WORD));
			mag_sim_assert(memcmp(self->in, self->out, self->count) == 0);
		}
		if (self->rc >= 0)
			MAG_AWAIT(self->waste, mag_shutdown, self->fd, SHUT_WR);
		MAG_AWAIT(self->waste, mag_close, self->fd);
	}
	MAG_SCOPE_END(self->why, &self->scope);
	mag_ledger_add("clients", -1);
	self->house->late += self->why == MAG_ETIMEDOUT && self->rc < 0;
	MAG_RETURN(self->rc < 0 ? self->rc : 0);
	MAG_END;
}

struct serve {
	mag_frame frame;
	MAG_ARGS(serve, mag_fd listener; const mag_addr *addr; bool many;);
	struct house house;
	mag_group doors, guests, clients;
	int64_t rc, i, waste;
};

/* One fault can be met by one client: three in a row are not refused. */
MAG_TASK(serve)
{
	MAG_BEGIN(serve);
	self->house = (struct house){ .guests = &self->guests };
	MAG_GROUP_BEGIN(&self->guests, .policy = MAG_COLLECT);
	MAG_GROUP_BEGIN(&self->doors, .policy = MAG_COLLECT);
	MAG_SPAWN(self->rc, &self->doors, door, .house = &self->house, .listener = self->listener, .many = self->many);
	if (self->rc == 0) {
		MAG_GROUP_BEGIN(&self->clients, .policy = MAG_COLLECT);
		for (self->i = 0; self->i < CLIENTS; self->i++)
			MAG_SPAWN(self->waste, &self->clients, client, .house = &self->house, .addr = self->addr);
		MAG_GROUP_END(self->waste, &self->clients);
		mag_group_clear(&self->clients);
		for (self->i = 0; self->i < 3 && !self->house.shut; self->i++) {
			MAG_CALL(self->rc, client, .house = &self->house, .addr = self->addr);
			if (self->rc == 0)
				break;
		}
		mag_sim_assert((self->rc == 0 && !self->house.late) || self->house.shut || turns_again);
	}
	self->house.over = true;
	mag_group_cancel(&self->doors);
	MAG_GROUP_END(self->waste, &self->doors);
	mag_group_clear(&self->doors);
	mag_group_cancel(&self->guests);
	MAG_GROUP_END(self->waste, &self->guests);
	mag_group_clear(&self->guests);
	MAG_RETURN(0);
	MAG_END;
}

struct echo {
	mag_frame frame;
	MAG_NO_ARGS(echo);
	mag_fd listener;
	mag_addr addr;
	int64_t rc, i;
};

MAG_TASK(echo)
{
	MAG_BEGIN(echo);
	for (self->i = 0; self->i < 2; self->i++) {
		self->rc = mag_addr_parse(&self->addr, "127.0.0.1:0");
		if (self->rc == 0)
			self->rc = mag_tcp_listen(&self->addr, NULL, &self->listener);
		if (self->rc < 0)
			continue;
		self->rc = mag_fd_local_addr(self->listener, &self->addr);
		if (self->rc == 0)
			MAG_CALL(self->rc, serve, .listener = self->listener, .addr = &self->addr, .many = self->i);
		MAG_AWAIT(self->rc, mag_close, self->listener);
	}
	mag_sim_assert_quiescent();
	MAG_RETURN(0);
	MAG_END;
}

TURNS(faults_net, a_server_serves_on, echo, 1.5)

struct echo_unix {
	mag_frame frame;
	MAG_NO_ARGS(echo_unix);
	mag_fd listener;
	mag_addr addr;
	int64_t rc;
};

MAG_TASK(echo_unix)
{
	MAG_BEGIN(echo_unix);
	mag_addr_unix(&self->addr, "/tmp/door");
	self->rc = mag_unix_listen(&self->addr, 0, &self->listener);
	if (self->rc == 0) {
		MAG_CALL(self->rc, serve, .listener = self->listener, .addr = &self->addr, .many = true);
		MAG_AWAIT(self->rc, mag_close, self->listener);
	}
	mag_sim_assert_quiescent();
	MAG_RETURN(0);
	MAG_END;
}

TURNS(faults_net, a_unix_server_serves_on, echo_unix, 1.0)

/* Datagrams back and forth: some may be lost, none may be half. */

struct parrot {
	mag_frame frame;
	MAG_ARGS(parrot, mag_fd fd;);
	mag_datagram d;
	char buf[64];
	int64_t rc, waste;
};

MAG_TASK(parrot)
{
	MAG_BEGIN(parrot);
	do {
		self->d = (mag_datagram){ .data = self->buf, .len = sizeof(self->buf) };
		MAG_AWAIT(self->rc, mag_datagram_recv, self->fd, &self->d);
		if (self->rc < 0) {
			MAG_AWAIT(self->waste, mag_sleep, 20 * MAG_MILLISECOND);
			continue;
		}
		self->d.len = (size_t)self->rc;
		MAG_AWAIT(self->rc, mag_datagram_send, self->fd, &self->d);
	} while (self->rc != MAG_ECANCELED && self->rc != MAG_ECLOSED);
	MAG_RETURN(0);
	MAG_END;
}

struct datagrams {
	mag_frame frame;
	MAG_NO_ARGS(datagrams);
	mag_fd server, client;
	mag_addr addr;
	mag_group group;
	mag_scope scope;
	char out[16], in[16];
	int64_t rc, i, waste;
};

MAG_TASK(datagrams)
{
	MAG_BEGIN(datagrams);
	self->server = self->client = MAG_FD_NONE;
	self->rc = mag_addr_parse(&self->addr, "127.0.0.1:0");
	if (self->rc == 0)
		self->rc = mag_udp_bind(&self->addr, &self->server);
	if (self->rc == 0)
		self->rc = mag_fd_local_addr(self->server, &self->addr);
	if (self->rc == 0)
		self->rc = mag_udp_connect(&self->addr, &self->client);
	if (self->rc == 0) {
		MAG_GROUP_BEGIN(&self->group, .policy = MAG_COLLECT);
		MAG_SPAWN(self->rc, &self->group, parrot, .fd = self->server);
		for (self->i = 0; self->i < 4 && self->rc >= 0; self->i++) {
			memset(self->out, 'a' + (int)self->i, sizeof(self->out));
			MAG_WITH_TIMEOUT(&self->scope, MAG_SECOND);
			MAG_AWAIT(self->rc, mag_send, self->client, self->out, sizeof(self->out));
			if (self->rc >= 0)
				MAG_AWAIT(self->rc, mag_recv, self->client, self->in, sizeof(self->in));
			mag_sim_assert(self->rc < 0 || self->rc == sizeof(self->in));
			MAG_SCOPE_END(self->waste, &self->scope);
			if (self->waste == MAG_ETIMEDOUT)
				self->rc = 0;
		}
		mag_group_cancel(&self->group);
		MAG_GROUP_END(self->waste, &self->group);
		mag_group_clear(&self->group);
	}
	if (self->client.generation)
		MAG_AWAIT(self->waste, mag_close, self->client);
	if (self->server.generation)
		MAG_AWAIT(self->waste, mag_close, self->server);
	mag_sim_assert_quiescent();
	MAG_RETURN(0);
	MAG_END;
}

TURNS(faults_net, datagrams_come_whole_or_not_at_all, datagrams, 0.7)

/* A name is looked up, and its addresses are tried. */

struct dial {
	mag_frame frame;
	MAG_NO_ARGS(dial);
	mag_addr addr, addrs[4];
	mag_fd listener, fd, other;
	mag_fd pair[2];
	mag_scope scope;
	int64_t rc, waste;
};

MAG_TASK(dial)
{
	MAG_BEGIN(dial);
	self->listener = self->fd = MAG_FD_NONE;
	MAG_CALL(self->rc, mag_resolve, .name = "example.org", .service = "443", .addrs = self->addrs, .max = 4);
	mag_sim_assert(self->rc != 0);
	MAG_WITH_TIMEOUT(&self->scope, 50 * MAG_MICROSECOND);
	MAG_CALL(self->rc, mag_resolve, .name = "example.com", .service = "80", .addrs = self->addrs, .max = 4);
	MAG_SCOPE_END(self->rc, &self->scope);
	self->rc = mag_addr_parse(&self->addr, "127.0.0.1:4000");
	if (self->rc == 0)
		self->rc = mag_tcp_listen(&self->addr, NULL, &self->listener);
	if (self->rc == 0) {
		MAG_CALL(self->rc, mag_tcp_dial, .host = "localhost", .service = "4000", .fd = &self->fd);
		mag_sim_assert((self->rc == 0) == (self->fd.generation != 0));
		if (self->rc == 0) {
			MAG_WITH_TIMEOUT(&self->scope, MAG_SECOND);
			MAG_AWAIT(self->rc, mag_accept, self->listener, &self->other, NULL);
			MAG_SCOPE_END(self->waste, &self->scope);
			if (self->rc == 0)
				MAG_AWAIT(self->waste, mag_close, self->other);
			MAG_AWAIT(self->waste, mag_close, self->fd);
		}
		MAG_AWAIT(self->waste, mag_close, self->listener);
	}
	if (mag_socket_pair(SOCK_STREAM, self->pair) == 0) {
		MAG_AWAIT(self->waste, mag_close, self->pair[0]);
		MAG_AWAIT(self->waste, mag_close, self->pair[1]);
	}
	MAG_AWAIT(self->rc, mag_sleep, MAG_SECOND); /* an abandoned lookup ends by itself */
	mag_sim_assert_quiescent();
	MAG_RETURN(0);
	MAG_END;
}

TURNS(faults_net, a_name_is_dialled_or_an_error, dial, 0.7)
