/* SPDX-License-Identifier: MIT */
/* file.c - operations of tasks on open files.
 *
 * What:    one receive and one send are under way on a file at a time, so that a stream's bytes keep their order; others
 *          wait for their turn with their request kept beside them, and are submitted by whoever ends his.
 * Who:     any worker.
 * Always:  a task that waits for its turn holds no reference; closing empties the queues before it lets go of its own.
 * Pairs:   the queue's lock, under which the flag in the file's word is set and cleared: who ends his turn afterwards
 *          sees it ([fd], io/fd.h)
 *          [closemail] iop.c */
#include "task/file.h"

#include <errno.h>

#include "base/alloc.h"
#include "base/sys.h"
#include "sched/idle.h"
#include "sched/ready.h"
#include "task/report.h"
#include "task/wait.h"

/* What waits for its turn. */
struct pending {
	struct magi_req req;
	mag_fd fd;
	uint32_t direction;
	magi_io_done make;
	void *object;
};

bool magi_file_gone(struct magi_waitq *q, mag_frame *f, mag_frame **granted)
{
	(void)q;
	(void)granted;
	magi_free((void *)(uintptr_t)f->op.wait.need);
	return true;
}

static struct magi_waitq *turn_of(struct magi_fd *r, uint32_t direction)
{
	return &r->turn[direction == MAGI_FD_WRITING];
}

static mag_frame *wait_for_turn(mag_worker *pub, mag_frame *f, struct magi_fd *r, const struct pending *want)
{
	struct magi_waitq *q = turn_of(r, want->direction);
	struct pending *p = magi_alloc(sizeof(*p));
	int rc = magi_wait_begin(pub, f);

	if (!p)
		return magi_wait_done(pub, f, -ENOMEM);
	*p = *want;
	magi_lock_acquire(magi_waitq_lock(q));
	if (rc == 0) {
		magi_fd_set_queued(r, p->direction, true);
		rc = magi_fd_begin(r, p->fd, p->direction, pub->index);
	}
	if (rc == MAGI_FD_WAIT) {
		if (magi_wait_park(f, q, (uintptr_t)p)) {
			magi_lock_release(magi_waitq_lock(q));
			return NULL;
		}
		rc = MAG_ECANCELED;
	}
	magi_lock_release(magi_waitq_lock(q));
	if (rc == MAGI_FD_GO) {
		p->req.fd = r->raw;
		f = magi_io_await(pub, f, &p->req, r, p->direction, p->make, p->object);
	} else {
		f = magi_wait_done(pub, f, rc);
	}
	magi_free(p);
	return f;
}

mag_frame *magi_file_await(mag_worker *pub, mag_frame *f, mag_fd fd, uint32_t direction, struct magi_req *req,
			   magi_io_done make, void *object)
{
	struct magi_fd *r = magi_fds_find(&magi_runtime_of(pub)->fds, fd);
	int rc = r ? magi_fd_begin(r, fd, direction, pub->index) : MAG_ECLOSED;

	if (MAGI_LIKELY(rc == MAGI_FD_GO)) {
		req->fd = r->raw;
		if (!magi_io_at_once(pub, f, req, object))
			return magi_io_await(pub, f, req, r, direction, make, object);
		magi_file_end(magi_worker_of(pub), r, direction);
		return f;
	}
	if (rc == MAGI_FD_WAIT) {
		const struct pending want = { *req, fd, direction, make, object };

		return wait_for_turn(pub, f, r, &want);
	}
	return magi_wait_done(pub, f, rc);
}

static void close_file(struct magi_worker *w, struct magi_fd *r);

/* The first that waits and can be had takes the turn that has become free; it is out of the queue then. */
static mag_frame *take_turn(struct magi_worker *w, struct magi_fd *r, uint32_t direction, struct pending **p)
{
	struct magi_waitq *q = turn_of(r, direction);
	mag_frame *f;

	magi_lock_acquire(magi_waitq_lock(q));
	while ((f = magi_wait_first(q))) {
		*p = (struct pending *)(uintptr_t)f->op.wait.need;
		if (magi_fd_begin(r, (*p)->fd, direction, w->pub.index) != MAGI_FD_GO) {
			f = NULL; /* somebody else has it, and passes it on; or it is being closed, which empties the queue */
			break;
		}
		if (magi_wait_take(q, f))
			break;
		magi_fd_unbegin(r, direction); /* cancelled meanwhile; who closes must still empty this queue */
	}
	if (!q->head)
		magi_fd_set_queued(r, direction, false);
	magi_lock_release(magi_waitq_lock(q));
	return f;
}

/* Submits for whoever is next, from this ring; goes on to the one after when it cannot be done. */
static void next_turn(struct magi_worker *w, struct magi_fd *r, uint32_t direction)
{
	struct pending *p;
	mag_frame *f;
	bool last;

	do {
		int rc;
		bool queued;

		f = take_turn(w, r, direction, &p);
		if (!f)
			return;
		p->req.fd = r->raw;
		rc = magi_io_submit(&w->pub, f, &p->req, r, direction, p->make, p->object);
		magi_free(p);
		if (rc == 0)
			return;
		last = magi_fd_end(r, direction, &queued);
		f->op.result = rc;
		magi_resume_later(w->rt, &w->pub, f);
	} while (!last);
	close_file(w, r);
}

