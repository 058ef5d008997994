/* SPDX-License-Identifier: MIT */
/* 23_shutdown.c - a service that SIGTERM stops: it takes no more, finishes what it has taken, and then lets go of what that
 * needed. One worker is too slow, and is cancelled; what it cannot finish it puts back. */
#include <errno.h>
#include <magpie/magpie.h>
#include <signal.h>
#include <stdio.h>

enum { WORKERS = 3, ENOUGH = 10 };

struct service {
	struct mag_shutdown down;
	mag_queue jobs;
	int taken, done, put_back; /* under the lock */
	mag_mutex lock;
	bool log_open;
};

/* Brings in work, until it is cancelled: at the beginning of the end. */
struct intake {
	mag_frame frame;
	MAG_ARGS(intake, struct service *service;);
	struct mag_shutdown_part part;
	int64_t rc;
	int job;
};

MAG_TASK(intake)
{
	MAG_BEGIN(intake);
	MAG_SHUTDOWN_JOIN(&self->service->down, &self->part, MAG_SHUTDOWN_TAKING, "intake");
	for (self->job = 1;; self->job++) {
		MAG_AWAIT(self->rc, mag_queue_push, &self->service->jobs, &self->job);
		if (self->rc < 0)
			break;
		if (++self->service->taken == ENOUGH)
			raise(SIGTERM); /* what an operator, or systemd, does from outside */
	}
	mag_queue_close(&self->service->jobs); /* the workers empty it, then they end */
	MAG_SHUTDOWN_LEAVE(self->rc, &self->part);
	MAG_RETURN(0);
	MAG_END;
}

struct worker {
	mag_frame frame;
	MAG_ARGS(worker, struct service *service; bool slow;);
	struct mag_shutdown_part part;
	mag_scope shield;
	int64_t rc, waste;
	int job;
};

MAG_TASK(worker)
{
	MAG_BEGIN(worker);
	MAG_SHUTDOWN_JOIN(&self->service->down, &self->part, MAG_SHUTDOWN_WORK, "worker");
	for (;;) {
		MAG_AWAIT(self->rc, mag_queue_pop, &self->service->jobs, &self->job);
		if (self->rc < 0)
			break;
		MAG_AWAIT(self->rc, mag_sleep, self->slow ? 3600 * MAG_SECOND : MAG_MILLISECOND);
		MAG_SHIELD(&self->shield, MAG_SECOND); /* counting is cleanup: it is not cut short */
		MAG_AWAIT(self->waste, mag_mutex_lock, &self->service->lock);
		if (self->service->log_open)
			self->service->done += self->rc == 0;
		self->service->put_back += self->rc != 0;
		mag_mutex_unlock(&self->service->lock);
		MAG_SCOPE_END(self->waste, &self->shield);
	}
	MAG_SHUTDOWN_LEAVE(self->rc, &self->part);
	MAG_RETURN(0);
	MAG_END;
}

/* The others write to it: it is closed last. */
struct log {
	mag_frame frame;
	MAG_ARGS(log, struct service *service;);
	struct mag_shutdown_part part;
	int64_t rc;
};

MAG_TASK(log)
{
	MAG_BEGIN(log);
	MAG_SHUTDOWN_JOIN(&self->service->down, &self->part, MAG_SHUTDOWN_LAST, "log");
	MAG_AWAIT(self->rc, mag_sleep, MAG_NEVER);
	self->service->log_open = false;
	MAG_SHUTDOWN_LEAVE(self->rc, &self->part);
	MAG_RETURN(0);
	MAG_END;
}

static void report(void *ctx, struct mag_shutdown *down, const struct mag_shutdown_report *r)
{
	(void)ctx;
	(void)down;
	printf("signal %d: %u ended in their time, %u were cancelled, %u are left\n", r->signal, r->finished, r->cancelled, r->left);
}

static const struct mag_shutdown_options options = {
	.size = sizeof(options), .drain_ns = 200 * MAG_MILLISECOND, .cancel_ns = MAG_SECOND, .report = report
};

struct serve {
	mag_frame frame;
	MAG_NO_ARGS(serve);
	struct service service;
	mag_group group;
	int64_t rc, left;
	int i;
};

MAG_TASK(serve)
{
	MAG_BEGIN(serve);
	self->service.taken = self->service.done = self->service.put_back = 0;
	mag_mutex_init(&self->service.lock);
	if (mag_queue_init(&self->service.jobs, 4, sizeof(int)) < 0 || mag_shutdown_init(&self->service.down, &options) < 0 ||
	    mag_shutdown_on_signals(&self->service.down, SIGINT, SIGTERM) < 0)
		MAG_RETURN(-EPROTO);
	MAG_GROUP_BEGIN(&self->group);
	self->service.log_open = true; /* before anybody writes to it */
	MAG_SPAWN(self->rc, &self->group, log, .service = &self->service);
	for (self->i = 0; self->i < WORKERS; self->i++)
		MAG_SPAWN(self->rc, &self->group, worker, .service = &self->service, .slow = self->i == 0);
	MAG_SPAWN(self->rc, &self->group, intake, .service = &self->service);
	MAG_CALL(self->left, mag_shutdown_run, .shutdown = &self->service.down);
	MAG_GROUP_END(self->rc, &self->group);
	while (mag_queue_try_pop(&self->service.jobs, &self->i) == 0)
		self->service.put_back++; /* nobody has begun it */
	mag_queue_fini(&self->service.jobs);
	printf("%d jobs taken, %d done, %d put back\n", self->service.taken, self->service.done, self->service.put_back);
	if (self->left || self->rc < 0 || mag_shutdown_fini(&self->service.down) < 0)
		MAG_RETURN(-EPROTO);
	MAG_RETURN(self->service.taken == self->service.done + self->service.put_back && self->service.done ? 0 : -EPROTO);
	MAG_END;
}

int main(void)
{
	int64_t rc = mag_run(NULL, serve);

	if (rc < 0)
		fprintf(stderr, "23_shutdown: %s %s\n", mag_strerror(rc), mag_runtime_why());
	return rc < 0;
}
