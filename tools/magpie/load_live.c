/* SPDX-License-Identifier: MIT */
/* load_live.c - drawing. Each picture is one write, no wider and no higher than the terminal is at that moment; none is
 * drawn while the terminal takes no bytes (stopped by Ctrl-S): a worker would wait for it. */
#include "load_live.h"

#include <magpie/time.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "load_figures.h"
#include "load_units.h"

enum { ROWS = 7, ROW_BYTES = 1024, LABEL = 9, COLUMNS_MAX = 200, BAR_MAX = 40 };

struct row {
	const char *label;
	char text[ROW_BYTES];
};

static bool has_utf8(void)
{
	static const char *const names[] = { "LC_ALL", "LC_CTYPE", "LANG" };

	for (int i = 0; i < 3; i++) {
		const char *value = getenv(names[i]);

		if (value && *value)
			return strcasestr(value, "utf-8") || strcasestr(value, "utf8");
	}
	return false;
}

static void append(char *text, const char *more)
{
	size_t used = strlen(text);

	snprintf(text + used, ROW_BYTES - used, "%s", more);
}

static void write_bar(const struct load_live *live, char *text, double part)
{
	int full = (int)(part * BAR_MAX + 0.5);

	for (int i = 0; i < BAR_MAX; i++)
		append(text, i < full ? live->wide ? "█" : "#" : live->wide ? "░" : "-");
}

/* How far it is, by the nearer of its ends. */
static void write_progress(const struct load_live *live, const struct load *load, uint64_t ns, char *text)
{
	const struct load_plan *plan = &load->plan;
	uint64_t done = load->all.answers + load_errors(&load->all);
	double by_time = plan->duration_ns ? (double)ns / (double)plan->duration_ns : 0;
	double by_count = plan->requests ? (double)done / (double)plan->requests : 0;
	double part = by_time > by_count ? by_time : by_count;
	char a[LOAD_TEXT], b[LOAD_TEXT];

	*text = 0;
	write_bar(live, text, part < 1 ? part : 1);
	snprintf(a, sizeof a, "  %.1f", (double)ns / 1e9);
	append(text, a);
	if (plan->duration_ns) {
		snprintf(a, sizeof a, " of %.1f", (double)plan->duration_ns / 1e9);
		append(text, a);
	}
	append(text, " s");
	if (plan->requests) {
		append(text, ", ");
		append(text, load_write_count(a, done));
		append(text, " of ");
		append(text, load_write_count(b, plan->requests));
	}
}

/* The last seconds, each as high as its rate. */
static void write_spark(const struct load_live *live, const struct load *load, char *text, int columns)
{
	static const char *const high[] = { "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█" };
	static const char *const low[] = { "_", ".", ",", "-", "=", "+", "*", "#" };
	size_t n = load->second_count, room = columns > 60 ? (size_t)columns - 50 : 10, from = n > room ? n - room : 0;
	double most = 0;

	for (int pass = 0; pass < 2; pass++) {
		for (size_t i = from; i < n; i++) {
			const struct load_second *s = &load->seconds[i];
			double rate = (double)s->answers / (double)(s->to_ns - s->from_ns + 1);
			int level = most > 0 ? (int)(rate / most * 7.99) : 0;

			if (pass == 0)
				most = rate > most ? rate : most;
			else
				append(text, live->wide ? high[level] : low[level]);
		}
	}
}

static void write_rate(const struct load_live *live, const struct load *load, uint64_t ns, char *text, int columns)
{
	char a[LOAD_TEXT], b[LOAD_TEXT];
	double all = ns ? (double)load->all.answers * 1e9 / (double)ns : 0;

	snprintf(text, ROW_BYTES, "%s/s, now %s/s  ", load_write_count(a, (uint64_t)all),
		 load_write_count(b, (uint64_t)live->now));
	write_spark(live, load, text, columns);
}

static void write_latency(const struct histogram *h, char *text)
{
	static const struct {
		const char *name;
		double part;
	} shown[] = { { "p50", 0.5 }, { "p90", 0.9 }, { "p99", 0.99 }, { "p99.9", 0.999 }, { "max", 1 } };
	char a[LOAD_TEXT];

	*text = 0;
	for (size_t i = 0; i < sizeof shown / sizeof shown[0]; i++) {
		append(text, i ? "   " : "");
		append(text, shown[i].name);
		append(text, " ");
		append(text, load_write_time(a, (double)histogram_value(h, shown[i].part)));
	}
}

static void write_status(const struct load_tally *t, char *text)
{
	char a[LOAD_TEXT], one[2 * LOAD_TEXT];

	*text = 0;
	for (int i = 0; i < LOAD_STATUSES; i++) {
		if (!t->status[i])
			continue;
		snprintf(one, sizeof one, "%s%d: %s", *text ? "   " : "", i, load_write_count(a, t->status[i]));
		append(text, one);
	}
}

static void write_errors(const struct load_tally *t, char *text)
{
	char a[LOAD_TEXT], one[4 * LOAD_TEXT];

	*text = 0;
	for (int i = 0; i < LOAD_ERRORS; i++) {
		if (!t->errors[i])
			continue;
		snprintf(one, sizeof one, "%s%s: %s", *text ? "   " : "", load_error_words((enum load_error)i),
			 load_write_count(a, t->errors[i]));
		append(text, one);
	}
	if (!*text)
		append(text, "none");
}

