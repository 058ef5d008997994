/* SPDX-License-Identifier: MIT */
/* bench_cancel.c - a million operations, started and then cancelled: sleeps of an hour, and receives from sockets that
 * nobody writes to, every other one pinned, to each worker in turn. A round cancels its group when all its operations
 * are under way.
 *
 * It is done twice, the first time in short: after the second time the process must be as it was after the first. */
#include "cases.h"

#include <dirent.h>
#include <errno.h>
#include <magpie/future.h>
#include <magpie/impl/atomic.h>
#include <magpie/io.h>
#include <magpie/time.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tasks.h"

#define PER_ROUND 250
#define RECEIVES (PER_ROUND / 2) /* two files each: below the usual limit of 1024 */
#define WARM_UP 8                /* rounds */
#define PATIENCE_NS (20 * MAG_SECOND)
#define SLACK_BYTES (2 << 20) /* two bytes an operation; the slabs alone come in steps of 1 MiB */

/* What a round's operations share. */
struct batch {
	mag_future all; /* completed by the last that begins */
	int32_t left;   /* atomic: that have not begun */
	int64_t result[PER_ROUND];
};

static void begins(struct batch *b)
{
	if (magi_sub_ar(&b->left, 1) == 1) /* [left] */
		mag_future_complete(&b->all, 0);
}

struct doomed_sleep {
	mag_frame frame;
	MAG_ARGS(doomed_sleep, struct batch *batch; int i;);
};

static MAG_TASK(doomed_sleep)
{
	MAG_BEGIN(doomed_sleep);
	begins(self->batch);
	MAG_AWAIT(self->batch->result[self->i], mag_sleep, 3600 * MAG_SECOND);
	MAG_RETURN(0);
	MAG_END;
}

struct doomed_recv {
	mag_frame frame;
	MAG_ARGS(doomed_recv, struct batch *batch; int i; mag_fd fd;);
	char buf[64];
};

static MAG_TASK(doomed_recv)
{
	MAG_BEGIN(doomed_recv);
	begins(self->batch);
	MAG_AWAIT(self->batch->result[self->i], mag_recv, self->fd, self->buf, sizeof self->buf);
	MAG_RETURN(0);
	MAG_END;
}

/* What the case and its task share. */
struct plan {
	int64_t rounds;
	int socket[RECEIVES]; /* the runtime's from its start on; the case has the other ends */
	uint64_t ns;          /* all rounds */
	const char *fault;    /* the first thing that was not as it should be, or NULL */
	int64_t code;         /* and its number */
};

static void fault(struct plan *p, const char *what, int64_t code)
{
	if (p->fault)
		return;
	p->fault = what;
	p->code = code;
}

struct canceller {
	mag_frame frame;
	MAG_ARGS(canceller, struct plan *plan;);
	mag_group group;
	mag_stats before, warm, at_round, now;
	mag_fd fd[RECEIVES];
	struct batch batch;
	uint64_t start, deadline;
	int64_t round, rc, joined;
	uint32_t workers;
	int i, open;
};

static bool is_under_way(struct canceller *self)
{
	self->now = bench_tasks_stats();
	return self->now.timers == self->before.timers + PER_ROUND - RECEIVES &&
	       self->now.io >= self->at_round.io + RECEIVES;
}

static void check_round(struct canceller *self)
{
	if (self->rc < 0)
		fault(self->plan, "a round could not be started", self->rc);
	if (self->joined != MAG_ECANCELED)
		fault(self->plan, "a group ended with another code than cancelled", self->joined);
	for (int i = 0; i < PER_ROUND; i++)
		if (self->batch.result[i] != MAG_ECANCELED)
			fault(self->plan, "an operation ended with another code than cancelled", self->batch.result[i]);
}

static void check_end(struct canceller *self)
{
	self->now = bench_tasks_stats();
	if (self->now.fds != self->before.fds)
		fault(self->plan, "files left open in the runtime", (int64_t)(self->now.fds - self->before.fds));
	if (self->now.frames != self->before.frames)
		fault(self->plan, "frames left over", (int64_t)(self->now.frames - self->before.frames));
	if (self->now.timers != self->before.timers)
		fault(self->plan, "timers left over", (int64_t)(self->now.timers - self->before.timers));
	if (self->warm.size && self->now.bytes > self->warm.bytes + SLACK_BYTES)
		fault(self->plan, "bytes that the slabs grew by", (int64_t)(self->now.bytes - self->warm.bytes));
}

