/* SPDX-License-Identifier: MIT */
/* test_sim_faults.c - each thing that can go wrong in a simulated world does, can be borne, and comes again with the
 * same seed. */
#include <magpie/error.h>

#include "support/fakeio.h"

enum { TRIES = 40, MANY = 20000 };

static void happens(struct fake_io *f, enum magi_chance what, uint32_t one_in)
{
	f->host.one_in[what] = one_in;
}

static void end(struct fake_io *f, const int fds[2])
{
	for (int i = 0; i < MAGI_CHANCES; i++)
		f->host.one_in[i] = 0;
	cr_assert(magi_sys_close(fds[0]) == 0 && magi_sys_close(fds[1]) == 0);
	cr_assert_eq(magi_world_open_fds(f->host.world), 0);
	fake_close(f);
}

/* Sends and receives until all has come, whatever it takes. Returns the number of receives. */
static int move_all(struct fake_io *f, const int fd[2], size_t total)
{
	char *out = malloc(total), *in = calloc(1, total);
	size_t sent = 0, got = 0;
	int receives = 0, n;

	for (size_t i = 0; i < total; i++)
		out[i] = (char)(i * 7 + (i >> 8));
	while (got < total) {
		struct magi_req recv = fake_move(MAGI_IO_RECV, fd[1], in + got, (uint32_t)(total - got));
		uint64_t token = fake_submit(f, recv);

		if (sent < total) {
			n = fake_do(f, fake_move(MAGI_IO_SEND, fd[0], out + sent, (uint32_t)(total - sent)));
			cr_assert(n > 0 || n == -EINTR, "%d", n);
			sent += n > 0 ? (size_t)n : 0;
		}
		n = fake_wait_for(f, token);
		cr_assert(n > 0 || n == -EINTR, "%d", n);
		got += n > 0 ? (size_t)n : 0;
		receives++;
		f->count = 0;
	}
	cr_assert(!memcmp(in, out, total));
	free(out);
	free(in);
	return receives;
}

Test(sim_faults, reads_and_writes_fall_short, .timeout = 10)
{
	struct magi_req req;
	struct fake_io f;
	char bytes[100] = "";
	int fd[2], n;

	fake_open(&f, 1);
	fake_connection(&f, fd);
	happens(&f, MAGI_CHANCE_SHORT, 1);
	req = fake_move(MAGI_IO_SEND, fd[0], bytes, sizeof(bytes));
	req.op_flags = MSG_WAITALL;
	n = fake_do(&f, req);
	cr_assert(n > 0 && n < 100, "%d", n);
	req = fake_move(MAGI_IO_RECV, fd[1], bytes, (uint32_t)n);
	cr_assert(fake_do(&f, req) > 0);
	happens(&f, MAGI_CHANCE_SHORT, 3);
	fake_pass(&f, MAGI_NS_PER_MS);
	end(&f, fd);
	fake_open(&f, 2);
	fake_connection(&f, fd);
	happens(&f, MAGI_CHANCE_SHORT, 3);
	cr_assert(move_all(&f, fd, MANY) > 5);
	end(&f, fd);
}

Test(sim_faults, completions_come_late, .timeout = 10)
{
	struct magi_req nop = { .code = MAGI_IO_NOP };
	uint64_t began, longest = 0, took;
	struct fake_io f;

	fake_open(&f, 1);
	for (int i = 0; i < TRIES; i++) {
		happens(&f, MAGI_CHANCE_DELAY, i < TRIES / 2 ? 0 : 1);
		began = magi_clock_ns();
		cr_assert_eq(fake_do(&f, nop), 0);
		took = magi_clock_ns() - began;
		cr_assert(i >= TRIES / 2 || took < MAGI_NS_PER_MS);
		longest = took > longest ? took : longest;
	}
	cr_assert(longest > 10 * MAGI_NS_PER_MS && longest < 51 * MAGI_NS_PER_MS, "%llu", (unsigned long long)longest);
	fake_close(&f);
}

/* Tried: a backend whose cancel always wins at once. */
Test(sim_faults, a_cancel_loses_or_is_told_of_late, .timeout = 10)
{
	int won = 0, lost = 0, late = 0;

	for (uint64_t seed = 1; seed <= TRIES; seed++) {
		struct fake_io f;
		uint64_t token, began;
		int fd[2], res;
		char in;

		fake_open(&f, seed);
		fake_connection(&f, fd);
		happens(&f, MAGI_CHANCE_CANCEL, 1);
		token = fake_submit(&f, fake_move(MAGI_IO_RECV, fd[1], &in, 1));
		fake_poll(&f, 0);
		magi_sim_ops.cancel(f.io, token);
		began = magi_clock_ns();
		cr_assert_eq(fake_do(&f, fake_move(MAGI_IO_SEND, fd[0], (char[]){ "x" }, 1)), 1);
		res = fake_wait_for(&f, token);
		cr_assert(res == 1 || res == -ECANCELED);
		lost += res == 1;
		won += res == -ECANCELED;
		late += res == -ECANCELED && magi_clock_ns() - began > MAGI_NS_PER_MS;
		end(&f, fd);
	}
	cr_assert(won > late && late && lost, "%d won, %d late, %d lost", won, late, lost);
}

