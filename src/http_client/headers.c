/* SPDX-License-Identifier: MIT */
/* headers.c - the headers of a request: the session's and its own, and which of them go where. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "http_client/exchange.h"

static bool has(const mag_http_pair *pairs, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++) {
		if (!strcasecmp(pairs[i].name, name))
			return true;
	}
	return false;
}

/* Headers that are meant for one origin; by the host's name libcurl would choose the cookies, too. */
static bool is_secret(const char *name)
{
	return !strcasecmp(name, "Authorization") || !strcasecmp(name, "Cookie") ||
	       !strcasecmp(name, "Proxy-Authorization") || !strcasecmp(name, "Host");
}

static int append(struct curl_slist **list, const char *name, const char *value)
{
	size_t length = strlen(name) + strlen(value) + 3;
	char *line = malloc(length);
	struct curl_slist *grown;

	if (!line)
		return -ENOMEM;
	/* "Name;" is a header without a value: "Name:" would be taken to mean that it is to be left out */
	snprintf(line, length, value[0] ? "%s: %s" : "%s;", name, value);
	grown = curl_slist_append(*list, line);
	free(line);
	if (!grown)
		return -ENOMEM;
	*list = grown;
	return 0;
}

/* Those of the session, but for what the request has itself. libcurl would put its own User-Agent together anew for
 * each request, which costs more than the rest of a hop here. */
static int append_session(struct curl_slist **list, const mag_http_options *o, const mag_http_request *q, bool home)
{
	int rc = 0;

	for (size_t i = 0; i < o->headers_n && rc == 0; i++) {
		const mag_http_pair *h = &o->headers[i];
		bool replaced = q && (has(q->headers, q->headers_n, h->name) ||
				      ((q->user || q->bearer) && !strcasecmp(h->name, "Authorization")));

		if (!replaced && (home || !is_secret(h->name)))
			rc = append(list, h->name, h->value);
	}
	if (rc == 0 && o->agent[0] && !has(o->headers, o->headers_n, "User-Agent") &&
	    !(q && has(q->headers, q->headers_n, "User-Agent")))
		rc = append(list, "User-Agent", o->agent);
	return rc;
}

int magi_client_common_headers(struct magi_client_lane *lane)
{
	int rc = append_session(&lane->common[true], &lane->hub->options, NULL, true);

	return rc == 0 ? append_session(&lane->common[false], &lane->hub->options, NULL, false) : rc;
}

bool magi_client_is_home(const struct magi_client_exchange *x)
{
	return !x->stranger && (!x->call->hub->base || !strcmp(x->call->hub->origin, x->url->origin));
}

/* What the body wants to be told of. */
static int append_body(struct magi_client_exchange *x)
{
	const mag_http_request *q = x->call->request;
	const char *type = q->json ? "application/json" : q->body || q->upload ? q->body_type : NULL;
	int rc = 0;

	if (!type && (q->body || q->upload))
		type = "application/octet-stream";
	if (type && !has(q->headers, q->headers_n, "Content-Type"))
		rc = append(&x->headers, "Content-Type", type);
	/* libcurl would wait a second for servers that know nothing of it */
	if (rc == 0 && !has(q->headers, q->headers_n, "Expect")) {
		struct curl_slist *grown = curl_slist_append(x->headers, "Expect:");

		rc = grown ? 0 : -ENOMEM;
		x->headers = grown ? grown : x->headers;
	}
	return rc;
}

static int set_own(struct magi_client_exchange *x)
{
	const mag_http_request *q = x->call->request;
	int rc = append_session(&x->headers, &x->call->hub->options, q, magi_client_is_home(x));

	for (size_t i = 0; i < q->headers_n && rc == 0; i++) {
		if (!x->stranger || !is_secret(q->headers[i].name))
			rc = append(&x->headers, q->headers[i].name, q->headers[i].value);
	}
	if (rc == 0 && magi_client_has_body(x))
		rc = append_body(x);
	if (rc == 0 && x->headers) {
		MAGI_CLIENT_SET(x->seat, CURLOPT_HTTPHEADER, x->headers);
		x->special = true;
	}
	return rc;
}

int magi_client_set_headers(struct magi_client_exchange *x)
{
	const mag_http_request *q = x->call->request;
	struct curl_slist *common = x->lane->common[magi_client_is_home(x)];

	if (q->headers_n || q->user || q->bearer || magi_client_has_body(x))
		return set_own(x);
	if (x->seat->headers != common) {
		MAGI_CLIENT_SET(x->seat, CURLOPT_HTTPHEADER, common);
		x->seat->headers = common;
	}
	return 0;
}