static void adopt_all(struct canceller *self)
{
	for (self->open = 0; self->open < RECEIVES; self->open++) {
		int rc = mag_fd_adopt(self->plan->socket[self->open], &self->fd[self->open]);

		if (rc < 0) {
			fault(self->plan, "a socket could not be adopted", rc);
			break;
		}
	}
}

static MAG_TASK(canceller)
{
	MAG_BEGIN(canceller);
	self->workers = mag_runtime_workers(mag_runtime_current());
	self->warm.size = 0;
	self->before = bench_tasks_stats();
	adopt_all(self);
	self->start = bench_now_ns();
	for (self->round = 0; self->round < self->plan->rounds && !self->plan->fault; self->round++) {
		self->at_round = bench_tasks_stats();
		if (self->round == WARM_UP)
			self->warm = self->at_round;
		self->batch.left = PER_ROUND;
		mag_future_init(&self->batch.all);
		MAG_GROUP_BEGIN(&self->group, .policy = MAG_COLLECT);
		for (self->i = 0, self->rc = 0; self->i < PER_ROUND && self->rc >= 0; self->i++) {
			self->batch.result[self->i] = 0;
			if (self->i < RECEIVES && self->i % 2) {
				MAG_SPAWN(self->rc, &self->group, doomed_recv, .batch = &self->batch, .i = self->i,
					  .fd = self->fd[self->i]);
			} else if (self->i < RECEIVES) {
				MAG_SPAWN_ON(self->rc, (uint32_t)self->i / 2 % self->workers, &self->group, doomed_recv,
					     .batch = &self->batch, .i = self->i, .fd = self->fd[self->i]);
			} else if (self->i % 2) {
				MAG_SPAWN(self->rc, &self->group, doomed_sleep, .batch = &self->batch, .i = self->i);
			} else {
				MAG_SPAWN_ON(self->rc, (uint32_t)self->i / 2 % self->workers, &self->group,
					     doomed_sleep, .batch = &self->batch, .i = self->i);
			}
		}
		if (self->rc >= 0)
			MAG_AWAIT(self->rc, mag_future_await, &self->batch.all);
		self->deadline = mag_deadline_in(PATIENCE_NS);
		while (self->rc >= 0 && !is_under_way(self) && mag_now() < self->deadline)
			MAG_YIELD(self->rc);
		mag_group_cancel(&self->group);
		MAG_GROUP_END(self->joined, &self->group);
		mag_future_fini(&self->batch.all);
		check_round(self);
	}
	self->plan->ns = bench_now_ns() - self->start;
	while (self->open--) {
		MAG_AWAIT(self->rc, mag_close, self->fd[self->open]);
		if (self->rc < 0)
			fault(self->plan, "a socket could not be closed", self->rc);
	}
	check_end(self);
	MAG_RETURN(0);
	MAG_END;
}

static int open_files(void)
{
	DIR *d = opendir("/proc/self/fd");
	int n = 0;

	if (!d)
		return -1;
	while (readdir(d))
		n++;
	closedir(d);
	return n;
}

static int run_plan(struct bench_run *r, struct plan *p)
{
	int other[RECEIVES], opened, rc = 0;

	for (opened = 0; opened < RECEIVES && !rc; opened++) {
		int pair[2] = { -1, -1 };

		if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair))
			rc = bench_fail(r, -errno, "no socket pair");
		p->socket[opened] = pair[0];
		other[opened] = pair[1];
	}
	if (!rc)
		rc = BENCH_TASKS(r, canceller, .plan = p);
	while (opened--)
		close(other[opened]);
	if (!rc && p->fault)
		rc = bench_fail(r, -EBADMSG, "%s: %lld (%s)", p->fault, (long long)p->code, mag_errname(p->code));
	return rc;
}

int bench_cancel(struct bench_run *r)
{
	struct plan warm_up = { .rounds = WARM_UP }, real = { .rounds = r->quick ? 40 : 1000000 / PER_ROUND };
	int files, files_after, rc = run_plan(r, &warm_up);
	uint64_t bytes, bytes_after;

	if (rc)
		return rc;
	files = open_files();
	bytes = bench_resident_bytes();
	rc = run_plan(r, &real);
	if (rc)
		return rc;
	files_after = open_files();
	bytes_after = bench_resident_bytes();
	if (files_after != files)
		return bench_fail(r, -EBADMSG, "%d files are open, not %d", files_after, files);
	if (bytes_after > bytes + SLACK_BYTES)
		return bench_fail(r, -EBADMSG, "%llu bytes of memory have not come back",
				  (unsigned long long)(bytes_after - bytes));
	r->value = (double)real.ns / (double)(real.rounds * PER_ROUND);
	return 0;
}