Test(sim_faults, an_open_succeeds_although_it_was_cancelled, .timeout = 10)
{
	struct open_how how = { .flags = O_CREAT | O_RDWR, .mode = 0600 };
	struct magi_req req = { .code = MAGI_IO_OPEN, .fd = AT_FDCWD, .addr = (char[]){ "/tmp/a" }, .addr2 = &how };
	struct fake_io f;
	uint64_t token;
	int fd;

	fake_open(&f, 1);
	token = fake_submit(&f, req);
	fake_poll(&f, 0);
	magi_sim_ops.cancel(f.io, token);
	fd = fake_wait_for(&f, token);
	cr_assert(fd >= 0 && magi_sys_close(fd) == 0);
	token = fake_submit(&f, req);
	magi_sim_ops.cancel(f.io, token);
	cr_assert_eq(fake_wait_for(&f, token), -ECANCELED, "the kernel had not begun it");
	fake_close(&f);
}

Test(sim_faults, a_multishot_ends_early, .timeout = 10)
{
	int with_error = 0, without = 0;

	for (uint64_t seed = 1; seed <= TRIES; seed++) {
		struct sockaddr_storage to;
		struct fake_io f;
		int listener, fd, first;
		socklen_t len;
		uint64_t token;

		fake_open(&f, seed);
		listener = magi_world_listener(f.host.world);
		len = magi_world_address(listener, &to);
		happens(&f, MAGI_CHANCE_MULTISHOT, 1);
		token = fake_submit(&f, (struct magi_req){ .code = MAGI_IO_ACCEPT, .flags = MAGI_REQ_MULTISHOT,
							   .fd = listener });
		fd = magi_world_socket(f.host.world);
		cr_assert_eq(fake_do(&f, fake_move(MAGI_IO_CONNECT, fd, &to, len)), 0);
		with_error += fake_wait_for(&f, token) < 0;
		without += fake_find(&f, token)->res >= 0;
		for (first = 0; f.log[first].token != token; first++)
			;
		cr_assert(f.log[first].res >= 0, "the connection is given in any case");
		cr_assert_eq(magi_sys_close(f.log[first].res), 0);
		cr_assert_eq(magi_sys_close(listener), 0);
		end(&f, (int[]){ fd, magi_world_socket(f.host.world) });
	}
	cr_assert(with_error && without);
}

Test(sim_faults, the_rings_queues_are_full, .timeout = 10)
{
	struct magi_req nop = { .code = MAGI_IO_NOP };
	bool few = false;
	struct fake_io f;
	uint64_t began;

	fake_open(&f, 1);
	for (int i = 0; i < 10; i++)
		fake_submit(&f, nop);
	cr_assert_eq(fake_poll(&f, 0), 10, "all at once when nothing goes wrong");
	began = magi_clock_ns();
	happens(&f, MAGI_CHANCE_RING, 2);
	for (int i = 0; i < 10; i++)
		fake_submit(&f, nop);
	while (f.count < 20) {
		int n = fake_poll(&f, MAGI_NS_PER_S);

		few |= n > 0 && n < 5;
	}
	cr_assert(few && magi_clock_ns() - began > 10 * MAGI_NS_PER_US, "some are kept back");
	fake_close(&f);
}

Test(sim_faults, buffers_are_exhausted_although_there_are_some, .timeout = 10)
{
	struct magi_req req = { .code = MAGI_IO_RECV, .flags = MAGI_REQ_BUFFER };
	struct fake_io f;
	int fd[2];

	fake_open(&f, 1);
	fake_connection(&f, fd);
	req.fd = fd[1];
	cr_assert(magi_sim_ops.give(f.io, malloc(MAGI_BUFFER_BYTES)));
	happens(&f, MAGI_CHANCE_BUFFERS, 1);
	cr_assert_eq(fake_do(&f, req), -ENOBUFS);
	happens(&f, MAGI_CHANCE_BUFFERS, 0);
	cr_assert_eq(fake_do(&f, fake_move(MAGI_IO_SEND, fd[0], (char[]){ "x" }, 1)), 1);
	cr_assert_eq(fake_do(&f, req), 1);
	free(f.log[f.count - 1].buffer);
	end(&f, fd);
}

