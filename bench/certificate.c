/* SPDX-License-Identifier: MIT */
/* certificate.c - a certificate that vouches for itself, ECDSA on P-256. */
#include "site.h"

#include <errno.h>

#ifdef MAGPIE_HAVE_TLS
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

static bool fill(X509 *x, EVP_PKEY *key)
{
	X509_NAME *name = X509_get_subject_name(x);

	ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
	return X509_set_version(x, X509_VERSION_3) && X509_gmtime_adj(X509_getm_notBefore(x), -3600) &&
	       X509_gmtime_adj(X509_getm_notAfter(x), 86400) && X509_set_pubkey(x, key) &&
	       X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"127.0.0.1", -1, -1, 0) &&
	       X509_set_issuer_name(x, name) && X509_sign(x, key, EVP_sha256());
}

static bool save(const struct bench_site *site, X509 *x, EVP_PKEY *key)
{
	FILE *certificate = fopen(site->certificate, "w"), *secret = fopen(site->key, "w");
	bool ok = certificate && secret && PEM_write_X509(certificate, x) &&
		  PEM_write_PrivateKey(secret, key, NULL, NULL, 0, NULL, NULL);

	if (certificate)
		ok &= fclose(certificate) == 0;
	if (secret)
		ok &= fclose(secret) == 0;
	return ok;
}

int bench_site_certificate(const struct bench_site *site, struct bench_run *r)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *x = X509_new();
	bool ok = key && x && fill(x, key) && save(site, x, key);

	X509_free(x);
	EVP_PKEY_free(key);
	return ok ? 0 : bench_fail(r, -EIO, "no certificate can be made");
}
#else
int bench_site_certificate(const struct bench_site *site, struct bench_run *r)
{
	(void)site;
	return bench_fail(r, BENCH_SKIP, "this build has no TLS");
}
#endif
