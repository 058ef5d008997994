/* SPDX-License-Identifier: MIT */
/* receiver.c - receiving into buffers that the ring picks when data has come.
 *
 * What:    one receive, or a source (task/source.h) whose results are buffers. A ring that has run out of buffers says
 *          ENOBUFS: it is given more, and the request is submitted again.
 * Always:  a buffer that a record gave away is a task's, in the queue, or given back. */
#include <errno.h>
#include <magpie/options.h>
#include <magpie/receiver.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "task/buffer.h"
#include "task/file.h"
#include "task/source.h"
#include "task/wait.h"

MAGI_ASSERT_STATIC((int)MAG_BUFFER_BYTES == (int)MAGI_BUFFER_BYTES, "the public name of the same number");

enum { STARVED_MS = 10 }; /* no memory for buffers: when to look again; picked, not measured */

void mag_buffer_give(mag_buffer *buffer)
{
	mag_worker *w = magi_self();

	if (!buffer || !buffer->data)
		return;
	magi_buffer_release(w ? magi_worker_of(w) : NULL, buffer->data);
	*buffer = (mag_buffer){ NULL, 0 };
}

static int64_t received(struct magi_worker *w, void *object, const struct magi_rec *rec)
{
	struct magi_req req = { .code = MAGI_IO_RECV, .flags = MAGI_REQ_BUFFER };
	mag_buffer *buffer = object;
	struct magi_slot *s;

	if (rec->flags & MAGI_REC_BUFFER)
		*buffer = (mag_buffer){ rec->buffer, (size_t)rec->res };
	if (rec->res != -ENOBUFS)
		return rec->res;
	s = magi_slot_find(&w->slots, rec->token);
	if (!magi_buffers_feed(w))
		return -ENOMEM;
	if (magi_io_stopped(s))
		return MAG_ECANCELED;
	req.fd = s->file->raw;
	magi_io_again(w, rec, &req);
	return MAGI_IO_AGAIN;
}

mag_frame *mag_recv_buffer(mag_worker *w, mag_frame *f, mag_fd fd, mag_buffer *buffer)
{
	struct magi_req req = { .code = MAGI_IO_RECV, .flags = MAGI_REQ_BUFFER };

	if (!buffer)
		return magi_wait_done(w, f, -EINVAL);
	*buffer = (mag_buffer){ NULL, 0 };
	f = magi_file_await(w, f, fd, MAGI_FD_READING, &req, received, buffer);
	magi_buffers_feed(magi_worker_of(w)); /* if this fails the request fails or finds some all the same */
	return f;
}

struct magi_receiver {
	struct magi_source source;
};

static void armed(struct magi_source *s, struct magi_worker *w)
{
	(void)s;
	magi_buffers_feed(w);
}

static void got(struct magi_source *s, struct magi_worker *w, const struct magi_rec *rec)
{
	struct magi_buffer *b;

	if (!(rec->flags & MAGI_REC_BUFFER))
		return; /* the end of the stream */
	b = magi_buffer_of(rec->buffer);
	b->len = (uint32_t)rec->res;
	magi_source_put(s, w, b);
}

static struct magi_source_turn ended(struct magi_source *s, struct magi_worker *w, int64_t res, bool stopped)
{
	(void)s;
	if (res > 0 || res == -EINTR || (stopped && res == -ECANCELED))
		return (struct magi_source_turn){ MAGI_SOURCE_AGAIN, 0, 0 };
	if (res == -ENOBUFS && magi_buffers_feed(w))
		return (struct magi_source_turn){ MAGI_SOURCE_AGAIN, 0, 0 };
	if (res == -ENOBUFS || res == -ENOMEM)
		return (struct magi_source_turn){ MAGI_SOURCE_LATER, 0, STARVED_MS * MAGI_NS_PER_MS };
	return (struct magi_source_turn){ MAGI_SOURCE_END, res == -ECANCELED ? MAG_ECLOSED : res, 0 };
}

static void **link_of(void *item)
{
	return (void **)(void *)&((struct magi_buffer *)item)->next;
}

static int64_t hand(struct magi_source *s, const mag_frame *f, void *item, void *to)
{
	struct magi_buffer *b = item;

	(void)s;
	(void)f;
	*(mag_buffer *)to = (mag_buffer){ magi_buffer_data(b), b->len };
	return (int64_t)b->len;
}

static void dispose(struct magi_source *s, struct magi_worker *w, void *item)
{
	(void)s;
	magi_buffer_release(w, magi_buffer_data(item));
}

static void destroy(struct magi_source *s)
{
	magi_free(s);
}

static const struct magi_source_ops ops = {
	.direction = MAGI_FD_READING,
	.req = { .code = MAGI_IO_RECV, .flags = MAGI_REQ_MULTISHOT | MAGI_REQ_BUFFER },
	.armed = armed,
	.got = got,
	.ended = ended,
	.link = link_of,
	.hand = hand,
	.dispose = dispose,
	.destroy = destroy,
};

int mag_receiver_start(mag_receiver *receiver, mag_fd fd, const mag_receiver_options *given)
{
	mag_worker *w = magi_self();
	mag_receiver_options o;
	struct magi_receiver *r;
	int rc;

	if (!receiver)
		return -EINVAL;
	receiver->core = NULL;
	if (!w)
		return -EPERM;
	if (mag_options_take(&o, sizeof(o), given) < 0)
		return -EINVAL;
	r = magi_zalloc(sizeof(*r));
	if (!r)
		return -ENOMEM;
	rc = magi_source_start(&r->source, magi_worker_of(w), &ops, fd, o.queue ? o.queue : MAG_RECEIVER_QUEUE);
	if (rc < 0) {
		magi_free(r);
		return rc;
	}
	receiver->core = r;
	return 0;
}

mag_frame *mag_receiver_next(mag_worker *w, mag_frame *f, mag_receiver *receiver, mag_buffer *buffer)
{
	if (!receiver || !receiver->core || !buffer)
		return magi_wait_done(w, f, -EINVAL);
	*buffer = (mag_buffer){ NULL, 0 };
	return magi_source_next(w, f, &receiver->core->source, buffer);
}

mag_frame *mag_receiver_close(mag_worker *w, mag_frame *f, mag_receiver *receiver)
{
	struct magi_receiver *r = receiver ? receiver->core : NULL;

	if (!r)
		return magi_wait_done(w, f, 0);
	receiver->core = NULL;
	return magi_source_close(w, f, &r->source);
}
