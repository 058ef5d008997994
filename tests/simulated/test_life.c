/* SPDX-License-Identifier: MIT */
/* test_life.c - signals, the end in stages and background tasks, on many schedules, and with every fault in turn. */
#include "simulated/seeds.h"
#include "simulated/turns.h"

#define SOON mag_deadline_in((uint64_t)(5 + self->i * 9) * MAG_MICROSECOND) /* before, amid or after what the others do */

/* Each signal is taken by one of those who wait: for as long as it takes, or now and then, however they give up. */

struct ear {
	mag_frame frame;
	MAG_ARGS(ear, mag_signal *signal; mag_event * taken; bool *over; bool plain; int i;);
	mag_signal other;
	int64_t rc;
};

MAG_TASK(ear)
{
	MAG_BEGIN(ear);
	while (!*self->over) {
		if (self->plain)
			MAG_AWAIT(self->rc, mag_signal_next, self->signal);
		else
			MAG_AWAIT(self->rc, mag_signal_next_until, self->signal, SOON);
		if (self->rc == MAG_ECLOSED)
			break;
		if (self->rc > 0)
			mag_event_set(self->taken);
		if (self->i == 1 && mag_signal_open(&self->other, SIGHUP) == 0)
			mag_sim_assert(mag_signal_close(&self->other) == 1);
		if (self->rc == -ENOMEM)
			MAG_AWAIT(self->rc, mag_sleep, MAG_MICROSECOND);
	}
	MAG_RETURN(0);
	MAG_END;
}

enum { EARS = 3, RAISED = 3 };

struct ears {
	mag_frame frame;
	MAG_ARGS(ears, bool plain;);
	mag_group group;
	mag_signal signal;
	mag_event taken;
	bool over;
	int64_t rc;
	int i, started;
};

MAG_TASK(ears)
{
	MAG_BEGIN(ears);
	mag_event_init(&self->taken);
	self->over = false;
	if (mag_signal_open(&self->signal, SIGHUP) < 0)
		MAG_RETURN(0);
	MAG_GROUP_BEGIN(&self->group);
	for (self->i = self->started = 0; self->i < EARS; self->i++) {
		MAG_SPAWN(self->rc, &self->group, ear, .signal = &self->signal, .taken = &self->taken, .over = &self->over,
			  .plain = self->plain, .i = self->i);
		self->started += self->rc == 0;
	}
	for (self->i = 0; self->i < RAISED && self->started; self->i++) {
		mag_sim_assert(mag_sim_raise(SIGHUP) == 1);
		MAG_AWAIT(self->rc, mag_event_wait, &self->taken);
		mag_event_reset(&self->taken);
	}
	self->over = true;
	mag_sim_assert(mag_signal_close(&self->signal) == 1);
	MAG_GROUP_END(self->rc, &self->group);
	mag_sim_assert(mag_sim_raise(SIGHUP) == 0);
	mag_sim_assert_quiescent();
	MAG_RETURN(0);
	MAG_END;
}

/* Participants come and go while it begins and hurries: whoever is there then is cancelled, nobody else is. */

struct comer {
	mag_frame frame;
	MAG_ARGS(comer, struct mag_shutdown *down; int i;);
	struct mag_shutdown_part part;
	int64_t rc, why;
};

MAG_TASK(comer)
{
	MAG_BEGIN(comer);
	MAG_SHUTDOWN_JOIN(self->down, &self->part, (enum mag_shutdown_stage)(self->i % 3), "comer");
	if (self->i % 2)
		MAG_AWAIT(self->rc, mag_sleep_until, SOON);
	else
		MAG_AWAIT(self->rc, mag_sleep, MAG_NEVER);
	mag_sim_assert(self->i % 2 || self->rc == MAG_ECANCELED);
	if (self->i == 4)
		MAG_RETURN(0); /* the end of the frame leaves for it */
	MAG_SHUTDOWN_LEAVE(self->why, &self->part);
	memset(&self->part, 0xa5, sizeof(self->part));
	MAG_AWAIT(self->rc, mag_yield);
	mag_sim_assert(self->rc == 0); /* it is nobody's any more */
	MAG_RETURN(0);
	MAG_END;
}

struct starter {
	mag_frame frame;
	MAG_ARGS(starter, struct mag_shutdown *down; int i;);
	int64_t rc;
};

MAG_TASK(starter)
{
	MAG_BEGIN(starter);
	MAG_AWAIT(self->rc, mag_sleep_until, SOON);
	mag_sim_raise(SIGTERM);
	MAG_AWAIT(self->rc, mag_sleep, 10 * MAG_MICROSECOND);
	if (self->i == 2)
		mag_shutdown_hurry(self->down);
	mag_shutdown_begin(self->down);
	MAG_RETURN(0);
	MAG_END;
}

