/* SPDX-License-Identifier: MIT */
/* load_request.c - formatting the request, and what may not stand in it. */
#include "load_request.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"

static size_t token_len(const char *at)
{
	size_t n = 0;

	while (isalnum((unsigned char)at[n]) || (at[n] && strchr("!#$%&'*+-.^_`|~", at[n])))
		n++;
	return n;
}

static bool is_named(const char *field, const char *name)
{
	size_t n = strlen(name);

	return !strncasecmp(field, name, n) && field[n] == ':';
}

const char *load_field_wrong(const char *field)
{
	size_t n = token_len(field);

	if (n == 0 || field[n] != ':')
		return "it is not `Name: value'";
	for (const char *c = field; *c; c++)
		if (((unsigned char)*c < ' ' && *c != '\t') || *c == 0x7f)
			return "there is a control character in it";
	if (is_named(field, "content-length") || is_named(field, "transfer-encoding"))
		return "the length of the body is found by itself";
	if (is_named(field, "expect") || is_named(field, "upgrade"))
		return "the answer could not be read";
	return NULL;
}

const char *load_method_wrong(const char *method)
{
	if (!*method || method[token_len(method)])
		return "it is not a method";
	if (!strcmp(method, "CONNECT"))
		return "a tunnel is nothing to be loaded";
	return NULL;
}

static bool was_given(const struct load_asked *asked, const char *name)
{
	for (size_t i = 0; i < asked->field_count; i++)
		if (is_named(asked->fields[i], name))
			return true;
	return false;
}

/* One that is safe or may be repeated (RFC 9110, 9.2.1 and 9.2.2). */
static bool is_idempotent(const char *method)
{
	static const char *const known[] = { "GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE" };

	for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
		if (!strcmp(method, known[i]))
			return true;
	return false;
}

static void write_head(FILE *to, const char *method, const struct load_url *url, const struct load_asked *asked)
{
	fprintf(to, "%s %s HTTP/1.1\r\n", method, url->target);
	if (!was_given(asked, "host"))
		fprintf(to, "Host: %s\r\n", url->authority);
	if (!was_given(asked, "user-agent"))
		fprintf(to, "User-Agent: magpie/%s\r\n", MAGPIE_VERSION);
	if (!was_given(asked, "accept"))
		fprintf(to, "Accept: */*\r\n");
	for (size_t i = 0; i < asked->field_count; i++)
		if (!asked->close || !is_named(asked->fields[i], "connection"))
			fprintf(to, "%s\r\n", asked->fields[i]);
	if (asked->body)
		fprintf(to, "Content-Length: %zu\r\n", asked->body_len);
	if (asked->close)
		fprintf(to, "Connection: close\r\n");
	fprintf(to, "\r\n");
}

int load_request_make(struct load_request *r, const struct load_url *url, const struct load_asked *asked)
{
	const char *method = asked->method ? asked->method : asked->body ? "POST" : "GET";
	FILE *to;

	*r = (struct load_request){ .head = !strcmp(method, "HEAD"), .idempotent = is_idempotent(method) };
	to = open_memstream(&r->bytes, &r->len);
	if (!to)
		return -ENOMEM;
	write_head(to, method, url, asked);
	if (asked->body)
		fwrite(asked->body, 1, asked->body_len, to);
	if (fclose(to) == 0)
		return 0;
	load_request_free(r);
	return -ENOMEM;
}

void load_request_free(struct load_request *r)
{
	free(r->bytes);
	r->bytes = NULL;
}
