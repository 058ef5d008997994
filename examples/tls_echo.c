/* SPDX-License-Identifier: MIT */
/* tls_echo.c - the echo server over TLS: a context for all connections, a certificate that is checked, one that is changed
 * while connections run, an end that both sides say. */
/* needs: tls */
#include <errno.h>
#include <magpie/acceptor.h>
#include <magpie/magpie.h>
#include <magpie/tcp.h>
#include <magpie/tls.h>
#include <stdio.h>
#include <string.h>

enum { CLIENTS = 8, ROUNDS = 10, CONNECTIONS_MAX = 64 };
#define IDLE_NS (5 * MAG_SECOND)

/* Signed by itself, for localhost. Everybody has this key: a server of yours has files. */
static const char certificate[] =
	"-----BEGIN CERTIFICATE-----\n"
	"MIIBUDCB+KADAgECAgEBMAoGCCqGSM49BAMCMBkxFzAVBgNVBAMMDm1hZ3BpZSBl\n"
	"eGFtcGxlMCAXDTIwMDEwMTAwMDAwMFoYDzIxMjAwMTAxMDAwMDAwWjAZMRcwFQYD\n"
	"VQQDDA5tYWdwaWUgZXhhbXBsZTBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABNWE\n"
	"OHYfjKeJbIaw+0iZXrAmGXZhnBJjvH65SC32AZ6eSFKrhK9kAGMt6npvOi7dJ0dA\n"
	"xCSyytE/OIpXPUCUy1qjLzAtMA8GA1UdEwEB/wQFMAMBAf8wGgYDVR0RBBMwEYIJ\n"
	"bG9jYWxob3N0hwR/AAABMAoGCCqGSM49BAMCA0cAMEQCIHXsSZFOJUvz+6GHxpDM\n"
	"nG3KLMqGwM3DA2Do9r5Y8XdmAiAPL6NRFLiLUhHtMn6ptS1Xn/ubdnaoesFwei4z\n"
	"xzOlVg==\n"
	"-----END CERTIFICATE-----\n";
static const char key[] =
	"-----BEGIN PRIVATE KEY-----\n"
	"MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg8NZey97za9CNOlVT\n"
	"xJ51d0QSUZQC0TppTNNSKzl6ZoehRANCAATVhDh2H4yniWyGsPtImV6wJhl2YZwS\n"
	"Y7x+uUgt9gGenkhSq4SvZABjLep6bzou3SdHQMQkssrRPziKVz1AlMta\n"
	"-----END PRIVATE KEY-----\n";

/* One connection, from its handshake to its close. */
struct serve {
	mag_frame frame;
	MAG_ARGS(serve, mag_tls_context *context; mag_fd fd;);
	mag_tls tls;
	mag_scope scope;
	int64_t n, timed, closed;
	char buf[4096];
};

MAG_TASK(serve)
{
	MAG_BEGIN(serve);
	self->n = mag_tls_init(&self->tls, self->context, self->fd, NULL);
	if (self->n == 0)
		MAG_AWAIT(self->n, mag_tls_handshake, &self->tls);
	while (self->n >= 0) {
		MAG_WITH_TIMEOUT(&self->scope, IDLE_NS);
		MAG_AWAIT(self->n, mag_tls_recv, &self->tls, self->buf, sizeof self->buf);
		if (self->n > 0)
			MAG_AWAIT(self->n, mag_tls_send_all, &self->tls, self->buf, (size_t)self->n);
		MAG_SCOPE_END(self->timed, &self->scope);
		if (self->n == 0) { /* the client has said that this is the end: so do we */
			MAG_AWAIT(self->n, mag_tls_send_end, &self->tls);
			break;
		}
	}
	if (self->n < 0)
		fprintf(stderr, "a connection ends: %s %s\n", mag_strerror(self->n), mag_tls_why(&self->tls));
	mag_tls_fini(&self->tls);
	MAG_AWAIT(self->closed, mag_close, self->fd);
	MAG_RETURN(0);
	MAG_END;
}

/* Ends when its listener is closed, after the connections have ended. */
struct server {
	mag_frame frame;
	MAG_ARGS(server, mag_tls_context *context; mag_fd listener;);
	mag_acceptor acceptor;
	mag_group group;
	mag_fd fd;
	int64_t rc, joined, closed;
};

MAG_TASK(server)
{
	MAG_BEGIN(server);
	self->rc = mag_acceptor_start(&self->acceptor, self->listener, NULL);
	if (self->rc < 0)
		MAG_RETURN(self->rc);
	MAG_GROUP_BEGIN(&self->group, .policy = MAG_COLLECT, .limit = CONNECTIONS_MAX);
	for (;;) {
		MAG_AWAIT(self->rc, mag_acceptor_next, &self->acceptor, &self->fd);
		if (self->rc < 0)
			break;
		MAG_SPAWN(self->rc, &self->group, serve, .context = self->context, .fd = self->fd);
		if (self->rc < 0)
			MAG_AWAIT(self->closed, mag_close, self->fd);
	}
	MAG_AWAIT(self->closed, mag_acceptor_close, &self->acceptor);
	MAG_GROUP_END(self->joined, &self->group);
	MAG_RETURN(self->rc == MAG_ECLOSED ? 0 : self->rc);
	MAG_END;
}

