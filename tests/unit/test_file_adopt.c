/* SPDX-License-Identifier: MIT */
/* test_file_adopt.c - descriptors that others made: taken in, asked about, given back, on workers and elsewhere. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <magpie/magpie.h>
#include <unistd.h>

#include "support/matrix.h"

Test(file_adopt, only_a_worker_takes_a_file_in_or_gives_it_back, .timeout = 10)
{
	mag_fd fd;
	int raw = open("/dev/null", O_RDONLY | O_CLOEXEC);

	cr_assert_eq(mag_fd_adopt(raw, &fd), -EPERM);
	cr_assert_eq(mag_fd_raw(fd), MAG_ECLOSED);
	cr_assert_eq(mag_fd_release(fd), MAG_ECLOSED);
	cr_assert_eq(close(raw), 0, "it is the caller's still");
}

struct borrows {
	mag_frame frame;
	MAG_NO_ARGS(borrows);
	mag_fd fd;
	int64_t rc;
	int raw;
};

MAG_TASK(borrows)
{
	MAG_BEGIN(borrows);
	NEED(mag_fd_adopt(-1, &self->fd) == -EBADF && mag_fd_release(self->fd) == MAG_ECLOSED);
	self->raw = open("/dev/null", O_RDONLY | O_CLOEXEC);
	NEED(mag_fd_adopt(self->raw, &self->fd) == 0 && mag_fd_raw(self->fd) == self->raw);
	NEED(mag_fd_release(self->fd) == self->raw);
	NEED(mag_fd_raw(self->fd) == MAG_ECLOSED && mag_fd_release(self->fd) == MAG_ECLOSED);
	NEED(close(self->raw) == 0);
	MAG_AWAIT(self->rc, mag_close, self->fd);
	NEED(self->rc == MAG_ECLOSED);
	MAG_RETURN(0);
	MAG_END;
}

Test(file_adopt, what_was_given_back_is_not_ours_any_more, .timeout = 10)
{
	int64_t rc = RUN(1, borrows);

	cr_assert_eq(rc, 0, "%s", where(rc));
}
