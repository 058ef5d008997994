/* SPDX-License-Identifier: MIT */
/* cancelled.c - operations that are begun and then cancelled, very many: cancelled OPERATIONS SECONDS
 *
 * A quarter each: receives from sockets that nobody writes to, sleeps of an hour, pops from an empty queue, jobs that wait
 * for the one thread of their lane, which is taken. A round cancels its group when all its operations are under way, or,
 * every other one, when the last has just begun. Each must say that it was cancelled, and no job may have run. In the
 * end the runtime has as many files, frames and timers as before, and the process as much memory as after the first rounds.
 *
 * Says how many it did: OPERATIONS, or as many as fit in SECONDS. */
#include <errno.h>
#include <magpie/future.h>
#include <magpie/impl/atomic.h>
#include <magpie/magpie.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RECV, SLEEP, POP, JOB, KINDS };
enum { EACH = 50, PER_ROUND = EACH * KINDS, WARM_UP = 50 /* rounds */ };
#define PATIENCE_NS (30 * MAG_SECOND)
#define SLACK_KIB 4096 /* the slabs come in steps of 1 MiB */

struct plan {
	uint64_t operations, done;
	uint64_t until;   /* seconds from the start; from then on a time */
	sem_t gate;       /* what the lane's thread waits for */
	uint32_t jobs;    /* atomic [stat]: that have run */
	const char *fault; /* the first thing that was not as it should be */
	int64_t code;
};

struct batch {
	struct plan *plan;
	mag_future all; /* completed by the last that begins */
	int32_t left;   /* atomic: that have not begun */
	mag_fd fd[EACH];
	mag_queue queue;
	int64_t result[PER_ROUND];
};

static void fault(struct plan *p, const char *what, int64_t code)
{
	if (p->fault)
		return;
	p->fault = what;
	p->code = code;
}

static int64_t count_job(void *arg)
{
	magi_add_rlx(&((struct plan *)arg)->jobs, 1); /* [stat] */
	return 0;
}

static int64_t keep_thread(void *arg)
{
	while (sem_wait(arg))
		;
	return 0;
}

struct blocker {
	mag_frame frame;
	MAG_ARGS(blocker, sem_t *gate;);
	int64_t rc;
};

static MAG_TASK(blocker)
{
	MAG_BEGIN(blocker);
	MAG_AWAIT(self->rc, mag_offload, MAG_BLOCKING, keep_thread, self->gate);
	MAG_RETURN(self->rc);
	MAG_END;
}

struct doomed {
	mag_frame frame;
	MAG_ARGS(doomed, struct batch *batch; int i;);
	int64_t rc;
	char buf[64];
};

static MAG_TASK(doomed)
{
	MAG_BEGIN(doomed);
	if (magi_sub_ar(&self->batch->left, 1) == 1) /* [left] */
		mag_future_complete(&self->batch->all, 0);
	switch (self->i % KINDS) {
	case RECV:
		MAG_AWAIT(self->rc, mag_recv, self->batch->fd[self->i / KINDS], self->buf, sizeof self->buf);
		break;
	case SLEEP:
		MAG_AWAIT(self->rc, mag_sleep, 3600 * MAG_SECOND);
		break;
	case POP:
		MAG_AWAIT(self->rc, mag_queue_pop, &self->batch->queue, self->buf);
		break;
	default:
		MAG_AWAIT(self->rc, mag_offload, MAG_BLOCKING, count_job, self->batch->plan);
	}
	self->batch->result[self->i] = self->rc;
	MAG_RETURN(0);
	MAG_END;
}

static mag_stats stats_now(void)
{
	mag_stats s = { .size = sizeof s };

	mag_runtime_stats(mag_runtime_current(), &s);
	return s;
}

static long resident_kib(void)
{
	FILE *f = fopen("/proc/self/smaps_rollup", "re");
	char line[128];
	long kib = 0;

	while (f && fgets(line, sizeof line, f))
		if (sscanf(line, "Rss: %ld kB", &kib) == 1)
			break;
	if (f)
		fclose(f);
	return kib;
}

struct run {
	mag_frame frame;
	MAG_ARGS(run, struct plan *plan;);
	mag_group blockers, group;
	mag_stats before, at_round;
	mag_fd other[EACH];
	struct batch batch;
	uint64_t deadline;
	int64_t round, rc, joined;
	long warm_kib, kib;
	int i;
};

static void open_all(struct run *r)
{
	mag_fd pair[2];

	r->rc = mag_queue_init(&r->batch.queue, 1, sizeof(uint64_t));
	for (r->i = 0; r->i < EACH && r->rc >= 0; r->i++) {
		r->rc = mag_socket_pair(SOCK_STREAM, pair);
		r->batch.fd[r->i] = pair[0];
		r->other[r->i] = pair[1];
	}
}

static bool is_under_way(struct run *r)
{
	mag_stats now = stats_now();

	/* who waits in the queue is not told; those who began after them are */
	return now.timers >= r->before.timers + EACH && now.io >= r->at_round.io + EACH && now.jobs_queued >= EACH;
}

