/* SPDX-License-Identifier: MIT */
/* fetch_record.c - a line of JSON for each URL, and reading those of an earlier run. */
#include "fetch.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The bytes of a character of UTF-8; 0: they are none. */
static size_t character(const unsigned char *c)
{
	size_t n = *c < 0x80 ? 1 : *c < 0xc2 ? 0 : *c < 0xe0 ? 2 : *c < 0xf0 ? 3 : *c < 0xf5 ? 4 : 0;

	for (size_t i = 1; i < n; i++) {
		if ((c[i] & 0xc0) != 0x80)
			return 0;
	}
	if ((*c == 0xe0 && c[1] < 0xa0) || (*c == 0xed && c[1] > 0x9f) || (*c == 0xf0 && c[1] < 0x90) ||
	    (*c == 0xf4 && c[1] > 0x8f))
		return 0;
	return n;
}

/* A string in quotes; at most `most` bytes of text are taken. A byte that is no UTF-8 is told by its number. */
static size_t quote(char *to, const char *text, size_t most)
{
	char *at = to;

	*at++ = '"';
	for (size_t i = 0; text[i] && i < most; i++) {
		unsigned char c = (unsigned char)text[i];
		size_t n = character((const unsigned char *)text + i);

		if (c == '"' || c == '\\') {
			*at++ = '\\';
			*at++ = (char)c;
		} else if (c < 0x20 || c == 0x7f || !n || n > most - i) {
			at += sprintf(at, "\\u%04x", c);
		} else {
			memcpy(at, text + i, n);
			at += n;
			i += n - 1;
		}
	}
	*at++ = '"';
	*at = 0;
	return (size_t)(at - to);
}

static size_t maybe_quote(char *to, const char *text)
{
	return text ? quote(to, text, MAG_HTTP_WHY_MAX) : (size_t)sprintf(to, "null");
}

static double ms(uint64_t ns)
{
	return (double)ns / 1e6;
}

size_t fetch_record(char *line, const struct fetch_result *r)
{
	char *at = line;

	at += sprintf(at, "{\"url\":");
	at += quote(at, r->url, FETCH_URL_MAX);
	at += sprintf(at, ",\"status\":%d,\"bytes\":%" PRIu64 ",\"attempts\":%u,\"error\":", r->status, r->bytes,
		      r->attempts);
	at += maybe_quote(at, r->error);
	at += sprintf(at, ",\"why\":");
	at += maybe_quote(at, r->error ? r->why : NULL);
	if (r->file) {
		at += sprintf(at, ",\"file\":");
		at += quote(at, r->file, FETCH_PATH_MAX);
	}
	at += sprintf(
		at, ",\"time_ms\":{\"name\":%.3f,\"connect\":%.3f,\"tls\":%.3f,\"first_byte\":%.3f,\"total\":%.3f}}\n",
		ms(r->timing.name), ms(r->timing.connect), ms(r->timing.tls), ms(r->timing.first_byte),
		ms(r->timing.total));
	return (size_t)(at - line);
}

static size_t place(const struct fetch_had *had, const char *url, size_t n)
{
	uint64_t hash = UINT64_C(14695981039346656037);
	size_t at;

	for (size_t i = 0; i < n; i++)
		hash = (hash ^ (unsigned char)url[i]) * UINT64_C(1099511628211);
	at = hash & (had->room - 1);
	while (had->urls[at] && (strncmp(had->urls[at], url, n) || had->urls[at][n]))
		at = (at + 1) & (had->room - 1);
	return at;
}

static int grow(struct fetch_had *had)
{
	struct fetch_had more = { .room = had->room ? had->room * 2 : 1024, .n = had->n };

	if (had->n * 2 < had->room)
		return 0;
	more.urls = calloc(more.room, sizeof *more.urls);
	if (!more.urls)
		return -ENOMEM;
	for (size_t i = 0; i < had->room; i++) {
		if (had->urls[i])
			more.urls[place(&more, had->urls[i], strlen(had->urls[i]))] = had->urls[i];
	}
	free(had->urls);
	*had = more;
	return 0;
}

/* Behind a string in JSON, whose text begins at `text`; NULL: it has no end. */
static const char *end_of(const char *text)
{
	for (; *text && *text != '"'; text++)
		text += *text == '\\' && text[1];
	return *text ? text : NULL;
}

static int add(struct fetch_had *had, const char *text, size_t n)
{
	size_t at;
	int rc = grow(had);

	if (rc < 0)
		return rc;
	at = place(had, text, n);
	if (had->urls[at])
		return 0;
	had->urls[at] = strndup(text, n);
	had->n += had->urls[at] != NULL;
	return had->urls[at] ? 0 : -ENOMEM;
}

/* A record that we have written, of a URL that was fetched: its URL and its file as they stand there, in JSON. */
static int remember(struct fetch_had *had, const char *line)
{
	static const char begin[] = "{\"url\":\"", error[] = ",\"error\":null,", file[] = ",\"file\":\"";
	const char *url = line + sizeof begin - 1, *end, *path;
	int rc;

	if (strncmp(line, begin, sizeof begin - 1))
		return 0;
	end = end_of(url);
	if (!end || !strstr(end, error))
		return 0;
	rc = add(had, url, (size_t)(end - url));
	path = strstr(end, file);
	if (rc < 0 || !path)
		return rc;
	path += sizeof file - 1;
	end = end_of(path);
	return end ? add(had, path, (size_t)(end - path)) : 0;
}

int fetch_had_load(struct fetch_had *had, int fd)
{
	int copy = dup(fd), rc = 0;
	FILE *file = copy < 0 ? NULL : fdopen(copy, "r");
	char *line = NULL;
	size_t room = 0;
	ssize_t n;
	off_t whole = 0;

	if (!file)
		return -errno;
	while (rc == 0 && (n = getline(&line, &room, file)) > 0) {
		if (line[n - 1] != '\n')
			break;
		whole += n;
		rc = remember(had, line);
	}
	free(line);
	fclose(file);
	/* one that was cut off by the end of the machine, say: its URL is fetched again */
	if (rc == 0 && (ftruncate(fd, whole) || lseek(fd, whole, SEEK_SET) < 0))
		rc = -errno;
	return rc;
}

bool fetch_had_has(const struct fetch_had *had, const char *url)
{
	char *quoted;
	size_t n;
	bool has;

	if (!had->n)
		return false;
	quoted = malloc(6 * strlen(url) + 3);
	if (!quoted)
		return false; /* it is fetched once more */
	n = quote(quoted, url, SIZE_MAX);
	has = had->urls[place(had, quoted + 1, n - 2)];
	free(quoted);
	return has;
}

void fetch_had_free(struct fetch_had *had)
{
	for (size_t i = 0; i < had->room; i++)
		free(had->urls[i]);
	free(had->urls);
}