Test(sim_faults, polls_and_operations_are_interrupted, .timeout = 10)
{
	uint64_t token, deadline;
	struct magi_rec rec;
	struct fake_io f;
	int fd[2];
	char in;

	fake_open(&f, 1);
	fake_connection(&f, fd);
	happens(&f, MAGI_CHANCE_WAKE, 1);
	deadline = magi_clock_ns() + MAGI_NS_PER_S;
	cr_assert_eq(magi_sim_ops.poll(f.io, deadline, &rec, 1), 0);
	cr_assert(magi_clock_ns() < deadline);
	token = fake_submit(&f, fake_move(MAGI_IO_RECV, fd[1], &in, 1));
	cr_assert_eq(fake_wait_for(&f, token), -EINTR);
	happens(&f, MAGI_CHANCE_WAKE, 3);
	move_all(&f, fd, MANY);
	end(&f, fd);
}

Test(sim_faults, a_connection_breaks_and_its_bytes_are_lost, .timeout = 10)
{
	struct fake_io f;
	char bytes[8] = "";
	int fd[2];

	fake_open(&f, 1);
	fake_connection(&f, fd);
	cr_assert_eq(fake_do(&f, fake_move(MAGI_IO_SEND, fd[0], bytes, 8)), 8);
	happens(&f, MAGI_CHANCE_RESET, 1);
	cr_assert_eq(fake_do(&f, fake_move(MAGI_IO_SEND, fd[0], bytes, 8)), -ECONNRESET);
	cr_assert_eq(fake_do(&f, fake_move(MAGI_IO_RECV, fd[1], bytes, 8)), -ECONNRESET);
	cr_assert_eq(fake_do(&f, fake_move(MAGI_IO_RECV, fd[1], bytes, 8)), 0);
	cr_assert_eq(fake_do(&f, fake_move(MAGI_IO_SEND, fd[1], bytes, 8)), -EPIPE);
	end(&f, fd);
}

Test(sim_faults, a_network_is_cut_and_streams_go_on_afterwards, .timeout = 10)
{
	uint64_t began, took;
	struct fake_io f;
	int fd[2];

	fake_open(&f, 1);
	fake_connection(&f, fd);
	happens(&f, MAGI_CHANCE_LOSS, 1);
	began = magi_clock_ns();
	move_all(&f, fd, 100);
	took = magi_clock_ns() - began;
	cr_assert(took >= MAGI_NS_PER_MS && took < 3 * MAGI_NS_PER_S, "%llu", (unsigned long long)took);
	end(&f, fd);
}

Test(sim_faults, while_parted_nobody_connects_and_streams_stand_still, .timeout = 10)
{
	struct sockaddr_storage to;
	struct fake_io f;
	int listener, other, fd[2];
	uint64_t token, began;
	socklen_t len;
	char in;

	fake_open(&f, 1);
	fake_connection(&f, fd);
	listener = magi_world_listener(f.host.world);
	len = magi_world_address(listener, &to);
	magi_world_partition(f.host.world, true);
	began = magi_clock_ns();
	other = magi_world_socket(f.host.world);
	cr_assert_eq(fake_do(&f, fake_move(MAGI_IO_CONNECT, other, &to, len)), -ETIMEDOUT);
	cr_assert(magi_clock_ns() - began >= 10 * MAGI_NS_PER_S);
	token = fake_submit(&f, fake_move(MAGI_IO_RECV, fd[1], &in, 1));
	cr_assert_eq(fake_do(&f, fake_move(MAGI_IO_SEND, fd[0], (char[]){ "x" }, 1)), 1);
	fake_pass(&f, MAGI_NS_PER_S);
	cr_assert_null(fake_find(&f, token));
	magi_world_partition(f.host.world, false);
	cr_assert_eq(fake_wait_for(&f, token), 1);
	cr_assert_eq(fake_do(&f, fake_move(MAGI_IO_CONNECT, other, &to, len)), 0);
	cr_assert(magi_sys_close(other) == 0 && magi_sys_close(listener) == 0);
	end(&f, fd);
}

