/* SPDX-License-Identifier: MIT */
/* limits.c - what a request may cost, and what may not be in it. */
#include <errno.h>
#include <magpie/options.h>
#include <string.h>

#include "http_client/exchange.h"

static const mag_http_limits defaults = {
	.connect_ns = 10 * MAG_SECOND,
	.first_byte_ns = 30 * MAG_SECOND,
	.total_ns = 60 * MAG_SECOND,
	.low_speed_ns = 30 * MAG_SECOND,
	.low_speed = 1,
	.body_max = UINT64_C(64) << 20,
	.head_max = 64 << 10,
	.redirects = 5,
};

static const uint64_t streamed_total_ns = 3600 * MAG_SECOND;
static const uint64_t streamed_body_max = UINT64_C(1) << 40;
static const uint64_t connect_max_ns = 300 * MAG_SECOND; /* libcurl's own */

#define CHOOSE(field) (asked->field ? asked->field : session->field ? session->field : fallback.field)

void magi_client_limits_of(struct magi_client_call *call, bool streamed)
{
	const mag_http_limits *asked = &call->request->limits, *session = &call->hub->options.limits;
	mag_http_limits fallback = defaults;

	if (streamed) {
		fallback.total_ns = streamed_total_ns;
		fallback.body_max = streamed_body_max;
	}
	call->limits = (mag_http_limits){
		.connect_ns = CHOOSE(connect_ns),
		.first_byte_ns = CHOOSE(first_byte_ns),
		.total_ns = CHOOSE(total_ns),
		.low_speed_ns = CHOOSE(low_speed_ns),
		.low_speed = CHOOSE(low_speed),
		.body_max = CHOOSE(body_max),
		.head_max = CHOOSE(head_max),
		.redirects = CHOOSE(redirects),
	};
	if (call->limits.connect_ns > connect_max_ns)
		call->limits.connect_ns = connect_max_ns;
}

static bool is_token(const char *text)
{
	size_t n = strspn(text, "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ");

	return n && !text[n];
}

bool magi_client_pairs_ok(const mag_http_pair *pairs, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (!pairs[i].name || !pairs[i].value || !is_token(pairs[i].name) || strpbrk(pairs[i].value, "\r\n"))
			return false;
	}
	return true;
}

static bool is_line(const char *text)
{
	return !text || !strpbrk(text, "\r\n");
}

bool magi_client_credentials_ok(const char *user, const char *bearer)
{
	return is_line(user) && is_line(bearer);
}

/* libcurl quotes the names, and takes the type as it is. */
static bool fields_ok(const mag_http_request *q)
{
	for (size_t i = 0; i < q->form_n; i++) {
		if (!q->form || !q->form[i].name || !q->form[i].value)
			return false;
	}
	for (size_t i = 0; i < q->parts_n; i++) {
		if (!q->parts || !is_line(q->parts[i].type) || (q->parts[i].length && !q->parts[i].data))
			return false;
	}
	return true;
}

void magi_client_request_take(mag_http_request *asked, const mag_http_request *given)
{
	if (mag_options_take(asked, sizeof(*asked), given) == 0 && given)
		asked->size = sizeof(*asked);
}

/* NULL, or what is wrong with it. */
const char *magi_client_request_fault(const mag_http_request *q)
{
	int bodies = (q->body != NULL) + (q->json != NULL) + (q->form != NULL) + (q->parts != NULL) +
		     (q->upload != NULL);

	if (!q->size)
		return "no request, or one of a newer version of this library: its size is not known";
	if (!q->url)
		return "no URL";
	if (q->method && !is_token(q->method))
		return "the method is no word";
	if (!magi_client_pairs_ok(q->headers, q->headers_n))
		return "a header whose name is no word, or with a line break in its value";
	if (!is_line(q->body_type))
		return "a line break in the type of the body";
	if (bodies > 1)
		return "more than one body";
	if (q->upload && mag_stream_size(q->upload) != sizeof(mag_http_chunk))
		return "an upload is a stream of mag_http_chunk";
	if (!fields_ok(q))
		return "a field of a form without a value, or a line break in the type of a part";
	if (!magi_client_credentials_ok(q->user, q->bearer))
		return "a line break in the credentials";
	return NULL;
}
