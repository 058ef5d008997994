/* SPDX-License-Identifier: MIT */
/* test_sim_mixed.c - files, datagrams, names and sendfile in the simulator, under deadlines that cut anything off
 * anywhere. Whatever goes wrong, nothing is left over. */
#include <criterion/criterion.h>

#include <errno.h>
#include <magpie/magpie.h>
#include <magpie/resolve.h>
#include <magpie/sendfile.h>
#include <magpie/sim.h>
#include <magpie/tcp.h>
#include <magpie/udp.h>
#include <magpie/unix.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SEEDS = 300, ROUNDS = 3, SIZE = 20000 };

/* Writes a file, reads it back: what comes is what was written, unless an error says why not. */
struct files {
	mag_frame frame;
	MAG_ARGS(files, const char *path; bool must;);
	mag_scope scope;
	int64_t rc, timed, closed;
	char *data;
	char bytes[SIZE];
};

MAG_TASK(files)
{
	MAG_BEGIN(files);
	memset(self->bytes, 'f', SIZE);
	MAG_WITH_TIMEOUT(&self->scope, self->must ? MAG_SECOND * 100 : 3 * MAG_MILLISECOND);
	MAG_CALL(self->rc, mag_write_file, .path = self->path, .data = self->bytes, .length = SIZE, .mode = 0600,
		 .sync = true);
	mag_sim_assert(!self->must || self->rc == 0);
	if (self->rc == 0) {
		MAG_CALL(self->rc, mag_read_file, .path = self->path, .limit = SIZE, .data = &self->data);
		mag_sim_assert(self->rc < 0 || (self->rc == SIZE && !memcmp(self->data, self->bytes, SIZE)));
		mag_sim_assert(!self->must || self->rc == SIZE);
		if (self->rc >= 0)
			mag_free(self->data);
	}
	MAG_SCOPE_END(self->timed, &self->scope);
	MAG_AWAIT(self->rc, mag_unlink, self->path);
	mag_sim_assert(!self->must || self->rc == 0);
	MAG_RETURN(0);
	MAG_END;
}

struct datagrams {
	mag_frame frame;
	MAG_NO_ARGS(datagrams);
	mag_scope scope;
	mag_fd a, b;
	mag_addr addr;
	mag_datagram out, in;
	int64_t rc, i, timed, closed;
	char text[8], got[8];
};

MAG_TASK(datagrams)
{
	MAG_BEGIN(datagrams);
	mag_addr_parse(&self->addr, "127.0.0.1:0");
	self->rc = mag_udp_bind(&self->addr, &self->a);
	if (self->rc < 0)
		MAG_RETURN(0);
	mag_fd_local_addr(self->a, &self->addr);
	self->rc = mag_udp_connect(&self->addr, &self->b);
	if (self->rc == 0) {
		memcpy(self->text, "datagram", 8);
		self->out = (mag_datagram){ .data = self->text, .len = 8 };
		self->in = (mag_datagram){ .data = self->got, .len = 8 };
		for (self->i = 0; self->i < ROUNDS; self->i++) {
			MAG_AWAIT(self->rc, mag_datagram_send, self->b, &self->out);
			MAG_WITH_TIMEOUT(&self->scope, 20 * MAG_MILLISECOND);
			MAG_AWAIT(self->rc, mag_datagram_recv, self->a, &self->in);
			mag_sim_assert(self->rc < 0 || (self->rc == 8 && !memcmp(self->got, "datagram", 8)));
			MAG_SCOPE_END(self->timed, &self->scope);
		}
		MAG_AWAIT(self->closed, mag_close, self->b);
	}
	MAG_AWAIT(self->closed, mag_close, self->a);
	MAG_RETURN(0);
	MAG_END;
}

/* Sends a file to whoever connects. */
struct give_file {
	mag_frame frame;
	MAG_ARGS(give_file, mag_fd listener; const char *path;);
	mag_fd fd, file;
	int64_t rc, closed;
};

MAG_TASK(give_file)
{
	MAG_BEGIN(give_file);
	MAG_AWAIT(self->rc, mag_accept, self->listener, &self->fd, NULL);
	if (self->rc < 0)
		MAG_RETURN(0);
	MAG_AWAIT(self->rc, mag_open, self->path, O_RDONLY, 0, &self->file);
	if (self->rc == 0) {
		MAG_CALL(self->rc, mag_sendfile, .to = self->fd, .file = self->file, .length = SIZE);
		MAG_AWAIT(self->closed, mag_close, self->file);
	}
	MAG_AWAIT(self->closed, mag_close, self->fd);
	MAG_RETURN(0);
	MAG_END;
}

struct take_file {
	mag_frame frame;
	MAG_ARGS(take_file, const char *path; bool must; uint64_t patience_ns;);
	mag_group group;
	mag_scope scope;
	mag_fd listener, fd;
	mag_addr addr;
	int64_t rc, timed, closed, joined;
	size_t got;
	char service[8];
	char bytes[SIZE];
};

