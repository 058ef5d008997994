/* SPDX-License-Identifier: MIT */
/* ticket.c - a client keeps the newest ticket of each host and port, for one use (RFC 8446, C.4): the server gives another.
 *
 * Who:     sessions on any thread, under the context's lock.
 * Not:     OpenSSL's cache: it is by session, and a client asks by whom it talks to. */
#include <string.h>

#include "tls/keys.h"
#include "tls/session.h"

static bool is_of(const struct magi_tls_ticket *t, const mag_tls *tls)
{
	return t->host && t->port == tls->port && strcmp(t->host, tls->host) == 0;
}

/* The server's place; else an empty one; else that of the one not heard of for longest. */
static struct magi_tls_ticket *place_of(struct magi_tls_keys *k, const mag_tls *tls)
{
	struct magi_tls_ticket *best = &k->tickets[0];

	for (size_t i = 0; i < MAG_TLS_RESUMED_HOSTS; i++) {
		struct magi_tls_ticket *t = &k->tickets[i];

		if (is_of(t, tls))
			return t;
		if (t->used < best->used)
			best = t;
	}
	return best;
}

/* OpenSSL has got one. 1: it is ours now. */
static int keep(SSL *ssl, SSL_SESSION *session)
{
	mag_tls *tls = SSL_get_app_data(ssl);
	struct magi_tls_keys *k = tls->keys;
	struct magi_tls_ticket *t, old = { 0 };
	char *host;

	if (!tls->host || !SSL_SESSION_is_resumable(session))
		return 0;
	host = OPENSSL_strdup(tls->host);
	if (!host)
		return 0;
	pthread_mutex_lock(&k->context->lock);
	t = place_of(k, tls);
	old = *t;
	*t = (struct magi_tls_ticket){ host, tls->port, session, ++k->clock };
	pthread_mutex_unlock(&k->context->lock);
	SSL_SESSION_free(old.session);
	OPENSSL_free(old.host);
	return 1;
}

void magi_tls_tickets_keep(struct magi_tls_keys *k)
{
	SSL_CTX_set_session_cache_mode(k->ssl, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
	SSL_CTX_sess_set_new_cb(k->ssl, keep);
}

void magi_tls_ticket_use(struct magi_tls_keys *k, mag_tls *tls)
{
	SSL_SESSION *session = NULL;
	struct magi_tls_ticket *t;

	pthread_mutex_lock(&k->context->lock);
	t = place_of(k, tls);
	if (is_of(t, tls)) {
		session = t->session;
		t->session = NULL;
	}
	pthread_mutex_unlock(&k->context->lock);
	if (session)
		SSL_set_session(tls->ssl, session); /* an old one is the server's to refuse */
	SSL_SESSION_free(session);
}

void magi_tls_tickets_free(struct magi_tls_keys *k)
{
	for (size_t i = 0; i < MAG_TLS_RESUMED_HOSTS; i++) {
		SSL_SESSION_free(k->tickets[i].session);
		OPENSSL_free(k->tickets[i].host);
	}
}
