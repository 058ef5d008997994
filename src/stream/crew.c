/* SPDX-License-Identifier: MIT */
/* crew.c - stages that run tasks: what those tell is given to who asks, and they are joined when the stage is closed.
 *
 * What:    `free` holds places for items, `done` what has become of them; both go through queues that have room for all,
 *          so that only who asks, and who needs a place, ever waits in one. In order, what comes before its turn waits in
 *          a ring.
 * Who:     the stage: who asks. The tasks: hand.c. Their group is not on the asker's stack of scopes: it lies in the
 *          scope where the stage was opened, and cancelling it cancels the tasks alone.
 * Always:  a place is in `free`, with a task, in `done`, or in the ring: no more items are under way, or not yet asked
 *          for, than there are places.
 *          It has ended when each lane has told its end and as many items were told as those ends count.
 * Pairs:   the queues' locks: who pops sees what who pushed has written to the place. */
#include "stream/crew.h"

#include <errno.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "task/group.h"
#include "task/scope.h"

enum { ALIGN = 16 };

static mag_stream_crew *crew_of(mag_stream *s)
{
	return (mag_stream_crew *)(void *)s;
}

/* Giving. */

static void free_place(mag_stream_crew *c, uint32_t slot)
{
	mag_queue_try_push(&c->free, &slot);
	c->given++;
}

/* An error ends the stage: nobody will ask for what the other tasks make. */
static int64_t fail(mag_stream_crew *c, int64_t rc)
{
	mag_group_cancel(&c->group);
	c->stream.error = 0; /* this one is told, and then the end */
	return magi_stream_end(&c->stream, rc);
}

/* What has come of an item, in its turn. -EAGAIN: nothing to give. */
static int64_t give(mag_stream_crew *c, const struct magi_done *d, void *out)
{
	if (d->rc < 0)
		return fail(c, d->rc);
	if (magi_done_has_item(d)) {
		memcpy(out, magi_crew_out(c, d->slot), c->stream.size);
		free_place(c, d->slot);
		return 1;
	}
	free_place(c, d->slot);
	return -EAGAIN;
}

/* One that was told. -EAGAIN: nothing to give yet. */
static int64_t take_in(mag_stream_crew *c, const struct magi_done *d, void *out)
{
	if (d->end) {
		c->lane_ends++;
		c->expected += d->seq;
		/* the others may never end; cancelled, all of them do */
		if (d->rc < 0 && c->lanes_n > 1 && !mag_scope_cancelled(&c->group.scope))
			return fail(c, d->rc);
		if (d->rc < 0 && !c->stream.error)
			c->stream.error = (int32_t)d->rc;
		return -EAGAIN;
	}
	if (c->options.as_completed)
		return give(c, d, out);
	c->ring[d->seq % c->options.limit] = *d;
	return -EAGAIN;
}

/* In order: the one whose turn it is, if it has come. */
static int64_t give_next(mag_stream_crew *c, void *out)
{
	int64_t rc = -EAGAIN;

	while (c->ring && rc == -EAGAIN) {
		struct magi_done *d = &c->ring[c->given % c->options.limit];
		struct magi_done turn = *d;

		if (turn.end)
			break;
		d->end = 1; /* empty */
		rc = give(c, &turn, out);
	}
	return rc;
}

static int64_t crew_next(mag_stream *s, void *out, mag_stream **who)
{
	mag_stream_crew *c = crew_of(s);
	struct magi_done d;
	int64_t rc;

	while (!s->ended) {
		rc = give_next(c, out);
		if (rc != -EAGAIN)
			return rc;
		if (c->lane_ends == c->lanes_n && c->given == c->expected) {
			s->ended = 1;
			continue;
		}
		if (c->started < c->lanes_n)
			return magi_stream_wait_for(s, who);
		if (c->brought) {
			c->brought = false;
			d = c->last;
			rc = 0;
		} else {
			rc = mag_queue_try_pop(&c->done, &d);
		}
		if (rc < 0)
			return magi_stream_wait_for(s, who);
		rc = take_in(c, &d, out);
		if (rc != -EAGAIN)
			return rc;
	}
	return magi_stream_over(s);
}

