/* SPDX-License-Identifier: MIT */
/* 26_http.c - a session with an HTTP server: GET, POST of JSON, headers, a status that is no error, errors by their
 * kind, limits of time, a redirect, twenty requests over the connections of two, a body that is taken piece by
 * piece. The server is a few lines at the end of this file. */
/* needs: http_client */
#include <errno.h>
#include <magpie/http_client.h>
#include <magpie/http_client_stream.h>
#include <magpie/magpie.h>
#include <stdio.h>
#include <string.h>

enum { REQUESTS = 20, AT_ONCE = 2, LARGE = 1000000 };

struct server {
	mag_fd listener;
	mag_addr addr;
	uint32_t connections;
};

struct serve {
	mag_frame frame;
	MAG_ARGS(serve, struct server *server;);
	mag_group group;
	mag_fd fd;
	int64_t rc;
};
MAG_DECLARE_TASK(serve);

/* One of many, which share the session. */
struct thing {
	mag_frame frame;
	MAG_ARGS(thing, mag_http_session *session; int i; uint32_t * good;);
	mag_http_response response;
	char path[32];
	int64_t rc;
};

MAG_TASK(thing)
{
	MAG_BEGIN(thing);
	self->response = (mag_http_response)MAG_HTTP_RESPONSE_INIT;
	snprintf(self->path, sizeof(self->path), "things/%d", self->i);
	MAG_AWAIT(self->rc, mag_http_get, self->session, self->path, &self->response);
	*self->good += self->rc == 200; /* one worker */
	mag_http_response_fini(&self->response);
	MAG_RETURN(self->rc < 0 ? self->rc : 0);
	MAG_END;
}

/* The client: each of these could be anywhere in a program, with the session as an argument. */
struct requests {
	mag_frame frame;
	MAG_ARGS(requests, mag_http_session *session; struct server * server;);
	mag_http_request request;
	mag_http_response response;
	mag_http_chunk chunk;
	mag_group group;
	size_t bytes, chunks;
	uint32_t good;
	int64_t rc, closed;
	int i, as_expected;
};

MAG_TASK(requests)
{
	MAG_BEGIN(requests);
	self->response = (mag_http_response)MAG_HTTP_RESPONSE_INIT;
	self->as_expected = 0;

	MAG_AWAIT(self->rc, mag_http_get, self->session, "things/7", &self->response);
	if (self->rc < 0)
		MAG_RETURN(self->rc);
	printf("GET: %d, %s, \"%s\"\n", self->response.status,
	       mag_http_response_header(&self->response, "Content-Type"), self->response.body);
	self->as_expected += self->rc == 200;

	MAG_AWAIT(self->rc, mag_http_post_json, self->session, "echo", "{\"name\":\"ring\"}", &self->response);
	printf("POST of JSON: %d, \"%s\"\n", self->response.status, self->response.body);
	self->as_expected += self->rc == 200;

	MAG_AWAIT(self->rc, mag_http_get, self->session, "missing", &self->response);
	printf("a status is no error: %lld\n", (long long)self->rc);
	self->as_expected += self->rc == 404;

	MAG_AWAIT(self->rc, mag_http_get, self->session, "moved", &self->response);
	printf("redirected %u time: %d\n", self->response.redirects, self->response.status);
	self->as_expected += self->rc == 200 && self->response.redirects == 1;

	self->request = MAG_HTTP_REQUEST(.url = "slow", .limits = { .first_byte_ns = 20 * MAG_MILLISECOND });
	MAG_AWAIT(self->rc, mag_http_perform, self->session, &self->request, &self->response);
	printf("too slow: %s, %s: %s\n", mag_errname(self->rc), mag_http_fault_name(self->response.fault),
	       self->response.why);
	self->as_expected += self->response.fault == MAG_HTTP_TIMEOUT;

	MAG_AWAIT(self->rc, mag_http_get, self->session, "http://127.0.0.1:1/", &self->response);
	printf("nobody there: %s, %s\n", mag_errname(self->rc), mag_http_fault_name(self->response.fault));
	self->as_expected += self->response.fault == MAG_HTTP_CONNECT;

	self->server->connections = 0;
	self->good = 0;
	MAG_GROUP_BEGIN(&self->group);
	for (self->i = 0; self->i < REQUESTS; self->i++)
		MAG_SPAWN(self->rc, &self->group, thing, .session = self->session, .i = self->i, .good = &self->good);
	MAG_GROUP_END(self->rc, &self->group);
	printf("%u requests, %u more connections\n", self->good, self->server->connections);
	self->as_expected += self->good == REQUESTS && self->server->connections <= AT_ONCE;

	self->request = MAG_HTTP_REQUEST(.url = "large");
	self->bytes = self->chunks = 0;
	MAG_AWAIT(self->rc, mag_http_open, self->session, &self->request, &self->response);
	while (self->rc > 0) {
		MAG_AWAIT(self->rc, mag_http_body, &self->response, &self->chunk);
		self->bytes += self->rc > 0 ? self->chunk.length : 0;
		self->chunks += self->rc > 0;
	}
	MAG_AWAIT(self->closed, mag_http_close, &self->response);
	printf("piece by piece: %zu bytes, never more than a few pieces in memory\n", self->bytes);
	self->as_expected += self->rc == 0 && self->bytes == LARGE && self->chunks > 10;

	mag_http_response_fini(&self->response);
	MAG_RETURN(self->as_expected == 8 ? 0 : -EPROTO);
	MAG_END;
}

