/* SPDX-License-Identifier: MIT */
/* whole.c - whole files in one call. */
#include <errno.h>
#include <magpie/file.h>
#include <magpie/scope.h>

#include "base/alloc.h"

enum {
	FIRST = 4096,        /* of a file that does not say how long it is (/proc), or is empty */
	CHUNK = 128 * 1024   /* files stream best in these */
};

void mag_free(void *memory)
{
	magi_free(memory);
}

/* Room for `bytes` and the final 0. */
static bool grow(struct mag_read_file *self, size_t bytes)
{
	char *buf = magi_realloc(self->buf, bytes + 1);

	if (!buf)
		return false;
	self->buf = buf;
	self->room = bytes;
	return true;
}

/* The size as the file tells it is a hint: it may grow, or not know. One byte more than that finds the end at once. */
static size_t first_room(const struct mag_read_file *self)
{
	mag_file_status status;
	uint64_t bytes = 0;

	if (mag_fd_status(self->fd, &status) == 0)
		bytes = status.bytes;
	if (bytes < FIRST)
		bytes = FIRST;
	return bytes < self->limit ? (size_t)bytes + 1 : self->limit + 1;
}

static bool more_room(struct mag_read_file *self)
{
	size_t room = self->room + self->room / 2;

	return grow(self, room <= self->limit ? room : self->limit + 1);
}

MAG_TASK(mag_read_file)
{
	MAG_BEGIN(mag_read_file);
	if (!self->data)
		MAG_RETURN(-EINVAL);
	*self->data = NULL;
	if (!self->path || !self->limit || self->limit >= SIZE_MAX / 2)
		MAG_RETURN(-EINVAL);
	if (!self->dir.generation)
		self->dir = MAG_CWD;
	MAG_AWAIT(self->rc, mag_open_at, self->dir, self->path, O_RDONLY, 0, self->resolve, &self->fd);
	if (self->rc < 0)
		MAG_RETURN(self->rc);
	self->buf = NULL;
	self->length = 0;
	self->rc = grow(self, first_room(self)) ? 0 : -ENOMEM;
	while (self->rc == 0) {
		self->want = self->room - self->length < CHUNK ? self->room - self->length : CHUNK;
		MAG_AWAIT(self->rc, mag_read, self->fd, self->buf + self->length, self->want, self->length);
		if (self->rc <= 0)
			break;
		self->length += (size_t)self->rc;
		self->rc = 0;
		if (self->length > self->limit)
			self->rc = MAG_ETOOLONG;
		else if (self->length == self->room && !more_room(self))
			self->rc = -ENOMEM;
	}
	MAG_AWAIT(self->closed, mag_close, self->fd);
	if (self->rc < 0) {
		magi_free(self->buf);
		MAG_RETURN(self->rc);
	}
	self->buf[self->length] = 0;
	*self->data = self->buf;
	MAG_RETURN((int64_t)self->length);
	MAG_END;
}

MAG_TASK(mag_write_file)
{
	MAG_BEGIN(mag_write_file);
	if (!self->path || (!self->data && self->length))
		MAG_RETURN(-EINVAL);
	MAG_AWAIT(self->rc, mag_open, self->path, O_WRONLY | O_CREAT | O_TRUNC, self->mode, &self->fd);
	if (self->rc < 0)
		MAG_RETURN(self->rc);
	MAG_AWAIT(self->rc, mag_write_all, self->fd, self->data, self->length, 0, NULL);
	if (self->rc >= 0 && self->sync)
		MAG_AWAIT(self->rc, mag_fsync, self->fd);
	MAG_AWAIT(self->closed, mag_close, self->fd);
	if (self->rc >= 0)
		self->rc = self->closed;
	MAG_RETURN(self->rc < 0 ? self->rc : 0);
	MAG_END;
}
