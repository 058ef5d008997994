/* SPDX-License-Identifier: MIT */
/* cmd_load.c - `magpie load`: a load from the command line, watched while it goes on, reported when it ends. */
#include "commands.h"

#include <errno.h>
#include <magpie/signal.h>
#include <magpie/time.h>
#include <magpie/tls_context.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>

#include "load_figures.h"
#include "load_live.h"
#include "load_options.h"
#include "load_report.h"

/* Ends the load when a signal comes; the next one ends the process. */
struct load_signal {
	mag_frame frame;
	MAG_ARGS(load_signal, mag_signal *signals; mag_group * group;);
	int64_t rc;
};

static MAG_TASK(load_signal)
{
	MAG_BEGIN(load_signal);
	MAG_AWAIT(self->rc, mag_signal_next, self->signals);
	if (self->rc >= 0) {
		mag_signal_close(self->signals);
		mag_group_cancel(self->group);
	}
	MAG_RETURN(0);
	MAG_END;
}

struct load_main {
	mag_frame frame;
	MAG_ARGS(load_main, struct load *load; mag_signal * signals;);
	mag_group group;
	int64_t rc, waste;
};

static MAG_TASK(load_main)
{
	MAG_BEGIN(load_main);
	MAG_GROUP_BEGIN(&self->group, .policy = MAG_COLLECT);
	MAG_SPAWN(self->rc, &self->group, load_signal, .signals = self->signals, .group = &self->group);
	if (self->rc >= 0)
		MAG_CALL(self->rc, load_run, .load = self->load);
	mag_group_cancel(&self->group);
	MAG_GROUP_END(self->waste, &self->group);
	MAG_RETURN(self->rc);
	MAG_END;
}

static uint32_t threads(const struct load_options *o)
{
	if (o->threads)
		return o->threads < o->plan.connections ? o->threads : o->plan.connections;
	return o->plan.connections == 1 ? 1 : 0;
}

static int64_t run(struct load *load, const struct load_options *o)
{
	/* an idle worker that spins would look like one that is busy */
	const mag_runtime_options how = { .size = sizeof how, .workers = threads(o), .spin_us = UINT32_MAX };
	mag_signal signals;
	int64_t rc = mag_signal_open(&signals, SIGINT, SIGTERM);

	if (rc < 0)
		return rc;
	signal(SIGPIPE, SIG_IGN);
	prctl(PR_SET_TIMERSLACK, 1UL); /* an open loop is on time by its timers; threads inherit this */
	rc = mag_run(&how, load_main, .load = load, .signals = &signals);
	mag_signal_close(&signals);
	return rc;
}

static int say_why(const struct load *load, const struct load_options *o, int64_t rc)
{
	const char *why = mag_runtime_why();

	if (rc == MAG_ECANCELED)
		fputs("magpie load: interrupted\n", stderr);
	else if (*load->why)
		fprintf(stderr, "magpie load: no TLS with %s port %s: %s\n", o->url.host, o->url.port, load->why);
	else if (load->failed && strcmp(load->failed, "begin"))
		fprintf(stderr, "magpie load: cannot %s %s port %s: %s\n", load->failed, o->url.host, o->url.port,
			mag_strerror(rc));
	else
		fprintf(stderr, "magpie load: cannot begin: %s\n", *why ? why : mag_strerror(rc));
	return 1;
}

#ifdef MAGPIE_HAVE_TLS
static int begin_tls(mag_tls_context *context, struct load *load, const struct load_options *o)
{
	const mag_tls_context_options options = {
		.size = sizeof options,
		.role = MAG_TLS_CLIENT,
		.verify = o->insecure ? MAG_TLS_VERIFY_NONE : MAG_TLS_VERIFY_DEFAULT,
		.ca_file = o->cacert,
		.alpn = "http/1.1",
		.handshake_ns = MAG_NEVER, /* --timeout holds */
	};

	if (!o->url.tls)
		return 0;
	if (mag_tls_context_init(context, &options) < 0) {
		fprintf(stderr, "magpie load: %s\n", mag_tls_context_why(context));
		return -1;
	}
	load->plan.tls = context;
	return 0;
}

static void end_tls(mag_tls_context *context)
{
	mag_tls_context_fini(context);
}
#else
static int begin_tls(mag_tls_context *context, struct load *load, const struct load_options *o)
{
	(void)context, (void)load, (void)o;
	return 0;
}

static void end_tls(mag_tls_context *context)
{
	(void)context;
}
#endif

/* name NULL: standard output.  Returns: 0, or -1 when it was said why not */
static int write_report(const char *name, void (*write)(FILE *to, const struct load_report *r),
			const struct load_report *r)
{
	FILE *to = name ? fopen(name, "we") : stdout;
	bool bad;

	if (to) {
		write(to, r);
		bad = fflush(to) || ferror(to);
		if (!((name ? fclose(to) : 0) || bad))
			return 0;
	}
	fprintf(stderr, "magpie load: %s: %s\n", name ? name : "standard output", strerror(errno));
	return -1;
}

static int report(struct load_report *r, const struct load_options *o)
{
	static void (*const writers[])(FILE * to, const struct load_report *r) = { load_report_text, load_report_json,
										   load_report_csv };
	bool failed = r->load->all.answers == 0;

	for (size_t i = 0; i < o->limit_count; i++) {
		struct load_verdict *v = &r->verdicts[r->verdict_count++];

		v->limit = o->limits[i];
		v->broken = load_limit_is_broken(&v->limit, r->load, &v->value);
		failed |= v->broken;
	}
	if (write_report(o->output, writers[o->format], r))
		failed = true;
	if (o->html && write_report(o->html, load_report_html, r))
		failed = true;
	return failed;
}

int cmd_load(int argc, char **argv)
{
	struct load_options o;
	struct load_request request;
	struct load_live live;
	struct load_report r = { 0 };
	char url[sizeof o.url.authority + sizeof o.url.target + 8]; /* as it is requested: all ASCII */
	mag_tls_context context = { 0 };
	struct load *load;
	int64_t rc;

	load_options_read(&o, argc, argv);
	snprintf(url, sizeof url, "%s://%s%s", o.url.tls ? "https" : "http", o.url.authority, o.url.target);
	load = calloc(1, sizeof *load);
	if (!load || load_request_make(&request, &o.url, &o.asked) < 0) {
		fprintf(stderr, "magpie load: %s\n", strerror(ENOMEM));
		free(load);
		return 1;
	}
	load->plan = o.plan;
	load->plan.host = o.url.host;
	load->plan.port = o.url.port;
	load->plan.request = &request;
	r.load = load;
	r.url = url;
	r.method = o.asked.method ? o.asked.method : o.asked.body ? "POST" : "GET";
	if (begin_tls(&context, load, &o) < 0) {
		load_request_free(&request);
		free(load);
		return 2;
	}
	load_live_init(&live, load, r.url, o.quiet);
	rc = run(load, &o);
	load_live_end(&live);
	rc = rc < 0 ? say_why(load, &o, rc) : report(&r, &o);
	load_free(load);
	free(load);
	end_tls(&context);
	load_request_free(&request);
	free(o.body);
	return (int)rc;
}
