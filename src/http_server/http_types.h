/* SPDX-License-Identifier: MIT */
/* http_types.h - content types by file name extension. */
#ifndef MAGPIE_HTTP_SERVER_TYPES_H
#define MAGPIE_HTTP_SERVER_TYPES_H

#include <stddef.h>

/* The Content-Type of the file at this path; "application/octet-stream" if its name says nothing. */
const char *magi_http_type(const char *path, size_t len);

#endif
