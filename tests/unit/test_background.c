/* SPDX-License-Identifier: MIT */
/* test_background.c - src/life/background.c, keeper.c: tasks by name, what is told of their failures, when they are started
 * again, and that none of them is lost. */
#include <errno.h>
#include <magpie/magpie.h>
#include <magpie/sim.h>

#include "support/matrix.h"
#include "unit/again.h"
#include "unit/play.h"

#define TASK(...)                                                                                       \
	(&(struct mag_background_task){ .size = sizeof(struct mag_background_task), ##__VA_ARGS__ })
#define OPTIONS(...) \
	(&(struct mag_background_options){ .size = sizeof(struct mag_background_options), ##__VA_ARGS__ })

/* Fails so many times, each time after a while, then goes on until it is cancelled, or ends. */
struct plan {
	uint64_t takes;
	uint32_t failures;
	bool stays;
	uint32_t begun, ended; /* atomic */
	uint64_t at[32];       /* when it was begun */
};

struct job {
	mag_frame frame;
	MAG_ARGS(job, struct plan *plan;);
	int64_t rc;
	uint32_t turn;
};

enum { JOB_LINE = __LINE__ + 8 };

MAG_TASK(job)
{
	MAG_BEGIN(job);
	self->turn = magi_add_rlx(&self->plan->begun, 1u); /* [stat] */
	if (self->turn < 32)
		self->plan->at[self->turn] = mag_now();
	MAG_AWAIT(self->rc, mag_sleep, self->turn < self->plan->failures || !self->plan->stays ? self->plan->takes : MAG_NEVER);
	magi_add_rlx(&self->plan->ended, 1u); /* [stat] */
	if (self->rc < 0)
		MAG_RETURN(self->rc);
	MAG_RETURN(self->turn < self->plan->failures ? -EPIPE : 0);
	MAG_END;
}

/* What was told of failures. */
struct told {
	uint32_t n, given_up;
	struct mag_background_failure last;
	uint64_t delays[32];
};

static void note(void *ctx, const struct mag_background_failure *f)
{
	struct told *t = ctx;

	t->delays[t->n < 32 ? t->n : 31] = f->delay_ns;
	t->n++;
	t->given_up += f->given_up;
	t->last = *f;
}

struct restarts {
	mag_frame frame;
	MAG_NO_ARGS(restarts);
	struct mag_background b;
	struct mag_background_info info[2];
	struct mag_background_stats stats;
	struct told told;
	struct plan plan;
	int64_t rc, id;
};

/* Fails three times, then stays. */
MAG_TASK(restarts)
{
	MAG_BEGIN(restarts);
	self->told = (struct told){ 0 };
	self->plan = (struct plan){ .takes = MAG_SECOND, .failures = 3, .stays = true };
	NEED(mag_background_init(&self->b, NULL, OPTIONS(.failed = note, .ctx = &self->told)) == 0);
	self->id = mag_background_start(&self->b, TASK(.name = "job", .restart = MAG_RESTART_ON_FAILURE, .delay_ns = MAG_SECOND,
						       .delay_max_ns = 3 * MAG_SECOND),
					job, .plan = &self->plan);
	NEED(self->id == 1);
	MAG_AWAIT(self->rc, mag_sleep, MAG_SECOND + 500 * MAG_MILLISECOND);
	NEED(mag_background_list(&self->b, self->info, 2) == 1);
	NEED(self->info[0].state == MAG_BACKGROUND_WAITS && self->info[0].id == 1 && !strcmp(self->info[0].name, "job"));
	NEED(self->info[0].code == -EPIPE && self->info[0].since <= mag_now());
	NEED(self->told.n == 1 && self->told.last.code == -EPIPE && self->told.last.again && !self->told.last.given_up);
	NEED(self->told.last.site && !strcmp(self->told.last.site->func, "job_step"));
	NEED(self->told.last.site->line == JOB_LINE);
	NEED(self->told.last.delay_ns == MAG_SECOND);
	MAG_AWAIT(self->rc, mag_sleep, 20 * MAG_SECOND);
	/* 1 s of work each, and delays of 1, 2 and 3 s */
	NEED(self->told.n == 3 && self->told.delays[1] == 2 * MAG_SECOND && self->told.delays[2] == 3 * MAG_SECOND);
	NEED(self->plan.at[3] - self->plan.at[0] >= 9 * MAG_SECOND && self->plan.at[3] - self->plan.at[0] < 10 * MAG_SECOND);
	NEED(mag_background_list(&self->b, self->info, 1) == 1);
	NEED(self->info[0].state == MAG_BACKGROUND_RUNS && self->info[0].restarts == 3);
	NEED(mag_background_cancel_name(&self->b, "other") == 0);
	NEED(mag_background_cancel_name(&self->b, NULL) == 0);
	NEED(mag_background_cancel_name(&self->b, "job") == 1);
	NEED(mag_background_cancel_name(&self->b, "job") == 0);
	MAG_AWAIT(self->rc, mag_background_wait, &self->b);
	NEED(self->rc == 0 && self->plan.begun == 4 && self->plan.ended == 4 && self->told.n == 3);
	mag_background_stats(&self->b, &self->stats);
	NEED(self->stats.started == 1 && self->stats.ended == 1 && self->stats.failures == 3);
	NEED(self->stats.restarts == 3 && self->stats.given_up == 0);
	NEED(mag_background_fini(&self->b) == 0);
	MAG_RETURN(0);
	MAG_END;
}

Test(background, what_fails_is_told_of_and_started_again_with_growing_delays, .timeout = 60)
{
	SIMULATED(restarts);
}

struct gives_up {
	mag_frame frame;
	MAG_ARGS(gives_up, int how;);
	struct mag_background b;
	struct mag_background_stats stats;
	struct told told;
	struct plan plan;
	int64_t rc, id;
};

enum { TOO_OFTEN, ALWAYS, NEVER, FOR_EVER, ANEW };

MAG_TASK(gives_up)
{
	MAG_BEGIN(gives_up);
	self->told = (struct told){ 0 };
	self->plan = (struct plan){ .takes = MAG_MILLISECOND, .failures = self->how == ALWAYS ? 0 : 100 };
	if (self->how == ANEW) /* it runs well for longer than the window each time */
		self->plan.takes = 11 * MAG_SECOND;
	NEED(mag_background_init(&self->b, NULL, OPTIONS(.failed = note, .ctx = &self->told)) == 0);
	self->id = mag_background_start(&self->b,
					TASK(.restart = self->how == NEVER    ? MAG_RESTART_NEVER
							: self->how == ALWAYS ? MAG_RESTART_ALWAYS
									      : MAG_RESTART_ON_FAILURE,
					     .restarts_max = self->how == FOR_EVER ? UINT32_MAX : 0,
					     .delay_max_ns = self->how == FOR_EVER ? MAG_MILLISECOND : 0),
					job, .plan = &self->plan);
	NEED(self->id > 0);
	MAG_AWAIT(self->rc, mag_background_wait_until, &self->b, mag_deadline_in(300 * MAG_SECOND));
	mag_background_stats(&self->b, &self->stats);
	switch (self->how) {
	case TOO_OFTEN:
		NEED(self->rc == 0 && self->plan.begun == 6 && self->told.n == 6 && self->told.given_up == 1);
		NEED(self->stats.given_up == 1 && self->stats.restarts == 5 && self->stats.failures == 6);
		NEED(self->told.last.given_up && !self->told.last.again);
		break;
	case ALWAYS: /* it returns 0 each time: no failure, but too often */
		NEED(self->rc == 0 && self->plan.begun == 6 && self->told.n == 1 && self->told.given_up == 1);
		NEED(self->told.last.code == 0 && self->stats.failures == 0);
		break;
	case NEVER:
		NEED(self->rc == 0 && self->plan.begun == 1 && self->told.n == 1 && !self->told.given_up);
		break;
	case FOR_EVER:
		NEED(self->rc == 0 && self->plan.begun == 101 && self->told.n == 100);
		break;
	default:
		NEED(self->rc == MAG_ETIMEDOUT && self->told.n >= 20 && self->told.given_up == 0);
		NEED(self->told.delays[10] == 100 * MAG_MILLISECOND);
		NEED(mag_background_stop(&self->b) == 1);
		MAG_AWAIT(self->rc, mag_background_wait_until, &self->b, MAG_NEVER);
		NEED(self->rc == 0);
	}
	MAG_AWAIT(self->rc, mag_background_wait_until, &self->b, 1);
	NEED(self->rc == 0);
	NEED(mag_background_fini(&self->b) == 0);
	MAG_RETURN(0);
	MAG_END;
}

Test(background, that_fails_too_often_is_given_up, .timeout = 60)
{
	SIMULATED(gives_up, .how = TOO_OFTEN);
}

Test(background, that_ends_too_often_is_given_up, .timeout = 60)
{
	SIMULATED(gives_up, .how = ALWAYS);
}

Test(background, is_not_started_again_unless_asked_for, .timeout = 60)
{
	SIMULATED(gives_up, .how = NEVER);
}

Test(background, is_started_again_without_bounds_where_asked_for, .timeout = 60)
{
	SIMULATED(gives_up, .how = FOR_EVER);
}

Test(background, that_ran_well_for_long_begins_with_the_short_delay, .timeout = 60)
{
	SIMULATED(gives_up, .how = ANEW);
}

/* A shutdown cancels them, by name, in their stage. */

struct in_shutdown {
	mag_frame frame;
	MAG_NO_ARGS(in_shutdown);
	struct mag_shutdown down;
	struct mag_background b;
	struct plan plan;
	const char *names[3];
	int64_t rc;
	int i;
};

MAG_TASK(in_shutdown)
{
	MAG_BEGIN(in_shutdown);
	self->plan = (struct plan){ .stays = true };
	NEED(mag_shutdown_init(&self->down, NULL) == 0);
	NEED(mag_background_init(&self->b, NULL, OPTIONS(.shutdown = &self->down, .stage = MAG_SHUTDOWN_LAST)) == 0);
	for (self->i = 0; self->i < 3; self->i++)
		NEED(mag_background_start(&self->b, TASK(.restart = MAG_RESTART_ALWAYS), job, .plan = &self->plan) == self->i + 1);
	MAG_AWAIT(self->rc, mag_sleep, MAG_SECOND);
	NEED(mag_shutdown_count(&self->down, self->names, 3) == 3 && !strcmp(self->names[2], "job"));
	mag_shutdown_begin(&self->down);
	MAG_CALL(self->rc, mag_shutdown_run, .shutdown = &self->down);
	NEED(self->rc == 0 && self->down.report.finished == 3);
	MAG_AWAIT(self->rc, mag_background_wait, &self->b);
	NEED(self->rc == 0 && self->plan.ended == 3 && self->plan.begun == 3);
	NEED(mag_background_fini(&self->b) == 0 && mag_shutdown_fini(&self->down) == 0);
	MAG_RETURN(0);
	MAG_END;
}

Test(background, is_cancelled_and_awaited_by_a_shutdown, .timeout = 60)
{
	SIMULATED(in_shutdown);
}

/* Starts, cancels by id and name, stops: all at once, from all workers. None is lost, each has run. */

enum { CROWD = 40 };

/* Failures come from all workers at once. */
static void count_told(void *ctx, const struct mag_background_failure *f)
{
	(void)f;
	magi_add_rlx((uint32_t *)ctx, 1u); /* [stat] */
}

struct crowd {
	mag_frame frame;
	MAG_NO_ARGS(crowd);
	struct mag_background b;
	struct mag_background_stats stats;
	struct plan plan;
	mag_scope scope;
	int64_t rc, id, why;
	uint32_t started, cancelled;
	uint32_t told; /* atomic */
	int i;
};

MAG_TASK(crowd)
{
	MAG_BEGIN(crowd);
	self->started = self->cancelled = self->told = 0;
	self->plan = (struct plan){ .takes = MAG_MICROSECOND, .failures = 7, .stays = true };
	NEED(mag_background_init(&self->b, NULL, OPTIONS(.failed = count_told, .ctx = &self->told)) == 0);
	for (self->i = 0; self->i < CROWD; self->i++) {
		self->id = mag_background_start(&self->b,
						TASK(.name = self->i % 2 ? "odd" : "even", .restart = MAG_RESTART_ON_FAILURE,
						     .delay_ns = MAG_MICROSECOND),
						job, .plan = &self->plan);
		NEED(self->id == self->i + 1);
		self->started++;
		if (self->i % 4 == 1)
			self->cancelled += mag_background_cancel(&self->b, (uint64_t)self->id);
		if (self->i == CROWD / 2)
			self->cancelled += mag_background_cancel_name(&self->b, "odd");
		if (self->i % 8 == 0)
			MAG_YIELD(self->rc);
	}
	MAG_WITH_TIMEOUT(&self->scope, MAG_MICROSECOND);
	MAG_AWAIT(self->rc, mag_background_wait, &self->b);
	MAG_SCOPE_END(self->why, &self->scope);
	NEED(self->rc == MAG_ECANCELED || self->rc == 0);
	self->cancelled += mag_background_stop(&self->b);
	NEED(mag_background_start(&self->b, NULL, job, .plan = &self->plan) == MAG_ECLOSED);
	MAG_AWAIT(self->rc, mag_background_wait, &self->b);
	NEED(self->rc == 0);
	mag_background_stats(&self->b, &self->stats);
	NEED(self->stats.started == CROWD && self->stats.ended == CROWD && self->cancelled <= CROWD);
	NEED(self->told == self->stats.failures);
	NEED(self->plan.begun >= CROWD && self->plan.begun == self->plan.ended);
	NEED(self->plan.begun == CROWD + self->stats.restarts);
	NEED(mag_background_fini(&self->b) == 0);
	memset(&self->b, 0xa5, sizeof(self->b));
	MAG_RETURN(0);
	MAG_END;
}

ROUNDS_OF(crowds, crowd)

Test(background, each_runs_from_its_beginning_and_all_are_awaited, .timeout = 60)
{
	int64_t rc = RUN(4, crowds, .rounds = 100 / PLAY_SLOWDOWN);

	cr_assert_eq(rc, 0, "%s", where(rc));
	SIMULATED(crowd);
}

/* Wrong use, limits, and the words of a failure where nobody listens. */

struct edges {
	mag_frame frame;
	MAG_NO_ARGS(edges);
	struct mag_background b;
	struct plan plan;
	mag_scope scope;
	int64_t rc;
};

MAG_TASK(edges)
{
	MAG_BEGIN(edges);
	self->plan = (struct plan){ .stays = true };
	NEED(mag_background_init(&self->b, NULL, &(struct mag_background_options){ .size = 3 }) == -EINVAL);
	NEED(mag_background_init(&self->b, NULL, OPTIONS(.limit = 1)) == 0);
	NEED(mag_background_start(&self->b, &(struct mag_background_task){ .size = 1 }, job, .plan = NULL) == -EINVAL);
	NEED(mag_background_start(&self->b, TASK(.restart = (enum mag_restart)3), job, .plan = NULL) == -EINVAL);
	NEED(mag_background_start(&self->b, NULL, job, .plan = &self->plan) == 1);
	NEED(mag_background_start(&self->b, NULL, job, .plan = &self->plan) == -EBUSY);
	NEED(mag_background_cancel(&self->b, 0) == 0);
	NEED(mag_background_cancel(&self->b, 7) == 0);
	NEED(mag_background_cancel(&self->b, 1) == 1);
	MAG_AWAIT(self->rc, mag_background_wait, &self->b);
	NEED(self->rc == 0 && self->plan.begun == 1);
	self->plan = (struct plan){ .failures = 5 };
	NEED(mag_background_start(&self->b, TASK(.delay_ns = 1, .delay_max_ns = 1, .restart = MAG_RESTART_ON_FAILURE, .restarts_max = 1),
				  job, .plan = &self->plan) == 2);
	MAG_AWAIT(self->rc, mag_background_wait, &self->b);
	NEED(self->plan.begun == 2);
	MAG_SCOPE_BEGIN(&self->scope);
	mag_scope_cancel(&self->scope);
	MAG_AWAIT(self->rc, mag_background_wait, &self->b);
	NEED(self->rc == MAG_ECANCELED);
	MAG_AWAIT(self->rc, mag_background_wait_until, &self->b, MAG_NEVER);
	NEED(self->rc == MAG_ECANCELED);
	MAG_SCOPE_END(self->rc, &self->scope);
	NEED(mag_background_fini(&self->b) == 0);
	MAG_RETURN(0);
	MAG_END;
}

Test(background, limits_and_wrong_use, .timeout = 60)
{
	struct mag_background b;
	int64_t rc = RUN(2, edges);

	cr_assert_eq(rc, 0, "%s", where(rc));
	cr_assert_eq(mag_background_init(&b, NULL, NULL), -EINVAL);
}

struct early {
	mag_frame frame;
	MAG_NO_ARGS(early);
	struct mag_background b;
	struct plan plan;
	int64_t rc;
};

MAG_TASK(early)
{
	MAG_BEGIN(early);
	self->plan = (struct plan){ .stays = true };
	NEED(mag_background_init(&self->b, NULL, NULL) == 0);
	NEED(mag_background_start(&self->b, NULL, job, .plan = &self->plan) == 1);
	NEED(mag_background_fini(&self->b) == -EBUSY);
	mag_background_stop(&self->b);
	MAG_AWAIT(self->rc, mag_background_wait, &self->b);
	NEED(mag_background_fini(&self->b) == 0);
	MAG_RETURN(0);
	MAG_END;
}

Test(background, with_tasks_is_not_ended, MISUSE(.timeout = 60))
{
	int64_t rc = RUN(1, early);

	cr_assert_eq(rc, 0, "%s", where(rc));
}

/* From a plain thread, and the runtime's end cancels and awaits them; then none is taken any more. */
Test(background, the_end_of_the_runtime_awaits_it, .timeout = 60)
{
	static struct mag_background b;
	static struct plan plan = { .stays = true };
	mag_runtime *rt = play_real(2, NEVER_SPIN);

	cr_assert_eq(mag_background_init(&b, rt, NULL), 0);
	for (int i = 0; i < 10; i++)
		cr_assert_eq(mag_background_start(&b, TASK(.restart = MAG_RESTART_ALWAYS), job, .plan = &plan), i + 1);
	cr_assert_eq(mag_runtime_destroy(rt, mag_deadline_in(30 * MAG_SECOND)), 0);
	cr_assert_eq(plan.ended, 10);
	cr_assert_eq(b.count, 0);
}
