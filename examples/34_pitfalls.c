/* SPDX-License-Identifier: MIT */
/* 34_pitfalls.c - each mistake that debug mode tells of, made once; ends well when all were told. */
#include <errno.h>
#include <fcntl.h>
#include <magpie/magpie.h>
#include <pthread.h>
#include <stdio.h>
#include <time.h>

enum { CROWD = 1000 };

/* Reports come from any thread. */
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static int told[MAG_REPORT_KINDS];

static void report(const mag_report *r, void *ctx)
{
	(void)ctx;
	pthread_mutex_lock(&mutex);
	told[r->kind]++;
	printf("%s: %s\n", mag_report_name(r->kind), r->text);
	pthread_mutex_unlock(&mutex);
}

struct naps {
	mag_frame frame;
	MAG_ARGS(naps, uint64_t ns; int64_t result;);
	int64_t rc;
};

MAG_TASK(naps)
{
	MAG_BEGIN(naps);
	MAG_AWAIT(self->rc, mag_sleep, self->ns);
	MAG_RETURN(self->rc < 0 ? self->rc : self->result);
	MAG_END;
}

/* A call that blocks, where nothing may. */
struct blocks {
	mag_frame frame;
	MAG_NO_ARGS(blocks);
	int64_t rc;
};

MAG_TASK(blocks)
{
	static const struct timespec ms60 = { 0, 60 * 1000 * 1000 };

	MAG_BEGIN(blocks);
	MAG_AWAIT(self->rc, mag_sleep, MAG_MILLISECOND);
	nanosleep(&ms60, NULL);
	MAG_RETURN(self->rc);
	MAG_END;
}

/* MAG_GROUP_END is forgotten: the task that was to save something is cancelled. */
struct forgets_the_end {
	mag_frame frame;
	MAG_NO_ARGS(forgets_the_end);
	mag_group saving;
	int64_t rc;
};

MAG_TASK(forgets_the_end)
{
	MAG_BEGIN(forgets_the_end);
	MAG_GROUP_BEGIN(&self->saving);
	MAG_SPAWN(self->rc, &self->saving, naps, .ns = MAG_SECOND);
	MAG_AWAIT(self->rc, mag_sleep, MAG_MILLISECOND);
	MAG_RETURN(self->rc);
	MAG_END;
}

/* All are tried, and nobody looks which have failed. */
struct does_not_look {
	mag_frame frame;
	MAG_NO_ARGS(does_not_look);
	mag_group all;
	int64_t rc;
};

MAG_TASK(does_not_look)
{
	MAG_BEGIN(does_not_look);
	MAG_GROUP_BEGIN(&self->all, .policy = MAG_COLLECT);
	MAG_SPAWN(self->rc, &self->all, naps, .ns = MAG_MILLISECOND, .result = -ECONNREFUSED);
	MAG_SPAWN(self->rc, &self->all, naps, .ns = MAG_MILLISECOND);
	MAG_GROUP_END(self->rc, &self->all);
	MAG_RETURN(0);
	MAG_END;
}

struct never_awaits {
	mag_frame frame;
	MAG_NO_ARGS(never_awaits);
	mag_future saved;
};

MAG_TASK(never_awaits)
{
	MAG_BEGIN(never_awaits);
	mag_future_init(&self->saved);
	mag_future_complete(&self->saved, -ENOSPC);
	mag_future_fini(&self->saved);
	MAG_RETURN(0);
	MAG_END;
}

/* One way out without the unlock. */
struct keeps_the_lock {
	mag_frame frame;
	MAG_ARGS(keeps_the_lock, mag_mutex *mutex;);
	int64_t rc;
};

MAG_TASK(keeps_the_lock)
{
	MAG_BEGIN(keeps_the_lock);
	MAG_AWAIT(self->rc, mag_mutex_lock, self->mutex);
	MAG_RETURN(self->rc);
	MAG_END;
}

/* A task for each of them, at once. */
struct crowd {
	mag_frame frame;
	MAG_NO_ARGS(crowd);
	mag_group all;
	int64_t rc;
	int i;
};

MAG_TASK(crowd)
{
	MAG_BEGIN(crowd);
	MAG_GROUP_BEGIN(&self->all);
	for (self->i = 0; self->i < CROWD + 100; self->i++)
		MAG_SPAWN(self->rc, &self->all, naps, .ns = 20 * MAG_MILLISECOND);
	MAG_GROUP_END(self->rc, &self->all);
	MAG_RETURN(self->rc);
	MAG_END;
}

/* Waits for jobs, to the end of time. */
static mag_queue jobs;
static mag_event consumes = MAG_EVENT_INIT;

struct consumer {
	mag_frame frame;
	MAG_NO_ARGS(consumer);
	uint64_t job;
	int64_t rc;
};

MAG_TASK(consumer)
{
	MAG_BEGIN(consumer);
	mag_event_set(&consumes);
	do
		MAG_AWAIT(self->rc, mag_queue_pop, &jobs, &self->job);
	while (self->rc == 0);
	MAG_RETURN(0);
	MAG_END;
}

struct mistakes {
	mag_frame frame;
	MAG_NO_ARGS(mistakes);
	mag_group group;
	mag_mutex mutex;
	mag_fd leaked;
	int64_t rc;
};

MAG_TASK(mistakes)
{
	MAG_BEGIN(mistakes);
	MAG_CALL(self->rc, blocks);
	MAG_CALL(self->rc, forgets_the_end);
	MAG_CALL(self->rc, does_not_look);
	MAG_CALL(self->rc, never_awaits);
	mag_mutex_init(&self->mutex);
	MAG_GROUP_BEGIN(&self->group);
	MAG_SPAWN(self->rc, &self->group, keeps_the_lock, .mutex = &self->mutex);
	MAG_GROUP_END(self->rc, &self->group);
	MAG_CALL(self->rc, crowd);
	self->rc = mag_queue_init(&jobs, 8, sizeof(uint64_t));
	if (self->rc < 0)
		MAG_RETURN(self->rc);
	MAG_SPAWN(self->rc, mag_background(mag_runtime_current()), consumer);
	MAG_AWAIT(self->rc, mag_open, "/dev/null", O_RDONLY, 0, &self->leaked);
	MAG_AWAIT(self->rc, mag_event_wait, &consumes);
	MAG_AWAIT(self->rc, mag_sleep, 10 * MAG_MILLISECOND);
	MAG_RETURN(self->rc);
	MAG_END;
}

int main(void)
{
	const mag_debug_options debug = { .size = sizeof(debug), .stall_ns = 20 * MAG_MILLISECOND, .crowd = CROWD,
					  .report = report };
	const mag_runtime_options options = { .size = sizeof(options), .debug = &debug };
	int64_t rc = mag_run(&options, mistakes);
	int missed = 0;

	mag_queue_fini(&jobs);
	for (int kind = 0; kind < MAG_REPORT_KINDS; kind++) {
#ifndef MAGPIE_DEBUG
		if (kind == MAG_REPORT_LOCK) /* asks for a program that is compiled with it */
			continue;
#endif
		if (!told[kind]) {
			fprintf(stderr, "34_pitfalls: nobody has told of '%s'\n", mag_report_name(kind));
			missed++;
		}
	}
	if (rc < 0)
		fprintf(stderr, "34_pitfalls: %s %s\n", mag_strerror(rc), mag_runtime_why());
	return rc < 0 || missed;
}
