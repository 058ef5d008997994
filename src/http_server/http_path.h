/* SPDX-License-Identifier: MIT */
/* http_path.h - from a request's target to a path below the root, and back.
 *
 * Always: the path has no leading slash, no empty, "." or ".." segment and no NUL, so it names something below the
 * root as long as no symbolic link leads out (that is for whoever opens it: RESOLVE_BENEATH). Does no I/O. */
#ifndef MAGPIE_HTTP_SERVER_PATH_H
#define MAGPIE_HTTP_SERVER_PATH_H

#include <stdbool.h>
#include <stddef.h>

#define HTTP_INDEX "index.html"

/* Finds the path in an origin-form or absolute-form target; it may be empty in the latter.
 * Returns: 0, or -EINVAL */
int magi_http_find_path(const char *target, size_t len, const char **path, size_t *path_len);

/* Takes the path out of an origin-form ("/a?q") or absolute-form ("http://host/a?q") target, decodes and normalises it.
 * A target that means a directory (its path ends in a slash or a dot segment) gets HTTP_INDEX appended and *dir set.
 * out gets the path, terminated, in at most cap bytes.
 *
 * Returns: its length (never 0), -EINVAL (answer 400) or -ENAMETOOLONG (414); out then holds nothing of use */
int magi_http_path(const char *target, size_t len, char *out, size_t cap, bool *dir);

/* Where a client should go that asked for a directory without the slash: "/path/?query", for a Location field.
 * path is what http_path gave; the query is taken from the target.
 *
 * Returns: the length, or -ENAMETOOLONG */
int magi_http_path_location(const char *path, const char *target, size_t len, char *out, size_t cap);

#endif
