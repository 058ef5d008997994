/* SPDX-License-Identifier: MIT */
/* websocket_peer.c - one end of a WebSocket, for script.websocket_peers, which has a Python library as the other.
 *
 *	websocket_peer serve [CHAIN KEY]           says its port; sends back what it gets
 *	websocket_peer connect PORT HOST [CA]      speaks "chat"; sends messages of many lengths, which must come back
 *
 * With certificates: over TLS. */
#include <errno.h>
#include <magpie/magpie.h>
#include <magpie/tcp.h>
#include <magpie/websocket_tls.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BIG = 300000 };

/* A connection; with a context over TLS. */
struct line {
	mag_fd fd;
	mag_tls tls;
	mag_websocket ws;
	mag_websocket_options o;
};

struct line_open {
	mag_frame frame;
	MAG_ARGS(line_open, struct line *l; mag_tls_context *context; const char *host; enum mag_websocket_role role;);
	int64_t rc;
	char target[64];
};

MAG_TASK(line_open)
{
	MAG_BEGIN(line_open);
	self->l->o = (mag_websocket_options){ .size = sizeof(self->l->o), .role = self->role, .protocols = "chat" };
	self->rc = 0;
	if (self->context) {
		self->rc = mag_tls_init(&self->l->tls, self->context, self->l->fd, self->host);
		if (self->rc == 0)
			MAG_AWAIT(self->rc, mag_tls_handshake, &self->l->tls);
		if (self->rc == 0)
			self->rc = mag_websocket_init(&self->l->ws, &mag_websocket_over_tls, &self->l->tls, &self->l->o);
	} else {
		self->rc = mag_websocket_init(&self->l->ws, &mag_websocket_over_fd, &self->l->fd, &self->l->o);
	}
	if (self->rc < 0)
		MAG_RETURN(self->rc);
	if (self->host)
		MAG_AWAIT(self->rc, mag_websocket_connect, &self->l->ws, self->host, "/path?x=y");
	else
		MAG_AWAIT(self->rc, mag_websocket_accept, &self->l->ws, self->target, sizeof(self->target));
	if (self->rc == 0)
		printf("open: %s %s\n", self->host ? "/" : self->target,
		       mag_websocket_protocol(&self->l->ws) ? mag_websocket_protocol(&self->l->ws) : "-");
	MAG_RETURN(self->rc);
	MAG_END;
}

struct line_close {
	mag_frame frame;
	MAG_ARGS(line_close, struct line *l; int64_t why;);
	int64_t rc;
};

MAG_TASK(line_close)
{
	MAG_BEGIN(line_close);
	printf("gone: %s %u %s%s%s\n", self->why < 0 ? mag_errname(self->why) : "well", mag_websocket_close_code(&self->l->ws),
	       mag_websocket_close_reason(&self->l->ws), mag_websocket_why(&self->l->ws), mag_tls_why(&self->l->tls));
	fflush(stdout);
	mag_websocket_fini(&self->l->ws);
	if (self->l->tls.ssl)
		MAG_AWAIT(self->rc, mag_tls_send_end, &self->l->tls);
	mag_tls_fini(&self->l->tls);
	MAG_AWAIT(self->rc, mag_close, self->l->fd);
	MAG_RETURN(0);
	MAG_END;
}

struct guest {
	mag_frame frame;
	MAG_ARGS(guest, mag_tls_context *context; mag_fd fd;);
	struct line l;
	mag_websocket_message m;
	int64_t rc;
};

MAG_TASK(guest)
{
	MAG_BEGIN(guest);
	memset(&self->l, 0, sizeof(self->l));
	self->l.fd = self->fd;
	MAG_CALL(self->rc, line_open, .l = &self->l, .context = self->context, .role = MAG_WEBSOCKET_SERVER);
	while (self->rc >= 0) {
		MAG_AWAIT(self->rc, mag_websocket_recv, &self->l.ws, &self->m);
		if (self->rc <= 0)
			break;
		MAG_AWAIT(self->rc, mag_websocket_send, &self->l.ws, self->m.type, self->m.data, self->m.len);
	}
	MAG_CALL(self->rc, line_close, .l = &self->l, .why = self->rc);
	MAG_RETURN(0);
	MAG_END;
}

