/* SPDX-License-Identifier: MIT */
/* alpn.c - the protocol above: RFC 7301. */
#include <errno.h>
#include <string.h>

#include "tls/keys.h"

/* The server's best that the client has, too; none: the handshake ends, as the RFC wants it. */
static int select_protocol(SSL *ssl, const unsigned char **out, unsigned char *out_len, const unsigned char *in,
			   unsigned in_len, void *arg)
{
	const struct magi_tls_keys *k = arg;
	unsigned char *found;

	(void)ssl;
	if (SSL_select_next_proto(&found, out_len, k->alpn, (unsigned)k->alpn_len, in, in_len) != OPENSSL_NPN_NEGOTIATED)
		return SSL_TLSEXT_ERR_ALERT_FATAL;
	*out = found;
	return SSL_TLSEXT_ERR_OK;
}

int magi_tls_alpn_set(struct magi_tls_keys *k, const char *list)
{
	size_t at = 0;
	int count = 0;

	for (const char *p = list;; p++) {
		size_t len = strcspn(p, ",");

		if (len == 0 || len > 255 || at + 1 + len > sizeof(k->alpn) || ++count > MAG_TLS_ALPN_MAX)
			return -EINVAL;
		k->alpn[at] = (unsigned char)len;
		memcpy(k->alpn + at + 1, p, len);
		memcpy(k->alpn_names + at, p, len); /* the 0 behind it is where the next one's length is */
		at += 1 + len;
		p += len;
		if (!*p)
			break;
	}
	k->alpn_len = at;
	if (k->context->role == MAG_TLS_SERVER)
		SSL_CTX_set_alpn_select_cb(k->ssl, select_protocol, k);
	else if (SSL_CTX_set_alpn_protos(k->ssl, k->alpn, (unsigned)at))
		return -ENOMEM;
	return 0;
}

const char *magi_tls_alpn_name(const struct magi_tls_keys *k, const unsigned char *name, size_t len)
{
	for (size_t at = 0; at < k->alpn_len; at += 1u + k->alpn[at]) {
		if (k->alpn[at] == len && memcmp(k->alpn + at + 1, name, len) == 0)
			return k->alpn_names + at;
	}
	return NULL;
}
