/* SPDX-License-Identifier: MIT */
/* errors.c - the errors of a group in words. */
#include <errno.h>
#include <magpie/group.h>
#include <stdarg.h>
#include <string.h>

#include "base/assert.h"

enum { LINE_BYTES = 512 }; /* a path and a function name that are longer are cut */

/* A text in the caller's buffer, which may be too short. */
struct text {
	char *at;
	size_t size, used;
};

__attribute__((format(printf, 2, 3))) static void add(struct text *t, const char *format, ...)
{
	bool room = t->used < t->size;
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(room ? t->at + t->used : NULL, room ? t->size - t->used : 0, format, args);
	va_end(args);
	if (n > 0)
		t->used += (size_t)n;
}

/* An async function's name is that of its step function without the end. */
static int name_length(const char *func)
{
	const char *end = strrchr(func, '_');

	return (int)(end && strcmp(end, "_step") == 0 ? (size_t)(end - func) : strlen(func));
}

static void describe(struct text *t, const struct mag_group_error *e)
{
	if (e->index >= 0)
		add(t, "#%lld ", (long long)e->index);
	add(t, "%s: %s", mag_errname(e->code), mag_strerror(e->code));
	if (!e->site)
		add(t, ", before its first await");
	else
		add(t, ", in %.*s at %s:%d (%s)", name_length(e->site->func), e->site->func, e->site->file,
		    e->site->line, e->site->what);
}

size_t mag_group_error_text(const struct mag_group_error *e, char *text, size_t size)
{
	struct text t = { text, size, 0 };

	describe(&t, e);
	return t.used;
}

/* The list, and how many errors are not in it; NULL and 0 before the end of the group. */
static const struct mag_group_error *list_of(const mag_group *g, uint32_t *more)
{
	const struct mag_group_error *list;

	*more = 0;
	if (g->scope.open.kind != MAGI_OPEN_ERRORS) {
		magi_misuse("the errors of a group are told after its end");
		return NULL;
	}
	*more = mag_group_errors(g, &list);
	for (const struct mag_group_error *e = list; e && *more; e = e->next)
		--*more;
	return list;
}

int mag_group_errors_print(const mag_group *g, FILE *file)
{
	uint32_t more;
	char line[LINE_BYTES];
	int n = 0;

	for (const struct mag_group_error *e = list_of(g, &more); e; e = e->next, n++) {
		mag_group_error_text(e, line, sizeof(line));
		if (fprintf(file, "%s\n", line) < 0)
			return -EIO;
	}
	if (more && fprintf(file, "and %u more\n", more) < 0)
		return -EIO;
	return n + !!more;
}

size_t mag_group_errors_text(const mag_group *g, char *text, size_t size)
{
	struct text t = { text, size, 0 };
	uint32_t more;

	if (size)
		text[0] = 0;
	for (const struct mag_group_error *e = list_of(g, &more); e; e = e->next) {
		describe(&t, e);
		add(&t, "\n");
	}
	if (more)
		add(&t, "and %u more\n", more);
	return t.used;
}
