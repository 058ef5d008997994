/* SPDX-License-Identifier: MIT */
/* test_ledger.c - tests/support/ledger.h sees what is left behind. */
#include "gates.h"

#include <unistd.h>

#define SHORT (50 * MAG_MILLISECOND)

/* Opens a gate, and has a timer and a file until another is opened. */
struct keeper {
	mag_frame frame;
	MAG_ARGS(keeper, mag_future *began; mag_future *enough; int raw; bool timer;);
	mag_scope scope;
	mag_fd fd;
	int64_t rc;
};

MAG_TASK(keeper)
{
	MAG_BEGIN(keeper);
	if (self->raw >= 0)
		CHECK(mag_fd_adopt(self->raw, &self->fd) == 0);
	MAG_WITH_TIMEOUT(&self->scope, self->timer ? 3600 * MAG_SECOND : MAG_NEVER);
	mag_future_complete(self->began, 0);
	MAG_AWAIT(self->rc, mag_future_await, self->enough);
	MAG_SCOPE_END(self->rc, &self->scope);
	if (self->raw >= 0)
		MAG_AWAIT(self->rc, mag_close, self->fd);
	MAG_RETURN(0);
	MAG_END;
}

static mag_stats left_while_kept(bool file, bool timer)
{
	mag_runtime *rt = play_real(2, NEVER_SPIN);
	mag_future began, enough, ended;
	mag_stats s, after;
	int raw[2] = { -1, -1 };

	mag_future_init(&began);
	mag_future_init(&enough);
	mag_future_init(&ended);
	if (file)
		cr_assert_eq(pipe(raw), 0);
	cr_assert_eq(mag_spawn_from(rt, &ended, keeper, .began = &began, .enough = &enough, .raw = raw[0],
				    .timer = timer), 0);
	play_wait(&began);
	cr_assert_not(ledger_is_even(rt, &s, SHORT));
	mag_future_complete(&enough, 0);
	play_wait(&ended);
	cr_assert(ledger_is_even(rt, &after, 10 * MAG_SECOND));
	mag_future_fini(&enough);
	cr_assert_eq(mag_runtime_destroy(rt, mag_deadline_in(30 * MAG_SECOND)), 0);
	if (file)
		close(raw[1]);
	return s;
}

Test(ledger, a_task_that_has_not_ended_is_seen, .timeout = 30)
{
	mag_stats s = left_while_kept(false, false);

	cr_assert(s.frames > 0 && s.timers == 0 && s.fds == 0);
}

Test(ledger, an_armed_timer_is_seen, .timeout = 30)
{
	cr_assert_eq(left_while_kept(false, true).timers, 1);
}

Test(ledger, an_open_file_is_seen, .timeout = 30)
{
	cr_assert_eq(left_while_kept(true, false).fds, 1);
}
