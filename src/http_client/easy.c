/* SPDX-License-Identifier: MIT */
/* easy.c - an easy handle, made ready for one request. What all requests of a session have in common is set once:
 * handles go back to the lane, but for those whose request had something of its own.
 * Not:     curl_easy_reset: it does not tell that it had no memory, and what the handle does then is anybody's guess. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "http_client/exchange.h"

/* Who is trusted. A handle for plain text has none of that: libcurl would copy it for each request. */
static void set_authorities(const mag_http_options *o, struct magi_client_seat *seat, bool tls)
{
	char *file = NULL, *directory = NULL;

	if (tls && !o->ca_file) { /* the system's */
		curl_easy_getinfo(seat->easy, CURLINFO_CAINFO, &file);
		curl_easy_getinfo(seat->easy, CURLINFO_CAPATH, &directory);
	}
	MAGI_CLIENT_SET(seat, CURLOPT_CAINFO, tls && o->ca_file ? o->ca_file : file);
	MAGI_CLIENT_SET(seat, CURLOPT_CAPATH, directory);
	seat->tls = tls;
}

static void set_trust(struct magi_client_seat *seat, const mag_http_options *o)
{
	MAGI_CLIENT_SET(seat, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	if (o->trust_anyone) {
		MAGI_CLIENT_SET(seat, CURLOPT_SSL_VERIFYPEER, 0L);
		MAGI_CLIENT_SET(seat, CURLOPT_SSL_VERIFYHOST, 0L);
	}
	if (o->cert_file)
		MAGI_CLIENT_SET(seat, CURLOPT_SSLCERT, o->cert_file);
	if (o->key_file)
		MAGI_CLIENT_SET(seat, CURLOPT_SSLKEY, o->key_file);
	if (!o->proxy || strncmp(o->proxy, "https:", 6)) {
		MAGI_CLIENT_SET(seat, CURLOPT_PROXY_CAINFO, NULL);
		MAGI_CLIENT_SET(seat, CURLOPT_PROXY_CAPATH, NULL);
	}
	set_authorities(o, seat, false);
}

/* How long libcurl keeps addresses: longer than we, who tell it new ones. It looks for those that are too old after each
 * transfer, which is too often. */
static long names_s(const struct magi_client_lane *lane)
{
	uint64_t s = lane->hub->options.name_ns / MAG_SECOND;

	return s > 10000 ? -1 : (long)(2 * s + 10);
}

static void set_callbacks(struct magi_client_lane *lane, struct magi_client_seat *seat)
{
	MAGI_CLIENT_SET(seat, CURLOPT_PRIVATE, seat);
	MAGI_CLIENT_SET(seat, CURLOPT_ERRORBUFFER, seat->error);
	MAGI_CLIENT_SET(seat, CURLOPT_HEADERFUNCTION, magi_client_on_header);
	MAGI_CLIENT_SET(seat, CURLOPT_HEADERDATA, seat);
	MAGI_CLIENT_SET(seat, CURLOPT_WRITEFUNCTION, magi_client_on_body);
	MAGI_CLIENT_SET(seat, CURLOPT_WRITEDATA, seat);
	MAGI_CLIENT_SET(seat, CURLOPT_PREREQFUNCTION, magi_client_on_connected);
	MAGI_CLIENT_SET(seat, CURLOPT_PREREQDATA, seat);
	MAGI_CLIENT_SET(seat, CURLOPT_RESOLVER_START_FUNCTION, magi_client_on_resolve);
	MAGI_CLIENT_SET(seat, CURLOPT_RESOLVER_START_DATA, seat);
	MAGI_CLIENT_SET(seat, CURLOPT_OPENSOCKETFUNCTION, magi_client_socket_open);
	MAGI_CLIENT_SET(seat, CURLOPT_OPENSOCKETDATA, lane);
	MAGI_CLIENT_SET(seat, CURLOPT_CLOSESOCKETFUNCTION, magi_client_socket_close);
	MAGI_CLIENT_SET(seat, CURLOPT_CLOSESOCKETDATA, lane);
}

static void set_session(struct magi_client_lane *lane, struct magi_client_seat *seat)
{
	const mag_http_options *o = &lane->hub->options;

	set_callbacks(lane, seat);
	MAGI_CLIENT_SET(seat, CURLOPT_NOSIGNAL, 1L);
	MAGI_CLIENT_SET(seat, CURLOPT_PROTOCOLS_STR, "http,https");
	MAGI_CLIENT_SET(seat, CURLOPT_FOLLOWLOCATION, 0L);
	MAGI_CLIENT_SET(seat, CURLOPT_PROXY, o->proxy ? o->proxy : "");
	MAGI_CLIENT_SET(seat, CURLOPT_NOPROXY, ""); /* else the environment says who is not for the proxy */
	MAGI_CLIENT_SET(seat, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L); /* what a proxy says is not the answer */
	MAGI_CLIENT_SET(seat, CURLOPT_DNS_CACHE_TIMEOUT, -1L);
	MAGI_CLIENT_SET(seat, CURLOPT_HTTP_VERSION, (long)(o->http2 ? CURL_HTTP_VERSION_2TLS : CURL_HTTP_VERSION_1_1));
	if (o->http2)
		MAGI_CLIENT_SET(seat, CURLOPT_PIPEWAIT, 1L);
	if (o->agent[0] && o->proxy) /* servers get it by the headers */
		MAGI_CLIENT_SET(seat, CURLOPT_USERAGENT, o->agent);
	if (o->compressed)
		MAGI_CLIENT_SET(seat, CURLOPT_ACCEPT_ENCODING, "");
	if (lane->hub->share) {
		MAGI_CLIENT_SET(seat, CURLOPT_SHARE, lane->hub->share);
		MAGI_CLIENT_SET(seat, CURLOPT_COOKIEFILE, ""); /* no file: it switches them on */
	}
	set_trust(seat, o);
}

static struct magi_client_seat *take(struct magi_client_lane *lane)
{
	struct magi_client_seat *seat;

	if (lane->idle_n)
		return lane->idle[--lane->idle_n];
	seat = calloc(1, sizeof(*seat));
	if (!seat)
		return NULL;
	seat->easy = curl_easy_init();
	if (!seat->easy) {
		free(seat);
		return NULL;
	}
	set_session(lane, seat);
	if (!seat->failed)
		return seat;
	magi_client_seat_free(seat);
	return NULL;
}

static void set_credentials(struct magi_client_exchange *x)
{
	const mag_http_request *q = x->call->request;
	const mag_http_options *o = &x->call->hub->options;
	bool own = q->user || q->bearer;
	const char *user = own ? q->user : o->user, *password = own ? q->password : o->password;
	const char *bearer = own ? q->bearer : o->bearer;

	if (!(own ? !x->stranger : magi_client_is_home(x)) || (!user && !bearer))
		return;
	x->special = true;
	if (bearer) {
		MAGI_CLIENT_SET(x->seat, CURLOPT_HTTPAUTH, CURLAUTH_BEARER);
		MAGI_CLIENT_SET(x->seat, CURLOPT_XOAUTH2_BEARER, bearer);
		return;
	}
	MAGI_CLIENT_SET(x->seat, CURLOPT_HTTPAUTH, CURLAUTH_BASIC);
	MAGI_CLIENT_SET(x->seat, CURLOPT_USERNAME, user);
	MAGI_CLIENT_SET(x->seat, CURLOPT_PASSWORD, password ? password : "");
}

static int set_method(struct magi_client_exchange *x)
{
	bool body = magi_client_has_body(x) || (!x->bodyless && !strcmp(x->method, "POST"));

	if (!strcmp(x->method, "GET") && !body)
		return 0;
	x->special = true;
	if (!strcmp(x->method, "HEAD") && !body) {
		MAGI_CLIENT_SET(x->seat, CURLOPT_NOBODY, 1L);
		return 0;
	}
	MAGI_CLIENT_SET(x->seat, CURLOPT_CUSTOMREQUEST, x->method);
	return body ? magi_client_set_body(x) : 0;
}

/* What differs from the request before. */
static int set_url(struct magi_client_exchange *x)
{
	struct magi_client_seat *seat = x->seat;
	bool prunes = ++x->lane->begun % MAGI_CLIENT_PRUNE == 0;
	bool small = x->url->small && !x->call->flow && !x->lane->hub->options.http2;

	if (seat->url != x->url) {
		MAGI_CLIENT_SET(seat, CURLOPT_CURLU, x->url->handle);
		magi_client_url_drop(seat->url);
		seat->url = x->url;
		seat->url->users++;
	}
	if (seat->tls != x->url->tls)
		set_authorities(&x->lane->hub->options, seat, x->url->tls);
	if (seat->small != small)
		MAGI_CLIENT_SET(seat, CURLOPT_BUFFERSIZE, small ? (long)MAGI_CLIENT_SMALL : 0L);
	seat->small = small;
	if (seat->prunes != prunes)
		MAGI_CLIENT_SET(seat, CURLOPT_DNS_CACHE_TIMEOUT, prunes ? names_s(x->lane) : -1L);
	seat->prunes = prunes;
	if (!x->name || x->name->told)
		return 0;
	x->resolve = magi_client_name_list(x->name);
	if (!x->resolve)
		return -ENOMEM;
	MAGI_CLIENT_SET(seat, CURLOPT_RESOLVE, x->resolve);
	x->round = x->name->round;
	x->special = true;
	return 0;
}

int magi_client_easy_begin(struct magi_client_exchange *x)
{
	int rc;

	x->special = false;
	x->seat = take(x->lane);
	if (!x->seat)
		return -ENOMEM;
	x->seat->x = x;
	x->seat->error[0] = 0;
	rc = set_url(x);
	if (rc == 0)
		rc = magi_client_set_headers(x);
	if (rc == 0)
		rc = set_method(x);
	if (rc == 0)
		set_credentials(x);
	return rc == 0 && x->seat->failed ? -ENOMEM : rc;
}

void magi_client_seat_free(struct magi_client_seat *seat)
{
	curl_easy_cleanup(seat->easy);
	magi_client_url_drop(seat->url);
	free(seat);
}

void magi_client_easy_end(struct magi_client_exchange *x)
{
	struct magi_client_lane *lane = x->lane;
	struct magi_client_seat *seat = x->seat;

	if (seat && !x->special && !seat->failed && lane->idle_n < MAGI_CLIENT_EASY_MAX)
		lane->idle[lane->idle_n++] = seat;
	else if (seat)
		magi_client_seat_free(seat);
	x->seat = NULL;
	curl_mime_free(x->mime);
	x->mime = NULL;
	curl_slist_free_all(x->headers);
	x->headers = NULL;
	curl_slist_free_all(x->resolve);
	x->resolve = NULL;
	free(x->form);
	x->form = NULL;
}
