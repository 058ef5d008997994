/* SPDX-License-Identifier: MIT */
/* load_url.c - reading a URL. What is surely wrong is refused; what people write, though a URL may not have it (braces,
 * letters beyond ASCII), is percent-encoded, as browsers do. */
#include "load_url.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool is_host_byte(unsigned char c)
{
	return isalnum(c) || c == '-' || c == '.' || c == '_' || c == '~';
}

/* Characters that a path or query may have (RFC 3986, 3.3 and 3.4); '%' is looked at apart. */
static bool is_target_byte(unsigned char c)
{
	return isalnum(c) || (c && strchr("-._~!$&'()*+,;=:@/?", c));
}

/* "http:/h", or "https:h": no host of that name is meant, though others guess what is. */
static bool is_cut_scheme(const char *text)
{
	size_t len = strncasecmp(text, "http", 4) ? 0 : tolower((unsigned char)text[4]) == 's' ? 5 : 4;

	return len && text[len] == ':' && !isdigit((unsigned char)text[len + 1]);
}

/* The scheme, if there is one: where the rest begins, or NULL. */
static const char *read_scheme(struct load_url *url, const char *text)
{
	const char *sep = strstr(text, "://");

	url->tls = false;
	if (!sep || strcspn(text, "/?#") < (size_t)(sep - text))
		return is_cut_scheme(text) ? NULL : text;
	if (sep - text == 4 && !strncasecmp(text, "http", 4))
		return sep + 3;
	url->tls = sep - text == 5 && !strncasecmp(text, "https", 5);
	return url->tls ? sep + 3 : NULL;
}

/* [address] or [address%25zone]: the zone is the name of an interface of this host (RFC 6874). */
static const char *read_literal(struct load_url *url, const char *at, size_t len)
{
	struct in6_addr ignored;
	char *zone;

	if (len >= sizeof url->host)
		return "the address in brackets is too long";
	memcpy(url->host, at, len);
	url->host[len] = 0;
	zone = strstr(url->host, "%25");
	if (zone) {
		memmove(zone + 1, zone + 3, strlen(zone + 3) + 1);
		*zone = 0;
	}
	if (inet_pton(AF_INET6, url->host, &ignored) != 1)
		return "what is in brackets is not an IPv6 address";
	snprintf(url->authority, sizeof url->authority, "[%s]", url->host); /* the zone means nothing to the server */
	if (!zone)
		return NULL;
	if (!zone[1])
		return "the zone of the IPv6 address is empty";
	for (const char *c = zone + 1; *c; c++)
		if (!is_host_byte((unsigned char)*c))
			return "the zone of the IPv6 address has a character that it may not have";
	*zone = '%';
	return NULL;
}

static const char *read_name(struct load_url *url, const char *at, size_t len)
{
	if (len == 0)
		return "there is no host";
	if (len > LOAD_HOST_MAX)
		return "the host is longer than 255 bytes";
	for (size_t i = 0; i < len; i++)
		if (!is_host_byte((unsigned char)at[i]))
			return "the host has a character that it may not have";
	memcpy(url->host, at, len);
	url->host[len] = 0;
	snprintf(url->authority, sizeof url->authority, "%s", url->host);
	return NULL;
}

static const char *read_port(struct load_url *url, const char *at, size_t len)
{
	const char *usual = url->tls ? "443" : "80";
	unsigned long port = 0;
	size_t used;

	if (len == 0) { /* a colon with nothing behind it is allowed */
		strcpy(url->port, usual);
		return NULL;
	}
	for (size_t i = 0; i < len; i++) {
		if (!isdigit((unsigned char)at[i]))
			return "the port is not a number";
		port = port * 10 + (unsigned long)(at[i] - '0');
		if (port > 65535)
			return "the port is above 65535";
	}
	if (port == 0)
		return "the port is 0";
	snprintf(url->port, sizeof url->port, "%lu", port);
	used = strlen(url->authority);
	if (strcmp(url->port, usual))
		snprintf(url->authority + used, sizeof url->authority - used, ":%s", url->port);
	return NULL;
}

static const char *read_authority(struct load_url *url, const char *at, size_t len)
{
	const char *colon, *wrong, *end = at + len;

	if (memchr(at, '@', len))
		return "a user in a URL is not taken: give it by -H 'Authorization: ...'";
	if (len && *at == '[') {
		const char *close = memchr(at, ']', len);

		if (!close)
			return "there is no ] to the [";
		wrong = read_literal(url, at + 1, (size_t)(close - at - 1));
		colon = close + 1;
		if (!wrong && colon != end && *colon != ':')
			return "there is something between ] and the port";
	} else {
		colon = memchr(at, ':', len);
		colon = colon ? colon : end;
		if (colon != end && memchr(colon + 1, ':', (size_t)(end - colon - 1)))
			return "an IPv6 address stands in brackets: http://[::1]:8080/";
		wrong = read_name(url, at, (size_t)(colon - at));
	}
	if (wrong)
		return wrong;
	return colon == end ? read_port(url, end, 0) : read_port(url, colon + 1, (size_t)(end - colon - 1));
}

static const char *read_target(struct load_url *url, const char *at)
{
	static const char hex[] = "0123456789ABCDEF";
	char *to = url->target;

	if (*at != '/')
		*to++ = '/';
	for (; *at && *at != '#'; at++) {
		unsigned char c = (unsigned char)*at;

		if (c <= ' ' || c == 0x7f)
			return "there is a blank or a control character in it: write it as %20 and the like";
		if (c == '%' && !(isxdigit((unsigned char)at[1]) && isxdigit((unsigned char)at[2])))
			return "two hexadecimal digits must follow a %";
		if (c == '%' || is_target_byte(c)) {
			*to++ = (char)c;
		} else {
			*to++ = '%';
			*to++ = hex[c >> 4];
			*to++ = hex[c & 15];
		}
	}
	*to = 0;
	return NULL;
}

const char *load_url_read(struct load_url *url, const char *text)
{
	const char *at, *wrong;
	size_t len;

	if (strlen(text) > LOAD_URL_MAX)
		return "it is longer than 8192 bytes";
	at = read_scheme(url, text);
	if (!at)
		return "only http:// and https:// are known";
	len = strcspn(at, "/?#");
	wrong = read_authority(url, at, len);
	return wrong ? wrong : read_target(url, at + len);
}
