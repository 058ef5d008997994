/* SPDX-License-Identifier: MIT */
/* tls.h - TLS over a connected socket: the same operations as on the socket itself, magpie/io.h.
 *
 *	rc = mag_tls_init(&self->tls, self->context, self->fd, "example.org");   // a server: NULL
 *	MAG_AWAIT(self->rc, mag_tls_handshake, &self->tls);
 *	MAG_AWAIT(self->rc, mag_tls_send_all, &self->tls, "hello", 5);
 *	MAG_AWAIT(self->n, mag_tls_recv, &self->tls, self->buf, sizeof self->buf);
 *	MAG_AWAIT(self->rc, mag_tls_shutdown, &self->tls);
 *	mag_tls_fini(&self->tls);
 *	MAG_AWAIT(self->rc, mag_close, self->fd);
 *
 * Tasks. One may receive while another sends, on any workers: OpenSSL's state is behind a mutex that is held while bytes are
 * encrypted or decrypted, never while the socket is waited for. More than one that receives, or sends, take turns.
 *
 * Cancellation. What has come is kept for the next receive, what is encrypted and not sent yet goes ahead of the next send:
 * after MAG_ECANCELED, also in a handshake, the operation can be begun again. mag_tls_send_all_count says from where.
 *
 * Errors. A session that has failed stays so: each operation returns that error, mag_tls_fault its kind and mag_tls_why
 * the words. A socket's own error (-ECONNRESET, …) is returned as it is.
 *
 * A socket that waits costs no buffer but the 1 KiB in here: more is taken when more comes, and given back. */
#ifndef MAGPIE_TLS_H
#define MAGPIE_TLS_H

#include <magpie/event.h>
#include <magpie/fd.h>
#include <magpie/mutex.h>
#include <magpie/tls_context.h>

MAGI_C_BEGIN

enum {
	MAG_TLS_RECORD = 16384,         /* plaintext of a record */
	MAG_TLS_BATCH = 64 * 1024,      /* plaintext that is encrypted before the socket gets it */
	MAG_TLS_SMALL = 1024,
	MAG_TLS_DISCARD_MAX = 1 << 20   /* bytes that mag_tls_shutdown reads in vain */
};

/* Bytes data[start … end) of `room`. */
struct magi_tls_bytes {
	unsigned char *data;
	size_t start, end, room;
};

typedef struct mag_tls {
	struct ssl_st *ssl;
	mag_tls_context *context;
	struct magi_tls_keys *keys;
	mag_fd fd;
	mag_mutex reading; /* held by who receives: `in`, and what follows it */
	mag_mutex sending; /* held by who sends: `flight` */
	mag_mutex lock;    /* held by who calls OpenSSL: ssl, `out` */
	mag_event moved;   /* OpenSSL has been given something to read, or nobody receives any more */
	struct magi_tls_bytes in;     /* come, and not decrypted yet */
	struct magi_tls_bytes flight; /* encrypted, being sent */
	struct magi_tls_bytes out;    /* encrypted after that */
	const char *alpn;
	const char *why;
	char *host, *words;  /* of its own */
	int32_t broken;      /* the error that ended it; 0 */
	uint8_t fault, alert;
	bool shaken;         /* the handshake is over */
	bool feeding;        /* OpenSSL may take from `in` */
	bool greedy;         /* the last receive filled its buffer */
	bool cut;            /* the socket has ended */
	bool ended;          /* close_notify was sent */
	bool waits;          /* who sends waits for `moved` */
	uint16_t port;       /* of the server that a client talks to; 0: it has none */
	unsigned char small[MAG_TLS_SMALL];
} mag_tls;

/* Makes a session on a connected socket; it must not be moved. host, for clients: the name that the certificate must
 * have, which the server is told, too (SNI); or an address. Servers give NULL, and so may clients that verify nothing.
 *
 * Threads:  any
 * Owns:     the caller owns it, when it returns 0: mag_tls_fini. The socket stays the caller's
 * Returns:  0, -EINVAL (no host to verify, or one that is no name: mag_tls_why), -ENOMEM
 * Since:    0.2 */
MAG_API int mag_tls_init(mag_tls *tls, mag_tls_context *context, mag_fd fd, const char *host);

/* Ends it; no operation is under way. Nothing is sent. One that was not made, all zero, is fine.
 *
 * Threads:  any
 * Since:    0.2 */
MAG_API void mag_tls_fini(mag_tls *tls);

/* MAG_AWAIT(rc, mag_tls_handshake, &tls): first of all, once; until it is over nothing can be received or sent.
 *
 * Await:    yes, a cancellation point; it can be gone on with
 * Threads:  any worker
 * Returns:  0 (also when it was over); MAG_ETIMEDOUT (handshake_ns are over); -EKEYREJECTED (the other end's certificate),
 *           -EPROTO (MAG_TLS_ALERT, _UNCOMMON, _PROTOCOL), MAG_EEOF (it has closed), -ENOMEM; and errors of the socket
 * Since:    0.2 */
MAG_API MAG_OP mag_tls_handshake(MAG_OP_ARGS, mag_tls *tls);

