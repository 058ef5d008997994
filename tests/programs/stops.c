/* SPDX-License-Identifier: MIT */
/* stops.c - a program for script.lifecycle: says that it is ready and waits for signals.
 *
 *	stops drain|slow|stuck|late|fork
 *
 * drain: ends half a second after the first one. slow: when it is cancelled. stuck: never. late: never, but the end has a
 * limit. fork: a child gets a signal that the parent has opened. */
#include <errno.h>
#include <magpie/magpie.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#if defined(MAGI_TSAN)
enum { CHILD_LISTENS = 0 }; /* ThreadSanitizer allows a forked child no thread of its own */
#else
enum { CHILD_LISTENS = 1 };
#endif

struct worker {
	mag_frame frame;
	MAG_ARGS(worker, struct mag_shutdown *down; const char *how;);
	struct mag_shutdown_part part;
	mag_scope shield;
	int64_t rc, why;
};

MAG_TASK(worker)
{
	MAG_BEGIN(worker);
	MAG_SHUTDOWN_JOIN(self->down, &self->part, MAG_SHUTDOWN_WORK, "worker");
	printf("ready\n");
	fflush(stdout);
	MAG_AWAIT(self->rc, mag_event_wait, mag_shutdown_event(self->down));
	printf("told\n");
	fflush(stdout);
	if (!strcmp(self->how, "drain"))
		MAG_AWAIT(self->rc, mag_sleep, 500 * MAG_MILLISECOND);
	if (!strcmp(self->how, "slow"))
		MAG_AWAIT(self->rc, mag_sleep, MAG_NEVER);
	if (!strcmp(self->how, "stuck") || !strcmp(self->how, "late")) {
		MAG_SHIELD(&self->shield, 20 * MAG_SECOND);
		MAG_AWAIT(self->rc, mag_sleep, MAG_NEVER);
		MAG_SCOPE_END(self->why, &self->shield);
	}
	printf("%s\n", self->rc == 0 ? "finished" : "cancelled");
	fflush(stdout);
	MAG_SHUTDOWN_LEAVE(self->why, &self->part);
	MAG_RETURN(0);
	MAG_END;
}

struct stops {
	mag_frame frame;
	MAG_ARGS(stops, struct mag_shutdown *down; const char *how;);
	mag_group group;
	int64_t rc, left;
};

MAG_TASK(stops)
{
	MAG_BEGIN(stops);
	MAG_GROUP_BEGIN(&self->group);
	MAG_SPAWN(self->rc, &self->group, worker, .down = self->down, .how = self->how);
	MAG_CALL(self->left, mag_shutdown_run, .shutdown = self->down);
	if (self->left)
		_exit(3); /* it has said who is left */
	MAG_GROUP_END(self->rc, &self->group);
	MAG_RETURN(self->rc);
	MAG_END;
}

/* What the child has a copy of is closed; its own receivers get what comes to it. */
static bool child_listens(mag_signal *parents)
{
	mag_signal own;

	if (mag_signal_try_next(parents) != MAG_ECLOSED || mag_signal_close(parents) != 0)
		return false;
	if (mag_signal_open(&own, SIGUSR1) < 0)
		return false;
	raise(SIGUSR1);
	for (uint64_t end = mag_deadline_in(5 * MAG_SECOND); mag_signal_try_next(&own) == -EAGAIN && mag_now() < end;)
		sched_yield(); /* another thread brings it */
	return own.came == 1 && mag_signal_close(&own) == 1;
}

/* A child that was forked has none who listens: the signal does what it does to others. */
static int fork_one(void)
{
	mag_signal signals;
	int status = 0;
	pid_t child;

	if (mag_signal_open(&signals, SIGTERM, SIGUSR1) < 0)
		return 1;
	child = fork();
	if (child == 0) {
		if (CHILD_LISTENS && !child_listens(&signals))
			_exit(8);
		raise(SIGTERM);
		_exit(9);
	}
	if (child < 0 || waitpid(child, &status, 0) != child)
		return 1;
	raise(SIGUSR1);
	while (mag_signal_try_next(&signals) != SIGUSR1)
		sched_yield();
	mag_signal_close(&signals);
	return WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM ? 0 : 1;
}

int main(int argc, char **argv)
{
	struct mag_shutdown_options options = { .size = sizeof(options) };
	struct mag_shutdown down;
	int64_t rc;

	if (argc != 2)
		return 2;
	if (!strcmp(argv[1], "fork"))
		return fork_one();
	if (!strcmp(argv[1], "slow"))
		options.drain_ns = 100 * MAG_SECOND; /* that it ends before is the second signal's doing */
	if (!strcmp(argv[1], "late"))
		options.drain_ns = options.cancel_ns = 50 * MAG_MILLISECOND;
	mag_shutdown_init(&down, &options);
	if (mag_shutdown_on_signals(&down, SIGINT, SIGTERM) < 0)
		return 2;
	rc = mag_run(NULL, stops, .down = &down, .how = argv[1]);
	if (rc < 0)
		fprintf(stderr, "stops: %s %s\n", mag_strerror(rc), mag_runtime_why());
	return rc == MAG_EBACKEND ? 77 : rc < 0;
}
