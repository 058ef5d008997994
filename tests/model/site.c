/* SPDX-License-Identifier: MIT */
/* site.c - which sites there are, and the one that is weakened. */
#include "model/site.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct model_site *sites;

static enum model_order order_of(const char *name)
{
	static const char *const names[] = { "none", "rlx", "acq", "rel", "ar", "seq" };

	for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (!strcmp(name, names[i]))
			return (enum model_order)i;
	}
	fprintf(stderr, "MODEL_WEAKEN: there is no order %s\n", name);
	abort();
}

/* From src/ or include/ on. */
static const char *short_name(const char *file)
{
	const char *at = strstr(file, "/src/"), *include = strstr(file, "/include/");

	if (!at || (include && include > at))
		at = include;
	return at ? at + 1 : file;
}

static void note(struct model_site *s)
{
	const char *weaken = getenv("MODEL_WEAKEN");
	char self[256];
	size_t n;

	s->known = true;
	s->next = sites;
	sites = s;
	n = (size_t)snprintf(self, sizeof(self), "%s:%d:%s=", short_name(s->file), s->line, s->op);
	if (weaken && !strncmp(weaken, self, n))
		s->order = order_of(weaken + n);
}

enum model_order site_order(struct model_site *s)
{
	if (!s->known)
		note(s);
	return s->order;
}

void site_print(void)
{
	if (!getenv("MODEL_SITES"))
		return;
	for (struct model_site *s = sites; s; s = s->next) {
		if (!s->printed)
			fprintf(stderr, "site %s:%d:%s %s\n", short_name(s->file), s->line, s->op, s->name);
		s->printed = true;
	}
}
