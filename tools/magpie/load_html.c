/* SPDX-License-Identifier: MIT */
/* load_html.c - the report as a page: it needs no other file, no network and no script, and follows the reader's
 * choice of light or dark. */
#include "load_report.h"

#include <stdlib.h>
#include <time.h>

#include "commands.h"
#include "load_chart.h"
#include "load_charts.h"
#include "load_figures.h"
#include "load_units.h"

static const char style[] =
	":root{color-scheme:light dark;--bg:#ffffff;--card:#f6f7f9;--text:#1b1f24;--quiet:#5b6470;--grid:#dde1e6;"
	"--a:#2563eb;--b:#c2570c;--bad:#b42318;--badbg:#fef3f2;--warnbg:#fff8e6;--warn:#8a5a00;--good:#1a7f37}\n"
	"@media (prefers-color-scheme:dark){:root{--bg:#14171b;--card:#1d2127;--text:#e6e9ed;--quiet:#9aa4b0;"
	"--grid:#333a43;--a:#6ea8fe;--b:#f5a254;--bad:#ff8f85;--badbg:#3a1d1b;--warnbg:#352a10;--warn:#f0c060;"
	"--good:#5cc87a}}\n"
	"*{box-sizing:border-box}body{margin:0 auto;max-width:960px;padding:28px 20px 48px;background:var(--bg);"
	"color:var(--text);font:15px/1.5 system-ui,sans-serif}\n"
	"h1{font-size:21px;margin:0;overflow-wrap:anywhere}h2{font-size:16px;margin:32px 0 "
	"8px}.quiet{color:var(--quiet)}"
	"p{margin:4px 0}\n"
	".tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(135px,1fr));gap:10px;margin:20px 0}\n"
	".tile{background:var(--card);border-radius:8px;padding:10px 14px}.tile b{display:block;font-size:20px;"
	"font-variant-numeric:tabular-nums;white-space:nowrap}.tile span{color:var(--quiet);font-size:13px}.bad "
	"b{color:var(--bad)}\n"
	".note,.failed{border-radius:8px;padding:9px 14px;margin:8px 0;background:var(--warnbg);color:var(--warn)}"
	".failed{background:var(--badbg);color:var(--bad)}.passed{color:var(--good);padding:2px 14px}\n"
	"svg{display:block;width:100%;height:auto;margin:26px 0 0}svg text{fill:var(--text);font:12.5px "
	"system-ui,sans-serif}"
	"svg .title{font-size:16px;font-weight:600}svg .end{text-anchor:end}svg .mid{text-anchor:middle}"
	"svg .quiet{fill:var(--quiet)}\n"
	".grid{stroke:var(--grid);stroke-width:1}.axis{stroke:var(--quiet);stroke-width:1}"
	".line{fill:none;stroke-width:2;stroke-linejoin:round}.line.a{stroke:var(--a)}.line.b{stroke:var(--b)}"
	".area{opacity:.13}.area.a{fill:var(--a)}.dot{fill:transparent}.dot.a:hover{fill:var(--a)}.dot.b:hover{fill:"
	"var(--b)}\n"
	".tables{display:grid;grid-template-columns:repeat(auto-fit,minmax(260px,1fr));gap:0 36px;align-items:start}\n"
	"table{border-collapse:collapse;width:100%}td{padding:3px 0;border-bottom:1px solid "
	"var(--grid);vertical-align:top}"
	"td:last-child{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap;padding-left:12px}\n"
	"@media(max-width:600px){svg text{font-size:19px}svg .title{font-size:26px}}\n"
	"footer{margin-top:36px;color:var(--quiet);font-size:13px}\n";

static void put_tile(FILE *to, const char *value, const char *what, bool bad)
{
	fprintf(to, "<div class=\"tile%s\"><b>%s</b><span>%s</span></div>\n", bad ? " bad" : "", value, what);
}

static void put_tiles(FILE *to, const struct load *load)
{
	const struct histogram *h = &load->all.latency;
	char a[LOAD_TEXT];

	fputs("<div class=\"tiles\">\n", to);
	put_tile(to, load_write_count(a, (uint64_t)(load_rate(load) + 0.5)), "answers / second", false);
	put_tile(to, load_write_count(a, load->all.answers), "answers", false);
	put_tile(to, load_write_count(a, load_failures(&load->all)), "errors, or status ≥ 400",
		 load_failures(&load->all) > 0);
	put_tile(to, h->count ? load_write_time(a, (double)histogram_value(h, 0.5)) : "–", "p50 latency", false);
	put_tile(to, h->count ? load_write_time(a, (double)histogram_value(h, 0.99)) : "–", "p99 latency", false);
	put_tile(to, h->count ? load_write_time(a, (double)h->max) : "–", "slowest", false);
	fputs("</div>\n", to);
}

