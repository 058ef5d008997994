/* SPDX-License-Identifier: MIT */
/* http_upgrade.c - a connection goes over to another protocol, which its handler speaks from there on. */
#include <magpie/http_reply.h>

#include "http_put.h"

#include <errno.h>

struct http_switch {
	mag_frame frame;
	MAG_ARGS(http_switch, struct http_conn *c; mag_http_upgraded *upgraded;);
	int64_t rc;
};

MAG_TASK(http_switch)
{
	MAG_BEGIN(http_switch);
	MAG_CALL(self->rc, http_flush, .c = self->c);
	if (self->rc < 0)
		MAG_RETURN(self->rc);
	self->upgraded->fd = self->c->wire.fd;
	self->upgraded->tls = magi_http_wire_session(&self->c->wire);
	self->upgraded->early = (mag_http_text){ self->c->in + self->c->in_at, self->c->in_len - self->c->in_at };
	self->c->in_at = self->c->in_len;
	MAG_RETURN(0);
	MAG_END;
}

mag_frame *mag_http_upgrade(MAG_OP_ARGS, mag_http_exchange *x, const char *protocol, mag_http_upgraded *upgraded)
{
	struct http_conn *c = magi_http_conn_of(x);
	struct http_answer a = { .status = 101, .endless = true };
	int rc = x->reply == HTTP_REPLY_NONE ? 0 : -EALREADY;

	if (rc == 0 && !upgraded)
		rc = -EINVAL;
	if (rc == 0 && (c->parser.minor == 0 || c->wire.stream || !x->body_over)) /* no fault of the handler's */
		rc = -EBADMSG;
	if (rc == 0)
		rc = mag_http_reply_header(x, "Upgrade", protocol);
	if (rc == 0)
		rc = magi_http_compose(c, magi_http_conn_here(c), &a);
	if (rc < 0)
		return magi_http_done(f, rc);
	x->reply = HTTP_REPLY_TAKEN;
	return MAGI_HTTP_CALL(http_switch, .c = c, .upgraded = upgraded);
}
