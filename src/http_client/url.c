/* SPDX-License-Identifier: MIT */
/* url.c - URLs: relative to the base, of http and https alone, and whose origin is whose. */
#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "http_client/exchange.h"

#ifdef CURLU_PUNYCODE
enum { HOST_FLAGS = CURLU_PUNYCODE };
#else
enum { HOST_FLAGS = 0 };
#endif

void magi_client_url_drop(struct magi_client_url *url)
{
	if (!url || --url->users)
		return;
	curl_url_cleanup(url->handle);
	curl_free(url->text);
	free(url->asked);
	free(url);
}

static int get(CURLU *handle, CURLUPart part, char *to, size_t size, unsigned flags)
{
	char *text;
	int n;

	if (curl_url_get(handle, part, &text, flags) != CURLUE_OK)
		return -EINVAL;
	n = snprintf(to, size, "%s", text);
	curl_free(text);
	for (char *c = to; *c; c++)
		*c = (char)tolower((unsigned char)*c);
	return n > 0 && (size_t)n < size ? 0 : -EINVAL;
}

static bool is_literal(const char *host)
{
	struct in_addr v4;

	return host[0] == '[' || inet_pton(AF_INET, host, &v4) == 1;
}

/* An address whose digits are written in escapes is known as one only when it is read a second time: else the same host
 * would have two names, and limits of its own under each. */
static CURLUcode read_twice(CURLU *handle, const char *text)
{
	CURLUcode code = curl_url_set(handle, CURLUPART_URL, text, CURLU_NON_SUPPORT_SCHEME);
	char *again;

	if (code != CURLUE_OK || !strchr(text, '%'))
		return code;
	code = curl_url_get(handle, CURLUPART_URL, &again, 0);
	if (code == CURLUE_OK) {
		code = curl_url_set(handle, CURLUPART_URL, again, CURLU_NON_SUPPORT_SCHEME);
		curl_free(again);
	}
	return code;
}

static int take_apart(struct magi_client_url *url, const char *text)
{
	char scheme[16], port[8];
	CURLUcode code = read_twice(url->handle, text);

	if (code == CURLUE_OUT_OF_MEMORY)
		return -ENOMEM;
	if (code != CURLUE_OK || get(url->handle, CURLUPART_SCHEME, scheme, sizeof(scheme), 0) < 0)
		return -EINVAL;
	if (strcmp(scheme, "http") && strcmp(scheme, "https"))
		return -EPROTONOSUPPORT;
	if (get(url->handle, CURLUPART_HOST, url->host, sizeof(url->host), HOST_FLAGS) < 0 ||
	    get(url->handle, CURLUPART_PORT, port, sizeof(port), CURLU_DEFAULT_PORT) < 0)
		return -EINVAL;
	url->port = (uint16_t)atoi(port);
	url->literal = is_literal(url->host);
	url->tls = !strcmp(scheme, "https");
	if (snprintf(url->origin, sizeof(url->origin), "%s://%s:%s", scheme, url->host, port) >=
	    (int)sizeof(url->origin))
		return -EINVAL;
	return curl_url_get(url->handle, CURLUPART_URL, &url->text, 0) == CURLUE_OK ? 0 : -ENOMEM;
}

/* 0, -EINVAL, -ENOMEM, -EPROTONOSUPPORT: neither http nor https; *url is NULL then. */
int magi_client_url_parse(const char *text, CURLU *base, struct magi_client_url **url)
{
	int rc = -ENOMEM;

	*url = calloc(1, sizeof(**url));
	if (!*url)
		return rc;
	(*url)->users = 1;
	(*url)->handle = base ? curl_url_dup(base) : curl_url();
	if ((*url)->handle)
		rc = take_apart(*url, text);
	if (rc < 0) {
		magi_client_url_drop(*url);
		*url = NULL;
	}
	return rc;
}

int magi_client_url_of(struct magi_client_lane *lane, const char *text, struct magi_client_url **url)
{
	struct magi_client_url **known;
	uint32_t hash = 2166136261u; /* FNV-1a */
	int rc;

	for (const char *c = text; *c; c++)
		hash = (hash ^ (unsigned char)*c) * 16777619u;
	known = &lane->urls[hash % MAGI_CLIENT_URLS];
	if (!*known || strcmp((*known)->asked, text)) {
		rc = magi_client_url_parse(text, lane->hub->base, url);
		if (rc < 0)
			return rc;
		(*url)->asked = strdup(text);
		if (!(*url)->asked) /* then it is not remembered */
			return 0;
		magi_client_url_drop(*known);
		*known = *url;
	}
	*url = *known;
	(*url)->users++;
	return 0;
}
