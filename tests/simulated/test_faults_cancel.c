/* SPDX-License-Identifier: MIT */
/* test_faults_cancel.c - every fault in turn while operations are cancelled all the time: what came before a cancel is
 * returned, no byte and no connection is lost by one. */
#include <magpie/poll.h>
#include <magpie/receiver.h>
#include <magpie/tcp.h>
#include <magpie/udp.h>

#include "simulated/turns.h"

enum { BYTES = 10, CALLS = 5 };

/* A slow sender, and readers who never wait for long. */

struct sender {
	mag_frame frame;
	MAG_ARGS(sender, mag_fd fd; int64_t * sent;);
	char byte;
	int64_t rc, i, waste;
};

MAG_TASK(sender)
{
	MAG_BEGIN(sender);
	for (self->i = 0; self->i < BYTES; self->i++) {
		self->byte = (char)self->i;
		MAG_AWAIT(self->rc, mag_send, self->fd, &self->byte, 1);
		if (self->rc < 0)
			break;
		++*self->sent;
		MAG_AWAIT(self->waste, mag_sleep, (uint64_t)(1 + self->i % 4) * 20 * MAG_MICROSECOND);
	}
	MAG_AWAIT(self->waste, mag_close, self->fd);
	MAG_RETURN(self->rc);
	MAG_END;
}

enum way { BY_RECV, BY_ALL, BY_BUFFER, BY_RECEIVER, BY_POLL, WAYS };

struct reader {
	mag_frame frame;
	MAG_ARGS(reader, mag_fd fd; uint32_t way; int64_t * got;);
	mag_scope scope;
	mag_receiver receiver;
	mag_buffer buffer;
	char in[8];
	size_t count;
	int64_t rc, why, waste;
	uint32_t tries;
};

/* What a try has brought, whatever it returned. */
static int64_t brought(struct reader *r)
{
	const char *bytes = r->buffer.data ? r->buffer.data : r->in;
	int64_t n = r->way == BY_ALL ? (int64_t)r->count : r->rc > 0 ? r->rc : 0;

	for (int64_t i = 0; i < n; i++)
		mag_sim_assert(bytes[i] == (char)(*r->got + i));
	return n;
}

/* It grows: while memory is out little happens. */
static uint64_t patience(uint32_t tries)
{
	return (tries < 50 ? 1 + tries % 5 : tries) * 15 * MAG_MICROSECOND;
}

/* Returns why it ended: 0 at the end of the stream. */
MAG_TASK(reader)
{
	MAG_BEGIN(reader);
	self->receiver.core = NULL;
	self->rc = self->way == BY_RECEIVER ? mag_receiver_start(&self->receiver, self->fd, NULL) : 1;
	self->tries = 0;
	while (self->rc > 0 || self->rc == MAG_ECANCELED || (self->rc == 0 && !self->tries)) {
		self->buffer = (mag_buffer){ NULL, 0 };
		self->count = 0;
		self->tries++;
		MAG_WITH_TIMEOUT(&self->scope, patience(self->tries));
		if (self->way == BY_POLL) {
			MAG_AWAIT(self->rc, mag_poll, self->fd, POLLIN);
		}
		if (self->way == BY_RECV || (self->way == BY_POLL && self->rc >= 0))
			MAG_AWAIT(self->rc, mag_recv, self->fd, self->in, 3);
		else if (self->way == BY_ALL)
			MAG_AWAIT(self->rc, mag_recv_all, self->fd, self->in, 4, &self->count);
		else if (self->way == BY_BUFFER)
			MAG_AWAIT(self->rc, mag_recv_buffer, self->fd, &self->buffer);
		else if (self->way == BY_RECEIVER)
			MAG_AWAIT(self->rc, mag_receiver_next, &self->receiver, &self->buffer);
		MAG_SCOPE_END(self->why, &self->scope);
		*self->got += brought(self);
		mag_buffer_give(&self->buffer);
	}
	MAG_AWAIT(self->waste, mag_receiver_close, &self->receiver);
	MAG_RETURN(self->rc == MAG_EEOF ? 0 : self->rc);
	MAG_END;
}

struct impatient {
	mag_frame frame;
	MAG_NO_ARGS(impatient);
	mag_fd pair[2];
	mag_group group;
	uint32_t way;
	int64_t rc, waste, sent, got, end;
};

