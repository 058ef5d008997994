/* SPDX-License-Identifier: MIT */
/* http_files.h - a directory as a route of an HTTP server.
 *
 *	MAG_AWAIT(self->rc, mag_open, "/srv/www", O_RDONLY | O_DIRECTORY, 0, &files.root);
 *	mag_http_server_route(server, "GET", "/static/{path...}", MAG_HTTP_TASK(mag_http_files), &files);
 *
 * A directory is answered by its index.html; without one, by a listing where that is wanted. Nothing leads out of the root:
 * no dots, no encoded slashes, no links. */
#ifndef MAGPIE_HTTP_FILES_H
#define MAGPIE_HTTP_FILES_H

#include <magpie/fd.h>
#include <magpie/http_handler.h>

MAGI_C_BEGIN

struct mag_http_directory {
	mag_fd root; /* open for as long as it is served */
	bool listing;
};

/* A handler; `user` is a struct mag_http_directory. The route ends in {name...}, or is that of one file; it has no deadline
 * unless it is given one: a client that takes a file at the minimum rate gets all of it.
 *
 * Await:    yes, a cancellation point
 * Since:    0.2 */
struct mag_http_files {
	mag_frame frame;
	MAG_ARGS(mag_http_files, mag_http_exchange *http; const struct mag_http_directory *directory;);
	char *path;
	int64_t rc;
	bool slash;
};
MAG_API MAG_DECLARE_TASK(mag_http_files);

MAGI_C_END

#endif
