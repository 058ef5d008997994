/* SPDX-License-Identifier: MIT */
/* test_sim_fault.c - one planned fault (base/fault.h) in a simulated world: what it does, and that it gives nothing
 * away. */
#include "support/fakeio.h"

#include "base/fault.h"

static void open_pair(struct fake_io *f, int fd[2])
{
	fake_open(f, 1);
	cr_assert_eq(magi_sys_socketpair(AF_UNIX, SOCK_STREAM, 0, fd), 0);
}

static void end(struct fake_io *f, const int fd[2])
{
	magi_fault_clear();
	cr_assert(magi_sys_close(fd[0]) == 0 && magi_sys_close(fd[1]) == 0);
	cr_assert_eq(magi_world_open_fds(f->host.world), 0);
	fake_close(f);
}

Test(sim_fault, one_that_does_not_begin_has_done_nothing, .timeout = 10)
{
	struct fake_io f;
	char in[4] = "";
	int fd[2];

	open_pair(&f, fd);
	magi_fault_set(MAGI_FAULT_BEGIN, 1, EPIPE);
	cr_assert_eq(fake_do(&f, fake_move(MAGI_IO_SEND, fd[0], (char[]){ "ab" }, 2)), -EPIPE);
	cr_assert_eq(fake_do(&f, fake_move(MAGI_IO_SEND, fd[0], (char[]){ "cd" }, 2)), 2);
	cr_assert_eq(fake_do(&f, fake_move(MAGI_IO_RECV, fd[1], in, 4)), 2);
	cr_assert(!memcmp(in, "cd", 2));
	end(&f, fd);
}

Test(sim_fault, one_whose_result_is_lost_has_done_it, .timeout = 10)
{
	struct fake_io f;
	char in[4] = "";
	int fd[2];

	open_pair(&f, fd);
	magi_fault_set(MAGI_FAULT_RECORD, 1, ECONNRESET);
	cr_assert_eq(fake_do(&f, fake_move(MAGI_IO_SEND, fd[0], (char[]){ "ab" }, 2)), -ECONNRESET);
	cr_assert_eq(fake_do(&f, fake_move(MAGI_IO_RECV, fd[1], in, 4)), 2);
	end(&f, fd);
}

Test(sim_fault, a_descriptor_that_nobody_hears_of_is_closed, .timeout = 10)
{
	struct fake_io f;
	int fd[2];

	open_pair(&f, fd);
	magi_fault_set(MAGI_FAULT_RECORD, 1, EIO);
	cr_assert_eq(fake_open_path(&f, AT_FDCWD, "/tmp/a", O_CREAT | O_RDWR), -EIO);
	cr_assert_eq(magi_world_open_fds(f.host.world), 2);
	cr_assert_eq(
		fake_do(&f, (struct magi_req){ .code = MAGI_IO_UNLINK, .fd = AT_FDCWD, .addr = (char[]){ "/tmp/a" } }),
		0, "it was made");
	end(&f, fd);
}

/* Tried: a lost result that keeps its buffer, and tells of it. */
Test(sim_fault, a_buffer_that_nobody_hears_of_stays_with_the_ring, .timeout = 10)
{
	struct magi_req recv = { .code = MAGI_IO_RECV, .flags = MAGI_REQ_BUFFER };
	struct fake_io f;
	void *buffer = malloc(MAGI_BUFFER_BYTES);
	uint64_t token;
	int fd[2];

	open_pair(&f, fd);
	cr_assert(magi_sim_ops.give(f.io, buffer));
	recv.fd = fd[1];
	magi_fault_set(MAGI_FAULT_RECORD, 2, ETIMEDOUT);
	for (int i = 0; i < 2; i++) {
		cr_assert_eq(fake_do(&f, fake_move(MAGI_IO_SEND, fd[0], (char[]){ "ab" }, 2)), 2);
		token = fake_submit(&f, recv);
		cr_assert_eq(fake_wait_for(&f, token), i ? 2 : -ETIMEDOUT);
		cr_assert_eq(fake_find(&f, token)->buffer, i ? buffer : NULL);
	}
	free(buffer);
	end(&f, fd);
}

Test(sim_fault, a_result_is_told_late, .timeout = 10)
{
	struct fake_io f;
	uint64_t began;
	int fd[2];

	open_pair(&f, fd);
	began = magi_clock_ns();
	magi_fault_set(MAGI_FAULT_RECORD, 1, MAGI_FAULT_LATE);
	cr_assert_eq(fake_do(&f, fake_move(MAGI_IO_SEND, fd[0], (char[]){ "ab" }, 2)), 2);
	cr_assert(magi_clock_ns() - began >= 100 * MAGI_NS_PER_MS);
	end(&f, fd);
}

Test(sim_fault, a_transfer_moves_one_byte, .timeout = 10)
{
	struct fake_io f;
	int fd[2];

	open_pair(&f, fd);
	magi_fault_set(MAGI_FAULT_TRANSFER, 2, EIO);
	cr_assert_eq(fake_do(&f, fake_move(MAGI_IO_SEND, fd[0], (char[]){ "abcd" }, 4)), 4);
	cr_assert_eq(fake_do(&f, fake_move(MAGI_IO_SEND, fd[0], (char[]){ "abcd" }, 4)), 1);
	end(&f, fd);
}

/* What a receive gets that is cancelled, and for which a byte comes 1 us later. */
static int cancel(int how)
{
	struct fake_io f;
	uint64_t token;
	int fd[2], res;
	char in;

	open_pair(&f, fd);
	token = fake_submit(&f, fake_move(MAGI_IO_RECV, fd[1], &in, 1));
	fake_poll(&f, 0);
	magi_fault_set(MAGI_FAULT_CANCEL, 1, how);
	magi_sim_ops.cancel(f.io, token);
	cr_assert_eq(fake_do(&f, fake_move(MAGI_IO_SEND, fd[0], (char[]){ "x" }, 1)), 1);
	res = fake_wait_for(&f, token);
	end(&f, fd);
	return res;
}

Test(sim_fault, a_cancel_wins_late_or_loses, .timeout = 10)
{
	cr_assert_eq(cancel(MAGI_FAULT_LATE), -ECANCELED);
	cr_assert_eq(cancel(EALREADY), 1, "the byte came first");
	cr_assert_eq(cancel(ENOENT), -ECANCELED, "nothing had come, and it is tried once only");
}

Test(sim_fault, a_multishot_ends_with_a_result, .timeout = 10)
{
	struct sockaddr_storage to;
	struct fake_io f;
	uint64_t token;
	int fd[2], listener, res;
	socklen_t len;

	fake_open(&f, 1);
	listener = magi_world_listener(f.host.world);
	len = magi_world_address(listener, &to);
	token = fake_submit(&f,
			    (struct magi_req){ .code = MAGI_IO_ACCEPT, .flags = MAGI_REQ_MULTISHOT, .fd = listener });
	fd[0] = magi_world_socket(f.host.world);
	magi_fault_set(MAGI_FAULT_RECORD, 2, MAGI_FAULT_LAST);
	cr_assert_eq(fake_do(&f, fake_move(MAGI_IO_CONNECT, fd[0], &to, len)), 0);
	res = fake_wait_for(&f, token);
	cr_assert(res >= 0);
	fd[1] = listener;
	cr_assert_eq(magi_sys_close(res), 0);
	end(&f, fd);
}
