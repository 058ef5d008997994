/* SPDX-License-Identifier: MIT */
/* http_server_peer.c - a server whose path /path is a WebSocket, for script.websocket_peers, which has a Python library as the
 * client; and which sends back what is posted to /echo while it comes, for script.nginx_peers, which has nginx before it.
 *
 *	http_server_peer [CHAIN KEY]   says its port; sends back what it gets
 *
 * With certificates: over TLS. */
#include <magpie/http_server.h>
#include <magpie/magpie.h>
#include <magpie/websocket_http.h>
#include <magpie/websocket_tls.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct guest {
	mag_frame frame;
	MAG_ARGS(guest, mag_http_exchange *http; void *user;);
	mag_websocket_answer answer;
	mag_http_upgraded up;
	mag_websocket ws;
	mag_websocket_options o;
	mag_websocket_message m;
	int64_t rc;
};

static int begin(struct guest *self)
{
	const bool tls = self->up.tls;

	self->o = (mag_websocket_options){ .size = sizeof(self->o), .role = MAG_WEBSOCKET_SERVER,
					   .ahead = self->up.early.at, .ahead_len = self->up.early.length };
	return mag_websocket_init(&self->ws, tls ? &mag_websocket_over_tls : &mag_websocket_over_fd,
				  tls ? (void *)self->up.tls : &self->up.fd, &self->o);
}

MAG_TASK(guest)
{
	MAG_BEGIN(guest);
	if (mag_websocket_agree(self->http, "chat", NULL, &self->answer) != 101)
		MAG_RETURN(0);
	MAG_AWAIT(self->rc, mag_http_upgrade, self->http, "websocket", &self->up);
	if (self->rc < 0)
		MAG_RETURN(self->rc);
	self->rc = begin(self);
	if (self->rc < 0)
		MAG_RETURN(self->rc);
	printf("open: %.*s %s %s\n", (int)mag_http_target(self->http).length, mag_http_target(self->http).at,
	       *self->answer.protocol ? self->answer.protocol : "-", self->up.tls ? "TLS" : "bare");
	while (self->rc >= 0) {
		MAG_AWAIT(self->rc, mag_websocket_recv, &self->ws, &self->m);
		if (self->rc <= 0)
			break;
		MAG_AWAIT(self->rc, mag_websocket_send, &self->ws, self->m.type, self->m.data, self->m.len);
	}
	printf("gone: %s %u %s\n", self->rc < 0 ? mag_errname(self->rc) : "well", mag_websocket_close_code(&self->ws),
	       mag_websocket_close_reason(&self->ws));
	fflush(stdout);
	mag_websocket_fini(&self->ws);
	MAG_RETURN(0);
	MAG_END;
}

/* A body of any length goes back, with the length of each piece unknown before. */
struct echo {
	mag_frame frame;
	MAG_ARGS(echo, mag_http_exchange *http; void *user;);
	char piece[4096];
	int64_t n;
};

MAG_TASK(echo)
{
	MAG_BEGIN(echo);
	for (;;) {
		MAG_AWAIT(self->n, mag_http_body_read, self->http, self->piece, sizeof self->piece);
		if (self->n <= 0)
			MAG_RETURN(self->n);
		MAG_AWAIT(self->n, mag_http_write, self->http, self->piece, (size_t)self->n);
		if (self->n < 0)
			MAG_RETURN(self->n);
	}
	MAG_END;
}

static void ready(void *ctx, const mag_addr *at)
{
	(void)ctx;
	printf("port %d\n", mag_addr_port(at));
	fflush(stdout);
}

static int build(mag_http_server **server, mag_tls_context *tls)
{
	const mag_http_server_options o = { .size = sizeof(o), .ready = ready, .tls = tls };
	const mag_http_route_options endless = { .size = sizeof(endless), .request_ns = MAG_NEVER };
	mag_addr addr;
	int rc = mag_http_server_create(&o, server);

	if (rc == 0)
		rc = mag_http_server_route_with(*server, "GET", "/path", MAG_HTTP_TASK(guest), NULL, &endless);
	if (rc == 0)
		rc = mag_http_server_route(*server, NULL, "/echo", MAG_HTTP_TASK(echo), NULL);
	if (rc == 0)
		rc = mag_addr_parse(&addr, "127.0.0.1:0");
	return rc < 0 ? rc : mag_http_server_listen(*server, &addr);
}

int main(int argc, char **argv)
{
	mag_tls_certificate own = { .chain_file = argc > 2 ? argv[1] : NULL, .key_file = argc > 2 ? argv[2] : NULL };
	mag_tls_context_options o = { .size = sizeof(o), .role = MAG_TLS_SERVER, .certificates = &own, .certificate_count = 1 };
	mag_tls_context context, *tls = argc > 2 ? &context : NULL;
	mag_http_server *server = NULL;
	int64_t rc;

	if (tls && mag_tls_context_init(tls, &o) < 0) {
		fprintf(stderr, "http_server_peer: %s\n", mag_tls_context_why(tls));
		return 2;
	}
	rc = build(&server, tls);
	if (rc == 0)
		rc = mag_run(NULL, mag_http_serve, .server = server);
	mag_http_server_destroy(server);
	mag_tls_context_fini(tls);
	if (rc == MAG_EBACKEND) {
		fprintf(stderr, "http_server_peer: %s\n", mag_runtime_why());
		return 77;
	}
	return rc < 0;
}
