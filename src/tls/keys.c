/* SPDX-License-Identifier: MIT */
/* keys.c - OpenSSL's context, as the options have it. */
#include "tls/keys.h"

#include <errno.h>
#include <openssl/err.h>
#include <string.h>

/* Of TLS 1.2 what has forward secrecy and authenticates as it encrypts. */
#define CIPHERS_1_2 "ECDHE+AESGCM:ECDHE+CHACHA20"

static int no_memory(mag_tls_context *c)
{
	ERR_clear_error();
	return magi_tls_context_fail(c, MAG_TLS_MEMORY, -ENOMEM, "no memory");
}

static int set_protocol(struct magi_tls_keys *k, const mag_tls_context_options *o)
{
	int least = o->min_version ? (int)o->min_version : TLS1_2_VERSION;

	if (!SSL_CTX_set_min_proto_version(k->ssl, least) || !SSL_CTX_set_cipher_list(k->ssl, CIPHERS_1_2))
		return no_memory(k->context);
	SSL_CTX_set_options(k->ssl, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE |
					    SSL_OP_PRIORITIZE_CHACHA);
	/* what a session reads and writes by is given back between records */
	SSL_CTX_set_mode(k->ssl, SSL_MODE_RELEASE_BUFFERS);
	SSL_CTX_set_session_cache_mode(k->ssl, SSL_SESS_CACHE_OFF); /* a server's sessions are in their tickets */
	if (o->no_tickets) {
		SSL_CTX_set_options(k->ssl, SSL_OP_NO_TICKET);
		SSL_CTX_set_num_tickets(k->ssl, 0);
	} else if (o->role == MAG_TLS_CLIENT) {
		magi_tls_tickets_keep(k);
	}
	if (!SSL_CTX_set_session_id_context(k->ssl, (const unsigned char *)"magpie", 6))
		return no_memory(k->context);
	if (o->alpn && magi_tls_alpn_set(k, o->alpn) < 0)
		return magi_tls_context_fail(k->context, MAG_TLS_OPTIONS, -EINVAL,
					     "alpn is a list of protocols with commas between, %d at most", MAG_TLS_ALPN_MAX);
	return 0;
}

static int set_verify(struct magi_tls_keys *k, const mag_tls_context_options *o)
{
	enum mag_tls_verify verify = o->verify;
	int mode = SSL_VERIFY_NONE;

	if (verify == MAG_TLS_VERIFY_DEFAULT)
		verify = o->role == MAG_TLS_CLIENT ? MAG_TLS_VERIFY_REQUIRED : MAG_TLS_VERIFY_NONE;
	k->verifies = verify != MAG_TLS_VERIFY_NONE;
	if (verify == MAG_TLS_VERIFY_OPTIONAL)
		mode = SSL_VERIFY_PEER;
	else if (verify == MAG_TLS_VERIFY_REQUIRED)
		mode = SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
	SSL_CTX_set_verify(k->ssl, mode, k->verifies ? magi_tls_verified : NULL);
	return k->verifies ? magi_tls_trust(k->context, k->ssl, o) : 0;
}

/* The first one is OpenSSL's default; magi_tls_choose takes the others. */
static int set_certificates(struct magi_tls_keys *k, const mag_tls_context_options *o)
{
	struct magi_tls_identity *first;
	char text[160];
	int rc;

	if (!o->certificate_count)
		return 0;
	k->identities = OPENSSL_zalloc(o->certificate_count * sizeof(*k->identities));
	if (!k->identities)
		return no_memory(k->context);
	for (; k->identity_count < o->certificate_count; k->identity_count++) {
		rc = magi_tls_identity_load(k->context, o, k->identity_count, &k->identities[k->identity_count]);
		if (rc < 0)
			return rc;
	}
	first = &k->identities[0];
	if (!SSL_CTX_use_cert_and_key(k->ssl, first->leaf, first->key, first->chain, 1))
		return magi_tls_context_fail(k->context, MAG_TLS_CERTIFICATE, -EKEYREJECTED, "the certificate is refused: %s",
					     magi_tls_openssl_says(text, sizeof(text)));
	if (o->role == MAG_TLS_SERVER && k->identity_count > 1)
		SSL_CTX_set_cert_cb(k->ssl, magi_tls_choose, k);
	return 0;
}

int magi_tls_keys_make(mag_tls_context *c, const mag_tls_context_options *o, struct magi_tls_keys **keys)
{
	struct magi_tls_keys *k;
	int rc;

	ERR_clear_error();
	k = OPENSSL_zalloc(sizeof(*k));
	if (!k)
		return no_memory(c);
	k->context = c;
	k->refs = 1;
	k->handshake_ns = o->handshake_ns ? o->handshake_ns : MAG_TLS_HANDSHAKE_NS;
	k->shutdown_ns = o->shutdown_ns ? o->shutdown_ns : MAG_TLS_SHUTDOWN_NS;
	k->offload = o->offload;
	k->bio = magi_tls_wire_method();
	k->ssl = SSL_CTX_new(o->role == MAG_TLS_CLIENT ? TLS_client_method() : TLS_server_method());
	rc = k->bio && k->ssl ? set_protocol(k, o) : no_memory(c);
	if (rc == 0)
		rc = set_verify(k, o);
	if (rc == 0)
		rc = set_certificates(k, o);
	ERR_clear_error();
	if (rc < 0)
		magi_tls_keys_destroy(k);
	else
		*keys = k;
	return rc;
}

void magi_tls_keys_destroy(struct magi_tls_keys *k)
{
	for (uint32_t i = 0; i < k->identity_count; i++)
		magi_tls_identity_free(&k->identities[i]);
	OPENSSL_free(k->identities);
	magi_tls_tickets_free(k);
	SSL_CTX_free(k->ssl);
	BIO_meth_free(k->bio);
	OPENSSL_free(k);
}
