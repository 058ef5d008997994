/* SPDX-License-Identifier: MIT */
/* test_io_stream.c - the contract: operations on streams and pipes. */
#include <poll.h>
#include <signal.h>

#include "conformance/fixture.h"

CONFORMS(nop_ends_with_zero)
{
	cr_assert(fx_do(f, (struct magi_req){ .code = MAGI_IO_NOP }) == 0);
}

CONFORMS(bytes_sent_are_received)
{
	char in[6] = "";
	int fds[2];

	fx_pair(f, fds);
	fx_send_all(f, fds[0], "magpie", 6);
	fx_recv_all(f, fds[1], in, 6);
	cr_assert(memcmp(in, "magpie", 6) == 0);
	fx_close_fd(f, fds[0]);
	fx_close_fd(f, fds[1]);
}

CONFORMS(receive_waits_for_data)
{
	char in[8] = "";
	uint64_t token;
	int fds[2];

	fx_pair(f, fds);
	token = fx_submit(f, (struct magi_req){ .code = MAGI_IO_RECV, .fd = fds[1], .addr = in, .len = sizeof(in) });
	fx_settle(f);
	cr_assert(fx_records(f, token) == 0);
	cr_assert(f->ops->pending(f->io) == 1);
	fx_send_all(f, fds[0], "x", 1);
	cr_assert(fx_wait(f, token).res == 1);
	cr_assert(in[0] == 'x');
	fx_close_fd(f, fds[0]);
	fx_close_fd(f, fds[1]);
}

CONFORMS(receive_falls_short_when_less_is_there)
{
	char in[64];
	int fds[2], n;

	fx_pair(f, fds);
	fx_send_all(f, fds[0], "abc", 3);
	n = fx_do(f, (struct magi_req){ .code = MAGI_IO_RECV, .fd = fds[1], .addr = in, .len = sizeof(in) });
	cr_assert(n >= 1 && n <= 3);
	cr_assert(memcmp(in, "abc", (size_t)n) == 0);
	fx_close_fd(f, fds[0]);
	fx_close_fd(f, fds[1]);
}

CONFORMS(receive_at_the_end_is_zero)
{
	char in[8];
	int fds[2];

	fx_pair(f, fds);
	cr_assert(fx_do(f, (struct magi_req){ .code = MAGI_IO_SHUTDOWN, .fd = fds[0], .op_flags = SHUT_WR }) == 0);
	cr_assert(fx_do(f, (struct magi_req){ .code = MAGI_IO_RECV, .fd = fds[1], .addr = in, .len = 8 }) == 0);
	fx_close_fd(f, fds[0]);
	fx_close_fd(f, fds[1]);
}

CONFORMS(close_of_the_other_end_ends_a_receive)
{
	char in[8];
	uint64_t token;
	int fds[2];

	fx_pair(f, fds);
	token = fx_submit(f, (struct magi_req){ .code = MAGI_IO_RECV, .fd = fds[1], .addr = in, .len = 8 });
	fx_settle(f);
	cr_assert(fx_do(f, (struct magi_req){ .code = MAGI_IO_CLOSE, .fd = fds[0] }) == 0);
	cr_assert(fx_wait(f, token).res == 0);
	fx_close_fd(f, fds[1]);
}

CONFORMS(send_to_nobody_is_an_error_and_no_signal)
{
	struct magi_req send = { .code = MAGI_IO_SEND, .addr = (char[]){ "x" }, .len = 1 };
	int fds[2];

	signal(SIGPIPE, SIG_DFL); /* raised, it would end the test */
	fx_pair(f, fds);
	fx_close_fd(f, fds[1]);
	send.fd = fds[0];
	cr_assert(fx_do(f, send) == -EPIPE);
	fx_close_fd(f, fds[0]);
}

