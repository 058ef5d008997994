/* SPDX-License-Identifier: MIT */
/* test_io_cancel.c - the contract: cancel only asks, and the terminal record comes exactly once.
 *
 * fx_close checks the latter for every request of every test. Tried with the bug put in: a cancel that drops the
 * request's record at once makes `cancel_ends_what_waits` and `cancel_before_the_first_poll` time out. */
#include "conformance/fixture.h"

static struct magi_req recv_of(int fd, void *to, uint32_t size)
{
	return (struct magi_req){ .code = MAGI_IO_RECV, .fd = fd, .addr = to, .len = size };
}

CONFORMS(cancel_ends_what_waits)
{
	char in[8];
	uint64_t token;
	int fds[2];

	fx_pair(f, fds);
	token = fx_submit(f, recv_of(fds[1], in, sizeof(in)));
	fx_settle(f);
	f->ops->cancel(f->io, token);
	cr_assert(fx_wait(f, token).res == -ECANCELED);
	fx_close_fd(f, fds[0]);
	fx_close_fd(f, fds[1]);
}

CONFORMS(cancel_before_the_first_poll)
{
	char in[8];
	uint64_t token;
	int fds[2];

	fx_pair(f, fds);
	token = fx_submit(f, recv_of(fds[1], in, sizeof(in)));
	f->ops->cancel(f->io, token);
	cr_assert(fx_wait(f, token).res == -ECANCELED);
	fx_close_fd(f, fds[0]);
	fx_close_fd(f, fds[1]);
}

CONFORMS(cancel_after_the_end_is_silent)
{
	uint64_t token = fx_submit(f, (struct magi_req){ .code = MAGI_IO_NOP });
	int count;

	fx_wait(f, token);
	count = f->count;
	f->ops->cancel(f->io, token);
	fx_settle(f);
	cr_assert(f->count == count);
}

CONFORMS(cancel_of_an_unknown_token_is_silent)
{
	f->ops->cancel(f->io, UINT64_C(0x1234567812345678));
	f->ops->cancel(f->io, 0);
	fx_settle(f);
	cr_assert(f->count == 0);
	cr_assert(f->ops->pending(f->io) == 0);
}

CONFORMS(cancel_twice_ends_once)
{
	char in[8];
	uint64_t token;
	int fds[2];

	fx_pair(f, fds);
	token = fx_submit(f, recv_of(fds[1], in, sizeof(in)));
	f->ops->cancel(f->io, token);
	f->ops->cancel(f->io, token);
	fx_settle(f);
	f->ops->cancel(f->io, token);
	fx_settle(f);
	cr_assert(fx_records(f, token) == 1);
	fx_close_fd(f, fds[0]);
	fx_close_fd(f, fds[1]);
}

CONFORMS(cancel_touches_no_other_request)
{
	char a[8], b[8];
	uint64_t first, second;
	int one[2], two[2];

	fx_pair(f, one);
	fx_pair(f, two);
	first = fx_submit(f, recv_of(one[1], a, sizeof(a)));
	second = fx_submit(f, recv_of(two[1], b, sizeof(b)));
	fx_settle(f);
	f->ops->cancel(f->io, first);
	cr_assert(fx_wait(f, first).res == -ECANCELED);
	cr_assert(fx_records(f, second) == 0);
	fx_send_all(f, two[0], "x", 1);
	cr_assert(fx_wait(f, second).res == 1);
	for (int i = 0; i < 2; i++) {
		fx_close_fd(f, one[i]);
		fx_close_fd(f, two[i]);
	}
}

/* Whoever wins, the byte is received once: by the cancelled request or by the next. */
CONFORMS(cancel_against_completion_loses_no_data)
{
	int fds[2];

	fx_pair(f, fds);
	for (int i = 0; i < 100; i++) {
		char out = (char)i, in = 0;
		uint64_t recv = fx_submit(f, recv_of(fds[1], &in, 1)), send;
		int res;

		if (i % 3 == 0)
			fx_poll(f, 0);
		send = fx_submit(f, (struct magi_req){ .code = MAGI_IO_SEND, .fd = fds[0], .addr = &out, .len = 1 });
		if (i % 2)
			fx_poll(f, 0);
		f->ops->cancel(f->io, recv);
		res = fx_wait(f, recv).res;
		cr_assert(fx_wait(f, send).res == 1);
		if (res == -ECANCELED)
			fx_recv_all(f, fds[1], &in, 1);
		else
			cr_assert(res == 1);
		cr_assert(in == out);
	}
	fx_close_fd(f, fds[0]);
	fx_close_fd(f, fds[1]);
}

CONFORMS(the_other_end_sees_the_close_when_the_last_operation_is_over)
{
	char a[8], b[8];
	uint64_t mine, theirs;
	int fds[2];

	fx_pair(f, fds);
	mine = fx_submit(f, recv_of(fds[0], a, sizeof(a)));
	theirs = fx_submit(f, recv_of(fds[1], b, sizeof(b)));
	fx_settle(f);
	fx_close_fd(f, fds[0]); /* cancels nothing: the receive still holds the file */
	fx_settle(f);
	cr_assert(fx_records(f, mine) == 0);
	cr_assert(fx_records(f, theirs) == (fx_is_epoll(f) ? 1 : 0)); /* nothing that waits holds a file there */
	f->ops->cancel(f->io, mine);
	cr_assert(fx_wait(f, mine).res == -ECANCELED);
	cr_assert(fx_wait(f, theirs).res == 0);
	fx_close_fd(f, fds[1]);
}
