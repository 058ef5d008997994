/* SPDX-License-Identifier: MIT */
/* certificate.c - certificates and keys in PEM: loading them, saying what is wrong, choosing one by the host's name. */
#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <string.h>

#include "tls/keys.h"

static const char *name_of(const char *file)
{
	return file ? file : "the PEM string";
}

/* A file or a string to read from. */
static int open_pem(mag_tls_context *c, const char *file, const char *text, BIO **bio)
{
	FILE *stream;
	int rc = 0;

	*bio = NULL;
	if (!file) {
		*bio = BIO_new_mem_buf(text, -1);
	} else {
		stream = fopen(file, "re");
		if (!stream) {
			rc = -errno;
			return magi_tls_context_fail(c, MAG_TLS_FILE, rc, "%s: %s", file, strerror(-rc));
		}
		*bio = BIO_new_fp(stream, BIO_CLOSE);
		if (!*bio)
			fclose(stream);
	}
	return *bio ? 0 : magi_tls_context_fail(c, MAG_TLS_MEMORY, -ENOMEM, "no memory");
}

/* Says that something is encrypted: nobody is at the terminal to be asked for a password. */
static int note_locked(char *buf, int size, int writing, void *locked)
{
	(void)buf, (void)size, (void)writing;
	*(bool *)locked = true;
	return -1;
}

/* Whether the error is only that there is no further certificate. */
static bool at_end(void)
{
	unsigned long e = ERR_peek_last_error();

	return !e || (ERR_GET_LIB(e) == ERR_LIB_PEM && ERR_GET_REASON(e) == PEM_R_NO_START_LINE);
}

static int load_chain(mag_tls_context *c, const char *file, const char *pem, struct magi_tls_identity *id)
{
	bool locked = false;
	BIO *bio;
	X509 *next;
	char text[160];
	int rc = open_pem(c, file, pem, &bio);

	if (rc < 0)
		return rc;
	id->leaf = PEM_read_bio_X509_AUX(bio, NULL, note_locked, &locked);
	id->chain = sk_X509_new_null();
	while (id->leaf && id->chain && (next = PEM_read_bio_X509(bio, NULL, note_locked, &locked))) {
		if (!sk_X509_push(id->chain, next))
			X509_free(next);
	}
	BIO_free(bio);
	if (!id->leaf && at_end())
		rc = magi_tls_context_fail(c, MAG_TLS_NOT_PEM, -EBADMSG, "%s: no certificate in it", name_of(file));
	else if (!id->leaf || !at_end())
		rc = magi_tls_context_fail(c, MAG_TLS_NOT_PEM, -EBADMSG, "%s: a damaged certificate: %s", name_of(file),
					   magi_tls_openssl_says(text, sizeof(text)));
	ERR_clear_error();
	return rc;
}

static int load_key(mag_tls_context *c, const char *file, const char *pem, struct magi_tls_identity *id)
{
	bool locked = false;
	char text[160];
	BIO *bio;
	int rc = open_pem(c, file, pem, &bio);

	if (rc < 0)
		return rc;
	id->key = PEM_read_bio_PrivateKey(bio, NULL, note_locked, &locked);
	BIO_free(bio);
	if (locked)
		rc = magi_tls_context_fail(c, MAG_TLS_KEY_LOCKED, -EBADMSG, "%s: the key is encrypted", name_of(file));
	else if (!id->key)
		rc = magi_tls_context_fail(c, MAG_TLS_NOT_PEM, -EBADMSG, "%s: no key in it: %s", name_of(file),
					   magi_tls_openssl_says(text, sizeof(text)));
	ERR_clear_error();
	return rc;
}

static int check(mag_tls_context *c, const mag_tls_context_options *o, const mag_tls_certificate *given,
		 const struct magi_tls_identity *id)
{
	const char *chain = name_of(given->chain_file);

	if (!X509_check_private_key(id->leaf, id->key))
		return magi_tls_context_fail(c, MAG_TLS_KEY_MISMATCH, -EKEYREJECTED, "%s: the key is not that of %s",
					     name_of(given->key_file), chain);
	if (!o->allow_expired && X509_cmp_current_time(X509_get0_notAfter(id->leaf)) < 0)
		return magi_tls_context_fail(c, MAG_TLS_EXPIRED, -EKEYREJECTED, "%s: the certificate has expired", chain);
	if (!o->allow_expired && X509_cmp_current_time(X509_get0_notBefore(id->leaf)) > 0)
		return magi_tls_context_fail(c, MAG_TLS_NOT_YET, -EKEYREJECTED, "%s: the certificate is not valid yet", chain);
	return 0;
}

