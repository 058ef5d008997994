/* SPDX-License-Identifier: MIT */
/* test_report.c - debug mode: what is told of groups, errors, futures and crowds, and what is not. */
#include "hear.h"

static struct heard heard;

/* A group that is left open. */

struct leaves {
	mag_frame frame;
	MAG_ARGS(leaves, int64_t with; bool ends; bool ended; bool cancels;);
	mag_group group;
	int64_t rc;
};

static int opened_in;

MAG_TASK(leaves)
{
	MAG_BEGIN(leaves);
	opened_in = __LINE__ + 1;
	MAG_GROUP_BEGIN(&self->group);
	MAG_SPAWN(self->rc, &self->group, idler, .result = 0);
	if (!self->ended)
		MAG_SPAWN(self->rc, &self->group, sleeper, .ns = 1000 * MAG_SECOND);
	do
		MAG_AWAIT(self->rc, mag_sleep, MAG_MILLISECOND);
	while (members_of(&self->group) > !self->ended);
	if (self->cancels)
		mag_group_cancel(&self->group);
	if (self->ends) {
		mag_group_cancel(&self->group);
		MAG_GROUP_END(self->rc, &self->group);
	}
	MAG_RETURN(self->with);
	MAG_END;
}

Test(report, group_left_open_with_tasks_in_it, .timeout = 20)
{
	TOLD(heard, MAG_REPORT_GROUP, "leaves ends with 1 task in group &self->group", leaves, .with = 0);
	cr_assert_eq(heard.report[0].made->line, opened_in);
	cr_assert_eq(heard.report[0].count, 1);
	cr_assert_str_eq(heard.task[0], "leaves");
}

Test(report, group_that_was_ended_or_had_ended_or_was_left_with_an_error_is_no_mistake, .timeout = 20)
{
	SILENT(leaves, .ends = true);
	SILENT(leaves, .ended = true);
	SILENT(leaves, .cancels = true);
	hear_begin(&heard);
	cr_assert_eq(HEAR(&heard, 2, leaves, .with = -EPIPE), -EPIPE);
	cr_assert_eq(heard.n, 0, "%s", heard_all(&heard));
}

/* Errors. */

enum how_asked { NOBODY, BY_LIST, BY_CLEAR, BY_SPLIT, BY_TEXT, HOW_MANY };

struct collects {
	mag_frame frame;
	MAG_ARGS(collects, enum how_asked how; enum mag_policy policy; bool again;);
	mag_group group;
	int64_t rc;
	int round;
};

static int begun_in;

MAG_TASK(collects)
{
	MAG_BEGIN(collects);
	for (self->round = 0; self->round <= self->again; self->round++) {
		begun_in = __LINE__ + 1;
		MAG_GROUP_BEGIN(&self->group, .policy = self->policy);
		MAG_SPAWN(self->rc, &self->group, idler, .result = 7);
		if (self->round == 0)
			MAG_SPAWN(self->rc, &self->group, sleeper, .ns = 1, .result = -EPIPE);
		MAG_GROUP_END(self->rc, &self->group);
	}
	if (self->how == BY_LIST)
		mag_group_errors(&self->group, NULL);
	else if (self->how == BY_CLEAR)
		mag_group_clear(&self->group);
	else if (self->how == BY_SPLIT)
		mag_group_errors_split(&self->group, -EPIPE, NULL);
	else if (self->how == BY_TEXT)
		mag_group_errors_text(&self->group, NULL, 0);
	MAG_RETURN(0);
	MAG_END;
}

Test(report, error_of_a_group_that_nobody_asked_for, .timeout = 20)
{
	TOLD(heard, MAG_REPORT_ERROR, "nobody has asked for EPIPE of sleeper at ", collects, .policy = MAG_COLLECT);
	cr_assert_eq(heard.report[0].made->line, begun_in, "%s", heard.text[0]);
	cr_assert_eq(heard.report[0].code, -EPIPE);
}

Test(report, error_is_told_when_the_group_is_opened_again, .timeout = 20)
{
	TOLD(heard, MAG_REPORT_ERROR, "EPIPE", collects, .policy = MAG_COLLECT, .again = true, .how = BY_CLEAR);
}

Test(report, error_that_somebody_asked_for_is_no_mistake, .timeout = 20)
{
	for (enum how_asked how = BY_LIST; how < HOW_MANY; how++)
		SILENT(collects, .policy = MAG_COLLECT, .how = how);
	SILENT(collects, .policy = MAG_ANY);
	SILENT(collects, .policy = MAG_FAIL_FAST); /* the group's end has told it */
}

