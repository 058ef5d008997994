/* SPDX-License-Identifier: MIT */
/* test_tree_shapes.c - src/task/tree.c, src/task/seen.c: tasks in all the ways in which they may wait. */
#include <fcntl.h>
#include <magpie/sim.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "unit/tree_look.h"

enum { DEEP = 12 };

struct deep {
	mag_frame frame;
	MAG_ARGS(deep, int n;);
	int64_t rc;
};

MAG_TASK(deep)
{
	MAG_BEGIN(deep);
	if (self->n > 0)
		MAG_CALL(self->rc, deep, .n = self->n - 1);
	else
		MAG_AWAIT(self->rc, mag_sleep, MAG_NEVER);
	MAG_RETURN(0);
	MAG_END;
}

/* Cancelled, and still at something that is not cut short. */
struct shielded {
	mag_frame frame;
	MAG_ARGS(shielded, mag_event *over;);
	mag_scope scope, shield;
	int64_t rc;
};

MAG_TASK(shielded)
{
	MAG_BEGIN(shielded);
	MAG_SCOPE_BEGIN(&self->scope);
	MAG_AWAIT(self->rc, mag_sleep, MAG_MILLISECOND);
	mag_scope_cancel(&self->scope);
	MAG_SHIELD(&self->shield, 100 * MAG_SECOND);
	MAG_AWAIT(self->rc, mag_event_wait, self->over);
	MAG_SCOPE_END(self->rc, &self->shield);
	MAG_SCOPE_END(self->rc, &self->scope);
	MAG_RETURN(0);
	MAG_END;
}

struct in_scope {
	mag_frame frame;
	MAG_ARGS(in_scope, bool other;);
	mag_scope a, b;
	int64_t rc;
};

MAG_TASK(in_scope)
{
	MAG_BEGIN(in_scope);
	if (self->other) {
		MAG_SCOPE_BEGIN(&self->b);
		MAG_CALL(self->rc, sleeper);
		MAG_SCOPE_END(self->rc, &self->b);
	} else {
		MAG_SCOPE_BEGIN(&self->a);
		MAG_CALL(self->rc, sleeper);
		MAG_SCOPE_END(self->rc, &self->a);
	}
	MAG_RETURN(0);
	MAG_END;
}

struct waits {
	mag_frame frame;
	MAG_ARGS(waits, mag_mutex *mutex;);
	int64_t rc;
};

MAG_TASK(waits)
{
	MAG_BEGIN(waits);
	MAG_AWAIT(self->rc, mag_mutex_lock, self->mutex);
	if (self->rc == 0)
		mag_mutex_unlock(self->mutex);
	MAG_RETURN(0);
	MAG_END;
}

struct runs {
	mag_frame frame;
	MAG_NO_ARGS(runs);
	mag_event never;
	int64_t rc;
};

MAG_TASK(runs)
{
	MAG_BEGIN(runs);
	MAG_AWAIT(self->rc, mag_sleep, MAG_MILLISECOND);
	do {
		MAG_YIELD(self->rc);
	} while (self->rc == 0);
	MAG_RETURN(0);
	MAG_END;
}

struct shapes {
	mag_frame frame;
	MAG_ARGS(shapes, const struct line *lines;);
	mag_group group;
	mag_event over;
	mag_mutex mutex;
	mag_handle handle[3];
	int64_t rc;
	int i;
};

MAG_TASK(shapes)
{
	MAG_BEGIN(shapes);
	mag_mutex_init(&self->mutex);
	mag_event_init(&self->over);
	NEED(mag_mutex_try_lock(&self->mutex) == 0);
	MAG_GROUP_BEGIN(&self->group, .policy = MAG_COLLECT);
	for (self->i = 0; self->i < 2; self->i++)
		MAG_SPAWN(self->rc, &self->group, deep, .n = DEEP);
	MAG_SPAWN(self->rc, &self->group, shielded, .over = &self->over);
	for (self->i = 0; self->i < 4; self->i++)
		MAG_SPAWN(self->rc, &self->group, in_scope, .other = self->i == 3);
	MAG_SPAWN(self->rc, &self->group, waits, .mutex = &self->mutex);
	MAG_SPAWN(self->rc, &self->group, runs);
	for (self->i = 0; self->i < 3; self->i++)
		MAG_SPAWN_AS(self->rc, &self->handle[self->i], &self->group, in_scope, .other = false);
	MAG_CALL(self->rc, looker, .lines = self->lines, .group = &self->group);
	mag_mutex_unlock(&self->mutex);
	mag_event_set(&self->over);
	MAG_GROUP_END(self->rc, &self->group);
	mag_event_fini(&self->over);
	mag_mutex_fini(&self->mutex);
	MAG_RETURN(0);
	MAG_END;
}

static void shows(const struct line *lines)
{
	int64_t rc = RUN(2, shapes, .lines = lines);

	cr_assert_eq(rc, 0, "%s", where(rc));
}

