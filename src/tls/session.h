/* SPDX-License-Identifier: MIT */
/* session.h - what the operations on a session do between two awaits.
 *
 * Who:     `in` and `cut`: who holds `reading`; `flight`: who holds `sending`; OpenSSL, `out` and the rest: who holds `lock`.
 *          A handshake holds the first two, and calls OpenSSL without `lock`: nobody else gets so far. `sending` is awaited
 *          before `lock`, never with it.
 * Always:  what is in `flight` is older than what is in `out`.
 *          OpenSSL takes all of `in` before it says that it wants more.
 *          Before a receive waits, what it has left in `out` is being sent: by itself, or by who holds `sending` and will look
 *          there again, under `lock`, before giving it back; when that one is cut short, it goes with the next send.
 *          A send that finds a message of the handshake's kind half read waits for `moved`, or, when nobody receives,
 *          receives the rest itself. Who gives `reading` back sets `moved` then, unless it has seen, under `lock`, that
 *          nobody waits, and gave it back before `lock`.
 * Not:     a receive that waits for a sender, whose socket may be full until its peer is received from.
 *          A reference to OpenSSL over an await: `feeding` says when it may look into `in`. */
#ifndef MAGPIE_TLS_SESSION_H
#define MAGPIE_TLS_SESSION_H

#include <magpie/tls.h>
#include <openssl/ssl.h>

enum {
	MAGI_TLS_CHUNK = 32 * 1024,       /* received at a time where much comes; picked, not measured */
	MAGI_TLS_ANSWERS_MAX = 256 * 1024 /* bytes that wait to be sent, when a receive adds to them: the peer does not read */
};

/* OpenSSL's wire is the session's memory: wire.c. */
int magi_tls_wire(mag_tls *tls, BIO_METHOD *method);

/* Before the socket is received from: `in`, which is empty, gets room. */
void magi_tls_room(mag_tls *tls);
/* What the receive has given: bytes, 0 at the end, an error. -EAGAIN: OpenSSL has something to look at; or the error. */
int64_t magi_tls_came(mag_tls *tls, int64_t n);
/* What is in `out` becomes the flight, when there is none. Returns whether there is one. */
bool magi_tls_launch(mag_tls *tls);
/* n bytes of the flight are sent. */
void magi_tls_landed(mag_tls *tls, size_t n);
void magi_tls_bytes_free(mag_tls *tls, struct magi_tls_bytes *b);

/* OpenSSL's own operations: a count, 0 (done, or the end), -EAGAIN (more must come), or the error that broke it. */
int64_t magi_tls_shake(mag_tls *tls);
int64_t magi_tls_read(mag_tls *tls, void *buf, size_t len);
int64_t magi_tls_write(mag_tls *tls, const void *buf, size_t len);
int64_t magi_tls_end(mag_tls *tls);
/* The rest of what is no data and has come in part. */
int64_t magi_tls_go_on(mag_tls *tls);

/* words.c: the session is over; returns what it is broken by, the first time and later. */
int magi_tls_break(mag_tls *tls, enum mag_tls_fault fault, int rc, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
int magi_tls_break_by_openssl(mag_tls *tls);

/* MAG_CALL(rc, magi_tls_sending, .tls = tls, .what = …): encrypts, and sends until nothing is left. */
enum magi_tls_what {
	MAGI_TLS_WRITE,     /* these bytes */
	MAGI_TLS_END,       /* close_notify */
	MAGI_TLS_FLUSH,     /* what OpenSSL has answered, unless somebody is sending: that one will */
	MAGI_TLS_FLUSH_HELD /* the same, and the caller holds `sending` */
};

struct magi_tls_sending {
	mag_frame frame;
	MAG_ARGS(magi_tls_sending, mag_tls *tls; enum magi_tls_what what; const unsigned char *buf; size_t len; size_t *count;);
	size_t done, sent;
	int64_t rc, failed;
	bool held;
	bool stuck; /* something must be received first */
};
MAG_DECLARE_TASK(magi_tls_sending);

/* MAG_CALL(rc, magi_tls_helping, .tls = tls): receives for a send, or waits until somebody has. 0, or an error. */
struct magi_tls_helping {
	mag_frame frame;
	MAG_ARGS(magi_tls_helping, mag_tls *tls;);
	int64_t n, rc;
};
MAG_DECLARE_TASK(magi_tls_helping);

#endif
