/* SPDX-License-Identifier: MIT */
/* words.c - what is wrong, as a kind and in words. */
#include <errno.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "tls/keys.h"
#include "tls/session.h"

int magi_tls_context_fail(mag_tls_context *c, enum mag_tls_fault fault, int rc, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(c->why, sizeof(c->why), format, args);
	va_end(args);
	c->fault = fault;
	return rc;
}

const char *magi_tls_openssl_says(char *text, size_t size)
{
	unsigned long e = ERR_peek_last_error();
	const char *reason = ERR_reason_error_string(e);

	snprintf(text, size, "%s", reason ? reason : "OpenSSL does not say why");
	ERR_clear_error();
	return text;
}

enum mag_tls_fault magi_tls_verify_fault(long result)
{
	switch (result) {
	case X509_V_ERR_CERT_HAS_EXPIRED:
		return MAG_TLS_EXPIRED;
	case X509_V_ERR_CERT_NOT_YET_VALID:
		return MAG_TLS_NOT_YET;
	case X509_V_ERR_HOSTNAME_MISMATCH:
	case X509_V_ERR_IP_ADDRESS_MISMATCH:
		return MAG_TLS_HOST;
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
	case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
	case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
	case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
	case X509_V_ERR_CERT_UNTRUSTED:
	case X509_V_ERR_CERT_SIGNATURE_FAILURE:
		return MAG_TLS_UNTRUSTED;
	default:
		return MAG_TLS_CERTIFICATE;
	}
}

int magi_tls_break(mag_tls *tls, enum mag_tls_fault fault, int rc, const char *format, ...)
{
	va_list args;

	if (tls->broken)
		return tls->broken;
	tls->broken = rc;
	tls->fault = (uint8_t)fault;
	tls->words = OPENSSL_malloc(MAG_TLS_WHY_BYTES);
	tls->why = tls->words ? tls->words : "no memory for the words";
	if (tls->words) {
		va_start(args, format);
		vsnprintf(tls->words, MAG_TLS_WHY_BYTES, format, args);
		va_end(args);
	}
	return rc;
}

/* Called by OpenSSL with what it finds: later it has forgotten the certificate. */
int magi_tls_verified(int good, X509_STORE_CTX *store)
{
	SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
	mag_tls *tls = SSL_get_app_data(ssl);
	X509 *cert = X509_STORE_CTX_get_current_cert(store);
	int result = X509_STORE_CTX_get_error(store);
	char subject[128] = "";

	if (good)
		return good;
	if (cert)
		X509_NAME_oneline(X509_get_subject_name(cert), subject, sizeof(subject));
	magi_tls_break(tls, magi_tls_verify_fault(result), -EKEYREJECTED, "the certificate of %s is not good: %s%s%s",
		       tls->host ? tls->host : "the client", X509_verify_cert_error_string(result),
		       *subject ? "; it is that of " : "", subject);
	return 0;
}

static int break_uncommon(mag_tls *tls, int reason)
{
	const char *what = reason == SSL_R_NO_SHARED_CIPHER		? "cipher" :
			   reason == SSL_R_NO_APPLICATION_PROTOCOL	? "protocol (ALPN)" :
									  "version";

	return magi_tls_break(tls, MAG_TLS_UNCOMMON, -EPROTO, "the two ends have no %s in common", what);
}

int magi_tls_break_by_openssl(mag_tls *tls)
{
	unsigned long e = ERR_peek_error(), last = ERR_peek_last_error();
	int reason = ERR_GET_REASON(e), alert = ERR_GET_REASON(last) - SSL_AD_REASON_OFFSET;
	const char *text = ERR_reason_error_string(e);
	int rc;

	if (reason == ERR_R_MALLOC_FAILURE || ERR_GET_REASON(last) == ERR_R_MALLOC_FAILURE || !e) {
		rc = magi_tls_break(tls, MAG_TLS_MEMORY, -ENOMEM, "no memory");
	} else if (ERR_GET_LIB(last) == ERR_LIB_SSL && alert > 0 && alert < 256) {
		tls->alert = (uint8_t)alert;
		text = ERR_reason_error_string(last); /* knows more names than SSL_alert_desc_string_long */
		rc = magi_tls_break(tls, MAG_TLS_ALERT, -EPROTO, "the other end refuses: %s (alert %d)",
				    text ? text : "nobody knows why", alert);
	} else if (ERR_GET_LIB(e) != ERR_LIB_SSL) {
		rc = magi_tls_break(tls, MAG_TLS_PROTOCOL, -EPROTO, "it is not TLS as it should be: %s",
				    text ? text : "OpenSSL does not say why");
	} else if (reason == SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE) {
		rc = magi_tls_break(tls, MAG_TLS_NO_CERTIFICATE, -EKEYREJECTED, "the client has shown no certificate");
	} else if (reason == SSL_R_NO_SHARED_CIPHER || reason == SSL_R_UNSUPPORTED_PROTOCOL ||
		   reason == SSL_R_VERSION_TOO_LOW || reason == SSL_R_NO_APPLICATION_PROTOCOL) {
		rc = break_uncommon(tls, reason);
	} else {
		rc = magi_tls_break(tls, MAG_TLS_PROTOCOL, -EPROTO, "it is not TLS as it should be: %s",
				    text ? text : "OpenSSL does not say why");
	}
	ERR_clear_error();
	return rc;
}
