/* SPDX-License-Identifier: MIT */
/* load_chart.h - a chart of lines as inline SVG. Colours are the page's: the classes grid, axis, line, area, dot, and
 * a, b for the first and the second line. */
#ifndef MAGPIE_TOOLS_LOAD_CHART_H
#define MAGPIE_TOOLS_LOAD_CHART_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum { CHART_TICKS = 24, CHART_LABEL = 24 };

struct chart_tick {
	double at;
	char label[CHART_LABEL];
};

struct chart_line {
	const char *name;
	const double *y;
};

struct chart {
	const char *title, *x_title;
	const double *x; /* growing */
	size_t points;   /* at least 2 */
	double x_from;   /* where the axis begins */
	struct chart_line lines[2];
	int line_count;
	bool steps;  /* a point stands for the stretch from the one before it */
	bool filled; /* the area below the first line */
	struct chart_tick x_ticks[CHART_TICKS];
	int x_tick_count;
	/* writes a value of y for people, and at the axis: room for CHART_LABEL and more */
	char *(*write_y)(char *out, double y);
};

/* Ticks at round values from 0 to `most`, at most `n` of them; the axis begins at 0.  Returns: the distance of two */
double chart_step(double most, int n);

void chart_write(FILE *to, const struct chart *c);

/* The text with what HTML would take for its own replaced. */
void chart_put_text(FILE *to, const char *text);

#endif
