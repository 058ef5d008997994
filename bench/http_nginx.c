/* SPDX-License-Identifier: MIT */
/* http_nginx.c - nginx as the server of the bench: one process that answers by itself, out of a directory of its own.
 * Not:     handing it the listening socket, as it does to its successor: alone in its process it crashes on that. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "http_peer.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <ftw.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { START_MS = 5000 };

static const char *const places[] = { "/usr/sbin/nginx", "/usr/local/sbin/nginx", "/usr/bin/nginx" };

static const char *place(void)
{
	for (size_t i = 0; i < sizeof places / sizeof places[0]; i++)
		if (access(places[i], X_OK) == 0)
			return places[i];
	return NULL;
}

bool http_nginx_found(void)
{
	return place();
}

static int write_config(const struct http_peer *p, const char *path)
{
	FILE *f = fopen(path, "w");

	if (!f)
		return -1;
	fprintf(f,
		"daemon off; master_process off; pid %s/pid;\n"
		"events { worker_connections 1024; }\n"
		"http {\n"
		"	access_log off; keepalive_requests 1000000000; client_body_temp_path %s/body;\n"
		"	server { listen 127.0.0.1:%d; location / { default_type text/plain; return 200 \"%s\"; } }\n"
		"}\n",
		p->dir, p->dir, p->port, BENCH_HELLO);
	return fclose(f);
}

void http_nginx_become(const struct http_peer *p)
{
	char path[64], log[64];
	int quiet = open("/dev/null", O_RDWR);

	snprintf(path, sizeof path, "%s/nginx.conf", p->dir);
	snprintf(log, sizeof log, "%s/error.log", p->dir);
	if (write_config(p, path))
		return;
	dup2(quiet, STDOUT_FILENO);
	dup2(quiet, STDERR_FILENO);
	execl(place(), "nginx", "-p", p->dir, "-c", path, "-e", log, (char *)NULL);
}

bool http_nginx_answers(const struct http_peer *p)
{
	struct sockaddr_in a = { .sin_family = AF_INET,
				 .sin_port = htons((uint16_t)p->port),
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };

	for (int i = 0; i < START_MS && waitpid(p->pid, NULL, WNOHANG) == 0; i++) {
		int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		bool answers = fd >= 0 && connect(fd, (struct sockaddr *)&a, sizeof a) == 0;

		if (fd >= 0)
			close(fd);
		if (answers)
			return true;
		usleep(1000);
	}
	return false;
}

static int take_away(const char *path, const struct stat *st, int type, struct FTW *at)
{
	(void)st;
	(void)type;
	(void)at;
	return remove(path);
}

void http_nginx_clean(const struct http_peer *p)
{
	nftw(p->dir, take_away, 8, FTW_DEPTH | FTW_PHYS);
}
