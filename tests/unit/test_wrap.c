/* SPDX-License-Identifier: MIT */
/* test_wrap.c - async functions that are made of plain ones. */
#include "support/matrix.h"
#include "unit/play.h"

#include <errno.h>
#include <magpie/wrap.h>
#include <string.h>
#include <unistd.h>

static uint32_t ran;

static double area(double from, double to, long steps)
{
	double sum = 0, step = (to - from) / (double)steps;

	for (long i = 0; i < steps; i++)
		sum += (from + ((double)i + 0.5) * step) * step;
	return sum;
}

struct point {
	int x, y;
};

static struct point swapped(struct point p)
{
	return (struct point){ p.y, p.x };
}

static int eight(int a, int b, int c, int d, int e, int f, int g, int h)
{
	return ((((((a * 10 + b) * 10 + c) * 10 + d) * 10 + e) * 10 + f) * 10 + g) * 10 + h;
}

static void note(uint32_t *flag, int times)
{
	for (int i = 0; i < times; i++)
		magi_add_ar(flag, 1u); /* [flag] */
}

static void nothing(void)
{
	raise_flag(&ran);
}

static void linger(uint32_t *started, const uint32_t *enough)
{
	raise_flag(started);
	busy_until(enough, 20 * MAG_SECOND);
}

MAG_WRAP(area_async, MAG_COMPUTE, double, area, (double, from), (double, to), (long, steps))
MAG_WRAP(swapped_async, MAG_COMPUTE, struct point, swapped, (struct point, p))
MAG_WRAP(eight_async, MAG_BLOCKING, int, eight, (int, a), (int, b), (int, c), (int, d), (int, e), (int, f), (int, g),
	 (int, h))
MAG_WRAP(pid_async, MAG_BLOCKING, pid_t, getpid)
MAG_WRAP_VOID(note_async, MAG_BLOCKING, note, (uint32_t *, flag), (int, times))
MAG_WRAP_VOID(nothing_async, MAG_BLOCKING, nothing)
MAG_WRAP_VOID(linger_async, MAG_COMPUTE, linger, (uint32_t *, started), (const uint32_t *, enough))
MAG_WRAP_ERRNO(access_async, MAG_BLOCKING | MAG_KIND_FILE, access, (const char *, path), (int, mode))
MAG_WRAP(bad_lane, 77, pid_t, getpid)

struct values {
	mag_frame frame;
	MAG_NO_ARGS(values);
	int64_t rc;
	double area;
	struct point p;
	int eight;
	pid_t pid;
	uint32_t noted;
};

MAG_TASK(values)
{
	MAG_BEGIN(values);
	MAG_CALL(self->rc, area_async, .from = 0, .to = 2, .steps = 1000, .result = &self->area);
	NEED(self->rc == 0 && self->area > 1.999 && self->area < 2.001);
	MAG_CALL(self->rc, area_async, .from = 0, .to = 2, .steps = 10); /* nobody asks what it gives */
	NEED(self->rc == 0);
	MAG_CALL(self->rc, swapped_async, .p = { 1, 2 }, .result = &self->p);
	NEED(self->rc == 0 && self->p.x == 2 && self->p.y == 1);
	MAG_CALL(self->rc, eight_async, 1, 2, 3, 4, 5, 6, 7, 8, &self->eight);
	NEED(self->rc == 0 && self->eight == 12345678);
	MAG_CALL(self->rc, pid_async, .result = &self->pid);
	NEED(self->rc == 0 && self->pid == getpid());
	self->noted = 0;
	MAG_CALL(self->rc, note_async, .flag = &self->noted, .times = 3);
	NEED(self->rc == 0 && self->noted == 3);
	MAG_CALL(self->rc, nothing_async);
	NEED(self->rc == 0 && is_raised(&ran));
	MAG_RETURN(0);
	MAG_END;
}

Test(wrap, arguments_and_results_pass_whatever_they_are, .timeout = 20)
{
	int64_t rc = RUN(2, values);

	cr_assert_eq(rc, 0, "%s", where(rc));
}

struct errors {
	mag_frame frame;
	MAG_NO_ARGS(errors);
	int64_t rc;
	pid_t pid;
};

/* Tried: errno left out; a result that is written although nothing ran. */
MAG_TASK(errors)
{
	MAG_BEGIN(errors);
	MAG_CALL(self->rc, access_async, .path = "/", .mode = F_OK);
	NEED(self->rc == 0);
	MAG_CALL(self->rc, access_async, .path = "/there/is/none", .mode = F_OK);
	NEED(self->rc == -ENOENT);
	self->pid = -7;
	MAG_CALL(self->rc, bad_lane, .result = &self->pid);
	NEED(self->rc == -EINVAL && self->pid == -7);
	MAG_RETURN(0);
	MAG_END;
}

Test(wrap, what_fails_is_told, .timeout = 20)
{
	int64_t rc = RUN(1, errors);

	cr_assert_eq(rc, 0, "%s", where(rc));
}

struct cancelled {
	mag_frame frame;
	MAG_NO_ARGS(cancelled);
	mag_group group;
	uint32_t started, enough, noted;
	int64_t rc;
};

/* One thread of the lane: the second call waits for it, and is cancelled there. */
MAG_TASK(cancelled)
{
	MAG_BEGIN(cancelled);
	self->started = self->enough = self->noted = 0;
	MAG_GROUP_BEGIN(&self->group);
	MAG_SPAWN(self->rc, &self->group, linger_async, .started = &self->started, .enough = &self->enough);
	MAG_SPAWN(self->rc, &self->group, area_async, .from = 0, .to = 1, .steps = 1);
	while (!is_raised(&self->started))
		MAG_YIELD(self->rc);
	mag_group_cancel(&self->group);
	raise_flag(&self->enough);
	MAG_GROUP_END(self->rc, &self->group);
	MAG_RETURN(self->rc == MAG_ECANCELED || self->rc == 0 ? 0 : self->rc);
	MAG_END;
}

Test(wrap, a_call_that_runs_is_waited_for_and_one_that_waits_is_taken_back, .timeout = 30)
{
	for (uint32_t n = 1; n <= 4; n *= 2) {
		int64_t rc = RUN(n, cancelled);

		cr_assert_eq(rc, 0, "%s", where(rc));
	}
}
