/* SPDX-License-Identifier: MIT */
/* cmd_serve.c - `magpie serve`: the command line, signals and limits of the process around serve_site.h. */
#include "commands.h"
#include "serve_site.h"

#include <argp.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

enum { OPT_CONNECTIONS = 1000, OPT_EACH, OPT_HURRY };

struct asked {
	const char *listen, *root;
	uint32_t threads, connections, each, hurry;
};

static const struct argp_option options[] = {
	{ "listen", 'l', "ADDR:PORT", 0, "Where to listen (default: 127.0.0.1:8080). Port 0: any free one", 0 },
	{ "threads", 't', "N", 0, "Worker threads (default: the CPUs)", 0 },
	{ "root", 'r', "DIR", 0, "Serve the files below DIR; without it everything is answered with a hello", 0 },
	{ "connections", OPT_CONNECTIONS, "N", 0,
	  "At most N connections (default: 10000, or what the limit on open "
	  "files allows)",
	  0 },
	{ "connections-each", OPT_EACH, "N", 0, "At most N connections from one address (default: 2000)", 0 },
	/* so that a test need not wait for a minute */
	{ "hurry", OPT_HURRY, "N", OPTION_HIDDEN, "Clients get N times less time", 0 },
	{ 0 },
};

static uint32_t number(struct argp_state *state, const char *arg, const char *what, long max)
{
	char *end;
	long v;

	errno = 0;
	v = strtol(arg, &end, 10);
	if (errno || end == arg || *end || v < 1 || v > max)
		argp_error(state, "%s: `%s' is not a number from 1 to %ld", what, arg, max);
	return (uint32_t)v;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct asked *a = state->input;

	switch (key) {
	case 'l':
		a->listen = arg;
		return 0;
	case 't':
		a->threads = number(state, arg, "--threads", MAG_WORKERS_MAX);
		return 0;
	case 'r':
		a->root = arg;
		return 0;
	case OPT_CONNECTIONS:
		a->connections = number(state, arg, "--connections", 1000000);
		return 0;
	case OPT_EACH:
		a->each = number(state, arg, "--connections-each", 1000000);
		return 0;
	case OPT_HURRY:
		a->hurry = number(state, arg, "--hurry", 1000);
		return 0;
	case ARGP_KEY_ARG:
		argp_error(state, "what is `%s'? The directory to serve is given by --root", arg);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static void ready(struct serve_site *site, const mag_addr *at)
{
	char text[MAG_ADDR_TEXT_MAX];

	(void)site;
	if (mag_addr_format(at, text, sizeof text) < 0)
		return;
	printf("listening on http://%s\n", text);
	fflush(stdout);
}

/* The first signal was seen; another one ends the process at once. */
static void stopping(struct serve_site *site)
{
	const sigset_t *set = site->user;
	struct signalfd_siginfo seen;

	if (read(site->stop, &seen, sizeof seen) == sizeof seen)
		pthread_sigmask(SIG_UNBLOCK, set, NULL);
}

static void trouble(const char *what, int64_t rc)
{
	fprintf(stderr, "magpie serve: %s: %s\n", what, mag_strerror(rc));
}

/* As many open files as we may have; 0 connections: as many as those allow, beside rings, listeners and served files. */
static uint32_t raise_limits(uint32_t connections)
{
	const rlim_t others = 200;
	struct rlimit lim;

	if (getrlimit(RLIMIT_NOFILE, &lim))
		return connections ? connections : SERVE_CONNECTIONS;
	lim.rlim_cur = lim.rlim_max;
	setrlimit(RLIMIT_NOFILE, &lim);
	if (connections)
		return connections;
	if (lim.rlim_cur >= SERVE_CONNECTIONS + others)
		return SERVE_CONNECTIONS;
	return lim.rlim_cur > 2 * others ? (uint32_t)(lim.rlim_cur - others) : (uint32_t)(lim.rlim_cur / 2) + 1;
}

/* Signals are blocked before there is another thread: all of them inherit that. Returns: the fd that tells of them. */
static int catch_signals(sigset_t *set)
{
	signal(SIGPIPE, SIG_IGN);
	signal(SIGQUIT, SIG_DFL); /* scripts ignore it for what they start behind them: then nobody could ask what hangs */
	sigemptyset(set);
	sigaddset(set, SIGINT);
	sigaddset(set, SIGTERM);
	if (pthread_sigmask(SIG_BLOCK, set, NULL))
		return -1;
	return signalfd(-1, set, SFD_CLOEXEC);
}

static int fail(const struct serve_site *site, const struct asked *a, int64_t rc)
{
	const char *why = mag_runtime_why();

	if (!site->failed)
		fprintf(stderr, "magpie serve: cannot start: %s\n", *why ? why : mag_strerror(rc));
	else if (!strcmp(site->failed, "listen"))
		fprintf(stderr, "magpie serve: cannot listen on %s: %s\n", a->listen, mag_strerror(rc));
	else
		fprintf(stderr, "magpie serve: cannot %s%s%s: %s\n", site->failed, a->root ? " " : "",
			a->root ? a->root : "", mag_strerror(rc));
	return 1;
}

static int serve(const struct asked *a, const mag_addr *addr)
{
	const mag_runtime_options o = { .size = sizeof o, .workers = a->threads };
	sigset_t set;
	struct serve_site site = {
		.addr = *addr,
		.listener = -1,
		.root = a->root,
		.each = a->each,
		.hurry = a->hurry,
		.ready = ready,
		.stopping = stopping,
		.trouble = trouble,
		.user = &set,
	};
	int64_t rc;

	site.connections = raise_limits(a->connections);
	site.stop = catch_signals(&set);
	if (site.stop < 0) {
		fprintf(stderr, "magpie serve: signalfd: %s\n", strerror(errno));
		return 1;
	}
	rc = mag_run(&o, serve_run, .site = &site);
	close(site.stop);
	return rc < 0 ? fail(&site, a, rc) : 0;
}

int cmd_serve(int argc, char **argv)
{
	static const struct argp argp = { options,
					  parse,
					  NULL,
					  "Serves files, or a hello, over HTTP/1.1 until SIGINT or SIGTERM, which let "
					  "the requests under way finish."
					  "\vDeadlines: 10 s for a request's head, 60 s between requests; bodies and "
					  "answers need at least 1 KiB/s.",
					  NULL,
					  NULL,
					  NULL };
	struct asked a = { .listen = "127.0.0.1:8080" };
	mag_addr addr;

	argp_err_exit_status = 2;
	if (argp_parse(&argp, argc, argv, 0, NULL, &a))
		return 2;
	if (mag_addr_parse(&addr, a.listen) < 0 || mag_addr_port(&addr) < 0) {
		fprintf(stderr,
			"magpie serve: --listen: `%s' is not ADDR:PORT with a numeric address, such as 127.0.0.1:8080 "
			"or "
			"[::1]:8080\n",
			a.listen);
		return 2;
	}
	return serve(&a, &addr);
}
