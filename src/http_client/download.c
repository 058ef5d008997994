/* SPDX-License-Identifier: MIT */
/* download.c - an answer as a file. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <magpie/file.h>
#include <magpie/http_client_download.h>
#include <magpie/http_client_stream.h>
#include <magpie/offload.h>
#include <magpie/options.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "http_client/version.h"

enum { AGAIN_BYTES = 65536 }; /* of a part that are read at once */

struct downloading {
	mag_frame frame;
	MAG_ARGS(downloading, mag_http_session *session; const mag_http_request *request; const char *path;
		 mag_http_download_options options; mag_http_response * response;);
	mag_http_request asked;
	mag_http_pair *headers;
	mag_http_chunk chunk;
	mag_file_status status;
	mag_scope shield;
	mag_fd fd;
	char *again;
	uint64_t at;     /* bytes that are in the file */
	uint64_t length; /* that it has when it is whole; 0: not known */
	int64_t rc, left;
	bool whole;                         /* the server says that there is no more */
	bool changed;                       /* the part is of another version */
	bool mine;                          /* the part is locked */
	struct magi_client_version version; /* of the part */
	char range[40], part[MAG_HTTP_PATH_MAX + 6];
};

static int64_t fail(struct downloading *self, mag_http_fault fault, int64_t rc, const char *why)
{
	mag_http_response *r = self->response;

	if (rc != MAG_ECANCELED) {
		r->fault = fault;
		snprintf(r->why, sizeof(r->why), "%.*s: %s", MAG_HTTP_WHY_MAX - 64, why, mag_strerror(rc));
	}
	return rc;
}

/* It begins anew, in the same file: the lock is that one's. */
static int64_t empty(struct downloading *self)
{
	self->at = 0;
	return ftruncate(mag_fd_raw(self->fd), 0) ? fail(self, MAG_HTTP_FILE, -errno, self->part) : 0;
}

/* The request, with the range that is still wanted; what is compressed has no ranges that would fit. */
static int prepare(struct downloading *self)
{
	mag_http_request *q = &self->asked;
	size_t n;

	if (mag_options_take(q, sizeof(*q), self->request) == 0 && self->request)
		q->size = sizeof(*q); /* else mag_http_open says what is wrong */
	n = q->headers ? q->headers_n : 0;
	self->headers = calloc(n + 3, sizeof(*self->headers));
	if (!self->headers)
		return -ENOMEM;
	if (n)
		memcpy(self->headers, q->headers, n * sizeof(*self->headers));
	self->headers[n++] = (mag_http_pair){ "Accept-Encoding", "identity" };
	if (self->at) {
		snprintf(self->range, sizeof(self->range), "bytes=%" PRIu64 "-", self->at);
		self->headers[n++] = (mag_http_pair){ "Range", self->range };
		if (self->version.text[0])
			self->headers[n++] = (mag_http_pair){ "If-Range", self->version.text };
	}
	q->headers = self->headers;
	q->headers_n = n;
	return 0;
}

/* Whether the file goes on where the part ends: 1; 0: it comes from its beginning; or an error. */
static int64_t judge(struct downloading *self)
{
	const char *range = mag_http_response_header(self->response, "Content-Range");
	uint64_t from, to, whole;

	switch (self->response->status) {
	case 200:
		return 0;
	case 206:
		self->changed = magi_client_version_differs(&self->version, self->response);
		if (self->changed)
			return fail(self, MAG_HTTP_PROTOCOL, -EBADMSG, "the rest is of another version than the part");
		if (self->at && range && sscanf(range, "bytes %" SCNu64 "-", &from) == 1 && from == self->at) {
			/* a server may give less than was asked for */
			sscanf(range, "bytes %" SCNu64 "-%" SCNu64 "/%" SCNu64, &from, &to, &self->length);
			return 1;
		}
		return fail(self, MAG_HTTP_PROTOCOL, -EBADMSG, "another range than was asked for");
	case 416:
		if (self->at && range && sscanf(range, "bytes */%" SCNu64, &whole) == 1 && whole == self->at) {
			self->whole = true;
			return 1;
		}
	}
	self->response->fault = MAG_HTTP_STATUS;
	snprintf(self->response->why, sizeof(self->response->why), "status %d", self->response->status);
	return -EREMOTEIO;
}

/* Opens the part, for this download alone, and finds out how much of it there is. */
struct opening_part {
	mag_frame frame;
	MAG_ARGS(opening_part, struct downloading *d;);
	mag_file_status named;
	int64_t rc;
};

