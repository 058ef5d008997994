/* SPDX-License-Identifier: MIT */
/* load_wire.c - TCP, and TLS on it. */
#include "load_wire.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#ifdef MAGPIE_HAVE_TLS
static int64_t begin_tls(struct load_wire_open *self)
{
	mag_tls *tls = calloc(1, sizeof *tls);
	int rc = tls ? mag_tls_init(tls, self->tls, self->wire->fd, self->host) : -ENOMEM;

	if (rc < 0)
		free(tls);
	else
		self->wire->tls = tls;
	return rc;
}

static void end_tls(struct load_wire *wire, int64_t rc)
{
	if (!wire->tls)
		return;
	if (rc < 0)
		snprintf(wire->why, sizeof wire->why, "%s", mag_tls_why(wire->tls));
	mag_tls_fini(wire->tls);
	free(wire->tls);
	wire->tls = NULL;
}
#else
static void end_tls(struct load_wire *wire, int64_t rc)
{
	(void)wire;
	(void)rc;
}
#endif

MAG_TASK(load_wire_open)
{
	MAG_BEGIN(load_wire_open);
	*self->wire = (struct load_wire){ .fd = MAG_FD_NONE };
	MAG_WITH_TIMEOUT(&self->scope, self->timeout_ns);
	MAG_CALL(self->rc, mag_tcp_connect, .addr = self->addr, .fd = &self->wire->fd);
#ifdef MAGPIE_HAVE_TLS
	if (self->rc >= 0 && self->tls) {
		self->rc = begin_tls(self);
		if (self->rc >= 0)
			MAG_AWAIT(self->rc, mag_tls_handshake, self->wire->tls);
	}
#endif
	MAG_SCOPE_END(self->ended, &self->scope);
	if (self->rc < 0 && load_wire_is_open(self->wire)) {
		end_tls(self->wire, self->rc);
		MAG_AWAIT(self->waste, mag_close, self->wire->fd);
		self->wire->fd = MAG_FD_NONE;
	}
	MAG_RETURN(self->rc == MAG_ECANCELED && self->ended < 0 ? self->ended : self->rc);
	MAG_END;
}

MAG_TASK(load_wire_close)
{
	MAG_BEGIN(load_wire_close);
	self->rc = 0;
	end_tls(self->wire, 0);
	if (load_wire_is_open(self->wire))
		MAG_AWAIT(self->rc, mag_close, self->wire->fd);
	self->wire->fd = MAG_FD_NONE;
	MAG_RETURN(self->rc);
	MAG_END;
}
