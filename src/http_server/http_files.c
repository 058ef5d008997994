/* SPDX-License-Identifier: MIT */
/* http_files.c - a directory as a route: from a target to a file, a redirection, a listing. */
#include <magpie/http_files.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "http_conn.h"
#include "http_listing.h"
#include "http_path.h"

enum { PATH_MAX_HERE = 4096 };

/* What of the target lies below the route: a slash, and all that its last parameter has. */
static mag_http_text below(const mag_http_exchange *x)
{
	const struct http_route *route = x->match.route;
	mag_http_text path = mag_http_path(x);
	uint32_t at = route && route->params ? x->match.params[route->params - 1].at - 1 : 0;

	return (mag_http_text){ path.at + at, path.length - at };
}

static int status_of(int64_t rc)
{
	switch (rc) {
	case -ENOENT:
	case -ENOTDIR:
	case -ELOOP:
	case -EXDEV: /* it leads out of the root: for the client there is nothing */
	case -ENXIO:
	case -ENODEV:
		return 404;
	case -EACCES:
	case -EPERM:
		return 403;
	case -ENAMETOOLONG:
		return 414;
	case -EINVAL:
		return 400;
	case -EMFILE:
	case -ENFILE:
	case -ENOMEM:
		return 503;
	default:
		return 500;
	}
}

/* 0, or why not. */
static int find(struct mag_http_files *self)
{
	mag_http_text path = below(self->http);
	size_t size = path.length + 1 + sizeof HTTP_INDEX; /* decoding makes it shorter */
	int rc;

	size = size < PATH_MAX_HERE ? size : PATH_MAX_HERE;
	self->path = malloc(size);
	if (!self->path)
		return -ENOMEM;
	rc = magi_http_path(path.at, path.length, self->path, size, &self->slash);
	return rc < 0 ? rc : 0;
}

/* To the same with a slash at its end: what the route is mounted at, and the path as it was understood. */
static int64_t redirect(struct mag_http_files *self)
{
	mag_http_text path = mag_http_path(self->http), rest = below(self->http), query = mag_http_query(self->http);
	size_t mount = path.length - rest.length, size = PATH_MAX_HERE * 3 + path.length + query.length + 8;
	char *to = malloc(size);
	int64_t rc;

	if (!to)
		return -ENOMEM;
	memcpy(to, path.at, mount);
	rc = magi_http_path_location(self->path, rest.at, rest.length + (query.at ? query.length + 1 : 0), to + mount,
				     size - mount);
	if (rc >= 0)
		rc = mag_http_reply_redirect(self->http, 301, to);
	free(to);
	return rc;
}

/* What is answered where there is no file to be sent. */
static int64_t refuse(struct mag_http_files *self)
{
	if (self->http->reply != HTTP_REPLY_NONE)
		return self->rc;
	if (self->rc == -EISDIR && !self->slash)
		return redirect(self);
	return mag_http_reply_status(self->http, status_of(self->rc == -EISDIR ? -ENOENT : self->rc));
}

/* The directory of an index that is not there. */
static void up(char *path)
{
	char *slash = strrchr(path, '/');

	strcpy(slash ? slash : path, slash ? "" : ".");
}

MAG_TASK(mag_http_files)
{
	MAG_BEGIN(mag_http_files);
	self->rc = find(self);
	if (self->rc == 0)
		MAG_AWAIT(self->rc, mag_http_reply_file, self->http, self->directory->root, self->path);
	if (self->rc == -ENOENT && self->slash && self->directory->listing) {
		up(self->path);
		MAG_CALL(self->rc, http_listing, .http = self->http, .root = self->directory->root, .path = self->path);
	}
	if (self->rc < 0 && self->rc != MAG_ECANCELED)
		self->rc = refuse(self);
	free(self->path);
	MAG_RETURN(self->rc);
	MAG_END;
}
