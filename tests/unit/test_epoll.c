/* SPDX-License-Identifier: MIT */
/* test_epoll.c - what epoll tells and what is remembered of it: edges, ends, numbers that name another file.
 *
 * Tried with the bugs put in: a name that is not looked at (a_number_that_names_another_file_is_learned_anew); a short
 * read that always means empty (what_ends_with_its_last_bytes_is_told, bytes_after_an_urgent_one_are_received); an
 * event's generation that is not looked at (a_duplicate_of_a_closed_file_disturbs_nobody). */
#include "unit/epoll_io.h"

/* A receive that has waited and got a byte: the side is armed, and known as empty. */
static void learn(struct magi_epoll *u, int fd, int peer, uint64_t file)
{
	char in[8];

	submit(u, recv_of(fd, file, in, sizeof(in), 1));
	expect_silence(u);
	cr_assert_eq(send(peer, "x", 1, 0), 1);
	cr_assert_eq(result_of(u, 1), 1);
	cr_assert(!known(u, fd)->side[MAGI_EPOLL_READ].ready);
}

Test(epoll, a_drained_connection_is_not_tried_before_the_next_edge, .timeout = 20)
{
	struct magi_epoll *u = open_io(NULL);
	char in[8];
	int fds[2];

	tcp_pair(fds);
	learn(u, fds[1], fds[0], 7);
	for (int i = 0; i < 100; i++) {
		submit(u, recv_of(fds[1], 7, in, sizeof(in), 2));
		cr_assert(!u->work_first, "it is to be tried");
		cr_assert_eq(send(fds[0], "yz", 2, 0), 2);
		cr_assert_eq(result_of(u, 2), 2);
	}
	close(fds[0]);
	close(fds[1]);
	close_io(u);
}

Test(epoll, what_ends_with_its_last_bytes_is_told, .timeout = 20)
{
	struct magi_epoll *u = open_io(NULL);
	char in[8];
	int fds[2];

	tcp_pair(fds);
	learn(u, fds[1], fds[0], 7);
	submit(u, recv_of(fds[1], 7, in, sizeof(in), 2));
	expect_silence(u);
	cr_assert_eq(send(fds[0], "end", 3, 0), 3);
	shutdown(fds[0], SHUT_WR);
	until_arrived(fds[1], POLLRDHUP);
	cr_assert_eq(result_of(u, 2), 3);
	for (uint64_t token = 3; token < 6; token++) {
		submit(u, recv_of(fds[1], 7, in, sizeof(in), token));
		cr_assert_eq(result_of(u, token), 0);
	}
	close(fds[0]);
	close(fds[1]);
	close_io(u);
}

Test(epoll, bytes_after_an_urgent_one_are_received, .timeout = 20)
{
	struct magi_epoll *u = open_io(NULL);
	char in[8];
	int fds[2];

	tcp_pair(fds);
	learn(u, fds[1], fds[0], 7);
	cr_assert(send(fds[0], "ab", 2, 0) == 2 && send(fds[0], "!", 1, MSG_OOB) == 1 && send(fds[0], "cd", 2, 0) == 2);
	until_arrived(fds[1], POLLPRI);
	submit(u, recv_of(fds[1], 7, in, sizeof(in), 2));
	cr_assert_eq(result_of(u, 2), 2); /* up to the mark */
	submit(u, recv_of(fds[1], 7, in, sizeof(in), 3));
	cr_assert_eq(result_of(u, 3), 2);
	cr_assert_eq(memcmp(in, "cd", 2), 0);
	close(fds[0]);
	close(fds[1]);
	close_io(u);
}