struct program {
	mag_frame frame;
	MAG_NO_ARGS(program);
	struct server server;
	mag_http_session session;
	mag_http_options options;
	mag_handle serving;
	char base[64];
	int64_t rc, closed;
};

static int begin(struct program *self)
{
	int rc = mag_addr_parse(&self->server.addr, "127.0.0.1:0");

	self->server.connections = 0;
	if (rc == 0)
		rc = mag_tcp_listen(&self->server.addr, NULL, &self->server.listener);
	if (rc == 0)
		rc = mag_fd_local_addr(self->server.listener, &self->server.addr);
	snprintf(self->base, sizeof(self->base), "http://127.0.0.1:%d/", mag_addr_port(&self->server.addr));
	self->options = (mag_http_options){
		.size = sizeof(mag_http_options),
		.base = self->base,
		.bearer = "secret", /* goes to this base alone */
		.host_max = AT_ONCE,
		.limits = { .connect_ns = 2 * MAG_SECOND, .total_ns = 10 * MAG_SECOND },
	};
	return rc == 0 ? mag_http_session_init(&self->session, &self->options) : rc;
}

MAG_TASK(program)
{
	MAG_BEGIN(program);
	self->rc = begin(self);
	if (self->rc < 0)
		MAG_RETURN(self->rc);
	MAG_SPAWN_AS(self->rc, &self->serving, mag_background(mag_runtime_current()), serve, .server = &self->server);
	if (self->rc < 0)
		MAG_RETURN(self->rc);
	MAG_CALL(self->rc, requests, .session = &self->session, .server = &self->server);
	MAG_AWAIT(self->closed, mag_http_session_close, &self->session);
	mag_handle_cancel(&self->serving);
	MAG_AWAIT(self->closed, mag_handle_wait, &self->serving);
	MAG_AWAIT(self->closed, mag_close, self->server.listener);
	MAG_RETURN(self->rc);
	MAG_END;
}

/* The server: a connection's requests come one at a time, and each fits its buffer. */
struct serve_conn {
	mag_frame frame;
	MAG_ARGS(serve_conn, mag_fd fd;);
	char in[4096], out[4096], *body;
	size_t have, left;
	int64_t rc;
};

static int answer(struct serve_conn *c)
{
	size_t room = sizeof(c->out);

	if (!strncmp(c->in, "GET /things/", 12))
		return snprintf(c->out, room,
				"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nthing");
	if (!strncmp(c->in, "POST /echo", 10))
		return snprintf(c->out, room, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n%s", strlen(c->body),
				c->body);
	if (!strncmp(c->in, "GET /moved", 10))
		return snprintf(c->out, room, "HTTP/1.1 302 Found\r\nLocation: /things/1\r\nContent-Length: 0\r\n\r\n");
	if (!strncmp(c->in, "GET /large", 10)) {
		c->left = LARGE;
		return snprintf(c->out, room, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n", LARGE);
	}
	return snprintf(c->out, room, "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
}

/* Whether a whole request is there. */
static bool is_whole(struct serve_conn *c)
{
	const char *length = strstr(c->in, "Content-Length: ");
	size_t want = 0;

	c->body = strstr(c->in, "\r\n\r\n");
	if (!c->body)
		return false;
	c->body += 4;
	if (length && length < c->body)
		sscanf(length + 16, "%zu", &want);
	return strlen(c->body) >= want;
}

MAG_TASK(serve_conn)
{
	MAG_BEGIN(serve_conn);
	self->left = 0;
	do {
		self->have = 0;
		do {
			MAG_AWAIT(self->rc, mag_recv, self->fd, self->in + self->have,
				  sizeof(self->in) - 1 - self->have);
			if (self->rc <= 0)
				goto end;
			self->have += (size_t)self->rc;
			self->in[self->have] = 0;
		} while (!is_whole(self));
		if (!strncmp(self->in, "GET /slow", 9))
			MAG_AWAIT(self->rc, mag_sleep, 5 * MAG_SECOND); /* the client does not wait for that */
		MAG_AWAIT(self->rc, mag_send_all, self->fd, self->out, (size_t)answer(self));
		memset(self->in, '.', sizeof(self->in));
		while (self->rc > 0 && self->left) {
			self->left -= self->left < sizeof(self->in) ? self->left : sizeof(self->in);
			MAG_AWAIT(self->rc, mag_send_all, self->fd, self->in,
				  self->left ? sizeof(self->in) : (LARGE - 1) % sizeof(self->in) + 1);
		}
	} while (self->rc > 0);
end:
	MAG_AWAIT(self->rc, mag_close, self->fd);
	MAG_RETURN(0);
	MAG_END;
}

MAG_TASK(serve)
{
	MAG_BEGIN(serve);
	MAG_GROUP_BEGIN(&self->group, .policy = MAG_COLLECT);
	for (;;) {
		MAG_AWAIT(self->rc, mag_accept, self->server->listener, &self->fd, NULL);
		if (self->rc < 0)
			break;
		self->server->connections++;
		MAG_SPAWN(self->rc, &self->group, serve_conn, .fd = self->fd);
		if (self->rc < 0)
			MAG_AWAIT(self->rc, mag_close, self->fd);
	}
	mag_group_cancel(&self->group);
	MAG_GROUP_END(self->rc, &self->group);
	MAG_RETURN(0);
	MAG_END;
}

int main(void)
{
	const mag_runtime_options options = { .size = sizeof(options), .workers = 1 };
	int64_t rc = mag_run(&options, program);

	if (rc < 0)
		fprintf(stderr, "26_http: %s %s\n", mag_strerror(rc), mag_runtime_why());
	return rc < 0;
}
