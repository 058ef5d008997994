/* SPDX-License-Identifier: MIT */
/* hop.c - one request and its answer: a place, the address, the transfer, and the limits of its phases. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "http_client/exchange.h"

static const char too_long[] = "not done within the limit of time";

static void link_to_lane(struct magi_client_exchange *x)
{
	struct magi_client_lane *lane = x->lane;

	x->next = lane->exchanges;
	if (x->next)
		x->next->pprev = &x->next;
	x->pprev = &lane->exchanges;
	lane->exchanges = x;
}

static void unlink_from_lane(struct magi_client_exchange *x)
{
	*x->pprev = x->next;
	if (x->next)
		x->next->pprev = x->pprev;
}

static int64_t begin(struct magi_client_exchange *x)
{
	mag_http_response *r = x->call->response;

	x->done = x->connected = x->answered = x->headed = x->discard = x->paused_in = x->paused_out = x->overdue =
		x->starved = false;
	x->call->timing = (mag_http_timing){ 0 };
	x->code = CURLE_OK;
	x->rc = 0;
	x->heads = x->received = x->sent = x->seen = 0;
	x->host = NULL;
	r->head_length = 0;
	r->length = 0;
	r->status = 0;
	if (!r->url_copy || strcmp(r->url_copy, x->url->text)) {
		free(r->url_copy);
		r->url_copy = strdup(x->url->text);
	}
	r->url = r->url_copy;
	return r->url ? 0 : -ENOMEM;
}

static int64_t start(struct magi_client_exchange *x)
{
	int rc = magi_client_easy_begin(x);

	if (rc == 0 && curl_multi_add_handle(x->lane->multi, x->seat->easy) != CURLM_OK)
		rc = -ENOMEM;
	if (rc < 0) {
		magi_client_easy_end(x);
		return magi_client_fail(x->call, MAG_HTTP_MEMORY, rc, NULL);
	}
	link_to_lane(x);
	x->hop = x->late ? mag_now() : x->start;
	x->lane->stats.requests++;
	magi_client_settle(x->lane);
	return 0;
}

/* They are by two clocks: the first byte was seen at the time of the lane, which stands while its sockets are looked at;
 * libcurl's goes on, and begins at its own beginning. */
static void put_in_order(mag_http_timing *t)
{
	if (t->connect && t->connect < t->name)
		t->connect = t->name;
	if (t->tls && t->tls < t->connect)
		t->tls = t->connect;
	if (t->first_byte && t->first_byte < t->connect)
		t->first_byte = t->connect;
	if (t->first_byte && t->first_byte < t->tls)
		t->first_byte = t->tls;
}

/* Of a connection that was there already libcurl tells no times. */
static void note_times(struct magi_client_exchange *x)
{
	mag_http_timing *t = &x->call->timing;
	uint64_t before = x->hop - x->start;
	curl_off_t connect = 0, tls = 0;
	long connections = 0;

	curl_easy_getinfo(x->seat->easy, CURLINFO_NUM_CONNECTS, &connections);
	if (!connections) {
		t->connect = x->connected ? t->connect : 0;
		t->tls = 0;
		return;
	}
	curl_easy_getinfo(x->seat->easy, CURLINFO_CONNECT_TIME_T, &connect);
	curl_easy_getinfo(x->seat->easy, CURLINFO_APPCONNECT_TIME_T, &tls);
	t->connect = connect ? before + (uint64_t)connect * MAG_MICROSECOND : 0;
	t->tls = tls ? before + (uint64_t)tls * MAG_MICROSECOND : 0;
	put_in_order(t);
	x->call->connections += (uint32_t)connections;
}

/* Takes the handle away from libcurl, which closes the connection of what has not ended. */
static void finish(struct magi_client_exchange *x)
{
	x->lane->paused -= (uint32_t)x->paused_in + (uint32_t)x->paused_out;
	note_times(x);
	x->url->small = x->done && x->heads + x->received < MAGI_CLIENT_SMALL;
	curl_multi_remove_handle(x->lane->multi, x->seat->easy);
	if (!x->connected)
		magi_client_socket_sweep(x->lane, false);
	unlink_from_lane(x);
	magi_client_easy_end(x);
	magi_client_settle(x->lane);
}

static uint64_t add(uint64_t at, uint64_t ns)
{
	return ns < MAG_NEVER - at ? at + ns : MAG_NEVER;
}

static uint64_t phase_end(const struct magi_client_exchange *x)
{
	const mag_http_limits *l = &x->call->limits;
	uint64_t end;

	if (!x->connected)
		end = add(x->hop, l->connect_ns);
	else if (x->paused_in || x->paused_out) /* it is not the server that is slow */
		end = MAG_NEVER;
	else
		end = add(x->seen_at, x->answered ? l->low_speed_ns : l->first_byte_ns);
	return end < x->deadline ? end : x->deadline;
}

void magi_client_plan_phase(struct magi_client_exchange *x)
{
	x->planned = phase_end(x);
	magi_client_plan(x->lane, x->planned);
}

