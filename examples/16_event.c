/* SPDX-License-Identifier: MIT */
/* 16_event.c - workers that begin when all is ready, and end at once when they are told to, not at their next tick. */
#include <errno.h>
#include <magpie/magpie.h>
#include <stdio.h>

enum { WORKERS = 4 };

struct service {
	mag_event ready, shutdown;
	int prepared; /* before `ready` is set: who has waited sees it */
	int ticks[WORKERS];
};

/* Does something each millisecond, and something each hour. */
struct work {
	mag_frame frame;
	MAG_ARGS(work, struct service *service; int number;);
	int64_t rc;
};

MAG_TASK(work)
{
	MAG_BEGIN(work);
	MAG_AWAIT(self->rc, mag_event_wait, &self->service->ready);
	if (self->rc < 0 || !self->service->prepared)
		MAG_RETURN(self->rc < 0 ? self->rc : -EPROTO);
	for (;;) {
		MAG_AWAIT(self->rc, mag_event_wait_until, &self->service->shutdown,
			  mag_deadline_in(self->number ? MAG_MILLISECOND : 3600 * MAG_SECOND));
		if (self->rc != MAG_ETIMEDOUT)
			break;
		self->service->ticks[self->number]++;
	}
	MAG_RETURN(self->rc); /* 0: shut down */
	MAG_END;
}

struct serve {
	mag_frame frame;
	MAG_NO_ARGS(serve);
	struct service service;
	mag_group group;
	uint64_t began;
	int64_t rc;
	int i;
};

MAG_TASK(serve)
{
	MAG_BEGIN(serve);
	self->service = (struct service){ .ready = MAG_EVENT_INIT, .shutdown = MAG_EVENT_INIT };
	MAG_GROUP_BEGIN(&self->group);
	for (self->i = 0; self->i < WORKERS; self->i++)
		MAG_SPAWN(self->rc, &self->group, work, .service = &self->service, .number = self->i);
	MAG_AWAIT(self->rc, mag_sleep, 2 * MAG_MILLISECOND);
	self->service.prepared = 1;
	mag_event_set(&self->service.ready); /* all of them go on */
	MAG_AWAIT(self->rc, mag_sleep, 20 * MAG_MILLISECOND);
	self->began = mag_now();
	mag_event_set(&self->service.shutdown);
	MAG_GROUP_END(self->rc, &self->group);
	printf("worker 1 has ticked %d times, worker 0, which ticks each hour, %d times; shut down in %s\n",
	       self->service.ticks[1], self->service.ticks[0],
	       mag_now() - self->began < MAG_SECOND ? "less than a second" : "a long time");
	if (self->rc < 0 || self->service.ticks[1] < 1 || self->service.ticks[0] != 0)
		MAG_RETURN(-EPROTO);
	MAG_RETURN(mag_now() - self->began < 10 * MAG_SECOND ? 0 : -EPROTO);
	MAG_END;
}

int main(void)
{
	int64_t rc = mag_run(NULL, serve);

	if (rc < 0)
		fprintf(stderr, "16_event: %s %s\n", mag_strerror(rc), mag_runtime_why());
	return rc < 0;
}
