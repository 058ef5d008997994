/* SPDX-License-Identifier: MIT */
/* test_watch_value.c - src/sync/watch.c. */
#include <magpie/watch.h>
#include <magpie/time.h>

#include <criterion/criterion.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "support/matrix.h"
#include "unit/play.h"

/* Without tasks. */

Test(watch_value, newest_is_seen_with_its_version, .timeout = 10)
{
	static uint16_t room = 1;
	static mag_watch watch = MAG_WATCH_INIT(room);
	uint64_t first, seen;
	uint16_t value = 0;

	cr_assert(mag_watch_has_changed(&watch, 0));
	first = mag_watch_get(&watch, &value);
	cr_assert(value == 1 && first != 0 && first == mag_watch_version(&watch));
	cr_assert_not(mag_watch_has_changed(&watch, first));
	for (value = 2; value < 5; value++)
		cr_assert_eq(mag_watch_send(&watch, &value), 0);
	cr_assert(mag_watch_has_changed(&watch, first));
	seen = mag_watch_get(&watch, &value);
	cr_assert(value == 4 && seen > first);
	cr_assert_eq(mag_watch_get(&watch, &value), seen);
	cr_assert_eq(mag_watch_fini(&watch), 0);
}

Test(watch_value, closed_keeps_its_last_value, .timeout = 10)
{
	uint64_t room = 1, value = 2, seen;
	mag_watch watch;

	cr_assert_eq(mag_watch_init(&watch, &room, sizeof(room)), 0);
	cr_assert_eq(mag_watch_send(&watch, &value), 0);
	seen = mag_watch_version(&watch);
	cr_assert_not(mag_watch_is_closed(&watch));
	cr_assert_eq(mag_watch_close(&watch), 1);
	cr_assert_eq(mag_watch_close(&watch), 0);
	cr_assert(mag_watch_is_closed(&watch));
	cr_assert_not(mag_watch_has_changed(&watch, seen));
	value = 3;
	cr_assert_eq(mag_watch_send(&watch, &value), MAG_ECLOSED);
	cr_assert_eq(mag_watch_get(&watch, &value), seen);
	cr_assert_eq(value, 2);
}

Test(watch_value, has_any_size_up_to_the_limit, .timeout = 10)
{
	static const size_t sizes[] = { 1, 3, 8, 24, MAG_WATCH_VALUE_MAX };
	mag_watch watch;

	for (size_t k = 0; k < sizeof(sizes) / sizeof(sizes[0]); k++) {
		unsigned char *room = malloc(sizes[k]), *in = malloc(sizes[k]), *out = malloc(sizes[k]);

		cr_assert(room && in && out);
		memset(room, 1, sizes[k]);
		memset(in, 2, sizes[k]);
		cr_assert_eq(mag_watch_init(&watch, room, sizes[k]), 0);
		mag_watch_get(&watch, out);
		cr_assert_eq(out[sizes[k] - 1], 1);
		cr_assert_eq(mag_watch_send(&watch, in), 0);
		mag_watch_get(&watch, out);
		cr_assert_eq(memcmp(in, out, sizes[k]), 0);
		free(room);
		free(in);
		free(out);
	}
	cr_assert_eq(mag_watch_init(&watch, NULL, 0), -EINVAL);
	cr_assert_eq(mag_watch_init(&watch, NULL, MAG_WATCH_VALUE_MAX + 1), -EINVAL);
}

/* Followers, while others send: each sees the numbers grow, whole, and the last one. */

struct number {
	uint64_t n, check;
};

enum { FOLLOWERS = 6, SENDS = 20000 / PLAY_SLOWDOWN };

struct follower {
	mag_frame frame;
	MAG_ARGS(follower, mag_watch *watch; uint32_t lazy;);
	struct number value;
	uint64_t seen, last;
	uint32_t i;
	int64_t rc;
};

MAG_TASK(follower)
{
	MAG_BEGIN(follower);
	self->seen = self->last = 0;
	for (;;) {
		MAG_AWAIT(self->rc, mag_watch_changed, self->watch, self->seen);
		if (self->rc < 0)
			break;
		self->seen = mag_watch_get(self->watch, &self->value);
		NEED(self->value.check == ~self->value.n);
		NEED(self->value.n > self->last || self->value.n == 1);
		self->last = self->value.n;
		for (self->i = 0; self->i < self->lazy; self->i++)
			MAG_YIELD(self->rc);
	}
	NEED(self->rc == MAG_ECLOSED);
	MAG_RETURN(self->last == SENDS ? 0 : -(100000 + __LINE__));
	MAG_END;
}

