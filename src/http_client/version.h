/* SPDX-License-Identifier: MIT */
/* version.h - which version of a file a part is of: by the ETag or the time that the server has told, which is kept with
 * the part, as an attribute of its file. Where there are none (some file systems) it is not known later. */
#ifndef MAGPIE_HTTP_VERSION_H
#define MAGPIE_HTTP_VERSION_H

#include <magpie/http_client_response.h>

enum { MAGI_CLIENT_VERSION_MAX = 255 };

struct magi_client_version {
	int raw; /* the part */
	char text[MAGI_CLIENT_VERSION_MAX + 1];
};

/* Of an answer: what may stand in If-Range; "": it says nothing of use. */
void magi_client_version_of(struct magi_client_version *version, const mag_http_response *response);

/* Whether an answer is of another one. */
bool magi_client_version_differs(const struct magi_client_version *version, const mag_http_response *response);

/* For mag_offload: from the file, and to it; "" takes it away. 0 in each case. */
int64_t magi_client_version_read(void *version);
int64_t magi_client_version_write(void *version);

#endif
