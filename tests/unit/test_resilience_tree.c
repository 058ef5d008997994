/* SPDX-License-Identifier: MIT */
/* test_resilience_tree.c - what is said of a task that pauses before it tries again, and of one that has hedged a call. */
#include <errno.h>

#include "unit/tree_look.h"

struct failing {
	mag_frame frame;
	MAG_NO_ARGS(failing);
};

MAG_TASK(failing)
{
	MAG_BEGIN(failing);
	MAG_RETURN(-EAGAIN);
	MAG_END;
}

static const mag_retry_policy patient = MAG_RETRY_POLICY(.first_ns = 1000 * MAG_SECOND, .within_ns = MAG_NEVER,
							 .jitter = MAG_JITTER_NONE);

struct pausing {
	mag_frame frame;
	MAG_ARGS(pausing, bool block;);
	mag_retry retry;
	int64_t rc;
};

MAG_TASK(pausing)
{
	MAG_BEGIN(pausing);
	if (self->block) {
		MAG_RETRY_BEGIN_BY(&self->retry, &patient);
		MAG_RETRY_END(self->rc, &self->retry, -EAGAIN);
	} else {
		MAG_RETRY(self->rc, &self->retry, &patient, failing);
	}
	NEED(self->rc == MAG_ECANCELED);
	MAG_RETURN(0);
	MAG_END;
}

static const mag_hedge_policy twice = MAG_HEDGE_POLICY(.after_ns = 1);

struct hedging {
	mag_frame frame;
	MAG_NO_ARGS(hedging);
	mag_hedge hedge;
	int64_t rc;
};

MAG_TASK(hedging)
{
	MAG_BEGIN(hedging);
	MAG_HEDGE(self->rc, &self->hedge, &twice, sleeper);
	MAG_RETURN(0);
	MAG_END;
}

struct scenery {
	mag_frame frame;
	MAG_ARGS(scenery, const struct line *lines;);
	mag_group group;
	int64_t rc;
};

MAG_TASK(scenery)
{
	MAG_BEGIN(scenery);
	MAG_GROUP_BEGIN(&self->group, .policy = MAG_COLLECT);
	MAG_SPAWN(self->rc, &self->group, pausing);
	MAG_SPAWN(self->rc, &self->group, pausing, .block = true);
	MAG_SPAWN(self->rc, &self->group, hedging);
	MAG_SPAWN(self->rc, &self->group, looker, .lines = self->lines, .group = &self->group);
	MAG_GROUP_END(self->rc, &self->group);
	NEED(mag_group_errors(&self->group, NULL) == 0);
	MAG_RETURN(0);
	MAG_END;
}

static void shows(const struct line *lines)
{
	int64_t rc = RUN(2, scenery, .lines = lines);

	cr_assert_eq(rc, 0, "%s", where(rc));
}

Test(resilience_tree, who_pauses_is_said_to, .timeout = 30)
{
	shows((struct line[]){ { 2, "pausing: MAG_RETRY,", "test_resilience_tree.c:" }, END });
	shows((struct line[]){ { 2, "pausing: MAG_RETRY_END,", "test_resilience_tree.c:" }, END });
}

Test(resilience_tree, attempts_of_a_hedged_call_are_shown_under_it, .timeout = 30)
{
	shows((struct line[]){ { 2, "hedging: MAG_HEDGE", "test_resilience_tree.c:" },
			       { 3, "group &self->hedge, 2 tasks", "test_resilience_tree.c:" },
			       { 4, "sleeper: mag_sleep", "tree_look.h:" },
			       END });
}
