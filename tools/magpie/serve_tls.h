/* SPDX-License-Identifier: MIT */
/* serve_tls.h - the certificate of `magpie serve`: read when it starts, and again at each SIGHUP. */
#ifndef MAGPIE_TOOLS_SERVE_TLS_H
#define MAGPIE_TOOLS_SERVE_TLS_H

#include <magpie/signal.h>
#include <magpie/tls_context.h>

struct serve_tls {
	const char *cert, *key; /* files in PEM; NULL: no TLS */
	const char *alpn;       /* what is offered */
	mag_tls_context context;
};

/* Returns: 0; -ENOTSUP (this command was built without TLS), or as mag_tls_context_init: *why says it in words */
int serve_tls_begin(struct serve_tls *tls, const char **why);
void serve_tls_end(struct serve_tls *tls);

/* Reads the files again at each SIGHUP, until it is cancelled. What is wrong with them is said on stderr; then the old ones
 * hold. */
struct serve_tls_keeper {
	mag_frame frame;
	MAG_ARGS(serve_tls_keeper, struct serve_tls *tls;);
	mag_signal hup;
	mag_tls_context_options options;
	mag_tls_certificate pair;
	int64_t rc;
};
MAG_DECLARE_TASK(serve_tls_keeper);

#endif
