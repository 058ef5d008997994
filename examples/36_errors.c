/* SPDX-License-Identifier: MIT */
/* 36_errors.c - errors by kind: what was refused is tried again, what is missing is only said, the rest is passed on:
 * except*, errors.As. */
#include <errno.h>
#include <magpie/magpie.h>
#include <stdio.h>

enum { PAGES = 8 };

/* Stands for a download: some are refused the first time, one is missing, one has a broken disk behind it. */
struct fetch {
	mag_frame frame;
	MAG_ARGS(fetch, int page; bool again;);
	int64_t rc;
};

MAG_TASK(fetch)
{
	MAG_BEGIN(fetch);
	MAG_AWAIT(self->rc, mag_sleep, MAG_MILLISECOND);
	if (self->rc < 0)
		MAG_RETURN(self->rc);
	if (self->page % 3 == 1 && !self->again)
		MAG_RETURN(-ECONNREFUSED);
	if (self->page == 2)
		MAG_RETURN(-ENOENT);
	if (self->page == 6)
		MAG_RETURN(-EIO);
	MAG_RETURN(100 + self->page);
	MAG_END;
}

struct program {
	mag_frame frame;
	MAG_NO_ARGS(program);
	const struct mag_group_error *error;
	mag_gather pages;
	int64_t results[PAGES], rc;
	uint32_t retried, missing, others;
	int i;
};

static void leave_out(const struct mag_group_error *list)
{
	char line[200];

	for (; list; list = list->next) {
		mag_group_error_text(list, line, sizeof(line));
		printf("left out: %s\n", line);
	}
}

MAG_TASK(program)
{
	MAG_BEGIN(program);
	MAG_SETTLED_EACH(self->rc, &self->pages, self->results, PAGES, self->i, fetch, .page = self->i);

	/* each kind is taken out of the list; what is left at the end is what nobody has thought of */
	self->retried = mag_group_errors_split(&self->pages.group, -ECONNREFUSED, &self->error);
	for (; self->error; self->error = self->error->next)
		MAG_CALL(self->results[self->error->index], fetch, .page = (int)self->error->index, .again = true);

	self->missing = mag_group_errors_split(&self->pages.group, -ENOENT, &self->error);
	leave_out(self->error);

	self->others = mag_group_errors(&self->pages.group, NULL);
	printf("%u tried again, %u left out, and to be passed on:\n", self->retried, self->missing);
	mag_group_errors_print(&self->pages.group, stdout);
	MAG_RETURN(self->retried == 3 && self->missing == 1 && self->others == 1 && self->results[1] == 101 &&
				   self->results[7] == 107 && self->results[6] == -EIO ?
			   0 :
			   -EPROTO);
	MAG_END;
}

int main(void)
{
	int64_t rc = mag_run(NULL, program);

	if (rc < 0)
		fprintf(stderr, "36_errors: %s %s\n", mag_strerror(rc), mag_runtime_why());
	return rc < 0;
}