struct named {
	mag_frame frame;
	MAG_ARGS(named, int asks;);
	mag_group group;
	mag_handle handle, *next;
	mag_case one;
	int64_t rc;
};

MAG_TASK(named)
{
	MAG_BEGIN(named);
	MAG_GROUP_BEGIN(&self->group, .policy = MAG_COLLECT);
	MAG_SPAWN_AS(self->rc, &self->handle, &self->group, sleeper, .ns = MAG_MILLISECOND, .result = -EPIPE);
	if (self->asks == 1)
		MAG_AWAIT(self->rc, mag_handle_wait, &self->handle);
	if (self->asks == 2) {
		MAG_AWAIT(self->rc, mag_sleep, 2 * MAG_MILLISECOND);
		MAG_AWAIT(self->rc, mag_handle_wait, &self->handle);
	}
	if (self->asks == 3)
		MAG_AWAIT(self->rc, mag_group_next, &self->group, &self->next);
	if (self->asks == 4) {
		MAG_AWAIT(self->rc, mag_sleep, 2 * MAG_MILLISECOND);
		mag_case_handle(&self->one, &self->handle);
		MAG_AWAIT(self->rc, mag_select, &self->one, 1);
	}
	MAG_GROUP_END(self->rc, &self->group);
	if (self->asks == 5)
		self->rc = mag_handle_result(&self->handle);
	MAG_RETURN(0);
	MAG_END;
}

Test(report, error_of_a_handle_that_nobody_asked_for, .timeout = 20)
{
	TOLD(heard, MAG_REPORT_ERROR, "EPIPE", named, .asks = 0);
	TOLD(heard, MAG_REPORT_ERROR, "EPIPE", named, .asks = 3); /* that it has finished is no result */
}

Test(report, error_of_a_handle_that_somebody_asked_for_is_no_mistake, .timeout = 20)
{
	SILENT(named, .asks = 1);
	SILENT(named, .asks = 2);
	SILENT(named, .asks = 4);
	SILENT(named, .asks = 5);
}

struct settles {
	mag_frame frame;
	MAG_NO_ARGS(settles);
	mag_gather gather;
	int64_t results[2];
	int64_t rc;
};

MAG_TASK(settles)
{
	MAG_BEGIN(settles);
	MAG_SETTLED_BEGIN(&self->gather, self->results, 2);
	MAG_SETTLED_ADD(self->rc, &self->gather, sleeper, .ns = 1, .result = -EPIPE);
	MAG_SETTLED_ADD(self->rc, &self->gather, sleeper, .ns = 1, .result = 7);
	MAG_SETTLED_END(self->rc, &self->gather);
	MAG_RETURN(0);
	MAG_END;
}

Test(report, error_that_was_settled_is_no_mistake, .timeout = 20)
{
	SILENT(settles);
}

struct to_background {
	mag_frame frame;
	MAG_ARGS(to_background, int64_t result; bool asks;);
	int64_t rc;
};

MAG_TASK(to_background)
{
	MAG_BEGIN(to_background);
	MAG_SPAWN(self->rc, mag_background(mag_runtime_current()), idler, .result = self->result);
	do
		MAG_AWAIT(self->rc, mag_sleep, MAG_MILLISECOND);
	while (members_of(mag_background(mag_runtime_current())) > 1); /* this one */
	if (self->asks)
		mag_group_errors(mag_background(mag_runtime_current()), NULL);
	MAG_RETURN(0);
	MAG_END;
}

Test(report, error_of_the_background_is_told_at_the_end, .timeout = 20)
{
	hear_begin(&heard);
	cr_assert_eq(HEAR(&heard, 2, to_background, .result = -EPIPE), 0);
	cr_assert_eq(heard.n, 1, "%s", heard_all(&heard));
	cr_assert_eq(heard.report[0].kind, MAG_REPORT_ERROR);
	SILENT(to_background, .result = 0);
	SILENT(to_background, .result = -EPIPE, .asks = true);
}

Test(report, error_of_what_a_thread_has_started_without_a_future, .timeout = 20)
{
	for (int with = 0; with < 2; with++) {
		struct play p;
		mag_runtime_options options;
		mag_future done;
		int64_t rc;

		hear_begin(&heard);
		p.world = magi_world_create(1, MAGI_SIM_COMPLETION);
		options = play_options(p.world, 1);
		options.debug = &heard.options;
		cr_assert_eq(mag_runtime_create(&options, &p.rt), 0);
		mag_future_init(&done);
		cr_assert_eq(mag_spawn_from(p.rt, with ? &done : NULL, idler, .result = -EPIPE), 0);
		if (with) {
			cr_assert_eq(mag_future_wait(&done, &rc, MAG_NEVER), 0);
			cr_assert_eq(rc, -EPIPE);
		}
		play_end(&p);
		mag_future_fini(&done);
		cr_assert_eq(heard.n, !with, "%s", heard_all(&heard));
	}
}

