/* SPDX-License-Identifier: MIT */
/* test_faults_files.c - every fault in turn: files, names, lines, sendfile. */
#include <fcntl.h>
#include <magpie/file.h>
#include <magpie/lines.h>
#include <magpie/sendfile.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "simulated/turns.h"

enum { BYTES = 3000 };

/* A file is written, synced, read again, and gets another name. What succeeded holds. */

struct scribe {
	mag_frame frame;
	MAG_NO_ARGS(scribe);
	char out[BYTES], in[BYTES];
	struct iovec iov[2];
	mag_file_status status;
	mag_fd fd;
	size_t count;
	int64_t rc, written, synced, closed, named, n;
};

static void fill(char *bytes, size_t n)
{
	for (size_t i = 0; i < n; i++)
		bytes[i] = (char)('a' + i % 23);
}

MAG_TASK(scribe)
{
	MAG_BEGIN(scribe);
	fill(self->out, BYTES);
	MAG_AWAIT(self->rc, mag_mkdir, "/tmp/desk", 0700);
	MAG_AWAIT(self->rc, mag_open, "/tmp/desk/draft", O_RDWR | O_CREAT, 0600, &self->fd);
	mag_sim_assert((self->rc == 0) == (self->fd.generation != 0));
	if (self->rc == 0) {
		MAG_AWAIT(self->written, mag_write_all, self->fd, self->out, BYTES, 0, &self->count);
		mag_sim_assert(self->count <= BYTES && (self->written < 0 || self->count == BYTES));
		MAG_AWAIT(self->synced, mag_fsync, self->fd);
		MAG_AWAIT(self->n, mag_read_all, self->fd, self->in, BYTES, 0, &self->count);
		mag_sim_assert(self->n != BYTES || memcmp(self->in, self->out, BYTES) == 0);
		self->iov[0] = (struct iovec){ self->in, 10 };
		self->iov[1] = (struct iovec){ self->in + 10, 20 };
		MAG_AWAIT(self->n, mag_readv, self->fd, self->iov, 2, 5);
		mag_sim_assert(self->n <= 30);
		MAG_AWAIT(self->n, mag_writev, self->fd, self->iov, 2, BYTES);
		MAG_AWAIT(self->n, mag_fstat, self->fd, &self->status);
		MAG_AWAIT(self->n, mag_fdatasync, self->fd);
		MAG_AWAIT(self->closed, mag_close, self->fd);
		MAG_AWAIT(self->named, mag_rename, "/tmp/desk/draft", "/tmp/desk/letter");
		MAG_AWAIT(self->n, mag_stat, "/tmp/desk/letter", &self->status);
		mag_sim_assert(self->named < 0 || self->written < 0 || self->n < 0 || self->status.bytes >= BYTES);
		MAG_AWAIT(self->n, mag_unlink, "/tmp/desk/letter");
	}
	MAG_AWAIT(self->rc, mag_rmdir, "/tmp/desk");
	mag_sim_assert_quiescent();
	MAG_RETURN(0);
	MAG_END;
}

TURNS(faults_files, what_was_written_is_there, scribe, 1.0)

/* Whole files, by several tasks, which may be cut short. */

struct copy {
	mag_frame frame;
	MAG_ARGS(copy, int64_t number; uint64_t ns;);
	mag_scope scope;
	char path[32], out[BYTES], *in;
	int64_t rc, n, why;
};

MAG_TASK(copy)
{
	MAG_BEGIN(copy);
	self->in = NULL;
	fill(self->out, BYTES);
	snprintf(self->path, sizeof(self->path), "/tmp/copy%d", (int)self->number);
	MAG_WITH_TIMEOUT(&self->scope, self->ns);
	MAG_CALL(self->rc, mag_write_file, .path = self->path, .data = self->out, .length = BYTES, .mode = 0600,
		 .sync = self->number % 2);
	if (self->rc == 0) {
		MAG_CALL(self->n, mag_read_file, .path = self->path, .limit = 1 << 16, .data = &self->in);
		mag_sim_assert((self->n >= 0) == (self->in != NULL));
		mag_sim_assert(self->n < 0 || (self->n == BYTES && memcmp(self->in, self->out, BYTES) == 0));
		mag_free(self->in);
	}
	MAG_SCOPE_END(self->why, &self->scope);
	MAG_AWAIT(self->n, mag_unlink, self->path);
	MAG_RETURN(self->rc);
	MAG_END;
}

