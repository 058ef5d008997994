/* SPDX-License-Identifier: MIT */
/* load_text.c - the report for people. */
#include "load_report.h"

#include "load_figures.h"
#include "load_units.h"

void load_report_plan(FILE *to, const struct load *load)
{
	const struct load_plan *plan = &load->plan;
	char text[LOAD_TEXT];

	fprintf(to, "%u connection%s on %u thread%s", plan->connections, plan->connections == 1 ? "" : "s",
		load->worker_count, load->worker_count == 1 ? "" : "s");
	if (plan->close)
		fprintf(to, ", a new one for each request");
	if (plan->rate > 0)
		fprintf(to, ", %g requests/s wanted", plan->rate);
	if (plan->requests)
		fprintf(to, ", %s requests wanted", load_write_count(text, plan->requests));
	fprintf(to, ", %s%s", load_write_time(text, (double)load->elapsed_ns),
		load->interrupted ? " (interrupted)" : "");
}

static void print_requests(FILE *to, const struct load *load)
{
	const struct load_tally *t = &load->all;
	char a[LOAD_TEXT], b[LOAD_TEXT];

	fprintf(to, "requests     %s answered, %s errors", load_write_count(a, t->answers),
		load_write_count(b, load_errors(t)));
	if (t->unfinished)
		fprintf(to, ", %s under way at the end", load_write_count(a, t->unfinished));
	fprintf(to, "\nrate         %.1f/s\n", load_rate(load));
	fprintf(to, "received     %s, %s/s\n", load_write_bytes(a, (double)t->bytes),
		load_write_bytes(b, load->elapsed_ns ? (double)t->bytes * 1e9 / (double)load->elapsed_ns : 0));
	fprintf(to, "connections  %s opened", load_write_count(a, t->opened));
	if (load->connects.count)
		fprintf(to, ", in p50 %s, max %s", load_write_time(a, (double)histogram_value(&load->connects, 0.5)),
			load_write_time(b, (double)load->connects.max));
	if (t->again)
		fprintf(to, "; %s requests sent again: the server had closed an idle one",
			load_write_count(a, t->again));
	fputc('\n', to);
	if (load->lateness.count)
		fprintf(to, "schedule     kept to within p50 %s, p99 %s\n",
			load_write_time(a, (double)histogram_value(&load->lateness, 0.5)),
			load_write_time(b, (double)histogram_value(&load->lateness, 0.99)));
	fprintf(to, "client       %.0f %% of the CPU time of its %u thread%s\n", load_cpu_share(load) * 100,
		load->worker_count, load->worker_count == 1 ? "" : "s");
}

static void print_latency(FILE *to, const struct load *load)
{
	const struct histogram *h = &load->all.latency;
	char a[LOAD_TEXT], b[LOAD_TEXT], c[LOAD_TEXT], d[LOAD_TEXT];

	if (h->count == 0)
		return;
	fprintf(to, "\nlatency      mean %s, deviation %s, min %s, max %s%s\n", load_write_time(a, histogram_mean(h)),
		load_write_time(b, histogram_deviation(h)), load_write_time(c, (double)histogram_min(h)),
		load_write_time(d, (double)h->max), load->plan.rate > 0 ? "; from when each request was due" : "");
	for (int i = 0; i < LOAD_PARTS; i++)
		fprintf(to, "  %-7s %10s\n", load_part_names[i],
			load_write_time(a, (double)histogram_value(h, load_parts[i])));
}

static void print_tables(FILE *to, const struct load *load)
{
	const struct load_tally *t = &load->all;
	const char *title = "\nstatus\n";
	char a[LOAD_TEXT];

	for (int i = 0; i < LOAD_STATUSES; i++) {
		if (t->status[i])
			fprintf(to, "%s  %-7d %10s\n", title, i, load_write_count(a, t->status[i]));
		if (t->status[i])
			title = "";
	}
	title = "\nerrors\n";
	for (int i = 0; i < LOAD_ERRORS; i++) {
		if (!t->errors[i])
			continue;
		fprintf(to, "%s  %-36s %10s%s%s\n", title, load_error_words((enum load_error)i),
			load_write_count(a, t->errors[i]), t->example[i] && *t->example[i] ? "   " : "",
			t->example[i] ? t->example[i] : "");
		title = "";
	}
}

static void print_verdicts(FILE *to, const struct load_report *r)
{
	char a[LOAD_TEXT];

	for (size_t i = 0; i < r->verdict_count; i++) {
		const struct load_verdict *v = &r->verdicts[i];

		fprintf(to, "%s%s --fail-if %s: %s\n", i ? "" : "\n", v->broken ? "FAILED" : "passed", v->limit.text,
			r->load->all.latency.count || v->limit.metric > LOAD_MAX
				? load_limit_write(&v->limit, v->value, a)
				: "nothing was answered");
	}
}

void load_report_text(FILE *to, const struct load_report *r)
{
	char doubts[LOAD_DOUBTS][LOAD_DOUBT_TEXT];
	int own, n = load_doubts(r->load, doubts, &own);

	fprintf(to, "%s %s\n", r->method, r->url);
	load_report_plan(to, r->load);
	fputs("\n\n", to);
	print_requests(to, r->load);
	print_latency(to, r->load);
	print_tables(to, r->load);
	for (int i = 0; i < n; i++)
		fprintf(to, "%snote: %s\n", i ? "" : "\n", doubts[i]);
	print_verdicts(to, r);
}
