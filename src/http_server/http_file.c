/* SPDX-License-Identifier: MIT */
/* http_file.c - a file as an answer: small ones gathered with their head, others by sendfile; compressed, where that is
 * wanted, piece by piece. */
#include <magpie/http_reply.h>

#include "http_put.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <magpie/file.h>
#include <magpie/io.h>
#include <magpie/sendfile.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "http_conditions.h"
#include "http_types.h"
#include "http_zip.h"

enum {
	GATHERED_MAX = 24 << 10, /* bytes of a file that is sent with its head */
	PIECE = 1 << 20,         /* bytes in which a client's slowness is measured */
	UNSENT_MAX = 256 << 10,  /* bytes that wait in the kernel until a client has taken a piece */
	ZIP_PIECE = 16 << 10     /* bytes that are read to be compressed */
};

struct http_send_file {
	mag_frame frame;
	MAG_ARGS(http_send_file, struct http_conn *c; mag_fd dir; const char *path;);
	mag_fd file;
	mag_scope scope;
	mag_file_status status;
	uint64_t at, left;
	char *buf; /* where it is compressed */
	size_t moved, want;
	int64_t held; /* bytes that the client had not taken when a piece was begun */
	bool full, bound;
	int64_t rc, why, waste;
};

static struct http_zip *begin_zip(struct http_send_file *self)
{
	struct http_zip *zip = magi_http_zip_new();

	self->buf = zip ? malloc(ZIP_PIECE) : NULL;
	if (self->buf)
		return zip;
	magi_http_zip_free(zip);
	return NULL;
}

/* A whole file may be compressed: it is another representation then, with a weak tag, of which there are no ranges. That
 * it has not changed is said with the fields of the whole one. */
static void consider_zip(struct http_send_file *self, struct http_answer *a, const char *type, char *etag)
{
	struct http_conn *c = self->c;

	if (a->status > 304 || self->status.bytes < HTTP_ZIP_MIN || c->parser.minor == 0 ||
	    !magi_http_zip_fits(c, type))
		return;
	a->varies = true;
	if (a->status == 206 || !magi_http_zip_liked(&c->x))
		return;
	if (a->status == 200) {
		c->x.zip = begin_zip(self);
		if (!c->x.zip)
			return;
		a->coding = "gzip";
		a->chunked = true;
	}
	a->ranges = false;
	memmove(etag + 2, etag, strlen(etag) + 1);
	memcpy(etag, "W/", 2);
}

static char *put_hex(char *at, uint64_t value, int least)
{
	static const char digits[] = "0123456789abcdef";
	char text[16];
	int n = 0;

	for (; value || n < least; value >>= 4)
		text[n++] = digits[value & 15];
	while (n)
		*at++ = text[--n];
	return at;
}

/* "size-time", a strong one: by printf it was one in ten of all instructions. */
static void put_etag(char *at, const mag_file_status *s)
{
	*at++ = '"';
	at = put_hex(at, s->bytes, 1);
	*at++ = '-';
	at = put_hex(put_hex(at, (uint64_t)s->modified.s, 1), s->modified.ns, 8);
	strcpy(at, "\"");
}

/* What the client asks for of it. */
static int choose(struct http_send_file *self, const struct http_entity *e)
{
	const struct http_conn *c = self->c;
	int status;

	self->at = 0;
	self->left = e->length;
	if (!magi_http_is_conditional(&c->x))
		return 200;
	status = magi_http_condition(&c->x, e);
	if (status == 0)
		status = c->parser.method == HTTP_GET ? magi_http_range(&c->x, e, &self->at, &self->left) : 200;
	return status;
}

