/* SPDX-License-Identifier: MIT */
/* load_options.c - options, their defaults, and what may not go together. */
#include "load_options.h"

#include <argp.h>
#include <errno.h>
#include <magpie/fd.h>
#include <magpie/time.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "load_units.h"

#define BODY_MAX (64u << 20)
#define CONNECTIONS 50
#define DURATION_NS (10 * MAG_SECOND)
#define TIMEOUT_NS (10 * MAG_SECOND)
#define OTHER_FILES 100 /* rings, standard streams, and so on */

enum { OPT_TIMEOUT = 1000, OPT_CLOSE, OPT_FAIL, OPT_HTML, OPT_QUIET, OPT_CACERT };

static const struct argp_option options[] = {
	{ "connections", 'c', "N", 0, "Connections (default: 50)", 0 },
	{ "rate", 'q', "N", 0,
	  "Open loop: N requests a second, whatever the answers take; latency counts from when each was due", 0 },
	{ "requests", 'n', "N", 0, "End after N requests", 0 },
	{ "duration", 'z', "TIME", 0, "Begin requests for so long: 10s, 1m30s, 500ms (default, without -n: 10s)", 0 },
	{ "method", 'm', "NAME", 0, "Method (default: GET, or POST with -d)", 0 },
	{ "header", 'H', "FIELD", 0, "A header field, `Name: value'; may be given several times", 0 },
	{ "data", 'd', "TEXT|@FILE", 0, "Body of each request; @- is standard input", 0 },
	{ "threads", 't', "N", 0, "Worker threads (default: the CPUs)", 0 },
	{ "timeout", OPT_TIMEOUT, "TIME", 0, "For a connection, and for an answer (default: 10s)", 0 },
	{ "cacert", OPT_CACERT, "FILE", 0, "Whom to trust with https, in PEM (default: whom the system trusts)", 0 },
	{ "insecure", 'k', NULL, 0, "Do not verify the certificate", 0 },
	{ "disable-keepalive", OPT_CLOSE, NULL, 0, "A new connection for each request", 0 },
	{ "fail-if", OPT_FAIL, "CONDITION", 0,
	  "Exit with 1 if it holds: p99>50ms, mean, min, max, rps<1000, requests, errors>0, error-rate>1%; several, "
	  "also separated by commas",
	  0 },
	{ "format", 'f', "FORMAT", 0, "Report as text, json or csv (a row a second)", 0 },
	{ "output", 'o', "FILE", 0, "Write the report there", 0 },
	{ "html", OPT_HTML, "FILE", 0, "Write a page with charts, too", 0 },
	{ "quiet", OPT_QUIET, NULL, 0, "Say nothing until the report", 0 },
	{ 0 },
};