static void check_round(struct run *r)
{
	if (r->rc < 0)
		fault(r->plan, "a round could not be started", r->rc);
	if (r->joined < 0 && r->joined != MAG_ECANCELED)
		fault(r->plan, "a group ended with another code", r->joined);
	for (int i = 0; i < PER_ROUND; i++)
		if (r->batch.result[i] != MAG_ECANCELED)
			fault(r->plan, "an operation ended with another code than cancelled", r->batch.result[i]);
	r->plan->done += PER_ROUND;
}

static void check_end(struct run *r)
{
	mag_stats now = stats_now();

	if (now.fds != r->before.fds)
		fault(r->plan, "files left open", (int64_t)(now.fds - r->before.fds));
	if (now.frames != r->before.frames)
		fault(r->plan, "frames left over", (int64_t)(now.frames - r->before.frames));
	if (now.timers != r->before.timers)
		fault(r->plan, "timers left over", (int64_t)(now.timers - r->before.timers));
	if (now.jobs_queued || magi_load_rlx(&r->plan->jobs)) /* [stat] */
		fault(r->plan, "jobs left over, or run", (int64_t)now.jobs_queued);
	if (r->warm_kib && r->kib > r->warm_kib + SLACK_KIB)
		fault(r->plan, "KiB that have not come back", r->kib - r->warm_kib);
	printf("%ld KiB after the first rounds, %ld KiB after the last\n", r->warm_kib, r->kib);
}

MAG_TASK(run)
{
	MAG_BEGIN(run);
	self->plan->until = mag_deadline_in(self->plan->until * MAG_SECOND);
	self->warm_kib = 0;
	self->before = stats_now();
	open_all(self);
	if (self->rc < 0)
		MAG_RETURN(self->rc);
	self->batch.plan = self->plan;
	MAG_GROUP_BEGIN(&self->blockers, .policy = MAG_COLLECT);
	MAG_SPAWN(self->rc, &self->blockers, blocker, .gate = &self->plan->gate);
	for (self->i = 0; self->i == 0 || (stats_now().jobs_running == 0 && self->rc >= 0); self->i = 1)
		MAG_YIELD(self->rc);
	for (self->round = 0; self->plan->done < self->plan->operations && mag_now() < self->plan->until &&
			      !self->plan->fault;
	     self->round++) {
		if (self->round == WARM_UP)
			self->warm_kib = resident_kib();
		self->at_round = stats_now();
		self->batch.left = PER_ROUND;
		mag_future_init(&self->batch.all);
		MAG_GROUP_BEGIN(&self->group, .policy = MAG_COLLECT);
		for (self->i = 0, self->rc = 0; self->i < PER_ROUND && self->rc >= 0; self->i++) {
			self->batch.result[self->i] = 0;
			MAG_SPAWN(self->rc, &self->group, doomed, .batch = &self->batch, .i = self->i);
		}
		if (self->rc >= 0)
			MAG_AWAIT(self->rc, mag_future_await, &self->batch.all);
		self->deadline = mag_deadline_in(PATIENCE_NS);
		while (self->rc >= 0 && self->round % 2 && !is_under_way(self) && mag_now() < self->deadline)
			MAG_YIELD(self->rc);
		if (mag_now() >= self->deadline)
			fault(self->plan, "a round's operations are not under way in time", self->round);
		mag_group_cancel(&self->group);
		MAG_GROUP_END(self->joined, &self->group);
		mag_future_fini(&self->batch.all);
		check_round(self);
	}
	self->kib = resident_kib();
	sem_post(&self->plan->gate);
	MAG_GROUP_END(self->joined, &self->blockers);
	for (self->i = 0; self->i < EACH; self->i++) {
		MAG_AWAIT(self->rc, mag_close, self->batch.fd[self->i]);
		MAG_AWAIT(self->rc, mag_close, self->other[self->i]);
	}
	if (mag_queue_fini(&self->batch.queue) < 0)
		fault(self->plan, "somebody still waits in the queue", 0);
	check_end(self);
	MAG_RETURN(0);
	MAG_END;
}

int main(int argc, char **argv)
{
	const mag_runtime_options o = { .size = sizeof o, .workers = 2, .blocking_max = 1 };
	struct plan p = { 0 };
	int64_t rc;

	if (argc != 3) {
		fprintf(stderr, "usage: cancelled OPERATIONS SECONDS\n");
		return 2;
	}
	p.operations = strtoull(argv[1], NULL, 0);
	p.until = strtoull(argv[2], NULL, 0);
	sem_init(&p.gate, 0, 0);
	rc = mag_run(&o, run, .plan = &p);
	printf("%llu operations cancelled\n", (unsigned long long)p.done);
	if (rc < 0)
		fprintf(stderr, "cancelled: %s %s\n", mag_strerror(rc), mag_runtime_why());
	if (p.fault)
		fprintf(stderr, "cancelled: %s: %lld %s\n", p.fault, (long long)p.code, mag_errname(p.code));
	return rc < 0 || p.fault;
}
