/* SPDX-License-Identifier: MIT */
/* source.c - multishot requests and their queues; source.h has the rules. */
#include "task/source.h"

#include <errno.h>

#include "sched/idle.h"
#include "sched/ready.h"
#include "task/file.h"
#include "task/wait.h"

enum { AWAY_MAX = 8 }; /* consumers from another worker in a row, until the request follows them */

#define CONTAINER(p, type, member) ((type *)(void *)((char *)(p) - offsetof(type, member)))

static void lock(struct magi_source *s)
{
	magi_lock_acquire(magi_waitq_lock(&s->q));
}

/* Releases the lock; `drops` references go first, and with the last one the source. */
static void unlock(struct magi_source *s, uint32_t drops)
{
	bool last = drops && (s->refs -= drops) == 0;

	magi_lock_release(magi_waitq_lock(&s->q));
	if (last)
		s->ops->destroy(s);
}

/* The queue; the lock is held. */

static void append(struct magi_source *s, void *item)
{
	*s->ops->link(item) = NULL;
	if (s->tail)
		*s->ops->link(s->tail) = item;
	else
		s->head = item;
	s->tail = item;
	s->count++;
}

static void *take(struct magi_source *s)
{
	void *item = s->head;

	if (item) {
		s->head = *s->ops->link(item);
		if (!s->head)
			s->tail = NULL;
		*s->ops->link(item) = NULL;
		s->count--;
	}
	return item;
}

/* Asking for the end of what is under way. */

struct stop {
	struct magi_worker *on; /* NULL: nothing to do */
	uint64_t token;
};

static struct stop stop_locked(struct magi_source *s)
{
	if (s->state != MAGI_SOURCE_ARMED)
		return (struct stop){ NULL, 0 };
	s->state = MAGI_SOURCE_STOPPING;
	return (struct stop){ s->on, s->token };
}

static void stop(struct magi_worker *w, struct stop what)
{
	if (!what.on)
		return;
	if (what.on == w) {
		magi_io_cancel(w, what.token);
		return;
	}
	magi_slot_mail(&what.on->slots, what.token);
	magi_wake_worker(what.on, &w->pub);
}

/* The request. */

static void ended(struct magi_source *s, struct magi_worker *w, int64_t res);

static void deliver(struct magi_worker *w, struct magi_slot *slot, const struct magi_rec *rec)
{
	struct magi_source *s = slot->object;
	struct magi_fd *file = slot->file;

	if (rec->res >= 0)
		s->ops->got(s, w, rec);
	if (rec->flags & MAGI_REC_MORE)
		return;
	magi_slot_give(&w->slots, slot);
	magi_file_end(w, file, s->ops->direction);
	ended(s, w, rec->res);
}

/* Submits on w's ring: 0, or why not. */
static int submit(struct magi_source *s, struct magi_worker *w, uint64_t *token)
{
	struct magi_fd *r = magi_fds_find(&w->rt->fds, s->fd);
	struct magi_req req = s->ops->req;
	int rc;

	if (magi_load_acq(&w->rt->stop)) /* [stop] */
		return MAG_ECLOSED;
	rc = r ? magi_fd_begin(r, s->fd, s->ops->direction, w->pub.index) : MAG_ECLOSED;
	if (rc != MAGI_FD_GO)
		return rc == MAGI_FD_WAIT ? -EBUSY : rc;
	req.fd = r->raw;
	if (!magi_io_start(w, &req, s, r, deliver)) {
		magi_file_end(w, r, s->ops->direction);
		return -ENOMEM;
	}
	if (s->ops->armed)
		s->ops->armed(s, w);
	*token = req.token;
	return 0;
}

