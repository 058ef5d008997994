/* SPDX-License-Identifier: MIT */
/* load_units.c - times, counts and sizes in text. */
#include "load_units.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TIME_MAX 3.6e15 /* ns: 1000 hours */

static const struct unit {
	const char *name;
	double ns;
} units[] = { { "ns", 1 }, { "us", 1e3 }, { "ms", 1e6 }, { "s", 1e9 }, { "m", 60e9 }, { "h", 3600e9 } };

static const struct unit *find_unit(const char *name, size_t len)
{
	for (size_t i = 0; i < sizeof units / sizeof units[0]; i++)
		if (strlen(units[i].name) == len && !memcmp(units[i].name, name, len))
			return &units[i];
	return NULL;
}

/* Digits with at most one point; strtod would take more: hex, inf, a sign. */
static const char *plain_number(const char *at, double *value)
{
	size_t whole = strspn(at, "0123456789"), part = at[whole] == '.' ? strspn(at + whole + 1, "0123456789") : 0;
	size_t len = whole + (part ? part + 1 : 0);
	char copy[64];

	if (whole == 0 || len >= sizeof copy)
		return NULL;
	memcpy(copy, at, len);
	copy[len] = 0;
	*value = strtod(copy, NULL);
	return at + len;
}

int load_read_number(const char *text, double *value)
{
	double v;
	const char *end = plain_number(text, &v);

	if (!end || *end)
		return -1;
	*value = v;
	return 0;
}

int load_read_time(const char *text, uint64_t bare, uint64_t *ns)
{
	double sum = 0, v;

	do {
		const struct unit *unit;
		const char *end = plain_number(text, &v);
		size_t len = 0;

		if (!end)
			return -1;
		while (isalpha((unsigned char)end[len]))
			len++;
		unit = find_unit(end, len);
		if (unit)
			v *= unit->ns;
		else if (len == 0 && bare && sum == 0 && !end[0])
			v *= (double)bare;
		else
			return -1;
		sum += v;
		text = end + len;
	} while (*text);
	if (!(sum <= TIME_MAX))
		return -1;
	*ns = (uint64_t)llround(sum);
	return 0;
}

char *load_write_time(char *out, double ns)
{
	static const struct unit shown[] = { { "ns", 1 }, { "us", 1e3 }, { "ms", 1e6 }, { "s", 1e9 } };
	size_t i = 0;

	while (i < 3 && ns >= shown[i + 1].ns)
		i++;
	ns /= shown[i].ns;
	/* three digits that count */
	snprintf(out, LOAD_TEXT, "%.*f %s", i == 0 || ns >= 99.95 ? 0 : ns >= 9.995 ? 1 : 2, ns, shown[i].name);
	return out;
}

char *load_write_count(char *out, uint64_t n)
{
	char digits[LOAD_TEXT], *to = out;
	int all = snprintf(digits, sizeof digits, "%llu", (unsigned long long)n);

	for (int i = 0; i < all; i++) {
		*to++ = digits[i];
		if ((all - 1 - i) % 3 == 0 && i + 1 < all)
			*to++ = ',';
	}
	*to = 0;
	return out;
}

char *load_write_bytes(char *out, double bytes)
{
	static const char *const names[] = { "B", "KiB", "MiB", "GiB", "TiB" };
	size_t i = 0;

	for (; bytes >= 1024 && i < 4; i++)
		bytes /= 1024;
	snprintf(out, LOAD_TEXT, "%.*f %s", i == 0 || bytes >= 100 ? 0 : 1, bytes, names[i]);
	return out;
}