/* What is sent of it, if anything, and how: the answer's head. 0, or an error; `left` bytes are to come. */
static int begin(struct http_send_file *self)
{
	struct http_conn *c = self->c;
	const mag_file_status *s = &self->status;
	char etag[52], range[64];
	struct http_entity e = { .etag = etag, .modified = s->modified.s, .length = s->bytes };
	struct http_answer a = { .etag = etag, .modified = e.modified > 0 ? e.modified : 0, .ranges = true };
	const char *type = magi_http_type(self->path, strlen(self->path));
	int rc, status;

	put_etag(etag, s);
	status = choose(self, &e);
	if (status == 416)
		snprintf(range, sizeof range, "bytes */%" PRIu64, e.length);
	else if (status == 206)
		snprintf(range, sizeof range, "bytes %" PRIu64 "-%" PRIu64 "/%" PRIu64, self->at,
			 self->at + self->left - 1, e.length);
	if (status >= 300)
		self->left = 0;
	else
		a.type = type;
	a.status = (uint16_t)status;
	a.range = status == 206 || status == 416 ? range : NULL;
	a.length = self->left;
	consider_zip(self, &a, type, etag);
	rc = magi_http_compose(c, magi_http_conn_here(c), &a);
	if (rc < 0) {
		magi_http_zip_drop(&c->x);
		return rc;
	}
	c->x.reply = self->buf ? HTTP_REPLY_CHUNKS : HTTP_REPLY_LENGTH;
	c->x.left = self->buf ? 0 : self->left;
	if (c->x.no_body)
		self->left = 0;
	return 0;
}

static int look(struct http_send_file *self)
{
	int rc;

	/* O_NONBLOCK was for FIFOs. Where the kernel thinks that the disk cannot do without waiting, the ring would end
	 * each read of what is not in memory with EAGAIN. */
	fcntl(mag_fd_raw(self->file), F_SETFL, 0);
	rc = mag_fd_status(self->file, &self->status);
	if (rc < 0)
		return rc;
	if (S_ISDIR(self->status.mode))
		return -EISDIR;
	if (!S_ISREG(self->status.mode))
		return -ENOENT;
	self->c->now = magi_http_clock();
	return begin(self);
}

static bool is_bare(const struct http_send_file *self)
{
	return magi_http_wire_is_bare(&self->c->wire);
}

/* How much is read behind what is gathered. */
static uint32_t piece(const struct http_send_file *self)
{
	return self->left < GATHERED_MAX ? (uint32_t)self->left : GATHERED_MAX;
}

/* Whether the next piece is: under TLS all are, on a bare socket what is small. */
static bool is_gathered(struct http_send_file *self)
{
	struct http_conn *c = self->c;

	return (!is_bare(self) || self->left <= GATHERED_MAX) && c->out_len <= HTTP_LARGE / 2 &&
	       magi_http_room(c, magi_http_conn_here(c), piece(self) + HTTP_CHUNK_EXTRA);
}

/* The head of a file that the kernel sends is to be in one segment with the file's first bytes. What does not go at once
 * waits for the client as everything does. */
static void send_ahead(struct http_conn *c)
{
	size_t n = magi_http_wire_send_ahead(&c->wire, c->out + c->out_at, c->out_len - c->out_at);

	c->out_at += (uint32_t)n;
	c->tally.sent += n;
	if (c->out_at == c->out_len)
		magi_http_emptied(c);
}

/* Bytes were read behind what is gathered. */
static void gathered(struct http_send_file *self)
{
	self->c->out_len += (uint32_t)self->rc;
	self->c->x.left -= (uint64_t)self->rc;
	self->c->x.sent += (uint64_t)self->rc;
	self->at += (uint64_t)self->rc;
	self->left -= (uint64_t)self->rc;
}

/* What may wait in the kernel for a client's window. Else what is not taken fills the socket's buffer, of megabytes, before it
 * is waited for: a crowd of those that read slowly would hold up others, and memory. 0: as much as the kernel thinks right,
 * which costs less where the client takes it. */
static void bound_unsent(struct http_send_file *self, int bytes)
{
	self->bound = bytes > 0;
	mag_socket_option(self->c->wire.fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &bytes, sizeof bytes);
}

static void begin_piece(struct http_send_file *self)
{
	self->moved = 0;
	self->want = self->left < PIECE ? (size_t)self->left : PIECE;
	self->held = magi_http_wire_held(&self->c->wire);
}

