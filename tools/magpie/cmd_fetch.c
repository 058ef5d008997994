/* SPDX-License-Identifier: MIT */
/* cmd_fetch.c - `magpie fetch`: the command line, the files, and what is said at the end. */
#include "commands.h"
#include "fetch.h"

#include <argp.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

enum { OPT_RATE = 1000, OPT_RETRY, OPT_TIMEOUT, OPT_OUTPUT, OPT_JSONL, OPT_RESUME, OPT_CA, OPT_INSECURE, OPT_PROGRESS };

static const struct argp_option options[] = {
	{ "concurrency", 'c', "N", 0, "N at once (default: 16)", 0 },
	{ "rate", OPT_RATE, "R", 0, "At most R requests a second", 0 },
	{ "retry", OPT_RETRY, "N", 0, "Try N times again what may be mended by that, after growing pauses (default: 0)",
	  0 },
	{ "timeout", OPT_TIMEOUT, "S", 0, "Seconds for each attempt (default: 60)", 0 },
	{ "header", 'H', "NAME: VALUE", 0, "Send it with each request; may be repeated", 0 },
	{ "output", OPT_OUTPUT, "DIR", 0, "Bodies go to files in DIR, records to DIR/fetch.jsonl", 0 },
	{ "jsonl", OPT_JSONL, "FILE", 0, "Records go to FILE (default: stdout)", 0 },
	{ "resume", OPT_RESUME, NULL, 0, "Go on: what has a record without an error is not fetched again", 0 },
	{ "threads", 't', "N", 0, "Worker threads (default: the CPUs)", 0 },
	{ "ca", OPT_CA, "FILE", 0, "Trust these certificates (PEM) instead of the system's", 0 },
	{ "insecure", OPT_INSECURE, NULL, 0, "Trust any certificate", 0 },
	{ "quiet", 'q', NULL, 0, "Say nothing while it runs, nor at its end", 0 },
	{ "progress", OPT_PROGRESS, NULL, OPTION_HIDDEN, "Show how far it is, although stderr is no terminal", 0 },
	{ 0 },
};

static uint32_t number(struct argp_state *state, const char *arg, const char *what, long min, long max)
{
	char *end;
	long v;

	errno = 0;
	v = strtol(arg, &end, 10);
	if (errno || end == arg || *end || v < min || v > max)
		argp_error(state, "%s: `%s' is not a number from %ld to %ld", what, arg, min, max);
	return (uint32_t)v;
}