/* Futures. */

struct futures {
	mag_frame frame;
	MAG_ARGS(futures, int asks; int64_t result;);
	mag_future future;
	mag_case one;
	int64_t rc, got;
};

static int made_in;

MAG_TASK(futures)
{
	MAG_BEGIN(futures);
	made_in = __LINE__ + 1;
	mag_future_init(&self->future);
	if (self->asks != 4)
		mag_future_complete(&self->future, self->result);
	if (self->asks == 1)
		MAG_AWAIT(self->got, mag_future_await, &self->future);
	if (self->asks == 2)
		mag_future_poll(&self->future, &self->got);
	if (self->asks == 3) {
		mag_case_future(&self->one, &self->future);
		MAG_AWAIT(self->rc, mag_select, &self->one, 1);
	}
	mag_future_fini(&self->future);
	MAG_RETURN(0);
	MAG_END;
}

Test(report, future_that_nobody_awaited, .timeout = 20)
{
	TOLD(heard, MAG_REPORT_FUTURE, "nobody has asked for the result of a future, 7", futures, .result = 7);
	TOLD(heard, MAG_REPORT_FUTURE, "a future, EPIPE, made at", futures, .result = -EPIPE);
	cr_assert_eq(heard.report[0].made->line, made_in);
	cr_assert_eq(heard.report[0].code, -EPIPE);
}

Test(report, future_that_was_awaited_or_never_completed_is_no_mistake, .timeout = 20)
{
	for (int asks = 1; asks <= 4; asks++)
		SILENT(futures, .asks = asks);
}

/* Crowds. */

struct crowd {
	mag_frame frame;
	MAG_ARGS(crowd, uint32_t n; uint32_t limit; uint32_t rounds;);
	mag_group group;
	int64_t rc;
	uint32_t i, round;
};

MAG_TASK(crowd)
{
	MAG_BEGIN(crowd);
	MAG_GROUP_BEGIN(&self->group, .limit = self->limit);
	for (self->round = 0; self->round < self->rounds; self->round++) {
		for (self->i = 0; self->i < self->n; self->i++)
			MAG_SPAWN(self->rc, &self->group, sleeper, .ns = MAG_MILLISECOND);
		MAG_AWAIT(self->rc, mag_sleep, 2 * MAG_MILLISECOND);
	}
	MAG_GROUP_END(self->rc, &self->group);
	MAG_RETURN(self->rc);
	MAG_END;
}

Test(report, crowd_in_a_group_without_a_limit_is_told_once, .timeout = 20)
{
	hear_begin(&heard);
	heard.options.crowd = 10;
	cr_assert_eq(HEAR(&heard, 2, crowd, .n = 11, .rounds = 3), 0);
	cr_assert_eq(heard.n, 1, "%s", heard_all(&heard));
	cr_assert_eq(heard.report[0].kind, MAG_REPORT_CROWD);
	cr_assert_eq(heard.report[0].count, 11);
	hear_begin(&heard);
	heard.options.crowd = 10;
	cr_assert_eq(HEAR(&heard, 2, crowd, .n = 10, .rounds = 3), 0);
	cr_assert_eq(HEAR(&heard, 2, crowd, .n = 30, .limit = 20, .rounds = 1), 0);
	cr_assert_eq(heard.n, 0, "%s", heard_all(&heard));
}

Test(report, simulated_schedules_all_tell_the_same, .timeout = 60)
{
	TOLD_SIMULATED(heard, MAG_REPORT_GROUP, "leaves ends with 1 task", leaves, .with = 0);
	TOLD_SIMULATED(heard, MAG_REPORT_ERROR, "EPIPE of sleeper", collects, .policy = MAG_COLLECT);
	TOLD_SIMULATED(heard, MAG_REPORT_ERROR, "EPIPE", named, .asks = 3);
	TOLD_SIMULATED(heard, MAG_REPORT_FUTURE, "a future, 7", futures, .result = 7);
	SILENT_SIMULATED(leaves, .ends = true);
	SILENT_SIMULATED(collects, .policy = MAG_COLLECT, .how = BY_LIST);
	SILENT_SIMULATED(named, .asks = 1);
	SILENT_SIMULATED(futures, .asks = 3);
	SILENT_SIMULATED(settles);
}