static mag_frame *crew_wait(mag_worker *w, mag_frame *f, mag_stream *s, void *room)
{
	mag_stream_crew *c = crew_of(s);
	const int cls = MAGI_CLASS(sizeof(struct magi_crew_hand));
	struct magi_crew_hand *hand;

	c->starting = c->started < c->lanes_n;
	if (!c->starting)
		return mag_queue_pop(w, f, &c->done, room);
	hand = magi_frame_take(w, cls, sizeof(*hand));
	if (hand) {
		hand->crew = c;
		hand->lane = &c->lanes[c->started];
	}
	return magi_spawn(w, f, &c->group, (mag_frame *)(void *)hand, magi_crew_hand_step, cls, NULL, 0);
}

static int64_t crew_woken(mag_stream *s, mag_frame *f, int64_t rc, void *room)
{
	mag_stream_crew *c = crew_of(s);

	(void)f;
	if (c->starting) {
		c->started += rc == 0;
		return rc;
	}
	if (rc < 0)
		return rc;
	memcpy(&c->last, room, sizeof(c->last));
	c->brought = true;
	return 0;
}

/* Closing. */

static void discard_all(mag_stream_crew *c)
{
	struct magi_done d;

	if (c->brought)
		magi_crew_discard(c, &c->last);
	while (mag_queue_try_pop(&c->done, &d) == 0)
		magi_crew_discard(c, &d);
	for (uint32_t i = 0; c->ring && i < c->options.limit; i++)
		magi_crew_discard(c, &c->ring[i]);
}

static mag_frame *crew_close(mag_worker *w, mag_frame *f, mag_stream *s)
{
	mag_stream_crew *c = crew_of(s);

	if (!c->joining) {
		c->joining = true;
		mag_group_cancel(&c->group);
		return magi_group_end(w, f, &c->group);
	}
	discard_all(c);
	magi_free(c->lanes);
	if (c->opener && c->opener->leader == f->leader) {
		magi_open_unlink(c->opener, &c->hook.open);
		c->opener = NULL;
	}
	s->closing = MAGI_STREAM_CLOSED;
	return f;
}

/* The frame that opened it ends. */
static mag_frame *crew_leave(mag_worker *w, mag_frame *f, struct magi_open_hook *hook)
{
	mag_stream_crew *c = (mag_stream_crew *)(void *)((char *)hook - offsetof(mag_stream_crew, hook));

	while (c->stream.closing != MAGI_STREAM_CLOSED) {
		mag_frame *next;

		c->stream.closing = MAGI_STREAM_CLOSING;
		next = crew_close(w, f, &c->stream);
		if (next != f)
			return next;
	}
	magi_open_unlink(f, &hook->open);
	return f;
}

static const mag_site crew_site = MAGI_STREAM_SITE("the tasks of a stage");
static const struct magi_stream_ops crew_ops = {
	.site = &crew_site, .next = crew_next, .wait = crew_wait, .woken = crew_woken, .close = crew_close
};

/* Opening. */

static size_t rounded(size_t bytes)
{
	return (bytes + ALIGN - 1) / ALIGN * ALIGN;
}

static mag_queue queue_in(unsigned char **at, uint32_t capacity, size_t size)
{
	mag_queue q = { .items = *at, .capacity = capacity, .size = (uint16_t)size, .kind = MAGI_QUEUE_RING };

	*at += rounded(capacity * size);
	return q;
}

