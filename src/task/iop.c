/* SPDX-License-Identifier: MIT */
/* iop.c - a task's I/O on its worker's ring.
 *
 * What:    an await takes a slot, parks the task with the slot's token, and hands the request to the backend; the
 *          terminal record finds the slot by its token and resumes the frame.
 * Who:     the worker whose ring it is, but for the mail.
 * Always:  a frame is resumed by the terminal record only, so its buffers are its own again.
 *          A completion's file reference is dropped before the frame runs.
 *          A cancel that the backend has refused is mail again: it is asked for until it is taken, or void.
 * Pairs:   [mail] sched/slot.h. TSan sees the hand-over to the kernel by annotations in the backend. */
#include "task/iop.h"

#include "base/assert.h"
#include "base/clock.h"
#include "task/file.h"
#include "sched/idle.h"
#include "sched/ready.h"
#include "task/transfer.h"
#include "task/wait.h"

enum {
	RECORDS = 64,  /* taken from the backend at a time */
	AT_ONCE = 8,   /* sends in a row that are done without waiting; picked */
	REFUSED_MS = 1 /* how long to sleep at most when a cancel was refused; picked, not measured */
};

static uint32_t ring_index(const struct magi_worker *w)
{
	return w->pub.index;
}

static void submit(struct magi_worker *w, const struct magi_req *req)
{
	magi_store_rlx(&w->started, w->started + 1); /* [stat] */
	w->ops->submit(w->io, req);
}

static uint64_t file_of(const struct magi_fd *file)
{
	return file ? magi_fd_identity(file) : 0;
}

/* What a frame's slot keeps besides: how to make its result. */
static void resume_frame(struct magi_worker *w, struct magi_slot *s, int64_t result)
{
	mag_frame *f = s->frame;
	struct magi_fd *file = s->file;
	uint32_t direction = s->direction;
	bool sure = s->sure;

	magi_slot_give(&w->slots, s);
	if (file)
		magi_file_end(w, file, direction);
	f->op.result = result;
	if (!sure)
		magi_wait_end_io(f);
	magi_resume_later(w->rt, &w->pub, f);
}

/* A thread of the kernel was at it, and got a signal: because the request was cancelled, which is as good as -ECANCELED;
 * or because the process was stopped and goes on, or frozen with the system. Then nothing has been done, and it is done
 * now: true. But a connection goes on by itself, and a second request would be told so. */
static bool interrupted(struct magi_worker *w, struct magi_slot *s, int64_t *result)
{
	if (s->sure)
		return false;
	if (magi_io_stopped(s)) {
		*result = -ECANCELED;
		return false;
	}
	if (s->req.code == MAGI_IO_CONNECT)
		return false;
	submit(w, &s->req);
	return true;
}

static void frame_done(struct magi_worker *w, struct magi_slot *s, const struct magi_rec *rec)
{
	int64_t result = rec->res;

	if (rec->flags & MAGI_REC_MORE)
		return;
	if (s->make) {
		w->completes = s->frame;
		result = s->make(w, s->object, rec);
		w->completes = NULL;
	}
	if (result == MAGI_IO_AGAIN)
		return;
	if (MAGI_UNLIKELY(result == -EINTR) && interrupted(w, s, &result))
		return;
	if (MAGI_UNLIKELY(result == -ECANCELED))
		result = MAG_ECANCELED;
	resume_frame(w, s, result);
}

static void fill(struct magi_slot *s, mag_frame *f, struct magi_fd *file, uint32_t direction, magi_io_done make,
		 void *object)
{
	s->frame = f;
	s->done = frame_done;
	s->make = make;
	s->object = object;
	s->file = file;
	s->direction = direction;
	s->sure = false;
}

/* Not for ever: who sends and sends must let others run, and does once it parks. Counted for all that goes on without
 * another being taken up: a task and those that it forks. */
static bool may_go_on(struct magi_worker *w)
{
	uint64_t pick = magi_load_rlx(&w->picks); /* [stat] */

#ifdef MAGI_FORCED_MIGRATION
	return false;
#endif
	if (w->sends_pick != pick) {
		w->sends_pick = pick;
		w->sends = 0;
	}
	return w->sends++ < AT_ONCE;
}

bool magi_io_at_once(mag_worker *pub, mag_frame *f, struct magi_req *req, size_t *count)
{
	struct magi_worker *w = magi_worker_of(pub);
	int n;

	if (!w->ops->attempt || req->code != MAGI_IO_SEND || magi_cancelled(f) || !may_go_on(w))
		return false;
	n = w->ops->attempt(w->io, req);
	if (n == MAGI_IO_LATER)
		return false;
	magi_store_rlx(&w->started, w->started + 1); /* [stat] */
	f->op.result = n;
	return !(req->flags & MAGI_REQ_ALL) || magi_transfer_sent(f, req, count, n);
}

int magi_io_submit(mag_worker *pub, mag_frame *f, const struct magi_req *request, struct magi_fd *file,
		   uint32_t direction, magi_io_done make, void *object)
{
	struct magi_worker *w = magi_worker_of(pub);
	struct magi_slot *s = magi_slot_take(&w->slots);

	if (!s)
		return -ENOMEM;
	fill(s, f, file, direction, make, object);
	s->req = *request;
	s->req.token = magi_token(ring_index(w), s);
	s->req.file = file_of(file);
	if (MAGI_UNLIKELY(s->req.flags & MAGI_REQ_ALL))
		magi_transfer_begin(f, &s->req);
	if (MAGI_LIKELY(direction != 0))
		magi_fd_tell(file, direction, s->req.token); /* a cancel that comes before the submission is mail */
	if (MAGI_LIKELY(magi_wait_park_io(f, s->req.token))) {
		submit(w, &s->req);
		return 0;
	}
	magi_slot_give(&w->slots, s);
	return MAG_ECANCELED;
}

