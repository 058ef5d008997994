/* SPDX-License-Identifier: MIT */
/* test_sim_net.c - programs that talk to each other in the simulator's network. */
#include <criterion/criterion.h>

#include <errno.h>
#include <magpie/acceptor.h>
#include <magpie/magpie.h>
#include <magpie/receiver.h>
#include <magpie/resolve.h>
#include <magpie/sim.h>
#include <magpie/tcp.h>
#include <magpie/udp.h>
#include <stdlib.h>
#include <string.h>

enum { SEEDS = 300, CLIENTS = 3, BYTES = 9000 };

static uint8_t byte_at(size_t client, size_t i)
{
	return (uint8_t)(client * 31 + i * 7 + (i >> 8));
}

/* Echoes until the end. */
struct serve {
	mag_frame frame;
	MAG_ARGS(serve, mag_fd fd;);
	int64_t n, closed;
	char buf[1000];
};

MAG_TASK(serve)
{
	MAG_BEGIN(serve);
	do {
		MAG_AWAIT(self->n, mag_recv, self->fd, self->buf, sizeof(self->buf));
		if (self->n > 0)
			MAG_AWAIT(self->n, mag_send_all, self->fd, self->buf, (size_t)self->n);
	} while (self->n > 0);
	MAG_AWAIT(self->closed, mag_close, self->fd);
	MAG_RETURN(0);
	MAG_END;
}

/* The same with buffers that the ring picks. */
struct serve_buffers {
	mag_frame frame;
	MAG_ARGS(serve_buffers, mag_fd fd;);
	mag_receiver receiver;
	mag_buffer buffer;
	int64_t n, closed;
};

MAG_TASK(serve_buffers)
{
	MAG_BEGIN(serve_buffers);
	self->n = mag_receiver_start(&self->receiver, self->fd, NULL);
	while (self->n >= 0) {
		MAG_AWAIT(self->n, mag_receiver_next, &self->receiver, &self->buffer);
		if (self->n <= 0)
			break;
		MAG_AWAIT(self->n, mag_send_all, self->fd, self->buffer.data, self->buffer.len);
		mag_buffer_give(&self->buffer);
	}
	MAG_AWAIT(self->closed, mag_receiver_close, &self->receiver);
	MAG_AWAIT(self->closed, mag_close, self->fd);
	MAG_RETURN(0);
	MAG_END;
}

struct server {
	mag_frame frame;
	MAG_ARGS(server, mag_fd listener;);
	mag_acceptor acceptor;
	mag_group group;
	mag_fd fd;
	int64_t rc, joined, closed, count;
};

MAG_TASK(server)
{
	MAG_BEGIN(server);
	self->rc = mag_acceptor_start(&self->acceptor, self->listener, NULL);
	if (self->rc < 0) { /* who has connected is told */
		MAG_AWAIT(self->closed, mag_close, self->listener);
		MAG_RETURN(0);
	}
	MAG_GROUP_BEGIN(&self->group, .policy = MAG_COLLECT);
	for (self->count = 0;; self->count++) {
		MAG_AWAIT(self->rc, mag_acceptor_next, &self->acceptor, &self->fd);
		if (self->rc < 0)
			break;
		if (self->count % 2)
			MAG_SPAWN(self->rc, &self->group, serve_buffers, .fd = self->fd);
		else
			MAG_SPAWN(self->rc, &self->group, serve, .fd = self->fd);
		if (self->rc < 0)
			MAG_AWAIT(self->closed, mag_close, self->fd);
	}
	MAG_AWAIT(self->closed, mag_acceptor_close, &self->acceptor);
	MAG_GROUP_END(self->joined, &self->group);
	MAG_RETURN(0);
	MAG_END;
}

struct shout {
	mag_frame frame;
	MAG_ARGS(shout, mag_fd fd; size_t id;);
	int64_t rc;
	uint8_t out[BYTES];
};

MAG_TASK(shout)
{
	MAG_BEGIN(shout);
	for (size_t i = 0; i < BYTES; i++)
		self->out[i] = byte_at(self->id, i);
	MAG_AWAIT(self->rc, mag_send_all, self->fd, self->out, BYTES);
	MAG_RETURN(self->rc);
	MAG_END;
}

/* Sends and receives at the same time; what comes is what was sent, or a beginning of that. */
struct client {
	mag_frame frame;
	MAG_ARGS(client, const char *host; mag_addr to; size_t id; bool must;);
	mag_group group;
	mag_scope scope;
	mag_fd fd;
	int64_t rc, sent, closed;
	size_t got;
	uint8_t in[BYTES];
};