/* The time of a phase is over: 0 when enough has moved in it, and a new one begins. */
static int64_t phase_over(struct magi_client_exchange *x)
{
	const mag_http_limits *l = &x->call->limits;
	curl_off_t sent = 0;
	uint64_t moved;
	char why[MAG_HTTP_WHY_MAX];

	if (mag_now() >= x->deadline)
		return magi_client_fail(x->call, MAG_HTTP_TIMEOUT, MAG_ETIMEDOUT, too_long);
	curl_easy_getinfo(x->seat->easy, CURLINFO_SIZE_UPLOAD_T, &sent);
	moved = x->received + (uint64_t)sent;
	if (x->connected && moved - x->seen >= l->low_speed) {
		x->seen = moved;
		x->seen_at = mag_now();
		return 0;
	}
	if (!x->connected)
		snprintf(why, sizeof(why), "no connection within %llu ms",
			 (unsigned long long)(l->connect_ns / MAG_MILLISECOND));
	else if (!x->answered)
		snprintf(why, sizeof(why), "no answer within %llu ms",
			 (unsigned long long)(l->first_byte_ns / MAG_MILLISECOND));
	else
		snprintf(why, sizeof(why), "less than %llu bytes within %llu ms", (unsigned long long)l->low_speed,
			 (unsigned long long)(l->low_speed_ns / MAG_MILLISECOND));
	return magi_client_fail(x->call, MAG_HTTP_TIMEOUT, MAG_ETIMEDOUT, why);
}

/* What was held up for want of room, or of something to send, goes on when there is some. */
static void resume(struct magi_client_exchange *x)
{
	bool in = x->paused_in && magi_client_flow_has_room(x->call->flow);
	bool out = x->paused_out &&
		   (mag_queue_length(&x->call->upload->queue) || mag_queue_is_closed(&x->call->upload->queue));
	CURLcode code;

	if (!in && !out)
		return;
	x->lane->paused -= (uint32_t)in + (uint32_t)out;
	x->paused_in = x->paused_in && !in;
	x->paused_out = x->paused_out && !out;
	x->seen_at = x->lane->now = mag_now();
	code = curl_easy_pause(x->seat->easy,
			       (x->paused_in ? CURLPAUSE_RECV : 0) | (x->paused_out ? CURLPAUSE_SEND : 0));
	if (code != CURLE_OK && !x->done) { /* what was held back was refused: libcurl would go on behind it */
		x->code = code;
		x->done = true;
	}
	magi_client_settle(x->lane);
}

static int64_t verdict(struct magi_client_exchange *x, int64_t rc)
{
	uint16_t port;
	const char *name = magi_client_name_of(x, &port);

	if (!x->done)
		return rc;
	if (x->code == CURLE_OK)
		return 0;
	if (x->code == CURLE_COULDNT_CONNECT && name)
		magi_client_name_forget(x->lane, name, port);
	return magi_client_fail_curl(x);
}

/* Until libcurl has done with it, or what is wrong. */
struct magi_client_watch {
	mag_frame frame;
	MAG_ARGS(magi_client_watch, struct magi_client_exchange *x;);
	int64_t rc;
};

MAG_TASK(magi_client_watch)
{
	MAG_BEGIN(magi_client_watch);
	for (;;) {
		mag_event_reset(&self->x->call->wake);
		if (self->x->done)
			MAG_RETURN(0);
		if (self->x->stop)
			MAG_RETURN(magi_client_fail(self->x->call, MAG_HTTP_CLOSED, MAG_ECLOSED,
						    "the session was closed"));
		if (self->x->starved)
			MAG_RETURN(magi_client_fail(self->x->call, MAG_HTTP_MEMORY, -ENOMEM, NULL));
		if (self->x->paused_in || self->x->paused_out) {
			resume(self->x);
			if (self->x->done)
				MAG_RETURN(0);
		}
		magi_client_plan_phase(self->x);
		MAG_AWAIT(self->rc, mag_event_wait, &self->x->call->wake);
		if (self->rc == 0 && self->x->overdue && !self->x->done && mag_now() >= phase_end(self->x))
			self->rc = phase_over(self->x);
		self->x->overdue = false;
		if (self->rc < 0 && !self->x->done)
			MAG_RETURN(self->rc);
	}
	MAG_END;
}

/* Places and the address, until the limit of the whole. */
struct magi_client_wait {
	mag_frame frame;
	MAG_ARGS(magi_client_wait, struct magi_client_exchange *x;);
	mag_scope scope;
	int64_t rc, timed;
};

MAG_TASK(magi_client_wait)
{
	MAG_BEGIN(magi_client_wait);
	MAG_WITH_DEADLINE(&self->scope, self->x->deadline);
	MAG_CALL(self->rc, magi_client_admit, .x = self->x);
	MAG_SCOPE_END(self->timed, &self->scope);
	if (self->rc == MAG_ECANCELED && self->timed == MAG_ETIMEDOUT)
		MAG_RETURN(magi_client_fail(self->x->call, MAG_HTTP_TIMEOUT, MAG_ETIMEDOUT, too_long));
	MAG_RETURN(self->rc);
	MAG_END;
}

MAG_TASK(magi_client_hop)
{
	MAG_BEGIN(magi_client_hop);
	self->rc = begin(self->x);
	if (self->rc == 0)
		self->rc = magi_client_admit_now(self->x);
	if (self->rc == -EAGAIN) {
		self->x->late = true;
		MAG_CALL(self->rc, magi_client_wait, .x = self->x);
	}
	if (self->rc == 0 && self->x->lane->stopping)
		self->rc = magi_client_fail(self->x->call, MAG_HTTP_CLOSED, MAG_ECLOSED, "the session was closed");
	if (self->rc == 0)
		self->rc = start(self->x);
	if (self->rc == 0) {
		MAG_CALL(self->rc, magi_client_watch, .x = self->x);
		self->rc = verdict(self->x, self->rc);
		finish(self->x);
	}
	magi_client_dismiss(self->x);
	MAG_RETURN(self->rc);
	MAG_END;
}
