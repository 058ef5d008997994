/* SPDX-License-Identifier: MIT */
/* http_client_download.h - an answer as a file: whole or not there, and taken up again where it was broken off.
 *
 *	MAG_AWAIT(self->rc, mag_http_download, &session, &self->request, "linux.tar.xz",
 *		  &(mag_http_download_options){ .size = sizeof(mag_http_download_options), .resume = true },
 *		  &self->response); */
#ifndef MAGPIE_HTTP_CLIENT_DOWNLOAD_H
#define MAGPIE_HTTP_CLIENT_DOWNLOAD_H

#include <magpie/http_client.h>

MAGI_C_BEGIN

enum { MAG_HTTP_PATH_MAX = 1023 };

typedef struct mag_http_download_options {
	size_t size; /* sizeof(mag_http_download_options) */
	bool resume; /* what there is of an earlier try is kept, and the rest asked for */
	bool sync;   /* it is on the disk before it gets its name */
	/* Sees each byte of the file in order, those of an earlier try, too: for a checksum, or a display. It must
	 * not block. */
	void (*watch)(void *arg, const void *data, size_t length);
	void *watch_arg;
} mag_http_download_options;

/* MAG_AWAIT(n, mag_http_download, &session, &request, path, &options, &response): the body of an answer of status
 * 200 goes to `path` with ".part" behind it, which gets its name when all is there. With `resume` a part that was
 * left by an earlier try is gone on with, if the server can; without it, and when the server says that there is no
 * such range (416), none is left. If the file has changed since then, by its ETag or its time, it is fetched as a
 * whole; that is not known where the server tells neither, or the file system has no attributes: there a checksum
 * tells. options: NULL for the defaults; copied.
 *
 * Await:    yes, a cancellation point
 * Threads:  any worker
 * Owns:     request and response until it returns
 * Returns:  the bytes of the file; as mag_http_open and mag_http_body; -EREMOTEIO: another status (MAG_HTTP_STATUS);
 *           an error of opening, writing or naming the file (MAG_HTTP_FILE), of which -EBUSY: another download to this
 *           path is under way; MAG_ETOOLONG: so is the path; -EBUSY: the response is that of a stream that is open
 * Since:    0.2 */
MAG_API MAG_OP mag_http_download(MAG_OP_ARGS, mag_http_session *session, const mag_http_request *request,
				 const char *path, const mag_http_download_options *options,
				 mag_http_response *response);

MAGI_C_END

#endif
