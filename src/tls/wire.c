/* SPDX-License-Identifier: MIT */
/* wire.c - what OpenSSL takes for the connection: it reads from `in` and writes to `out`, and never waits.
 *
 * Not:     OpenSSL's memory BIO: it keeps the memory of its fullest moment, and moves what it has at each write. */
#include <errno.h>
#include <magpie/io.h>
#include <openssl/err.h>
#include <string.h>

#include "tls/keys.h"
#include "tls/session.h"

enum { LEAST = 512, RECORD_MAX = MAG_TLS_RECORD + 512 };

void magi_tls_bytes_free(mag_tls *tls, struct magi_tls_bytes *b)
{
	if (b->data != tls->small)
		OPENSSL_free(b->data);
	memset(b, 0, sizeof(*b));
}

static int wire_read(BIO *bio, char *buf, int len)
{
	mag_tls *tls = BIO_get_data(bio);
	struct magi_tls_bytes *in = &tls->in;
	size_t n;

	BIO_clear_retry_flags(bio);
	if (len <= 0)
		return 0;
	if (!tls->feeding || in->start == in->end) {
		BIO_set_retry_read(bio);
		return -1;
	}
	n = in->end - in->start < (size_t)len ? in->end - in->start : (size_t)len;
	memcpy(buf, in->data + in->start, n);
	in->start += n;
	return (int)n;
}

static bool grow(struct magi_tls_bytes *b, size_t len)
{
	size_t room = b->room ? b->room * 2 : LEAST;
	unsigned char *data;

	while (room < b->end + len)
		room *= 2;
	if (len >= LEAST && room < RECORD_MAX + b->end) /* a record, and others of its length may follow */
		room = b->end + len + len / 2;
	data = OPENSSL_realloc(b->data, room);
	if (!data)
		return false;
	b->data = data;
	b->room = room;
	return true;
}

static int wire_write(BIO *bio, const char *buf, int len)
{
	mag_tls *tls = BIO_get_data(bio);
	struct magi_tls_bytes *out = &tls->out;

	BIO_clear_retry_flags(bio);
	if (len <= 0)
		return 0;
	if (out->end + (size_t)len > out->room && !grow(out, (size_t)len)) {
		ERR_raise(ERR_LIB_SSL, ERR_R_MALLOC_FAILURE);
		return -1;
	}
	memcpy(out->data + out->end, buf, (size_t)len);
	out->end += (size_t)len;
	return len;
}

static long wire_control(BIO *bio, int what, long number, void *arg)
{
	(void)bio, (void)number, (void)arg;
	return what == BIO_CTRL_FLUSH;
}

BIO_METHOD *magi_tls_wire_method(void)
{
	BIO_METHOD *method = BIO_meth_new(BIO_TYPE_SOURCE_SINK, "magpie");

	if (method) {
		BIO_meth_set_read(method, wire_read);
		BIO_meth_set_write(method, wire_write);
		BIO_meth_set_ctrl(method, wire_control);
	}
	return method;
}

int magi_tls_wire(mag_tls *tls, BIO_METHOD *method)
{
	BIO *bio = BIO_new(method);

	if (!bio)
		return -ENOMEM;
	BIO_set_data(bio, tls);
	BIO_set_init(bio, 1);
	SSL_set_bio(tls->ssl, bio, bio);
	return 0;
}

/* An idle connection waits with the small buffer: a large one is for what follows on a full one. */
void magi_tls_room(mag_tls *tls)
{
	struct magi_tls_bytes *in = &tls->in;

	if (tls->greedy && in->room < MAGI_TLS_CHUNK) {
		in->data = OPENSSL_malloc(MAGI_TLS_CHUNK);
		in->room = in->data ? MAGI_TLS_CHUNK : 0;
	} else if (!tls->greedy && in->data != tls->small) {
		magi_tls_bytes_free(tls, in);
	}
	if (!in->data) {
		in->data = tls->small;
		in->room = sizeof(tls->small);
	}
	in->start = in->end = 0;
}

int64_t magi_tls_came(mag_tls *tls, int64_t n)
{
	if (n < 0)
		return n;
	if (n == 0)
		tls->cut = true;
	tls->in.end += (size_t)n;
	tls->greedy = tls->in.end == tls->in.room;
	return -EAGAIN;
}

bool magi_tls_launch(mag_tls *tls)
{
	if (!tls->flight.data) {
		tls->flight = tls->out;
		memset(&tls->out, 0, sizeof(tls->out));
	}
	return tls->flight.data != NULL;
}

void magi_tls_landed(mag_tls *tls, size_t n)
{
	tls->flight.start += n;
	if (tls->flight.start == tls->flight.end)
		magi_tls_bytes_free(tls, &tls->flight);
}