CONFORMS(send_waits_for_room_and_goes_on)
{
	enum { SIZE = 1 << 20 };
	char *out = malloc(SIZE), *in = malloc(SIZE);
	uint32_t sent = 0, got = 0;
	uint64_t send = 0, recv = 0;
	int fds[2];

	fx_pair(f, fds);
	for (int i = 0; i < SIZE; i++)
		out[i] = (char)(i * 31 >> 3);
	/* one send and one receive under way at a time; both fall short as they like */
	while (got < SIZE) {
		if (!send && sent < SIZE)
			send = fx_submit(f, (struct magi_req){ .code = MAGI_IO_SEND, .fd = fds[0], .addr = out + sent,
							       .len = SIZE - sent });
		if (!recv)
			recv = fx_submit(f, (struct magi_req){ .code = MAGI_IO_RECV, .fd = fds[1], .addr = in + got,
							       .len = SIZE - got });
		f->count = 0;
		cr_assert(fx_poll(f, FX_PATIENCE) > 0);
		for (int i = 0; i < f->count; i++) {
			cr_assert(f->log[i].res > 0);
			*(f->log[i].token == send ? &sent : &got) += (uint32_t)f->log[i].res;
			*(f->log[i].token == send ? &send : &recv) = 0;
		}
	}
	cr_assert(memcmp(in, out, SIZE) == 0);
	if (send)
		fx_wait(f, send);
	f->next_token &= ~UINT64_C(0xffffffff); /* the log was cut */
	free(in);
	free(out);
	fx_close_fd(f, fds[0]);
	fx_close_fd(f, fds[1]);
}

CONFORMS(messages_gather_and_scatter)
{
	struct iovec out[2] = { { (char[]){ "mag" }, 3 }, { (char[]){ "pie!" }, 4 } };
	char head[2], tail[20];
	struct iovec in[2] = { { head, 2 }, { tail, 20 } };
	struct msghdr to = { .msg_iov = out, .msg_iovlen = 2 }, from = { .msg_iov = in, .msg_iovlen = 2 };
	int fds[2], sent, n;

	fx_pair(f, fds);
	sent = fx_do(f, (struct magi_req){ .code = MAGI_IO_SENDMSG, .fd = fds[0], .addr = &to });
	cr_assert(sent >= 1 && sent <= 7);
	n = fx_do(f, (struct magi_req){ .code = MAGI_IO_RECVMSG, .fd = fds[1], .addr = &from });
	cr_assert(n >= 1 && n <= sent);
	cr_assert(memcmp(head, "magpie!", (size_t)(n < 2 ? n : 2)) == 0);
	cr_assert(n < 2 || memcmp(tail, "gpie!", (size_t)n - 2) == 0);
	cr_assert(from.msg_controllen == 0);
	fx_close_fd(f, fds[0]);
	fx_close_fd(f, fds[1]);
}

CONFORMS(pipes_are_read_and_written)
{
	char in[4];
	int fds[2], n;

	fx_pipe(f, fds);
	n = fx_do(f, (struct magi_req){ .code = MAGI_IO_WRITE, .fd = fds[1], .addr = (char[]){ "pipe" }, .len = 4,
					.offset = UINT64_MAX });
	cr_assert(n >= 1 && n <= 4);
	n = fx_do(f, (struct magi_req){ .code = MAGI_IO_READ, .fd = fds[0], .addr = in, .len = 4,
					.offset = UINT64_MAX });
	cr_assert(n >= 1 && memcmp(in, "pipe", (size_t)n) == 0);
	fx_close_fd(f, fds[0]);
	fx_close_fd(f, fds[1]);
}

CONFORMS(poll_tells_of_data_and_of_the_end)
{
	struct magi_req poll_in = { .code = MAGI_IO_POLL, .op_flags = POLLIN };
	uint64_t token;
	int fds[2];

	fx_pair(f, fds);
	poll_in.fd = fds[1];
	token = fx_submit(f, poll_in);
	fx_settle(f);
	cr_assert(fx_records(f, token) == 0);
	fx_send_all(f, fds[0], "x", 1);
	cr_assert(fx_wait(f, token).res & POLLIN);
	fx_close_fd(f, fds[0]);
	poll_in.op_flags = POLLOUT; /* the hang-up comes although it was not asked for */
	while (!(fx_do(f, poll_in) & POLLHUP))
		cr_assert(f->kind == FX_HOSTED); /* there it takes its time */
	fx_close_fd(f, fds[1]);
}

CONFORMS(a_closed_descriptor_is_an_error)
{
	char in[8];
	int fds[2];

	fx_pair(f, fds);
	fx_close_fd(f, fds[0]);
	fx_close_fd(f, fds[1]);
	cr_assert(fx_do(f, (struct magi_req){ .code = MAGI_IO_RECV, .fd = fds[0], .addr = in, .len = 8 }) == -EBADF);
	cr_assert(fx_do(f, (struct magi_req){ .code = MAGI_IO_CLOSE, .fd = fds[0] }) == -EBADF);
}
