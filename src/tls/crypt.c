/* SPDX-License-Identifier: MIT */
/* crypt.c - OpenSSL's operations on a session, none of which waits: session.h says who calls them. */
#include <errno.h>
#include <openssl/err.h>

#include "tls/keys.h"
#include "tls/session.h"

/* What came of an operation that did not succeed. */
static int64_t outcome(mag_tls *tls, int rc)
{
	switch (SSL_get_error(tls->ssl, rc)) {
	case SSL_ERROR_WANT_READ:
		if (!tls->feeding) /* a send, and a ticket, say, has come in part: OpenSSL wants the rest first */
			return -EAGAIN;
		if (tls->cut)
			return magi_tls_break(tls, MAG_TLS_TRUNCATED, MAG_EEOF, "the stream ended without close_notify%s",
					      tls->shaken ? "" : ", in the handshake");
		if (tls->out.end > MAGI_TLS_ANSWERS_MAX)
			return magi_tls_break(tls, MAG_TLS_PROTOCOL, -EPROTO, "the other end asks and does not read");
		return -EAGAIN;
	case SSL_ERROR_ZERO_RETURN:
		if (!tls->shaken)
			return magi_tls_break(tls, MAG_TLS_TRUNCATED, MAG_EEOF, "the other end has closed in the handshake");
		return 0;
	default:
		return magi_tls_break_by_openssl(tls);
	}
}

/* 0 if the session can be used. */
static int64_t usable(const mag_tls *tls)
{
	if (tls->broken)
		return tls->broken;
	return tls->shaken ? 0 : -ENOTCONN;
}

static void shaken(mag_tls *tls)
{
	const unsigned char *name;
	unsigned len;

	tls->shaken = true;
	SSL_get0_alpn_selected(tls->ssl, &name, &len);
	if (len)
		tls->alpn = magi_tls_alpn_name(tls->keys, name, len);
}

int64_t magi_tls_shake(mag_tls *tls)
{
	int64_t rc;
	int n;

	if (tls->broken || tls->shaken)
		return tls->broken;
	ERR_clear_error();
	tls->feeding = true;
	n = SSL_do_handshake(tls->ssl);
	rc = n == 1 ? 0 : outcome(tls, n);
	tls->feeding = false;
	if (n == 1)
		shaken(tls);
	return rc;
}

int64_t magi_tls_read(mag_tls *tls, void *buf, size_t len)
{
	int64_t rc = usable(tls);
	size_t n = 0;

	if (rc < 0)
		return rc;
	ERR_clear_error();
	tls->feeding = true;
	rc = SSL_read_ex(tls->ssl, buf, len, &n) ? (int64_t)n : outcome(tls, 0);
	tls->feeding = false;
	return rc;
}

int64_t magi_tls_write(mag_tls *tls, const void *buf, size_t len)
{
	int64_t rc = usable(tls);
	size_t n = 0;

	if (rc < 0)
		return rc;
	if (tls->ended)
		return -EPIPE;
	ERR_clear_error();
	return SSL_write_ex(tls->ssl, buf, len, &n) ? (int64_t)n : outcome(tls, 0);
}

int64_t magi_tls_go_on(mag_tls *tls)
{
	int64_t rc = usable(tls);
	int n;

	if (rc < 0 || !SSL_in_init(tls->ssl))
		return rc;
	ERR_clear_error();
	tls->feeding = true;
	n = SSL_do_handshake(tls->ssl);
	rc = n == 1 ? 0 : outcome(tls, n);
	tls->feeding = false;
	if (rc == 0 && SSL_in_init(tls->ssl))
		return magi_tls_break(tls, MAG_TLS_PROTOCOL, -EPROTO, "the other end has closed in the middle of a message");
	return rc;
}

int64_t magi_tls_end(mag_tls *tls)
{
	int64_t rc = usable(tls);

	if (rc < 0 || tls->ended)
		return rc;
	if (SSL_in_init(tls->ssl))
		return -EAGAIN;
	ERR_clear_error();
	tls->ended = true;
	return SSL_shutdown(tls->ssl) < 0 ? outcome(tls, -1) : 0;
}
