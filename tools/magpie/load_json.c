/* SPDX-License-Identifier: MIT */
/* load_json.c - the report for programs. Times are in milliseconds, unless their name says otherwise. */
#include "load_report.h"

#include "load_figures.h"

static void put_text(FILE *to, const char *text)
{
	fputc('"', to);
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;

		if (c == '"' || c == '\\')
			fprintf(to, "\\%c", c);
		else if (c < ' ' ||
			 c >= 0x7f) /* bytes of who knows which encoding: the text stays readable, and JSON */
			fprintf(to, "\\u%04x", c);
		else
			fputc(c, to);
	}
	fputc('"', to);
}

static double ms(double ns)
{
	return ns / 1e6;
}

static void put_plan(FILE *to, const struct load_report *r)
{
	const struct load_plan *plan = &r->load->plan;

	fputs("  \"url\": ", to);
	put_text(to, r->url);
	fputs(",\n  \"method\": ", to);
	put_text(to, r->method);
	fprintf(to, ",\n  \"connections\": %u,\n  \"threads\": %u,\n  \"keepalive\": %s,\n", plan->connections,
		r->load->worker_count, plan->close ? "false" : "true");
	if (plan->rate > 0)
		fprintf(to, "  \"rate_wanted\": %g,\n", plan->rate);
	else
		fputs("  \"rate_wanted\": null,\n", to);
}

static void put_sums(FILE *to, const struct load *load)
{
	const struct load_tally *t = &load->all;

	fprintf(to, "  \"interrupted\": %s,\n  \"seconds\": %.6f,\n", load->interrupted ? "true" : "false",
		(double)load->elapsed_ns / 1e9);
	fprintf(to, "  \"answers\": %llu,\n  \"errors\": %llu,\n  \"error_rate\": %.6f,\n",
		(unsigned long long)t->answers, (unsigned long long)load_errors(t), load_failure_share(t));
	fprintf(to, "  \"unfinished\": %llu,\n  \"unsent\": %llu,\n  \"sent_again\": %llu,\n",
		(unsigned long long)t->unfinished, (unsigned long long)load->unsent, (unsigned long long)t->again);
	fprintf(to, "  \"rps\": %.3f,\n  \"bytes\": %llu,\n  \"connections_opened\": %llu,\n", load_rate(load),
		(unsigned long long)t->bytes, (unsigned long long)t->opened);
}

static void put_histogram(FILE *to, const char *name, const struct histogram *h)
{
	fprintf(to, "  \"%s\": {\"count\": %llu, \"mean\": %.6f, \"deviation\": %.6f, \"min\": %.6f, \"max\": %.6f",
		name, (unsigned long long)h->count, ms(histogram_mean(h)), ms(histogram_deviation(h)),
		ms((double)histogram_min(h)), ms((double)h->max));
	for (int i = 0; i < LOAD_PARTS; i++)
		fprintf(to, ", \"%s\": %.6f", load_part_names[i], ms((double)histogram_value(h, load_parts[i])));
	fputs("},\n", to);
}

static void put_tables(FILE *to, const struct load_tally *t)
{
	const char *comma = "";

	fputs("  \"status\": {", to);
	for (int i = 0; i < LOAD_STATUSES; i++) {
		if (!t->status[i])
			continue;
		fprintf(to, "%s\"%d\": %llu", comma, i, (unsigned long long)t->status[i]);
		comma = ", ";
	}
	fputs("},\n  \"error_kinds\": {", to);
	comma = "";
	for (int i = 0; i < LOAD_ERRORS; i++) {
		if (!t->errors[i])
			continue;
		fprintf(to, "%s\"%s\": %llu", comma, load_error_name((enum load_error)i),
			(unsigned long long)t->errors[i]);
		comma = ", ";
	}
	fputs("},\n", to);
}

static void put_self(FILE *to, const struct load *load)
{
	char doubts[LOAD_DOUBTS][LOAD_DOUBT_TEXT];
	int own, n = load_doubts(load, doubts, &own);

	fprintf(to,
		"  \"client\": {\"cpu_share\": %.4f, \"cpu_s\": %.6f, \"waited_for_cpu_s\": %.6f, \"bottleneck\": "
		"%s},\n",
		load_cpu_share(load), (double)load->self.cpu_ns / 1e9, (double)load->self.wait_ns / 1e9,
		own ? "true" : "false");
	fputs("  \"notes\": [", to);
	for (int i = 0; i < n; i++) {
		fputs(i ? ", " : "", to);
		put_text(to, doubts[i]);
	}
	fputs("],\n", to);
}

static void put_verdicts(FILE *to, const struct load_report *r)
{
	fputs("  \"fail_if\": [", to);
	for (size_t i = 0; i < r->verdict_count; i++) {
		const struct load_verdict *v = &r->verdicts[i];

		fprintf(to, "%s{\"condition\": ", i ? ", " : "");
		put_text(to, v->limit.text);
		fprintf(to, ", \"value\": %.6f, \"failed\": %s}", v->limit.metric <= LOAD_MAX ? ms(v->value) : v->value,
			v->broken ? "true" : "false");
	}
	fputs("],\n", to);
}

static void put_seconds(FILE *to, const struct load *load)
{
	fputs("  \"over_time\": [", to);
	for (size_t i = 0; i < load->second_count; i++) {
		const struct load_second *s = &load->seconds[i];

		fprintf(to,
			"%s\n    {\"from_s\": %.3f, \"to_s\": %.3f, \"answers\": %llu, \"errors\": %llu, \"bytes\": "
			"%llu, "
			"\"p50\": %.6f, \"p90\": %.6f, \"p99\": %.6f, \"max\": %.6f}",
			i ? "," : "", (double)s->from_ns / 1e9, (double)s->to_ns / 1e9, (unsigned long long)s->answers,
			(unsigned long long)s->errors, (unsigned long long)s->bytes, ms((double)s->p50_ns),
			ms((double)s->p90_ns), ms((double)s->p99_ns), ms((double)s->max_ns));
	}
	fputs("\n  ]\n", to);
}

void load_report_json(FILE *to, const struct load_report *r)
{
	fputs("{\n", to);
	put_plan(to, r);
	put_sums(to, r->load);
	put_histogram(to, "latency_ms", &r->load->all.latency);
	put_histogram(to, "connect_ms", &r->load->connects);
	put_histogram(to, "lateness_ms", &r->load->lateness);
	put_tables(to, &r->load->all);
	put_self(to, r->load);
	put_verdicts(to, r);
	put_seconds(to, r->load);
	fputs("}\n", to);
}