Test(sim_faults, datagrams_are_lost_doubled_and_overtaken, .timeout = 10)
{
	struct sockaddr_in to = fake_v4(INADDR_LOOPBACK, 53);
	int got[TRIES] = { 0 }, last = -1, lost = 0, doubled = 0, overtaken = 0, fd[2];
	struct fake_io f;
	uint8_t byte;

	fake_open(&f, 1);
	fd[0] = magi_sys_socket(AF_INET, SOCK_DGRAM, 0);
	fd[1] = magi_sys_socket(AF_INET, SOCK_DGRAM, 0);
	cr_assert_eq(magi_sys_bind(fd[1], (struct sockaddr *)&to, sizeof(to)), 0);
	cr_assert_eq(magi_sys_connect(fd[0], (struct sockaddr *)&to, sizeof(to)), 0);
	happens(&f, MAGI_CHANCE_LOSS, 2);
	for (uint8_t i = 0; i < TRIES; i++) {
		byte = i;
		cr_assert_eq(fake_do(&f, fake_move(MAGI_IO_SEND, fd[0], &byte, 1)), 1);
	}
	fake_pass(&f, MAGI_NS_PER_S);
	for (;;) {
		struct magi_req req = fake_move(MAGI_IO_RECV, fd[1], &byte, 1);

		req.op_flags = MSG_DONTWAIT;
		if (fake_do(&f, req) != 1)
			break;
		overtaken += byte < last;
		last = byte;
		got[byte]++;
	}
	for (int i = 0; i < TRIES; i++) {
		lost += !got[i];
		doubled += got[i] == 2;
	}
	cr_assert(lost && doubled && overtaken && lost < TRIES, "%d %d %d", lost, doubled, overtaken);
	end(&f, fd);
}

Test(sim_faults, a_line_is_slow, .timeout = 10)
{
	uint64_t began;
	struct fake_io f;
	int fd[2];

	fake_open(&f, 1);
	happens(&f, MAGI_CHANCE_SLOW, 1);
	fake_connection(&f, fd);
	began = magi_clock_ns();
	cr_assert(move_all(&f, fd, 4000) > 3, "in pieces");
	cr_assert(magi_clock_ns() - began >= 39 * MAGI_NS_PER_MS);
	end(&f, fd);
}

Test(sim_faults, there_are_no_descriptors_and_no_names, .timeout = 10)
{
	struct addrinfo hints = { .ai_family = AF_INET }, *list;
	struct fake_io f;
	int rc;

	fake_open(&f, 1);
	happens(&f, MAGI_CHANCE_FD, 1);
	for (int i = 0; i < TRIES; i++) {
		rc = magi_sys_socket(AF_INET, SOCK_STREAM, 0);
		cr_assert(rc == -EMFILE || rc == -ENFILE);
	}
	cr_assert(fake_open_path(&f, AT_FDCWD, "/tmp/a", O_CREAT | O_RDWR) < 0);
	cr_assert_eq(magi_world_open_fds(f.host.world), 0);
	happens(&f, MAGI_CHANCE_FD, 0);
	cr_assert_eq(fake_open_path(&f, AT_FDCWD, "/tmp/a", O_RDWR), -ENOENT, "it was not made either");
	happens(&f, MAGI_CHANCE_NAME, 1);
	cr_assert_eq(magi_sys_getaddrinfo("example.com", NULL, &hints, &list), MAG_ERESOLVE);
	cr_assert_eq(magi_sys_getaddrinfo("1.2.3.4", NULL, &hints, &list), 0, "numbers are always known");
	magi_sys_freeaddrinfo(list);
	fake_close(&f);
}

Test(sim_faults, there_is_no_memory_to_submit_or_to_cancel_with, .timeout = 10)
{
	struct fake_io f;
	uint64_t token;
	int fd[2];
	char in;

	fake_open(&f, 1);
	fake_connection(&f, fd);
	token = fake_submit(&f, fake_move(MAGI_IO_RECV, fd[1], &in, 1));
	happens(&f, MAGI_CHANCE_MEMORY, 1);
	cr_assert_not(magi_sim_ops.cancel(f.io, token));
	cr_assert_eq(fake_do(&f, (struct magi_req){ .code = MAGI_IO_CLOSE, .fd = fd[0] }), -ENOMEM);
	happens(&f, MAGI_CHANCE_MEMORY, 0);
	fake_poll(&f, MAGI_NS_PER_MS);
	cr_assert_null(fake_find(&f, token));
	cr_assert(magi_sim_ops.cancel(f.io, token));
	cr_assert_eq(fake_wait_for(&f, token), -ECANCELED);
	end(&f, fd);
}

