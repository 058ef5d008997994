/* SPDX-License-Identifier: MIT */
/* load_error.c - kinds of errors and their names. */
#include "load_error.h"

#include <errno.h>
#include <magpie/error.h>

static const struct {
	const char *name, *words;
} kinds[LOAD_ERRORS] = {
	[LOAD_REFUSED] = { "connect_refused", "connection refused" },
	[LOAD_CONNECT_TIMEOUT] = { "connect_timeout", "no connection in time" },
	[LOAD_CONNECT] = { "connect", "no connection" },
	[LOAD_LOCAL] = { "local_limit", "out of ports, files or memory here" },
	[LOAD_TLS] = { "tls", "TLS failed" },
	[LOAD_TIMEOUT] = { "timeout", "no answer in time" },
	[LOAD_RESET] = { "reset", "connection reset" },
	[LOAD_CLOSED] = { "closed_early", "closed before the whole answer" },
	[LOAD_MALFORMED] = { "malformed", "malformed answer" },
	[LOAD_TOO_LARGE] = { "too_large", "answer too large" },
	[LOAD_WRITE] = { "write", "sending failed" },
	[LOAD_READ] = { "read", "receiving failed" },
};

static enum load_error of_connecting(int64_t rc)
{
	switch (rc) {
	case -ECONNREFUSED:
		return LOAD_REFUSED;
	case -ETIMEDOUT:
	case MAG_ETIMEDOUT:
		return LOAD_CONNECT_TIMEOUT;
	case -ECONNRESET:
		return LOAD_RESET;
	case -EPROTO: /* connecting ends with the handshake */
	case -EKEYREJECTED:
	case MAG_EEOF:
		return LOAD_TLS;
	case -EADDRNOTAVAIL:
	case -EAGAIN:
		return LOAD_LOCAL;
	default:
		return LOAD_CONNECT;
	}
}

enum load_error load_error_of(enum load_phase phase, int64_t rc)
{
	if (rc == -EMFILE || rc == -ENFILE || rc == -ENOMEM || rc == -ENOBUFS)
		return LOAD_LOCAL;
	if (phase == LOAD_CONNECTING)
		return of_connecting(rc);
	switch (rc) {
	case 0:
	case MAG_EEOF:
		return LOAD_CLOSED;
	case -ETIMEDOUT:
	case MAG_ETIMEDOUT:
		return LOAD_TIMEOUT;
	case -EPIPE:
	case -ECONNRESET:
		return LOAD_RESET;
	case -EPROTO:
		return LOAD_TLS;
	default:
		return phase == LOAD_SENDING ? LOAD_WRITE : LOAD_READ;
	}
}

const char *load_error_name(enum load_error error)
{
	return kinds[error].name;
}

const char *load_error_words(enum load_error error)
{
	return kinds[error].words;
}
