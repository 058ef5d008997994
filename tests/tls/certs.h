/* SPDX-License-Identifier: MIT */
/* certs.h - certificates made at test time: authorities, and what they sign. */
#ifndef MAGPIE_TESTS_TLS_CERTS_H
#define MAGPIE_TESTS_TLS_CERTS_H

#include <criterion/criterion.h>
#include <magpie/time.h>
#include <magpie/tls.h>
#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

#ifdef MAGI_TSAN
/* OpenSSL's own counts of references are out of its sight: that whoever frees comes after all others. */
const char *__tsan_default_suppressions(void);
const char *__tsan_default_suppressions(void)
{
	return "race:OPENSSL_sk_free\nrace:CRYPTO_free\n";
}
#endif

struct authority {
	X509 *cert;
	EVP_PKEY *key;
	char *pem;
};

struct leaf {
	char *chain, *key;
};

static inline char *string_of(BIO *bio)
{
	char *data, *text;
	long len = BIO_get_mem_data(bio, &data);

	text = calloc(1, (size_t)len + 1);
	memcpy(text, data, (size_t)len);
	BIO_free(bio);
	return text;
}

static inline char *pem_of_cert(X509 *cert)
{
	BIO *bio = BIO_new(BIO_s_mem());

	PEM_write_bio_X509(bio, cert);
	return string_of(bio);
}

static inline char *pem_of_key(EVP_PKEY *key, const char *password)
{
	BIO *bio = BIO_new(BIO_s_mem());

	PEM_write_bio_PrivateKey(bio, key, password ? EVP_aes_128_cbc() : NULL, NULL, 0, NULL, (void *)(uintptr_t)password);
	return string_of(bio);
}

static inline void extend(X509 *cert, X509 *issuer, int what, const char *value)
{
	X509V3_CTX ctx;
	X509_EXTENSION *e;

	X509V3_set_ctx(&ctx, issuer, cert, NULL, NULL, 0);
	e = X509V3_EXT_conf_nid(NULL, &ctx, what, value);
	cr_assert_not_null(e);
	X509_add_ext(cert, e, -1);
	X509_EXTENSION_free(e);
}

/* Valid from so many days from now to so many; issuer NULL: signed by itself. */
static inline X509 *cert_of(const char *name, EVP_PKEY *key, const struct authority *issuer, const char *names, int from,
			    int to)
{
	static long serial = 1;
	X509 *cert = X509_new();

	X509_set_version(cert, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(cert), serial++);
	X509_gmtime_adj(X509_getm_notBefore(cert), 86400L * from);
	X509_gmtime_adj(X509_getm_notAfter(cert), 86400L * to);
	X509_set_pubkey(cert, key);
	X509_NAME_add_entry_by_txt(X509_get_subject_name(cert), "CN", MBSTRING_UTF8, (const unsigned char *)name, -1, -1, 0);
	X509_set_issuer_name(cert, X509_get_subject_name(issuer ? issuer->cert : cert));
	extend(cert, issuer ? issuer->cert : cert, NID_basic_constraints, issuer ? "CA:FALSE" : "critical,CA:TRUE");
	if (names)
		extend(cert, issuer->cert, NID_subject_alt_name, names);
	cr_assert(X509_sign(cert, issuer ? issuer->key : key, EVP_sha256()));
	return cert;
}

static inline struct authority authority_make(const char *name)
{
	struct authority a = { .key = EVP_EC_gen("P-256") };

	a.cert = cert_of(name, a.key, NULL, NULL, -1, 365);
	a.pem = pem_of_cert(a.cert);
	return a;
}

static inline void authority_free(struct authority *a)
{
	X509_free(a->cert);
	EVP_PKEY_free(a->key);
	free(a->pem);
}

static inline struct leaf leaf_make(const struct authority *a, const char *name, const char *names, int from, int to)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *cert = cert_of(name, key, a, names, from, to);
	struct leaf l = { pem_of_cert(cert), pem_of_key(key, NULL) };

	X509_free(cert);
	EVP_PKEY_free(key);
	return l;
}

static inline void leaf_free(struct leaf *l)
{
	free(l->chain);
	free(l->key);
}

/* An authority that is trusted, and the certificates that tests need. */
struct certs {
	struct authority ca, other;
	struct leaf site, expired, future, foreign, wild, client;
};

static inline struct certs certs_make(void)
{
	struct certs c = { .ca = authority_make("magpie test CA"), .other = authority_make("another CA") };

	c.site = leaf_make(&c.ca, "site", "DNS:example.org,IP:127.0.0.1", -1, 30);
	c.expired = leaf_make(&c.ca, "old", "DNS:example.org", -30, -1);
	c.future = leaf_make(&c.ca, "soon", "DNS:example.org", 1, 30);
	c.foreign = leaf_make(&c.other, "foreign", "DNS:example.org", -1, 30);
	c.wild = leaf_make(&c.ca, "wild", "DNS:*.example.net", -1, 30);
	c.client = leaf_make(&c.ca, "somebody", NULL, -1, 30);
	return c;
}

static inline void certs_free(struct certs *c)
{
	struct leaf *all[] = { &c->site, &c->expired, &c->future, &c->foreign, &c->wild, &c->client };

	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++)
		leaf_free(all[i]);
	authority_free(&c->ca);
	authority_free(&c->other);
}

static inline mag_tls_certificate shown(const struct leaf *l)
{
	return (mag_tls_certificate){ .chain_pem = l->chain, .key_pem = l->key };
}

/* Makes a context, which must succeed. */
/* Where no time is given, there is enough for a busy machine. */
static inline int context_make(mag_tls_context *context, mag_tls_context_options o)
{
	o.size = sizeof(o);
	o.handshake_ns = o.handshake_ns ? o.handshake_ns : 100 * MAG_SECOND;
	o.shutdown_ns = o.shutdown_ns ? o.shutdown_ns : 100 * MAG_SECOND;
	return mag_tls_context_init(context, &o);
}

#define CONTEXT(context, ...)                                                                                          \
	do {                                                                                                           \
		mag_tls_context_options context_options = { __VA_ARGS__ };                                             \
		int context_rc = context_make((context), context_options);                                             \
		cr_assert_eq(context_rc, 0, "%s: %s", mag_errname(context_rc), mag_tls_context_why(context));          \
	} while (0)

#endif