struct follow {
	mag_frame frame;
	MAG_NO_ARGS(follow);
	mag_watch watch;
	mag_group group;
	struct number room, value;
	uint64_t i;
	int64_t rc;
};

MAG_TASK(follow)
{
	MAG_BEGIN(follow);
	self->room = (struct number){ 1, ~UINT64_C(1) };
	NEED(mag_watch_init(&self->watch, &self->room, sizeof(self->room)) == 0);
	MAG_GROUP_BEGIN(&self->group);
	for (self->i = 0; self->i < FOLLOWERS; self->i++)
		MAG_SPAWN(self->rc, &self->group, follower, .watch = &self->watch, .lazy = (uint32_t)self->i % 3);
	for (self->i = 2; self->i <= SENDS; self->i++) {
		self->value = (struct number){ self->i, ~self->i };
		NEED(mag_watch_send(&self->watch, &self->value) == 0);
		if (self->i % 8 == 0)
			MAG_YIELD(self->rc);
	}
	mag_watch_close(&self->watch);
	MAG_GROUP_END(self->rc, &self->group);
	NEED(self->rc == 0);
	NEED(mag_watch_fini(&self->watch) == 0);
	MAG_RETURN(0);
	MAG_END;
}

Test(watch_value, followers_see_it_grow_and_the_last_one, .timeout = 60)
{
	int64_t rc = RUN(4, follow);

	cr_assert_eq(rc, 0, "%s", where(rc));
	rc = RUN(1, follow);
	cr_assert_eq(rc, 0, "%s", where(rc));
}

/* The same from a thread that is no worker. */

static void *lead_from_outside(void *arg)
{
	for (uint64_t i = 2; i <= SENDS; i++) {
		const struct number value = { i, ~i };

		if (mag_watch_send(arg, &value) < 0)
			return arg;
	}
	mag_watch_close(arg);
	return NULL;
}

Test(watch_value, any_thread_may_send_and_close, .timeout = 60)
{
	struct number room = { 1, ~UINT64_C(1) };
	pthread_t thread;
	mag_watch watch;
	void *failed;
	int64_t rc;

	cr_assert_eq(mag_watch_init(&watch, &room, sizeof(room)), 0);
	cr_assert_eq(pthread_create(&thread, NULL, lead_from_outside, &watch), 0);
	rc = RUN(2, follower, .watch = &watch, .lazy = 0);
	cr_assert_eq(rc, 0, "%s", where(rc));
	pthread_join(thread, &failed);
	cr_assert_null(failed);
	cr_assert_eq(mag_watch_fini(&watch), 0);
}

/* Those who wait. */

struct waits {
	mag_frame frame;
	MAG_ARGS(waits, mag_watch *watch; int64_t want;);
	int64_t rc;
};

MAG_TASK(waits)
{
	MAG_BEGIN(waits);
	MAG_AWAIT(self->rc, mag_watch_changed, self->watch, mag_watch_version(self->watch));
	NEED(self->rc == self->want);
	MAG_RETURN(0);
	MAG_END;
}

struct woken {
	mag_frame frame;
	MAG_ARGS(woken, bool close;);
	mag_watch watch;
	mag_group group;
	uint64_t room;
	uint32_t i;
	int64_t rc;
};

MAG_TASK(woken)
{
	MAG_BEGIN(woken);
	self->room = 0;
	NEED(mag_watch_init(&self->watch, &self->room, sizeof(self->room)) == 0);
	MAG_GROUP_BEGIN(&self->group);
	for (self->i = 0; self->i < 10; self->i++)
		MAG_SPAWN(self->rc, &self->group, waits, .watch = &self->watch,
			  .want = self->close ? MAG_ECLOSED : 0);
	UNTIL_WAITING(self->rc, &self->watch.waitq, 10);
	if (self->close)
		NEED(mag_watch_close(&self->watch) == 1);
	else
		NEED(mag_watch_send(&self->watch, &self->i) == 0);
	MAG_GROUP_END(self->rc, &self->group);
	NEED(self->rc == 0);
	MAG_RETURN(0);
	MAG_END;
}

Test(watch_value, send_wakes_all, .timeout = 20)
{
	int64_t rc = RUN(4, woken, .close = false);

	cr_assert_eq(rc, 0, "%s", where(rc));
}

Test(watch_value, close_wakes_all, .timeout = 20)
{
	int64_t rc = RUN(4, woken, .close = true);

	cr_assert_eq(rc, 0, "%s", where(rc));
}

/* Deadlines. */

struct deadlines {
	mag_frame frame;
	MAG_NO_ARGS(deadlines);
	mag_watch watch;
	uint64_t room, seen;
	mag_scope scope;
	int64_t rc;
};

