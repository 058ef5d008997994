/* SPDX-License-Identifier: MIT */
/* 06_task_group.c - tasks that end together: the first error cancels its siblings, all errors are kept, and so is what
 * had finished: asyncio.TaskGroup, trio's nursery, errgroup. */
#include <errno.h>
#include <magpie/magpie.h>
#include <stdio.h>

enum { JOBS = 5 };

/* Job 2 fails; job 3 fails, too, as it cleans up; the last ones would take long. */
struct job {
	mag_frame frame;
	MAG_ARGS(job, int number; bool *done;);
	int64_t rc;
};

MAG_TASK(job)
{
	MAG_BEGIN(job);
	MAG_AWAIT(self->rc, mag_sleep, (uint64_t)(self->number < 2 ? 10 : self->number == 2 ? 300 : 60000) * MAG_MILLISECOND);
	if (self->number == 2)
		MAG_RETURN(-EIO);
	if (self->number == 3)
		MAG_RETURN(-ENOSPC);
	if (self->rc < 0)
		MAG_RETURN(self->rc); /* called off: no error of its own */
	*self->done = true;
	MAG_RETURN(0);
	MAG_END;
}

struct program {
	mag_frame frame;
	MAG_NO_ARGS(program);
	mag_group group;
	bool done[JOBS];
	int64_t rc, ended;
	int i;
};

MAG_TASK(program)
{
	int done;

	MAG_BEGIN(program);
	MAG_GROUP_BEGIN(&self->group); /* .policy = MAG_FAIL_FAST is the default */
	for (self->i = 0; self->i < JOBS; self->i++) {
		self->done[self->i] = false;
		MAG_SPAWN(self->rc, &self->group, job, .number = self->i, .done = &self->done[self->i]);
		if (self->rc < 0)
			break;
	}
	MAG_GROUP_END(self->ended, &self->group);

	done = 0;
	for (int i = 0; i < JOBS; i++)
		done += self->done[i];
	printf("the group ended with %s; %d of %d jobs were done; what went wrong:\n", mag_errname(self->ended), done, JOBS);
	mag_group_errors_print(&self->group, stdout);
	MAG_RETURN(self->ended == -EIO && done == 2 && mag_group_errors(&self->group, NULL) == 2 ? 0 : -EPROTO);
	MAG_END;
}

int main(void)
{
	int64_t rc = mag_run(NULL, program);

	if (rc < 0)
		fprintf(stderr, "06_task_group: %s %s\n", mag_strerror(rc), mag_runtime_why());
	return rc < 0;
}
