/* SPDX-License-Identifier: MIT */
/* fetch_list.c - where the URLs come from: the lines of a file or of stdin, or one URL with a range in it. */
#include "fetch.h"
#include "fetch_range.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool is_url(const char *list)
{
	return !strncmp(list, "http://", 7) || !strncmp(list, "https://", 8);
}

/* A line's URL; NULL: it is empty or a comment. */
static char *url_of(const mag_line *line)
{
	const char *from = line->data, *to = line->data + line->len;

	while (from < to && (*from == ' ' || *from == '\t'))
		from++;
	while (to > from && (to[-1] == ' ' || to[-1] == '\t' || to[-1] == '\r'))
		to--;
	return from == to || *from == '#' ? NULL : strndup(from, (size_t)(to - from));
}

uint64_t fetch_count(const char *list)
{
	struct fetch_range range;
	uint64_t n = 0;
	struct stat st;
	FILE *file;
	char *line = NULL;
	size_t room = 0;
	ssize_t length;

	if (is_url(list))
		return fetch_range_find(&range, list) ? range.last - range.first + 1 : 1;
	if (stat(list, &st) || !S_ISREG(st.st_mode) || !(file = fopen(list, "re")))
		return 0;
	while ((length = getline(&line, &room, file)) > 0) {
		mag_line one = { line, (size_t)length - (line[length - 1] == '\n') };
		char *url = url_of(&one);

		n += url != NULL;
		free(url);
	}
	free(line);
	fclose(file);
	return n;
}

static int64_t open_list(struct fetch_feed *self)
{
	const mag_lines_options options = { .size = sizeof options, .limit = FETCH_URL_MAX, .crlf = true };
	const char *list = self->f->options->list;
	int raw = strcmp(list, "-") ? open(list, O_RDONLY | O_CLOEXEC) : dup(STDIN_FILENO);
	int rc;

	if (raw < 0)
		return -errno;
	rc = mag_fd_adopt(raw, &self->fd);
	if (rc < 0) {
		close(raw);
		return rc;
	}
	return mag_lines_init(&self->lines, self->fd, &options);
}

/* The URLs of a template. */
static MAG_DECLARE_TASK(fetch_template);
struct fetch_template {
	mag_frame frame;
	MAG_ARGS(fetch_template, struct fetch *f;);
	struct fetch_job job;
	struct fetch_range range;
	uint64_t i;
	int64_t rc;
};

static MAG_TASK(fetch_template)
{
	MAG_BEGIN(fetch_template);
	if (!fetch_range_find(&self->range, self->f->options->list))
		self->range.first = self->range.last = 1;
	for (self->i = self->range.first;; self->i++) {
		self->job.index = self->i - self->range.first + 1;
		self->job.url = fetch_range_fill(self->f->options->list, self->i);
		if (!self->job.url)
			MAG_RETURN(-ENOMEM);
		MAG_AWAIT(self->rc, mag_queue_push, &self->f->jobs, &self->job);
		if (self->rc < 0) {
			free(self->job.url);
			MAG_RETURN(self->rc);
		}
		if (self->i == self->range.last)
			MAG_RETURN(0);
	}
	MAG_END;
}

MAG_TASK(fetch_feed)
{
	MAG_BEGIN(fetch_feed);
	self->fd = MAG_FD_NONE;
	self->lines = (mag_lines){ .buf = NULL };
	self->job.index = 0;
	if (is_url(self->f->options->list)) {
		MAG_CALL(self->rc, fetch_template, .f = self->f);
		goto end;
	}
	self->rc = open_list(self);
	while (self->rc >= 0) {
		MAG_AWAIT(self->rc, mag_lines_next, &self->lines, &self->line);
		if (self->rc <= 0)
			break;
		self->job.url = url_of(&self->line);
		if (!self->job.url)
			continue;
		self->job.index++;
		MAG_AWAIT(self->rc, mag_queue_push, &self->f->jobs, &self->job);
		if (self->rc < 0)
			free(self->job.url);
	}
	mag_lines_fini(&self->lines);
	if (self->fd.generation)
		MAG_AWAIT(self->closed, mag_close, self->fd);
end:
	if (self->rc < 0 && self->rc != MAG_ECANCELED) {
		self->f->fault = self->rc; /* read when all tasks have ended */
		self->f->faulty = self->f->options->list;
	}
	mag_queue_close(&self->f->jobs);
	MAG_RETURN(0);
	MAG_END;
}
