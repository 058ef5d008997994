/* SPDX-License-Identifier: MIT */
/* session.c - a session's life, and what is asked of it. */
#include <arpa/inet.h>
#include <errno.h>
#include <magpie/addr.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <string.h>

#include "tls/keys.h"
#include "tls/session.h"

static bool is_address(const char *host)
{
	unsigned char ip[16];

	return inet_pton(AF_INET, host, ip) == 1 || inet_pton(AF_INET6, host, ip) == 1;
}

/* What may stand in a certificate; OpenSSL would take a list of names by a 0 or a leading dot. */
static bool is_name(const char *host)
{
	size_t len = strlen(host);

	if (len == 0 || len > 253 || host[0] == '.')
		return false;
	return strspn(host, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.") == len;
}

static int set_host(mag_tls *tls, const char *host)
{
	X509_VERIFY_PARAM *param = SSL_get0_param(tls->ssl);
	size_t len = strlen(host);
	bool address = is_address(host);

	if (!address && !is_name(host)) {
		tls->why = "the host is neither a name nor an address";
		return -EINVAL;
	}
	tls->host = OPENSSL_strdup(host);
	if (!tls->host)
		return -ENOMEM;
	if (address)
		return X509_VERIFY_PARAM_set1_ip_asc(param, host) ? 0 : -ENOMEM;
	if (len > 1 && host[len - 1] == '.') /* the root is no part of a name in a certificate */
		tls->host[len - 1] = 0;
	X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
	if (!X509_VERIFY_PARAM_set1_host(param, tls->host, 0) || !SSL_set_tlsext_host_name(tls->ssl, tls->host))
		return -ENOMEM;
	return 0;
}

/* Of the other end. */
static uint16_t port_of(mag_fd fd)
{
	mag_addr peer;
	int port = mag_fd_peer_addr(fd, &peer) < 0 ? 0 : mag_addr_port(&peer);

	return port < 0 ? 0 : (uint16_t)port;
}

static int set_up(mag_tls *tls, const char *host)
{
	int rc;

	tls->ssl = SSL_new(tls->keys->ssl);
	if (!tls->ssl || !SSL_set_app_data(tls->ssl, tls))
		return -ENOMEM;
	rc = magi_tls_wire(tls, tls->keys->bio);
	if (rc == 0 && tls->context->role == MAG_TLS_SERVER)
		SSL_set_accept_state(tls->ssl);
	else if (rc == 0)
		SSL_set_connect_state(tls->ssl);
	if (rc == 0 && host)
		rc = set_host(tls, host);
	if (rc == 0 && tls->host) {
		tls->port = port_of(tls->fd);
		magi_tls_ticket_use(tls->keys, tls);
	}
	return rc;
}

int mag_tls_init(mag_tls *tls, mag_tls_context *context, mag_fd fd, const char *host)
{
	const char *why;
	int rc;

	if (!tls)
		return -EINVAL;
	memset(tls, 0, offsetof(mag_tls, small));
	tls->why = "";
	if (!context || !context->role || (host && context->role == MAG_TLS_SERVER)) {
		tls->why = "no context, or a server's session with a host to verify";
		return -EINVAL;
	}
	tls->context = context;
	tls->fd = fd;
	tls->keys = magi_tls_keys_take(context);
	if (!host && context->role == MAG_TLS_CLIENT && tls->keys->verifies) {
		tls->why = "the certificate is to be verified, but no host is given";
		rc = -EINVAL;
	} else {
		rc = set_up(tls, host);
		ERR_clear_error();
	}
	if (rc == 0)
		return 0;
	why = rc == -ENOMEM ? "no memory" : tls->why;
	mag_tls_fini(tls);
	tls->why = why;
	return rc;
}

void mag_tls_fini(mag_tls *tls)
{
	if (!tls || !tls->context)
		return;
	/* a connection that was not shut down is no reason not to resume the session */
	if (tls->ssl && tls->shaken && !tls->broken)
		SSL_set_shutdown(tls->ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
	SSL_free(tls->ssl);
	magi_tls_bytes_free(tls, &tls->in);
	magi_tls_bytes_free(tls, &tls->out);
	magi_tls_bytes_free(tls, &tls->flight);
	OPENSSL_free(tls->host);
	OPENSSL_free(tls->words);
	magi_tls_keys_give(tls->keys, 1);
	memset(tls, 0, offsetof(mag_tls, small));
	tls->why = "";
}

bool mag_tls_has_more(const mag_tls *tls)
{
	return tls && tls->ssl && (SSL_pending(tls->ssl) > 0 || tls->in.start != tls->in.end);
}

const char *mag_tls_alpn(const mag_tls *tls)
{
	return tls ? tls->alpn : NULL;
}

const char *mag_tls_version_name(const mag_tls *tls)
{
	return tls && tls->shaken ? SSL_get_version(tls->ssl) : NULL;
}

const char *mag_tls_cipher(const mag_tls *tls)
{
	return tls && tls->shaken ? SSL_get_cipher_name(tls->ssl) : NULL;
}

const char *mag_tls_sni(const mag_tls *tls)
{
	return tls && tls->ssl ? SSL_get_servername(tls->ssl, TLSEXT_NAMETYPE_host_name) : NULL;
}

bool mag_tls_resumed(const mag_tls *tls)
{
	return tls && tls->shaken && SSL_session_reused(tls->ssl);
}

int mag_tls_peer(const mag_tls *tls, char *text, size_t size)
{
	X509 *peer = tls && tls->shaken ? SSL_get0_peer_certificate(tls->ssl) : NULL;
	BIO *bio;
	char *name;
	long len;

	if (!text || !size)
		return -EINVAL;
	text[0] = 0;
	if (!peer)
		return -ENOENT;
	bio = BIO_new(BIO_s_mem());
	if (!bio || X509_NAME_print_ex(bio, X509_get_subject_name(peer), 0, XN_FLAG_RFC2253) < 0) {
		BIO_free(bio);
		ERR_clear_error();
		return -ENOMEM;
	}
	len = BIO_get_mem_data(bio, &name);
	memcpy(text, name, (size_t)len < size ? (size_t)len : size - 1);
	text[(size_t)len < size ? (size_t)len : size - 1] = 0;
	BIO_free(bio);
	return (int)len;
}

enum mag_tls_fault mag_tls_fault(const mag_tls *tls)
{
	return tls ? (enum mag_tls_fault)tls->fault : MAG_TLS_FINE;
}

const char *mag_tls_why(const mag_tls *tls)
{
	return tls && tls->why ? tls->why : "";
}

unsigned mag_tls_alert(const mag_tls *tls)
{
	return tls ? tls->alert : 0;
}
