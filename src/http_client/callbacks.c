/* SPDX-License-Identifier: MIT */
/* callbacks.c - what libcurl calls in the middle of a transfer. They write down what has come and what is wanted;
 * none of them calls libcurl. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "http_client/exchange.h"

static size_t give_up(struct magi_client_exchange *x, mag_http_fault fault, int64_t rc)
{
	x->fault = fault;
	x->rc = rc;
	return 0;
}

static void begin_phase(struct magi_client_exchange *x)
{
	x->seen_at = x->lane->now;
	magi_client_plan_phase(x);
}

/* "HTTP/1.1 200 OK": each answer begins anew, behind 100 Continue, too. */
static void begin_answer(struct magi_client_exchange *x, const char *line, size_t length)
{
	mag_http_response *r = x->call->response;
	const char *space = memchr(line, ' ', length);
	int major = length > 5 ? line[5] - '0' : 0;

	r->head_length = 0;
	r->status = space && space + 3 < line + length ? atoi(space + 1) : 0;
	r->version = length > 7 && line[6] == '.' ? major * 10 + line[7] - '0' : major * 10;
}

static void end_headers(struct magi_client_exchange *x)
{
	mag_http_response *r = x->call->response;

	if (r->status < 200)
		return;
	x->headed = true;
	x->discard = magi_client_redirects(x);
	if (!x->discard && x->call->flow)
		magi_client_flow_begin(x->call->flow);
}

size_t magi_client_on_header(char *data, size_t size, size_t n, void *arg)
{
	struct magi_client_exchange *x = ((struct magi_client_seat *)arg)->x;
	size_t length = size * n;

	x->lane->progress++;
	x->heads += length;
	if (x->heads > x->call->limits.head_max)
		return give_up(x, MAG_HTTP_TOO_LARGE, MAG_ETOOLONG);
	if (x->headed) /* a trailer */
		return length;
	if (!x->answered) {
		x->answered = true;
		begin_phase(x);
		x->call->timing.first_byte = x->seen_at - x->start;
	}
	if (length > 5 && !memcmp(data, "HTTP/", 5)) {
		begin_answer(x, data, length);
	} else if (length <= 2 && (data[0] == '\r' || data[0] == '\n')) {
		end_headers(x);
	} else {
		int rc = magi_client_response_add_header(x->call->response, data, length, x->call->limits.head_max);

		if (rc < 0)
			return give_up(x, rc == -ENOMEM ? MAG_HTTP_MEMORY : MAG_HTTP_TOO_LARGE, rc);
	}
	return length;
}

size_t magi_client_on_body(char *data, size_t size, size_t n, void *arg)
{
	struct magi_client_exchange *x = ((struct magi_client_seat *)arg)->x;
	size_t length = size * n;
	int rc = 0;

	x->lane->progress++;
	if (length > x->call->limits.body_max || x->received > x->call->limits.body_max - length)
		return give_up(x, MAG_HTTP_TOO_LARGE, MAG_ETOOLONG);
	if (!x->discard)
		rc = x->call->flow
			     ? magi_client_flow_put(x->call->flow, data, length)
			     : magi_client_response_add_body(x->call->response, data, length, x->call->limits.body_max);
	if (rc == -EAGAIN) { /* the same bytes come again */
		x->lane->paused += !x->paused_in;
		x->paused_in = true;
		return CURL_WRITEFUNC_PAUSE;
	}
	if (rc < 0)
		return give_up(x, MAG_HTTP_MEMORY, rc);
	x->received += length;
	return length;
}

size_t magi_client_on_read(char *data, size_t size, size_t n, void *arg)
{
	struct magi_client_exchange *x = ((struct magi_client_seat *)arg)->x;
	struct magi_client_upload *upload = x->call->upload;
	struct magi_client_bytes *b;
	int rc = x->sending ? 0 : mag_queue_try_pop(&upload->queue, &x->sending);
	size_t length = size * n;

	if (rc == -EAGAIN) {
		x->lane->paused += !x->paused_out;
		x->paused_out = true;
		return CURL_READFUNC_PAUSE;
	}
	if (rc < 0) {
		x->sending = NULL;
		if (upload->rc >= 0 && x->sent >= x->call->request->upload_length)
			return 0;
		/* one that is too short would leave the server waiting for the rest */
		give_up(x, MAG_HTTP_UPLOAD, upload->rc < 0 ? upload->rc : MAG_EEOF);
		return CURL_READFUNC_ABORT;
	}
	x->lane->progress++;
	b = x->sending;
	if (length > b->length - b->at)
		length = b->length - b->at;
	memcpy(data, b->data + b->at, length);
	b->at += length;
	x->sent += length;
	if (b->at == b->length) {
		free(b);
		x->sending = NULL;
	}
	return length;
}

int magi_client_on_connected(void *arg, char *to, char *from, int to_port, int from_port)
{
	struct magi_client_exchange *x = ((struct magi_client_seat *)arg)->x;

	(void)to;
	(void)from;
	(void)to_port;
	(void)from_port;
	x->lane->progress++;
	x->connected = true;
	x->call->timing.connect = x->lane->now - x->start;
	if (x->resolve)
		magi_client_name_told(x);
	begin_phase(x);
	return CURL_PREREQFUNC_OK;
}

/* libcurl would look the name up by itself: all that it is to know was given to it. */
int magi_client_on_resolve(void *state, void *reserved, void *arg)
{
	struct magi_client_exchange *x = ((struct magi_client_seat *)arg)->x;

	(void)state;
	(void)reserved;
	return (x->call->hub->proxy_host[0] ? x->call->hub->proxy_literal : x->url->literal) ? 0 : 1;
}
