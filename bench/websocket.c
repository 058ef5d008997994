/* SPDX-License-Identifier: MIT */
/* websocket.c - see websocket.h. */
#include "websocket.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

/* Key and answer are the example of RFC 6455, 1.3. */
#define REQUEST                                         \
	"GET /echo HTTP/1.1\r\n"                        \
	"Host: 127.0.0.1\r\n"                           \
	"Upgrade: websocket\r\n"                        \
	"Connection: Upgrade\r\n"                       \
	"Sec-WebSocket-Version: 13\r\n"                 \
	"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n" \
	"\r\n"
#define ACCEPT "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="

int websocket_shake(int fd, struct bench_run *r)
{
	char buf[2048];
	size_t have = 0;
	ssize_t n;

	if (send(fd, REQUEST, sizeof REQUEST - 1, MSG_NOSIGNAL) != sizeof REQUEST - 1)
		return bench_fail(r, -EPIPE, "the handshake cannot be sent: %s", strerror(errno));
	while (have < sizeof buf - 1) {
		n = recv(fd, buf + have, sizeof buf - 1 - have, 0);
		if (n <= 0)
			return bench_fail(r, -EPIPE, "the server has closed in the handshake");
		have += (size_t)n;
		buf[have] = 0;
		if (strstr(buf, "\r\n\r\n"))
			break;
	}
	if (strncmp(buf, "HTTP/1.1 101", 12) || !strstr(buf, ACCEPT))
		return bench_fail(r, -EPROTO, "the answer is no handshake: %.40s", buf);
	return 0;
}
