/* SPDX-License-Identifier: MIT */
/* test_lines.c - line by line. */
#include "net_run.h"

#include <fcntl.h>
#include <magpie/lines.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

/* A file with these bytes, taken over. */
static int file_of(const char *data, size_t bytes, mag_fd *fd)
{
	int raw = memfd_create("lines", MFD_CLOEXEC);

	if (raw < 0 || write(raw, data, bytes) != (ssize_t)bytes)
		return -errno;
	return mag_fd_adopt(raw, fd);
}

/* Reads all lines of a text and joins them by '|'; "!" stands for one that was too long. */
struct joined {
	mag_frame frame;
	MAG_ARGS(joined, const char *text; size_t bytes; mag_lines_options options; char *into; size_t room;);
	mag_fd fd;
	mag_lines lines;
	mag_line line;
	size_t at;
	int64_t rc;
};

MAG_TASK(joined)
{
	MAG_BEGIN(joined);
	self->options.size = sizeof(self->options);
	CHECK_EQ(file_of(self->text, self->bytes, &self->fd), 0);
	CHECK_EQ(mag_lines_init(&self->lines, self->fd, &self->options), 0);
	self->at = 0;
	for (;;) {
		MAG_AWAIT(self->rc, mag_lines_next, &self->lines, &self->line);
		if (self->rc == MAG_ETOOLONG)
			self->line = (mag_line){ (char *)(uintptr_t) "!", 1 };
		else if (self->rc <= 0)
			break;
		CHECK(self->at + self->line.len + 2 < self->room);
		memcpy(self->into + self->at, self->line.data, self->line.len);
		self->at += self->line.len;
		self->into[self->at++] = '|';
	}
	CHECK_EQ(self->rc, 0);
	self->into[self->at] = 0;
	MAG_AWAIT(self->rc, mag_lines_next, &self->lines, &self->line);
	CHECK_EQ(self->rc, 0);
	mag_lines_fini(&self->lines);
	MAG_AWAIT(self->rc, mag_close, self->fd);
	CHECK_EQ(open_files(), 0);
	MAG_RETURN(0);
	MAG_END;
}

#define JOINS(in, want, ...)                                                                                         \
	do {                                                                                                         \
		char joins_got[4096];                                                                                \
		RUN(joined, .text = (in), .bytes = sizeof(in) - 1, .options = { __VA_ARGS__ }, .into = joins_got,    \
		    .room = sizeof(joins_got));                                                                      \
		cr_assert_str_eq(joins_got, (want));                                                                 \
	} while (0)

Test(lines, ends_and_the_last_line, .timeout = 60)
{
	JOINS("", "", .crlf = false);
	JOINS("\n", "|", .crlf = false);
	JOINS("one", "one|", .crlf = false);
	JOINS("one\n", "one|", .crlf = false);
	JOINS("one\ntwo", "one|two|", .crlf = false);
	JOINS("one\n\n\ntwo\n", "one|||two|", .crlf = false);
	JOINS("one\r\ntwo\r\n", "one\r|two\r|", .crlf = false);
	JOINS("one\r\ntwo\n\r\nx\r", "one|two||x\r|", .crlf = true);
	JOINS("skipped\nnot", "not|", .offset = 8);
}

Test(lines, a_line_that_is_too_long_is_skipped, .timeout = 60)
{
	JOINS("1234\n12345\n123456\n1\n", "1234|12345|!|1|", .limit = 5);
	JOINS("1234567890", "!|", .limit = 5);
	JOINS("12345", "12345|", .limit = 5);
	JOINS("12345\r\n123456\r\nx", "12345|!|x|", .limit = 5, .crlf = true);
}

/* Lines of all lengths around the size of the buffer. */
struct long_lines {
	mag_frame frame;
	MAG_ARGS(long_lines, size_t limit;);
	mag_fd fd;
	mag_lines lines;
	mag_lines_options options;
	mag_line line;
	char *text;
	size_t bytes;
	int64_t rc;
	int i;
};

static size_t length_of(int i)
{
	static const size_t lengths[] = { 0, 1, 65535, 65536, 65537, 131071, 131072, 131073, 300000, 7, 262144, 0, 3 };

	return lengths[i];
}
enum { LONG_LINES = 13 };

static void compose(struct long_lines *self)
{
	self->bytes = 0;
	self->text = malloc(2 << 20);
	for (int i = 0; i < LONG_LINES; i++) {
		memset(self->text + self->bytes, 'a' + i, length_of(i));
		self->bytes += length_of(i);
		self->text[self->bytes++] = '\n';
	}
}