static void put_notes(FILE *to, const struct load_report *r)
{
	char doubts[LOAD_DOUBTS][LOAD_DOUBT_TEXT], a[LOAD_TEXT];
	int own, n = load_doubts(r->load, doubts, &own);

	for (size_t i = 0; i < r->verdict_count; i++) {
		const struct load_verdict *v = &r->verdicts[i];

		fprintf(to, "<div class=\"%s\">%s: fail if ", v->broken ? "failed" : "passed",
			v->broken ? "Failed" : "Passed");
		chart_put_text(to, v->limit.text);
		fprintf(to, "; it was %s</div>\n", load_limit_write(&v->limit, v->value, a));
	}
	for (int i = 0; i < n; i++) {
		fputs("<div class=\"note\">Note: ", to);
		chart_put_text(to, doubts[i]);
		fputs(".</div>\n", to);
	}
}

static void put_row(FILE *to, const char *name, const char *value)
{
	fprintf(to, "<tr><td>%s</td><td>%s</td></tr>\n", name, value);
}

static void put_latency(FILE *to, const struct load *load)
{
	const struct histogram *h = &load->all.latency;
	char a[LOAD_TEXT];

	if (h->count == 0)
		return;
	fprintf(to, "<section><h2>Latency</h2>%s<table>\n",
		load->plan.rate > 0 ? "<p class=\"quiet\">From when each request was due.</p>" : "");
	put_row(to, "least", load_write_time(a, (double)histogram_min(h)));
	for (int i = 0; i < LOAD_PARTS; i++)
		put_row(to, load_part_names[i], load_write_time(a, (double)histogram_value(h, load_parts[i])));
	put_row(to, "most", load_write_time(a, (double)h->max));
	put_row(to, "mean", load_write_time(a, histogram_mean(h)));
	put_row(to, "standard deviation", load_write_time(a, histogram_deviation(h)));
	fputs("</table></section>\n", to);
}

static void put_counts(FILE *to, const struct load_tally *t)
{
	char a[LOAD_TEXT], name[LOAD_TEXT];

	fputs("<section><h2>Status</h2><table>\n", to);
	for (int i = 0; i < LOAD_STATUSES; i++) {
		snprintf(name, sizeof name, "%d", i);
		if (t->status[i])
			put_row(to, name, load_write_count(a, t->status[i]));
	}
	fputs("</table>\n", to);
	if (!t->answers)
		fputs("<p class=\"quiet\">Nothing was answered.</p>\n", to);
	fputs("<h2>Errors</h2><table>\n", to);
	for (int i = 0; i < LOAD_ERRORS; i++) {
		if (!t->errors[i])
			continue;
		fprintf(to, "<tr><td>%s<br><span class=\"quiet\">", load_error_words((enum load_error)i));
		chart_put_text(to, t->example[i] ? t->example[i] : "");
		fprintf(to, "</span></td><td>%s</td></tr>\n", load_write_count(a, t->errors[i]));
	}
	fputs("</table>\n", to);
	if (!load_errors(t))
		fputs("<p class=\"quiet\">None.</p>\n", to);
	fputs("</section>\n", to);
}

static void put_rest(FILE *to, const struct load *load)
{
	const struct load_tally *t = &load->all;
	char a[LOAD_TEXT];

	fputs("<section><h2>Connections and client</h2><table>\n", to);
	put_row(to, "connections opened", load_write_count(a, t->opened));
	if (load->connects.count)
		put_row(to, "opened in, p50", load_write_time(a, (double)histogram_value(&load->connects, 0.5)));
	if (t->again)
		put_row(to, "requests sent again, the connection being closed", load_write_count(a, t->again));
	put_row(to, "received", load_write_bytes(a, (double)t->bytes));
	if (t->unfinished)
		put_row(to, "under way at the end", load_write_count(a, t->unfinished));
	if (load->lateness.count)
		put_row(to, "schedule kept to within, p99",
			load_write_time(a, (double)histogram_value(&load->lateness, 0.99)));
	snprintf(a, sizeof a, "%.0f %%", load_cpu_share(load) * 100);
	put_row(to, "CPU time of the client's threads", a);
	fputs("</table></section>\n", to);
}

static void put_head(FILE *to, const struct load_report *r)
{
	fputs("<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
	      "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n<title>Load on ",
	      to);
	chart_put_text(to, r->url);
	fprintf(to, "</title>\n<style>\n%s</style>\n</head>\n<body>\n<h1>", style);
	chart_put_text(to, r->method);
	fputc(' ', to);
	chart_put_text(to, r->url);
	fputs("</h1>\n<p class=\"quiet\">", to);
	load_report_plan(to, r->load);
	fputs("</p>\n", to);
}

void load_report_html(FILE *to, const struct load_report *r)
{
	time_t now = time(NULL);
	struct tm tm;
	char when[64] = "";

	if (localtime_r(&now, &tm))
		strftime(when, sizeof when, "%Y-%m-%d %H:%M %Z", &tm);
	put_head(to, r);
	put_tiles(to, r->load);
	put_notes(to, r);
	load_chart_percentiles(to, r->load);
	load_chart_times(to, r->load);
	fputs("<div class=\"tables\">\n", to);
	put_latency(to, r->load);
	put_counts(to, &r->load->all);
	put_rest(to, r->load);
	fprintf(to, "</div>\n<footer>magpie %s, %s</footer>\n</body>\n</html>\n", MAGPIE_VERSION, when);
}
