/* SPDX-License-Identifier: MIT */
/* load_charts.c - a load as lines. */
#include "load_charts.h"

#include <math.h>
#include <stdlib.h>

#include "load_chart.h"
#include "load_figures.h"
#include "load_units.h"

enum { PERCENTILE_POINTS = 240, TIME_POINTS = 600, NINES_MAX = 7 };

static char *write_time(char *out, double ns)
{
	return load_write_time(out, ns);
}

static char *write_rate(char *out, double rate)
{
	return load_write_count(out, (uint64_t)llround(rate));
}

/* 0 %, 90 %, 99 %, … */
static void mark_nines(struct chart *c, int nines)
{
	c->x_ticks[c->x_tick_count++] = (struct chart_tick){ 0, "0 %" };
	c->x_ticks[c->x_tick_count++] = (struct chart_tick){ log10(2), "50 %" };
	for (int i = 1; i <= nines; i++) {
		struct chart_tick *tick = &c->x_ticks[c->x_tick_count++];

		tick->at = i;
		snprintf(tick->label, sizeof tick->label, "%.*f %%", i > 2 ? i - 2 : 0, 100 - pow(10, 2 - i));
	}
}

void load_chart_percentiles(FILE *to, const struct load *load)
{
	const struct histogram *h = &load->all.latency;
	double x[PERCENTILE_POINTS], y[PERCENTILE_POINTS];
	struct chart c = { .title = "Latency by percentile",
			   .x_title = "of all answers came within",
			   .x = x,
			   .points = PERCENTILE_POINTS,
			   .lines = { { "latency", y } },
			   .line_count = 1,
			   .filled = true,
			   .write_y = write_time };
	int nines;

	if (h->count < 10)
		return;
	/* the last nine that more than one answer speaks for */
	nines = (int)log10((double)h->count);
	nines = nines > NINES_MAX ? NINES_MAX : nines;
	for (int i = 0; i < PERCENTILE_POINTS; i++) {
		x[i] = (double)nines * i / (PERCENTILE_POINTS - 1);
		y[i] = i ? (double)histogram_value(h, 1 - pow(10, -x[i])) : (double)histogram_min(h);
	}
	mark_nines(&c, nines);
	chart_write(to, &c);
}

/* Time in points: where there are too many stretches, each point is the mean rate and the highest latency of several.
 * */
struct series {
	double x[TIME_POINTS], rate[TIME_POINTS], errors[TIME_POINTS], p50[TIME_POINTS], p99[TIME_POINTS];
	size_t n;
};

static void gather(struct series *s, const struct load *load)
{
	size_t all = load->second_count, each = (all + TIME_POINTS - 1) / TIME_POINTS;
	const struct load_second *last = all ? &load->seconds[all - 1] : NULL;

	/* one that was cut short by the end shows nothing but that */
	if (all > 2 && last->to_ns - last->from_ns < (load->seconds[0].to_ns - load->seconds[0].from_ns) / 2)
		all--;
	for (size_t i = 0; i < all; i += each) {
		size_t end = i + each < all ? i + each : all;
		uint64_t ns = load->seconds[end - 1].to_ns - load->seconds[i].from_ns, answers = 0, errors = 0, p50 = 0,
			 p99 = 0;

		for (size_t k = i; k < end; k++) {
			const struct load_second *one = &load->seconds[k];

			answers += one->answers;
			errors += one->errors;
			p50 = one->p50_ns > p50 ? one->p50_ns : p50;
			p99 = one->p99_ns > p99 ? one->p99_ns : p99;
		}
		s->x[s->n] = (double)load->seconds[end - 1].to_ns / 1e9;
		s->rate[s->n] = ns ? (double)answers * 1e9 / (double)ns : 0;
		s->errors[s->n] = ns ? (double)errors * 1e9 / (double)ns : 0;
		s->p50[s->n] = (double)p50;
		s->p99[s->n++] = (double)p99;
	}
}

static void mark_time(struct chart *c)
{
	double to = c->x[c->points - 1], step = chart_step(to, 10);

	for (double x = 0; x < to + step * 1e-6 && c->x_tick_count < CHART_TICKS; x += step) {
		struct chart_tick *tick = &c->x_ticks[c->x_tick_count++];

		tick->at = x;
		snprintf(tick->label, sizeof tick->label, x > 0 ? "%g s" : "0", round(x * 1e6) / 1e6);
	}
}

void load_chart_times(FILE *to, const struct load *load)
{
	struct series *s = calloc(1, sizeof *s);
	struct chart rates = {
		.title = "Answers per second",
		.x_title = "time",
		.line_count = load_errors(&load->all) ? 2 : 1,
		.steps = true,
		.filled = true,
		.write_y = write_rate,
	};
	struct chart times = {
		.title = "Latency over time",
		.x_title = "time",
		.line_count = 2,
		.steps = true,
		.write_y = write_time,
	};

	if (!s)
		return;
	gather(s, load);
	if (s->n >= 2 && load->all.answers) {
		rates.x = times.x = s->x;
		rates.points = times.points = s->n;
		rates.lines[0] = (struct chart_line){ "answers", s->rate };
		rates.lines[1] = (struct chart_line){ "errors", s->errors };
		times.lines[0] = (struct chart_line){ "p50", s->p50 };
		times.lines[1] = (struct chart_line){ "p99", s->p99 };
		mark_time(&rates);
		mark_time(&times);
		chart_write(to, &rates);
		chart_write(to, &times);
	} else if (load->all.answers) {
		fputs("<p class=\"quiet\">The run was too short for charts over time.</p>\n", to);
	}
	free(s);
}
