/* SPDX-License-Identifier: MIT */
/* test_background_cancel.c - src/life/background.c when who waits for the end of its tasks is cancelled: the tasks go on, and
 * can be waited for again. */
#include <magpie/magpie.h>

#include "support/matrix.h"
#include "unit/play.h"

struct background_subject {
	struct subject s;
	struct mag_background background;
	mag_event ends; /* the task does when this is set, and not before, whoever cancels it */
	bool until;
};

static struct background_subject *of(struct subject *s)
{
	return (struct background_subject *)s;
}

struct job {
	mag_frame frame;
	MAG_ARGS(job, mag_event *ends;);
	mag_scope shield;
	int64_t rc, why;
};

MAG_TASK(job)
{
	MAG_BEGIN(job);
	MAG_SHIELD(&self->shield, MAG_NEVER);
	MAG_AWAIT(self->rc, mag_event_wait, self->ends);
	MAG_SCOPE_END(self->why, &self->shield);
	MAG_RETURN(self->rc);
	MAG_END;
}

/* A runtime that ends takes none any more, and needs none. */
static void begin(struct background_subject *b, mag_frame *f)
{
	int64_t rc = mag_background_start(&b->background, NULL, job, .ends = &b->ends);

	cr_assert(rc > 0 || (rc == MAG_ECLOSED && magi_cancelled(f)), "%s", where(rc));
}

static void set_up(struct subject *s, mag_worker *w, mag_frame *f)
{
	(void)w;
	mag_event_init(&of(s)->ends);
	cr_assert_eq(mag_background_init(&of(s)->background, NULL, NULL), 0);
	begin(of(s), f);
}

static mag_frame *background_wait(mag_worker *w, mag_frame *f, struct subject *s, uint64_t *out)
{
	(void)out;
	if (of(s)->until)
		return mag_background_wait_until(w, f, &of(s)->background, mag_deadline_in(3600 * MAG_SECOND));
	return mag_background_wait(w, f, &of(s)->background);
}

/* It is there until then, whoever has waited for it. */
static void let_it_end(struct subject *s, mag_worker *w, mag_frame *f)
{
	(void)w;
	(void)f;
	cr_assert_eq(mag_background_list(&of(s)->background, NULL, 0), 1);
	mag_event_set(&of(s)->ends);
}

static bool has_ended(struct subject *s)
{
	return mag_background_list(&of(s)->background, NULL, 0) == 0;
}

static bool next_one(struct subject *s, mag_worker *w, mag_frame *f)
{
	struct mag_background_stats stats;

	(void)w;
	mag_background_stats(&of(s)->background, &stats);
	mag_event_reset(&of(s)->ends);
	begin(of(s), f);
	return stats.ended == stats.started && stats.failures == 0;
}

struct leave {
	mag_frame frame;
	MAG_ARGS(leave, struct subject *s;);
	int64_t rc;
};

MAG_TASK(leave)
{
	MAG_BEGIN(leave);
	mag_event_set(&of(self->s)->ends);
	mag_background_stop(&of(self->s)->background);
	MAG_AWAIT(self->rc, mag_background_wait, &of(self->s)->background);
	NEED(self->rc == 0);
	NEED(mag_background_fini(&of(self->s)->background) == 0);
	MAG_RETURN(0);
	MAG_END;
}
SUBJECT_CALLS(leave_it, leave)

static void make(struct background_subject *b)
{
	*b = (struct background_subject){
		.s = { .wait = background_wait, .give = let_it_end, .settled = has_ended, .reset = next_one, .set_up = set_up,
		       .leave = leave_it, .waitq = &b->background.waitq, .stays = true },
	};
}

static void make_until(struct background_subject *b)
{
	make(b);
	b->until = true;
}

/* Tried: a wait that stops the background when it is cancelled; a last task that grants nobody. */
Test(background_cancel, who_waits_is_cancelled_and_the_tasks_are_not, .timeout = 60)
{
	MATRIX_CASES(struct background_subject, make);
}

/* Tried: a look at what is left before the one at the scope. */
Test(background_cancel, who_waits_with_a_deadline_is_cancelled_and_the_tasks_are_not, .timeout = 60)
{
	MATRIX_CASES(struct background_subject, make_until);
}

/* Tried: a last task that grants nobody (its leave then waits for ever). */
Test(background_cancel, ended_and_cancelled_at_once_is_one_of_both, .timeout = 120)
{
	MATRIX_SOME_RACES(struct background_subject, make, 1000 / PLAY_SLOWDOWN);
}
