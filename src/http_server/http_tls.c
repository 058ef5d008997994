/* SPDX-License-Identifier: MIT */
/* http_tls.c - see http_tls.h. Where the module was built without TLS there is nothing in it. */
#ifdef MAGPIE_HAVE_TLS
#include "http_tls.h"

#include <magpie/io.h>
#include <stdlib.h>
#include <sys/socket.h>

struct http_tls *magi_http_tls_new(mag_tls_context *context, mag_fd fd)
{
	struct http_tls *tls = calloc(1, sizeof *tls);

	if (tls && mag_tls_init(&tls->session, context, fd, NULL) < 0) {
		free(tls);
		tls = NULL;
	}
	return tls;
}

void magi_http_tls_free(struct http_tls *tls)
{
	if (!tls)
		return;
	mag_tls_fini(&tls->session);
	free(tls);
}

struct http_tls_send {
	mag_frame frame;
	MAG_ARGS(http_tls_send, struct http_tls *tls; const void *data; size_t size;);
	size_t count;
	int64_t rc;
};

static MAG_TASK(http_tls_send)
{
	MAG_BEGIN(http_tls_send);
	if (self->tls->taken) {
		MAG_AWAIT(self->rc, mag_tls_send_all, &self->tls->session, NULL, 0);
		if (self->rc < 0)
			MAG_RETURN(self->rc);
		self->count = self->tls->taken;
		self->tls->taken = 0;
		MAG_RETURN((int64_t)self->count);
	}
	if (self->size > MAG_TLS_BATCH) /* what is taken at once is what a slow client is measured by */
		self->size = MAG_TLS_BATCH;
	MAG_AWAIT(self->rc, mag_tls_send_all_count, &self->tls->session, self->data, self->size, &self->count);
	if (self->rc == MAG_ECANCELED)
		self->tls->taken = self->count;
	MAG_RETURN(self->rc);
	MAG_END;
}

mag_frame *magi_http_tls_send(MAG_OP_ARGS, struct http_tls *tls, const void *data, size_t size)
{
	MAG_OP_CALL(http_tls_send, .tls = tls, .data = data, .size = size);
}

struct http_tls_finish {
	mag_frame frame;
	MAG_ARGS(http_tls_finish, struct http_tls *tls;);
	int64_t rc;
};

static MAG_TASK(http_tls_finish)
{
	MAG_BEGIN(http_tls_finish);
	MAG_AWAIT(self->rc, mag_tls_send_end, &self->tls->session);
	if (self->rc >= 0)
		MAG_AWAIT(self->rc, mag_shutdown, self->tls->session.fd, SHUT_WR);
	MAG_RETURN(self->rc);
	MAG_END;
}
mag_frame *magi_http_tls_finish(MAG_OP_ARGS, struct http_tls *tls)
{
	MAG_OP_CALL(http_tls_finish, .tls = tls);
}
#else
typedef int magi_http_tls_is_off;
#endif
