/* SPDX-License-Identifier: MIT */
/* redirect.c - where an answer sends its client, and whether that goes there. libcurl follows none by itself: it
 * would look names up, and would not know which headers are credentials. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "http_client/exchange.h"

bool magi_client_redirects(const struct magi_client_exchange *x)
{
	const mag_http_response *r = x->call->response;

	switch (r->status) {
	case 301:
	case 302:
	case 303:
	case 307:
	case 308:
		return x->call->limits.redirects != MAG_HTTP_NO_REDIRECTS && mag_http_response_header(r, "Location");
	default:
		return false;
	}
}

static bool is_method(const struct magi_client_exchange *x, const char *method)
{
	const char *m = x->method;

	return m && !strcmp(m, method);
}

/* RFC 9110, 15.4: 303 is a GET of something else; behind a POST 301 and 302 are used like it. */
static void choose_method(struct magi_client_exchange *x, int status)
{
	if (is_method(x, "HEAD") || status == 307 || status == 308)
		return;
	if (status == 303 || is_method(x, "POST")) {
		x->method = "GET";
		x->bodyless = true;
	}
}

int64_t magi_client_redirect(struct magi_client_exchange *x)
{
	struct magi_client_call *call = x->call;
	mag_http_response *r = call->response;
	struct magi_client_url *next;
	char why[MAG_HTTP_WHY_MAX];
	int rc;

	if (r->redirects >= (uint32_t)call->limits.redirects) {
		snprintf(why, sizeof(why), "more than %d redirects", call->limits.redirects);
		return magi_client_fail(call, MAG_HTTP_REDIRECT, -ELOOP, why);
	}
	rc = magi_client_url_parse(mag_http_response_header(r, "Location"), x->url->handle, &next);
	if (rc < 0) {
		if (rc == -ENOMEM)
			return magi_client_fail(call, MAG_HTTP_MEMORY, rc, NULL);
		return magi_client_fail(call, MAG_HTTP_REDIRECT, -ELOOP,
					rc == -EPROTONOSUPPORT ? "a redirect to a scheme that is not followed"
							       : "a redirect to what is no URL");
	}
	choose_method(x, r->status);
	if (call->upload && !x->bodyless) {
		magi_client_url_drop(next);
		return magi_client_fail(call, MAG_HTTP_REDIRECT, -ELOOP,
					"a redirect of an upload, which cannot be sent again");
	}
	x->stranger = x->stranger || strcmp(next->origin, x->url->origin);
	magi_client_url_drop(x->url);
	x->url = next;
	x->late = true;
	r->redirects++;
	return 0;
}
