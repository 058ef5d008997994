/* SPDX-License-Identifier: MIT */
/* test_process_end.c - src/process/process.c: a process is signalled while another task waits for it, and is ended however
 * deep its task is. */
#include <errno.h>
#include <magpie/magpie.h>
#include <sys/wait.h>

#include "support/matrix.h"
#include "unit/play.h"

static const char *const sleeps[] = { "sleep", "1000", NULL };

static void check(int64_t rc)
{
	cr_assert_eq(rc, 0, "%s", where(rc));
	cr_assert_eq(waitpid(-1, NULL, WNOHANG), -1); /* no zombie either */
	cr_assert_eq(errno, ECHILD);
}

/* Signals while a wait reaps. */

struct pest {
	mag_frame frame;
	MAG_ARGS(pest, mag_process *process; uint32_t *began;);
	int64_t rc;
	int sent;
};

MAG_TASK(pest)
{
	MAG_BEGIN(pest);
	while ((self->rc = mag_process_signal(self->process, self->sent++ == 100 ? SIGKILL : 0)) == 0)
		MAG_YIELD(self->rc);
	NEED(self->rc == -ESRCH);
	MAG_RETURN(0);
	MAG_END;
}

struct pestered {
	mag_frame frame;
	MAG_ARGS(pestered, bool group;);
	struct mag_process_options options;
	mag_process p;
	mag_group tasks;
	int64_t rc;
};

MAG_TASK(pestered)
{
	MAG_BEGIN(pestered);
	self->options = (struct mag_process_options){ .size = sizeof(self->options), .argv = sleeps,
						      .own_group = self->group };
	MAG_AWAIT(self->rc, mag_process_spawn, &self->p, &self->options);
	NEED(self->rc == 0);
	MAG_GROUP_BEGIN(&self->tasks);
	MAG_SPAWN_ON(self->rc, 1, &self->tasks, pest, .process = &self->p);
	MAG_AWAIT(self->rc, mag_process_wait, &self->p);
	NEED(mag_process_signaled(self->rc) == SIGKILL);
	MAG_GROUP_END(self->rc, &self->tasks);
	NEED(self->rc == 0);
	MAG_AWAIT(self->rc, mag_process_end, &self->p);
	NEED(mag_process_signaled(self->rc) == SIGKILL);
	MAG_RETURN(0);
	MAG_END;
}

/* Tried: the status read and written plainly (ThreadSanitizer). */
Test(process_end, is_signalled_while_a_wait_reaps, .timeout = 60)
{
	for (int i = 0; i < 10; i++)
		check(RUN(2, pestered, .group = i % 2));
}

/* However deep. */

struct deep {
	mag_frame frame;
	MAG_ARGS(deep, mag_process *process; int scopes, shields;);
	mag_scope scope;
	int64_t rc;
};

MAG_TASK(deep)
{
	MAG_BEGIN(deep);
	if (self->scopes + self->shields == 0) {
		MAG_AWAIT(self->rc, mag_process_end, self->process);
		NEED(mag_process_signaled(self->rc) == SIGTERM);
		MAG_RETURN(0);
	}
	if (self->scopes)
		MAG_SCOPE_BEGIN(&self->scope);
	else
		MAG_SHIELD(&self->scope, MAG_NEVER);
	MAG_CALL(self->rc, deep, .process = self->process, .scopes = self->scopes - !!self->scopes,
		 .shields = self->shields - !self->scopes);
	NEED(self->rc == 0);
	MAG_SCOPE_END(self->rc, &self->scope);
	NEED(self->rc == 0 || self->rc == MAG_EDEPTH);
	MAG_RETURN(0);
	MAG_END;
}

struct ends_deep {
	mag_frame frame;
	MAG_ARGS(ends_deep, int scopes, shields;);
	struct mag_process_options options;
	mag_process p;
	int64_t rc;
};

MAG_TASK(ends_deep)
{
	MAG_BEGIN(ends_deep);
	self->options = (struct mag_process_options){ .size = sizeof(self->options), .argv = sleeps,
						      .grace_ns = 1000 * MAG_SECOND };
	MAG_AWAIT(self->rc, mag_process_spawn, &self->p, &self->options);
	NEED(self->rc == 0);
	MAG_CALL(self->rc, deep, .process = &self->p, .scopes = self->scopes, .shields = self->shields);
	MAG_RETURN(self->rc);
	MAG_END;
}

/* Tried: MAG_SHIELD and MAG_WITH_DEADLINE (it asks whether the process has ended again and again, in vain). */
Test(process_end, waits_for_it_however_deep, .timeout = 60)
{
	check(RUN(2, ends_deep, .scopes = MAG_SCOPE_DEPTH_MAX - 1));
	check(RUN(2, ends_deep, .scopes = MAG_SCOPE_DEPTH_MAX));
	check(RUN(2, ends_deep, .scopes = MAG_SCOPE_DEPTH_MAX + 5));
	check(RUN(2, ends_deep, .shields = MAG_SHIELD_DEPTH_MAX));
	check(RUN(2, ends_deep, .shields = MAG_SHIELD_DEPTH_MAX + 5));
}
