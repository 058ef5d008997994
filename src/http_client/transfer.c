/* SPDX-License-Identifier: MIT */
/* transfer.c - the task that does a call, pinned to the worker on which it was made: hop after hop, within the limit
 * of the whole. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "http_client/exchange.h"

static const char *method_of(const mag_http_request *q)
{
	return q->method ? q->method : q->body || q->json || q->form || q->parts || q->upload ? "POST" : "GET";
}

/* 1: the lane is new, and wants a driver. */
static int64_t begin(struct magi_client_transfer *t)
{
	struct magi_client_exchange *x = &t->x;
	const char *why = magi_client_request_fault(t->call->request);
	int rc;

	memset(x, 0, sizeof(*x));
	x->call = t->call;
	x->start = mag_now();
	x->deadline = t->call->limits.total_ns < MAG_NEVER - x->start ? x->start + t->call->limits.total_ns : MAG_NEVER;
	if (why)
		return magi_client_fail(t->call, MAG_HTTP_URL, -EINVAL, why);
	if (mag_event_is_set(&t->call->hub->closing))
		return magi_client_fail(t->call, MAG_HTTP_CLOSED, MAG_ECLOSED, "the session is closed");
	x->method = method_of(t->call->request);
	x->lane = magi_client_lane(t->call->hub);
	if (!x->lane)
		return magi_client_fail(t->call, MAG_HTTP_MEMORY, -ENOMEM, NULL);
	x->lane->exchanges_n++;
	x->lane->stats.under_way++;
	rc = magi_client_url_of(x->lane, t->call->request->url, &x->url);
	if (rc < 0)
		return magi_client_fail(t->call, rc == -ENOMEM ? MAG_HTTP_MEMORY : MAG_HTTP_URL, rc,
					rc == -EPROTONOSUPPORT ? "a URL of another scheme than http and https"
					: rc == -EINVAL        ? "this is no URL"
							       : NULL);
	if (x->lane->driven)
		return 0;
	x->lane->driven = true;
	return 1;
}

static void end(struct magi_client_transfer *t)
{
	struct magi_client_exchange *x = &t->x;
	struct magi_client_call *call = t->call;

	if (t->rc == MAG_ECANCELED)
		magi_client_fail(call, MAG_HTTP_CANCELLED, t->rc, NULL);
	else if (t->rc < 0 && call->fault == MAG_HTTP_OK)
		magi_client_fail(call, t->rc == -ENOMEM ? MAG_HTTP_MEMORY : MAG_HTTP_OTHER, t->rc, NULL);
	magi_client_url_drop(x->url);
	free(x->sending);
	call->timing.total = (t->rc < 0 ? mag_now() : x->lane->now) - x->start; /* libcurl said that it has ended */
	if (call->timing.total < call->timing.first_byte)
		call->timing.total = call->timing.first_byte;
	call->rc = t->rc < 0 ? t->rc : call->response->status;
	if (x->lane) {
		x->lane->exchanges_n--;
		x->lane->stats.under_way--;
		mag_event_set(&x->lane->left);
	}
	if (call->upload)
		mag_queue_close(&call->upload->queue);
	if (call->group)
		mag_group_cancel(call->group); /* the upload's task */
	if (call->flow)
		magi_client_flow_end(call);
}

MAG_TASK(magi_client_transfer)
{
	MAG_BEGIN(magi_client_transfer);
	self->rc = begin(self);
	magi_client_came(self->call->session); /* the session's end waits for those on its lanes from now on */
	if (self->rc == 1) {
		MAG_SPAWN_ON(self->rc, self->x.lane->worker, mag_background(self->call->hub->rt), magi_client_driver,
			     .lane = self->x.lane);
		if (self->rc < 0)
			self->x.lane->driven = false;
	}
	while (self->rc >= 0) {
		MAG_CALL(self->rc, magi_client_hop, .x = &self->x);
		if (self->rc < 0 || !magi_client_redirects(&self->x))
			break;
		self->rc = magi_client_redirect(&self->x);
	}
	end(self);
	MAG_RETURN(0);
	MAG_END;
}
