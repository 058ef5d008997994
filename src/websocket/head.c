/* SPDX-License-Identifier: MIT */
/* head.c - see head.h. */
#include "websocket/head.h"

#include <string.h>
#include <strings.h>

#define TOKEN "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

size_t magi_head_end(const char *text, size_t len)
{
	const char *end = memmem(text, len, "\r\n\r\n", 4);

	return end ? (size_t)(end - text) + 4 : 0;
}

/* A field: a name that is a token, a colon, a value without control characters. */
static bool field_is_good(char *line)
{
	size_t name = strspn(line, TOKEN);

	if (!name || line[name] != ':')
		return false;
	for (const unsigned char *p = (unsigned char *)line + name + 1; *p; p++) {
		if ((*p < ' ' && *p != '\t') || *p == 127)
			return false;
	}
	return true;
}

bool magi_head_split(char *text, size_t len)
{
	char *end = text + len - 2, *line = text; /* the empty line */

	if (memchr(text, 0, len))
		return false;
	while (line < end) {
		char *stop = memmem(line, (size_t)(end - line) + 2, "\r\n", 2);

		stop[0] = stop[1] = 0;
		if (strpbrk(line, "\r\n") || (line != text && !field_is_good(line)))
			return false;
		line = stop + 2;
	}
	end[0] = end[1] = 0;
	return true;
}

/* The next field of this name from here on. */
static const char *find(const char *line, const char *end, const char *name)
{
	size_t len = strlen(name);

	for (; line < end; line += strlen(line) + 2) {
		if (strncasecmp(line, name, len) == 0 && line[len] == ':')
			return line;
	}
	return NULL;
}

/* The value begins behind blanks; those at its end are cut when it is compared. */
const char *magi_head_field(const char *text, size_t len, const char *name)
{
	const char *line = find(text + strlen(text) + 2, text + len - 2, name);

	if (!line)
		return NULL;
	line += strlen(name) + 1;
	return line + strspn(line, " \t");
}

const char *magi_head_list(const char *text, size_t len, const char *name, char **room)
{
	const char *end = text + len - 2;
	char *list = *room, *at = list;

	for (const char *line = find(text + strlen(text) + 2, end, name); line;
	     line = find(line + strlen(line) + 2, end, name)) {
		if (at != list)
			*at++ = ',';
		at = stpcpy(at, line + strlen(name) + 1);
	}
	if (at == list)
		return NULL;
	*room = at + 1;
	return list;
}

unsigned magi_head_count(const char *text, size_t len, const char *name)
{
	const char *end = text + len - 2;
	unsigned count = 0;

	for (const char *line = find(text + strlen(text) + 2, end, name); line;
	     line = find(line + strlen(line) + 2, end, name))
		count++;
	return count;
}

/* The next entry of a list, without blanks around; NULL: there is no more. */
static const char *entry(const char **list, size_t *len)
{
	const char *p = *list + strspn(*list, ", \t");

	if (!*p)
		return NULL;
	*len = strcspn(p, ",");
	*list = p + *len;
	while (*len && (p[*len - 1] == ' ' || p[*len - 1] == '\t'))
		(*len)--;
	return p;
}

bool magi_head_has(const char *list, const char *token)
{
	const char *p;
	size_t len;

	while (list && (p = entry(&list, &len))) {
		if (len == strlen(token) && strncasecmp(p, token, len) == 0)
			return true;
	}
	return false;
}

static bool has_as_is(const char *list, const char *token, size_t token_len)
{
	const char *p;
	size_t len;

	while ((p = entry(&list, &len))) {
		if (len == token_len && memcmp(p, token, len) == 0)
			return true;
	}
	return false;
}

bool magi_head_protocol(const char *ours, const char *list, char into[MAG_WEBSOCKET_PROTOCOL_MAX + 1])
{
	const char *p;
	size_t len;

	into[0] = 0;
	while (ours && list && (p = entry(&ours, &len))) {
		if (len > MAG_WEBSOCKET_PROTOCOL_MAX || !has_as_is(list, p, len))
			continue;
		memcpy(into, p, len);
		into[len] = 0;
		return true;
	}
	return false;
}

/* Without blanks around. */
static size_t trimmed(const char *text)
{
	size_t len = strlen(text);

	while (len && (text[len - 1] == ' ' || text[len - 1] == '\t'))
		len--;
	return len;
}

/* Scheme and port are of no matter where they are the usual ones: neither an Origin nor a Host has them then. */
static bool same_host(const char *origin, const char *host)
{
	const char *at = strstr(origin, "://");
	size_t len = at ? trimmed(at + 3) : 0;

	return len && host && len == trimmed(host) && strncasecmp(at + 3, host, len) == 0;
}

bool magi_head_origin(const char *origin, const char *host, const char *list)
{
	const char *p;
	size_t len;

	if (!origin || same_host(origin, host))
		return true;
	while (list && (p = entry(&list, &len))) {
		if ((len == 1 && *p == '*') || (len == trimmed(origin) && strncasecmp(p, origin, len) == 0))
			return true;
	}
	return false;
}
