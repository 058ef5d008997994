/* SPDX-License-Identifier: MIT */
/* load_request.h - the bytes of the one request that is sent again and again. */
#ifndef MAGPIE_TOOLS_LOAD_REQUEST_H
#define MAGPIE_TOOLS_LOAD_REQUEST_H

#include <stdbool.h>
#include <stddef.h>

#include "load_url.h"

enum { LOAD_FIELDS_MAX = 100 }; /* fields that may be given */

/* What is asked for; the texts are the caller's. */
struct load_asked {
	const char *method;                  /* NULL: GET, or POST when there is a body */
	const char *fields[LOAD_FIELDS_MAX]; /* "Name: value" */
	size_t field_count;
	const char *body; /* NULL: none */
	size_t body_len;
	bool close; /* a connection for each request */
};

struct load_request {
	char *bytes; /* malloc'ed: load_request_free */
	size_t len;
	bool head;       /* the answer has no body whatever it says */
	bool idempotent; /* may be sent once more when the server has closed an idle connection (RFC 9110, 9.2.2) */
};

/* Returns: NULL, or what is wrong with a field or the method: a text that lives for ever */
const char *load_field_wrong(const char *field);
const char *load_method_wrong(const char *method);

/* Makes it; method and fields have been found right.  Returns: 0, -ENOMEM */
int load_request_make(struct load_request *r, const struct load_url *url, const struct load_asked *asked);
void load_request_free(struct load_request *r);

#endif
