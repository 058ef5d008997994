/* SPDX-License-Identifier: MIT */
/* 28_download.c - a file from a server that hangs up in the middle: the part stays, the next try goes on behind it,
 * and a checksum is made on the way. The server is a few lines at the end of this file. */
/* needs: http_client */
#include <errno.h>
#include <magpie/http_client.h>
#include <magpie/http_client_download.h>
#include <magpie/magpie.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LENGTH = 500000, FIRST = 200000 };

static char byte_at(size_t i)
{
	return (char)('a' + i % 26);
}

/* A checksum: FNV-1a, in place of what you use. */
static void add_up(void *sum, const void *data, size_t length)
{
	uint64_t *h = sum;

	for (size_t i = 0; i < length; i++)
		*h = (*h ^ ((const unsigned char *)data)[i]) * UINT64_C(1099511628211);
}

struct download {
	mag_frame frame;
	MAG_ARGS(download, mag_http_session *session; const char *path;);
	mag_http_request request;
	mag_http_response response;
	mag_http_download_options how;
	uint64_t sum, right;
	int64_t rc, i, tries;
};

MAG_TASK(download)
{
	MAG_BEGIN(download);
	self->response = (mag_http_response)MAG_HTTP_RESPONSE_INIT;
	self->request = MAG_HTTP_REQUEST(.url = "file");
	self->how = (mag_http_download_options){
		.size = sizeof(self->how), .resume = true, .watch = add_up, .watch_arg = &self->sum
	};
	for (self->tries = 1; self->tries <= 3; self->tries++) {
		self->sum = 0;
		MAG_AWAIT(self->rc, mag_http_download, self->session, &self->request, self->path, &self->how,
			  &self->response);
		if (self->rc >= 0)
			break;
		printf("try %lld: %s: %s\n", (long long)self->tries, mag_http_fault_name(self->response.fault),
		       self->response.why);
		if (self->response.fault != MAG_HTTP_BROKEN && self->response.fault != MAG_HTTP_TIMEOUT)
			break; /* another try will not mend it */
	}
	for (self->right = 0, self->i = 0; self->i < LENGTH; self->i++)
		add_up(&self->right, &(char){ byte_at((size_t)self->i) }, 1);
	printf("try %lld: %lld bytes, status %d, the checksum is %s\n", (long long)self->tries, (long long)self->rc,
	       self->response.status, self->sum == self->right ? "right" : "wrong");
	self->rc = self->rc == LENGTH && self->tries == 2 && self->response.status == 206 && self->sum == self->right
			   ? 0
			   : -EPROTO;
	mag_http_response_fini(&self->response);
	MAG_RETURN(self->rc);
	MAG_END;
}

/* The server: the first time it sends a part of what it has promised. */
struct serve {
	mag_frame frame;
	MAG_ARGS(serve, mag_fd listener;);
	mag_fd fd;
	char in[2048], out[8192], *range;
	size_t at, end, n, have;
	int64_t rc, closed;
	bool before;
};

static int head(struct serve *s)
{
	s->range = strstr(s->in, "Range: bytes=");
	s->at = s->range ? strtoul(s->range + 13, NULL, 10) : 0;
	s->end = s->before ? LENGTH : FIRST;
	s->before = true;
	if (!s->range)
		return snprintf(s->out, sizeof(s->out), "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n", LENGTH);
	return snprintf(s->out, sizeof(s->out),
			"HTTP/1.1 206 Partial Content\r\nContent-Range: bytes %zu-%d/%d\r\nContent-Length: %zu\r\n\r\n",
			s->at, LENGTH - 1, LENGTH, LENGTH - s->at);
}

static size_t fill(struct serve *s)
{
	s->n = s->end - s->at < sizeof(s->out) ? s->end - s->at : sizeof(s->out);
	for (size_t i = 0; i < s->n; i++)
		s->out[i] = byte_at(s->at + i);
	s->at += s->n;
	return s->n;
}

MAG_TASK(serve)
{
	MAG_BEGIN(serve);
	self->before = false;
	for (;;) {
		MAG_AWAIT(self->rc, mag_accept, self->listener, &self->fd, NULL);
		if (self->rc < 0)
			MAG_RETURN(0);
		self->have = 0;
		do {
			MAG_AWAIT(self->rc, mag_recv, self->fd, self->in + self->have,
				  sizeof(self->in) - 1 - self->have);
			self->have += self->rc > 0 ? (size_t)self->rc : 0;
			self->in[self->have] = 0;
		} while (self->rc > 0 && !strstr(self->in, "\r\n\r\n"));
		if (self->rc > 0)
			MAG_AWAIT(self->rc, mag_send_all, self->fd, self->out, (size_t)head(self));
		while (self->rc > 0 && self->at < self->end) {
			self->n = fill(self);
			MAG_AWAIT(self->rc, mag_send_all, self->fd, self->out, self->n);
		}
		MAG_AWAIT(self->closed, mag_close, self->fd);
	}
	MAG_END;
}

struct program {
	mag_frame frame;
	MAG_NO_ARGS(program);
	mag_http_session session;
	mag_handle serving;
	mag_addr addr;
	mag_fd listener;
	char base[64], dir[32], path[64];
	int64_t rc, closed;
};

static int begin(struct program *self)
{
	mag_http_options options = { .size = sizeof(options), .base = self->base };
	int rc = mag_addr_parse(&self->addr, "127.0.0.1:0");

	if (rc == 0)
		rc = mag_tcp_listen(&self->addr, NULL, &self->listener);
	if (rc == 0)
		rc = mag_fd_local_addr(self->listener, &self->addr);
	snprintf(self->base, sizeof(self->base), "http://127.0.0.1:%d/", mag_addr_port(&self->addr));
	strcpy(self->dir, "/tmp/28_download-XXXXXX");
	if (rc == 0 && !mkdtemp(self->dir))
		rc = -errno;
	snprintf(self->path, sizeof(self->path), "%s/file", self->dir);
	return rc == 0 ? mag_http_session_init(&self->session, &options) : rc;
}

MAG_TASK(program)
{
	MAG_BEGIN(program);
	self->rc = begin(self);
	if (self->rc < 0)
		MAG_RETURN(self->rc);
	MAG_SPAWN_AS(self->rc, &self->serving, mag_background(mag_runtime_current()), serve,
		     .listener = self->listener);
	if (self->rc < 0)
		MAG_RETURN(self->rc);
	MAG_CALL(self->rc, download, .session = &self->session, .path = self->path);
	MAG_AWAIT(self->closed, mag_http_session_close, &self->session);
	mag_handle_cancel(&self->serving);
	MAG_AWAIT(self->closed, mag_handle_wait, &self->serving);
	MAG_AWAIT(self->closed, mag_close, self->listener);
	unlink(self->path);
	rmdir(self->dir);
	MAG_RETURN(self->rc);
	MAG_END;
}

int main(void)
{
	int64_t rc = mag_run(NULL, program);

	if (rc < 0)
		fprintf(stderr, "28_download: %s %s\n", mag_strerror(rc), mag_runtime_why());
	return rc < 0;
}
