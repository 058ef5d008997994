/* SPDX-License-Identifier: MIT */
/* flow.c - an answer taken piece by piece. The task that does the transfer is one of the background; between it and
 * the caller lies a queue of a few chunks. When that is full libcurl pauses the transfer, so that the server must
 * wait.
 *
 * Pairs:   the queue's close, or `opened` -> the caller reads what the call says. `wake` -> the transfer looks for
 *          room. */
#include <errno.h>
#include <magpie/http_client_stream.h>
#include <stdlib.h>
#include <string.h>

#include "http_client/exchange.h"

struct magi_client_flow {
	struct magi_client_call call;
	mag_http_request asked;
	struct magi_client_upload upload;
	mag_queue chunks; /* of struct magi_client_bytes * */
	mag_future opened;
	mag_handle transfer, feeder;
	bool running, feeding;          /* there is such a task */
	struct magi_client_bytes *lent; /* to the caller, until the next one */
};

/* Called by libcurl's callback. */
int magi_client_flow_put(struct magi_client_flow *flow, const char *data, size_t length)
{
	struct magi_client_bytes *bytes;
	int rc;

	if (!length)
		return 0;
	if (mag_queue_length(&flow->chunks) == mag_queue_capacity(&flow->chunks))
		return -EAGAIN;
	bytes = malloc(sizeof(*bytes) + length);
	if (!bytes)
		return -ENOMEM;
	bytes->length = length;
	bytes->at = 0;
	memcpy(bytes->data, data, length);
	rc = mag_queue_try_push(&flow->chunks, &bytes);
	if (rc < 0)
		free(bytes);
	return rc;
}

bool magi_client_flow_has_room(struct magi_client_flow *flow)
{
	return mag_queue_length(&flow->chunks) <= mag_queue_capacity(&flow->chunks) / 2;
}

void magi_client_flow_begin(struct magi_client_flow *flow)
{
	mag_future_complete(&flow->opened, flow->call.response->status);
}

/* The last that the transfer does. */
void magi_client_flow_end(struct magi_client_call *call)
{
	mag_queue_close(&call->flow->chunks);
	mag_future_complete(&call->flow->opened, call->rc);
}

static struct magi_client_flow *create(mag_http_session *session, struct magi_client_hub *hub,
				       const mag_http_request *request, mag_http_response *response)
{
	struct magi_client_flow *flow = calloc(1, sizeof(*flow));

	if (!flow)
		return NULL;
	if (mag_queue_init(&flow->chunks, MAGI_CLIENT_CHUNKS, sizeof(struct magi_client_bytes *)) < 0) {
		free(flow);
		return NULL;
	}
	magi_client_request_take(&flow->asked, request);
	if (flow->asked.upload && magi_client_upload_init(&flow->upload) < 0) {
		mag_queue_fini(&flow->chunks);
		free(flow);
		return NULL;
	}
	mag_future_init(&flow->opened);
	mag_event_init(&flow->call.wake);
	flow->call.session = session;
	flow->call.hub = hub;
	flow->call.request = &flow->asked;
	flow->call.response = response;
	flow->call.flow = flow;
	flow->call.upload = flow->asked.upload ? &flow->upload : NULL;
	magi_client_limits_of(&flow->call, true);
	return flow;
}

static void drop(void *arg, void *element)
{
	(void)arg;
	free(*(struct magi_client_bytes **)element);
}

static void destroy(struct magi_client_flow *flow)
{
	mag_queue_drain(&flow->chunks, drop, NULL);
	mag_queue_fini(&flow->chunks);
	mag_future_fini(&flow->opened);
	if (flow->call.upload)
		magi_client_upload_fini(flow->call.upload);
	free(flow->lent);
	free(flow);
}

MAG_TASK(mag_http_body_close)
{
	MAG_BEGIN(mag_http_body_close);
	MAG_AWAIT(self->rc, mag_http_close, self->ctx);
	MAG_RETURN(self->rc);
	MAG_END;
}

struct flow_closing {
	mag_frame frame;
	MAG_ARGS(flow_closing, mag_http_response *response;);
	mag_scope shield;
	int64_t rc, left;
};

MAG_TASK(flow_closing)
{
	MAG_BEGIN(flow_closing);
	if (!self->response->flow)
		MAG_RETURN(0);
	MAG_SHIELD(&self->shield, MAG_NEVER);
	if (self->response->flow->running) {
		mag_handle_cancel(&self->response->flow->transfer);
		MAG_AWAIT(self->rc, mag_handle_wait, &self->response->flow->transfer);
	}
	if (self->response->flow->feeding) {
		mag_handle_cancel(&self->response->flow->feeder);
		MAG_AWAIT(self->rc, mag_handle_wait, &self->response->flow->feeder);
	}
	MAG_SCOPE_END(self->left, &self->shield);
	if (self->response->fault == MAG_HTTP_OK && self->response->flow->call.fault != MAG_HTTP_CANCELLED)
		magi_client_tell(&self->response->flow->call);
	destroy(self->response->flow);
	self->response->flow = NULL;
	MAG_RETURN(0);
	MAG_END;
}