#include "peer_serve.h"

struct call {
	mag_frame frame;
	MAG_ARGS(call, mag_tls_context *context; int port; const char *host;);
	struct line l;
	mag_websocket_message m;
	mag_addr addr;
	int64_t rc, done;
	size_t n;
	char *data;
	char name[32];
};

MAG_TASK(call)
{
	MAG_BEGIN(call);
	memset(&self->l, 0, sizeof(self->l));
	snprintf(self->name, sizeof(self->name), "127.0.0.1:%d", self->port);
	self->rc = mag_addr_parse(&self->addr, self->name);
	if (self->rc == 0)
		MAG_CALL(self->rc, mag_tcp_connect, .addr = &self->addr, .fd = &self->l.fd);
	if (self->rc < 0)
		MAG_RETURN(self->rc);
	MAG_CALL(self->rc, line_open, .l = &self->l, .context = self->context, .host = self->host, .role = MAG_WEBSOCKET_CLIENT);
	self->data = malloc(BIG);
	memset(self->data, 'm', BIG);
	for (self->n = 0; self->rc >= 0 && self->n <= BIG; self->n = self->n * 3 + 1) {
		MAG_AWAIT(self->rc, mag_websocket_send, &self->l.ws, self->n % 2 ? MAG_WEBSOCKET_TEXT : MAG_WEBSOCKET_BINARY,
			  self->data, self->n);
		if (self->rc >= 0)
			MAG_AWAIT(self->rc, mag_websocket_recv, &self->l.ws, &self->m);
		if (self->rc == 1 && (self->m.len != self->n || (self->n && memcmp(self->m.data, self->data, self->n) != 0) ||
				      (self->m.type == MAG_WEBSOCKET_TEXT) != self->n % 2))
			self->rc = -EBADMSG;
		if (self->rc == 0)
			break;
	}
	free(self->data);
	if (self->rc > 0)
		MAG_AWAIT(self->rc, mag_websocket_close, &self->l.ws, 3001, "enough");
	self->done = self->rc;
	MAG_CALL(self->rc, line_close, .l = &self->l, .why = self->done);
	MAG_RETURN(self->done);
	MAG_END;
}

int main(int argc, char **argv)
{
	bool server = argc >= 2 && strcmp(argv[1], "serve") == 0;
	mag_tls_certificate own = { .chain_file = argc >= 4 && server ? argv[2] : NULL, .key_file = argc >= 4 && server ? argv[3] : NULL };
	mag_tls_context_options o = { .size = sizeof(o), .certificates = &own };
	mag_tls_context context, *tls = NULL;
	int64_t rc;

	if (!server && (argc < 4 || strcmp(argv[1], "connect") != 0))
		return 2;
	o.role = server ? MAG_TLS_SERVER : MAG_TLS_CLIENT;
	o.certificate_count = server;
	o.ca_file = server ? NULL : argv[4];
	if (server ? argc >= 4 : argc >= 5) {
		if (mag_tls_context_init(&context, &o) < 0) {
			fprintf(stderr, "websocket_peer: %s\n", mag_tls_context_why(&context));
			return 2;
		}
		tls = &context;
	}
	if (server)
		rc = mag_run(NULL, serve, .context = tls);
	else
		rc = mag_run(NULL, call, .context = tls, .port = atoi(argv[2]), .host = argv[3]);
	mag_tls_context_fini(tls);
	if (rc == MAG_EBACKEND) {
		fprintf(stderr, "websocket_peer: %s\n", mag_runtime_why());
		return 77;
	}
	return rc < 0;
}
