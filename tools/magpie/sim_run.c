/* SPDX-License-Identifier: MIT */
/* sim_run.c - simulated runs, in processes of their own.
 *
 * What:    many seeds share a process, one after the other, until one fails; that one is then run alone, in a fresh one.
 *          To fork took longer than a short run. The last seed of each process is run alone as well: what comes out
 *          differently the second time is of no use.
 * Always:  what is told as failed has failed alone: where the seeds of a process disturb one another, each gets its own. */
#include "sim_run.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { AT_ONCE_MAX = 64, TOGETHER_MAX = 64, REPEAT_EVERY = 64, HEAP_KEPT = 32 << 20 };

/* A process; it writes here. */
struct slot {
	struct sim_outcome outcome; /* of the run under way, or the last */
	uint64_t first, n;          /* seeds */
	uint64_t seed;              /* under way */
	bool crashed;               /* by a signal */
	pid_t pid;                  /* 0: free */
};

static void be_silent(void)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (null < 0)
		return;
	dup2(null, STDOUT_FILENO);
	dup2(null, STDERR_FILENO);
}

static void run_seeds(const struct sim_job *job, struct slot *slot)
{
	struct sim_outcome *o = &slot->outcome;

	for (uint64_t i = 0; i < slot->n; i++) {
		slot->seed = slot->first + i;
		o->result = (mag_sim_result){ 0 };
		o->rc = MAG_ESIM; /* unless the run comes to its end */
		snprintf(o->result.failure, sizeof(o->result.failure), "the program ended its process");
		alarm(job->seconds);
		o->rc = magi_sim_run(slot->seed, &job->options, &o->result, sizeof(o->result), job->program);
		if (o->rc < 0) /* and left behind what it had */
			break;
	}
}

static int start(const struct sim_job *job, uint64_t first, uint64_t n, struct slot *slot)
{
	pid_t pid, parent = getpid();

	*slot = (struct slot){ .first = first, .n = n };
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
	mallopt(M_TRIM_THRESHOLD, HEAP_KEPT); /* or each run takes its pages from the kernel anew */
	mallopt(M_TOP_PAD, HEAP_KEPT);
	run_seeds(job, slot);
	fflush(NULL);
	_exit(0);
}

/* The process of this slot has ended. */
static void finish(struct slot *slot, int status)
{
	struct sim_outcome *o = &slot->outcome;

	slot->pid = 0;
	slot->crashed = WIFSIGNALED(status) && WTERMSIG(status) != SIGALRM;
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
	rc = start(job, seed, 1, slot);
	if (rc == 0) {
		rc = wait_for(slot->pid, &status) < 0 ? -errno : 0;
		finish(slot, status);
		*outcome = slot->outcome;
	}
	munmap(slot, sizeof(*slot));
	return rc;
}

/* Many runs. */

struct search {
	const struct sim_job *job;
	struct slot *slots;
	unsigned at_once, running;
	uint64_t next, end, done;
	uint64_t together; /* seeds a process */
	uint64_t failed;   /* the lowest */
};

static bool are_equal(const struct sim_outcome *a, const struct sim_outcome *b)
{
	return a->rc == b->rc && a->result.hash == b->result.hash;
}

/* The seeds of a process, each alone. 1: one fails. */
static int run_apart(struct search *s, const struct slot *slot)
{
	struct sim_outcome outcome;

	s->together = 1;
	for (uint64_t seed = slot->first; seed < slot->first + slot->n; seed++) {
		int rc = sim_run_one(s->job, seed, &outcome);

		if (rc < 0)
			return rc;
		if (outcome.rc < 0) {
			s->failed = seed < s->failed ? seed : s->failed;
			return 1;
		}
	}
	return 0;
}

/* What a process came to, which has ended: 1: a seed of it fails, 0: none does. */
static int judge(struct search *s, const struct slot *slot)
{
	struct sim_outcome alone, again;
	int rc;

	if (slot->n == 1 && slot->outcome.rc >= 0 && slot->seed % REPEAT_EVERY)
		return 0;
	rc = sim_run_one(s->job, slot->seed, &alone);
	if (rc < 0)
		return rc;
	if (!are_equal(&alone, &slot->outcome)) {
		rc = sim_run_one(s->job, slot->seed, &again);
		if (rc < 0)
			return rc;
		if (alone.rc >= 0 && are_equal(&alone, &again) &&
		    !slot->crashed) { /* seeds before it had left something */
			if (s->together > 1)
				fprintf(stderr,
					"magpie sim: a run leaves something to the next: a process each from now on\n");
			return run_apart(s, slot);
		}
		if (alone.rc >= 0 && slot->crashed)
			fprintf(stderr,
				"magpie sim: seed %#" PRIx64 " %s after those from %#" PRIx64
				" in its process, and not alone: one of them has broken something\n",
				slot->seed, slot->outcome.result.failure, slot->first);
	}
	if (alone.rc >= 0 && are_equal(&alone, &slot->outcome))
		return 0;
	s->failed = slot->seed < s->failed ? slot->seed : s->failed;
	return 1;
}

static struct slot *free_slot(struct search *s)
{
	struct slot *slot = s->slots;

	while (slot->pid)
		slot++;
	return slot;
}

static int start_next(struct search *s)
{
	uint64_t left = s->end - s->next, n = left < s->together ? left : s->together;
	int rc = start(s->job, s->next, n, free_slot(s));

	if (rc < 0)
		return rc;
	s->next += n;
	s->running++;
	return 0;
}

/* Waits for one process to end. 1: a seed of it fails, 0: none does, -errno. */
static int reap(struct search *s)
{
	for (;;) {
		int status = 0;
		pid_t pid = wait_for(-1, &status);

		if (pid < 0)
			return -errno;
		for (unsigned i = 0; i < s->at_once; i++) {
			struct slot *slot = &s->slots[i];

			if (slot->pid != pid)
				continue;
			finish(slot, status);
			s->running--;
			s->done += slot->n;
			return judge(s, slot);
		}
	}
}

int sim_run_many(const struct sim_job *job, uint64_t first, uint64_t n, unsigned at_once, void (*tick)(uint64_t done),
		 uint64_t *failed)
{
	struct search s = { .job = job, .next = first, .end = first + n, .failed = UINT64_MAX };
	int rc = 0;

	s.slots = map_slots(AT_ONCE_MAX);
	if (!s.slots)
		return -ENOMEM;
	s.at_once = at_once < AT_ONCE_MAX ? at_once : AT_ONCE_MAX;
	s.together = n / (4 * s.at_once);
	s.together = s.together < 1 ? 1 : s.together > TOGETHER_MAX ? TOGETHER_MAX : s.together;
	while (rc >= 0 && (s.running || (rc == 0 && s.next < s.end))) {
		int bad;

		if (rc == 0 && s.next < s.end && s.running < s.at_once) {
			rc = start_next(&s);
			continue;
		}
		bad = reap(&s);
		tick(s.done);
		if (bad < 0 || rc == 0) /* that one fails stays known */
			rc = rc > 0 ? rc : bad;
	}
	munmap(s.slots, AT_ONCE_MAX * sizeof(*s.slots));
	*failed = s.failed;
	return rc;
}