MAG_TASK(long_lines)
{
	MAG_BEGIN(long_lines);
	compose(self);
	self->options = (mag_lines_options){ .size = sizeof(self->options), .limit = self->limit };
	CHECK_EQ(file_of(self->text, self->bytes, &self->fd), 0);
	CHECK_EQ(mag_lines_init(&self->lines, self->fd, &self->options), 0);
	for (self->i = 0; self->i < LONG_LINES; self->i++) {
		MAG_AWAIT(self->rc, mag_lines_next, &self->lines, &self->line);
		if (length_of(self->i) > self->limit) {
			CHECK_EQ(self->rc, MAG_ETOOLONG);
			continue;
		}
		CHECK_EQ(self->rc, 1);
		CHECK_EQ(self->line.len, length_of(self->i));
		for (size_t k = 0; k < self->line.len; k++)
			CHECK(self->line.data[k] == 'a' + self->i);
	}
	MAG_AWAIT(self->rc, mag_lines_next, &self->lines, &self->line);
	CHECK_EQ(self->rc, 0);
	mag_lines_fini(&self->lines);
	mag_lines_fini(&self->lines);
	free(self->text);
	CLOSE(self->fd);
	MAG_RETURN(0);
	MAG_END;
}

Test(lines, lines_longer_than_a_chunk, .timeout = 60)
{
	RUN(long_lines, .limit = 1 << 20);
	RUN(long_lines, .limit = 131072);
	RUN(long_lines, .limit = 65536);
	RUN(long_lines, .limit = 1);
}

/* A pipe gives bytes as they come; a wait that is cancelled keeps what it has. */
struct piped {
	mag_frame frame;
	MAG_NO_ARGS(piped);
	mag_fd in;
	int out;
	mag_lines lines;
	mag_line line;
	mag_scope scope;
	int64_t rc, end;
};

static int open_pipe(mag_fd *in, int *out)
{
	int raw[2];

	if (pipe2(raw, O_CLOEXEC) < 0)
		return -errno;
	*out = raw[1];
	return mag_fd_adopt(raw[0], in);
}

MAG_TASK(piped)
{
	MAG_BEGIN(piped);
	CHECK_EQ(open_pipe(&self->in, &self->out), 0);
	CHECK_EQ(mag_lines_init(&self->lines, self->in, NULL), 0);
	CHECK_EQ(write(self->out, "first\nsec", 9), 9);
	MAG_AWAIT(self->rc, mag_lines_next, &self->lines, &self->line);
	CHECK(self->rc == 1 && self->line.len == 5 && !memcmp(self->line.data, "first", 5));
	MAG_WITH_TIMEOUT(&self->scope, 3 * MAG_MILLISECOND);
	MAG_AWAIT(self->rc, mag_lines_next, &self->lines, &self->line);
	CHECK_EQ(self->rc, MAG_ECANCELED);
	MAG_AWAIT(self->rc, mag_lines_next, &self->lines, &self->line);
	CHECK_EQ(self->rc, MAG_ECANCELED);
	MAG_SCOPE_END(self->end, &self->scope);
	CHECK_EQ(write(self->out, "ond\nthird", 9), 9);
	MAG_AWAIT(self->rc, mag_lines_next, &self->lines, &self->line);
	CHECK(self->rc == 1 && self->line.len == 6 && !memcmp(self->line.data, "second", 6));
	close(self->out);
	MAG_AWAIT(self->rc, mag_lines_next, &self->lines, &self->line);
	CHECK(self->rc == 1 && self->line.len == 5 && !memcmp(self->line.data, "third", 5));
	MAG_AWAIT(self->rc, mag_lines_next, &self->lines, &self->line);
	CHECK_EQ(self->rc, 0);
	mag_lines_fini(&self->lines);
	MAG_AWAIT(self->rc, mag_close, self->in);
	MAG_RETURN(0);
	MAG_END;
}

Test(lines, a_cancelled_wait_keeps_what_was_read, .timeout = 60)
{
	RUN(piped);
}

struct wrong {
	mag_frame frame;
	MAG_NO_ARGS(wrong);
	mag_lines lines;
	mag_line line;
	int64_t rc;
};

MAG_TASK(wrong)
{
	const mag_lines_options big = { .size = sizeof(big) + 8 };
	const mag_lines_options endless = { .size = sizeof(endless), .limit = SIZE_MAX };

	MAG_BEGIN(wrong);
	CHECK_EQ(mag_lines_init(NULL, MAG_FD_NONE, NULL), -EINVAL);
	CHECK_EQ(mag_lines_init(&self->lines, MAG_FD_NONE, &big), -EINVAL);
	CHECK_EQ(mag_lines_init(&self->lines, MAG_FD_NONE, &endless), -EINVAL);
	MAG_AWAIT(self->rc, mag_lines_next, &self->lines, &self->line);
	CHECK_EQ(self->rc, -EINVAL);
	CHECK_EQ(mag_lines_init(&self->lines, MAG_FD_NONE, NULL), 0);
	MAG_AWAIT(self->rc, mag_lines_next, &self->lines, &self->line);
	CHECK_EQ(self->rc, MAG_ECLOSED);
	MAG_AWAIT(self->rc, mag_lines_next, &self->lines, NULL);
	CHECK_EQ(self->rc, -EINVAL);
	MAG_AWAIT(self->rc, mag_lines_next, NULL, &self->line);
	CHECK_EQ(self->rc, -EINVAL);
	mag_lines_fini(&self->lines);
	mag_lines_fini(NULL);
	MAG_RETURN(0);
	MAG_END;
}

Test(lines, wrong_use_gets_an_error, .timeout = 60)
{
	RUN(wrong);
}
