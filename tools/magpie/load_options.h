/* SPDX-License-Identifier: MIT */
/* load_options.h - the command line of `magpie load`. */
#ifndef MAGPIE_TOOLS_LOAD_OPTIONS_H
#define MAGPIE_TOOLS_LOAD_OPTIONS_H

#include "load_limit.h"
#include "load_report.h"
#include "load_request.h"
#include "load_url.h"

enum load_format { LOAD_AS_TEXT, LOAD_AS_JSON, LOAD_AS_CSV };

struct load_options {
	struct load_plan plan; /* without host, port and request */
	struct load_asked asked;
	struct load_url url;
	const char *url_text;
	uint32_t threads; /* 0: the CPUs */
	enum load_format format;
	const char *output; /* NULL: standard output */
	const char *html;   /* NULL: no page */
	const char *cacert; /* NULL: whom the system trusts */
	bool quiet, insecure;
	struct load_limit limits[LOAD_LIMITS_MAX];
	size_t limit_count;
	char *body; /* of a file; malloc'ed */
};

/* Reads it. What is wrong is said on stderr in a line, and ends the program with 2. */
void load_options_read(struct load_options *o, int argc, char **argv);

#endif