mag_frame *magi_io_await(mag_worker *pub, mag_frame *f, const struct magi_req *req, struct magi_fd *file,
			 uint32_t direction, magi_io_done make, void *object)
{
	int rc = magi_wait_begin(pub, f);

	if (rc == 0)
		rc = magi_io_submit(pub, f, req, file, direction, make, object);
	if (MAGI_LIKELY(rc == 0))
		return NULL;
	if (file)
		magi_file_end(magi_worker_of(pub), file, direction);
	return magi_wait_done(pub, f, rc);
}

void magi_io_again(struct magi_worker *w, const struct magi_rec *rec, struct magi_req *req)
{
	struct magi_slot *s = magi_slot_find(&w->slots, rec->token);

	req->token = rec->token;
	req->file = file_of(s->file);
	s->req = *req;
	submit(w, req);
}

bool magi_io_stopped(const struct magi_slot *s)
{
	if (magi_load_acq(&s->frame->leader->state) & MAGI_CANCEL) /* [state] */
		return true;
	return s->file && magi_fd_closing(s->file);
}

mag_frame *magi_io_await_surely(mag_worker *pub, mag_frame *f, const struct magi_req *request)
{
	struct magi_worker *w = magi_worker_of(pub);
	struct magi_req req = *request;
	struct magi_slot *s = magi_slot_take(&w->slots);

	if (!s)
		return magi_wait_done(pub, f, -ENOMEM);
	if (f->leader->flags & MAGI_INLINE)
		magi_inline_release(pub, f->leader);
	fill(s, f, NULL, 0, NULL, NULL);
	s->sure = true;
	req.token = magi_token(ring_index(w), s);
	submit(w, &req);
	return NULL;
}

struct magi_slot *magi_io_start(struct magi_worker *w, struct magi_req *req, void *object, struct magi_fd *file,
				void (*deliver)(struct magi_worker *w, struct magi_slot *s, const struct magi_rec *rec))
{
	struct magi_slot *s = magi_slot_take(&w->slots);

	if (!s)
		return NULL;
	fill(s, NULL, file, 0, NULL, object);
	s->done = deliver;
	req->token = magi_token(ring_index(w), s);
	req->file = file_of(file);
	s->req = *req;
	submit(w, req);
	return s;
}

/* Mail that was read and is there again is a cancel that was refused: it must not wait for a sleep to end by itself. */
static uint64_t sleep_until(struct magi_worker *w, uint64_t deadline)
{
	uint64_t soon;

	if (!deadline || MAGI_LIKELY(!magi_load_acq(&w->slots.mailed))) /* [mail] */
		return deadline;
	soon = w->ops->now(w->io) + REFUSED_MS * MAGI_NS_PER_MS;
	return soon < deadline ? soon : deadline;
}

bool magi_io_poll(struct magi_worker *w, uint64_t deadline)
{
	struct magi_rec recs[RECORDS];
	int n;

	magi_point(MAGI_POINT_IO, NULL);
	n = w->ops->poll(w->io, sleep_until(w, deadline), recs, RECORDS);

	magi_store_rlx(&w->polls, w->polls + 1); /* [stat] */
	if (deadline) /* awake again, before the first task is made ready: it must not be chosen as a sleeper to wake */
		magi_sleep_end(w);
	for (int i = 0; i < n; i++) {
		struct magi_slot *s = magi_slot_find(&w->slots, recs[i].token);

		magi_assert(s != NULL);
		s->done(w, s, &recs[i]);
	}
	return n > 0;
}

void magi_io_cancel(struct magi_worker *w, uint64_t token)
{
	if (MAGI_UNLIKELY(!w->ops->cancel(w->io, token)))
		magi_slot_mail(&w->slots, token); /* needs no memory, and is void when the operation ends by itself */
}

static void cancel_slot(struct magi_slot *s, void *ctx)
{
	struct magi_worker *w = ctx;

	if (!s->sure)
		magi_io_cancel(w, magi_token(ring_index(w), s));
}

static void cancel_closing(struct magi_slot *s, void *ctx)
{
	if (s->file && magi_fd_closing(s->file))
		cancel_slot(s, ctx);
}

void magi_io_read_mail(struct magi_worker *w)
{
	magi_slot_read_mail(&w->slots, cancel_slot, w);
	if (magi_load_acq(&w->close_mail) && magi_xchg_ar(&w->close_mail, 0u)) /* [closemail] */
		magi_slot_each(&w->slots, cancel_closing, w);
}

void magi_io_mail_close(mag_runtime *rt, mag_worker *from, uint64_t workers)
{
	for (; workers; workers &= workers - 1) {
		struct magi_worker *to = rt->workers[__builtin_ctzll(workers)];

		(void)magi_xchg_seq(&to->close_mail, 1u); /* [closemail] */
		if (&to->pub == from)
			magi_io_read_mail(to);
		else
			magi_wake_worker(to, from);
	}
}

void magi_io_drain(struct magi_worker *w)
{
	magi_slot_each(&w->slots, cancel_slot, w);
	while (w->slots.used) {
		magi_io_poll(w, MAGI_NEVER);
		magi_io_read_mail(w);
	}
}
