/* SPDX-License-Identifier: MIT */
/* contexts.h - a server's and a client's context that trust each other, for a suite's .init and .fini. */
#ifndef MAGPIE_TESTS_TLS_CONTEXTS_H
#define MAGPIE_TESTS_TLS_CONTEXTS_H

#include "tls/certs.h"

static struct certs certs;
static mag_tls_context server, client;

static void set_up(void)
{
	mag_tls_certificate site;

	certs = certs_make();
	site = shown(&certs.site);
	CONTEXT(&server, .role = MAG_TLS_SERVER, .certificates = &site, .certificate_count = 1);
	CONTEXT(&client, .role = MAG_TLS_CLIENT, .ca_pem = certs.ca.pem);
}

static void tear_down(void)
{
	cr_assert_eq(mag_tls_context_fini(&server), 0);
	cr_assert_eq(mag_tls_context_fini(&client), 0);
	certs_free(&certs);
}

#endif