struct client {
	mag_frame frame;
	MAG_ARGS(client, mag_tls_context *context; const mag_addr *addr; const char *host; int number;);
	mag_fd fd;
	mag_tls tls;
	char text[64], answer[64];
	int64_t rc, closed;
	int round;
};

MAG_TASK(client)
{
	MAG_BEGIN(client);
	MAG_CALL(self->rc, mag_tcp_connect, .addr = self->addr, .fd = &self->fd);
	if (self->rc < 0)
		MAG_RETURN(self->rc);
	self->rc = mag_tls_init(&self->tls, self->context, self->fd, self->host);
	if (self->rc == 0)
		MAG_AWAIT(self->rc, mag_tls_handshake, &self->tls);
	for (self->round = 0; self->rc >= 0 && self->round < ROUNDS; self->round++) {
		snprintf(self->text, sizeof self->text, "client %d, round %d", self->number, self->round);
		MAG_AWAIT(self->rc, mag_tls_send_all, &self->tls, self->text, strlen(self->text));
		if (self->rc >= 0)
			MAG_AWAIT(self->rc, mag_tls_recv, &self->tls, self->answer, sizeof self->answer);
		if (self->rc >= 0 && (self->rc != (int64_t)strlen(self->text) ||
				      memcmp(self->text, self->answer, (size_t)self->rc) != 0))
			self->rc = -EPROTO;
	}
	if (self->rc >= 0)
		MAG_AWAIT(self->rc, mag_tls_shutdown, &self->tls);
	if (self->number == 0)
		printf("%s: %s %s\n", self->host, self->rc < 0 ? mag_tls_why(&self->tls) : mag_tls_version_name(&self->tls),
		       self->rc < 0 ? "" : mag_tls_cipher(&self->tls));
	mag_tls_fini(&self->tls);
	MAG_AWAIT(self->closed, mag_close, self->fd);
	MAG_RETURN(self->rc);
	MAG_END;
}

/* Clients talk to the server, its certificate is read anew meanwhile; one asks for a host that the server is not. */
struct both {
	mag_frame frame;
	MAG_ARGS(both, mag_tls_context *server; mag_tls_context *client; const mag_tls_context_options *options;);
	mag_fd listener;
	mag_addr addr;
	mag_group servers, clients;
	int64_t rc, talked, refused, served, closed;
	int i;
};

MAG_TASK(both)
{
	MAG_BEGIN(both);
	self->rc = mag_addr_parse(&self->addr, "127.0.0.1:0");
	if (self->rc == 0)
		self->rc = mag_tcp_listen(&self->addr, NULL, &self->listener);
	if (self->rc == 0)
		self->rc = mag_fd_local_addr(self->listener, &self->addr);
	if (self->rc < 0)
		MAG_RETURN(self->rc);
	MAG_GROUP_BEGIN(&self->servers);
	MAG_SPAWN(self->rc, &self->servers, server, .context = self->server, .listener = self->listener);
	MAG_GROUP_BEGIN(&self->clients);
	for (self->i = 0; self->i < CLIENTS && self->rc == 0; self->i++)
		MAG_SPAWN(self->rc, &self->clients, client, .context = self->client, .addr = &self->addr,
			  .host = "localhost", .number = self->i);
	if (self->rc == 0)
		MAG_AWAIT(self->rc, mag_tls_reload, self->server, self->options);
	MAG_GROUP_END(self->talked, &self->clients);
	MAG_CALL(self->refused, client, .context = self->client, .addr = &self->addr, .host = "example.org");
	MAG_AWAIT(self->closed, mag_close, self->listener); /* the server ends */
	MAG_GROUP_END(self->served, &self->servers);

	if (self->rc == 0)
		self->rc = self->talked < 0 ? self->talked : self->served;
	if (self->rc == 0 && self->refused != -EKEYREJECTED)
		self->rc = -EPROTO;
	MAG_RETURN(self->rc);
	MAG_END;
}

int main(void)
{
	mag_tls_certificate site = { .chain_pem = certificate, .key_pem = key };
	mag_tls_context_options for_server = { .size = sizeof for_server, .role = MAG_TLS_SERVER, .certificates = &site,
					       .certificate_count = 1 };
	mag_tls_context_options for_client = { .size = sizeof for_client, .role = MAG_TLS_CLIENT, .ca_pem = certificate };
	mag_tls_context server, client = { 0 };
	int64_t rc = mag_tls_context_init(&server, &for_server);

	if (rc == 0)
		rc = mag_tls_context_init(&client, &for_client);
	if (rc == 0)
		rc = mag_run(NULL, both, .server = &server, .client = &client, .options = &for_server);
	if (rc < 0)
		fprintf(stderr, "tls_echo: %s %s %s%s\n", mag_strerror(rc), mag_runtime_why(), mag_tls_context_why(&server),
			mag_tls_context_why(&client));
	mag_tls_context_fini(&client);
	mag_tls_context_fini(&server);
	return rc < 0;
}