/* From ARMING to ARMED. False: it could not be submitted, which is *why. */
static bool armed(struct magi_source *s, struct magi_worker *w, int *why)
{
	struct stop now = { NULL, 0 };
	uint64_t token = 0;

	*why = submit(s, w, &token);
	if (*why < 0)
		return false;
	lock(s);
	s->state = MAGI_SOURCE_ARMED;
	s->on = w;
	s->token = token;
	s->away = 0;
	if (s->closing)
		now = stop_locked(s);
	unlock(s, 0);
	stop(w, now);
	return true;
}

static void arm(struct magi_source *s, struct magi_worker *w)
{
	int why;

	if (!armed(s, w, &why))
		ended(s, w, why);
}

static void run_errand(struct magi_worker *w, struct magi_errand *errand)
{
	arm(CONTAINER(errand, struct magi_source, errand), w);
}

static void resume(struct magi_worker *w, mag_frame *list)
{
	magi_resume_list(w->rt, &w->pub, list);
}

/* Nothing is under way any more and nothing will be. The lock is held, and released. */
static void finish(struct magi_source *s, struct magi_worker *w)
{
	mag_frame *closer = s->closer;
	mag_frame *list = NULL;

	s->state = MAGI_SOURCE_IDLE;
	if (!s->closing)
		list = magi_wait_grant_all(&s->q, s->end);
	unlock(s, closer ? 2 : 1);
	resume(w, list);
	if (closer) {
		closer->op.result = 0;
		magi_resume_later(w->rt, &w->pub, closer);
	}
}

static void ring(struct magi_worker *w, struct magi_alarm *alarm)
{
	struct magi_source *s = CONTAINER(alarm, struct magi_source, alarm);

	lock(s);
	if (s->closing) {
		finish(s, w);
		return;
	}
	s->state = MAGI_SOURCE_ARMING;
	unlock(s, 0);
	arm(s, w);
}

/* Goes on after a terminal record: here, or where the consumer is. */
static void again(struct magi_source *s, struct magi_worker *w, bool stopped)
{
	struct magi_worker *to;

	lock(s);
	if (s->closing) {
		finish(s, w);
		return;
	}
	to = s->move_to ? s->move_to : w;
	s->move_to = NULL;
	if (stopped && to == w && s->count > s->limit / 2) {
		s->state = MAGI_SOURCE_IDLE; /* until a consumer has taken enough */
		unlock(s, 1);
		return;
	}
	unlock(s, 0);
	if (to == w)
		arm(s, w);
	else
		magi_errand_send(w, to, &s->errand, run_errand);
}

/* The terminal record, or a submission that failed: the request's reference is ours now. */
static void ended(struct magi_source *s, struct magi_worker *w, int64_t res)
{
	struct magi_source_turn turn = { MAGI_SOURCE_END, MAG_ECLOSED, 0 };
	bool stopped, closing;

	lock(s);
	stopped = s->state == MAGI_SOURCE_STOPPING;
	closing = s->closing;
	s->state = MAGI_SOURCE_ARMING;
	unlock(s, 0);
	if (!closing)
		turn = s->ops->ended(s, w, res, stopped);
	if (turn.what == MAGI_SOURCE_AGAIN) {
		again(s, w, stopped);
		return;
	}
	lock(s);
	if (turn.what == MAGI_SOURCE_LATER && !s->closing) {
		s->state = MAGI_SOURCE_WAITING;
		magi_alarm_set(w, &s->alarm, turn.ns);
		unlock(s, 0);
		return;
	}
	s->ended = true;
	s->end = turn.code;
	finish(s, w);
}

void magi_source_put(struct magi_source *s, struct magi_worker *w, void *item)
{
	struct stop full = { NULL, 0 };
	mag_frame *f;

	lock(s);
	if (s->closing) {
		unlock(s, 0);
		s->ops->dispose(s, w, item);
		return;
	}
	while ((f = magi_wait_first(&s->q))) {
		void *to = (void *)(uintptr_t)f->op.wait.need;

		if (magi_wait_take(&s->q, f)) {
			f->op.result = s->ops->hand(s, f, item, to);
			break;
		}
	}
	if (!f) {
		append(s, item);
		if (s->count >= s->limit)
			full = stop_locked(s);
	}
	unlock(s, 0);
	if (f)
		magi_resume_later(w->rt, &w->pub, f);
	stop(w, full);
}

