/* SPDX-License-Identifier: MIT */
/* tree_look.h - a task that looks at the tree of tasks until it says what a test expects. */
#ifndef MAGPIE_TESTS_UNIT_TREE_LOOK_H
#define MAGPIE_TESTS_UNIT_TREE_LOOK_H

#include <criterion/criterion.h>
#include <magpie/magpie.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "support/matrix.h"

enum { TEXT = 64 * 1024 };

#define END { 0, NULL, NULL }

/* What mag_runtime_dump writes. */
static const char *dump(mag_runtime *rt)
{
	static char text[TEXT];
	int fd = memfd_create("dump", MFD_CLOEXEC);
	ssize_t n;

	cr_assert_eq(mag_runtime_dump(rt, fd), 0);
	n = pread(fd, text, sizeof(text) - 1, 0);
	text[n > 0 ? n : 0] = 0;
	close(fd);
	return text;
}

/* The lines stand in the text in this order, each with so many more blanks in front than the one before, or less. */
struct line {
	int level;
	const char *begin, *has;
};

static const char *first_missing(const char *text, const struct line *lines)
{
	for (; lines->begin; lines++) {
		char begin[100];
		const char *found;

		snprintf(begin, sizeof(begin), "\n%*s%s", 2 + 2 * lines->level, "", lines->begin);
		found = strstr(text, begin);
		if (!found || !memmem(found + 1, strcspn(found + 1, "\n"), lines->has, strlen(lines->has)))
			return lines->begin;
		text = found + 1;
	}
	return NULL;
}

/* Looks again and again until all is there: tasks take their time to come to where they wait. */
struct looker {
	mag_frame frame;
	MAG_ARGS(looker, const struct line *lines; mag_group *group;);
	int64_t rc;
};

MAG_TASK(looker)
{
	MAG_BEGIN(looker);
	do {
		MAG_YIELD(self->rc);
	} while (self->rc == 0 && first_missing(dump(mag_runtime_current()), self->lines));
	mag_group_cancel(self->group);
	MAG_RETURN(self->rc);
	MAG_END;
}

struct sleeper {
	mag_frame frame;
	MAG_NO_ARGS(sleeper);
	int64_t rc;
};

MAG_TASK(sleeper)
{
	MAG_BEGIN(sleeper);
	MAG_AWAIT(self->rc, mag_sleep, 1000 * MAG_SECOND);
	MAG_RETURN(0);
	MAG_END;
}

#endif
