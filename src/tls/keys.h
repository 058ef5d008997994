/* SPDX-License-Identifier: MIT */
/* keys.h - what a context's sessions use until they end: OpenSSL's own context with its certificates, counted. A reload
 * makes new ones. */
#ifndef MAGPIE_TLS_KEYS_H
#define MAGPIE_TLS_KEYS_H

#include <magpie/tls.h>
#include <magpie/tls_context.h>
#include <openssl/ssl.h>

/* A certificate with what follows it, and its key. */
struct magi_tls_identity {
	X509 *leaf;
	STACK_OF(X509) *chain;
	EVP_PKEY *key;
};

/* A client's newest ticket for a host and a port: what listens at another one has other keys. */
struct magi_tls_ticket {
	char *host;
	uint16_t port;
	SSL_SESSION *session;
	uint64_t used; /* when, in lookups: the oldest makes room */
};

struct magi_tls_keys {
	mag_tls_context *context; /* its lock guards `refs` and `tickets` */
	uint32_t refs;            /* sessions, and the context while they are the newest */
	SSL_CTX *ssl;
	BIO_METHOD *bio;
	struct magi_tls_identity *identities;
	uint32_t identity_count;
	uint64_t handshake_ns, shutdown_ns;
	bool offload;
	bool verifies; /* the other end's certificate */
	size_t alpn_len;
	unsigned char alpn[256];            /* as in the protocol: each with its length in front */
	char alpn_names[256];               /* as strings, in the same places */
	uint64_t clock;
	struct magi_tls_ticket tickets[MAG_TLS_RESUMED_HOSTS];
};

/* 0 and *keys with one reference, or an error, told in the context. */
int magi_tls_keys_make(mag_tls_context *context, const mag_tls_context_options *o, struct magi_tls_keys **keys);
void magi_tls_keys_destroy(struct magi_tls_keys *keys);

/* The newest keys, for one more session. */
struct magi_tls_keys *magi_tls_keys_take(mag_tls_context *context);
/* A reference goes: that of a session (1), or of the context (0). The last one takes the keys with it. */
void magi_tls_keys_give(struct magi_tls_keys *keys, uint32_t sessions);

/* certificate.c: loads the i-th certificate of the options. */
int magi_tls_identity_load(mag_tls_context *context, const mag_tls_context_options *o, uint32_t i,
			   struct magi_tls_identity *identity);
void magi_tls_identity_free(struct magi_tls_identity *identity);
/* The certificate of a PEM string or file. */
int magi_tls_trust(mag_tls_context *context, SSL_CTX *ssl, const mag_tls_context_options *o);
/* Called by OpenSSL when the client has said which host it wants. */
int magi_tls_choose(SSL *ssl, void *keys);

/* alpn.c */
int magi_tls_alpn_set(struct magi_tls_keys *keys, const char *list);
const char *magi_tls_alpn_name(const struct magi_tls_keys *keys, const unsigned char *name, size_t len);

/* ticket.c: a client's tickets. */
void magi_tls_tickets_keep(struct magi_tls_keys *keys);
void magi_tls_ticket_use(struct magi_tls_keys *keys, mag_tls *tls);
void magi_tls_tickets_free(struct magi_tls_keys *keys);

/* wire.c */
BIO_METHOD *magi_tls_wire_method(void);

/* words.c: notes what is wrong with the context; returns rc. */
int magi_tls_context_fail(mag_tls_context *context, enum mag_tls_fault fault, int rc, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
/* What OpenSSL says about the last error, and forgets it. */
const char *magi_tls_openssl_says(char *text, size_t size);
/* Notes in the session what is wrong with the other end's certificate. */
int magi_tls_verified(int good, X509_STORE_CTX *store);
/* What kind of fault an X509_V_ERR_… is. */
enum mag_tls_fault magi_tls_verify_fault(long result);

#endif
