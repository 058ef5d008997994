/* SPDX-License-Identifier: MIT */
/* cmd_demo.c - `magpie demo`: what the runtime does, in about five seconds. */
#include "commands.h"
#include "demo.h"
#include "load_figures.h"
#include "serve_site.h"

#include <argp.h>
#include <errno.h>
#include <magpie/time.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

#define READY_NS (5 * MAG_SECOND)

static void ready(struct serve_site *site, const mag_addr *at)
{
	struct demo *d = site->user;

	d->addr = *at;
	mag_future_complete(&d->ready, 0);
}

/* Runs the server; if it ends before it was ready, nobody waits for that any more. */
struct demo_server {
	mag_frame frame;
	MAG_ARGS(demo_server, struct serve_site *site;);
	int64_t rc;
};

MAG_TASK(demo_server)
{
	MAG_BEGIN(demo_server);
	MAG_CALL(self->rc, serve_run, .site = self->site);
	mag_future_complete(&((struct demo *)self->site->user)->ready, self->rc < 0 ? self->rc : MAG_ECLOSED);
	MAG_RETURN(self->rc);
	MAG_END;
}

struct demo_main {
	mag_frame frame;
	MAG_ARGS(demo_main, struct demo *demo; struct serve_site * site;);
	mag_group group;
	mag_scope scope;
	mag_stats before;
	int64_t rc, end;
};

MAG_TASK(demo_main)
{
	MAG_BEGIN(demo_main);
	self->demo->workers = mag_runtime_workers(mag_runtime_current());
	printf("magpie %s: %u worker%s, each with a ring of its own (%s)\n\n", MAGPIE_VERSION, self->demo->workers,
	       self->demo->workers == 1 ? "" : "s", mag_runtime_backend(mag_runtime_current()));
	fflush(stdout);
	self->demo->failed = "forks";
	MAG_CALL(self->rc, demo_forks, .demo = self->demo);
	if (self->rc < 0)
		MAG_RETURN(self->rc);
	self->demo->failed = "the server";
	self->before = (mag_stats){ .size = sizeof self->before };
	mag_runtime_stats(mag_runtime_current(), &self->before);
	MAG_GROUP_BEGIN(&self->group);
	MAG_SPAWN(self->rc, &self->group, demo_server, .site = self->site);
	if (self->rc >= 0) {
		MAG_WITH_TIMEOUT(&self->scope, READY_NS);
		MAG_AWAIT(self->rc, mag_future_await, &self->demo->ready);
		MAG_SCOPE_END(self->end, &self->scope);
	}
	if (self->rc >= 0) {
		self->demo->failed = "the load";
		MAG_CALL(self->rc, demo_load, .demo = self->demo);
	}
	if (self->rc >= 0)
		demo_print_load(self->demo, &self->before);
	mag_shutdown_begin(self->site->down);
	MAG_GROUP_END(self->end, &self->group);
	MAG_RETURN(self->rc < 0 ? self->rc : self->end);
	MAG_END;
}

static bool is_terminal(void)
{
	const char *term = getenv("TERM");

	return isatty(STDOUT_FILENO) && term && strcmp(term, "dumb") && !getenv("NO_COLOR");
}

static int open_fds(struct demo *d)
{
	struct rlimit lim;
	sigset_t set;

	if (getrlimit(RLIMIT_NOFILE, &lim) == 0) {
		lim.rlim_cur = lim.rlim_max;
		setrlimit(RLIMIT_NOFILE, &lim);
	}
	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	if (pthread_sigmask(SIG_BLOCK, &set, NULL))
		return -1;
	d->signals = signalfd(-1, &set, SFD_CLOEXEC);
	return d->signals < 0 ? -1 : 0;
}

static int demo(const mag_runtime_options *o)
{
	struct demo d = { .live = is_terminal() };
	struct mag_shutdown down;
	struct serve_site site = { .listener = -1, .down = &down, .ready = ready, .user = &d };
	int64_t rc;

	mag_addr_parse(&site.addr, "127.0.0.1:0");
	if (open_fds(&d)) {
		fprintf(stderr, "magpie demo: %s\n", strerror(errno));
		return 1;
	}
	mag_future_init(&d.ready);
	mag_shutdown_init(&down, NULL);
	rc = mag_run(o, demo_main, .demo = &d, .site = &site);
	mag_future_fini(&d.ready);
	load_free(&d.load);
	if (rc < 0) {
		const char *why = mag_runtime_why();

		fprintf(stderr, "magpie demo: %s: %s\n", d.failed ? d.failed : "cannot start",
			!d.failed && *why ? why : mag_strerror(rc));
		return 1;
	}
	demo_print_next(&d);
	return load_failures(&d.load.all) || (!d.load.all.answers && !d.load.interrupted) ? 1 : 0;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	mag_runtime_options *o = state->input;
	char *end;
	long n;

	switch (key) {
	case 't':
		n = strtol(arg, &end, 10);
		if (end == arg || *end || n < 1 || n > MAG_WORKERS_MAX)
			argp_error(state, "--threads: `%s' is not a number from 1 to %d", arg, MAG_WORKERS_MAX);
		o->workers = (uint32_t)n;
		return 0;
	case ARGP_KEY_ARG:
		argp_error(state, "what is `%s'?", arg);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

int cmd_demo(int argc, char **argv)
{
	static const struct argp_option options[] = {
		{ "threads", 't', "N", 0, "Worker threads (default: the CPUs)", 0 },
		{ 0 },
	};
	static const struct argp argp = {
		options,
		parse,
		NULL,
		"Forks some million tasks, then serves HTTP on loopback to 64 clients in the same "
		"runtime for five seconds. Ctrl-C ends it early.",
		NULL,
		NULL,
		NULL
	};
	mag_runtime_options o = { .size = sizeof o };

	argp_err_exit_status = 2;
	if (argp_parse(&argp, argc, argv, 0, NULL, &o))
		return 2;
	return demo(&o);
}
