/* SPDX-License-Identifier: MIT */
/* test_shutdown_leave.c - who leaves an end in stages while others are told of it, and whose the memory is then. */
#include <magpie/magpie.h>
#include <magpie/sim.h>

#include "support/matrix.h"
#include "unit/again.h"
#include "unit/play.h"

/* "Shutdown walks a set that finishing tasks change": they leave, and come, while others are told. */

enum { CROWD = 60 };

struct comer {
	mag_frame frame;
	MAG_ARGS(comer, struct mag_shutdown *down; int i; uint32_t * over;);
	struct mag_shutdown_part part;
	mag_scope scope;
	int64_t rc, why;
};

MAG_TASK(comer)
{
	MAG_BEGIN(comer);
	MAG_SHUTDOWN_JOIN(self->down, &self->part, (enum mag_shutdown_stage)(self->i % 3), "comer");
	if (self->i % 4) {
		MAG_WITH_TIMEOUT(&self->scope, (uint64_t)(self->i % 16) * MAG_MICROSECOND);
		MAG_AWAIT(self->rc, mag_sleep, MAG_NEVER);
		MAG_SCOPE_END(self->why, &self->scope);
	} else {
		MAG_AWAIT(self->rc, mag_sleep, MAG_NEVER);
		NEED(self->rc == MAG_ECANCELED);
	}
	magi_add_rlx(self->over, 1u); /* [stat] */
	if (self->i % 8 == 3)
		MAG_RETURN(0); /* the end of the frame leaves for it */
	MAG_SHUTDOWN_LEAVE(self->why, &self->part);
	memset(&self->part, 0xa5, sizeof(self->part));
	MAG_RETURN(0);
	MAG_END;
}

struct crowd {
	mag_frame frame;
	MAG_NO_ARGS(crowd);
	struct mag_shutdown down;
	mag_group group;
	int64_t rc, left;
	uint32_t over;
	int i;
};

MAG_TASK(crowd)
{
	MAG_BEGIN(crowd);
	self->over = 0;
	NEED(mag_shutdown_init(&self->down, NULL) == 0);
	MAG_GROUP_BEGIN(&self->group);
	for (self->i = 0; self->i < CROWD; self->i++) {
		MAG_SPAWN(self->rc, &self->group, comer, .down = &self->down, .i = self->i, .over = &self->over);
		if (self->i == CROWD / 2)
			mag_shutdown_begin(&self->down);
		if (self->i == CROWD - 10)
			mag_shutdown_hurry(&self->down);
	}
	MAG_CALL(self->left, mag_shutdown_run, .shutdown = &self->down);
	MAG_GROUP_END(self->rc, &self->group);
	NEED(self->rc == 0 && self->left == 0 && self->over == CROWD);
	NEED(mag_shutdown_count(&self->down, NULL, 0) == 0);
	NEED(mag_shutdown_fini(&self->down) == 0);
	MAG_RETURN(0);
	MAG_END;
}

ROUNDS_OF(crowds, crowd)

Test(shutdown_leave, those_that_leave_while_others_are_told_are_left_alone, .timeout = 60)
{
	int64_t rc = RUN(4, crowds, .rounds = 200 / PLAY_SLOWDOWN);

	cr_assert_eq(rc, 0, "%s", where(rc));
	SIMULATED(crowd);
}

/* Once run has returned the memory is the caller's, although another has not returned from the begin yet. */

struct begins {
	mag_frame frame;
	MAG_ARGS(begins, struct mag_shutdown *down; bool hurries;);
};

MAG_TASK(begins)
{
	MAG_BEGIN(begins);
	if (self->hurries)
		mag_shutdown_hurry(self->down);
	else
		mag_shutdown_begin(self->down);
	MAG_RETURN(0);
	MAG_END;
}

struct reuses {
	mag_frame frame;
	MAG_ARGS(reuses, bool hurries;);
	struct mag_shutdown down;
	mag_group group;
	int64_t rc, left;
};

static bool is_blank(const struct mag_shutdown *down)
{
	static const struct mag_shutdown blank;

	return memcmp(down, &blank, sizeof(blank)) == 0;
}

MAG_TASK(reuses)
{
	MAG_BEGIN(reuses);
	NEED(mag_shutdown_init(&self->down, NULL) == 0);
	MAG_GROUP_BEGIN(&self->group);
	MAG_SPAWN(self->rc, &self->group, begins, .down = &self->down, .hurries = self->hurries);
	MAG_CALL(self->left, mag_shutdown_run, .shutdown = &self->down);
	NEED(self->left == 0);
	memset(&self->down, 0, sizeof(self->down));
	MAG_GROUP_END(self->rc, &self->group);
	NEED(is_blank(&self->down));
	MAG_RETURN(0);
	MAG_END;
}

Test(shutdown_leave, memory_is_the_callers_when_run_has_returned, .timeout = 60)
{
	for (uint64_t seed = 0; seed < 400 / PLAY_SLOWDOWN; seed++)
		cr_assert_eq(mag_sim_run(seed, NULL, reuses, .hurries = seed % 2), 0, "seed %d", (int)seed);
}
