/* SPDX-License-Identifier: MIT */
/* load_chart.c - axes, lines, and what is told when the pointer rests on a point. */
#include "load_chart.h"

#include <math.h>

#define WIDTH 900.0
#define HEIGHT 300.0
#define LEFT 78.0
#define RIGHT 32.0
#define TOP 44.0
#define BOTTOM 46.0
#define DOTS 150 /* so many points have dots that can be pointed at; more would be one thick line */

static const char *const classes[] = { "a", "b" };

void chart_put_text(FILE *to, const char *text)
{
	for (; *text; text++) {
		switch (*text) {
		case '<':
			fputs("&lt;", to);
			break;
		case '>':
			fputs("&gt;", to);
			break;
		case '&':
			fputs("&amp;", to);
			break;
		case '"':
			fputs("&quot;", to);
			break;
		default:
			if ((unsigned char)*text >= ' ')
				fputc(*text, to);
		}
	}
}

double chart_step(double most, int n)
{
	static const double steps[] = { 1, 2, 2.5, 5, 10 };
	double base;
	int i = 0;

	if (!(most > 0))
		return 1;
	base = pow(10, floor(log10(most / n)));
	while (i < 4 && steps[i] * base * n < most)
		i++;
	return steps[i] * base;
}

struct plot {
	const struct chart *c;
	double x0, x1, y1, step; /* what the axes span; y from 0 */
};

static double at_x(const struct plot *p, double x)
{
	return LEFT + (x - p->x0) / (p->x1 - p->x0) * (WIDTH - LEFT - RIGHT);
}

static double at_y(const struct plot *p, double y)
{
	return HEIGHT - BOTTOM - y / p->y1 * (HEIGHT - TOP - BOTTOM);
}

static struct plot fit(const struct chart *c)
{
	struct plot p = { .c = c, .x0 = c->x_from, .x1 = c->x[c->points - 1] };
	double most = 0;

	for (int i = 0; i < c->line_count; i++)
		for (size_t k = 0; k < c->points; k++)
			most = fmax(most, c->lines[i].y[k]);
	p.step = chart_step(most, 5);
	p.y1 = fmax(1, ceil(most / p.step)) * p.step;
	if (!(p.x1 > p.x0))
		p.x1 = p.x0 + 1;
	return p;
}

static void put_axes(FILE *to, const struct plot *p)
{
	const struct chart *c = p->c;
	char text[64];

	for (double y = 0; y < p->y1 + p->step / 2; y += p->step)
		fprintf(to,
			"<path class=\"grid\" d=\"M%.1f %.1fH%.1f\"/><text x=\"%.1f\" y=\"%.1f\" "
			"class=\"end\">%s</text>\n",
			LEFT, at_y(p, y), WIDTH - RIGHT, LEFT - 8, at_y(p, y) + 4, y > 0 ? c->write_y(text, y) : "0");
	for (int i = 0; i < c->x_tick_count; i++)
		fprintf(to,
			"<path class=\"grid\" d=\"M%.1f %.1fV%.1f\"/><text x=\"%.1f\" y=\"%.1f\" "
			"class=\"mid\">%s</text>\n",
			at_x(p, c->x_ticks[i].at), TOP, HEIGHT - BOTTOM, at_x(p, c->x_ticks[i].at),
			HEIGHT - BOTTOM + 18, c->x_ticks[i].label);
	fprintf(to,
		"<path class=\"axis\" d=\"M%.1f %.1fH%.1f\"/><text x=\"%.1f\" y=\"%.1f\" class=\"mid "
		"quiet\">%s</text>\n",
		LEFT, HEIGHT - BOTTOM, WIDTH - RIGHT, (LEFT + WIDTH - RIGHT) / 2, HEIGHT - 8, c->x_title);
}

/* With steps a point stands for the stretch that ends there. */
static void put_path(FILE *to, const struct plot *p, const double *y)
{
	const struct chart *c = p->c;

	if (c->steps)
		fprintf(to, "M%.1f %.1f", at_x(p, c->x_from), at_y(p, y[0]));
	for (size_t k = 0; k < c->points; k++) {
		if (c->steps)
			fprintf(to, "V%.1fH%.1f", at_y(p, y[k]), at_x(p, c->x[k]));
		else
			fprintf(to, "%s%.1f %.1f", k ? "L" : "M", at_x(p, c->x[k]), at_y(p, y[k]));
	}
}

static double dot_x(const struct chart *c, size_t k)
{
	return c->steps ? (c->x[k] + (k ? c->x[k - 1] : c->x_from)) / 2 : c->x[k];
}

static void put_line(FILE *to, const struct plot *p, int i)
{
	const struct chart_line *line = &p->c->lines[i];
	char text[64];

	if (p->c->filled && i == 0) {
		fprintf(to, "<path class=\"area %s\" d=\"", classes[i]);
		put_path(to, p, line->y);
		fprintf(to, "L%.1f %.1fL%.1f %.1fZ\"/>\n", at_x(p, p->c->x[p->c->points - 1]), at_y(p, 0),
			at_x(p, p->c->steps ? p->c->x_from : p->c->x[0]), at_y(p, 0));
	}
	fprintf(to, "<path class=\"line %s\" d=\"", classes[i]);
	put_path(to, p, line->y);
	fputs("\"/>\n", to);
	for (size_t k = 0; p->c->points <= DOTS && k < p->c->points; k++)
		fprintf(to, "<circle class=\"dot %s\" cx=\"%.1f\" cy=\"%.1f\" r=\"5\"><title>%s %s</title></circle>\n",
			classes[i], at_x(p, dot_x(p->c, k)), at_y(p, line->y[k]), line->name,
			p->c->write_y(text, line->y[k]));
}

static void put_legend(FILE *to, const struct chart *c)
{
	double x = WIDTH - RIGHT;

	if (c->line_count < 2)
		return;
	for (int i = c->line_count - 1; i >= 0; i--) {
		x -= 84;
		fprintf(to, "<path class=\"line %s\" d=\"M%.1f 22h18\"/><text x=\"%.1f\" y=\"26\">%s</text>\n",
			classes[i], x, x + 24, c->lines[i].name);
	}
}

void chart_write(FILE *to, const struct chart *c)
{
	struct plot p = fit(c);

	fprintf(to,
		"<svg viewBox=\"0 0 %.0f %.0f\" role=\"img\" aria-label=\"%s\">\n<text x=\"0\" y=\"26\" "
		"class=\"title\">%s</text>\n",
		WIDTH, HEIGHT, c->title, c->title);
	put_axes(to, &p);
	for (int i = 0; i < c->line_count; i++)
		put_line(to, &p, i);
	put_legend(to, c);
	fputs("</svg>\n", to);
}