/* The operation that closed the file is over. */
static void closed(struct magi_worker *w, struct magi_slot *s, const struct magi_rec *rec)
{
	mag_frame *closer = s->object;
	int raw = s->req.fd;

	magi_slot_give(&w->slots, s);
	if (rec->res == -ENOMEM)
		magi_sys_close(raw); /* it never came to the kernel */
	if (closer) {
		closer->op.result = rec->res == -ENOMEM || rec->res == -EINTR ? 0 : rec->res; /* EINTR: but it is closed */
		magi_resume_later(w->rt, &w->pub, closer);
	}
}

/* The last reference of a closing file is gone: closes it in the closer's name. */
static void close_file(struct magi_worker *w, struct magi_fd *r)
{
	struct magi_req req = { .code = MAGI_IO_CLOSE, .fd = r->raw };
	mag_frame *closer = r->closer;

	magi_fds_drop(&w->rt->fds, r);
	if (magi_io_start(w, &req, closer, NULL, closed))
		return;
	magi_sys_close(req.fd); /* no memory for a slot: here and now */
	if (closer) {
		closer->op.result = 0;
		magi_resume_later(w->rt, &w->pub, closer);
	}
}

void magi_file_end(struct magi_worker *w, struct magi_fd *r, uint32_t direction)
{
	bool queued;

	if (magi_fd_end(r, direction, &queued))
		close_file(w, r);
	else if (MAGI_UNLIKELY(queued))
		next_turn(w, r, direction);
}

/* Those who wait for a turn on a file that is being closed. */
static void empty_turn(struct magi_worker *w, struct magi_fd *r, uint32_t direction)
{
	struct magi_waitq *q = turn_of(r, direction);
	mag_frame *f, *list = NULL, **tail = &list;

	magi_lock_acquire(magi_waitq_lock(q));
	while ((f = magi_wait_first(q))) {
		void *p = (void *)(uintptr_t)f->op.wait.need;

		if (!magi_wait_take(q, f))
			continue;
		magi_free(p);
		f->op.result = MAG_ECLOSED;
		magi_wait_list(tail, f); /* at the tail: it need not walk there past all the others */
		tail = &f->q.next;
	}
	magi_lock_release(magi_waitq_lock(q));
	magi_resume_list(w->rt, &w->pub, list);
}

/* Asks for the end of all that is under way on a file that is being closed. */
static void end_users(struct magi_worker *w, struct magi_fd *r)
{
	uint64_t token[2];
	int n = magi_fd_tokens(r, token);

	if (n < 0) /* the workers look through all that they have under way */
		magi_io_mail_close(w->rt, &w->pub, magi_load_acq(&r->rings)); /* [fdrings] */
	for (int i = 0; i < n; i++) {
		struct magi_worker *to = w->rt->workers[magi_token_worker(token[i])];

		magi_slot_mail(&to->slots, token[i]);
		if (to == w)
			magi_io_read_mail(w);
		else
			magi_wake_worker(to, &w->pub);
	}
}

mag_frame *mag_close(mag_worker *pub, mag_frame *f, mag_fd fd)
{
	struct magi_worker *w = magi_worker_of(pub);
	struct magi_fd *r = magi_fds_find(&w->rt->fds, fd);
	int rc = r ? magi_fd_close(r, fd, f) : MAG_ECLOSED;

	if (rc < 0)
		return magi_wait_done(pub, f, rc);
	if (f->leader->flags & MAGI_INLINE)
		magi_inline_release(pub, f->leader);
	empty_turn(w, r, MAGI_FD_READING);
	empty_turn(w, r, MAGI_FD_WRITING);
	if (rc > 0)
		end_users(w, r);
	magi_file_end(w, r, 0);
	return NULL;
}

struct magi_fd *magi_file_hold(struct magi_worker *w, mag_fd fd)
{
	struct magi_fd *r = magi_fds_find(&w->rt->fds, fd);

	return r && magi_fd_begin(r, fd, 0, w->pub.index) == MAGI_FD_GO ? r : NULL;
}

int mag_fd_adopt(int raw, mag_fd *fd)
{
	mag_worker *w = magi_self();
	int rc;

	*fd = MAG_FD_NONE;
	if (!w)
		return -EPERM;
	if (raw < 0)
		return -EBADF;
	rc = magi_fds_add(&magi_runtime_of(w)->fds, raw, fd);
	if (rc == 0 && magi_debug(magi_runtime_of(w)))
		magi_fd_made(&magi_runtime_of(w)->fds, *fd, magi_here(magi_worker_of(w)));
	return rc;
}

int mag_fd_raw(mag_fd fd)
{
	mag_worker *w = magi_self();
	struct magi_fd *r = w ? magi_file_hold(magi_worker_of(w), fd) : NULL;
	int raw;

	if (!r)
		return MAG_ECLOSED;
	raw = r->raw;
	magi_file_end(magi_worker_of(w), r, 0);
	return raw;
}

int mag_fd_release(mag_fd fd)
{
	mag_worker *w = magi_self();
	struct magi_fd *r = w ? magi_fds_find(&magi_runtime_of(w)->fds, fd) : NULL;
	int raw;

	if (!r)
		return MAG_ECLOSED;
	raw = r->raw;
	if (!magi_fd_unused(r, fd))
		return magi_fd_is_open(r, fd) ? -EBUSY : MAG_ECLOSED;
	magi_fds_drop(&magi_runtime_of(w)->fds, r);
	return raw;
}
