/* SPDX-License-Identifier: MIT */
/* test_io_load.c - the contract under load: full queues, many completions at once, tokens that look odd. */
#include "conformance/fixture.h"

/* More than any submission queue holds, in one turn. Tried with the bug put in: a submit that drops what is too much. */
CONFORMS(ten_thousand_in_one_turn_all_end)
{
	enum { N = 10000 };
	uint8_t *seen = calloc(N, 1);
	uint64_t base = f->next_token + 1;

	for (int i = 0; i < N; i++)
		fx_submit(f, (struct magi_req){ .code = MAGI_IO_NOP });
	cr_assert(f->ops->pending(f->io) == N);
	cr_assert(f->ops->due(f->io));
	while (f->ops->pending(f->io))
		cr_assert(fx_poll(f, FX_PATIENCE) > 0);
	cr_assert(f->count == N);
	for (int i = 0; i < N; i++) {
		cr_assert(f->log[i].token >= base && f->log[i].token < base + N);
		cr_assert(!seen[f->log[i].token - base]++);
		cr_assert(f->log[i].res == 0 && !(f->log[i].flags & MAGI_REC_MORE));
	}
	free(seen);
}

/* Completions pile up beyond the completion queue before the first is taken. */
CONFORMS(completions_that_overflow_are_not_lost)
{
	enum { N = 3000 };
	static char in[N];
	int fds[2];

	fx_pair(f, fds);
	for (int i = 0; i < N; i++)
		fx_submit(f, (struct magi_req){ .code = MAGI_IO_RECV, .fd = fds[1], .addr = &in[i], .len = 1 });
	for (int i = 0; i < 20; i++)
		cr_assert(fx_poll(f, 0) == 0);
	cr_assert(f->ops->pending(f->io) == N);
	fx_close_fd(f, fds[0]); /* all of them end now */
	while (f->ops->pending(f->io))
		cr_assert(fx_poll(f, FX_PATIENCE) > 0);
	cr_assert(f->count == N);
	for (int i = 0; i < N; i++)
		cr_assert(f->log[i].res == 0);
	fx_close_fd(f, fds[1]);
}

CONFORMS(tokens_come_back_as_they_were)
{
	static const uint64_t tokens[] = { 0, 1, UINT32_MAX, UINT64_C(1) << 63, UINT64_C(0xdeadbeefcafebabe),
					   MAGI_TOKEN_MAX };

	for (size_t i = 0; i < sizeof(tokens) / sizeof(tokens[0]); i++) {
		struct magi_req req = { .code = MAGI_IO_NOP, .token = tokens[i] };

		f->ops->submit(f->io, &req);
		cr_assert(fx_wait(f, tokens[i]).res == 0);
		cr_assert(fx_records(f, tokens[i]) == 1);
	}
}

CONFORMS(a_poll_hands_out_no_more_than_asked_for)
{
	struct magi_rec recs[3];
	int got = 0;

	for (int i = 0; i < 10; i++)
		fx_submit(f, (struct magi_req){ .code = MAGI_IO_NOP });
	while (got < 10) {
		int n = f->ops->poll(f->io, UINT64_MAX, recs, 3);

		cr_assert(n >= 1 && n <= 3);
		got += n;
		cr_assert(f->ops->pending(f->io) == (uint32_t)(10 - got));
	}
	f->next_token &= ~UINT64_C(0xffffffff); /* not logged */
}

/* Requests in flight in both directions on many streams, cancelled at random; every byte is accounted for. */
CONFORMS(a_storm_of_everything_ends)
{
	enum { PAIRS = 16, TURNS = 400 };
	int fds[PAIRS][2];
	uint64_t recv[PAIRS] = { 0 }, send[PAIRS] = { 0 };
	char in[PAIRS][64], out[64] = "storm";
	long sent = 0, got = 0;
	unsigned r = 12345;

	for (int i = 0; i < PAIRS; i++)
		fx_pair(f, fds[i]);
	for (int turn = 0; turn < TURNS; turn++) {
		int i = (int)((r = r * 1103515245 + 12345) >> 16) % PAIRS;

		if (!recv[i])
			recv[i] = fx_submit(f, (struct magi_req){ .code = MAGI_IO_RECV, .fd = fds[i][1], .addr = in[i],
								  .len = 64 });
		if (!send[i])
			send[i] = fx_submit(f, (struct magi_req){ .code = MAGI_IO_SEND, .fd = fds[i][0], .addr = out,
								  .len = 64 });
		if (r & 0x10000)
			f->ops->cancel(f->io, r & 0x20000 ? recv[i] : send[i]);
		f->count = 0;
		fx_poll(f, 0);
		for (int k = 0; k < f->count; k++) {
			for (int j = 0; j < PAIRS; j++) {
				if (f->log[k].token == recv[j])
					recv[j] = 0, got += f->log[k].res > 0 ? f->log[k].res : 0;
				else if (f->log[k].token == send[j])
					send[j] = 0, sent += f->log[k].res > 0 ? f->log[k].res : 0;
			}
		}
	}
	f->count = 0;
	for (int i = 0; i < PAIRS; i++) {
		if (send[i]) {
			int res = fx_wait(f, send[i]).res;

			sent += res > 0 ? res : 0;
		}
		fx_close_fd(f, fds[i][0]);
	}
	for (int i = 0; i < PAIRS; i++) {
		int res;

		do {
			if (!recv[i])
				recv[i] = fx_submit(f, (struct magi_req){ .code = MAGI_IO_RECV, .fd = fds[i][1],
									  .addr = in[i], .len = 64 });
			res = fx_wait(f, recv[i]).res;
			recv[i] = 0;
			got += res > 0 ? res : 0;
		} while (res);
		fx_close_fd(f, fds[i][1]);
	}
	cr_assert(got == sent, "%ld of %ld", got, sent);
	f->next_token &= ~UINT64_C(0xffffffff); /* the log was cut */
}
