/* SPDX-License-Identifier: MIT */
/* load_url.h - the parts of a URL that a request is made from (RFC 3986, http and https alone). */
#ifndef MAGPIE_TOOLS_LOAD_URL_H
#define MAGPIE_TOOLS_LOAD_URL_H

#include <stdbool.h>
#include <stddef.h>

enum {
	LOAD_URL_MAX = 8192, /* bytes of the text */
	LOAD_HOST_MAX = 255
};

struct load_url {
	bool tls;
	char host[LOAD_HOST_MAX + 1]; /* to be resolved: without the brackets of an IPv6 literal */
	char port[6];                 /* in digits: the scheme's when none was given */
	char authority[LOAD_HOST_MAX + 1 +
		       8];                 /* for the Host field: brackets, and the port unless it is the scheme's */
	char target[3 * LOAD_URL_MAX + 2]; /* path and query; what a request line may not have is percent-encoded */
};

/* Reads it; without a scheme it is http. The fragment is dropped.
 * Returns: NULL, or what is wrong with it: a text that lives for ever */
const char *load_url_read(struct load_url *url, const char *text);

#endif