/* Somebody else's close, and accept: this io hears of neither. */
Test(epoll, a_number_that_names_another_file_is_learned_anew, .timeout = 20)
{
	struct magi_epoll *u = open_io(NULL);
	char in[8];
	int old[2], fresh[2], number;

	tcp_pair(old);
	number = old[1];
	learn(u, number, old[0], 7);
	tcp_pair(fresh);
	cr_assert_eq(dup2(fresh[1], number), number);
	close(fresh[1]);
	cr_assert_eq(send(fresh[0], "new", 3, 0), 3);
	until_arrived(number, POLLIN);
	submit(u, recv_of(number, 8, in, sizeof(in), 2));
	cr_assert_eq(result_of(u, 2), 3);
	learn(u, number, fresh[0], 8);
	close(old[0]);
	close(number);
	close(fresh[0]);
	close_io(u);
}

Test(epoll, who_waits_at_a_number_does_not_get_the_next_files_bytes, .timeout = 20)
{
	struct magi_epoll *u = open_io(NULL);
	char stale[8], in[8];
	int old[2], fresh[2];

	tcp_pair(old);
	tcp_pair(fresh);
	submit(u, recv_of(old[1], 7, stale, sizeof(stale), 1));
	expect_silence(u);
	cr_assert_eq(dup2(fresh[1], old[1]), old[1]);
	cr_assert_eq(send(fresh[0], "new", 3, 0), 3);
	submit(u, recv_of(old[1], 8, in, sizeof(in), 2));
	cr_assert_eq(result_of(u, 1), -EBADF);
	cr_assert_eq(result_of(u, 2), 3);
	for (int i = 0; i < 2; i++) {
		close(old[i]);
		close(fresh[i]);
	}
	close_io(u);
}

/* The registration lives as long as the open file, and cannot be taken back once its number is another's. */
Test(epoll, a_duplicate_of_a_closed_file_disturbs_nobody, .timeout = 20)
{
	struct magi_epoll *u = open_io(NULL);
	struct magi_req poll_in = { .code = MAGI_IO_POLL, .file = 8, .op_flags = POLLIN, .token = 2 };
	int old[2], fresh[2], copy;

	tcp_pair(old);
	learn(u, old[1], old[0], 7);
	copy = dup(old[1]);
	tcp_pair(fresh);
	cr_assert_eq(dup2(fresh[1], old[1]), old[1]);
	poll_in.fd = old[1];
	submit(u, poll_in);
	expect_silence(u);
	cr_assert_eq(send(old[0], "stale", 5, 0), 5);
	until_arrived(copy, POLLIN);
	expect_silence(u);
	cr_assert_eq(send(fresh[0], "new", 3, 0), 3);
	cr_assert_eq(result_of(u, 2), POLLIN);
	close(copy);
	for (int i = 0; i < 2; i++) {
		close(old[i]);
		close(fresh[i]);
	}
	close_io(u);
}

/* Two workers have used a connection; it stays with one. */
Test(epoll, a_registration_goes_where_nobody_asks_any_more, .timeout = 20)
{
	struct magi_epoll *here = open_io(NULL), *there = open_io(NULL);
	char in[8];
	int fds[2];

	tcp_pair(fds);
	learn(here, fds[1], fds[0], 7);
	learn(there, fds[1], fds[0], 7);
	for (int i = 0; i < 4; i++) {
		submit(there, recv_of(fds[1], 7, in, sizeof(in), 2));
		cr_assert_eq(send(fds[0], "x", 1, 0), 1);
		until_arrived(fds[1], POLLIN);
		magi_epoll_harvest(here, 0); /* it would sleep, and be woken */
		cr_assert_eq(result_of(there, 2), 1);
	}
	cr_assert_eq(known(here, fds[1])->mask, 0);
	cr_assert_neq(known(there, fds[1])->mask, 0);
	learn(here, fds[1], fds[0], 7);
	close(fds[0]);
	close(fds[1]);
	close_io(here);
	close_io(there);
}