int magi_tls_identity_load(mag_tls_context *c, const mag_tls_context_options *o, uint32_t i, struct magi_tls_identity *id)
{
	const mag_tls_certificate *given = &o->certificates[i];
	int rc;

	if (!given->chain_file == !given->chain_pem || !given->key_file == !given->key_pem)
		return magi_tls_context_fail(c, MAG_TLS_OPTIONS, -EINVAL,
					     "certificate %u: one file or string for the chain, and one for the key", i);
	rc = load_chain(c, given->chain_file, given->chain_pem, id);
	if (rc == 0)
		rc = load_key(c, given->key_file, given->key_pem, id);
	if (rc == 0)
		rc = check(c, o, given, id);
	ERR_clear_error();
	if (rc < 0)
		magi_tls_identity_free(id);
	return rc;
}

void magi_tls_identity_free(struct magi_tls_identity *id)
{
	X509_free(id->leaf);
	sk_X509_pop_free(id->chain, X509_free);
	EVP_PKEY_free(id->key);
	memset(id, 0, sizeof(*id));
}

static int trust_pem(mag_tls_context *c, SSL_CTX *ssl, const char *pem)
{
	struct magi_tls_identity all = { 0 };
	X509_STORE *store = SSL_CTX_get_cert_store(ssl);
	int rc = load_chain(c, NULL, pem, &all);
	bool good = rc == 0 && X509_STORE_add_cert(store, all.leaf);

	for (int i = 0; good && i < sk_X509_num(all.chain); i++)
		good = X509_STORE_add_cert(store, sk_X509_value(all.chain, i));
	magi_tls_identity_free(&all);
	if (rc == 0 && !good)
		rc = magi_tls_context_fail(c, MAG_TLS_MEMORY, -ENOMEM, "no memory");
	return rc;
}

int magi_tls_trust(mag_tls_context *c, SSL_CTX *ssl, const mag_tls_context_options *o)
{
	char text[160];
	FILE *probe;
	int rc = 0;

	if (!o->ca_file && !o->ca_dir && !o->ca_pem && !SSL_CTX_set_default_verify_paths(ssl))
		return magi_tls_context_fail(c, MAG_TLS_MEMORY, -ENOMEM, "no memory");
	if (o->ca_pem)
		rc = trust_pem(c, ssl, o->ca_pem);
	if (rc == 0 && o->ca_file) {
		probe = fopen(o->ca_file, "re");
		if (!probe) {
			rc = -errno;
			return magi_tls_context_fail(c, MAG_TLS_FILE, rc, "%s: %s", o->ca_file, strerror(-rc));
		}
		fclose(probe);
		if (!SSL_CTX_load_verify_file(ssl, o->ca_file))
			rc = magi_tls_context_fail(c, MAG_TLS_NOT_PEM, -EBADMSG, "%s: no certificate in it: %s", o->ca_file,
						   magi_tls_openssl_says(text, sizeof(text)));
	}
	if (rc == 0 && o->ca_dir && !SSL_CTX_load_verify_dir(ssl, o->ca_dir))
		rc = magi_tls_context_fail(c, MAG_TLS_MEMORY, -ENOMEM, "no memory");
	return rc;
}

static const struct magi_tls_identity *find(const struct magi_tls_keys *k, const char *host, unsigned flags)
{
	for (uint32_t i = 0; i < k->identity_count; i++) {
		if (X509_check_host(k->identities[i].leaf, host, 0, flags, NULL) == 1)
			return &k->identities[i];
	}
	return NULL;
}

int magi_tls_choose(SSL *ssl, void *keys)
{
	const struct magi_tls_keys *k = keys;
	const char *host = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
	const struct magi_tls_identity *id = NULL;

	if (host)
		id = find(k, host, X509_CHECK_FLAG_NEVER_CHECK_SUBJECT | X509_CHECK_FLAG_NO_WILDCARDS);
	if (host && !id)
		id = find(k, host, X509_CHECK_FLAG_NEVER_CHECK_SUBJECT | X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	if (!id || id == &k->identities[0])
		return 1;
	SSL_certs_clear(ssl); /* the first one may have a key of another kind: it would stay a choice */
	return SSL_use_cert_and_key(ssl, id->leaf, id->key, id->chain, 1);
}
