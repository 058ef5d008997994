/* SPDX-License-Identifier: MIT */
/* test_limiter.c - src/resilience/limiter.c: so many a second and so many at once, in order, to the nanosecond of virtual
 * time. */
#include "gates.h"

#include <errno.h>
#include <magpie/limiter.h>
#include <string.h>

enum { REQUESTS = 100, RATE = 10, PLACES = 5 };
#define INTERVAL (MAG_SECOND / RATE)

struct site {
	mag_limiter limiter;
	uint64_t at[REQUESTS];
	uint32_t begun, inside, most; /* atomic */
};

struct request {
	mag_frame frame;
	MAG_ARGS(request, struct site *site; uint64_t ns;);
	mag_using use;
	int64_t rc;
};

static void come_in(struct site *s)
{
	uint32_t now, most;

	s->at[magi_add_ar(&s->begun, 1u)] = mag_now();
	now = magi_add_ar(&s->inside, 1u) + 1;
	most = magi_load_acq(&s->most);
	while (now > most && !magi_cas_ar(&s->most, &most, now))
		;
}

MAG_TASK(request)
{
	MAG_BEGIN(request);
	MAG_USING_BEGIN(self->rc, &self->use, mag_limiter_permit, &self->site->limiter);
	CHECK(self->rc == 0);
	come_in(self->site);
	MAG_AWAIT(self->rc, mag_sleep, self->ns);
	magi_sub_ar(&self->site->inside, 1u);
	MAG_USING_END(self->rc, &self->use, self->rc);
	MAG_RETURN(self->rc);
	MAG_END;
}

struct all {
	mag_frame frame;
	MAG_ARGS(all, struct site *site; uint64_t ns;);
	mag_group group;
	int64_t rc;
	int i;
};

MAG_TASK(all)
{
	MAG_BEGIN(all);
	MAG_GROUP_BEGIN(&self->group);
	for (self->i = 0; self->i < REQUESTS; self->i++)
		MAG_SPAWN(self->rc, &self->group, request, .site = self->site, .ns = self->ns);
	MAG_GROUP_END(self->rc, &self->group);
	CHECK(mag_limiter_fini(&self->site->limiter) == 0);
	MAG_RETURN(self->rc);
	MAG_END;
}

