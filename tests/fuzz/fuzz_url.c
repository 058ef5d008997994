/* SPDX-License-Identifier: MIT */
/* fuzz_url.c - any text as a URL of the client, of `magpie load`, and as a template of `magpie fetch`: what is taken leads,
 * written down again, to the same place; and client and `magpie load` agree on where that is. */
#include <ctype.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "fetch_range.h"
#include "http_client/exchange.h"
#include "load_url.h"

enum { INPUT = 4096 };

static void no(const char *what, const char *text, const char *other)
{
	fprintf(stderr, "%s: \"%s\" and \"%s\"\n", what, text, other);
	abort();
}

static bool is_clean(const char *text)
{
	for (; *text; text++) {
		if ((unsigned char)*text <= ' ' || (unsigned char)*text >= 127)
			return false;
	}
	return true;
}

/* What goes into a request line and its Host field; and back. */
static bool load(struct load_url *url, const char *text)
{
	static struct load_url again;
	static char written[sizeof url->target + sizeof url->host + 40];
	const char *zone;

	if (load_url_read(url, text))
		return false;
	if (!is_clean(url->host) || !is_clean(url->authority) || !is_clean(url->target) || url->target[0] != '/' ||
	    strchr(url->target, '#') || atoi(url->port) < 1 || atoi(url->port) > 65535)
		no("load: not clean", url->authority, url->target);
	zone = strchr(url->host, '%');
	if (strlen(url->target) > LOAD_URL_MAX / 2) /* the escapes make it longer than it may be */
		return true;
	snprintf(written, sizeof written, "%s://%s%.*s%s%s%s:%s%s", url->tls ? "https" : "http",
		 strchr(url->host, ':') ? "[" : "", zone ? (int)(zone - url->host) : (int)strlen(url->host), url->host,
		 zone ? "%25" : "", zone ? zone + 1 : "", strchr(url->host, ':') ? "]" : "", url->port, url->target);
	if (load_url_read(&again, written) || url->tls != again.tls || strcmp(url->host, again.host) ||
	    strcmp(url->port, again.port) || strcmp(url->authority, again.authority) ||
	    strcmp(url->target, again.target))
		no("load: not the same again", text, written);
	return true;
}

static void same(const struct magi_client_url *a, const struct magi_client_url *b)
{
	if (strcmp(a->text, b->text) || strcmp(a->host, b->host) || strcmp(a->origin, b->origin) ||
	    a->port != b->port || a->literal != b->literal)
		no("client: not the same again", a->text, b->text);
}

static struct magi_client_url *client(const char *text, struct magi_client_url *base)
{
	struct magi_client_url *url, *again;
	int rc = magi_client_url_parse(text, base ? base->handle : NULL, &url);

	if (rc < 0 && url)
		abort();
	if (rc < 0)
		return NULL;
	if (!is_clean(url->host) || !is_clean(url->origin) || !url->host[0])
		no("client: not clean", url->host, url->origin);
	if (strncmp(url->origin, "http://", 7) && strncmp(url->origin, "https://", 8))
		no("client: another scheme", url->origin, text);
	rc = magi_client_url_parse(url->text, NULL, &again);
	if (rc < 0)
		no("client: not taken again", text, url->text);
	same(url, again);
	magi_client_url_drop(again);
	return url;
}

/* Numbers in parts, or one: libcurl knows more ways to write an address than there should be. */
static bool is_name(const char *host)
{
	return !strchr(host, ':') && host[strspn(host, "0123456789abcdefABCDEFxX.")];
}

static bool has_scheme(const char *text)
{
	return !strncasecmp(text, "http://", 7) || !strncasecmp(text, "https://", 8);
}

/* What the client must take, too. */
static bool is_plain(const char *text, const struct load_url *l)
{
	return has_scheme(text) && is_clean(text) && is_name(l->host) && isalnum((unsigned char)l->host[0]) &&
	       !l->host[strspn(l->host, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-")];
}

static void agree(const struct load_url *l, const struct magi_client_url *c)
{
	if (is_name(l->host) &&
	    (strcasecmp(l->host, c->host) || c->port != atoi(l->port) || l->tls != !strncmp(c->origin, "https", 5)))
		no("client and load", c->origin, l->authority);
}

/* The first and the last number of a range are in the place of the range, and nothing else is. */
static void range(const char *text)
{
	struct fetch_range r;
	char digits[INPUT + 1];

	if (!fetch_range_find(&r, text))
		return;
	if (r.first > r.last || r.last - r.first + 1 == 0 || r.at >= r.end || r.end > strlen(text) ||
	    text[r.at] != '[' || text[r.end - 1] != ']')
		no("not where the range is", text, text + r.at);
	for (int i = 0; i < 2; i++) {
		int n = snprintf(digits, sizeof digits, "%0*llu", r.width, (unsigned long long)(i ? r.last : r.first));
		char *url = fetch_range_fill(text, i ? r.last : r.first);

		if (!url || strncmp(url, text, r.at) || strncmp(url + r.at, digits, (size_t)n) ||
		    strcmp(url + r.at + n, text + r.end))
			no("filled in", text, url ? url : "");
		free(url);
	}
}

/* libcurl 7.88 forgets a host's text when that is no name in any script. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
	return "leak:libcurl.so";
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct load_url l;
	char *text = malloc(size + 1), *other;
	struct magi_client_url *url, *relative;
	bool loads;

	if (size > INPUT) {
		free(text);
		return 0;
	}
	memcpy(text, data, size);
	text[size] = 0;
	range(text);
	loads = load(&l, text);
	other = strchr(text, '\n'); /* what follows a line end is relative to what is before */
	if (other)
		*other++ = 0;
	url = client(text, NULL);
	if (url && loads && has_scheme(text))
		agree(&l, url);
	if (loads && !url && is_plain(text, &l))
		no("client: not taken", text, l.host);
	if (url && other && (relative = client(other, url)))
		magi_client_url_drop(relative);
	magi_client_url_drop(url);
	free(text);
	return 0;
}