static void __attribute__((noreturn, format(printf, 1, 2))) wrong(const char *format, ...)
{
	va_list args;

	fputs("magpie load: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	exit(2);
}

static uint64_t whole(const char *arg, const char *what, uint64_t max)
{
	char *end;
	unsigned long long v;

	errno = 0;
	v = strtoull(arg, &end, 10);
	if (*arg < '0' || *arg > '9' || errno || *end || v < 1 || v > max)
		wrong("%s: `%s' is not a number from 1 to %llu", what, arg, (unsigned long long)max);
	return v;
}

static uint64_t read_time(const char *arg, const char *what)
{
	uint64_t ns;

	if (load_read_time(arg, MAG_SECOND, &ns) || ns == 0)
		wrong("%s: `%s' is not a time, such as 10s, 1m30s or 500ms", what, arg);
	return ns;
}

static double read_rate(const char *arg)
{
	double rate;

	if (load_read_number(arg, &rate) || rate < 0.001 || rate > 1e7)
		wrong("--rate: `%s' is not a number from 0.001 to 10000000", arg);
	return rate;
}

static void read_body(struct load_options *o, const char *name)
{
	FILE *f = strcmp(name, "-") ? fopen(name, "re") : stdin;
	size_t n = 0;

	if (!f)
		wrong("--data: %s: %s", name, strerror(errno));
	free(o->body);
	o->body = malloc(BODY_MAX + 1);
	if (!o->body)
		wrong("--data: %s", strerror(ENOMEM));
	n = fread(o->body, 1, BODY_MAX + 1, f);
	if (ferror(f))
		wrong("--data: %s: %s", name, strerror(errno));
	if (n > BODY_MAX)
		wrong("--data: %s: more than 64 MiB", name);
	if (f != stdin)
		fclose(f);
	o->asked.body = o->body;
	o->asked.body_len = n;
}

static void read_data(struct load_options *o, const char *arg)
{
	if (*arg == '@') {
		read_body(o, arg + 1);
		return;
	}
	o->asked.body = arg;
	o->asked.body_len = strlen(arg);
}

static void add_field(struct load_options *o, const char *arg)
{
	const char *why = load_field_wrong(arg);

	if (why)
		wrong("--header: `%s': %s", arg, why);
	if (o->asked.field_count == LOAD_FIELDS_MAX)
		wrong("--header: more than %d", LOAD_FIELDS_MAX);
	o->asked.fields[o->asked.field_count++] = arg;
}

static void add_limits(struct load_options *o, char *arg)
{
	char *save = NULL;

	for (char *one = strtok_r(arg, ",", &save); one; one = strtok_r(NULL, ",", &save)) {
		const char *why;

		if (o->limit_count == LOAD_LIMITS_MAX)
			wrong("--fail-if: more than %d conditions", LOAD_LIMITS_MAX);
		why = load_limit_read(&o->limits[o->limit_count++], one);
		if (why)
			wrong("--fail-if: `%s': %s", one, why);
	}
}

static enum load_format read_format(const char *arg)
{
	static const char *const names[] = { "text", "json", "csv" };

	for (int i = 0; i < 3; i++)
		if (!strcmp(arg, names[i]))
			return (enum load_format)i;
	wrong("--format: `%s' is not text, json or csv", arg);
}

static void read_url(struct load_options *o, const char *arg)
{
	const char *why;

	if (o->url_text)
		wrong("what is `%s'? The URL is %s", arg, o->url_text);
	why = load_url_read(&o->url, arg);
	if (why)
		wrong("`%s': %s", arg, why);
	o->url_text = arg;
}

static void read_method(struct load_options *o, const char *arg)
{
	const char *why = load_method_wrong(arg);

	if (why)
		wrong("--method: `%s': %s", arg, why);
	o->asked.method = arg;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct load_options *o = state->input;

	switch (key) {
	case 'c':
		o->plan.connections = (uint32_t)whole(arg, "--connections", LOAD_CONNECTIONS_MAX);
		return 0;
	case 'q':
		o->plan.rate = read_rate(arg);
		return 0;
	case 'n':
		o->plan.requests = whole(arg, "--requests", UINT64_C(1000000000000));
		return 0;
	case 'z':
		o->plan.duration_ns = read_time(arg, "--duration");
		return 0;
	case 'm':
		read_method(o, arg);
		return 0;
	case 'H':
		add_field(o, arg);
		return 0;
	case 'd':
		read_data(o, arg);
		return 0;
	case 't':
		o->threads = (uint32_t)whole(arg, "--threads", MAG_WORKERS_MAX);
		return 0;
	case OPT_TIMEOUT:
		o->plan.timeout_ns = read_time(arg, "--timeout");
		return 0;
	case OPT_CACERT:
		o->cacert = arg;
		return 0;
	case 'k':
		o->insecure = true;
		return 0;
	case OPT_CLOSE:
		o->plan.close = o->asked.close = true;
		return 0;
	case OPT_FAIL:
		add_limits(o, arg);
		return 0;
	case 'f':
		o->format = read_format(arg);
		return 0;
	case 'o':
		o->output = arg;
		return 0;
	case OPT_HTML:
		o->html = arg;
		return 0;
	case OPT_QUIET:
		o->quiet = true;
		return 0;
	case ARGP_KEY_ARG:
		read_url(o, arg);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

/* As many open files as we may have. */
static void raise_limits(const struct load_options *o)
{
	struct rlimit lim;

	if (getrlimit(RLIMIT_NOFILE, &lim))
		return;
	lim.rlim_cur = lim.rlim_max;
	setrlimit(RLIMIT_NOFILE, &lim);
	if (lim.rlim_cur < o->plan.connections + (rlim_t)OTHER_FILES)
		wrong("--connections: %u need more open files than the %llu that are allowed here (ulimit -Hn)",
		      o->plan.connections, (unsigned long long)lim.rlim_cur);
	mag_fd_reserve(o->plan.connections + OTHER_FILES);
}

void load_options_read(struct load_options *o, int argc, char **argv)
{
	static const struct argp argp = {
		options,
		parse,
		"URL",
		"Sends the same request over many connections and tells how long the answers took.\v"
		"Closed loop, by default: each connection sends when it has its answer, so a slow server is asked "
		"less. "
		"Open loop, with -q: requests are due at a fixed rate, which a slow server cannot slow down.\n\n"
		"Exit status: 0; 1 when nothing was answered or a condition of --fail-if holds; 2 when the command "
		"line is "
		"wrong. Ctrl-C ends the run and prints its report.",
		NULL,
		NULL,
		NULL
	};

	memset(o, 0, sizeof *o);
	o->plan.connections = CONNECTIONS;
	o->plan.timeout_ns = TIMEOUT_NS;
	argp_err_exit_status = 2;
	if (argp_parse(&argp, argc, argv, 0, NULL, o))
		exit(2);
	if (!o->url_text)
		wrong("there is no URL: magpie load http://127.0.0.1:8080/");
#ifndef MAGPIE_HAVE_TLS
	if (o->url.tls)
		wrong("`%s': https is not in this build", o->url_text);
#endif
	if (!o->plan.requests && !o->plan.duration_ns)
		o->plan.duration_ns = DURATION_NS;
	raise_limits(o);
}
