/* SPDX-License-Identifier: MIT */
/* peer.h - a server for the tests of the client, in the test itself: answers are written by hand, right ones and
 * wrong ones. It runs on the first worker, as a test that looks at its counters does, which is the only one then. */
#ifndef MAGPIE_TEST_HTTP_PEER_H
#define MAGPIE_TEST_HTTP_PEER_H

#include <magpie/event.h>
#include <magpie/http_client.h>
#include <magpie/http_client_stream.h>
#include <stdlib.h>

#include "unit/net_run.h"

enum { PEER_HEAD_MAX = 32768 };

struct peer {
	mag_fd listener;
	mag_addr addr;
	int port;
	mag_handle serving;
	int accepted; /* connections so far */
	int open;     /* and now */
	int requests;
	int under_way, under_way_max;
	bool mute;   /* does not answer who speaks TLS; else in plain text */
	int version; /* of /tagged/; the first breaks off in the middle */
	int at_once; /* requests that are held until so many have come */
	size_t sent; /* of /flood */
	mag_event held, go;
	char head[PEER_HEAD_MAX]; /* of the last request, with a 0 behind it */
	char body[PEER_HEAD_MAX];
	size_t body_length; /* of the last request */
};

struct peer_conn {
	mag_frame frame;
	MAG_ARGS(peer_conn, struct peer *peer; mag_fd fd;);
	char in[PEER_HEAD_MAX], out[PEER_HEAD_MAX];
	char path[512];
	size_t have, head, want, i, n;
	int64_t rc;
	bool close;
};

/* The length of the head that is there; 0: it is not whole yet. */
static inline size_t peer_head(struct peer_conn *c)
{
	char *end;

	c->in[c->have] = 0;
	end = strstr(c->in, "\r\n\r\n");
	return end ? (size_t)(end - c->in) + 4 : 0;
}

static inline const char *peer_field(const char *head, const char *name)
{
	const char *at = strcasestr(head, name);

	return at ? at + strlen(name) : NULL;
}

#define PEER_SEND(text)                                                                \
	do {                                                                           \
		MAG_AWAIT(self->rc, mag_send_all, self->fd, self->out,                 \
			  (size_t)snprintf(self->out, sizeof(self->out), "%s", text)); \
	} while (0)
#define PEER_SENDF(...)                                        \
	MAG_AWAIT(self->rc, mag_send_all, self->fd, self->out, \
		  (size_t)snprintf(self->out, sizeof(self->out), __VA_ARGS__))

/* Answers one request. */
struct peer_answer {
	mag_frame frame;
	MAG_ARGS(peer_answer, struct peer *peer; mag_fd fd; const char *path; const char *head; bool *close;);
	char out[PEER_HEAD_MAX];
	size_t i, n;
	int64_t rc;
};

#define PATH(text) (!strcmp(self->path, text))
#define PATH_BEGINS(text) (!strncmp(self->path, text, strlen(text)))
#define PATH_NUMBER(text) strtoul(self->path + strlen(text), NULL, 10)