static int earlier(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

/* Says how long it took from the first to the last; no window of a second has more than the rate and the burst. */
static uint64_t run_all(struct site *s, uint32_t workers, uint32_t burst, uint64_t ns)
{
	*s = (struct site){ .limiter = MAG_LIMITER_INIT(RATE, burst, PLACES) };
	cr_assert_eq(RUN(workers, all, .site = s, .ns = ns), 0);
	cr_assert_eq(s->begun, REQUESTS);
	cr_assert_leq(s->most, PLACES);
	qsort(s->at, REQUESTS, sizeof(s->at[0]), earlier);
	for (uint32_t i = 0; i + RATE + burst - 1 < REQUESTS; i++)
		cr_assert_geq(s->at[i + RATE + burst - 1] - s->at[i], MAG_SECOND, "from request %u", i);
	return s->at[REQUESTS - 1] - s->at[0];
}

Test(limiter, hundred_requests_at_ten_a_second_and_five_at_once_take_9_9_seconds, .timeout = 20)
{
	static struct site s;

	EACH_WORKERS(n) {
		cr_assert_eq(run_all(&s, n, 1, 300 * MAG_MILLISECOND), 9900 * MAG_MILLISECOND);
		for (int i = 1; i < REQUESTS; i++)
			cr_assert_eq(s.at[i] - s.at[i - 1], INTERVAL);
	}
}

Test(limiter, burst_goes_at_once_and_the_rest_at_the_rate, .timeout = 20)
{
	static struct site s;

	EACH_WORKERS(n)
		cr_assert_eq(run_all(&s, n, 4, MAG_MILLISECOND), (REQUESTS - 4) * INTERVAL);
}

/* 20 rounds of five, each as long as a request; then the bucket does not say anything. */
Test(limiter, no_more_at_once_than_there_are_places, .timeout = 20)
{
	static struct site s;

	EACH_WORKERS(n) {
		cr_assert_eq(run_all(&s, n, PLACES, 2 * MAG_SECOND), 19 * 2 * MAG_SECOND);
		cr_assert_eq(s.most, PLACES);
	}
}

/* One task alone, by the clock. */

struct alone {
	mag_frame frame;
	MAG_ARGS(alone, mag_limiter *limiter;);
	uint64_t began;
	int64_t rc;
};

static uint64_t since(uint64_t began)
{
	return mag_now() - began;
}

MAG_TASK(alone)
{
	MAG_BEGIN(alone);
	self->began = mag_now();
	CHECK(mag_limiter_tokens(self->limiter) == 3);
	MAG_AWAIT(self->rc, mag_limiter_acquire, self->limiter, 3);
	CHECK(self->rc == 0 && since(self->began) == 0);
	CHECK(mag_limiter_tokens(self->limiter) == 0);
	CHECK(mag_limiter_ready_at(self->limiter, 2) == self->began + 2 * INTERVAL);
	MAG_AWAIT(self->rc, mag_limiter_acquire, self->limiter, 2);
	CHECK(self->rc == 0 && since(self->began) == 2 * INTERVAL);
	MAG_AWAIT(self->rc, mag_sleep, INTERVAL + INTERVAL / 2);
	CHECK(mag_limiter_tokens(self->limiter) == 1);
	CHECK(mag_limiter_try_acquire(self->limiter, 2) == -EAGAIN);
	CHECK(mag_limiter_try_acquire(self->limiter, 1) == 0);
	MAG_AWAIT(self->rc, mag_limiter_acquire, self->limiter, 1);
	CHECK(self->rc == 0 && since(self->began) == 4 * INTERVAL);
	MAG_AWAIT(self->rc, mag_sleep, 100 * INTERVAL); /* no more than the burst gathers */
	CHECK(mag_limiter_tokens(self->limiter) == 3);
	CHECK(mag_limiter_ready_at(self->limiter, 3) == mag_now());
	MAG_AWAIT(self->rc, mag_limiter_acquire, self->limiter, 3);
	CHECK(self->rc == 0 && mag_limiter_try_acquire(self->limiter, 1) == -EAGAIN);
	MAG_RETURN(0);
	MAG_END;
}

Test(limiter, tokens_come_at_the_rate_up_to_the_burst, .timeout = 20)
{
	mag_limiter limiter = MAG_LIMITER_INIT(RATE, 3, 0);

	cr_assert_eq(RUN(1, alone, .limiter = &limiter), 0);
}

struct unsaid {
	mag_frame frame;
	MAG_ARGS(unsaid, mag_limiter *limiter;);
};

MAG_TASK(unsaid)
{
	MAG_BEGIN(unsaid);
	CHECK(mag_limiter_try_acquire(self->limiter, 1) == 0);
	CHECK(mag_limiter_try_acquire(self->limiter, 1) == -EAGAIN);
	MAG_RETURN(0);
	MAG_END;
}

Test(limiter, a_burst_that_is_not_said_is_one, .timeout = 20)
{
	mag_limiter limiter = MAG_LIMITER_INIT(RATE, 0, 0);

	cr_assert_eq(RUN(1, unsaid, .limiter = &limiter), 0);
}

struct until {
	mag_frame frame;
	MAG_ARGS(until, mag_limiter *limiter;);
	mag_scope scope;
	mag_using use;
	uint64_t began;
	int64_t rc;
};

MAG_TASK(until)
{
	MAG_BEGIN(until);
	self->began = mag_now();
	MAG_AWAIT(self->rc, mag_limiter_enter_until, self->limiter, 2, 0); /* what is there is taken, however late */
	CHECK(self->rc == 0);
	MAG_AWAIT(self->rc, mag_limiter_acquire_until, self->limiter, 1, mag_deadline_in(INTERVAL - 1));
	CHECK(self->rc == MAG_ETIMEDOUT && since(self->began) == INTERVAL - 1);
	MAG_AWAIT(self->rc, mag_limiter_acquire_until, self->limiter, 1, mag_deadline_in(2));
	CHECK(self->rc == 0 && since(self->began) == INTERVAL);
	MAG_AWAIT(self->rc, mag_limiter_enter_until, self->limiter, 1, mag_deadline_in(5 * INTERVAL));
	CHECK(self->rc == MAG_ETIMEDOUT && since(self->began) == 6 * INTERVAL); /* of tokens enough, of places not */
	CHECK(mag_limiter_tokens(self->limiter) == 2);
	CHECK(mag_limiter_try_enter(self->limiter, 1) == -EAGAIN);
	CHECK(mag_limiter_leave(self->limiter) == 0);
	CHECK(mag_limiter_try_enter(self->limiter, 1) == 0 && mag_limiter_leave(self->limiter) == 0);
	CHECK(mag_limiter_try_enter(self->limiter, 2) == -EAGAIN);
	CHECK(mag_limiter_try_enter(self->limiter, 1) == 0); /* the place that it had not needed is back */
	CHECK(mag_limiter_leave(self->limiter) == 0);
	MAG_USING_BEGIN(self->rc, &self->use, mag_limiter_permit, self->limiter, .tokens = 2,
			.until = mag_deadline_in(INTERVAL));
	CHECK(self->rc == MAG_ETIMEDOUT);
	MAG_USING_END(self->rc, &self->use, 0);
	CHECK(self->rc == 0 && mag_limiter_try_enter(self->limiter, 1) == 0); /* so is the one that it had */
	CHECK(mag_limiter_leave(self->limiter) == 0);
	MAG_SCOPE_BEGIN(&self->scope);
	mag_scope_cancel(&self->scope);
	MAG_AWAIT(self->rc, mag_limiter_acquire, self->limiter, 1);
	CHECK(self->rc == MAG_ECANCELED);
	MAG_AWAIT(self->rc, mag_limiter_enter_until, self->limiter, 1, 0);
	CHECK(self->rc == MAG_ECANCELED);
	MAG_SCOPE_END(self->rc, &self->scope);
	MAG_RETURN(0);
	MAG_END;
}

Test(limiter, deadlines_are_kept_and_take_nothing, .timeout = 20)
{
	mag_limiter limiter = MAG_LIMITER_INIT(RATE, 2, 1);

	cr_assert_eq(RUN(1, until, .limiter = &limiter), 0);
	cr_assert_eq(mag_limiter_fini(&limiter), 0);
}

/* In the order of coming: who wants many tokens is not overtaken by those that want few, and tries get nothing. */

struct comer {
	mag_frame frame;
	MAG_ARGS(comer, mag_limiter *limiter; uint32_t n; uint64_t *at; mag_scope *scope;);
	int64_t rc;
};

MAG_TASK(comer)
{
	MAG_BEGIN(comer);
	if (self->scope)
		MAG_SCOPE_BEGIN(self->scope);
	MAG_AWAIT(self->rc, mag_limiter_acquire, self->limiter, self->n);
	*self->at = mag_now();
	if (self->scope)
		MAG_SCOPE_END(*self->at, self->scope);
	MAG_RETURN(self->scope ? 0 : self->rc);
	MAG_END;
}

struct order {
	mag_frame frame;
	MAG_ARGS(order, mag_limiter *limiter; uint32_t cancelled;);
	mag_stats stats;
	mag_scope scope[3];
	mag_group group;
	uint64_t began, at[3];
	int64_t rc;
	uint32_t i;
};

MAG_TASK(order)
{
	MAG_BEGIN(order);
	CHECK(mag_limiter_try_acquire(self->limiter, 5) == 0);
	self->began = mag_now();
	MAG_GROUP_BEGIN(&self->group);
	for (self->i = 0; self->i < 3; self->i++) {
		MAG_SPAWN(self->rc, &self->group, comer, .limiter = self->limiter, .n = self->i ? 1 : 5,
			  .at = &self->at[self->i], .scope = self->i < self->cancelled ? &self->scope[self->i] : NULL);
		MAG_AWAIT(self->rc, mag_sleep, INTERVAL / 4);
	}
	MAG_AWAIT(self->rc, mag_sleep_until, self->began + 3 * INTERVAL);
	CHECK(mag_limiter_tokens(self->limiter) == 3 && mag_limiter_try_acquire(self->limiter, 1) == -EAGAIN);
	self->stats.size = sizeof(self->stats);
	CHECK(mag_runtime_stats(mag_runtime_current(), &self->stats) == 0 && self->stats.timers == 1); /* for three */
	for (self->i = self->cancelled; self->i-- > 0;)
		mag_scope_cancel(&self->scope[self->i]);
	MAG_GROUP_END(self->rc, &self->group);
	CHECK(self->rc == 0);
	for (self->i = self->cancelled; self->i < 3; self->i++)
		CHECK(self->at[self->i] - self->began == (self->cancelled ? 3 : 5 + self->i) * INTERVAL);
	CHECK(mag_limiter_tokens(self->limiter) == self->cancelled);
	CHECK(mag_limiter_fini(self->limiter) == 0);
	MAG_RETURN(0);
	MAG_END;
}

Test(limiter, nobody_is_overtaken, .timeout = 20)
{
	EACH_WORKERS(n) {
		mag_limiter limiter = MAG_LIMITER_INIT(RATE, 5, 0);

		cr_assert_eq(RUN(n, order, .limiter = &limiter, .cancelled = 0), 0);
	}
}

/* The tokens that had gathered for it are those behind it's at once. */
Test(limiter, cancelled_head_gives_its_place_on, .timeout = 20)
{
	EACH_WORKERS(n) {
		mag_limiter limiter = MAG_LIMITER_INIT(RATE, 5, 0);

		cr_assert_eq(RUN(n, order, .limiter = &limiter, .cancelled = 1), 0);
	}
}

Test(limiter, all_of_those_that_wait_may_go, .timeout = 20)
{
	EACH_WORKERS(n) {
		for (uint32_t cancelled = 2; cancelled <= 3; cancelled++) {
			mag_limiter limiter = MAG_LIMITER_INIT(RATE, 5, 0);

			cr_assert_eq(RUN(n, order, .limiter = &limiter, .cancelled = cancelled), 0);
		}
	}
}

/* A worker that is held up: time goes on meanwhile. */

struct held_up {
	mag_frame frame;
	MAG_ARGS(held_up, mag_limiter *limiter; struct magi_world **world; uint64_t late; uint32_t at_once;);
	mag_group group;
	uint64_t began, at[20];
	uint32_t i;
	int64_t rc;
};

MAG_TASK(held_up)
{
	MAG_BEGIN(held_up);
	CHECK(mag_limiter_try_acquire(self->limiter, 1) == 0);
	self->began = mag_now();
	MAG_GROUP_BEGIN(&self->group);
	for (self->i = 0; self->i < 20; self->i++)
		MAG_SPAWN(self->rc, &self->group, comer, .limiter = self->limiter, .n = 1, .at = &self->at[self->i]);
	MAG_AWAIT(self->rc, mag_sleep, INTERVAL - 1);
	magi_world_advance(*self->world, 1 + self->late); /* its only worker does not look */
	MAG_GROUP_END(self->rc, &self->group);
	qsort(self->at, 20, sizeof(self->at[0]), earlier);
	for (self->i = 0; self->i < self->at_once; self->i++)
		CHECK(self->at[self->i] == self->began + INTERVAL + self->late);
	for (self->i = self->at_once; self->i < 20; self->i++) /* as if no more than an interval had been lost */
		CHECK(self->at[self->i] ==
		      self->began + (self->i + 1) * INTERVAL + (self->late > INTERVAL ? self->late - INTERVAL : 0));
	MAG_RETURN(0);
	MAG_END;
}

static void hold_up(uint64_t late, uint32_t at_once)
{
	mag_limiter limiter = MAG_LIMITER_INIT(RATE, 1, 0);
	struct play p;
	int64_t rc;

	play_begin(&p, 1);
	play_run(&p, rc, held_up, .limiter = &limiter, .world = &p.world, .late = late, .at_once = at_once);
	play_end(&p);
	cr_assert_eq(rc, 0);
}

Test(limiter, lateness_does_not_add_up, .timeout = 20)
{
	hold_up(INTERVAL / 3, 1); /* the second comes when it would have come */
}

/* Ten intervals late: as many would be due, two may go, the second of them in the last one's place. */
Test(limiter, one_token_is_made_up_for_and_no_more, .timeout = 20)
{
	hold_up(10 * INTERVAL, 2);
}

/* What it may be. */

static int init(mag_limiter *l, uint32_t rate, uint32_t burst, uint32_t concurrency, uint64_t per_ns)
{
	return mag_limiter_init(l, &(mag_limiter_options){ .size = sizeof(mag_limiter_options), .rate = rate,
							   .burst = burst, .concurrency = concurrency,
							   .per_ns = per_ns });
}

Test(limiter, bad_options_are_refused)
{
	mag_limiter_options later[2] = { { .size = 0 } };
	mag_limiter l;

	cr_assert_eq(init(&l, 0, 1, 1, 0), -EINVAL);
	cr_assert_eq(init(&l, 11, 1, 1, 10), -EINVAL);
	cr_assert_eq(init(&l, 1, UINT32_MAX, 0, MAG_SECOND * 2), -EINVAL);
	cr_assert_eq(init(&l, 1, 1, 0, (UINT64_C(1) << 62) + 1), -EINVAL);
	cr_assert_eq(init(&l, 1, 1, MAG_SEMAPHORE_MAX + 1, 0), -EINVAL);
	later[0].size = sizeof(later);
	cr_assert_eq(mag_limiter_init(&l, later), -EINVAL);
	later[0].size = sizeof(size_t) - 1;
	cr_assert_eq(mag_limiter_init(&l, later), -EINVAL);
	cr_assert_eq(init(&l, 10, 10, 0, 10), 0);
	cr_assert_eq(l.interval_ns, 1);
	cr_assert_eq(init(&l, 1, 1, MAG_SEMAPHORE_MAX, UINT64_C(1) << 62), 0);
	cr_assert_eq(mag_limiter_tokens(&l), 1);
	cr_assert_eq(mag_limiter_try_acquire(&l, 1), 0);
	cr_assert_eq(mag_limiter_tokens(&l), 0);
	cr_assert_gt(mag_limiter_ready_at(&l, 1), UINT64_C(1) << 62);
	cr_assert_eq(mag_limiter_try_acquire(&l, 1), -EAGAIN);
}

Test(limiter, rate_is_rounded_down_and_burst_is_one_by_itself)
{
	const mag_limiter fixed = MAG_LIMITER_INIT(3, 1, 2);
	mag_limiter l;

	cr_assert_eq(init(&l, 3, 0, 2, 0), 0);
	cr_assert_eq(l.interval_ns, 333333334);
	cr_assert_eq(memcmp(&l, &fixed, sizeof(l)), 0);
}

struct wrong {
	mag_frame frame;
	MAG_ARGS(wrong, mag_limiter *limiter;);
	mag_limiter slow;
	int64_t rc;
};

MAG_TASK(wrong)
{
	MAG_BEGIN(wrong);
	MAG_AWAIT(self->rc, mag_limiter_acquire, self->limiter, 0);
	CHECK(self->rc == -EINVAL);
	MAG_AWAIT(self->rc, mag_limiter_enter_until, self->limiter, 3, MAG_NEVER);
	CHECK(self->rc == -EINVAL);
	CHECK(mag_limiter_try_acquire(self->limiter, 0) == -EINVAL);
	CHECK(mag_limiter_try_enter(self->limiter, 3) == -EINVAL);
	CHECK(mag_limiter_ready_at(self->limiter, 3) == MAG_NEVER);
	CHECK(mag_limiter_ready_at(self->limiter, 0) == MAG_NEVER);
	self->slow = (mag_limiter)MAG_LIMITER_INIT(1, 4000000, 0); /* its bucket takes longer than the clock has gone */
	CHECK(mag_limiter_try_acquire(&self->slow, 1) == 0 && mag_limiter_tokens(&self->slow) == 3999999);
	CHECK(mag_limiter_try_enter(self->limiter, 1) == 0); /* no places: as many as anybody wants */
	CHECK(mag_limiter_leave(self->limiter) == 0);
	CHECK(mag_limiter_try_acquire(self->limiter, 1) == 0);
	MAG_AWAIT(self->rc, mag_limiter_enter, self->limiter, 1); /* so the token is all that it waits for */
	CHECK(self->rc == 0 && mag_limiter_leave(self->limiter) == 0);
	MAG_RETURN(0);
	MAG_END;
}

Test(limiter, wants_a_number_of_tokens_that_can_be, .timeout = 20)
{
	mag_limiter limiter = MAG_LIMITER_INIT(RATE, 2, 0);

	cr_assert_eq(RUN(1, wrong, .limiter = &limiter), 0);
	cr_assert_eq(mag_limiter_fini(&limiter), 0);
}
