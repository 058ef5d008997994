/* SPDX-License-Identifier: MIT */
/* http_listing.c - what a directory has, as a page: read and written by a thread for what blocks. */
#include "http_listing.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <magpie/file.h>
#include <magpie/offload.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { ENTRIES_MAX = 10000 };

/* As text in HTML; in a link the bytes are encoded. */
static void put_text(FILE *out, const char *s)
{
	for (; *s; s++) {
		switch (*s) {
		case '<':
			fputs("&lt;", out);
			break;
		case '>':
			fputs("&gt;", out);
			break;
		case '&':
			fputs("&amp;", out);
			break;
		case '"':
			fputs("&quot;", out);
			break;
		default:
			fputc(*s, out);
		}
	}
}

static void put_link(FILE *out, const char *s)
{
	fputs("./", out); /* a name with a colon is no scheme */
	for (; *s; s++) {
		unsigned char c = (unsigned char)*s;

		if ((c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || strchr("-._~", c))
			fputc(c, out);
		else
			fprintf(out, "%%%02X", c);
	}
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int is_shown(const struct dirent *d)
{
	return d->d_name[0] != '.';
}

static void put_entry(FILE *out, int fd, const char *name)
{
	struct stat s;
	const char *slash;

	if (fstatat(fd, name, &s, AT_SYMLINK_NOFOLLOW) < 0 || !(S_ISDIR(s.st_mode) || S_ISREG(s.st_mode)))
		return;
	slash = S_ISDIR(s.st_mode) ? "/" : "";
	fputs("<tr><td><a href=\"", out);
	put_link(out, name);
	fprintf(out, "%s\">", slash);
	put_text(out, name);
	fprintf(out, "%s</a></td><td>", slash);
	if (!*slash)
		fprintf(out, "%lld", (long long)s.st_size);
	fputs("</td></tr>\n", out);
}

static int64_t write_page(void *arg)
{
	struct http_listing *self = arg;
	int n;
	struct dirent **entries;
	FILE *out = open_memstream(&self->page, &self->length);

	if (!out)
		return -ENOMEM;
	n = scandirat(self->raw, ".", &entries, is_shown, by_name);
	if (n < 0) {
		int64_t rc = -errno;

		fclose(out);
		return rc;
	}
	fputs("<!DOCTYPE html>\n<html><head><meta charset=\"utf-8\"><title>Directory</title></head>\n<body><table>\n"
	      "<tr><td><a href=\"../\">../</a></td><td></td></tr>\n",
	      out);
	for (int i = 0; i < n; i++) {
		if (i < ENTRIES_MAX)
			put_entry(out, self->raw, entries[i]->d_name);
		free(entries[i]);
	}
	free(entries);
	if (n > ENTRIES_MAX)
		fprintf(out, "<tr><td>%d more</td><td></td></tr>\n", n - ENTRIES_MAX);
	fputs("</table></body></html>\n", out);
	return fclose(out) ? -ENOMEM : 0;
}

MAG_TASK(http_listing)
{
	MAG_BEGIN(http_listing);
	self->page = NULL;
	MAG_AWAIT(self->rc, mag_open_beneath, self->root, self->path, O_RDONLY | O_DIRECTORY, 0, &self->fd);
	if (self->rc < 0)
		MAG_RETURN(self->rc);
	self->raw = mag_fd_raw(self->fd); /* which only workers know */
	MAG_AWAIT(self->rc, mag_offload, MAG_BLOCKING | MAG_KIND_FILE, write_page, self);
	if (self->rc == 0)
		self->rc = mag_http_reply(self->http, 200, "text/html; charset=utf-8", self->page, self->length);
	free(self->page);
	MAG_AWAIT(self->waste, mag_close, self->fd);
	MAG_RETURN(self->rc);
	MAG_END;
}