Test(sim_faults, memory_is_garbage_until_the_terminal_record, .timeout = 10)
{
	char in[4] = "mine";
	struct fake_io f;
	uint64_t token;
	int fd[2];

	fake_open(&f, 1);
	fake_connection(&f, fd);
	token = fake_submit(&f, fake_move(MAGI_IO_RECV, fd[1], in, 4));
	cr_assert(memcmp(in, "mine", 4));
	happens(&f, MAGI_CHANCE_DELAY, 1);
	cr_assert_eq(fake_do(&f, fake_move(MAGI_IO_SEND, fd[0], (char[]){ "data" }, 4)), 4);
	cr_assert(fake_find(&f, token) || memcmp(in, "data", 4));
	cr_assert_eq(fake_wait_for(&f, token), 4);
	cr_assert(!memcmp(in, "data", 4));
	end(&f, fd);
}

Test(sim_faults, so_is_a_name, .timeout = 10)
{
	struct sockaddr_storage to;
	struct sockaddr_in peer = fake_v4(0, 0);
	socklen_t len, room = sizeof(peer);
	struct fake_io f;
	uint64_t token;
	int listener, fd;

	fake_open(&f, 1);
	listener = magi_world_listener(f.host.world);
	len = magi_world_address(listener, &to);
	token = fake_submit(&f, (struct magi_req){ .code = MAGI_IO_ACCEPT, .fd = listener, .addr = &peer,
						   .addr2 = &room });
	happens(&f, MAGI_CHANCE_DELAY, 1);
	fd = magi_world_socket(f.host.world);
	cr_assert_eq(fake_do(&f, fake_move(MAGI_IO_CONNECT, fd, &to, len)), 0);
	cr_assert(fake_find(&f, token) || peer.sin_family != AF_INET);
	cr_assert(fake_wait_for(&f, token) >= 0 && peer.sin_family == AF_INET && room == sizeof(peer));
	cr_assert_eq(magi_sys_close(listener), 0);
	end(&f, (int[]){ fd, fake_find(&f, token)->res });
}

/* A bit of everything, with everything going wrong now and then; the hash of its notes. */
static uint64_t mess(uint64_t seed, uint32_t *count)
{
	uint64_t hash = 0;
	struct fake_io f;
	char bytes[64];
	int fd[2], file;

	fake_open(&f, seed);
	happens(&f, MAGI_CHANCE_SLOW, 1);
	fake_connection(&f, fd);
	for (int i = 0; i < MAGI_CHANCES; i++)
		f.host.one_in[i] = i == MAGI_CHANCE_MEMORY ? 0 : 6;
	happens(&f, MAGI_CHANCE_RESET, 200); /* not at once */
	happens(&f, MAGI_CHANCE_LOSS, 50);
	for (int i = 0; i < 30; i++) {
		uint64_t token = fake_submit(&f, fake_move(MAGI_IO_RECV, fd[i & 1], bytes, sizeof(bytes)));

		fake_do(&f, fake_move(MAGI_IO_SEND, fd[0], bytes, (uint32_t)i));
		fake_do(&f, fake_move(MAGI_IO_SEND, fd[1], bytes, (uint32_t)i));
		fake_pass(&f, MAGI_NS_PER_MS);
		magi_sim_ops.cancel(f.io, token);
		file = fake_open_path(&f, AT_FDCWD, "/tmp/a", O_CREAT | O_RDWR);
		if (file >= 0) {
			fake_do(&f, fake_file(MAGI_IO_WRITE, file, bytes, sizeof(bytes), (uint64_t)i));
			fake_do(&f, (struct magi_req){ .code = MAGI_IO_FSYNC, .fd = file });
			fake_do(&f, (struct magi_req){ .code = MAGI_IO_CLOSE, .fd = file });
		}
		fake_wait_for(&f, token);
	}
	*count = f.host.count;
	for (uint32_t i = 0; i < f.host.count; i++) {
		const struct fake_note *n = &f.host.notes[i];

		hash = (hash ^ (uint64_t)(n->kind * 31 + n->a * 37 + n->b * 41 + n->c)) * UINT64_C(0x9e3779b97f4a7c15);
	}
	end(&f, fd);
	return hash;
}

/* Tried: a decision by an address. */
Test(sim_faults, the_same_seed_gives_the_same_notes, .timeout = 60)
{
	for (uint64_t seed = 1, before = 0; seed <= 20; seed++) {
		uint32_t one, two;
		void *shift[TRIES]; /* what makes the addresses of the second run others */
		uint64_t hash = mess(seed, &one);

		for (size_t i = 0; i < TRIES; i++)
			shift[i] = malloc(16 + i * 16);
		cr_assert_eq(mess(seed, &two), hash);
		for (size_t i = 0; i < TRIES; i++)
			free(shift[i]);
		cr_assert(one == two && one > 100);
		cr_assert_neq(hash, before);
		before = hash;
	}
}
