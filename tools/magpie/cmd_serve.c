/* SPDX-License-Identifier: MIT */
/* cmd_serve.c - `magpie serve`: the command line, signals and limits of the process around http_site.h. */
#include "commands.h"
#include "serve_site.h"

#include <argp.h>
#include <errno.h>
#include <magpie/runtime.h>
#include <magpie/time.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

enum { OPT_CONNECTIONS = 1000, OPT_EACH, OPT_HURRY, OPT_LOG, OPT_METRICS, OPT_LISTING, OPT_COMPRESS, OPT_NO_HTTP2, OPT_CERT, OPT_KEY, OPT_FAIL };

struct asked {
	const char *listen, *root, *access_log, *metrics, *cert, *key;
	bool listing, compress, no_http2;
	uint32_t threads, connections, each, hurry, fail;
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
	{ "tls-cert", OPT_CERT, "FILE", 0,
	  "Speak TLS, with the certificate (and those behind it) in this PEM file; SIGHUP reads it again", 0 },
	{ "tls-key", OPT_KEY, "FILE", 0, "The key of that certificate, in PEM (default: it is in the same file)", 0 },
	{ "access-log", OPT_LOG, "FILE", 0, "Add a line to FILE for each answer, in combined format", 0 },
	{ "metrics", OPT_METRICS, "PATH", OPTION_ARG_OPTIONAL,
	  "Answer PATH (default: /metrics) with the server's counters, for Prometheus", 0 },
	{ "listing", OPT_LISTING, NULL, 0, "List directories that have no index.html", 0 },
	{ "compress", OPT_COMPRESS, NULL, 0, "Compress answers with gzip where clients take it", 0 },
	{ "no-http2", OPT_NO_HTTP2, NULL, 0, "Speak HTTP/1.1 alone", 0 },
	/* so that a test need not wait for a minute */
	{ "hurry", OPT_HURRY, "N", OPTION_HIDDEN, "Clients get N times less time", 0 },
	/* for tools/demo */
	{ "fail", OPT_FAIL, "N", OPTION_HIDDEN, "One answer in N is 503, or breaks off", 0 },
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
	case OPT_FAIL:
		a->fail = number(state, arg, "--fail", 1000000);
		return 0;
	case OPT_CERT:
		a->cert = arg;
		return 0;
	case OPT_KEY:
		a->key = arg;
		return 0;
	case OPT_LOG:
		a->access_log = arg;
		return 0;
	case OPT_METRICS:
		a->metrics = arg ? arg : "/metrics";
		if (*a->metrics != '/')
			argp_error(state, "--metrics: `%s' is no path: it begins with a slash", arg);
		return 0;
	case OPT_LISTING:
		a->listing = true;
		return 0;
	case OPT_COMPRESS:
		a->compress = true;
		return 0;
	case OPT_NO_HTTP2:
		a->no_http2 = true;
		return 0;
	case ARGP_KEY_END:
		if (a->key && !a->cert)
			argp_error(state, "--tls-key needs --tls-cert");
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

	if (mag_addr_format(at, text, sizeof text) < 0)
		return;
	printf("listening on %s://%s\n", site->tls.cert ? "https" : "http", text);
	fflush(stdout);
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

/* The server, and who stops it: the first signal, while the second ends the process. */
struct serve_main {
	mag_frame frame;
	MAG_ARGS(serve_main, struct serve_site *site;);
	mag_group group;
	int64_t rc, end;
};

static MAG_TASK(serve_main)
{
	MAG_BEGIN(serve_main);
	MAG_GROUP_BEGIN(&self->group, .policy = MAG_COLLECT);
	MAG_SPAWN(self->rc, &self->group, mag_shutdown_run, .shutdown = self->site->down);
	if (self->rc == 0)
		MAG_CALL(self->rc, serve_run, .site = self->site);
	mag_shutdown_begin(self->site->down); /* it could not start */
	MAG_GROUP_END(self->end, &self->group);
	MAG_RETURN(self->rc);
	MAG_END;
}

static int fail(const struct serve_site *site, const struct asked *a, int64_t rc)
{
	const char *why = mag_runtime_why();

	if (!site->failed)
		fprintf(stderr, "magpie serve: cannot start: %s\n", *why ? why : mag_strerror(rc));
	else if (!strcmp(site->failed, "open the access log"))
		fprintf(stderr, "magpie serve: cannot open the access log %s: %s\n", a->access_log, mag_strerror(rc));
	else if (!strcmp(site->failed, "use the certificate"))
		fprintf(stderr, "magpie serve: cannot speak TLS: %s\n", site->why && *site->why ? site->why : mag_strerror(rc));
	else if (!strcmp(site->failed, "listen"))
		fprintf(stderr, "magpie serve: cannot listen on %s: %s\n", a->listen, mag_strerror(rc));
	else
		fprintf(stderr, "magpie serve: cannot %s%s%s: %s\n", site->failed, a->root ? " " : "",
			a->root ? a->root : "", mag_strerror(rc));
	return 1;
}

/* Those with a request have SERVE_STOP_S by themselves: this is for who does not heed that. */
static const struct mag_shutdown_options how_to_stop = {
	.size = sizeof how_to_stop, .drain_ns = (SERVE_STOP_S + 2) * MAG_SECOND, .cancel_ns = MAG_SECOND, .signals = 1
};

static int serve(const struct asked *a, const mag_addr *addr)
{
	const mag_runtime_options o = { .size = sizeof o, .workers = a->threads };
	struct mag_shutdown down;
	struct serve_site site = {
		.addr = *addr,
		.listener = -1,
		.down = &down,
		.root = a->root,
		.listing = a->listing,
		.compress = a->compress,
		.no_http2 = a->no_http2,
		.tls = { .cert = a->cert, .key = a->key ? a->key : a->cert },
		.access_log = a->access_log,
		.metrics = a->metrics,
		.each = a->each,
		.hurry = a->hurry,
		.fail = a->fail,
		.ready = ready,
		.trouble = trouble,
	};
	int64_t rc;

	site.connections = raise_limits(a->connections);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGQUIT, SIG_DFL); /* scripts ignore it for what they start behind them: then nobody could ask what hangs */
	mag_shutdown_init(&down, &how_to_stop);
	rc = mag_shutdown_on_signals(&down, SIGINT, SIGTERM);
	if (rc < 0) {
		trouble("signals", rc);
		return 1;
	}
	rc = mag_run(&o, serve_main, .site = &site);
	if (mag_shutdown_fini(&down) < 0)
		trouble("stopping", -EBUSY);
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