MAG_TASK(take_file)
{
	MAG_BEGIN(take_file);
	memset(self->bytes, 's', SIZE);
	MAG_CALL(self->rc, mag_write_file, .path = self->path, .data = self->bytes, .length = SIZE, .mode = 0600);
	mag_addr_parse(&self->addr, "0.0.0.0:0");
	self->rc = mag_tcp_listen(&self->addr, NULL, &self->listener);
	if (self->rc < 0)
		MAG_RETURN(0);
	mag_fd_local_addr(self->listener, &self->addr);
	snprintf(self->service, sizeof(self->service), "%d", mag_addr_port(&self->addr));
	MAG_GROUP_BEGIN(&self->group, .policy = MAG_COLLECT);
	MAG_SPAWN(self->rc, &self->group, give_file, .listener = self->listener, .path = self->path);
	MAG_WITH_TIMEOUT(&self->scope, self->patience_ns);
	MAG_CALL(self->rc, mag_tcp_dial, .host = "files.example", .service = self->service, .fd = &self->fd);
	mag_sim_assert(!self->must || self->rc == 0);
	if (self->rc == 0) {
		MAG_AWAIT(self->rc, mag_recv_all, self->fd, self->bytes, SIZE, &self->got);
		mag_sim_assert(!self->must || self->rc == SIZE);
		for (size_t i = 0; i < self->got; i++)
			mag_sim_assert(self->bytes[i] == 's');
		MAG_AWAIT(self->closed, mag_close, self->fd);
	}
	MAG_SCOPE_END(self->timed, &self->scope);
	MAG_AWAIT(self->closed, mag_close, self->listener);
	MAG_GROUP_END(self->joined, &self->group);
	MAG_AWAIT(self->closed, mag_unlink, self->path);
	MAG_RETURN(0);
	MAG_END;
}

struct pairs {
	mag_frame frame;
	MAG_NO_ARGS(pairs);
	mag_scope scope;
	mag_fd fd[2];
	int64_t rc, i, timed, closed;
	char byte;
};

MAG_TASK(pairs)
{
	MAG_BEGIN(pairs);
	self->rc = mag_socket_pair(SOCK_STREAM, self->fd);
	if (self->rc < 0)
		MAG_RETURN(0);
	for (self->i = 0; self->i < ROUNDS; self->i++) {
		MAG_WITH_TIMEOUT(&self->scope, 50 * MAG_MICROSECOND);
		MAG_AWAIT(self->rc, mag_recv, self->fd[0], &self->byte, 1);
		MAG_SCOPE_END(self->timed, &self->scope);
		mag_sim_assert(self->rc < 0 && self->rc != -EINTR);
		MAG_AWAIT(self->rc, mag_send, self->fd[1], "x", 1);
		if (self->rc == 1) {
			MAG_AWAIT(self->rc, mag_recv, self->fd[0], &self->byte, 1);
			mag_sim_assert(self->rc < 0 || self->byte == 'x');
			if (self->rc < 0)
				break;
		}
	}
	MAG_AWAIT(self->closed, mag_close, self->fd[0]);
	MAG_AWAIT(self->closed, mag_close, self->fd[1]);
	MAG_RETURN(0);
	MAG_END;
}

struct all {
	mag_frame frame;
	MAG_ARGS(all, bool must;);
	mag_group group;
	int64_t rc, joined;
};

MAG_TASK(all)
{
	MAG_BEGIN(all);
	MAG_GROUP_BEGIN(&self->group, .policy = MAG_COLLECT);
	MAG_SPAWN(self->rc, &self->group, files, .path = "/tmp/a", .must = self->must);
	MAG_SPAWN(self->rc, &self->group, files, .path = "/tmp/b", .must = self->must);
	MAG_SPAWN(self->rc, &self->group, datagrams);
	MAG_SPAWN(self->rc, &self->group, pairs);
	MAG_SPAWN(self->rc, &self->group, take_file, .path = "/tmp/c", .must = self->must,
		  .patience_ns = self->must ? 100 * MAG_SECOND : 5 * MAG_MILLISECOND);
	MAG_GROUP_END(self->joined, &self->group);
	mag_sim_assert_quiescent();
	MAG_RETURN(0);
	MAG_END;
}

static void run_many(uint32_t faults, bool must)
{
	mag_sim_options options = { .size = sizeof(options), .faults = faults, .quiet = faults & MAG_SIM_MEMORY };
	mag_sim_result result;
	uint64_t seeds = getenv("SIM_SEEDS") ? strtoull(getenv("SIM_SEEDS"), NULL, 0) : SEEDS;

	for (uint64_t seed = 1; seed <= seeds; seed++) {
		int64_t rc = mag_sim_run_into(&result, seed, &options, all, .must = must);

		cr_assert(rc == 0 || ((rc == -ENOMEM || rc == -EAGAIN) && !must), "seed %llu: %lld %s",
			  (unsigned long long)seed, (long long)rc, result.failure);
	}
}

Test(sim_mixed, mild_faults_are_not_noticed, .timeout = 6000)
{
	run_many(MAG_SIM_MILD, true);
}

Test(sim_mixed, under_deadlines_nothing_is_left_over, .timeout = 6000)
{
	run_many(MAG_SIM_MILD, false);
}

Test(sim_mixed, whatever_goes_wrong_nothing_is_left_over, .timeout = 6000)
{
	run_many(MAG_SIM_ALL & ~MAG_SIM_MEMORY, false);
}

Test(sim_mixed, without_memory_nothing_is_left_over, .timeout = 6000)
{
	run_many(MAG_SIM_ALL, false);
}