MAG_TASK(opening_part)
{
	MAG_BEGIN(opening_part);
	MAG_AWAIT(self->rc, mag_open, self->d->part, O_RDWR | O_CREAT, 0644, &self->d->fd);
	if (self->rc < 0)
		MAG_RETURN(fail(self->d, MAG_HTTP_FILE, self->rc, self->d->part));
	self->rc = flock(mag_fd_raw(self->d->fd), LOCK_EX | LOCK_NB) && errno == EWOULDBLOCK ? -EBUSY : 0;
	if (self->rc == 0)
		MAG_AWAIT(self->rc, mag_fstat, self->d->fd, &self->d->status);
	if (self->rc == 0)
		MAG_AWAIT(self->rc, mag_stat, self->d->part, &self->named);
	/* the one that had it may have given it its name meanwhile */
	if (self->rc == -ENOENT || (self->rc == 0 && self->named.inode != self->d->status.inode))
		self->rc = -EBUSY;
	if (self->rc < 0)
		MAG_RETURN(fail(self->d, MAG_HTTP_FILE, self->rc, self->d->part));
	self->d->mine = true;
	if (!self->d->options.resume)
		MAG_RETURN(empty(self->d));
	self->d->at = self->d->status.bytes;
	self->d->version.raw = mag_fd_raw(self->d->fd);
	if (self->d->at)
		MAG_AWAIT(self->rc, mag_offload, MAG_BLOCKING | MAG_KIND_FILE, magi_client_version_read,
			  &self->d->version);
	MAG_RETURN(self->rc < 0 ? fail(self->d, MAG_HTTP_FILE, self->rc, self->d->part) : 0);
	MAG_END;
}

/* Shows the part of an earlier try to who watches. */
struct watching_again {
	mag_frame frame;
	MAG_ARGS(watching_again, struct downloading *d;);
	uint64_t at;
	int64_t rc;
};

MAG_TASK(watching_again)
{
	MAG_BEGIN(watching_again);
	self->d->again = malloc(AGAIN_BYTES);
	if (!self->d->again)
		MAG_RETURN(fail(self->d, MAG_HTTP_MEMORY, -ENOMEM, self->d->part));
	for (self->at = 0; self->at < self->d->at; self->at += (uint64_t)self->rc) {
		MAG_AWAIT(self->rc, mag_read, self->d->fd, self->d->again, AGAIN_BYTES, self->at);
		if (self->rc == 0)
			self->rc = MAG_EEOF;
		if (self->rc < 0)
			MAG_RETURN(fail(self->d, MAG_HTTP_FILE, self->rc, self->d->part));
		self->d->options.watch(self->d->options.watch_arg, self->d->again, (size_t)self->rc);
	}
	MAG_RETURN(0);
	MAG_END;
}

/* From the request to the last byte in the file. */
struct fetching {
	mag_frame frame;
	MAG_ARGS(fetching, struct downloading *d;);
	int64_t rc;
};

MAG_TASK(fetching)
{
	MAG_BEGIN(fetching);
	self->rc = prepare(self->d);
	if (self->rc < 0)
		MAG_RETURN(fail(self->d, MAG_HTTP_MEMORY, self->rc, self->d->path));
	MAG_AWAIT(self->rc, mag_http_open, self->d->session, &self->d->asked, self->d->response);
	if (self->rc < 0)
		MAG_RETURN(self->rc);
	self->rc = judge(self->d);
	if (self->rc < 0)
		MAG_RETURN(self->rc);
	if (self->rc == 0 && self->d->at)
		self->rc = empty(self->d);
	if (self->rc < 0)
		MAG_RETURN(self->rc);
	if (!self->d->at && self->d->options.resume) { /* it may be gone on with */
		magi_client_version_of(&self->d->version, self->d->response);
		self->d->version.raw = mag_fd_raw(self->d->fd);
		MAG_AWAIT(self->rc, mag_offload, MAG_BLOCKING | MAG_KIND_FILE, magi_client_version_write,
			  &self->d->version);
		if (self->rc < 0)
			MAG_RETURN(fail(self->d, MAG_HTTP_FILE, self->rc, self->d->part));
	}
	if (self->d->at && self->d->options.watch) {
		MAG_CALL(self->rc, watching_again, .d = self->d);
		if (self->rc < 0)
			MAG_RETURN(self->rc);
	}
	while (!self->d->whole) {
		MAG_AWAIT(self->rc, mag_http_body, self->d->response, &self->d->chunk);
		if (self->rc == 0 && self->d->length && self->d->at != self->d->length)
			MAG_RETURN(fail(self->d, MAG_HTTP_BROKEN, MAG_EEOF, "the server gave only a part of the rest"));
		if (self->rc <= 0)
			MAG_RETURN(self->rc);
		MAG_AWAIT(self->rc, mag_write_all, self->d->fd, self->d->chunk.data, self->d->chunk.length, self->d->at,
			  NULL);
		if (self->rc < 0)
			MAG_RETURN(fail(self->d, MAG_HTTP_FILE, self->rc, self->d->part));
		self->d->at += self->d->chunk.length;
		if (self->d->options.watch)
			self->d->options.watch(self->d->options.watch_arg, self->d->chunk.data, self->d->chunk.length);
	}
	MAG_RETURN(0);
	MAG_END;
}