struct stages {
	mag_frame frame;
	MAG_ARGS(stages, int when;);
	mag_group group;
	struct mag_shutdown down;
	int64_t rc, left;
	int i;
};

MAG_TASK(stages)
{
	MAG_BEGIN(stages);
	mag_shutdown_init(&self->down, &(struct mag_shutdown_options){ .size = sizeof(struct mag_shutdown_options),
								       .drain_ns = 50 * MAG_MICROSECOND });
	self->rc = mag_shutdown_on_signals(&self->down, SIGTERM);
	MAG_GROUP_BEGIN(&self->group, .policy = MAG_COLLECT);
	for (self->i = 0; self->i < 6; self->i++)
		MAG_SPAWN(self->rc, &self->group, comer, .down = &self->down, .i = self->i);
	MAG_SPAWN(self->rc, &self->group, starter, .down = &self->down, .i = self->when);
	if (self->rc < 0)
		mag_shutdown_begin(&self->down);
	MAG_CALL(self->left, mag_shutdown_run, .shutdown = &self->down);
	if (self->left == -ENOMEM) /* who does not lead it has to hurry */
		mag_shutdown_hurry(&self->down);
	MAG_GROUP_END(self->rc, &self->group);
	mag_group_clear(&self->group);
	mag_sim_assert(self->left == 0 || self->left == -ENOMEM);
	mag_sim_assert(mag_shutdown_count(&self->down, NULL, 0) == 0 && mag_shutdown_fini(&self->down) == 0);
	mag_sim_assert_quiescent();
	MAG_RETURN(0);
	MAG_END;
}

/* Background tasks fail, are cancelled, stopped and awaited at once. */

struct chore {
	mag_frame frame;
	MAG_ARGS(chore, int *begun; int *ended; int i;);
	int64_t rc;
};

MAG_TASK(chore)
{
	MAG_BEGIN(chore);
	++*self->begun;
	MAG_AWAIT(self->rc, mag_sleep_until, SOON);
	++*self->ended;
	MAG_RETURN(self->i == 1 ? 0 : -EPIPE);
	MAG_END;
}

static void ignore(void *ctx, const struct mag_background_failure *failure)
{
	(void)ctx;
	mag_sim_assert(failure->code == -EPIPE || failure->code == -ENOMEM || failure->given_up);
}

struct house {
	mag_frame frame;
	MAG_NO_ARGS(house);
	struct mag_background b;
	struct mag_background_stats stats;
	mag_scope scope;
	int64_t rc, why;
	int i, begun[3], ended[3], started;
};

MAG_TASK(house)
{
	static const struct mag_background_options options = { .size = sizeof(options), .failed = ignore };

	MAG_BEGIN(house);
	mag_sim_assert(mag_background_init(&self->b, NULL, &options) == 0);
	for (self->i = self->started = 0; self->i < 3; self->i++) {
		const struct mag_background_task task = { .size = sizeof(task),
							  .restart = (enum mag_restart)self->i,
							  .delay_ns = 3 * MAG_MICROSECOND,
							  .restarts_max = 3 };

		self->begun[self->i] = self->ended[self->i] = 0;
		self->started += mag_background_start(&self->b, &task, chore, .begun = &self->begun[self->i],
						      .ended = &self->ended[self->i], .i = self->i) > 0;
	}
	mag_background_cancel(&self->b, 3);
	MAG_WITH_TIMEOUT(&self->scope, 20 * MAG_MICROSECOND);
	MAG_AWAIT(self->rc, mag_background_wait, &self->b);
	MAG_SCOPE_END(self->why, &self->scope);
	mag_background_stop(&self->b);
	MAG_AWAIT(self->rc, mag_background_wait, &self->b);
	mag_sim_assert(self->rc == 0);
	mag_background_stats(&self->b, &self->stats);
	mag_sim_assert(self->stats.started == (uint64_t)self->started && self->stats.ended == self->stats.started);
	for (self->i = 0; self->i < 3; self->i++)
		mag_sim_assert(self->begun[self->i] == self->ended[self->i]);
	mag_sim_assert(self->started < 3 || (self->begun[0] && self->begun[1] && self->begun[2]));
	mag_sim_assert(mag_background_fini(&self->b) == 0);
	MAG_RETURN(0);
	MAG_END;
}

/* All of them. */

PROGRAM(ears, .plain = seed % 2)
PROGRAM(stages, .when = (int)(seed % 4))
PROGRAM(house)

ALL(life, ears, no_signal_is_lost)
ALL(life, stages, nobody_is_told_after_the_leave)
ALL(life, house, each_background_task_runs_and_is_awaited)

TURNS(life, each_fault_with_signals, ears, 0.5)
TURNS(life, each_fault_with_an_end_in_stages, stages, 1.0)
TURNS(life, each_fault_with_background_tasks, house, 0.5)