/* A local socket tells of room whenever its peer has read. */
Test(epoll, room_is_told_only_to_who_waits_for_it, .timeout = 20)
{
	enum { SIZE = 1 << 20 };
	struct magi_epoll *u = open_io(NULL);
	char *out = calloc(1, SIZE);
	struct magi_req send_much = { .code = MAGI_IO_SEND, .file = 7, .addr = out, .len = SIZE, .token = 1 };
	int fds[2];

	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	send_much.fd = fds[0];
	submit(u, send_much);
	cr_assert_gt(result_of(u, 1), 0);
	submit(u, send_much);
	expect_silence(u);
	cr_assert(known(u, fds[0])->mask & EPOLLOUT);
	while (recv(fds[1], out, SIZE, MSG_DONTWAIT) > 0)
		;
	cr_assert_gt(result_of(u, 1), 0);
	submit(u, recv_of(fds[0], 7, out, 1, 2));
	expect_silence(u);
	for (int i = 0; i < 3; i++) {
		while (recv(fds[1], out, SIZE, MSG_DONTWAIT) > 0)
			;
		expect_silence(u);
		cr_assert_eq(send(fds[0], "x", 1, 0), 1);
	}
	cr_assert(!(known(u, fds[0])->mask & EPOLLOUT));
	cr_assert(known(u, fds[0])->mask & EPOLLIN);
	ops->cancel((struct magi_io *)u, 2);
	cr_assert_eq(result_of(u, 2), -ECANCELED);
	close(fds[0]);
	close(fds[1]);
	free(out);
	close_io(u);
}

Test(epoll, polling_a_file_that_is_always_ready_ends_at_once, .timeout = 20)
{
	struct magi_epoll *u = open_io(NULL);
	struct magi_req req = { .code = MAGI_IO_POLL, .op_flags = POLLIN, .token = 1 };
	FILE *file = tmpfile();

	req.fd = fileno(file);
	submit(u, req);
	cr_assert_eq(result_of(u, 1), POLLIN);
	req.op_flags = POLLPRI;
	submit(u, req);
	cr_assert_eq(result_of(u, 1), -EINVAL); /* for ever would be too long */
	fclose(file);
	close_io(u);
}

Test(epoll, each_failure_to_open_is_undone, .timeout = 20)
{
	int before = dup(0), after, rc = -1;

	close(before);
	for (uint64_t n = 1; rc < 0; n++) {
		struct magi_io *io = NULL;

		magi_fault_plan(n, 0);
		rc = ops->open(&io, &(struct magi_io_params){ 0 });
		magi_fault_plan(0, 0);
		if (rc < 0)
			cr_assert(!io && (rc == -ENOMEM || rc == -EMFILE), "%d", rc);
		else
			ops->close(io, take, NULL);
		after = dup(0);
		close(after);
		cr_assert_eq(after, before);
		cr_assert_lt(n, 20);
	}
}

Test(epoll, a_request_that_finds_no_memory_says_so, .timeout = 20)
{
	/* the operation; what is known of the descriptor, after the operation; the registration, after that */
	static const uint64_t nth[] = { 1, 2, 2 };
	struct magi_epoll *u = open_io(NULL);
	struct magi_rec rec;
	char in[8];
	int fds[2], last;

	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	last = dup2(fds[1], 3000); /* beyond the descriptors that are known already */
	for (uint64_t i = 0; i < 3; i++) {
		magi_fault_plan(nth[i], 0);
		submit(u, recv_of(last, 0, in, sizeof(in), i));
		cr_assert_eq(poll_io(u, 1, &rec, 1), 1);
		magi_fault_plan(0, 0);
		cr_assert(rec.token == i && rec.res == -ENOMEM, "%d", rec.res);
	}
	submit(u, recv_of(last, 0, in, sizeof(in), 9));
	expect_silence(u);
	cr_assert_eq(send(fds[0], "x", 1, 0), 1);
	cr_assert_eq(result_of(u, 9), 1);
	close(last);
	close(fds[0]);
	close(fds[1]);
	close_io(u);
}