/* Gives the whole its name. */
struct naming {
	mag_frame frame;
	MAG_ARGS(naming, struct downloading *d;);
	int64_t rc;
};

MAG_TASK(naming)
{
	MAG_BEGIN(naming);
	self->rc = 0;
	if (self->d->version.text[0]) { /* the whole needs none */
		self->d->version.text[0] = 0;
		self->d->version.raw = mag_fd_raw(self->d->fd);
		MAG_AWAIT(self->rc, mag_offload, MAG_BLOCKING | MAG_KIND_FILE, magi_client_version_write,
			  &self->d->version);
	}
	if (self->rc == 0 && self->d->options.sync)
		MAG_AWAIT(self->rc, mag_fsync, self->d->fd);
	if (self->rc == 0)
		MAG_AWAIT(self->rc, mag_rename, self->d->part, self->d->path);
	MAG_RETURN(self->rc < 0 ? fail(self->d, MAG_HTTP_FILE, self->rc, self->d->path) : 0);
	MAG_END;
}

static int64_t begin(struct downloading *self)
{
	self->fd = MAG_FD_NONE;
	self->headers = NULL;
	self->again = NULL;
	self->whole = self->changed = self->mine = false;
	self->at = 0;
	self->version.text[0] = 0;
	self->length = 0;
	if (self->response->flow)
		return -EBUSY;
	self->response->fault = MAG_HTTP_OK;
	self->response->why[0] = 0;
	if (self->options.size != sizeof(self->options) || !self->path)
		return fail(self, MAG_HTTP_FILE, -EINVAL, "the options of a download");
	if (strlen(self->path) > MAG_HTTP_PATH_MAX)
		return fail(self, MAG_HTTP_FILE, MAG_ETOOLONG, "the path of a download");
	snprintf(self->part, sizeof(self->part), "%s.part", self->path);
	return 0;
}

/* Another status than was hoped for may be another one the next time; that of a range that is not there stays. */
static bool is_of_no_use(const struct downloading *self)
{
	return !self->options.resume || !self->at || self->changed ||
	       (self->rc == -EREMOTEIO && self->response->status == 416);
}

MAG_TASK(downloading)
{
	MAG_BEGIN(downloading);
	self->rc = begin(self);
	if (self->rc < 0)
		MAG_RETURN(self->rc);
	MAG_CALL(self->rc, opening_part, .d = self);
	if (self->rc == 0)
		MAG_CALL(self->rc, fetching, .d = self);
	MAG_AWAIT(self->left, mag_http_close, self->response);
	if (self->rc == 0)
		MAG_CALL(self->rc, naming, .d = self);
	if (self->rc < 0 && self->mine && is_of_no_use(self)) {
		MAG_SHIELD(&self->shield, 10 * MAG_SECOND);
		MAG_AWAIT(self->left, mag_unlink, self->part);
		MAG_SCOPE_END(self->left, &self->shield);
	}
	if (self->fd.generation)
		MAG_AWAIT(self->left, mag_close, self->fd);
	free(self->headers);
	free(self->again);
	MAG_RETURN(self->rc < 0 ? self->rc : (int64_t)self->at);
	MAG_END;
}

mag_frame *mag_http_download(mag_worker *w, mag_frame *f, mag_http_session *session, const mag_http_request *request,
			     const char *path, const mag_http_download_options *options, mag_http_response *response)
{
	MAGI_CHILD(child, downloading);
	mag_http_download_options o;

	if (!child) {
		f->op.result = -ENOMEM;
		return f;
	}
	if (mag_options_take(&o, sizeof(o), options) == 0)
		o.size = sizeof(o);
	child->args_ = (struct downloading_args){
		.session = session,
		.request = request,
		.path = path,
		.options = o,
		.response = response,
	};
	return magi_call(f, &child->frame, downloading_step, MAGI_CLASS(sizeof(*child)));
}