mag_frame *mag_http_close(mag_worker *w, mag_frame *f, mag_http_response *response)
{
	MAGI_CHILD(child, flow_closing);

	if (!child) {
		f->op.result = -ENOMEM;
		return f;
	}
	child->args_ = (struct flow_closing_args){ .response = response };
	return magi_call(f, &child->frame, flow_closing_step, MAGI_CLASS(sizeof(*child)));
}

struct flow_opening {
	mag_frame frame;
	MAG_ARGS(flow_opening, mag_http_session *session; const mag_http_request *request;
		 mag_http_response * response;);
	struct magi_client_flow *flow;
	int64_t rc, closed;
};

static int64_t refuse(mag_http_response *r, mag_http_fault fault, int64_t rc)
{
	r->fault = fault;
	snprintf(r->why, sizeof(r->why), "%s", mag_strerror(rc));
	return rc;
}

static int64_t begin(struct flow_opening *self)
{
	struct magi_client_hub *hub = magi_client_come(self->session);

	magi_client_response_clear(self->response);
	if (!hub)
		return refuse(self->response, MAG_HTTP_CLOSED, MAG_ECLOSED);
	self->flow = create(self->session, hub, self->request, self->response);
	self->response->flow = self->flow;
	if (self->flow)
		return 0;
	magi_client_came(self->session);
	return refuse(self->response, MAG_HTTP_MEMORY, -ENOMEM);
}

MAG_TASK(flow_opening)
{
	MAG_BEGIN(flow_opening);
	if (self->response->flow)
		MAG_RETURN(-EBUSY);
	self->rc = begin(self);
	if (self->rc < 0)
		MAG_RETURN(self->rc);
	MAG_SPAWN_AS_ON(self->rc, &self->flow->transfer, mag_worker_index(), mag_background(self->flow->call.hub->rt),
			magi_client_transfer, .call = &self->flow->call);
	self->flow->running = self->rc == 0;
	if (!self->flow->running)
		magi_client_came(self->session);
	if (self->rc == 0 && self->flow->call.upload) {
		MAG_SPAWN_AS(self->rc, &self->flow->feeder, mag_background(self->flow->call.hub->rt), magi_client_feed,
			     .call = &self->flow->call);
		self->flow->feeding = self->rc == 0;
	}
	if (self->rc == 0)
		MAG_AWAIT(self->rc, mag_future_await, &self->flow->opened);
	if (self->rc >= 0)
		MAG_RETURN(self->rc);
	self->response->fault = MAG_HTTP_OK;
	MAG_AWAIT(self->closed, mag_http_close, self->response);
	if (self->response->fault == MAG_HTTP_OK)
		refuse(self->response, self->rc == MAG_ECANCELED ? MAG_HTTP_CANCELLED : MAG_HTTP_MEMORY, self->rc);
	MAG_RETURN(self->rc);
	MAG_END;
}

mag_frame *mag_http_open(mag_worker *w, mag_frame *f, mag_http_session *session, const mag_http_request *request,
			 mag_http_response *response)
{
	MAGI_CHILD(child, flow_opening);

	if (!child) {
		f->op.result = -ENOMEM;
		return f;
	}
	child->args_ = (struct flow_opening_args){ .session = session, .request = request, .response = response };
	return magi_call(f, &child->frame, flow_opening_step, MAGI_CLASS(sizeof(*child)));
}

/* What the queue gave: 1, 0 at the end, or why it came to one. */
static int64_t take(mag_http_response *response, struct magi_client_bytes *bytes, int64_t rc, mag_http_chunk *chunk)
{
	struct magi_client_flow *flow = response->flow;

	if (rc == MAG_ECANCELED || rc == -ENOMEM)
		return rc;
	if (rc < 0) {
		magi_client_tell(&flow->call);
		return flow->call.rc < 0 ? flow->call.rc : 0;
	}
	flow->lent = bytes;
	*chunk = (mag_http_chunk){ bytes->data, bytes->length };
	if (magi_client_flow_has_room(flow))
		mag_event_set(&flow->call.wake);
	return 1;
}

struct taking {
	mag_frame frame;
	MAG_ARGS(taking, mag_http_response *response; mag_http_chunk * chunk;);
	struct magi_client_bytes *bytes;
	int64_t rc;
};

MAG_TASK(taking)
{
	MAG_BEGIN(taking);
	MAG_AWAIT(self->rc, mag_queue_pop, &self->response->flow->chunks, &self->bytes);
	MAG_RETURN(take(self->response, self->bytes, self->rc, self->chunk));
	MAG_END;
}

mag_frame *mag_http_body(mag_worker *w, mag_frame *f, mag_http_response *response, mag_http_chunk *chunk)
{
	if (!response->flow) {
		f->op.result = -EINVAL;
		return f;
	}
	free(response->flow->lent);
	response->flow->lent = NULL;

	MAGI_CHILD(child, taking);

	if (!child) {
		f->op.result = -ENOMEM;
		return f;
	}
	child->args_ = (struct taking_args){ .response = response, .chunk = chunk };
	return magi_call(f, &child->frame, taking_step, MAGI_CLASS(sizeof(*child)));
}

MAG_TASK(mag_http_body_next)
{
	MAG_BEGIN(mag_http_body_next);
	MAG_AWAIT(self->rc, mag_http_body, self->ctx, self->out);
	MAG_RETURN(self->rc);
	MAG_END;
}
