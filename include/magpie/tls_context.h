/* SPDX-License-Identifier: MIT */
/* tls_context.h - what TLS sessions (magpie/tls.h) have in common: certificates, whom they trust, protocols, limits.
 *
 *	mag_tls_certificate site = { .chain_file = "site.pem", .key_file = "site.key" };
 *	mag_tls_context_options options = { .size = sizeof(options), .role = MAG_TLS_SERVER, .certificates = &site,
 *					    .certificate_count = 1, .alpn = "http/1.1" };
 *
 *	rc = mag_tls_context_init(&context, &options);
 *	if (rc < 0)
 *		fprintf(stderr, "%s\n", mag_tls_context_why(&context));
 *
 * The protocol is TLS 1.2 or 1.3; of 1.2 only ciphers with forward secrecy and authenticated encryption. There is no
 * renegotiation, no compression and no early data.
 *
 * Certificates are changed while sessions run by mag_tls_context_reload: sessions keep what they began with, and what is
 * old goes when the last of these ends. The memory is the caller's and outlives its sessions. */
#ifndef MAGPIE_TLS_CONTEXT_H
#define MAGPIE_TLS_CONTEXT_H

#include <magpie/task.h>
#include <pthread.h>

MAGI_C_BEGIN

enum mag_tls_role { MAG_TLS_CLIENT = 1, MAG_TLS_SERVER = 2 };

enum mag_tls_version {
	MAG_TLS_1_2 = 0x0303,
	MAG_TLS_1_3 = 0x0304
};

/* Whether the other end must show a certificate that can be trusted. */
enum mag_tls_verify {
	MAG_TLS_VERIFY_DEFAULT = 0,  /* a client: required, with the host's name; a server: none */
	MAG_TLS_VERIFY_NONE = 1,     /* anybody may be the other end */
	MAG_TLS_VERIFY_OPTIONAL = 2, /* a server: one is asked for; if it comes it must be good */
	MAG_TLS_VERIFY_REQUIRED = 3
};

/* What was wrong. */
enum mag_tls_fault {
	MAG_TLS_FINE = 0,
	/* of a context: */
	MAG_TLS_OPTIONS,      /* they make no sense */
	MAG_TLS_FILE,         /* a file is missing or cannot be read */
	MAG_TLS_NOT_PEM,      /* there is no certificate or no key in it, or it is damaged */
	MAG_TLS_KEY_LOCKED,   /* the key is encrypted */
	MAG_TLS_KEY_MISMATCH, /* the key is not the certificate's */
	/* of a certificate, the context's own or the other end's: */
	MAG_TLS_EXPIRED,
	MAG_TLS_NOT_YET,        /* it is not valid yet */
	MAG_TLS_UNTRUSTED,      /* nobody who is trusted has signed it */
	MAG_TLS_HOST,           /* it is another host's */
	MAG_TLS_NO_CERTIFICATE, /* a client has shown none */
	MAG_TLS_CERTIFICATE,    /* something else about it */
	/* of a session: */
	MAG_TLS_ALERT,     /* the other end has refused: mag_tls_alert says how */
	MAG_TLS_UNCOMMON,  /* no version, cipher or protocol that both have */
	MAG_TLS_PROTOCOL,  /* the other end does not speak TLS, or speaks it badly */
	MAG_TLS_TRUNCATED, /* the stream ended without close_notify: something may be missing */
	MAG_TLS_MEMORY
};

enum {
	MAG_TLS_WHY_BYTES = 256,
	MAG_TLS_CERTIFICATES_MAX = 256,
	MAG_TLS_ALPN_MAX = 16,      /* protocols */
	MAG_TLS_RESUMED_HOSTS = 64  /* a client keeps tickets of so many servers: hosts and ports */
};
#define MAG_TLS_HANDSHAKE_NS UINT64_C(10000000000)
#define MAG_TLS_SHUTDOWN_NS UINT64_C(2000000000)

/* A certificate, the chain that follows it, and its key: files in PEM, or strings. */
typedef struct mag_tls_certificate {
	const char *chain_file, *key_file;
	const char *chain_pem, *key_pem;
} mag_tls_certificate;

