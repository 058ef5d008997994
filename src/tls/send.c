/* SPDX-License-Identifier: MIT */
/* send.c - from plaintext to the socket: records of a batch are encrypted one behind the other and sent at once. */
#include <errno.h>
#include <magpie/io.h>

#include "tls/session.h"

/* The next records, unless older ones are still to be sent. */
static void produce(struct magi_tls_sending *s)
{
	size_t left = s->len - s->done;
	int64_t n = 0;

	s->stuck = false;
	if (s->tls->flight.data || s->failed)
		return;
	if (s->what == MAGI_TLS_WRITE && left)
		n = magi_tls_write(s->tls, s->buf + s->done, left < MAG_TLS_BATCH ? left : MAG_TLS_BATCH);
	else if (s->what == MAGI_TLS_END)
		n = magi_tls_end(s->tls);
	s->stuck = n == -EAGAIN;
	s->tls->waits = s->stuck;
	if (s->stuck)
		mag_event_reset(&s->tls->moved);
	else if (n < 0)
		s->failed = n;
	else
		s->done += (size_t)n;
	if (s->count)
		*s->count = s->done;
}

/* Takes `sending` for one who does not wait for it. */
static bool try_sending(mag_worker *w, struct magi_tls_sending *s)
{
	bool got = mag_mutex_try_lock_by(w, &s->frame, &s->tls->sending) == 0;

	mag_mutex_unlock_by(w, &s->frame, &s->tls->lock);
	return got;
}

/* Under `lock`: nothing is left to be sent, so `sending` goes first. */
static int64_t finish(mag_worker *w, struct magi_tls_sending *s)
{
	if (s->held)
		mag_mutex_unlock_by(w, &s->frame, &s->tls->sending);
	mag_mutex_unlock_by(w, &s->frame, &s->tls->lock);
	return s->failed ? s->failed : (int64_t)s->done;
}

/* Cancelled when all was sent: that is no cancellation. */
static int64_t cut_short(const struct magi_tls_sending *s, int64_t rc)
{
	bool all = s->what == MAGI_TLS_END ? s->tls->ended : s->done == s->len;

	return s->sent && all && !s->failed && !s->tls->flight.data ? (int64_t)s->done : rc;
}

MAG_TASK(magi_tls_sending)
{
	MAG_BEGIN(magi_tls_sending);
	self->done = self->sent = 0;
	self->failed = 0;
	self->held = self->what != MAGI_TLS_FLUSH_HELD;
	if (self->count)
		*self->count = 0;
	if (self->what == MAGI_TLS_FLUSH) {
		MAG_AWAIT(self->rc, mag_mutex_lock, &self->tls->lock);
		if (self->rc < 0 || !try_sending(w, self))
			MAG_RETURN(self->rc);
	} else if (self->held) {
		MAG_AWAIT(self->rc, mag_mutex_lock, &self->tls->sending);
		if (self->rc < 0)
			MAG_RETURN(self->rc);
	}
	for (;;) {
		MAG_AWAIT(self->rc, mag_mutex_lock, &self->tls->lock);
		if (self->rc < 0) {
			self->rc = cut_short(self, self->rc);
			break;
		}
		produce(self);
		if (!magi_tls_launch(self->tls) && !self->stuck)
			MAG_RETURN(finish(w, self));
		mag_mutex_unlock(&self->tls->lock);
		if (!self->tls->flight.data) {
			MAG_CALL(self->rc, magi_tls_helping, .tls = self->tls);
			if (self->rc < 0)
				break;
			continue;
		}
		MAG_AWAIT(self->rc, mag_send_all_count, self->tls->fd, self->tls->flight.data + self->tls->flight.start,
			  self->tls->flight.end - self->tls->flight.start, &self->sent);
		magi_tls_landed(self->tls, self->sent);
		if (self->rc < 0)
			break;
	}
	if (self->held)
		mag_mutex_unlock(&self->tls->sending);
	MAG_RETURN(self->rc);
	MAG_END;
}

mag_frame *mag_tls_send_all_count(mag_worker *w, mag_frame *f, mag_tls *tls, const void *buf, size_t len, size_t *count)
{
	if (count)
		*count = 0;
	if (!tls || !tls->ssl || (!buf && len))
		MAG_OP_DONE(-EINVAL);
	MAG_OP_CALL(magi_tls_sending, .tls = tls, .what = MAGI_TLS_WRITE, .buf = buf, .len = len, .count = count);
}

mag_frame *mag_tls_send_all(mag_worker *w, mag_frame *f, mag_tls *tls, const void *buf, size_t len)
{
	return mag_tls_send_all_count(w, f, tls, buf, len, NULL);
}

mag_frame *mag_tls_send_end(mag_worker *w, mag_frame *f, mag_tls *tls)
{
	if (!tls || !tls->ssl)
		MAG_OP_DONE(-EINVAL);
	MAG_OP_CALL(magi_tls_sending, .tls = tls, .what = MAGI_TLS_END);
}

size_t mag_tls_unsent(const mag_tls *tls)
{
	return tls->flight.end - tls->flight.start + (tls->out.end - tls->out.start);
}