MAG_TASK(impatient)
{
	MAG_BEGIN(impatient);
	for (self->way = 0; self->way < WAYS; self->way++) {
		if (mag_socket_pair(SOCK_STREAM, self->pair) < 0)
			continue;
		self->sent = self->got = 0;
		MAG_GROUP_BEGIN(&self->group, .policy = MAG_COLLECT);
		MAG_SPAWN(self->rc, &self->group, sender, .fd = self->pair[1], .sent = &self->sent);
		if (self->rc < 0)
			MAG_AWAIT(self->waste, mag_close, self->pair[1]);
		MAG_CALL(self->end, reader, .fd = self->pair[0], .way = self->way, .got = &self->got);
		if (self->end < 0) /* the sender must not wait for room */
			mag_group_cancel(&self->group);
		MAG_GROUP_END(self->waste, &self->group);
		mag_group_clear(&self->group);
		/* a result that was lost may have been a byte's; one that is only late, or cancelled, has not lost it */
		mag_sim_assert(self->end < 0 || self->got >= self->sent);
		MAG_AWAIT(self->waste, mag_close, self->pair[0]);
	}
	mag_sim_assert_quiescent();
	MAG_RETURN(0);
	MAG_END;
}

TURNS(faults_cancel, no_byte_is_lost_by_a_cancel, impatient, 1.5)

/* Callers, who stay until they are hung up on, and a door that never waits for long. */

struct caller {
	mag_frame frame;
	MAG_ARGS(caller, const mag_addr *addr; uint64_t ns; int64_t * calls;);
	mag_fd fd;
	char byte;
	int64_t rc, waste;
};

MAG_TASK(caller)
{
	MAG_BEGIN(caller);
	MAG_AWAIT(self->rc, mag_sleep, self->ns);
	MAG_CALL(self->rc, mag_tcp_connect, .addr = self->addr, .fd = &self->fd);
	if (self->rc == 0) {
		++*self->calls;
		MAG_AWAIT(self->rc, mag_recv, self->fd, &self->byte, 1);
		MAG_AWAIT(self->waste, mag_close, self->fd);
	}
	MAG_RETURN(self->rc);
	MAG_END;
}

struct calls {
	mag_frame frame;
	MAG_NO_ARGS(calls);
	mag_addr addr;
	mag_fd listener, fd;
	mag_group group;
	mag_scope scope;
	int64_t rc, i, waste, made, answered, failed;
};

MAG_TASK(calls)
{
	MAG_BEGIN(calls);
	mag_addr_parse(&self->addr, "127.0.0.1:0");
	self->made = self->answered = self->failed = 0;
	self->rc = mag_tcp_listen(&self->addr, NULL, &self->listener);
	if (self->rc < 0)
		MAG_RETURN(0);
	self->rc = mag_fd_local_addr(self->listener, &self->addr);
	MAG_GROUP_BEGIN(&self->group, .policy = MAG_COLLECT);
	for (self->i = 0; self->i < CALLS && self->rc == 0; self->i++)
		MAG_SPAWN(self->waste, &self->group, caller, .addr = &self->addr, .calls = &self->made,
			  .ns = (uint64_t)self->i * 70 * MAG_MICROSECOND);
	for (self->i = 0; self->i < 60; self->i++) {
		MAG_WITH_TIMEOUT(&self->scope, (uint64_t)(1 + self->i % 7) * 25 * MAG_MICROSECOND);
		MAG_AWAIT(self->rc, mag_accept, self->listener, &self->fd, NULL);
		MAG_SCOPE_END(self->waste, &self->scope);
		mag_sim_assert((self->rc == 0) == (self->fd.generation != 0));
		self->failed += self->rc < 0 && self->rc != MAG_ECANCELED;
		if (self->rc < 0)
			continue;
		self->answered++;
		MAG_AWAIT(self->rc, mag_close, self->fd);
	}
	/* what still waits in the backlog is hung up on with it */
	MAG_AWAIT(self->rc, mag_close, self->listener);
	MAG_GROUP_END(self->waste, &self->group);
	mag_group_clear(&self->group);
	mag_sim_assert(self->answered <= self->made + (turns_again ? CALLS : 1));
	mag_sim_assert_quiescent();
	MAG_RETURN(0);
	MAG_END;
}

TURNS(faults_cancel, no_connection_is_lost_by_a_cancel, calls, 1.0)