typedef struct mag_tls_context_options {
	size_t size; /* sizeof(mag_tls_context_options) */
	enum mag_tls_role role;
	enum mag_tls_version min_version; /* 0: MAG_TLS_1_2 */
	enum mag_tls_verify verify;
	uint32_t certificate_count;       /* a server: 1 … MAG_TLS_CERTIFICATES_MAX; a client: 0 or 1 */
	/* A server shows the one that has the name that the client asks for: as it is, else by a wildcard, else the first. */
	const mag_tls_certificate *certificates;
	const char *alpn;                 /* "h2,http/1.1": the best first; NULL: none. No common one ends the handshake */
	const char *ca_file, *ca_dir;     /* who is trusted, in PEM; these and ca_pem NULL: whom the system trusts */
	const char *ca_pem;
	uint64_t handshake_ns; /* 0: MAG_TLS_HANDSHAKE_NS; MAG_NEVER: no limit */
	uint64_t shutdown_ns;  /* 0: MAG_TLS_SHUTDOWN_NS; MAG_NEVER: no limit */
	bool no_tickets;       /* sessions are not resumed */
	bool allow_expired;    /* its own certificates may have expired */
	bool offload;          /* what a handshake computes is done on the compute lane: docs/tls.md says when */
	uint8_t unused[5];
} mag_tls_context_options;

typedef struct mag_tls_context {
	pthread_mutex_t lock; /* held for some instructions at a time */
	struct magi_tls_keys *keys; /* those of new sessions */
	uint32_t sessions;
	enum mag_tls_role role; /* 0: it is not made */
	enum mag_tls_fault fault;
	char why[MAG_TLS_WHY_BYTES];
} mag_tls_context;

/* Makes a context. It reads files, so on a worker that has other work: mag_tls_context_reload's way. Nothing of the options
 * is kept.
 *
 * Threads:  any
 * Owns:     the caller owns it, when it returns 0: mag_tls_context_fini
 * Returns:  0; -ENOENT, -EACCES and the like (a file), -EBADMSG (no PEM, an encrypted key), -EKEYREJECTED (a key that is not
 *           the certificate's, one that has expired), -EINVAL (options), -ENOMEM. mag_tls_context_why says it in words
 * Since:    0.2 */
MAG_API int mag_tls_context_init(mag_tls_context *context, const mag_tls_context_options *options);

/* Ends it. One that was not made, all zero or with an error, is fine.
 *
 * Threads:  any
 * Returns:  0, -EBUSY: there are sessions, and nothing has happened
 * Since:    0.2 */
MAG_API int mag_tls_context_fini(mag_tls_context *context);

/* Takes other certificates, or the same files again: new sessions have them, those that run keep what they have. What
 * can be wrong is found before anything is changed. Tickets that were given before are no longer taken: the key that they
 * are encrypted with changes, too. The role stays.
 *
 * Threads:  any, one at a time; it reads files. MAG_AWAIT(rc, mag_tls_reload, …) does so on another thread
 * Returns:  as mag_tls_context_init; after an error the context is as before
 * Since:    0.2 */
MAG_API int mag_tls_context_reload(mag_tls_context *context, const mag_tls_context_options *options);

/* MAG_AWAIT(rc, mag_tls_reload, &context, &options): the same, in the blocking lane.
 *
 * Await:    yes, a cancellation point before it has begun
 * Threads:  any worker, one task at a time
 * Owns:     the options, and what they name, are lent until the await returns
 * Returns:  as mag_tls_context_reload; as mag_offload: nothing has changed
 * Since:    0.2 */
MAG_API MAG_OP mag_tls_reload(MAG_OP_ARGS, mag_tls_context *context, const mag_tls_context_options *options);

/* What was wrong with the last init or reload, as a kind and in words: "site.key: the key is not that of site.pem".
 *
 * Threads:  the one that made it or loaded it
 * Returns:  MAG_TLS_FINE and ""; never NULL
 * Since:    0.2 */
MAG_API enum mag_tls_fault mag_tls_context_fault(const mag_tls_context *context);
MAG_API const char *mag_tls_context_why(const mag_tls_context *context);

MAGI_C_END

#endif