static void add_header(struct argp_state *state, struct fetch_options *o, char *arg)
{
	char *colon = strchr(arg, ':');

	if (!colon || colon == arg)
		argp_error(state, "--header: `%s' is not of the form `Name: value'", arg);
	if (o->headers_n == FETCH_HEADERS_MAX)
		argp_error(state, "--header: more than %d", FETCH_HEADERS_MAX);
	*colon++ = 0;
	o->headers[o->headers_n++] = (mag_http_pair){ arg, colon + strspn(colon, " \t") };
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct fetch_options *o = state->input;

	switch (key) {
	case 'c':
		o->at_once = number(state, arg, "-c", 1, 10000);
		return 0;
	case OPT_RATE:
		o->rate = number(state, arg, "--rate", 1, 1000000);
		return 0;
	case OPT_RETRY:
		o->retries = number(state, arg, "--retry", 0, 100);
		return 0;
	case OPT_TIMEOUT:
		o->timeout_ns = number(state, arg, "--timeout", 1, 1000000) * MAG_SECOND;
		return 0;
	case 'H':
		add_header(state, o, arg);
		return 0;
	case OPT_OUTPUT:
		o->output = arg;
		return 0;
	case OPT_JSONL:
		o->jsonl = arg;
		return 0;
	case OPT_RESUME:
		o->resume = true;
		return 0;
	case 't':
		o->workers = number(state, arg, "--threads", 1, MAG_WORKERS_MAX);
		return 0;
	case OPT_CA:
		o->ca_file = arg;
		return 0;
	case OPT_INSECURE:
		o->trust_anyone = true;
		return 0;
	case 'q':
		o->quiet = true;
		return 0;
	case OPT_PROGRESS:
		o->progress = true;
		return 0;
	case ARGP_KEY_ARG:
		if (o->list)
			argp_error(state, "one list is fetched at a time; what is `%s'?", arg);
		o->list = arg;
		return 0;
	case ARGP_KEY_END:
		if (o->output && strlen(o->output) > FETCH_PATH_MAX - FETCH_NAME_MAX)
			argp_error(state, "--output: the name is longer than %d bytes",
				   FETCH_PATH_MAX - FETCH_NAME_MAX);
		if (o->output && o->jsonl)
			argp_error(state, "--output has its records in DIR/fetch.jsonl: --jsonl does not go with it");
		if (o->resume && !o->output && !o->jsonl)
			argp_error(state, "--resume needs the records of the run before: --jsonl FILE or --output DIR");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

/* Opens the file of records, and reads it if that is to be gone on with. */
static int open_records(struct fetch *f, char *path, size_t size)
{
	const struct fetch_options *o = f->options;
	struct stat st;
	int rc;

	f->out = STDOUT_FILENO;
	if (!o->output && !o->jsonl)
		return 0;
	if (o->output && mkdir(o->output, 0777) && errno != EEXIST) {
		snprintf(path, size, "%s", o->output);
		return -errno;
	}
	snprintf(path, size, o->output ? "%s/fetch.jsonl" : "%s", o->output ? o->output : o->jsonl);
	f->out = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
	if (f->out < 0 || fstat(f->out, &st))
		return -errno;
	if (o->resume)
		rc = S_ISREG(st.st_mode) ? fetch_had_load(&f->had, f->out) : -EINVAL;
	else /* of an earlier run, which may have taken long */
		rc = S_ISREG(st.st_mode) && st.st_size ? -EEXIST : 0;
	return rc;
}

static void raise_limits(void)
{
	struct rlimit lim;

	if (getrlimit(RLIMIT_NOFILE, &lim))
		return;
	lim.rlim_cur = lim.rlim_max;
	setrlimit(RLIMIT_NOFILE, &lim);
}

static int report(const struct fetch *f, int64_t rc)
{
	const struct fetch_options *o = f->options;

	if (rc < 0) {
		const char *why = *mag_runtime_why() ? mag_runtime_why()
				  : *mag_http_why()  ? mag_http_why()
						     : mag_strerror(rc);

		fprintf(stderr, "magpie fetch: %s\n", why);
		return 1;
	}
	if (f->fault)
		fprintf(stderr, "magpie fetch: %s: %s\n", f->faulty, mag_strerror(f->fault));
	if (!o->quiet)
		fprintf(stderr,
			"%" PRIu64 " fetched, %" PRIu64 " failed, %" PRIu64
			" had been fetched before, %.1f MB in %.1f s\n",
			f->good, f->failed, f->skipped, (double)f->bytes / 1e6, (double)(mag_now() - f->start) / 1e9);
	if (f->interrupted) {
		fprintf(stderr, "magpie fetch: interrupted; %s\n",
			o->output || o->jsonl ? "the same command with --resume goes on with the rest"
					      : "with --jsonl FILE or --output DIR it could be gone on with");
		return 130;
	}
	return f->failed || f->fault ? 1 : 0;
}

int cmd_fetch(int argc, char **argv)
{
	const struct argp argp = {
		options,
		parse,
		"[FILE|-|URL]",
		"Fetches a list of URLs, one a line, and writes a record in JSON for each. A URL may have a "
		"range in it: http://host/[1-100].",
		NULL,
		NULL,
		NULL
	};
	struct fetch_options o = { .at_once = 16, .timeout_ns = 60 * MAG_SECOND };
	struct fetch f = { .options = &o };
	char path[4096] = "";
	int64_t rc;
	int status;

	argp_err_exit_status = 2;
	argp_parse(&argp, argc, argv, 0, NULL, &o);
	o.list = o.list ? o.list : "-";
	o.progress = o.progress || (!o.quiet && isatty(STDERR_FILENO));
	rc = open_records(&f, path, sizeof path);
	if (rc < 0) {
		fprintf(stderr, "magpie fetch: %s: %s\n", path,
			rc == -EEXIST ? "exists; --resume goes on with it, without it remove it first"
				      : mag_strerror(rc));
		return 2;
	}
	raise_limits();
	f.total = fetch_count(o.list);
	rc = fetch_run(&f);
	status = report(&f, rc);
	fetch_had_free(&f.had);
	if (f.out != STDOUT_FILENO)
		close(f.out);
	return status;
}
