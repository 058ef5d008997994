/* SPDX-License-Identifier: MIT */
/* 30_lines.c - a file line by line, as a stream: parsed, filtered, summed; then the first match only.
 * docs/cookbook/30-lines-of-a-file.md tells about it. */
#include <errno.h>
#include <fcntl.h>
#include <magpie/magpie.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LINES = 20000 };

/* A line of the log: "GET /17 200 512". */
struct request {
	int status;
	long bytes;
};

static int parse(void *ctx, const void *in, void *out)
{
	const mag_line *line = in;
	struct request *request = out;
	char text[80];

	(void)ctx;
	if (!line->len || line->len >= sizeof(text))
		return MAG_STREAM_DROP; /* no line of ours */
	memcpy(text, line->data, line->len); /* a line is no string */
	text[line->len] = 0;
	return sscanf(text, "GET %*s %d %ld", &request->status, &request->bytes) == 2 ? 0 : -EBADMSG;
}

static bool failed(void *ctx, const void *item)
{
	(void)ctx;
	return ((const struct request *)item)->status >= 500;
}

static int add_bytes(void *ctx, const void *item)
{
	*(int64_t *)ctx += ((const struct request *)item)->bytes;
	return 0;
}

static int write_log(const char *path)
{
	FILE *file = fopen(path, "w");

	if (!file)
		return -errno;
	for (int i = 0; i < LINES; i++)
		fprintf(file, "GET /%d %d %d\n%s", i, i % 100 == 99 ? 503 : 200, i % 7, i % 1000 ? "" : "\n");
	return fclose(file) ? -errno : 0;
}

struct program {
	mag_frame frame;
	MAG_ARGS(program, const char *path;);
	mag_fd fd;
	mag_lines lines;
	mag_stream_lines source;
	mag_stream_map requests;
	mag_stream_filter failures;
	struct request request;
	int64_t rc, count, bytes, closed;
};

MAG_TASK(program)
{
	MAG_BEGIN(program);
	self->bytes = 0;
	MAG_AWAIT(self->rc, mag_open, self->path, O_RDONLY, 0, &self->fd);
	if (self->rc < 0)
		MAG_RETURN(self->rc);

	/* sum(bytes of each line) */
	self->rc = mag_lines_init(&self->lines, self->fd, NULL);
	if (self->rc == 0) {
		mag_stream_lines_init(&self->source, &self->lines);
		mag_stream_map_init(&self->requests, &self->source.stream, sizeof(struct request), parse, NULL);
		MAG_CALL(self->count, mag_stream_fold, .stream = &self->requests.stream, .fold = add_bytes, .ctx = &self->bytes);
		printf("%lld requests, %lld bytes\n", (long long)self->count, (long long)self->bytes);
	}
	mag_lines_fini(&self->lines);

	/* the first that failed, and no further */
	if (self->rc == 0)
		self->rc = mag_lines_init(&self->lines, self->fd, NULL);
	if (self->rc == 0) {
		mag_stream_lines_init(&self->source, &self->lines);
		mag_stream_map_init(&self->requests, &self->source.stream, sizeof(struct request), parse, NULL);
		mag_stream_filter_init(&self->failures, &self->requests.stream, failed, NULL);
		MAG_AWAIT(self->rc, mag_stream_next, &self->failures.stream, &self->request);
		printf("the first failure: status %d\n", self->rc == 1 ? self->request.status : 0);
		if (self->rc == 1 && self->request.status != 503)
			self->rc = -EPROTO;
	}
	mag_lines_fini(&self->lines);
	MAG_AWAIT(self->closed, mag_close, self->fd);
	MAG_RETURN(self->rc == 1 && self->count == LINES ? 0 : self->rc < 0 ? self->rc : -EPROTO);
	MAG_END;
}

int main(void)
{
	char path[] = "/tmp/magpie_30_XXXXXX";
	int fd = mkstemp(path);
	int64_t rc;

	if (fd < 0)
		return 1;
	close(fd);
	rc = write_log(path);
	if (rc == 0)
		rc = mag_run(NULL, program, .path = path);
	unlink(path);
	if (rc < 0)
		fprintf(stderr, "30_lines: %s %s\n", mag_strerror(rc), mag_runtime_why());
	return rc < 0;
}
