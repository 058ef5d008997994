/* SPDX-License-Identifier: MIT */
/* handshake.c - the handshake: OpenSSL computes, what it has to say is sent, what it waits for is received. */
#include <errno.h>
#include <magpie/io.h>
#include <magpie/offload.h>

#include "tls/keys.h"
#include "tls/session.h"

static int64_t shake(void *tls)
{
	return magi_tls_shake(tls);
}

/* Holds `reading` and `sending`. */
struct tls_shaking {
	mag_frame frame;
	MAG_ARGS(tls_shaking, mag_tls *tls;);
	int64_t n, rc;
};

static MAG_TASK(tls_shaking)
{
	MAG_BEGIN(tls_shaking);
	for (;;) {
		if (self->tls->keys->offload)
			MAG_AWAIT(self->n, mag_offload, MAG_COMPUTE, shake, self->tls);
		else
			self->n = magi_tls_shake(self->tls);
		if (self->tls->out.data || self->tls->flight.data) {
			MAG_CALL(self->rc, magi_tls_sending, .tls = self->tls, .what = MAGI_TLS_FLUSH_HELD);
			if (self->rc < 0 && (self->n >= 0 || self->n == -EAGAIN))
				MAG_RETURN(self->rc);
		}
		if (self->n != -EAGAIN)
			MAG_RETURN(self->n);
		magi_tls_room(self->tls);
		MAG_AWAIT(self->rc, mag_recv, self->tls->fd, self->tls->in.data, self->tls->in.room);
		self->n = magi_tls_came(self->tls, self->rc);
		if (self->n != -EAGAIN)
			MAG_RETURN(self->n);
	}
	MAG_END;
}

struct tls_handshake {
	mag_frame frame;
	MAG_ARGS(tls_handshake, mag_tls *tls;);
	mag_scope scope;
	int64_t rc, why;
};

static MAG_TASK(tls_handshake)
{
	MAG_BEGIN(tls_handshake);
	MAG_WITH_TIMEOUT(&self->scope, self->tls->keys->handshake_ns);
	MAG_AWAIT(self->rc, mag_mutex_lock, &self->tls->reading);
	if (self->rc == 0) {
		MAG_AWAIT(self->rc, mag_mutex_lock, &self->tls->sending);
		if (self->rc == 0) {
			MAG_CALL(self->rc, tls_shaking, .tls = self->tls);
			mag_mutex_unlock(&self->tls->sending);
		}
		mag_mutex_unlock(&self->tls->reading);
	}
	MAG_SCOPE_END(self->why, &self->scope);
	MAG_RETURN(self->rc == MAG_ECANCELED && self->why < 0 ? self->why : self->rc);
	MAG_END;
}

mag_frame *mag_tls_handshake(mag_worker *w, mag_frame *f, mag_tls *tls)
{
	if (!tls || !tls->ssl)
		MAG_OP_DONE(-EINVAL);
	MAG_OP_CALL(tls_handshake, .tls = tls);
}
