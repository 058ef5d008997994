/* SPDX-License-Identifier: MIT */
/* test_io_buffer.c - the contract: receive buffers that the io picks and the record gives away. */
#include "conformance/fixture.h"

static struct magi_req recv_of(int fd, uint8_t flags)
{
	return (struct magi_req){ .code = MAGI_IO_RECV, .flags = MAGI_REQ_BUFFER | flags, .fd = fd };
}

CONFORMS(a_record_gives_its_buffer_away)
{
	struct magi_rec rec;
	int fds[2];

	fx_pair(f, fds);
	fx_give(f, 2);
	fx_send_all(f, fds[0], "magpie", 6);
	rec = fx_wait(f, fx_submit(f, recv_of(fds[1], 0)));
	cr_assert(rec.res >= 1 && rec.res <= 6);
	cr_assert(rec.flags & MAGI_REC_BUFFER);
	cr_assert(memcmp(rec.buffer, "magpie", (size_t)rec.res) == 0);
	fx_close_fd(f, fds[0]);
	fx_close_fd(f, fds[1]);
}

CONFORMS(without_buffers_a_receive_ends_and_works_after_a_gift)
{
	struct magi_rec rec;
	int fds[2];

	fx_pair(f, fds);
	fx_send_all(f, fds[0], "x", 1);
	rec = fx_wait(f, fx_submit(f, recv_of(fds[1], 0)));
	cr_assert(rec.res == -ENOBUFS, "%d", rec.res);
	cr_assert(!(rec.flags & (MAGI_REC_BUFFER | MAGI_REC_MORE)));
	cr_assert(f->ops->hungry(f->io));
	fx_give(f, 1);
	rec = fx_wait(f, fx_submit(f, recv_of(fds[1], 0)));
	cr_assert(rec.res == 1 && (rec.flags & MAGI_REC_BUFFER) && *(char *)rec.buffer == 'x');
	fx_close_fd(f, fds[0]);
	fx_close_fd(f, fds[1]);
}

CONFORMS(the_end_of_a_stream_costs_no_buffer)
{
	struct magi_rec rec;
	int fds[2];

	fx_pair(f, fds);
	fx_give(f, 1);
	fx_close_fd(f, fds[0]);
	for (int i = 0; i < 3; i++) {
		rec = fx_wait(f, fx_submit(f, recv_of(fds[1], 0)));
		cr_assert(rec.res == 0 && !(rec.flags & MAGI_REC_BUFFER));
	}
	fx_close_fd(f, fds[1]);
}

CONFORMS(a_cancelled_receive_costs_no_buffer)
{
	int fds[2];

	fx_pair(f, fds);
	fx_give(f, 1);
	for (int i = 0; i < 5; i++) {
		uint64_t token = fx_submit(f, recv_of(fds[1], 0));

		fx_poll(f, 0);
		f->ops->cancel(f->io, token);
		cr_assert(fx_wait(f, token).res == -ECANCELED);
	}
	fx_send_all(f, fds[0], "x", 1);
	cr_assert(fx_wait(f, fx_submit(f, recv_of(fds[1], 0))).res == 1);
	fx_close_fd(f, fds[0]);
	fx_close_fd(f, fds[1]);
}

CONFORMS(an_io_takes_a_bounded_number_and_gives_them_back)
{
	int n = 0;

	for (;;) {
		void *buffer = malloc(MAGI_BUFFER_BYTES);

		if (!f->ops->give(f->io, buffer)) {
			free(buffer);
			break;
		}
		f->buffers++;
		cr_assert(++n < 10000);
	}
	cr_assert(n >= 4);
	cr_assert(!f->ops->hungry(f->io));
	fx_settle(f);
}

CONFORMS(who_never_asked_for_a_buffer_is_not_hungry)
{
	cr_assert(!f->ops->hungry(f->io));
	cr_assert(fx_do(f, (struct magi_req){ .code = MAGI_IO_NOP }) == 0);
	cr_assert(!f->ops->hungry(f->io));
}

/* A receiver as tasks use it: multishot, re-armed when it ends, buffers given when it is hungry or has starved. */
CONFORMS(multishot_receive_gets_every_byte_in_order)
{
	enum { SIZE = 60000 };
	char *out = malloc(SIZE), *in = malloc(SIZE);
	uint32_t sent = 0, got = 0;
	uint64_t send = 0, recv = 0;
	int fds[2];

	fx_pair(f, fds);
	for (int i = 0; i < SIZE; i++)
		out[i] = (char)(i * 7 >> 2);
	while (got < SIZE) {
		while (f->ops->hungry(f->io))
			fx_give(f, 1);
		if (!recv)
			recv = fx_submit(f, recv_of(fds[1], MAGI_REQ_MULTISHOT));
		if (!send && sent < SIZE)
			send = fx_submit(f, (struct magi_req){ .code = MAGI_IO_SEND, .fd = fds[0], .addr = out + sent,
							       .len = SIZE - sent < 777 ? SIZE - sent : 777 });
		f->count = 0;
		cr_assert(fx_poll(f, FX_PATIENCE) > 0);
		for (int i = 0; i < f->count; i++) {
			const struct magi_rec *rec = &f->log[i];

			if (rec->token == send) {
				cr_assert(rec->res > 0);
				sent += (uint32_t)rec->res;
				send = 0;
				continue;
			}
			cr_assert(rec->token == recv);
			cr_assert(rec->res > 0 || rec->res == -ENOBUFS, "%d", rec->res);
			if (rec->res > 0) {
				memcpy(in + got, rec->buffer, (size_t)rec->res);
				got += (uint32_t)rec->res;
			}
			if (!(rec->flags & MAGI_REC_MORE))
				recv = 0;
		}
		fx_free_buffers(f);
	}
	cr_assert(memcmp(in, out, SIZE) == 0);
	f->count = 0;
	if (recv) {
		f->ops->cancel(f->io, recv);
		cr_assert(fx_wait(f, recv).res == -ECANCELED);
	}
	f->next_token &= ~UINT64_C(0xffffffff); /* the log was cut */
	free(in);
	free(out);
	fx_close_fd(f, fds[0]);
	fx_close_fd(f, fds[1]);
}
