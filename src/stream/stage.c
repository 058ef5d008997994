/* SPDX-License-Identifier: MIT */
/* stage.c - stages that look at one item at a time: map, filter, take, skip, enumerate, throttle.
 *
 * Always:  what a stage must remember between two calls is in its struct before it goes on upwards: a wait above leaves
 *          it by returning, and the next call begins at the top. */
#include <errno.h>
#include <magpie/stream_stage.h>
#include <magpie/time.h>

#include "stream/stream.h"

/* How many bytes an item of `up` has; 0, with which no init succeeds, when there is none. */
static size_t size_of(const mag_stream *up)
{
	return up ? up->size : 0;
}

/* An init whose arguments are wrong makes nothing. */
static int made(mag_stream *s, const struct magi_stream_ops *ops, mag_stream *up, size_t size, bool good)
{
	if (!s)
		return -EINVAL;
	if (!up || !good)
		size = 0;
	return magi_stream_init(s, ops, up, size);
}

/* Map. */

static int64_t map_next(mag_stream *s, void *out, mag_stream **who)
{
	mag_stream_map *m = (mag_stream_map *)(void *)s;
	void *in = __builtin_alloca(s->up->size);
	int64_t rc;

	if (s->ended)
		return 0;
	for (int i = 0; i < MAGI_STREAM_TURN; i++) {
		rc = magi_stream_pull(s->up, in, who);
		if (rc != 1)
			return rc;
		rc = m->map(m->ctx, in, out);
		if (rc < 0)
			return magi_stream_end(s, rc);
		if (rc != MAG_STREAM_DROP)
			return 1;
	}
	return magi_stream_wait_for(s, who);
}

static const mag_site rest_site = MAGI_STREAM_SITE("others, after many items");
static const struct magi_stream_ops map_ops = {
	.site = &rest_site, .next = map_next, .wait = magi_stream_rest, .woken = magi_stream_rested
};

int mag_stream_map_init(mag_stream_map *m, mag_stream *up, size_t size, mag_stream_mapper map, void *ctx)
{
	int rc = made(m ? &m->stream : NULL, &map_ops, up, size, map != NULL);

	if (rc < 0)
		return rc;
	m->map = map;
	m->ctx = ctx;
	return 0;
}

/* Map with an async function. */

static int64_t map_async_next(mag_stream *s, void *out, mag_stream **who)
{
	mag_stream_map_async *m = (mag_stream_map_async *)(void *)s;

	if (s->held)
		return magi_stream_give_held(s, out);
	if (s->ended)
		return magi_stream_over(s);
	if (!m->full) {
		int64_t rc = magi_stream_pull(s->up, m->in, who);

		if (rc != 1)
			return rc;
		m->full = true;
	}
	return magi_stream_wait_for(s, who);
}

static mag_frame *map_async_wait(mag_worker *w, mag_frame *f, mag_stream *s, void *room)
{
	mag_stream_map_async *m = (mag_stream_map_async *)(void *)s;

	if (magi_cancelled(f)) /* after a wait that gave an item in spite of it: that one is kept */
		return magi_wait_done(w, f, MAG_ECANCELED);
	return magi_stream_wait_call(w, f, &m->fn, (void *[3]){ m->in, room, m->ctx }, &m->refused);
}

static int64_t map_async_woken(mag_stream *s, mag_frame *f, int64_t rc, void *room)
{
	mag_stream_map_async *m = (mag_stream_map_async *)(void *)s;

	if (m->refused || (rc == MAG_ECANCELED && magi_cancelled(f)))
		return rc;
	m->full = false;
	if (rc < 0)
		return magi_stream_ends(s, rc);
	if (rc != MAG_STREAM_DROP)
		s->held = room;
	return 0;
}

static const mag_site call_site = MAGI_STREAM_SITE("a stage's function");
static const struct magi_stream_ops map_async_ops = {
	.site = &call_site, .next = map_async_next, .wait = map_async_wait, .woken = map_async_woken
};

int mag_stream_map_async_init(mag_stream_map_async *m, mag_stream *up, void *in, size_t size, mag_stream_fn fn, void *ctx)
{
	int rc = made(m ? &m->stream : NULL, &map_async_ops, up, size,
		      in && fn.step && fn.args_size == 3 * sizeof(void *));

	if (rc < 0)
		return rc;
	m->in = in;
	m->fn = fn;
	m->ctx = ctx;
	m->full = m->refused = false;
	return 0;
}

/* Filter, take while. */

static int64_t filter_next(mag_stream *s, void *out, mag_stream **who)
{
	mag_stream_filter *t = (mag_stream_filter *)(void *)s;

	for (int i = 0; i < MAGI_STREAM_TURN; i++) {
		int64_t rc = magi_stream_pull(s->up, out, who);

		if (rc != 1 || t->test(t->ctx, out))
			return rc;
	}
	return magi_stream_wait_for(s, who);
}

