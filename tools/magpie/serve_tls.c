/* SPDX-License-Identifier: MIT */
/* serve_tls.c - see serve_tls.h. */
#include "serve_tls.h"

#include <errno.h>
#include <magpie/error.h>
#include <signal.h>
#include <stdio.h>

#ifdef MAGPIE_HAVE_TLS
static mag_tls_context_options options_of(const struct serve_tls *tls, mag_tls_certificate *pair)
{
	*pair = (mag_tls_certificate){ .chain_file = tls->cert, .key_file = tls->key };
	return (mag_tls_context_options){ .size = sizeof(mag_tls_context_options), .role = MAG_TLS_SERVER,
					  .certificates = pair, .certificate_count = 1, .alpn = tls->alpn };
}

int serve_tls_begin(struct serve_tls *tls, const char **why)
{
	mag_tls_certificate pair;
	mag_tls_context_options o = options_of(tls, &pair);
	int rc = mag_tls_context_init(&tls->context, &o);

	*why = mag_tls_context_why(&tls->context);
	return rc;
}

void serve_tls_end(struct serve_tls *tls)
{
	mag_tls_context_fini(&tls->context);
}

static void say(const struct serve_tls *tls, int64_t rc)
{
	if (rc < 0)
		fprintf(stderr, "magpie serve: the certificate stays as it was: %s\n", mag_tls_context_why(&tls->context));
	else
		fprintf(stderr, "magpie serve: took the certificate in %s\n", tls->cert);
}

MAG_TASK(serve_tls_keeper)
{
	MAG_BEGIN(serve_tls_keeper);
	self->rc = mag_signal_open(&self->hup, SIGHUP);
	if (self->rc < 0)
		MAG_RETURN(self->rc);
	for (;;) {
		MAG_AWAIT(self->rc, mag_signal_next, &self->hup);
		if (self->rc < 0)
			break;
		self->options = options_of(self->tls, &self->pair);
		MAG_AWAIT(self->rc, mag_tls_reload, &self->tls->context, &self->options);
		if (self->rc == MAG_ECANCELED)
			break;
		say(self->tls, self->rc);
	}
	mag_signal_close(&self->hup);
	MAG_RETURN(0);
	MAG_END;
}
#else
int serve_tls_begin(struct serve_tls *tls, const char **why)
{
	(void)tls;
	*why = "this command was built without TLS";
	return -ENOTSUP;
}

void serve_tls_end(struct serve_tls *tls)
{
	(void)tls;
}

MAG_TASK(serve_tls_keeper)
{
	MAG_BEGIN(serve_tls_keeper);
	MAG_RETURN(0);
	MAG_END;
}
#endif
