/* SPDX-License-Identifier: MIT */
/* group_limit.c - many jobs, at most four at once, and all their errors in the end. */
#include <errno.h>
#include <magpie/magpie.h>
#include <stdio.h>

enum { JOBS = 20, AT_ONCE = 4 };

/* One job: every seventh fails. */
struct job {
	mag_frame frame;
	MAG_ARGS(job, int number; int64_t *out;);
	int64_t rc;
};

MAG_TASK(job)
{
	MAG_BEGIN(job);
	MAG_AWAIT(self->rc, mag_sleep, 5 * MAG_MILLISECOND);
	if (self->rc < 0)
		MAG_RETURN(self->rc);
	if (self->number % 7 == 6)
		MAG_RETURN(-EIO);
	*self->out = (int64_t)self->number * self->number;
	MAG_RETURN(0);
	MAG_END;
}

struct all {
	mag_frame frame;
	MAG_NO_ARGS(all);
	mag_group group;
	int64_t results[JOBS];
	int64_t rc;
	int i;
};

static uint32_t report(const mag_group *group)
{
	const struct mag_group_error *list;
	uint32_t failed = mag_group_errors(group, &list);

	for (; list; list = list->next)
		printf("a job failed with %s (%s), last seen at %s:%d\n", mag_errname(list->code),
		       mag_strerror(list->code), list->site->file, list->site->line);
	return failed;
}

MAG_TASK(all)
{
	uint32_t failed;
	int64_t total;

	MAG_BEGIN(all);
	MAG_GROUP_BEGIN(&self->group, .policy = MAG_COLLECT, .limit = AT_ONCE);
	for (self->i = 0; self->i < JOBS; self->i++) {
		self->results[self->i] = 0;
		MAG_SPAWN(self->rc, &self->group, job, .number = self->i, .out = &self->results[self->i]);
		if (self->rc < 0)
			break;
	}
	MAG_GROUP_END(self->rc, &self->group);
	if (self->rc < 0)
		MAG_RETURN(self->rc);

	failed = report(&self->group);
	total = 0;
	for (int i = 0; i < JOBS; i++)
		total += self->results[i];
	printf("%d jobs, %u failed, the others give %lld\n", JOBS, failed, (long long)total);
	MAG_RETURN(failed == 2 && total == 2470 - 6 * 6 - 13 * 13 ? 0 : -EPROTO);
	MAG_END;
}

int main(void)
{
	int64_t rc = mag_run(NULL, all);

	if (rc < 0)
		fprintf(stderr, "group_limit: %s %s\n", mag_strerror(rc), mag_runtime_why());
	return rc < 0;
}