Test(tree_shapes, a_chain_that_is_too_long_shows_its_ends, .timeout = 30)
{
	shows((struct line[]){ { 2, "deep: calls deep", "test_tree_shapes.c:" }, { 3, "... 5 calls", "" },
			       { 10, "deep: mag_sleep", "" }, END });
	shows((struct line[]){ { 10, "deep: mag_sleep", "" }, { 2, "... and 1 more like it", "" }, END });
}

Test(tree_shapes, who_sleeps_for_ever_has_no_time_left, .timeout = 30)
{
	shows((struct line[]){ { 10, "deep: mag_sleep", "ms  test_tree_shapes.c:" }, END });
}

Test(tree_shapes, a_cancelled_scope_and_a_shield_say_so, .timeout = 30)
{
	shows((struct line[]){ { 2, "shielded: mag_event_wait", "" },
			       { 3, "scope &self->scope", ", cancelled" },
			       { 4, "shield &self->shield", "ends in 9" }, END });
}

Test(tree_shapes, those_in_other_scopes_are_others, .timeout = 30)
{
	shows((struct line[]){ { 2, "in_scope: calls sleeper", "" }, { 4, "scope &self->a", "" },
			       { 2, "... and 5 more like it", "" }, END });
	shows((struct line[]){ { 2, "in_scope: calls sleeper", "" }, { 4, "scope &self->b", "" }, END });
}

Test(tree_shapes, a_holder_that_has_never_waited_has_no_name, .timeout = 30)
{
	shows((struct line[]){ { 2, "waits: mag_mutex_lock, held by", "test_tree_shapes.c:" }, END });
}

Test(tree_shapes, who_runs_is_told_by_what_it_did_last, .timeout = 30)
{
	shows((struct line[]){ { 2, "runs: ", "test_tree_shapes.c:" }, END });
}

/* On the only worker, so that nobody else takes what is counted. */
struct poor {
	mag_frame frame;
	MAG_NO_ARGS(poor);
};

MAG_TASK(poor)
{
	MAG_BEGIN(poor);
	magi_fault_plan(1, 0);
	NEED(mag_runtime_dump(mag_runtime_current(), -1) == -ENOMEM);
	for (uint64_t n = 2; n <= 3; n++) {
		const char *text;

		magi_fault_plan(n, 0);
		text = dump(mag_runtime_current());
		cr_assert(strstr(text, "no memory to look at the tasks") && strstr(text, "worker 0: "), "%s", text);
	}
	magi_fault_plan(0, 0);
	NEED(mag_runtime_dump(mag_runtime_current(), -1) == -EBADF);
	MAG_RETURN(0);
	MAG_END;
}

Test(tree_shapes, without_memory_it_says_what_it_can, .timeout = 30)
{
	int64_t rc = RUN(1, poor);

	cr_assert_eq(rc, 0, "%s", where(rc));
}

/* In a simulation. */

#if defined(MAGI_ASAN)
void __lsan_disable(void);
#endif

struct stuck {
	mag_frame frame;
	MAG_NO_ARGS(stuck);
	mag_group group;
	mag_mutex mutex;
	int64_t rc;
	int i;
};

MAG_TASK(stuck)
{
	MAG_BEGIN(stuck);
	mag_mutex_init(&self->mutex);
	MAG_AWAIT(self->rc, mag_mutex_lock, &self->mutex);
	MAG_GROUP_BEGIN(&self->group);
	for (self->i = 0; self->i < 3; self->i++)
		MAG_SPAWN(self->rc, &self->group, waits, .mutex = &self->mutex);
	MAG_GROUP_END(self->rc, &self->group);
	MAG_RETURN(0);
	MAG_END;
}

Test(tree_shapes, a_simulation_that_is_stuck_tells_who_waits_and_how_to_run_it_again, .timeout = 30)
{
	static char text[TEXT];
	mag_sim_options options = { .size = sizeof(options), .workers = 2, .max_faults = 3, .max_preemptions = 4,
				    .max_steps = 100000 };
	int before = dup(STDERR_FILENO), fd = memfd_create("stderr", MFD_CLOEXEC);
	int64_t rc;
	ssize_t n;

#if defined(MAGI_ASAN)
	__lsan_disable(); /* a run that is broken off leaves what its threads hold */
#endif
	dup2(fd, STDERR_FILENO);
	rc = mag_sim_run(7, &options, stuck);
	fflush(stderr);
	dup2(before, STDERR_FILENO);
	n = pread(fd, text, sizeof(text) - 1, 0);
	text[n > 0 ? n : 0] = 0;
	cr_assert_lt(rc, 0);
	cr_assert(strstr(text, "deadlock: everybody waits"), "%s", text);
	cr_assert(strstr(text, "waits: mag_mutex_lock, held by stuck [1]  test_tree_shapes.c:"), "%s", text);
	cr_assert(strstr(text, "... and 2 more like it\n"), "%s", text);
	cr_assert(strstr(text, "MAGPIE_SIM=seed=0x7,workers=2,"), "%s", text);
	cr_assert(strstr(text, ",max-faults=3,max-preemptions=4,max-steps=100000 "), "%s", text);
	close(fd);
}
