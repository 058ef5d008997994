/* SPDX-License-Identifier: MIT */
/* server.c - one run of a server under load: two processes, one CPU each where there are two.
 *
 * The client reads the server's CPU clock at both ends of its window, so that the start, the warm-up and the accepts do
 * not count. Nothing orders the two processes but fork, the sockets and waitpid: the parent reads the shared page only
 * when both have ended. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define BACKLOG 4096       /* all connections arrive before the server accepts one */
#define CLIENT_LIMIT_S 30  /* a run takes 1.2 s */
#define STOP_LIMIT_MS 5000 /* a server that does not stop by then never will */

struct half {
	struct bench_run run;
	int rc;
};

struct shared {
	struct half server, client;
	struct bench_client_report report;
};

/* queue: of who has connected and was not accepted; 0: nobody may yet, another program will listen there. */
static int listen_loopback(int *port, int queue)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof a;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;

	if (fd < 0)
		return -errno;
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) || bind(fd, (struct sockaddr *)&a, sizeof a) ||
	    (queue && listen(fd, queue)) || getsockname(fd, (struct sockaddr *)&a, &len)) {
		int rc = -errno;

		close(fd);
		return rc;
	}
	*port = ntohs(a.sin_port);
	return fd;
}

static int raise_fd_limit(int want, struct bench_run *r)
{
	struct rlimit lim;

	if (getrlimit(RLIMIT_NOFILE, &lim))
		return bench_fail(r, -errno, "getrlimit: %s", strerror(errno));
	lim.rlim_cur = lim.rlim_max;
	setrlimit(RLIMIT_NOFILE, &lim);
	if (lim.rlim_cur < (rlim_t)want)
		return bench_fail(r, BENCH_SKIP, "%d connections need %d open files, the limit is %llu", want - 100,
				  want, (unsigned long long)lim.rlim_cur);
	return 0;
}

enum { ANY_CPU = -1 };

/* For round trips the server pins its threads itself, once they run: a runtime that sees one CPU only does not spin. */
static int server_cpu(const struct bench_server *how)
{
	return how->measure == BENCH_RTT ? ANY_CPU : 0;
}

/* The child's common beginning; what it prints is already flushed by the parent. */
static void begin_child(int parent, int cpu)
{
	if (bench_die_with_parent(parent))
		_exit(1);
	signal(SIGPIPE, SIG_IGN);
	if (cpu != ANY_CPU)
		bench_pin(cpu);
}

/* What the child ended as, in words when it did not end well. */
static int outcome(const char *who, int status, const struct half *h, struct bench_run *r)
{
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM)
		return bench_fail(r, -ETIMEDOUT, "the %s was still waiting after %d s", who, CLIENT_LIMIT_S);
	if (WIFSIGNALED(status))
		return bench_fail(r, -ECHILD, "the %s died of signal %d (%s)", who, WTERMSIG(status),
				  strsignal(WTERMSIG(status)));
	if (h->rc)
		return bench_fail(r, h->rc, "%s: %.180s", who, h->run.why);
	if (WEXITSTATUS(status))
		return bench_fail(r, -ECHILD, "the %s ended with status %d", who, WEXITSTATUS(status));
	return 0;
}

/* Waits for the server, which was told to stop, and kills it when it does not. Returns: its wait status. */
static int reap_server(int pid)
{
	struct pollfd p = { .fd = (int)syscall(SYS_pidfd_open, pid, 0), .events = POLLIN };
	int status = 0;

	if (p.fd >= 0) {
		if (poll(&p, 1, STOP_LIMIT_MS) == 0)
			kill(pid, SIGKILL);
		close(p.fd);
	}
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return status;
}

static int result(const struct bench_server *how, const struct bench_client_report *c, struct bench_run *r)
{
	if (!c->messages)
		return bench_fail(r, -EIO, "no message came back in time");
	switch (how->measure) {
	case BENCH_CPU:
		r->value = (double)c->server_cpu_ns / 1e3 / (double)c->messages;
		break;
	case BENCH_RATE:
		r->value = (double)c->messages * 1e9 / (double)c->window_ns;
		break;
	case BENCH_RTT:
		r->value = (double)c->rtt_p50_ns / 1e3;
		break;
	}
	if (getenv("MAGPIE_BENCH_VERBOSE"))
		fprintf(stderr, "  server: %.0f messages/s, %.3f us-cpu each, %.0f %% of a CPU\n",
			(double)c->messages * 1e9 / (double)c->window_ns,
			(double)c->server_cpu_ns / 1e3 / (double)c->messages,
			100.0 * (double)c->server_cpu_ns / (double)c->window_ns);
	return 0;
}

/* Forks both halves and waits for them; closes the listener, which else would outlive a server that crashes and leave
 * the client waiting in its backlog. */
static int drive(const struct bench_server *how, struct bench_run *r, struct shared *s, int stop_fd)
{
	int self = getpid(), server, client, status = 0, port = 0, rc;
	int listen_fd = listen_loopback(&port, how->other ? 0 : BACKLOG);

	if (listen_fd < 0)
		return bench_fail(r, listen_fd, "listen: %s", strerror(-listen_fd));
	fflush(NULL);
	server = fork();
	if (server == 0) {
		begin_child(self, server_cpu(how));
		s->server.rc = how->serve(listen_fd, stop_fd, how, &s->server.run);
		exit(0);
	}
	close(listen_fd);
	if (server < 0)
		return bench_fail(r, -errno, "fork: %s", strerror(errno));
	client = fork();
	if (client == 0) {
		begin_child(self, 1);
		alarm(CLIENT_LIMIT_S);
		s->client.rc = (how->tls ? bench_client_tls : bench_client)(how, port, server, &s->report, &s->client.run);
		exit(0);
	}
	if (client > 0)
		while (waitpid(client, &status, 0) < 0 && errno == EINTR)
			;
	if (how->other)
		kill(server, SIGTERM);
	eventfd_write(stop_fd, 1);
	rc = outcome("server", reap_server(server), &s->server, r);
	if (client < 0)
		return bench_fail(r, -EAGAIN, "fork failed");
	/* a server that failed is the reason why the client did */
	return rc ? rc : outcome("client", status, &s->client, r);
}

int bench_server_run(const struct bench_server *how, struct bench_run *r)
{
	struct shared *s;
	int stop_fd, rc;

	rc = raise_fd_limit(how->connections + 100, r);
	if (rc)
		return rc;
	stop_fd = eventfd(0, EFD_CLOEXEC);
	s = mmap(NULL, sizeof *s, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (stop_fd < 0 || s == MAP_FAILED) {
		rc = bench_fail(r, -ENOMEM, "no eventfd or no memory");
		goto done;
	}
	s->server.run = s->client.run = *r;
	rc = drive(how, r, s, stop_fd);
	if (!rc)
		rc = result(how, &s->report, r);
done:
	if (s != MAP_FAILED)
		munmap(s, sizeof *s);
	if (stop_fd >= 0)
		close(stop_fd);
	return rc;
}
