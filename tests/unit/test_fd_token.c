/* SPDX-License-Identifier: MIT */
/* test_fd_token.c - src/io/fd.c: who closes a file learns what is under way on it, or that he does not know all of it. */
#include <criterion/criterion.h>

#include "io/fd.h"

static struct magi_fds table;

static struct magi_fd *add(mag_fd *fd)
{
	cr_assert_eq(magi_fds_add(&table, 11, fd), 0);
	return magi_fds_find(&table, *fd);
}

static void begin(struct magi_fd *r, mag_fd fd, uint32_t direction)
{
	cr_assert_eq(magi_fd_begin(r, fd, direction, 0), MAGI_FD_GO);
}

static int close_and_ask(struct magi_fd *r, mag_fd fd, uint64_t token[2])
{
	cr_assert_eq(magi_fd_close(r, fd, NULL), 1);
	return magi_fd_tokens(r, token);
}

Test(fd_token, a_receive_and_a_send_are_known_when_they_have_told_their_tokens, .timeout = 5)
{
	uint64_t token[2];
	mag_fd fd;
	struct magi_fd *r = add(&fd);

	begin(r, fd, MAGI_FD_READING);
	magi_fd_tell(r, MAGI_FD_READING, 7);
	begin(r, fd, MAGI_FD_WRITING);
	magi_fd_tell(r, MAGI_FD_WRITING, 8);
	cr_assert_eq(close_and_ask(r, fd, token), 2);
	cr_assert_eq(token[0], 7);
	cr_assert_eq(token[1], 8);
}

Test(fd_token, a_send_alone_is_known, .timeout = 5)
{
	uint64_t token[2];
	mag_fd fd;
	struct magi_fd *r = add(&fd);

	begin(r, fd, MAGI_FD_WRITING);
	magi_fd_tell(r, MAGI_FD_WRITING, 8);
	cr_assert_eq(close_and_ask(r, fd, token), 1);
	cr_assert_eq(token[0], 8);
}

/* Tried: its 0 taken for a token. */
Test(fd_token, one_that_has_not_told_yet_is_not_forgotten, .timeout = 5)
{
	uint64_t token[2];
	mag_fd fd;
	struct magi_fd *r = add(&fd);

	begin(r, fd, MAGI_FD_READING);
	magi_fd_tell(r, MAGI_FD_READING, 7);
	begin(r, fd, MAGI_FD_WRITING);
	cr_assert_eq(close_and_ask(r, fd, token), -1);
}

/* Tried: the references not compared. */
Test(fd_token, one_without_a_turn_is_not_forgotten, .timeout = 5)
{
	uint64_t token[2];
	mag_fd fd;
	struct magi_fd *r = add(&fd);

	begin(r, fd, MAGI_FD_READING);
	magi_fd_tell(r, MAGI_FD_READING, 7);
	begin(r, fd, 0);
	cr_assert_eq(close_and_ask(r, fd, token), -1);
}

/* Tried: the token left as it is at the end of a turn: the next one's operation is not the one that is cancelled. */
Test(fd_token, the_token_of_a_turn_that_is_over_is_not_taken_for_the_next_ones, .timeout = 5)
{
	uint64_t token[2];
	bool queued;
	mag_fd fd;
	struct magi_fd *r = add(&fd);

	begin(r, fd, MAGI_FD_READING);
	magi_fd_tell(r, MAGI_FD_READING, 7);
	magi_fd_end(r, MAGI_FD_READING, &queued);
	begin(r, fd, MAGI_FD_READING);
	cr_assert_eq(close_and_ask(r, fd, token), -1);
}