/* MAG_AWAIT(n, mag_tls_recv, &tls, buf, len): receives what there is, at most a record, waiting for the first byte.
 *
 * Await:    yes, a cancellation point: data that has come first is returned, or kept
 * Threads:  any worker
 * Owns:     the buffer is the operation's until it returns
 * Returns:  1 … len bytes; 0: the other end has said that this is the end; MAG_EEOF: the stream just ended
 *           (MAG_TLS_TRUNCATED); -ENOTCONN (no handshake), -EPROTO, -ENOMEM, -EINVAL (buf NULL, or len 0); and errors of
 *           the socket
 * Since:    0.2 */
MAG_API MAG_OP mag_tls_recv(MAG_OP_ARGS, mag_tls *tls, void *buf, size_t len);

/* MAG_AWAIT(n, mag_tls_send_all, &tls, buf, len): sends all of it; nobody else's bytes come between. Records are gathered
 * to MAG_TLS_BATCH for one send. len 0 sends what a cancelled one has left.
 *
 * Await:    yes, a cancellation point
 * Threads:  any worker
 * Owns:     the buffer is the operation's until it returns
 * Returns:  len; -ENOTCONN (no handshake), -EPIPE (the end was sent, or the socket's), -ENOMEM, -EINVAL; and errors of the
 *           socket
 * Since:    0.2 */
MAG_API MAG_OP mag_tls_send_all(MAG_OP_ARGS, mag_tls *tls, const void *buf, size_t len);

/* MAG_AWAIT(n, mag_tls_send_all_count, &tls, buf, len, &count): the same; in each case *count says how many bytes were taken
 * and must not be given again: what of them the socket has not got goes ahead of the next send. */
MAG_API MAG_OP mag_tls_send_all_count(MAG_OP_ARGS, mag_tls *tls, const void *buf, size_t len, size_t *count);

/* MAG_AWAIT(rc, mag_tls_send_end, &tls): says that nothing more is sent (close_notify); receiving goes on.
 *
 * Await:    yes, a cancellation point; it can be called again
 * Threads:  any worker
 * Returns:  0, also when it was said before; -ENOTCONN; and errors of the socket
 * Since:    0.2 */
MAG_API MAG_OP mag_tls_send_end(MAG_OP_ARGS, mag_tls *tls);

/* MAG_AWAIT(rc, mag_tls_shutdown, &tls): the same, and waits until the other end has said so, too; what it still sends is
 * thrown away. Not needed where the protocol above says where its messages end: mag_tls_send_end, then close.
 *
 * Await:    yes, a cancellation point; it can be called again
 * Threads:  any worker
 * Returns:  0; MAG_EEOF: the other end has closed and said nothing; MAG_ETIMEDOUT (shutdown_ns are over), -EMSGSIZE (it
 *           sends more than MAG_TLS_DISCARD_MAX), -ENOTCONN; and errors of the socket
 * Since:    0.2 */
MAG_API MAG_OP mag_tls_shutdown(MAG_OP_ARGS, mag_tls *tls);

/* Whether bytes have come that were not given yet: a receive may return without waiting.
 *
 * Threads:  the task that receives
 * Since:    0.2 */
MAG_API bool mag_tls_has_more(const mag_tls *tls);

/* How many bytes, encrypted, the socket has not taken yet: those of a send that was cut short.
 *
 * Threads:  the task that sends, while it does not
 * Since:    0.2 */
MAG_API size_t mag_tls_unsent(const mag_tls *tls);

/* What both ends have agreed on: the protocol (ALPN), "TLSv1.3", the cipher. NULL: none, or not yet.
 *
 * Threads:  any, after the handshake
 * Returns:  strings that live as long as the session
 * Since:    0.2 */
MAG_API const char *mag_tls_alpn(const mag_tls *tls);
MAG_API const char *mag_tls_version_name(const mag_tls *tls);
MAG_API const char *mag_tls_cipher(const mag_tls *tls);

/* The name that the client has asked for (SNI), at both ends; NULL: none.  Threads: any, after the handshake */
MAG_API const char *mag_tls_sni(const mag_tls *tls);

/* Whether it goes on with an earlier session's secrets, without certificates.  Threads: any, after the handshake */
MAG_API bool mag_tls_resumed(const mag_tls *tls);

/* Writes who the other end is, by its certificate: "CN=example.org,O=Example". Cut to `size`, always terminated.
 *
 * Threads:  any, after the handshake
 * Returns:  the length it has without the cut, -ENOENT: it has shown no certificate; -EINVAL
 * Since:    0.2 */
MAG_API int mag_tls_peer(const mag_tls *tls, char *text, size_t size);

/* What has ended the session, as a kind and in words; the number of the alert that the other end has sent, or 0.
 *
 * Threads:  any, while no operation is under way
 * Returns:  MAG_TLS_FINE and "" if nothing has; never NULL
 * Since:    0.2 */
MAG_API enum mag_tls_fault mag_tls_fault(const mag_tls *tls);
MAG_API const char *mag_tls_why(const mag_tls *tls);
MAG_API unsigned mag_tls_alert(const mag_tls *tls);

MAGI_C_END

#endif
