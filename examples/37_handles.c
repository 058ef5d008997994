/* SPDX-License-Identifier: MIT */
/* 37_handles.c - tasks by name: their results as they finish, one cancelled, one asked whether it is done. */
#include <errno.h>
#include <magpie/magpie.h>
#include <stdio.h>

enum { JOBS = 4 };

struct job {
	mag_frame frame;
	MAG_ARGS(job, uint64_t ms;);
	int64_t rc;
};

MAG_TASK(job)
{
	MAG_BEGIN(job);
	MAG_AWAIT(self->rc, mag_sleep, self->ms * MAG_MILLISECOND);
	MAG_RETURN(self->rc < 0 ? self->rc : (int64_t)self->ms);
	MAG_END;
}

struct program {
	mag_frame frame;
	MAG_NO_ARGS(program);
	mag_group group;
	mag_handle jobs[JOBS]; /* outlive their tasks */
	mag_handle *next;
	int64_t rc, sum;
	int i, seen;
};

MAG_TASK(program)
{
	static const uint64_t ms[JOBS] = { 60, 20, 60000, 40 };

	MAG_BEGIN(program);
	self->seen = 0;
	self->sum = 0;
	MAG_GROUP_BEGIN(&self->group, .policy = MAG_COLLECT);
	for (self->i = 0; self->i < JOBS; self->i++) {
		self->jobs[self->i].user = (void *)"a job";
		MAG_SPAWN_AS(self->rc, &self->jobs[self->i], &self->group, job, .ms = ms[self->i]);
		if (self->rc < 0)
			MAG_RETURN(self->rc);
	}
	printf("is job 2 done? %s\n", mag_handle_done(&self->jobs[2]) ? "yes" : "no");
	mag_handle_cancel(&self->jobs[2]);

	for (;;) { /* asyncio.as_completed */
		MAG_AWAIT(self->rc, mag_group_next, &self->group, &self->next);
		if (self->rc <= 0)
			break;
		printf("job %d: %s\n", (int)(self->next - self->jobs), mag_errname(mag_handle_result(self->next)));
		self->seen++;
		if (mag_handle_result(self->next) > 0)
			self->sum += mag_handle_result(self->next);
	}
	MAG_GROUP_END(self->rc, &self->group);
	MAG_RETURN(self->seen == JOBS && self->sum == 60 + 20 + 40 && mag_handle_result(&self->jobs[2]) == MAG_ECANCELED ?
			   0 :
			   -EPROTO);
	MAG_END;
}

int main(void)
{
	int64_t rc = mag_run(NULL, program);

	if (rc < 0)
		fprintf(stderr, "37_handles: %s %s\n", mag_strerror(rc), mag_runtime_why());
	return rc < 0;
}
