/* SPDX-License-Identifier: MIT */
/* load_limit.c - reading conditions, and holding a load against them. */
#include "load_limit.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "load_figures.h"
#include "load_units.h"

static const struct {
	const char *name;
	enum load_metric metric;
} metrics[] = {
	{ "mean", LOAD_MEAN },         { "min", LOAD_MIN },         { "max", LOAD_MAX },
	{ "rps", LOAD_RPS },           { "errors", LOAD_FAILURES }, { "error-rate", LOAD_FAILURE_SHARE },
	{ "requests", LOAD_REQUESTS },
};

static bool is_time(const struct load_limit *limit)
{
	return limit->metric <= LOAD_MAX;
}

static const char *read_metric(struct load_limit *limit, const char *name)
{
	double percent;

	for (size_t i = 0; i < sizeof metrics / sizeof metrics[0]; i++) {
		if (!strcmp(metrics[i].name, name)) {
			limit->metric = metrics[i].metric;
			return NULL;
		}
	}
	limit->metric = LOAD_PERCENTILE;
	if (*name != 'p' || load_read_number(name + 1, &percent) || percent <= 0 || percent > 100)
		return "it must begin with p50, p99.9 or the like, mean, min, max, rps, requests, errors or error-rate";
	limit->part = percent / 100;
	return NULL;
}

static const char *read_value(struct load_limit *limit, char *text)
{
	size_t len = strlen(text);
	bool percent = len && text[len - 1] == '%';
	uint64_t ns;

	if (is_time(limit)) {
		if (load_read_time(text, 0, &ns))
			return "a time with its unit must follow, such as 50ms";
		limit->value = (double)ns;
		return NULL;
	}
	if (percent && limit->metric == LOAD_FAILURE_SHARE)
		text[len - 1] = 0;
	else
		percent = false;
	if (load_read_number(text, &limit->value))
		return limit->metric == LOAD_FAILURE_SHARE ? "a share must follow, such as 0.01 or 1%"
							   : "a number must follow";
	if (percent)
		limit->value /= 100;
	if (limit->metric == LOAD_FAILURE_SHARE && limit->value > 1)
		return "a share is at most 1, or 100%";
	return NULL;
}

/* A copy without blanks; false: it is too long. */
static bool squeeze(char *to, size_t room, const char *text)
{
	for (; *text; text++) {
		if (*text == ' ')
			continue;
		if (--room == 0)
			return false;
		*to++ = *text;
	}
	*to = 0;
	return true;
}

const char *load_limit_read(struct load_limit *limit, const char *text)
{
	char copy[sizeof limit->text], *sign, *value;
	const char *wrong;
	bool equal;

	if (!squeeze(limit->text, sizeof limit->text, text))
		return "it is too long";
	strcpy(copy, limit->text);
	sign = strpbrk(copy, "<>");
	if (!sign)
		return "there is no >, >=, < or <= in it";
	equal = sign[1] == '=';
	if (*sign == '>')
		limit->than = equal ? LOAD_AT_LEAST : LOAD_ABOVE;
	else
		limit->than = equal ? LOAD_AT_MOST : LOAD_BELOW;
	value = sign + 1 + equal;
	*sign = 0;
	wrong = read_metric(limit, copy);
	return wrong ? wrong : read_value(limit, value);
}

static double measure(const struct load_limit *limit, const struct load *load)
{
	const struct histogram *h = &load->all.latency;

	switch (limit->metric) {
	case LOAD_PERCENTILE:
		return (double)histogram_value(h, limit->part);
	case LOAD_MEAN:
		return histogram_mean(h);
	case LOAD_MIN:
		return (double)histogram_min(h);
	case LOAD_MAX:
		return (double)h->max;
	case LOAD_RPS:
		return load_rate(load);
	case LOAD_FAILURES:
		return (double)load_failures(&load->all);
	case LOAD_FAILURE_SHARE:
		return load_failure_share(&load->all);
	default:
		return (double)load->all.answers;
	}
}

bool load_limit_is_broken(const struct load_limit *limit, const struct load *load, double *value)
{
	double v = measure(limit, load);

	*value = v;
	if (is_time(limit) && load->all.latency.count == 0)
		return true;
	switch (limit->than) {
	case LOAD_ABOVE:
		return v > limit->value;
	case LOAD_AT_LEAST:
		return v >= limit->value;
	case LOAD_BELOW:
		return v < limit->value;
	default:
		return v <= limit->value;
	}
}

char *load_limit_write(const struct load_limit *limit, double value, char *out)
{
	if (is_time(limit))
		return load_write_time(out, value);
	if (limit->metric == LOAD_FAILURE_SHARE)
		snprintf(out, LOAD_TEXT, "%.4g %%", value * 100);
	else if (limit->metric == LOAD_RPS)
		snprintf(out, LOAD_TEXT, "%.1f", value);
	else
		return load_write_count(out, (uint64_t)llround(value));
	return out;
}
