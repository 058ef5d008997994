/* SPDX-License-Identifier: MIT */
/* tls_peer.c - one end of TLS, for script.tls_peers, which has OpenSSL's own program as the other.
 *
 *	tls_peer serve CHAIN KEY [CA]            says its port, sends back what it gets until a line ends with "end"
 *	tls_peer connect PORT HOST CA TEXT [CHAIN KEY]   sends the text and a line's end, writes what comes until the end
 *
 * With a CA, clients must show a certificate of it. */
#include <errno.h>
#include <magpie/magpie.h>
#include <magpie/tcp.h>
#include <magpie/tls.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct guest {
	mag_frame frame;
	MAG_ARGS(guest, mag_tls_context *context; mag_fd fd;);
	mag_tls tls;
	int64_t n, rc;
	char peer[64];
	char buf[20000];
};

MAG_TASK(guest)
{
	MAG_BEGIN(guest);
	self->n = mag_tls_init(&self->tls, self->context, self->fd, NULL);
	if (self->n == 0)
		MAG_AWAIT(self->n, mag_tls_handshake, &self->tls);
	if (self->n == 0) {
		mag_tls_peer(&self->tls, self->peer, sizeof(self->peer));
		printf("guest: %s %s %s %s%s\n", mag_tls_version_name(&self->tls),
		       mag_tls_alpn(&self->tls) ? mag_tls_alpn(&self->tls) : "-",
		       mag_tls_sni(&self->tls) ? mag_tls_sni(&self->tls) : "-", *self->peer ? self->peer : "-",
		       mag_tls_resumed(&self->tls) ? " resumed" : "");
	}
	while (self->n >= 0) {
		MAG_AWAIT(self->n, mag_tls_recv, &self->tls, self->buf, sizeof(self->buf));
		if (self->n <= 0)
			break;
		MAG_AWAIT(self->rc, mag_tls_send_all, &self->tls, self->buf, (size_t)self->n);
		if (self->n >= 4 && memcmp(self->buf + self->n - 4, "end\n", 4) == 0) {
			MAG_AWAIT(self->n, mag_tls_shutdown, &self->tls);
			break;
		}
	}
	printf("gone: %s %s\n", self->n < 0 ? mag_errname(self->n) : "well", mag_tls_why(&self->tls));
	fflush(stdout);
	mag_tls_fini(&self->tls);
	MAG_AWAIT(self->rc, mag_close, self->fd);
	MAG_RETURN(0);
	MAG_END;
}

#include "peer_serve.h"

struct call {
	mag_frame frame;
	MAG_ARGS(call, mag_tls_context *context; int port; const char *host; const char *text;);
	mag_tls tls;
	mag_addr addr;
	mag_fd fd;
	int64_t rc, n;
	char name[32];
	char buf[20000];
};

MAG_TASK(call)
{
	MAG_BEGIN(call);
	snprintf(self->name, sizeof(self->name), "127.0.0.1:%d", self->port);
	self->rc = mag_addr_parse(&self->addr, self->name);
	if (self->rc == 0)
		MAG_CALL(self->rc, mag_tcp_connect, .addr = &self->addr, .fd = &self->fd);
	if (self->rc < 0)
		MAG_RETURN(self->rc);
	self->rc = mag_tls_init(&self->tls, self->context, self->fd, self->host);
	if (self->rc == 0)
		MAG_AWAIT(self->rc, mag_tls_handshake, &self->tls);
	if (self->rc == 0) {
		fprintf(stderr, "host: %s\n", mag_tls_version_name(&self->tls));
		MAG_AWAIT(self->rc, mag_tls_send_all, &self->tls, self->text, strlen(self->text));
	}
	while (self->rc >= 0) {
		MAG_AWAIT(self->rc, mag_tls_recv, &self->tls, self->buf, sizeof(self->buf));
		if (self->rc == 0)
			break;
		if (self->rc > 0)
			fwrite(self->buf, 1, (size_t)self->rc, stdout);
		fflush(stdout);
	}
	if (self->rc == 0)
		MAG_AWAIT(self->n, mag_tls_send_end, &self->tls);
	fprintf(stderr, "gone: %s %s\n", self->rc < 0 ? mag_errname(self->rc) : "well", mag_tls_why(&self->tls));
	mag_tls_fini(&self->tls);
	MAG_AWAIT(self->n, mag_close, self->fd);
	MAG_RETURN(self->rc);
	MAG_END;
}

static void take(mag_tls_context *context, const mag_tls_context_options *o)
{
	if (mag_tls_context_init(context, o) < 0) {
		fprintf(stderr, "tls_peer: %s\n", mag_tls_context_why(context));
		exit(2);
	}
}

int main(int argc, char **argv)
{
	mag_tls_certificate own = { 0 };
	mag_tls_context_options o = { .size = sizeof(o), .certificates = &own };
	mag_tls_context context;
	char text[256];
	int64_t rc;

	if (argc >= 4 && strcmp(argv[1], "serve") == 0) {
		o.role = MAG_TLS_SERVER;
		o.alpn = "h2,http/1.1";
		own = (mag_tls_certificate){ .chain_file = argv[2], .key_file = argv[3] };
		o.certificate_count = 1;
		o.ca_file = argv[4];
		o.verify = argv[4] ? MAG_TLS_VERIFY_REQUIRED : MAG_TLS_VERIFY_DEFAULT;
		take(&context, &o);
		rc = mag_run(NULL, serve, .context = &context);
	} else if (argc >= 6 && strcmp(argv[1], "connect") == 0) {
		o.role = MAG_TLS_CLIENT;
		o.ca_file = argv[4];
		if (argc == 8)
			own = (mag_tls_certificate){ .chain_file = argv[6], .key_file = argv[7] };
		o.certificate_count = argc == 8;
		take(&context, &o);
		snprintf(text, sizeof(text), "%s\n", argv[5]);
		rc = mag_run(NULL, call, .context = &context, .port = atoi(argv[2]), .host = argv[3], .text = text);
	} else {
		return 2;
	}
	mag_tls_context_fini(&context);
	if (rc == MAG_EBACKEND) {
		fprintf(stderr, "tls_peer: %s\n", mag_runtime_why());
		return 77;
	}
	return rc < 0;
}
