/* SPDX-License-Identifier: MIT */
/* http_peer.c - see http_peer.h. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "http_peer.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "baseline_server.h"

#define ANSWER                         \
	"HTTP/1.1 200 OK\r\n"          \
	"Content-Type: text/plain\r\n" \
	"Content-Length: 13\r\n"       \
	"\r\n" BENCH_HELLO

/* One request at a time: a client that waits for the answer sends no more. */
static int hello(struct bare_conn *c)
{
	const char *stop = memmem(c->buf, c->used, "\r\n\r\n", 4);

	if (!stop)
		return c->used == BARE_BUFFER ? -E2BIG : 0;
	c->reply = ANSWER;
	c->left = sizeof ANSWER - 1;
	c->used = 0;
	return 0;
}

static int listen_loopback(int *port, int backlog)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof a;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	if (bind(fd, (struct sockaddr *)&a, sizeof a) || (backlog && listen(fd, backlog)) ||
	    getsockname(fd, (struct sockaddr *)&a, &len)) {
		int rc = -errno;

		close(fd);
		return rc;
	}
	*port = ntohs(a.sin_port);
	return fd;
}

int http_peer_start(struct http_peer *p, struct bench_run *r)
{
	int parent = getpid(), fd;
	bool nginx = r->param2 & HTTP_PEER_NGINX;

	if (nginx && !http_nginx_found())
		return bench_fail(r, BENCH_SKIP, "nginx is not installed (Debian: nginx-light)");
	fd = listen_loopback(&p->port, nginx ? 0 : 1024); /* nginx takes the port itself */
	if (fd < 0)
		return bench_fail(r, fd, "listen: %s", strerror(-fd));
	snprintf(p->dir, sizeof p->dir, nginx ? "/tmp/magpie-bench.XXXXXX" : "");
	if (nginx && !mkdtemp(p->dir))
		return bench_fail(r, -errno, "mkdtemp: %s", strerror(errno));
	snprintf(p->url, sizeof p->url, "http://127.0.0.1:%d/", p->port);
	p->stop_fd = eventfd(0, EFD_CLOEXEC);
	if (nginx)
		close(fd);
	fflush(NULL);
	p->pid = p->stop_fd < 0 ? -1 : fork();
	if (p->pid == 0) {
		if (bench_die_with_parent(parent))
			_exit(1);
		signal(SIGPIPE, SIG_IGN);
		bench_pin(0);
		if (nginx) {
			http_nginx_become(p);
			_exit(127);
		}
		_exit(bare_serve(fd, p->stop_fd, hello, r) != 0);
	}
	if (!nginx)
		close(fd);
	if (p->pid < 0)
		return bench_fail(r, -errno, "fork: %s", strerror(errno));
	bench_pin(1);
	if (nginx && !http_nginx_answers(p)) {
		http_nginx_clean(p);
		return bench_fail(r, -ECONNREFUSED, "nginx does not start");
	}
	return 0;
}

int http_peer_stop(struct http_peer *p, struct bench_run *r, int rc)
{
	uint64_t one = 1;
	int status = 0;
	bool told = write(p->stop_fd, &one, sizeof one) == (ssize_t)sizeof one;

	if (!told || p->dir[0])
		kill(p->pid, told ? SIGTERM : SIGKILL);
	while (waitpid(p->pid, &status, 0) < 0 && errno == EINTR)
		;
	close(p->stop_fd);
	if (p->dir[0])
		http_nginx_clean(p);
	if (told && WIFEXITED(status) && WEXITSTATUS(status))
		return bench_fail(r, BENCH_SKIP, "%s cannot run here", p->dir[0] ? "nginx" : "the server of the bench");
	return rc;
}
