/* SPDX-License-Identifier: MIT */
/* select.c - a worker that takes jobs until it is told to stop, and does something else when none comes for a while:
 * tokio::select!, Go's select. What is not chosen has had no effect: no job is lost when the worker stops. */
#include <errno.h>
#include <magpie/magpie.h>
#include <stdio.h>

enum { JOBS = 5, ROOM = 8 };

struct office {
	mag_queue jobs;
	mag_event closing;
	int done, idle;
};

struct worker {
	mag_frame frame;
	MAG_ARGS(worker, struct office *office;);
	mag_case cases[3];
	uint64_t job;
	int64_t rc;
};

MAG_TASK(worker)
{
	enum { CLOSING, JOB, NOTHING };

	MAG_BEGIN(worker);
	mag_case_event(&self->cases[CLOSING], &self->office->closing);
	mag_case_pop(&self->cases[JOB], &self->office->jobs, &self->job);
	for (;;) {
		mag_case_until(&self->cases[NOTHING], mag_deadline_in(10 * MAG_MILLISECOND));
		MAG_AWAIT(self->rc, mag_select, self->cases, 3);
		if (self->rc < 0 || self->rc == CLOSING)
			break;
		if (self->rc == NOTHING) {
			self->office->idle++;
			continue;
		}
		if (self->cases[JOB].result < 0)
			break;
		printf("job %llu\n", (unsigned long long)self->job);
		self->office->done++;
	}
	MAG_RETURN(self->rc < 0 ? self->rc : 0);
	MAG_END;
}

struct program {
	mag_frame frame;
	MAG_NO_ARGS(program);
	struct office office;
	mag_group group;
	int64_t rc;
	uint64_t job;
};

MAG_TASK(program)
{
	MAG_BEGIN(program);
	mag_event_init(&self->office.closing);
	self->rc = mag_queue_init(&self->office.jobs, ROOM, sizeof(self->job));
	if (self->rc < 0)
		MAG_RETURN(self->rc);
	MAG_GROUP_BEGIN(&self->group);
	MAG_SPAWN(self->rc, &self->group, worker, .office = &self->office);
	for (self->job = 1; self->job <= JOBS; self->job++)
		MAG_AWAIT(self->rc, mag_queue_push, &self->office.jobs, &self->job);
	MAG_AWAIT(self->rc, mag_sleep, 50 * MAG_MILLISECOND); /* they are done, and nothing comes for a while */
	mag_event_set(&self->office.closing);
	MAG_GROUP_END(self->rc, &self->group);
	printf("%d jobs done, %s, %u left\n", self->office.done, self->office.idle ? "idle at times" : "never idle",
	       mag_queue_length(&self->office.jobs));
	if (self->rc == 0 && self->office.done + (int)mag_queue_length(&self->office.jobs) != JOBS)
		self->rc = -EPROTO;
	mag_queue_fini(&self->office.jobs);
	mag_event_fini(&self->office.closing);
	MAG_RETURN(self->rc);
	MAG_END;
}

int main(void)
{
	return mag_run(NULL, program) < 0;
}
