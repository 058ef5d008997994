/* SPDX-License-Identifier: MIT */
/* recv.c - from the socket to plaintext. */
#include <errno.h>
#include <magpie/io.h>

#include "tls/keys.h"
#include "tls/session.h"

struct tls_recv {
	mag_frame frame;
	MAG_ARGS(tls_recv, mag_tls *tls; void *buf; size_t len;);
	int64_t n, rc;
	bool answers, waits;
};

static MAG_TASK(tls_recv)
{
	MAG_BEGIN(tls_recv);
	MAG_AWAIT(self->rc, mag_mutex_lock, &self->tls->reading);
	if (self->rc < 0)
		MAG_RETURN(self->rc);
	for (;;) {
		MAG_AWAIT(self->n, mag_mutex_lock, &self->tls->lock);
		if (self->n < 0)
			break;
		self->n = magi_tls_read(self->tls, self->buf, self->len);
		self->answers = self->tls->out.data != NULL;
		self->waits = self->tls->waits;
		mag_mutex_unlock(&self->tls->lock);
		if (self->waits)
			mag_event_set(&self->tls->moved);
		if (self->answers) /* what comes of it the next send will see, too */
			MAG_CALL(self->rc, magi_tls_sending, .tls = self->tls, .what = MAGI_TLS_FLUSH);
		if (self->n != -EAGAIN)
			break;
		magi_tls_room(self->tls);
		MAG_AWAIT(self->rc, mag_recv, self->tls->fd, self->tls->in.data, self->tls->in.room);
		self->n = magi_tls_came(self->tls, self->rc);
		if (self->n != -EAGAIN)
			break;
	}
	mag_mutex_unlock(&self->tls->reading);
	mag_event_set(&self->tls->moved);
	MAG_RETURN(self->n);
	MAG_END;
}

MAG_TASK(magi_tls_helping)
{
	MAG_BEGIN(magi_tls_helping);
	if (mag_mutex_try_lock_by(w, &self->frame, &self->tls->reading) < 0) {
		MAG_AWAIT(self->rc, mag_event_wait, &self->tls->moved);
		MAG_RETURN(self->rc);
	}
	for (;;) {
		MAG_AWAIT(self->n, mag_mutex_lock, &self->tls->lock);
		if (self->n < 0)
			break;
		self->n = magi_tls_go_on(self->tls);
		mag_mutex_unlock(&self->tls->lock);
		if (self->n != -EAGAIN)
			break;
		magi_tls_room(self->tls);
		MAG_AWAIT(self->rc, mag_recv, self->tls->fd, self->tls->in.data, self->tls->in.room);
		self->n = magi_tls_came(self->tls, self->rc);
		if (self->n != -EAGAIN)
			break;
	}
	mag_mutex_unlock(&self->tls->reading);
	MAG_RETURN(self->n);
	MAG_END;
}

/* What has come already needs no frame and no turn: > 0, or -EAGAIN. */
static int64_t recv_at_once(mag_worker *w, mag_frame *f, mag_tls *tls, void *buf, size_t len)
{
	int64_t n = -EAGAIN;
	bool waits = true;

	if (mag_mutex_try_lock_by(w, f, &tls->reading) < 0)
		return n;
	if (mag_mutex_try_lock_by(w, f, &tls->lock) == 0) {
		if (mag_tls_has_more(tls))
			n = magi_tls_read(tls, buf, len);
		waits = tls->waits;
		mag_mutex_unlock_by(w, f, &tls->reading);
		mag_mutex_unlock_by(w, f, &tls->lock);
	} else {
		mag_mutex_unlock_by(w, f, &tls->reading);
	}
	if (waits)
		mag_event_set(&tls->moved);
	return n > 0 ? n : -EAGAIN;
}

mag_frame *mag_tls_recv(mag_worker *w, mag_frame *f, mag_tls *tls, void *buf, size_t len)
{
	int64_t n;

	if (!tls || !tls->ssl || !buf || !len)
		MAG_OP_DONE(-EINVAL);
	if (mag_cancel_reason(f))
		MAG_OP_DONE(MAG_ECANCELED);
	n = recv_at_once(w, f, tls, buf, len);
	if (n > 0)
		MAG_OP_DONE(n);
	MAG_OP_CALL(tls_recv, .tls = tls, .buf = buf, .len = len);
}

/* The end of receiving: what comes is thrown away, up to close_notify. */
struct tls_drain {
	mag_frame frame;
	MAG_ARGS(tls_drain, mag_tls *tls;);
	size_t thrown;
	int64_t n;
	unsigned char waste[2048];
};

static MAG_TASK(tls_drain)
{
	MAG_BEGIN(tls_drain);
	self->thrown = 0;
	for (;;) {
		MAG_AWAIT(self->n, mag_tls_recv, self->tls, self->waste, sizeof(self->waste));
		if (self->n <= 0)
			MAG_RETURN(self->n);
		self->thrown += (size_t)self->n;
		if (self->thrown > MAG_TLS_DISCARD_MAX)
			MAG_RETURN(-EMSGSIZE);
	}
	MAG_END;
}

struct tls_shutdown {
	mag_frame frame;
	MAG_ARGS(tls_shutdown, mag_tls *tls; uint64_t ns;);
	mag_scope scope;
	int64_t rc, why;
};

static MAG_TASK(tls_shutdown)
{
	MAG_BEGIN(tls_shutdown);
	MAG_WITH_TIMEOUT(&self->scope, self->ns);
	MAG_AWAIT(self->rc, mag_tls_send_end, self->tls);
	if (self->rc >= 0)
		MAG_CALL(self->rc, tls_drain, .tls = self->tls);
	MAG_SCOPE_END(self->why, &self->scope);
	MAG_RETURN(self->rc == MAG_ECANCELED && self->why < 0 ? self->why : self->rc);
	MAG_END;
}

mag_frame *mag_tls_shutdown(mag_worker *w, mag_frame *f, mag_tls *tls)
{
	if (!tls || !tls->ssl)
		MAG_OP_DONE(-EINVAL);
	MAG_OP_CALL(tls_shutdown, .tls = tls, .ns = tls->keys->shutdown_ns);
}
