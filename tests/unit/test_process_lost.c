/* SPDX-License-Identifier: MIT */
/* test_process_lost.c - src/process: a child process is not left behind, whatever is cancelled, refused, or done by others. */
#include <fcntl.h>
#include <magpie/sim.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/fault.h"
#include "unit/play.h"
#include "unit/process.h"

/* Cancelled in the middle, at many places; and each piece of memory refused in its turn. Nothing is left behind. */

struct cut {
	mag_frame frame;
	MAG_ARGS(cut, uint64_t after;);
	struct mag_process_output_text text;
	mag_scope scope;
	int64_t rc, why;
};

MAG_TASK(cut)
{
	MAG_BEGIN(cut);
	MAG_WITH_TIMEOUT(&self->scope, self->after);
	MAG_AWAIT(self->rc, mag_process_output, OPTIONS(.argv = SH("cat; sleep 0.01; exit 2"), .grace_ns = MAG_MILLISECOND),
		  "hello", 5, 100, &self->text);
	MAG_SCOPE_END(self->why, &self->scope);
	NEED(self->rc == 2 || self->rc == MAG_ECANCELED);
	mag_process_output_free(&self->text);
	MAG_RETURN(self->rc == 2 ? 0 : 1);
	MAG_END;
}

Test(process, that_is_cancelled_at_any_time_is_not_left_behind, .timeout = 120)
{
	int64_t rc = 1;

	/* in steps that grow: on a busy machine it may take long */
	for (uint64_t after = 0; rc == 1; after += 500 * MAG_MICROSECOND + after / 20) {
		rc = RUN(2, cut, .after = after);
		cr_assert_geq(rc, 0, "%s", where(rc));
		check(0);
		cr_assert_lt(after, 30 * MAG_SECOND);
	}
}

/* Each piece of memory, and each thread, refused in its turn. */

struct poor {
	mag_frame frame;
	MAG_ARGS(poor, uint64_t n;);
	struct mag_process_output_text text;
	int64_t rc;
};

MAG_TASK(poor)
{
	MAG_BEGIN(poor);
	magi_fault_set(MAGI_FAULT_MEMORY, self->n, ENOMEM);
	MAG_AWAIT(self->rc, mag_process_output, OPTIONS(.argv = SH("cat; exit 2"), .cwd = "/"), "hello", 5, 100, &self->text);
	magi_fault_clear();
	NEED(self->rc == 2 || self->rc == -ENOMEM || self->rc == -EAGAIN);
	NEED(self->rc != 2 || !strcmp(self->text.out, "hello"));
	mag_process_output_free(&self->text);
	MAG_RETURN(self->rc == 2 ? 0 : 1);
	MAG_END;
}

Test(process, is_not_left_behind_when_memory_is_out, .timeout = 120)
{
	int refused = 0;

	for (uint64_t n = 1; n <= 20; n++) {
		int64_t rc = RUN(1, poor, .n = n);

		cr_assert_geq(rc, 0, "%s", where(rc));
		refused += rc == 1;
		check(0);
	}
	cr_assert_geq(refused, 4); /* the copy, twice; the thread; what is kept */
}

/* As many descriptors as are wanted, less and less so. */

struct few {
	mag_frame frame;
	MAG_ARGS(few, int room;);
	mag_process p;
	struct rlimit before;
	int64_t rc;
};

static void limit_files(struct rlimit *before, int room)
{
	struct rlimit lim;
	int next = dup(0);

	close(next);
	getrlimit(RLIMIT_NOFILE, before);
	lim = *before;
	lim.rlim_cur = (rlim_t)(next + room);
	setrlimit(RLIMIT_NOFILE, &lim);
}

MAG_TASK(few)
{
	MAG_BEGIN(few);
	limit_files(&self->before, self->room);
	MAG_AWAIT(self->rc, mag_process_spawn, &self->p,
		  OPTIONS(.argv = ARGV("true"), .in = MAG_STDIO_PIPE, .out = MAG_STDIO_PIPE, .err = MAG_STDIO_OUT, .cwd = "/"));
	setrlimit(RLIMIT_NOFILE, &self->before);
	NEED(self->rc == 0 || self->rc == -EMFILE);
	if (self->rc < 0)
		MAG_RETURN(1);
	MAG_AWAIT(self->rc, mag_process_end, &self->p);
	MAG_RETURN(0);
	MAG_END;
}

Test(process, is_not_left_behind_when_descriptors_are_out, .timeout = 60)
{
	int refused = 0;

	for (int room = 0; room < 12; room++) {
		int64_t rc = RUN(1, few, .room = room);

		cr_assert_geq(rc, 0, "%s", where(rc));
		refused += rc == 1;
		check(0);
	}
	cr_assert(refused >= 5 && refused < 12, "%d", refused);
}

/* The program has made the system reap its children: how they end is not known, but nothing hangs or is killed by mistake. */

struct unknown {
	mag_frame frame;
	MAG_NO_ARGS(unknown);
	mag_process p;
	int64_t rc;
};

MAG_TASK(unknown)
{
	MAG_BEGIN(unknown);
	MAG_AWAIT(self->rc, mag_process_spawn, &self->p, OPTIONS(.argv = ARGV("true")));
	NEED(self->rc == 0 || self->rc == -ECHILD);
	if (self->rc == 0) {
		MAG_AWAIT(self->rc, mag_process_wait, &self->p);
		NEED(self->rc == -ECHILD);
		MAG_AWAIT(self->rc, mag_process_end, &self->p);
		NEED(self->rc == -ECHILD);
	}
	MAG_AWAIT(self->rc, mag_process_spawn, &self->p, OPTIONS(.argv = ARGV("sleep", "100")));
	NEED(self->rc == 0);
	MAG_AWAIT(self->rc, mag_process_end, &self->p);
	NEED(self->rc == -ECHILD);
	MAG_RETURN(0);
	MAG_END;
}

Test(process, that_somebody_else_reaps_is_over_all_the_same, .timeout = 60)
{
	signal(SIGCHLD, SIG_IGN);
	for (int i = 0; i < 30; i++)
		check(RUN(2, unknown));
}