static int write_rows(const struct load_live *live, const struct load *load, uint64_t ns, int columns, struct row *rows)
{
	int n = 0;

	rows[n].label = "load";
	snprintf(rows[n++].text, ROW_BYTES, "%u connection%s to %s", load->plan.connections,
		 load->plan.connections == 1 ? "" : "s", live->url);
	rows[n].label = "time";
	write_progress(live, load, ns, rows[n++].text);
	rows[n].label = "rate";
	write_rate(live, load, ns, rows[n++].text, columns);
	rows[n].label = "latency";
	write_latency(&load->all.latency, rows[n++].text);
	rows[n].label = "status";
	write_status(&load->all, rows[n++].text);
	rows[n].label = "errors";
	write_errors(&load->all, rows[n++].text);
	return n;
}

/* How many bytes the first so many characters take. */
static size_t fitting(const char *text, int characters)
{
	size_t n = 0;

	for (; text[n]; n++)
		if (((unsigned char)text[n] & 0xc0) != 0x80 && characters-- <= 0)
			break;
	return n;
}

static void write_out(const char *bytes, size_t len)
{
	while (len > 0) {
		ssize_t n = write(STDERR_FILENO, bytes, len);

		if (n <= 0)
			return;
		bytes += n;
		len -= (size_t)n;
	}
}

static void draw(struct load_live *live, const struct load *load, uint64_t ns)
{
	struct winsize size = { 0 };
	struct pollfd tty = { .fd = STDERR_FILENO, .events = POLLOUT };
	struct row rows[ROWS];
	char *bytes = NULL;
	size_t len = 0;
	FILE *to;
	int columns, n;

	if (poll(&tty, 1, 0) < 1 || !(to = open_memstream(&bytes, &len)))
		return;
	if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) || size.ws_col == 0)
		size = (struct winsize){ .ws_col = 80, .ws_row = 24 };
	columns = size.ws_col - 1 < COLUMNS_MAX ? size.ws_col - 1 : COLUMNS_MAX; /* the last one may wrap */
	n = write_rows(live, load, ns, columns, rows);
	if (size.ws_row && n > size.ws_row - 1)
		n = size.ws_row - 1;
	if (live->drawn)
		fprintf(to, "\033[%dA\r", live->drawn);
	for (int i = 0; i < n; i++) {
		int label = columns < LABEL ? columns : LABEL;

		fprintf(to, "%s%-*.*s%s%.*s\033[K\n", live->colour ? "\033[36m" : "", label, label, rows[i].label,
			live->colour ? "\033[0m" : "", (int)fitting(rows[i].text, columns - label), rows[i].text);
	}
	fputs("\033[J", to);
	if (fclose(to) == 0)
		write_out(bytes, len);
	free(bytes);
	live->drawn = n;
}

/* Each second at first, then each ten: logs are kept. */
static void say(struct load_live *live, const struct load *load, uint64_t ns)
{
	uint64_t every = ns <= 10 * MAG_SECOND + MAG_SECOND / 2 ? MAG_SECOND : 10 * MAG_SECOND;
	char a[LOAD_TEXT], b[LOAD_TEXT], c[LOAD_TEXT], d[LOAD_TEXT], line[256];

	if (ns + MAG_SECOND / 10 < live->said_ns + every)
		return;
	live->said_ns = ns;
	snprintf(line, sizeof line, "%4.0f s  %s answers, now %s/s, p50 %s, p99 %s, %llu errors\n", (double)ns / 1e9,
		 load_write_count(a, load->all.answers), load_write_count(b, (uint64_t)live->now),
		 load_write_time(c, (double)histogram_value(&load->all.latency, 0.5)),
		 load_write_time(d, (double)histogram_value(&load->all.latency, 0.99)),
		 (unsigned long long)load_errors(&load->all));
	write_out(line, strlen(line));
}

static void ticked(struct load *load)
{
	struct load_live *live = load->user;
	uint64_t ns = mag_now() - load->start;

	/* over a second: shorter ones jump */
	if (ns - live->before_ns >= MAG_SECOND || live->before_ns == 0) {
		live->now = (double)(load->all.answers - live->before) * 1e9 / (double)(ns - live->before_ns + 1);
		live->before = load->all.answers;
		live->before_ns = ns;
	}
	if (live->screen)
		draw(live, load, ns);
	else
		say(live, load, ns);
}

void load_live_init(struct load_live *live, struct load *load, const char *url, bool quiet)
{
	const char *term = getenv("TERM"), *plain = getenv("NO_COLOR");

	*live = (struct load_live){ .url = url };
	live->screen = isatty(STDERR_FILENO) && term && *term && strcmp(term, "dumb");
	live->colour = live->screen && !(plain && *plain);
	live->wide = has_utf8();
	if (quiet)
		return;
	load->user = live;
	load->ticked = ticked;
}

void load_live_end(struct load_live *live)
{
	char text[32];

	if (!live->drawn)
		return;
	snprintf(text, sizeof text, "\033[%dA\r\033[J", live->drawn);
	write_out(text, strlen(text));
	live->drawn = 0;
}
