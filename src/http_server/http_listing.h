/* SPDX-License-Identifier: MIT */
/* http_listing.h - what a directory has, as a page. */
#ifndef MAGPIE_HTTP_SERVER_LISTING_H
#define MAGPIE_HTTP_SERVER_LISTING_H

#include <magpie/http_reply.h>

/* MAG_CALL(rc, http_listing, .http, .root, .path): path is a directory below root, "." for itself.
 * Returns: 0, -ENOENT (it is none), -EACCES, -ENOMEM, … */
struct http_listing {
	mag_frame frame;
	MAG_ARGS(http_listing, mag_http_exchange *http; mag_fd root; const char *path;);
	mag_fd fd;
	int raw;
	char *page;
	size_t length;
	int64_t rc, waste;
};
MAG_DECLARE_TASK(http_listing);

#endif
