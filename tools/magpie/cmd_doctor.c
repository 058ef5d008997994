/* SPDX-License-Identifier: MIT */
/* cmd_doctor.c - `magpie doctor`: what this machine offers, what is missing, and what the runtime makes of it.
 *
 * The verdict is the runtime's own: one is started and stopped. All else is asked of the kernel here, for people. */
#include "commands.h"
#include "doctor.h"

#include <argp.h>
#include <magpie/runtime.h>
#include <magpie/time.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stats.h" /* bench_json_string */

/* The report: facts in order, to people or as one JSON object. */
void doctor_text(struct doctor *d, const char *key, const char *label, const char *fmt, ...)
{
	char text[512], quoted[1100];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	if (!d->json) {
		printf("  %-15s %s\n", label, text);
		return;
	}
	bench_json_string(quoted, sizeof quoted, text);
	printf("%s\"%s\":%s", d->facts++ ? "," : "{", key, quoted);
}

void doctor_number(struct doctor *d, const char *key, const char *label, double value, const char *unit)
{
	if (!d->json)
		printf("  %-15s %.10g%s%s\n", label, value, *unit ? " " : "", unit);
	else
		printf("%s\"%s\":%.10g", d->facts++ ? "," : "{", key, value);
}

void doctor_yes(struct doctor *d, const char *key, const char *label, bool yes)
{
	if (!d->json)
		printf("  %-15s %s\n", label, yes ? "yes" : "no");
	else
		printf("%s\"%s\":%s", d->facts++ ? "," : "{", key, yes ? "true" : "false");
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct doctor *d = state->input;

	switch (key) {
	case 'j':
		d->json = true;
		return 0;
	case ARGP_KEY_ARG:
		argp_error(state, "what is `%s'?", arg);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

/* Starts a runtime as a program would. Returns: 0, or why not */
static int start(struct doctor *d, char *backend, size_t len)
{
	const mag_runtime_options o = { .size = sizeof o };
	mag_runtime *rt;
	int rc = mag_runtime_create(&o, &rt);

	if (rc < 0) {
		snprintf(d->why, sizeof d->why, "%s", *mag_runtime_why() ? mag_runtime_why() : mag_strerror(rc));
		return rc;
	}
	d->workers = mag_runtime_workers(rt);
	snprintf(backend, len, "%s", mag_runtime_backend(rt));
	mag_runtime_destroy(rt, mag_deadline_in(10 * MAG_SECOND));
	return 0;
}

static const char *why_this(const char *backend)
{
	const char *asked = getenv("MAGPIE_BACKEND");

	if (asked && *asked)
		return "which MAGPIE_BACKEND asks for";
	return strcmp(backend, "epoll") ? "the best there is" : "io_uring cannot be used: see below";
}

int cmd_doctor(int argc, char **argv)
{
	static const struct argp_option options[] = { { "json", 'j', NULL, 0, "Print one JSON object", 0 }, { 0 } };
	static const struct argp argp = {
		options,
		parse,
		NULL,
		"Says what this machine offers magpie, and what is missing. The exit status is 0 when it can run here.",
		NULL,
		NULL,
		NULL
	};
	struct doctor d = { 0 };
	char backend[64] = "none";
	int rc;

	argp_err_exit_status = 2;
	if (argp_parse(&argp, argc, argv, 0, NULL, &d))
		return 2;
	rc = start(&d, backend, sizeof backend);
	if (!d.json)
		printf("magpie %s %s here\n\n", MAGPIE_VERSION, rc < 0 ? "cannot run" : "can run");
	else
		doctor_yes(&d, "ok", "", rc >= 0);
	if (rc < 0)
		doctor_text(&d, "why", "why not", "%s", d.why);
	doctor_text(&d, "version", "version", "%s", MAGPIE_VERSION);
	doctor_text(&d, "backend", "backend", "%s", backend);
	if (rc >= 0)
		doctor_text(&d, "backend_why", "", "%s", why_this(backend));
	doctor_number(&d, "workers", "workers", d.workers, "");
	doctor_machine(&d);
	doctor_ring(&d);
	if (d.json)
		puts("}");
	if (fflush(stdout))
		return 1;
	return rc < 0 ? 1 : 0;
}
