/* SPDX-License-Identifier: MIT */
/* isolate.c - one run of one case in a child process, which reports through a pipe. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "bench.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define RUN_LIMIT_S 300 /* the slowest run takes seconds, under a sanitizer a minute */
#define EXIT_LIMIT_S 20

struct report {
	int rc;
	double value;
	char why[sizeof((struct bench_run *)0)->why];
};

static int run_and_report(const struct bench_case *c, struct bench_run *r, int out)
{
	struct report rep = { .rc = c->run(r), .value = r->value };

	memcpy(rep.why, r->why, sizeof rep.why);
	return write(out, &rep, sizeof rep) == (ssize_t)sizeof rep ? 0 : 1;
}

int bench_one(const char *spec)
{
	struct bench_run r = { 0 };
	const struct bench *b;
	char name[32];
	int index, quick, out;

	if (sscanf(spec, "%31[^:]:%d:%d:%d:%d:%d", name, &index, &r.threads, &quick, &r.data_fd, &out) != 6)
		return 2;
	b = bench_find(name);
	if (!b || index < 0 || index >= b->n || !b->cases[index].run)
		return 2;
	r.quick = quick;
	r.param = b->cases[index].param;
	r.param2 = b->cases[index].param2;
	return run_and_report(&b->cases[index], &r, out);
}

static void become(const char *exe, const struct bench *b, const struct bench_case *c, const struct bench_run *r,
		   int out)
{
	char spec[128];

	fcntl(out, F_SETFD, 0);
	snprintf(spec, sizeof spec, "--one=%s:%d:%d:%d:%d:%d", b->name, (int)(c - b->cases), r->threads, r->quick,
		 r->data_fd, out);
	execl(exe, exe, "bench", spec, (char *)NULL);
	_exit(127);
}

/* Waits for fd to become readable. Returns: false after `seconds`. */
static bool readable_within(int fd, int seconds)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	uint64_t end = bench_now_ns() + (uint64_t)seconds * 1000000000u;

	for (;;) {
		uint64_t now = bench_now_ns();
		int n = now < end ? poll(&p, 1, (int)((end - now) / 1000000) + 1) : 0;

		if (n >= 0 || errno != EINTR)
			return n > 0;
	}
}

static int reap(int pid)
{
	int status = 0, fd = (int)syscall(SYS_pidfd_open, pid, 0);

	if (fd >= 0) {
		if (!readable_within(fd, EXIT_LIMIT_S))
			kill(pid, SIGKILL);
		close(fd);
	}
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return status;
}

static int collect(struct bench_run *r, int pid, int in)
{
	struct report rep;
	bool in_time = readable_within(in, RUN_LIMIT_S);
	ssize_t n = in_time ? read(in, &rep, sizeof rep) : 0;
	int status;

	if (!in_time)
		kill(pid, SIGKILL);
	status = reap(pid);
	if (!in_time)
		return bench_fail(r, -ETIMEDOUT, "no result within %d s", RUN_LIMIT_S);
	if (WIFSIGNALED(status))
		return bench_fail(r, -ECHILD, "died of signal %d (%s)", WTERMSIG(status), strsignal(WTERMSIG(status)));
	if (n != (ssize_t)sizeof rep)
		return bench_fail(r, -ECHILD, "ended with status %d and without a result", WEXITSTATUS(status));
	r->value = rep.value;
	memcpy(r->why, rep.why, sizeof r->why);
	/* a sanitizer speaks at exit */
	return rep.rc || !status ? rep.rc : bench_fail(r, -ECHILD, "exit status %d after the run", WEXITSTATUS(status));
}

int bench_isolated(const struct bench *b, const struct bench_case *c, struct bench_run *r, const char *exe)
{
	int ends[2], self = getpid(), pid, rc;

	if (pipe2(ends, O_CLOEXEC))
		return bench_fail(r, -errno, "pipe: %s", strerror(errno));
	fflush(NULL); /* else the child would print what is buffered once more */
	pid = fork();
	if (pid == 0) {
		if (bench_die_with_parent(self))
			_exit(1);
		close(ends[0]);
		if (exe)
			become(exe, b, c, r, ends[1]);
		exit(run_and_report(c, r, ends[1]));
	}
	rc = -errno;
	close(ends[1]);
	rc = pid < 0 ? bench_fail(r, rc, "fork: %s", strerror(-rc)) : collect(r, pid, ends[0]);
	close(ends[0]);
	return rc;
}