/* Whether the client has moved what it must in its time. A full socket says for long that it is full. */
static bool is_slow(const struct http_send_file *self)
{
	const mag_http_server_options *o = &self->c->server->options;
	int64_t taken = self->held + (int64_t)self->moved - magi_http_wire_held(&self->c->wire);

	return (double)taken < (double)o->write_ns / (double)MAG_SECOND * o->rate;
}

static void sent(struct http_send_file *self)
{
	self->at += self->moved;
	self->left -= self->moved;
	self->c->x.left -= self->moved;
	self->c->x.sent += self->moved;
	self->c->tally.sent += self->moved;
	if (self->rc == MAG_ECANCELED && self->why == MAG_ETIMEDOUT) {
		self->rc = is_slow(self) ? MAG_ETIMEDOUT : 0;
		self->c->tally.timeouts += self->rc < 0;
	}
	self->c->broken |= self->rc < 0;
}

MAG_TASK(http_send_file)
{
	MAG_BEGIN(http_send_file);
	/* not to wait for the other end of a FIFO */
	if (self->dir.generation)
		MAG_AWAIT(self->rc, mag_open_beneath, self->dir, self->path, O_RDONLY | O_NOCTTY | O_NONBLOCK, 0,
			  &self->file);
	else
		MAG_AWAIT(self->rc, mag_open, self->path, O_RDONLY | O_NOCTTY | O_NONBLOCK, 0, &self->file);
	if (self->rc < 0)
		MAG_RETURN(self->rc);
	self->buf = NULL;
	self->bound = false;
	self->rc = look(self);
	while (self->rc >= 0 && self->left && self->buf) {
		MAG_AWAIT(self->rc, mag_read, self->file, self->buf, self->left < ZIP_PIECE ? self->left : ZIP_PIECE,
			  self->at);
		if (self->rc <= 0) {
			self->rc = self->rc < 0 ? self->rc : MAG_EEOF;
			break;
		}
		self->at += (uint64_t)self->rc;
		self->left -= (uint64_t)self->rc;
		MAG_AWAIT(self->rc, mag_http_write, &self->c->x, self->buf, (size_t)self->rc);
	}
	while (self->rc >= 0 && self->left) {
		if (!is_gathered(self)) {
			self->full = self->c->out_len > 0;
			if (is_bare(self))
				send_ahead(self->c);
			if (self->c->out_len)
				MAG_CALL(self->rc, http_flush, .c = self->c);
			if (is_bare(self))
				break;
			if (self->rc >= 0 && !self->full)
				self->rc = -ENOMEM;
			continue;
		}
		MAG_AWAIT(self->rc, mag_read, self->file, self->c->out + self->c->out_len, piece(self), self->at);
		if (self->rc > 0)
			gathered(self);
		else if (self->rc == 0)
			self->rc = MAG_EEOF; /* it has become shorter than the head says */
	}
	if (self->rc >= 0 && self->left > UNSENT_MAX)
		bound_unsent(self, UNSENT_MAX);
	while (self->rc >= 0 && self->left) {
		begin_piece(self);
		MAG_WITH_TIMEOUT(&self->scope, self->c->server->options.write_ns);
		MAG_CALL(self->rc, mag_sendfile, .to = self->c->wire.fd, .file = self->file, .offset = self->at,
			 .length = self->want, .count = &self->moved);
		MAG_SCOPE_END(self->why, &self->scope);
		sent(self);
		if (self->bound && self->moved == self->want)
			bound_unsent(self, 0);
	}
	free(self->buf);
	self->c->broken |= self->rc < 0 && self->c->x.reply != HTTP_REPLY_NONE;
	MAG_AWAIT(self->waste, mag_close, self->file);
	MAG_RETURN(self->rc < 0 ? self->rc : 0);
	MAG_END;
}

mag_frame *mag_http_reply_file(MAG_OP_ARGS, mag_http_exchange *x, mag_fd dir, const char *path)
{
	int rc = magi_http_may_reply(x, 200);

	if (rc < 0)
		return magi_http_done(f, rc);
	return MAGI_HTTP_CALL(http_send_file, .c = magi_http_conn_of(x), .dir = dir, .path = path);
}