MAG_TASK(client)
{
	MAG_BEGIN(client);
	MAG_CALL(self->rc, mag_tcp_connect, .addr = &self->to, .fd = &self->fd);
	if (self->rc < 0 && !self->must)
		MAG_RETURN(0);
	mag_sim_assert(self->rc == 0);
	MAG_GROUP_BEGIN(&self->group, .policy = MAG_COLLECT);
	MAG_SPAWN(self->sent, &self->group, shout, .fd = self->fd, .id = self->id);
	self->rc = self->sent;
	if (self->sent == 0) {
		MAG_WITH_TIMEOUT(&self->scope, 60 * MAG_SECOND); /* the sender may have found no memory */
		MAG_AWAIT(self->rc, mag_recv_all, self->fd, self->in, BYTES, &self->got);
		MAG_SCOPE_END(self->closed, &self->scope);
	}
	for (size_t i = 0; self->sent == 0 && i < self->got; i++)
		mag_sim_assert(self->in[i] == byte_at(self->id, i));
	if (self->rc < 0) /* its sender may wait for ever */
		MAG_AWAIT(self->closed, mag_shutdown, self->fd, SHUT_RDWR);
	MAG_GROUP_END(self->sent, &self->group);
	mag_sim_assert(!self->must || self->rc == BYTES);
	MAG_AWAIT(self->closed, mag_close, self->fd);
	MAG_RETURN(0);
	MAG_END;
}

struct everybody {
	mag_frame frame;
	MAG_ARGS(everybody, const char *address; bool must;);
	mag_group group, servers;
	mag_fd listener;
	mag_addr addr;
	int64_t rc, i, closed, joined;
};

MAG_TASK(everybody)
{
	MAG_BEGIN(everybody);
	self->rc = mag_addr_parse(&self->addr, self->address);
	mag_sim_assert(self->rc == 0);
	self->rc = mag_tcp_listen(&self->addr, NULL, &self->listener);
	if (self->rc < 0 && !self->must)
		MAG_RETURN(0);
	mag_sim_assert(self->rc == 0 && mag_fd_local_addr(self->listener, &self->addr) == 0);
	MAG_GROUP_BEGIN(&self->servers, .policy = MAG_COLLECT);
	MAG_SPAWN(self->rc, &self->servers, server, .listener = self->listener);
	MAG_GROUP_BEGIN(&self->group, .policy = MAG_COLLECT);
	for (self->i = 0; self->rc == 0 && self->i < CLIENTS; self->i++)
		MAG_SPAWN(self->rc, &self->group, client, .to = self->addr, .id = (size_t)self->i, .must = self->must);
	MAG_GROUP_END(self->joined, &self->group);
	MAG_AWAIT(self->closed, mag_close, self->listener);
	MAG_GROUP_END(self->joined, &self->servers);
	mag_sim_assert_quiescent();
	MAG_RETURN(0);
	MAG_END;
}

static void run_many(const char *address, uint32_t faults, bool must)
{
	mag_sim_options options = { .size = sizeof(options), .faults = faults,
				    .quiet = faults & MAG_SIM_MEMORY };
	uint64_t seeds = getenv("SIM_SEEDS") ? strtoull(getenv("SIM_SEEDS"), NULL, 0) : SEEDS;

	for (uint64_t seed = 1; seed <= seeds; seed++) {
		int64_t rc = mag_sim_run(seed, &options, everybody, .address = address, .must = must);

		/* no memory or no thread to begin with */
		cr_assert(rc == 0 || ((rc == -ENOMEM || rc == -EAGAIN) && !must), "seed %llu: %lld",
			  (unsigned long long)seed, (long long)rc);
	}
}

Test(sim_net, mild_faults_are_not_noticed, .timeout = 6000)
{
	run_many("127.0.0.1:0", MAG_SIM_MILD, true);
}

Test(sim_net, ipv6_is_a_network_too, .timeout = 6000)
{
	run_many("[::1]:0", MAG_SIM_MILD, true);
}

Test(sim_net, a_bad_network_loses_the_end_and_never_the_middle, .timeout = 6000)
{
	run_many("127.0.0.1:0", MAG_SIM_ALL & ~MAG_SIM_MEMORY, false);
}

Test(sim_net, without_memory_nothing_leaks, .timeout = 6000)
{
	run_many("127.0.0.1:0", MAG_SIM_ALL, false);
}
