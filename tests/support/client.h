/* SPDX-License-Identifier: MIT */
/* client.h - a client on the system's own blocking socket, for tests of servers: faults that are planned for the
 * runtime do not reach it. */
#ifndef MAGPIE_TESTS_CLIENT_H
#define MAGPIE_TESTS_CLIENT_H

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

enum { CLIENT_PATIENCE_S = 10 };

/* Connects to the loopback's port: a descriptor, or -1. */
static inline int client_call(uint16_t port)
{
	const struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons(port),
					.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	const struct timeval patience = { .tv_sec = CLIENT_PATIENCE_S };
	const struct linger reset = { .l_onoff = 1 }; /* closing leaves no port behind */
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	cr_assert(fd >= 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	if (connect(fd, (const struct sockaddr *)&at, sizeof(at)) == 0)
		return fd;
	close(fd);
	return -1;
}

static inline void client_ask(int fd, const char *what)
{
	(void)!send(fd, what, strlen(what), MSG_NOSIGNAL); /* it may be closed already: the answer tells */
}

/* true: an answer that begins like this; false: the connection was closed. To hear nothing fails the test. */
static inline bool client_hears(int fd, const char *what)
{
	size_t size = strlen(what), had = 0;
	char buf[64];

	while (had < size) {
		ssize_t n = recv(fd, buf + had, size - had, 0);

		cr_assert(n >= 0 || errno == ECONNRESET, "a client waits for ever: %s", strerror(errno));
		if (n <= 0)
			return false;
		had += (size_t)n;
	}
	return memcmp(buf, what, size) == 0;
}

/* How many descriptors the process has open. */
static inline int client_descriptors(void)
{
	DIR *dir = opendir("/proc/self/fd");
	int n = 0;

	while (readdir(dir))
		n++;
	closedir(dir);
	return n;
}

#endif
