/* SPDX-License-Identifier: MIT */
/* http_guard.c - the rules for the lines of a request's head and trailer. */
#include "http_guard.h"

#include <string.h>

/* Beside the target: the longest method, two blanks, the version, the line end; and a little. */
#define LINE_EXTRA 32u

void magi_http_guard_reset(struct http_guard *g, const struct http_limits *limits)
{
	memset(g, 0, sizeof *g);
	g->limits = limits;
	g->room = limits->target + LINE_EXTRA;
	g->request = true;
	g->last = '\n';
}

void magi_http_guard_trailer(struct http_guard *g)
{
	g->done = false;
}

/* Keeps the request line's last bytes, of which s[0, n) are the newest. */
static void keep_tail(struct http_guard *g, const char *s, size_t n)
{
	if (n < HTTP_TAIL_LEN) {
		memmove(g->tail, g->tail + n, HTTP_TAIL_LEN - n);
		memcpy(g->tail + HTTP_TAIL_LEN - n, s, n);
	} else {
		memcpy(g->tail, s + n - HTTP_TAIL_LEN, HTTP_TAIL_LEN);
	}
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* The request line ends in s[0, n): 0 or a status. */
static int line_status(struct http_guard *g, const char *s, size_t n)
{
	const char *t = s + n - HTTP_TAIL_LEN;

	if (n < HTTP_TAIL_LEN) {
		keep_tail(g, s, n);
		t = g->tail;
	}
	if ((unsigned char)t[0] <= ' ' || memcmp(t + 1, " HTTP/", 6) != 0 || !is_digit(t[7]) || t[8] != '.' ||
	    !is_digit(t[9]) || t[10] != '\r')
		return 400;
	return t[7] == '1' && t[9] <= '1' ? 0 : 505;
}

/* A line ends in s[0, n), of which the last byte is the LF and before is the byte before s: 0 or a status. */
static int end_line(struct http_guard *g, const char *s, size_t n, char before)
{
	if ((n > 1 ? s[n - 2] : before) != '\r')
		return 400;
	if (g->request) {
		int status = line_status(g, s, n);

		if (status)
			return status;
		g->request = false;
		g->room = g->limits->head;
	} else if (g->line + n == 2) {
		g->done = true;
	} else if (++g->fields > g->limits->fields) {
		return 431;
	}
	g->line = 0;
	return 0;
}

size_t magi_http_guard_walk(struct http_guard *g, const char *s, size_t n, int *status)
{
	size_t i = 0;

	*status = 0;
	while (i < n && !g->done) {
		size_t look = n - i < g->room ? n - i : g->room;
		const char *lf;
		bool request = g->request;

		if (look == 0) {
			*status = g->request ? 414 : 431;
			break;
		}
		/* a folded line, or blanks before the first field (RFC 9112, 2.2 and 5.2) */
		if (g->line == 0 && !g->request && (s[i] == ' ' || s[i] == '\t')) {
			*status = 400;
			break;
		}
		lf = memchr(s + i, '\n', look);
		if (!lf) {
			if (g->request)
				keep_tail(g, s + i, look);
			g->room -= (uint32_t)look;
			g->line += (uint32_t)look;
			i += look;
			continue;
		}
		look = (size_t)(lf - (s + i)) + 1;
		g->room -= (uint32_t)look;
		*status = end_line(g, s + i, look, i ? s[i - 1] : g->last);
		if (*status)
			return i + look - 1;
		i += look;
		if (request)
			g->line_end = (uint32_t)i;
	}
	if (i)
		g->last = s[i - 1];
	return i;
}