int magi_source_start(struct magi_source *s, struct magi_worker *w, const struct magi_source_ops *ops, mag_fd fd,
		      uint32_t limit)
{
	int why = 0;

	magi_waitq_init(&s->q, NULL);
	s->ops = ops;
	s->fd = fd;
	s->limit = limit;
	s->refs = 2; /* the user's and the request's */
	s->state = MAGI_SOURCE_ARMING;
	s->alarm.ring = ring;
	armed(s, w, &why);
	return why;
}

/* A consumer on worker w: follows him when he stays away. The lock is held. */
static struct stop follow(struct magi_source *s, struct magi_worker *w)
{
	if (s->state != MAGI_SOURCE_ARMED || s->on == w) {
		s->away = 0;
		return (struct stop){ NULL, 0 };
	}
	if (++s->away < AWAY_MAX)
		return (struct stop){ NULL, 0 };
	s->away = 0;
	s->move_to = w;
	return stop_locked(s);
}

mag_frame *magi_source_next(mag_worker *pub, mag_frame *f, struct magi_source *s, void *to)
{
	struct magi_worker *w = magi_worker_of(pub);
	int64_t rc = magi_wait_begin(pub, f);
	struct stop move;
	bool parked = false, claimed;
	void *item;

	if (rc < 0)
		return magi_wait_done(pub, f, rc);
	lock(s);
	move = follow(s, w);
	item = take(s);
	if (item)
		rc = s->ops->hand(s, f, item, to);
	else if (s->closing || s->ended)
		rc = s->closing ? MAG_ECLOSED : s->end;
	else if (magi_wait_park(f, &s->q, (uintptr_t)to))
		parked = true;
	else
		rc = MAG_ECANCELED;
	claimed = s->state == MAGI_SOURCE_IDLE && !s->ended && !s->closing && s->count <= s->limit / 2;
	if (claimed) {
		s->state = MAGI_SOURCE_ARMING;
		s->refs++;
	}
	unlock(s, 0);
	/* from here on f may be running elsewhere, and the user's reference gone */
	stop(w, move);
	if (claimed)
		arm(s, w);
	return parked ? NULL : magi_wait_done(pub, f, rc);
}

/* Closes the door: from here on nothing is queued, and nobody waits. */
static void empty(struct magi_source *s, struct magi_worker *w)
{
	mag_frame *list;
	void *item, *items;

	lock(s);
	s->closing = true;
	list = magi_wait_grant_all(&s->q, MAG_ECLOSED);
	items = s->head;
	s->head = s->tail = NULL;
	s->count = 0;
	unlock(s, 0);
	resume(w, list);
	while ((item = items)) {
		items = *s->ops->link(item);
		*s->ops->link(item) = NULL;
		s->ops->dispose(s, w, item);
	}
}

mag_frame *magi_source_close(mag_worker *pub, mag_frame *f, struct magi_source *s)
{
	struct magi_worker *w = magi_worker_of(pub);
	struct stop now;
	uint32_t drops = 0;

	if (f->leader->flags & MAGI_INLINE)
		magi_inline_release(pub, f->leader);
	empty(s, w);
	lock(s);
	if (s->state == MAGI_SOURCE_WAITING && magi_alarm_stop(&s->alarm)) {
		s->state = MAGI_SOURCE_IDLE;
		drops = 1;
	}
	if (s->state == MAGI_SOURCE_IDLE) {
		unlock(s, drops + 1);
		return magi_wait_done(pub, f, 0);
	}
	/* under way, about to be, or its alarm is just ringing: whoever ends that resumes f and drops our reference */
	s->closer = f;
	now = stop_locked(s);
	unlock(s, 0);
	stop(w, now);
	return NULL;
}
