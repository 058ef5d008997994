/* SPDX-License-Identifier: MIT */
/* sim_run.c - simulated runs, one process each. */
#include "sim_run.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { AT_ONCE_MAX = 64, REPEAT_EVERY = 64 };

struct slot {
	struct sim_outcome outcome; /* written by the process */
	uint64_t seed;
	pid_t pid; /* 0: free */
};

static void be_silent(void)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (null < 0)
		return;
	dup2(null, STDOUT_FILENO);
	dup2(null, STDERR_FILENO);
}

static int start(const struct sim_job *job, uint64_t seed, struct slot *slot)
{
	pid_t pid, parent = getpid();

	memset(&slot->outcome, 0, sizeof(slot->outcome));
	slot->seed = seed;
	fflush(NULL);
	pid = fork();
	if (pid) {
		slot->pid = pid > 0 ? pid : 0; /* not in the child: the memory is shared */
		return pid > 0 ? 0 : -errno;
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL); /* it does not outlive the search */
	if (getppid() != parent)
		_exit(1);
	if (job->options.quiet)
		be_silent();
	slot->outcome.rc = MAG_ESIM; /* unless the run comes to its end */
	snprintf(slot->outcome.result.failure, sizeof(slot->outcome.result.failure), "the program ended its process");
	alarm(job->seconds);
	slot->outcome.rc = magi_sim_run(seed, &job->options, &slot->outcome.result, job->program);
	fflush(NULL);
	_exit(0);
}

/* The process of this slot has ended. */
static void finish(struct slot *slot, int status)
{
	struct sim_outcome *o = &slot->outcome;

	slot->pid = 0;
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return;
	o->rc = MAG_ESIM;
	if (WIFEXITED(status))
		snprintf(o->result.failure, sizeof(o->result.failure), "the process ended with status %d",
			 WEXITSTATUS(status));
	else if (WTERMSIG(status) == SIGALRM)
		snprintf(o->result.failure, sizeof(o->result.failure), "took too long: a step that does not end?");
	else
		snprintf(o->result.failure, sizeof(o->result.failure), "crashed: %s", strsignal(WTERMSIG(status)));
}

/* Memory that child processes write to. */
static struct slot *map_slots(unsigned n)
{
	void *p = mmap(NULL, n * sizeof(struct slot), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	return p == MAP_FAILED ? NULL : p;
}

static int wait_for(pid_t pid, int *status)
{
	pid_t got;

	do
		got = waitpid(pid, status, 0);
	while (got < 0 && errno == EINTR);
	return got;
}

int sim_run_one(const struct sim_job *job, uint64_t seed, struct sim_outcome *outcome)
{
	struct slot *slot = map_slots(1);
	int status = 0, rc;

	if (!slot)
		return -ENOMEM;
	rc = start(job, seed, slot);
	if (rc == 0) {
		rc = wait_for(slot->pid, &status) < 0 ? -errno : 0;
		finish(slot, status);
		*outcome = slot->outcome;
	}
	munmap(slot, sizeof(*slot));
	return rc;
}

/* A run that is not the same the second time is of no use: some are made twice. */
static void repeat(const struct sim_job *job, struct slot *slot)
{
	struct sim_outcome *o = &slot->outcome, again;

	if (slot->seed % REPEAT_EVERY || o->rc < 0 || sim_run_one(job, slot->seed, &again) < 0)
		return;
	if (again.rc >= 0 && again.result.hash == o->result.hash)
		return;
	o->rc = MAG_ESIM;
	snprintf(o->result.failure, sizeof(o->result.failure),
		 "it does not repeat itself: it looks at real time, addresses, or other things outside the simulation");
}

/* Waits for one process to end. 1: it had failed, 0: it had not, -errno: there is none to wait for. */
static int reap(const struct sim_job *job, struct slot *slots, unsigned n, uint64_t *failed)
{
	for (;;) {
		int status = 0;
		pid_t pid = wait_for(-1, &status);

		if (pid < 0)
			return -errno;
		for (unsigned i = 0; i < n; i++) {
			if (slots[i].pid != pid)
				continue;
			finish(&slots[i], status);
			repeat(job, &slots[i]);
			if (slots[i].outcome.rc >= 0)
				return 0;
			if (slots[i].seed < *failed)
				*failed = slots[i].seed;
			return 1;
		}
	}
}

int sim_run_many(const struct sim_job *job, uint64_t first, uint64_t n, unsigned at_once, void (*tick)(uint64_t done),
		 uint64_t *failed)
{
	struct slot *slots = map_slots(AT_ONCE_MAX);
	uint64_t next = first, done = 0;
	unsigned running = 0;
	bool found = false;
	int rc = 0;

	if (!slots)
		return -ENOMEM;
	at_once = at_once < AT_ONCE_MAX ? at_once : AT_ONCE_MAX;
	*failed = UINT64_MAX;
	while (running || (rc == 0 && !found && next - first < n)) {
		struct slot *slot = slots;

		if (rc < 0 || found || next - first >= n || running == at_once) {
			int bad = reap(job, slots, at_once, failed);

			if (bad < 0) {
				rc = bad;
				break;
			}
			found |= bad;
			running--;
			done++;
			tick(done);
			continue;
		}
		while (slot->pid)
			slot++;
		rc = start(job, next, slot);
		if (rc == 0) {
			next++;
			running++;
		}
	}
	munmap(slots, AT_ONCE_MAX * sizeof(*slots));
	return rc < 0 ? rc : found;
}