static int64_t take_while_next(mag_stream *s, void *out, mag_stream **who)
{
	mag_stream_filter *t = (mag_stream_filter *)(void *)s;
	int64_t rc = s->ended ? 0 : magi_stream_pull(s->up, out, who);

	if (rc == 1 && !t->test(t->ctx, out))
		return magi_stream_end(s, 0);
	return rc;
}

static const struct magi_stream_ops filter_ops = {
	.site = &rest_site, .next = filter_next, .wait = magi_stream_rest, .woken = magi_stream_rested
};
static const struct magi_stream_ops take_while_ops = { .next = take_while_next };

static int test_init(mag_stream_filter *t, const struct magi_stream_ops *ops, mag_stream *up, mag_stream_test test,
		     void *ctx)
{
	int rc = made(t ? &t->stream : NULL, ops, up, size_of(up), test != NULL);

	if (rc < 0)
		return rc;
	t->test = test;
	t->ctx = ctx;
	return 0;
}

int mag_stream_filter_init(mag_stream_filter *t, mag_stream *up, mag_stream_test test, void *ctx)
{
	return test_init(t, &filter_ops, up, test, ctx);
}

int mag_stream_take_while_init(mag_stream_filter *t, mag_stream *up, mag_stream_test test, void *ctx)
{
	return test_init(t, &take_while_ops, up, test, ctx);
}

/* Take, skip. */

static int64_t take_next(mag_stream *s, void *out, mag_stream **who)
{
	mag_stream_count *c = (mag_stream_count *)(void *)s;
	int64_t rc = c->left ? magi_stream_pull(s->up, out, who) : 0;

	c->left -= rc == 1;
	return rc;
}

static int64_t skip_next(mag_stream *s, void *out, mag_stream **who)
{
	mag_stream_count *c = (mag_stream_count *)(void *)s;
	int64_t rc;

	for (int i = 0; c->left && i < MAGI_STREAM_TURN; i++) {
		rc = magi_stream_pull(s->up, out, who);
		if (rc != 1)
			return rc;
		c->left--;
	}
	return c->left ? magi_stream_wait_for(s, who) : magi_stream_pull(s->up, out, who);
}

static const struct magi_stream_ops take_ops = { .next = take_next };
static const struct magi_stream_ops skip_ops = {
	.site = &rest_site, .next = skip_next, .wait = magi_stream_rest, .woken = magi_stream_rested
};

static int count_init(mag_stream_count *c, const struct magi_stream_ops *ops, mag_stream *up, uint64_t n)
{
	int rc = made(c ? &c->stream : NULL, ops, up, size_of(up), true);

	if (rc == 0)
		c->left = n;
	return rc;
}

int mag_stream_take_init(mag_stream_count *c, mag_stream *up, uint64_t n)
{
	return count_init(c, &take_ops, up, n);
}

int mag_stream_skip_init(mag_stream_count *c, mag_stream *up, uint64_t n)
{
	return count_init(c, &skip_ops, up, n);
}

/* Enumerate. */

static int64_t enumerate_next(mag_stream *s, void *out, mag_stream **who)
{
	mag_stream_enumerate *e = (mag_stream_enumerate *)(void *)s;
	int64_t rc = magi_stream_pull(s->up, (char *)out + e->item_at, who);

	if (rc == 1)
		memcpy(out, &e->index, sizeof(e->index));
	e->index += rc == 1;
	return rc;
}

static const struct magi_stream_ops enumerate_ops = { .next = enumerate_next };

int mag_stream_enumerate_init(mag_stream_enumerate *e, mag_stream *up, size_t size, size_t item_at)
{
	int rc = made(e ? &e->stream : NULL, &enumerate_ops, up, size,
		      item_at >= sizeof(uint64_t) && item_at <= size && size - item_at >= size_of(up));

	if (rc < 0)
		return rc;
	e->index = 0;
	e->item_at = item_at;
	return 0;
}

/* Throttle. */

static int64_t throttle_next(mag_stream *s, void *out, mag_stream **who)
{
	mag_stream_throttle *t = (mag_stream_throttle *)(void *)s;
	uint64_t now = mag_now();
	int64_t rc;

	if (now < t->free_at)
		return magi_stream_wait_for(s, who);
	rc = magi_stream_pull(s->up, out, who);
	if (rc == 1)
		t->free_at = now > UINT64_MAX - t->gap ? UINT64_MAX : now + t->gap;
	return rc;
}

static mag_frame *throttle_wait(mag_worker *w, mag_frame *f, mag_stream *s, void *room)
{
	(void)room;
	return mag_sleep_until(w, f, ((mag_stream_throttle *)(void *)s)->free_at);
}

static const mag_site throttle_site = MAGI_STREAM_SITE("mag_sleep_until of a throttle");
static const struct magi_stream_ops throttle_ops = {
	.site = &throttle_site, .next = throttle_next, .wait = throttle_wait, .woken = magi_stream_rested
};

int mag_stream_throttle_init(mag_stream_throttle *t, mag_stream *up, uint64_t gap)
{
	int rc = made(t ? &t->stream : NULL, &throttle_ops, up, size_of(up), true);

	if (rc < 0)
		return rc;
	t->gap = gap;
	t->free_at = 0;
	return 0;
}