MAG_TASK(deadlines)
{
	MAG_BEGIN(deadlines);
	mag_watch_init(&self->watch, &self->room, sizeof(self->room));
	self->seen = mag_watch_version(&self->watch);
	MAG_AWAIT(self->rc, mag_watch_changed_until, &self->watch, self->seen, 0);
	NEED(self->rc == MAG_ETIMEDOUT);
	MAG_AWAIT(self->rc, mag_watch_changed_until, &self->watch, self->seen, mag_deadline_in(MAG_MILLISECOND));
	NEED(self->rc == MAG_ETIMEDOUT);
	MAG_SCOPE_BEGIN(&self->scope);
	mag_scope_cancel(&self->scope);
	MAG_AWAIT(self->rc, mag_watch_changed_until, &self->watch, self->seen, 0);
	NEED(self->rc == MAG_ECANCELED);
	MAG_SCOPE_END(self->rc, &self->scope);
	NEED(mag_watch_send(&self->watch, &self->seen) == 0);
	MAG_AWAIT(self->rc, mag_watch_changed_until, &self->watch, self->seen, 0);
	NEED(self->rc == 0);
	self->seen = mag_watch_version(&self->watch);
	mag_watch_close(&self->watch);
	MAG_AWAIT(self->rc, mag_watch_changed_until, &self->watch, self->seen, 0);
	NEED(self->rc == MAG_ECLOSED);
	NEED(mag_watch_fini(&self->watch) == 0);
	MAG_RETURN(0);
	MAG_END;
}

Test(watch_value, wait_ends_at_its_deadline, .timeout = 20)
{
	int64_t rc = RUN(2, deadlines);

	cr_assert_eq(rc, 0, "%s", where(rc));
}

/* Wrong use. */

struct ended_early {
	mag_frame frame;
	MAG_ARGS(ended_early, mag_watch *watch;);
	mag_group group;
	int64_t rc;
};

MAG_TASK(ended_early)
{
	MAG_BEGIN(ended_early);
	MAG_GROUP_BEGIN(&self->group);
	MAG_SPAWN(self->rc, &self->group, waits, .watch = self->watch, .want = MAG_ECLOSED);
	UNTIL_WAITING(self->rc, &self->watch->waitq, 1);
	NEED(mag_watch_fini(self->watch) == -EBUSY);
	mag_watch_close(self->watch);
	MAG_GROUP_END(self->rc, &self->group);
	NEED(self->rc == 0);
	MAG_RETURN(0);
	MAG_END;
}

Test(watch_value, cannot_end_while_somebody_waits, MISUSE(.timeout = 20))
{
	static uint64_t room;
	mag_watch watch = MAG_WATCH_INIT(room);
	int64_t rc = RUN(1, ended_early, .watch = &watch);

	cr_assert_eq(rc, 0, "%s", where(rc));
	cr_assert_eq(mag_watch_fini(&watch), 0);
}

/* Cancellation. */

struct watch_subject {
	struct subject s;
	mag_watch watch;
	uint64_t room, seen;
};

static struct watch_subject *of(struct subject *s)
{
	return (struct watch_subject *)s;
}

static mag_frame *subject_wait(mag_worker *w, mag_frame *f, struct subject *s, uint64_t *out)
{
	(void)out;
	return mag_watch_changed(w, f, &of(s)->watch, of(s)->seen);
}

static void subject_give(struct subject *s, mag_worker *w, mag_frame *f)
{
	uint64_t value = 3;

	(void)w;
	(void)f;
	(void)mag_watch_send(&of(s)->watch, &value);
}

static bool subject_reset(struct subject *s, mag_worker *w, mag_frame *f)
{
	bool news = mag_watch_has_changed(&of(s)->watch, of(s)->seen);

	(void)w;
	(void)f;
	of(s)->seen = mag_watch_version(&of(s)->watch);
	return news;
}

static void make(struct watch_subject *v)
{
	*v = (struct watch_subject){ .s = { .wait = subject_wait, .give = subject_give, .reset = subject_reset,
					    .waitq = &v->watch.waitq, .stays = true },
				     .watch = MAG_WATCH_INIT(v->room) };
	v->seen = mag_watch_version(&v->watch);
}

Test(watch_value, cancelled_waiter_goes_alone, .timeout = 20)
{
	MATRIX_CASES(struct watch_subject, make);
}

Test(watch_value, sent_and_cancelled_at_once_is_one_of_both, .timeout = 120)
{
	MATRIX_RACES(struct watch_subject, make);
}