static inline void peer_reset(mag_fd fd)
{
	struct linger linger = { 1, 0 };

	mag_socket_option(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
}

/* Bytes `from` … n - 1 of a body that tells where one is. */
static inline void peer_fill(char *to, size_t from, size_t n)
{
	for (size_t i = 0; i < n; i++)
		to[i] = (char)('a' + (from + i) % 23);
}

static mag_frame *peer_bad_step(mag_worker *w, mag_frame *f);
struct peer_bad {
	mag_frame frame;
	MAG_ARGS(peer_bad, struct peer *peer; mag_fd fd; const char *path; const char *head; bool *close;);
	char out[PEER_HEAD_MAX];
	size_t i;
	int64_t rc;
};

static mag_frame *peer_odd_step(mag_worker *w, mag_frame *f);
struct peer_odd {
	mag_frame frame;
	MAG_ARGS(peer_odd, struct peer *peer; mag_fd fd; const char *path; const char *head; bool *close;);
	char out[PEER_HEAD_MAX];
	size_t i, at, n;
	int64_t rc;
};

/* What is within the standard, or nearly, and not what is usual. */
static MAG_TASK(peer_odd)
{
	MAG_BEGIN(peer_odd);
	*self->close = true;
	if (PATH("/early")) { /* interim answers without end */
		do
			PEER_SENDF("HTTP/1.1 103 Early Hints\r\nLink: %0400d\r\n\r\n", 7);
		while (self->rc >= 0);
	} else if (PATH("/trailers")) {
		PEER_SENDF("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n");
		for (self->i = 0; self->rc >= 0; self->i++)
			PEER_SENDF("T-%zu: %0400d\r\n", self->i, 7);
	} else if (PATH("/bits")) { /* 20 small chunks, all at once */
		self->n = (size_t)sprintf(self->out, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
		for (self->i = 0; self->i < 20; self->i++)
			self->n += (size_t)sprintf(self->out + self->n, "64\r\n%0100zu\r\n", self->i);
		self->n += (size_t)sprintf(self->out + self->n, "0\r\n\r\n");
		MAG_AWAIT(self->rc, mag_send_all, self->fd, self->out, self->n);
	} else if (PATH_BEGINS("/some/")) { /* 1000 bytes of a range, and no more */
		const char *range = peer_field(self->head, "Range: bytes=");

		self->n = PATH_NUMBER("/some/");
		self->at = range ? strtoul(range, NULL, 10) : 0;
		PEER_SENDF("HTTP/1.1 206 Partial Content\r\nContent-Range: bytes %zu-%zu/%zu\r\nContent-Length: 1000\r\n\r\n",
			   self->at, self->at + 999, self->n);
		peer_fill(self->out, self->at, 1000);
		MAG_AWAIT(self->rc, mag_send_all, self->fd, self->out, 1000);
	} else if (PATH_BEGINS("/tagged/")) { /* from its third version on the server gives ranges of anything */
		char tag[40];
		const char *range = peer_field(self->head, "Range: bytes=");

		snprintf(tag, sizeof(tag), "If-Range: \"v%d\"\r\n", self->peer->version);
		self->n = PATH_NUMBER("/tagged/");
		self->at = range && (self->peer->version > 2 || strstr(self->head, tag)) ? strtoul(range, NULL, 10) : 0;
		self->i = self->peer->version == 1 && !range ? self->n / 2 : self->n;
		PEER_SENDF("HTTP/1.1 %s\r\nETag: \"v%d\"\r\nContent-Range: bytes %zu-%zu/%zu\r\n"
			   "Content-Length: %zu\r\n\r\n",
			   self->at ? "206 Partial Content" : "200 OK", self->peer->version, self->at, self->n - 1,
			   self->n, self->n - self->at);
		peer_fill(self->out, self->at, self->i - self->at);
		MAG_AWAIT(self->rc, mag_send_all, self->fd, self->out, self->i - self->at);
	} else if (PATH("tunnel.invalid:443")) {
		PEER_SENDF("HTTP/1.1 200 Connection established\r\nX-Proxy: 1\r\n\r\n");
		*self->close = false;
	} else {
		PEER_SENDF("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
		*self->close = false;
	}
	MAG_RETURN(self->rc < 0 ? self->rc : 0);
	MAG_END;
}

/* The wrong and the slow ones. */
static MAG_TASK(peer_bad)
{
	MAG_BEGIN(peer_bad);
	*self->close = true;
	if (PATH("/half")) {
		PEER_SENDF("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nten bytes.");
	} else if (PATH("/reset")) {
		PEER_SENDF("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nten bytes.");
		peer_reset(self->fd);
	} else if (PATH("/nothing")) {
	} else if (PATH("/garbage")) {
		PEER_SENDF("SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n\r\n");
	} else if (PATH("/hold")) { /* until the client goes */
		MAG_AWAIT(self->rc, mag_recv, self->fd, self->out, 1);
		mag_event_set(&self->peer->held);
	} else if (PATH("/end")) { /* an answer, and later the end: whose turn is it then? */
		PEER_SENDF("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
		MAG_AWAIT(self->rc, mag_event_wait, &self->peer->go);
		MAG_AWAIT(self->rc, mag_shutdown, self->fd, SHUT_WR);
		MAG_AWAIT(self->rc, mag_recv, self->fd, self->out, 1);
		mag_event_set(&self->peer->held);
	} else if (PATH("/drip")) {
		PEER_SENDF("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n");
		do {
			MAG_AWAIT(self->rc, mag_sleep, 5 * MAG_MILLISECOND);
			if (self->rc == 0)
				MAG_AWAIT(self->rc, mag_send, self->fd, ".", 1);
		} while (self->rc >= 0);
	} else if (PATH("/stall")) {
		PEER_SENDF("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nsome");
		MAG_AWAIT(self->rc, mag_recv, self->fd, self->out, 1);
	} else if (PATH("/heads")) {
		PEER_SENDF("HTTP/1.1 200 OK\r\n");
		for (self->i = 0; self->i < 3000 && self->rc >= 0; self->i++)
			PEER_SENDF("X-%zu: %0100d\r\n", self->i, 7);
	} else if (PATH("/flood")) {
		PEER_SENDF("HTTP/1.1 200 OK\r\n\r\n");
		memset(self->out, 'x', sizeof(self->out));
		while (self->rc >= 0) {
			MAG_AWAIT(self->rc, mag_send, self->fd, self->out, sizeof(self->out));
			self->peer->sent += self->rc > 0 ? (size_t)self->rc : 0;
		}
	} else {
		MAG_CALL(self->rc, peer_odd, .peer = self->peer, .fd = self->fd, .path = self->path, .head = self->head,
			 .close = self->close);
	}
	MAG_RETURN(self->rc < 0 ? self->rc : 0);
	MAG_END;
}

/* A body of so many bytes, or the range that is asked for. */
struct peer_file {
	mag_frame frame;
	MAG_ARGS(peer_file, mag_fd fd; size_t n; const char *head; bool ranges;);
	char out[PEER_HEAD_MAX];
	size_t at;
	const char *range;
	int64_t rc;
};

static MAG_TASK(peer_file)
{
	MAG_BEGIN(peer_file);
	self->range = self->ranges ? peer_field(self->head, "Range: bytes=") : NULL;
	self->at = self->range ? strtoul(self->range, NULL, 10) : 0;
	if (self->at > 0 && self->at >= self->n)
		PEER_SENDF(
			"HTTP/1.1 416 Range Not Satisfiable\r\nContent-Range: bytes */%zu\r\nContent-Length: 0\r\n\r\n",
			self->n);
	else if (self->range)
		PEER_SENDF("HTTP/1.1 206 Partial Content\r\nContent-Range: bytes %zu-%zu/%zu\r\nContent-Length: "
			   "%zu\r\n\r\n",
			   self->at, self->n - 1, self->n, self->n - self->at);
	else
		PEER_SENDF("HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n", self->n);
	while (self->rc >= 0 && self->at < self->n) {
		size_t n = self->n - self->at < sizeof(self->out) ? self->n - self->at : sizeof(self->out);

		peer_fill(self->out, self->at, n);
		self->at += n;
		MAG_AWAIT(self->rc, mag_send_all, self->fd, self->out, n);
	}
	MAG_RETURN(self->rc);
	MAG_END;
}

static MAG_TASK(peer_answer)
{
	MAG_BEGIN(peer_answer);
	if (PATH("/hello")) {
		PEER_SENDF("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\nX-Empty:\r\n\r\nhello");
	} else if (PATH("/chunked")) {
		PEER_SENDF("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n4;x=y\r\ndefg\r\n0\r\nT: "
			   "1\r\n\r\n");
	} else if (PATH("/echo")) {
		PEER_SENDF("HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n%s", strlen(self->peer->body),
			   self->peer->body);
	} else if (PATH("/continue")) {
		PEER_SENDF("HTTP/1.1 100 Continue\r\nX-First: 1\r\n\r\nHTTP/1.1 201 Created\r\nContent-Length: "
			   "2\r\n\r\nok");
	} else if (PATH("/last")) {
		PEER_SENDF("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok");
		*self->close = true;
	} else if (PATH_BEGINS("/redirect/")) {
		self->n = PATH_NUMBER("/redirect/");
		if (self->n)
			PEER_SENDF("HTTP/1.1 302 Found\r\nLocation: %zu\r\nContent-Length: 4\r\n\r\nmove", self->n - 1);
		else
			PEER_SENDF("HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\narrived");
	} else if (PATH_BEGINS("/to/")) { /* /to/307/http://… */
		PEER_SENDF("HTTP/1.1 %.3s Go\r\nLocation: %s\r\nContent-Length: 0\r\n\r\n", self->path + 4,
			   self->path + 8);
	} else if (PATH_BEGINS("/file/")) {
		MAG_CALL(self->rc, peer_file, .fd = self->fd, .n = PATH_NUMBER("/file/"), .head = self->head,
			 .ranges = true);
	} else if (PATH_BEGINS("/whole/")) {
		MAG_CALL(self->rc, peer_file, .fd = self->fd, .n = PATH_NUMBER("/whole/"), .head = self->head);
	} else if (PATH_BEGINS("/status/")) {
		PEER_SENDF("HTTP/1.1 %lu Some\r\nContent-Length: 0\r\n\r\n", PATH_NUMBER("/status/"));
	} else if (PATH("/cookie")) {
		PEER_SENDF("HTTP/1.1 200 OK\r\nSet-Cookie: taste=sweet; Path=/\r\nContent-Length: 0\r\n\r\n");
	} else if (PATH("/together")) { /* until so many have come */
		for (self->i = 0; self->i < 2000 && self->peer->under_way_max < self->peer->at_once; self->i++)
			MAG_AWAIT(self->rc, mag_sleep, MAG_MILLISECOND);
		PEER_SENDF("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
	} else if (PATH_BEGINS("/sleep/")) { /* ms */
		MAG_AWAIT(self->rc, mag_sleep, PATH_NUMBER("/sleep/") * MAG_MILLISECOND);
		PEER_SENDF("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
	} else {
		MAG_CALL(self->rc, peer_bad, .peer = self->peer, .fd = self->fd, .path = self->path, .head = self->head,
			 .close = self->close);
	}
	MAG_RETURN(self->rc < 0 ? self->rc : 0);
	MAG_END;
}

/* The request's body, as far as it is kept; all of it is counted. Chunked ones with their framing. */
struct peer_body {
	mag_frame frame;
	MAG_ARGS(peer_body, struct peer *peer; struct peer_conn * conn;);
	size_t left, n;
	bool chunked;
	int64_t rc;
};

static inline void peer_keep(struct peer *peer, const char *data, size_t n)
{
	size_t room = sizeof(peer->body) - 1;

	if (peer->body_length < room) {
		size_t part = n < room - peer->body_length ? n : room - peer->body_length;

		memcpy(peer->body + peer->body_length, data, part);
		peer->body[peer->body_length + part] = 0;
	}
	peer->body_length += n;
}

static MAG_TASK(peer_body)
{
	const char *length;

	MAG_BEGIN(peer_body);
	length = peer_field(self->peer->head, "Content-Length: ");
	self->left = length ? strtoul(length, NULL, 10) : 0;
	self->chunked = peer_field(self->peer->head, "Transfer-Encoding: chunked");
	self->rc = 1;
	self->peer->body_length = 0;
	self->peer->body[0] = 0;
	while (self->rc > 0) {
		struct peer_conn *c = self->conn;

		self->n = self->chunked || c->have < self->left ? c->have : self->left;
		peer_keep(self->peer, c->in, self->n);
		memmove(c->in, c->in + self->n, c->have - self->n);
		c->have -= self->n;
		self->left -= self->chunked ? 0 : self->n;
		if (self->chunked ? !!strstr(self->peer->body, "0\r\n\r\n") : !self->left)
			MAG_RETURN(0);
		MAG_AWAIT(self->rc, mag_recv, self->conn->fd, self->conn->in, sizeof(self->conn->in) - 1);
		self->conn->have = self->rc > 0 ? (size_t)self->rc : 0;
	}
	MAG_RETURN(-EPIPE);
	MAG_END;
}

static inline void peer_note(struct peer_conn *c)
{
	memcpy(c->peer->head, c->in, c->head);
	c->peer->head[c->head] = 0;
	c->path[0] = 0;
	sscanf(c->peer->head, "%*s %511s", c->path);
	c->have -= c->head;
	memmove(c->in, c->in + c->head, c->have);
	c->peer->requests++;
	if (++c->peer->under_way > c->peer->under_way_max)
		c->peer->under_way_max = c->peer->under_way;
}

static MAG_TASK(peer_conn)
{
	MAG_BEGIN(peer_conn);
	self->have = 0;
	self->close = false;
	self->peer->open++;
	while (!self->close) {
		while (!(self->head = peer_head(self))) {
			MAG_AWAIT(self->rc, mag_recv, self->fd, self->in + self->have,
				  sizeof(self->in) - 1 - self->have);
			if (self->rc <= 0)
				goto end;
			self->have += (size_t)self->rc;
			if (self->in[0] == 22 && !self->peer->mute) { /* a handshake of TLS */
				MAG_AWAIT(self->rc, mag_send_all, self->fd, "HTTP/1.1 400 Bad\r\n\r\n", 20);
				goto end;
			}
		}
		peer_note(self);
		MAG_CALL(self->rc, peer_body, .peer = self->peer, .conn = self);
		if (self->rc == 0)
			MAG_CALL(self->rc, peer_answer, .peer = self->peer, .fd = self->fd, .path = self->path,
				 .head = self->peer->head, .close = &self->close);
		self->peer->under_way--;
		if (self->rc < 0)
			break;
	}
end:
	self->peer->open--;
	MAG_AWAIT(self->rc, mag_close, self->fd);
	MAG_RETURN(0);
	MAG_END;
}

struct peer_serve {
	mag_frame frame;
	MAG_ARGS(peer_serve, struct peer *peer;);
	mag_group conns;
	mag_fd fd;
	int64_t rc;
};

static MAG_TASK(peer_serve)
{
	MAG_BEGIN(peer_serve);
	MAG_GROUP_BEGIN(&self->conns, .policy = MAG_COLLECT);
	for (;;) {
		MAG_AWAIT(self->rc, mag_accept, self->peer->listener, &self->fd, NULL);
		if (self->rc < 0)
			break;
		self->peer->accepted++;
		MAG_SPAWN_ON(self->rc, 0, &self->conns, peer_conn, .peer = self->peer, .fd = self->fd);
		if (self->rc < 0)
			MAG_AWAIT(self->rc, mag_close, self->fd);
	}
	MAG_GROUP_END(self->rc, &self->conns);
	MAG_RETURN(0);
	MAG_END;
}

struct peer_open {
	mag_frame frame;
	MAG_ARGS(peer_open, struct peer *peer; mag_http_session * session; mag_http_options * options; char *base;);
	int64_t rc;
};

static MAG_TASK(peer_open)
{
	MAG_BEGIN(peer_open);
	memset(self->peer, 0, sizeof(*self->peer));
	CHECK_EQ(listen_local(&self->peer->listener, &self->peer->addr), 0);
	self->peer->port = mag_addr_port(&self->peer->addr);
	snprintf(self->base, 64, "http://127.0.0.1:%d/", self->peer->port);
	self->options->size = sizeof(*self->options);
	if (!self->options->base)
		self->options->base = self->base;
	CHECK_EQ(mag_http_session_init(self->session, self->options), 0);
	MAG_SPAWN_AS_ON(self->rc, &self->peer->serving, 0, mag_background(mag_runtime_current()), peer_serve,
			.peer = self->peer);
	CHECK_EQ(self->rc, 0);
	MAG_RETURN(0);
	MAG_END;
}

struct peer_close {
	mag_frame frame;
	MAG_ARGS(peer_close, struct peer *peer; mag_http_session * session;);
	int64_t rc;
};

static MAG_TASK(peer_close)
{
	MAG_BEGIN(peer_close);
	MAG_AWAIT(self->rc, mag_http_session_close, self->session);
	CHECK_EQ(self->rc, 0);
	mag_handle_cancel(&self->peer->serving);
	MAG_AWAIT(self->rc, mag_handle_wait, &self->peer->serving);
	CHECK_EQ(self->rc, 0);
	CLOSE(self->peer->listener);
	CHECK_EQ(open_files(), 0);
	MAG_RETURN(0);
	MAG_END;
}

#endif