/* Lanes, queues, ring, places: one piece of memory. 0 or -ENOMEM. */
static int furnish(mag_stream_crew *c, mag_stream *const *ups, uint32_t lanes, bool called)
{
	const uint32_t n = c->options.limit;
	const size_t lanes_bytes = rounded(lanes * sizeof(struct magi_lane));
	const size_t free_bytes = rounded(n * sizeof(uint32_t));
	const size_t done_bytes = rounded((n + lanes) * sizeof(struct magi_done));
	const size_t ring_bytes = c->options.as_completed ? 0 : rounded(n * sizeof(struct magi_done));
	unsigned char *at;

	c->in_bytes = called ? (uint32_t)rounded(ups[0]->size) : 0;
	c->place_bytes = c->in_bytes + (uint32_t)rounded(c->stream.size);
	at = magi_zalloc(lanes_bytes + free_bytes + done_bytes + ring_bytes + (size_t)n * c->place_bytes);
	if (!at)
		return -ENOMEM;
	c->lanes = (struct magi_lane *)(void *)at;
	c->lanes_n = lanes;
	at += lanes_bytes;
	c->free = queue_in(&at, n, sizeof(uint32_t));
	c->done = queue_in(&at, n + lanes, sizeof(struct magi_done));
	c->ring = ring_bytes ? (struct magi_done *)(void *)at : NULL;
	c->places = at + ring_bytes;
	for (uint32_t i = 0; i < lanes; i++) {
		c->lanes[i].up = ups[i];
		c->lanes[i].hands = 1;
		c->lanes[i].most = called ? n : 1;
		mag_mutex_init(&c->lanes[i].turn);
	}
	for (uint32_t i = 0; i < n; i++) {
		mag_queue_try_push(&c->free, &i);
		if (c->ring)
			c->ring[i].end = 1;
	}
	return 0;
}

static int check(mag_stream_crew *c, mag_stream *const *ups, size_t n, size_t size, const mag_stream_fn *fn)
{
	const mag_stream_crew_options *o = &c->options;

	if (!ups || !n || n > MAG_STREAM_LIMIT_MAX || !o->limit || o->limit > MAG_STREAM_LIMIT_MAX)
		return -EINVAL;
	if (fn->step && fn->args_size != 3 * sizeof(void *))
		return -EINVAL;
	for (size_t i = 1; i < n; i++) {
		if (!ups[i] || ups[i]->size != size)
			return -EINVAL;
	}
	return 0;
}

int magi_stream_crew_open(mag_worker *w, mag_frame *f, mag_stream_crew *c, mag_stream *const *ups, size_t n, size_t size,
			  mag_stream_fn fn, const mag_stream_crew_options *options)
{
	int rc;

	if (magi_open_has(f, &c->hook.open)) {
		magi_misuse("a stage is opened at %s:%d: this one has not been closed", f->at->file, f->at->line);
		return -EBUSY;
	}
	*c = (mag_stream_crew){ .options = *options, .fn = fn };
	c->options.as_completed |= n > 1; /* there is no order between lanes */
	if (!fn.step)
		size = ups && n && ups[0] ? ups[0]->size : 0;
	rc = check(c, ups, n, size, &fn);
	if (rc == 0)
		rc = n == 1 ? magi_stream_init(&c->stream, &crew_ops, ups[0], ups[0] ? size : 0)
			    : magi_stream_init_many(&c->stream, &crew_ops, ups, n, size);
	if (rc < 0)
		return rc;
	if (c->stream.room < sizeof(struct magi_done))
		c->stream.room = sizeof(struct magi_done);
	rc = furnish(c, ups, (uint32_t)n, fn.step != NULL);
	if (rc == 0)
		rc = magi_group_open_apart(w, f, &c->group);
	if (rc < 0) {
		for (size_t i = 0; i < n; i++)
			ups[i]->taken = 0;
		magi_free(c->lanes);
		c->stream.ops = NULL;
		return rc;
	}
	c->opener = f;
	c->hook.leave = crew_leave;
	magi_open_push(f, &c->hook.open, MAGI_OPEN_TASKS);
	return 0;
}
