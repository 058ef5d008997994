/* SPDX-License-Identifier: MIT */
/* perform.c - a request whose answer is taken as a whole: the caller waits in a group for the task that does it, so
 * that cancelling the one reaches the other, and what was lent is no longer in use afterwards. */
#include <errno.h>
#include <string.h>

#include "http_client/exchange.h"

struct performing {
	mag_frame frame;
	MAG_ARGS(performing, mag_http_session *session; mag_http_response * response; mag_http_request asked;);
	mag_group group;
	struct magi_client_call call;
	struct magi_client_upload upload;
	int64_t rc, ended;
};

static int64_t prepare(struct performing *self)
{
	struct magi_client_call *call = &self->call;

	magi_client_response_clear(self->response);
	memset(call, 0, offsetof(struct magi_client_call, why));
	call->why[0] = 0;
	mag_event_init(&call->wake);
	call->session = self->session;
	call->request = &self->asked;
	call->response = self->response;
	if (call->request->upload) {
		int rc = magi_client_upload_init(&self->upload);

		if (rc < 0)
			return rc;
		call->upload = &self->upload;
		call->group = &self->group;
	}
	call->hub = magi_client_come(self->session);
	if (!call->hub)
		return magi_client_fail(call, MAG_HTTP_CLOSED, MAG_ECLOSED, "the session is closed");
	magi_client_limits_of(call, false);
	return 0;
}

MAG_TASK(performing)
{
	MAG_BEGIN(performing);
	if (self->response->flow)
		MAG_RETURN(-EBUSY);
	self->rc = prepare(self);
	if (self->rc == 0) {
		MAG_GROUP_BEGIN(&self->group, .policy = MAG_COLLECT);
		MAG_SPAWN_ON(self->rc, mag_worker_index(), &self->group, magi_client_transfer, .call = &self->call);
		if (self->rc < 0)
			magi_client_came(self->session);
		if (self->rc == 0 && self->call.upload) {
			MAG_SPAWN(self->rc, &self->group, magi_client_feed, .call = &self->call);
			if (self->rc < 0)
				mag_group_cancel(&self->group);
		}
		MAG_GROUP_END(self->ended, &self->group);
	}
	if (self->rc == 0)
		self->rc = self->call.rc;
	else if (self->call.fault == MAG_HTTP_OK)
		magi_client_fail(&self->call, self->rc == MAG_ECANCELED ? MAG_HTTP_CANCELLED : MAG_HTTP_MEMORY,
				 self->rc, NULL);
	if (self->call.upload)
		magi_client_upload_fini(self->call.upload);
	magi_client_tell(&self->call);
	MAG_RETURN(self->rc);
	MAG_END;
}

mag_frame *mag_http_perform(mag_worker *w, mag_frame *f, mag_http_session *session, const mag_http_request *request,
			    mag_http_response *response)
{
	MAGI_CHILD(child, performing);

	if (!child) {
		f->op.result = -ENOMEM;
		return f;
	}
	child->args_.session = session;
	child->args_.response = response;
	magi_client_request_take(&child->args_.asked, request);
	return magi_call(f, &child->frame, performing_step, MAGI_CLASS(sizeof(*child)));
}

mag_frame *mag_http_get(mag_worker *w, mag_frame *f, mag_http_session *session, const char *url,
			mag_http_response *response)
{
	return mag_http_perform(w, f, session, &MAG_HTTP_REQUEST(.url = url), response);
}

mag_frame *mag_http_post_json(mag_worker *w, mag_frame *f, mag_http_session *session, const char *url, const char *json,
			      mag_http_response *response)
{
	return mag_http_perform(w, f, session, &MAG_HTTP_REQUEST(.method = "POST", .url = url, .json = json), response);
}