struct copies {
	mag_frame frame;
	MAG_NO_ARGS(copies);
	mag_group group;
	int64_t rc, i;
};

MAG_TASK(copies)
{
	MAG_BEGIN(copies);
	MAG_GROUP_BEGIN(&self->group, .policy = MAG_COLLECT);
	for (self->i = 0; self->i < 4; self->i++)
		MAG_SPAWN(self->rc, &self->group, copy, .number = self->i,
			  .ns = self->i < 2 ? MAG_SECOND : (uint64_t)self->i * 150 * MAG_MICROSECOND);
	MAG_GROUP_END(self->rc, &self->group);
	mag_group_clear(&self->group);
	mag_sim_assert_quiescent();
	MAG_RETURN(0);
	MAG_END;
}

TURNS(faults_files, whole_files_are_whole, copies, 1.0)

/* A file through a socket, and line by line. */

#define TEXT "first line\nsecond\n\nthe last one"

struct reader {
	mag_frame frame;
	MAG_ARGS(reader, mag_fd fd;);
	mag_lines lines;
	mag_line line;
	int64_t rc, count;
};

MAG_TASK(reader)
{
	MAG_BEGIN(reader);
	self->count = 0;
	self->rc = mag_lines_init(&self->lines, self->fd, NULL);
	if (self->rc < 0)
		MAG_RETURN(self->rc);
	for (;;) {
		MAG_AWAIT(self->rc, mag_lines_next, &self->lines, &self->line);
		if (self->rc <= 0)
			break;
		mag_sim_assert(self->line.len <= strlen(TEXT));
		self->count++;
	}
	mag_sim_assert(self->count <= 4);
	mag_lines_fini(&self->lines);
	MAG_RETURN(self->rc < 0 ? self->rc : self->count);
	MAG_END;
}

struct pour {
	mag_frame frame;
	MAG_ARGS(pour, mag_fd to; mag_fd file;);
	size_t count;
	int64_t rc, waste;
};

MAG_TASK(pour)
{
	MAG_BEGIN(pour);
	self->count = 0;
	MAG_CALL(self->rc, mag_sendfile, .to = self->to, .file = self->file, .length = strlen(TEXT),
		 .count = &self->count);
	mag_sim_assert(self->rc < 0 || self->count == strlen(TEXT));
	MAG_AWAIT(self->waste, mag_shutdown, self->to, SHUT_WR);
	if (self->waste < 0) { /* the other end must not wait for more */
		MAG_AWAIT(self->waste, mag_close, self->to);
	}
	MAG_RETURN(self->rc);
	MAG_END;
}

struct library {
	mag_frame frame;
	MAG_NO_ARGS(library);
	mag_fd file, pair[2];
	mag_group group;
	int64_t rc, i, n;
};

MAG_TASK(library)
{
	MAG_BEGIN(library);
	MAG_CALL(self->rc, mag_write_file, .path = "/tmp/book", .data = TEXT, .length = strlen(TEXT), .mode = 0600);
	MAG_AWAIT(self->rc, mag_open, "/tmp/book", O_RDONLY, 0, &self->file);
	if (self->rc == 0) {
		MAG_CALL(self->n, reader, .fd = self->file);
		if (mag_socket_pair(SOCK_STREAM, self->pair) == 0) {
			MAG_GROUP_BEGIN(&self->group, .policy = MAG_COLLECT);
			MAG_SPAWN(self->rc, &self->group, pour, .to = self->pair[0], .file = self->file);
			if (self->rc == 0)
				MAG_SPAWN(self->rc, &self->group, reader, .fd = self->pair[1]);
			MAG_GROUP_END(self->rc, &self->group);
			mag_group_clear(&self->group);
			MAG_AWAIT(self->n, mag_close, self->pair[0]);
			MAG_AWAIT(self->n, mag_close, self->pair[1]);
		}
		MAG_AWAIT(self->n, mag_close, self->file);
	}
	mag_sim_assert_quiescent();
	MAG_RETURN(0);
	MAG_END;
}

TURNS(faults_files, a_file_is_read_by_lines_and_sent, library, 1.0)
