/* SPDX-License-Identifier: MIT */
/* test_process_cancel.c - src/process when who waits for a child process is cancelled: it is reaped once, and its status can
 * be had, whenever that was. What it is to do it is told by signals: nothing here takes its time. */
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include "unit/play.h"
#include "unit/process.h"

/* Waiting: the matrix. A give ends the process; the next one is there already. */

enum { ONES = 6 };

static const char *const sleeps[] = { "sleep", "1000", NULL };

struct process_subject {
	struct subject s;
	mag_process p[ONES];
	uint32_t at;
	uint32_t waits; /* atomic */
	bool until;
};

static struct process_subject *of(struct subject *s)
{
	return (struct process_subject *)s;
}

static mag_process *one_of(struct subject *s)
{
	return &of(s)->p[of(s)->at];
}

struct enter {
	mag_frame frame;
	MAG_ARGS(enter, struct subject *s;);
	int64_t rc;
	int i;
};

MAG_TASK(enter)
{
	MAG_BEGIN(enter);
	for (self->i = 0; self->i < ONES; self->i++) {
		MAG_AWAIT(self->rc, mag_process_spawn, &of(self->s)->p[self->i], OPTIONS(.argv = sleeps));
		NEED(self->rc == 0);
	}
	MAG_RETURN(0);
	MAG_END;
}
SUBJECT_CALLS(spawn_all, enter)

/* Each that was killed says so to who asks now. */
struct leave {
	mag_frame frame;
	MAG_ARGS(leave, struct subject *s;);
	int64_t rc;
	uint32_t i;
};

MAG_TASK(leave)
{
	MAG_BEGIN(leave);
	for (self->i = 0; self->i < ONES; self->i++) {
		MAG_AWAIT(self->rc, mag_process_end, &of(self->s)->p[self->i]);
		NEED(mag_process_signaled(self->rc) == (self->i < of(self->s)->at ? SIGKILL : SIGTERM));
	}
	MAG_RETURN(0);
	MAG_END;
}
SUBJECT_CALLS(end_all, leave)

struct killed {
	mag_frame frame;
	MAG_ARGS(killed, struct subject *s;);
	int64_t rc;
};

MAG_TASK(killed)
{
	MAG_BEGIN(killed);
	magi_add_ar(&of(self->s)->waits, 1u); /* [waits] */
	if (of(self->s)->until)
		MAG_AWAIT(self->rc, mag_process_wait_until, one_of(self->s), mag_deadline_in(3600 * MAG_SECOND));
	else
		MAG_AWAIT(self->rc, mag_process_wait, one_of(self->s));
	magi_sub_rlx(&of(self->s)->waits, 1u); /* [waits] */
	MAG_RETURN(mag_process_signaled(self->rc) == SIGKILL ? 0 : self->rc);
	MAG_END;
}
SUBJECT_CALLS(wait_killed, killed)

static mag_frame *process_wait(mag_worker *w, mag_frame *f, struct subject *s, uint64_t *out)
{
	(void)out;
	return wait_killed(w, f, s);
}

static uint32_t waits(struct subject *s)
{
	return magi_load_acq(&of(s)->waits); /* [waits] */
}

static void end_it(struct subject *s, mag_worker *w, mag_frame *f)
{
	(void)w;
	(void)f;
	cr_assert_eq(mag_process_signal(one_of(s), SIGKILL), 0);
}

/* A pidfd is readable when its process has ended, reaped or not. */
static bool has_ended(struct subject *s)
{
	struct pollfd p = { .fd = mag_fd_raw(one_of(s)->handle), .events = POLLIN };

	return poll(&p, 1, 0) == 1;
}

/* Reaped just when somebody was told of it. */
static bool next_one(struct subject *s, mag_worker *w, mag_frame *f)
{
	bool told = magi_load_rlx(&one_of(s)->status) == 256 + SIGKILL; /* [hint] */
	siginfo_t info = { 0 };
	int rc = waitid(P_PID, (id_t)one_of(s)->pid, &info, WEXITED | WNOHANG | WNOWAIT);

	(void)w;
	(void)f;
	of(s)->at++;
	return told ? rc == -1 && errno == ECHILD : rc == 0 && info.si_pid && info.si_status == SIGKILL;
}

static void make(struct process_subject *p)
{
	*p = (struct process_subject){
		.s = { .wait = process_wait, .give = end_it, .settled = has_ended, .reset = next_one, .enter = spawn_all,
		       .leave = end_all, .waits = waits, .stays = true, .late = true, .alone = true },
	};
}

static void make_until(struct process_subject *p)
{
	make(p);
	p->until = true;
}

/* Tried: a wait that ends the process when it is cancelled; one that looks at the process before it looks at its scope. */
Test(process_cancel, wait_leaves_the_process_and_its_status, .timeout = 60)
{
	MATRIX_CASES_ON(1, struct process_subject, make);
	MATRIX_CASES(struct process_subject, make);
	check(0);
}

Test(process_cancel, wait_with_a_deadline_leaves_the_process_and_its_status, .timeout = 60)
{
	MATRIX_CASES_ON(1, struct process_subject, make_until);
	MATRIX_CASES(struct process_subject, make_until);
	check(0);
}

/* It ends by itself, at the moment of the cancellation or not: the status is the same whenever one asks. */

struct whenever {
	mag_frame frame;
	MAG_ARGS(whenever, int rounds;);
	mag_process p;
	mag_scope scope;
	int64_t rc, why;
	int i;
};

MAG_TASK(whenever)
{
	MAG_BEGIN(whenever);
	for (self->i = 0; self->i < self->rounds; self->i++) {
		MAG_AWAIT(self->rc, mag_process_spawn, &self->p, OPTIONS(.argv = ARGV("false")));
		NEED(self->rc == 0);
		do {
			MAG_WITH_TIMEOUT(&self->scope, (uint64_t)(1 + self->i) * 50 * MAG_MICROSECOND);
			MAG_AWAIT(self->rc, mag_process_wait, &self->p);
			MAG_SCOPE_END(self->why, &self->scope);
			NEED(self->rc == 1 || (self->rc == MAG_ECANCELED && self->why == MAG_ETIMEDOUT));
		} while (self->rc != 1);
		MAG_AWAIT(self->rc, mag_process_wait, &self->p);
		NEED(self->rc == 1);
		MAG_AWAIT(self->rc, mag_process_end, &self->p);
		NEED(self->rc == 1);
	}
	MAG_RETURN(0);
	MAG_END;
}

Test(process_cancel, that_ends_while_its_wait_is_cancelled_is_reaped_once, .timeout = 60)
{
	check(RUN(2, whenever, .rounds = 30));
}

struct starts {
	mag_frame frame;
	MAG_ARGS(starts, int rounds;);
	mag_process p;
	mag_scope scope;
	int64_t rc, why;
	int i;
};

MAG_TASK(starts)
{
	MAG_BEGIN(starts);
	for (self->i = 0; self->i < self->rounds; self->i++) {
		MAG_WITH_TIMEOUT(&self->scope, (uint64_t)self->i * 20 * MAG_MICROSECOND);
		if (self->i == 0)
			mag_scope_cancel(&self->scope);
		MAG_AWAIT(self->rc, mag_process_spawn, &self->p, OPTIONS(.argv = sleeps));
		MAG_SCOPE_END(self->why, &self->scope);
		NEED((self->rc == 0 && self->i) || self->rc == MAG_ECANCELED);
		NEED((self->rc == 0) == (self->p.pid > 0));
		MAG_AWAIT(self->why, mag_process_end, &self->p);
		NEED(self->why == (self->rc == 0 ? 256 + SIGTERM : MAG_ECLOSED));
	}
	MAG_RETURN(0);
	MAG_END;
}

/* Tried: one that has started given up by who was cancelled. */
Test(process_cancel, whose_start_is_cancelled_is_returned_or_there_is_none, .timeout = 60)
{
	check(RUN(2, starts, .rounds = 30));
}

/* What is never cut short, and what is and leaves nothing: in all ways. */

enum what { END, OUTPUT };
enum way { BEFORE, BY_SCOPE, BY_DEADLINE, BY_GROUP, BY_THE_END, WAYS };

/* Deaf to all but SIGKILL; and one that says that it is up and then goes on. */
#define DEAF "trap '' TERM; echo; exec sleep 1000"
#define LOUD "echo >&2; exec sleep 1000"

struct awaits {
	mag_frame frame;
	MAG_ARGS(awaits, enum what what; enum way way; mag_process *p; int err; mag_scope **scope; int64_t *got;);
	mag_scope own;
	struct mag_process_output_text text;
	int64_t rc, why;
};

MAG_TASK(awaits)
{
	MAG_BEGIN(awaits);
	MAG_WITH_TIMEOUT(&self->own, self->way == BY_DEADLINE ? 5 * MAG_MILLISECOND : MAG_NEVER);
	if (self->way == BEFORE)
		mag_scope_cancel(&self->own);
	magi_store_rel(self->scope, &self->own); /* [scope] */
	if (self->what == END) {
		MAG_AWAIT(self->rc, mag_process_end, self->p);
	} else {
		MAG_AWAIT(self->rc, mag_process_output, OPTIONS(.argv = SH(LOUD), .err = self->err), NULL, 0, 100,
			  &self->text);
		mag_process_output_free(&self->text);
	}
	*self->got = self->rc;
	MAG_SCOPE_END(self->why, &self->own);
	NEED(self->why == (self->way == BY_DEADLINE ? MAG_ETIMEDOUT : MAG_ECANCELED));
	MAG_RETURN(0);
	MAG_END;
}

struct story {
	mag_frame frame;
	MAG_ARGS(story, enum what what; enum way way; uint32_t *on;);
	mag_process p;
	mag_group group;
	mag_scope *scope, shield;
	mag_fd sign;
	int ends[2];
	pid_t pid;
	char byte;
	int64_t rc, got;
};

MAG_TASK(story)
{
	MAG_BEGIN(story);
	NEED(pipe2(self->ends, O_CLOEXEC) == 0);
	NEED(mag_fd_adopt(self->ends[0], &self->sign) == 0);
	if (self->what == END) {
		MAG_AWAIT(self->rc, mag_process_spawn, &self->p,
			  OPTIONS(.argv = SH(DEAF), .out = self->ends[1], .grace_ns = 1000 * MAG_SECOND));
		NEED(self->rc == 0);
		self->pid = self->p.pid;
		MAG_AWAIT(self->rc, mag_read, self->sign, &self->byte, 1, MAG_OFFSET_NONE);
		NEED(self->rc == 1);
	}
	self->got = 1;
	self->scope = NULL;
	MAG_GROUP_BEGIN(&self->group, .policy = MAG_COLLECT);
	MAG_SPAWN(self->rc, &self->group, awaits, .what = self->what, .way = self->way, .p = &self->p,
		  .err = self->ends[1], .scope = &self->scope, .got = &self->got);
	NEED(self->rc == 0);
	if (self->what == OUTPUT && self->way != BEFORE && self->way != BY_DEADLINE) {
		MAG_AWAIT(self->rc, mag_read, self->sign, &self->byte, 1, MAG_OFFSET_NONE);
		NEED(self->rc == 1);
	}
	while (!magi_load_acq(&self->scope)) /* [scope] */
		MAG_YIELD(self->rc);
	if (self->way == BY_SCOPE)
		mag_scope_cancel(self->scope);
	if (self->way == BY_GROUP)
		mag_group_cancel(&self->group);
	while (self->what == END && self->way == BY_DEADLINE && !mag_scope_cancelled(self->scope))
		MAG_YIELD(self->rc);
	if (self->way == BY_THE_END) {
		raise_flag(self->on);
		MAG_AWAIT(self->rc, mag_sleep, MAG_NEVER);
		NEED(self->rc == MAG_ECANCELED);
	}
	if (self->what == END) /* which it has still to wait for */
		NEED(kill(self->pid, SIGKILL) == 0);
	MAG_GROUP_END(self->rc, &self->group);
	NEED(mag_group_errors(&self->group, NULL) == 0);
	NEED(self->got == (self->what == END ? 256 + SIGKILL : MAG_ECANCELED));
	close(self->ends[1]);
	MAG_SHIELD(&self->shield, MAG_NEVER);
	MAG_AWAIT(self->got, mag_read, self->sign, &self->byte, 1, MAG_OFFSET_NONE);
	MAG_AWAIT(self->rc, mag_close, self->sign);
	MAG_SCOPE_END(self->rc, &self->shield);
	NEED(self->got == 0 || self->way == BY_DEADLINE); /* none that holds it is left, and none was started in vain */
	MAG_RETURN(0);
	MAG_END;
}

static int64_t at_the_end(enum what what)
{
	mag_runtime *rt = play_real(2, 0);
	uint32_t on = 0;
	mag_future done;
	int64_t rc;

	mag_future_init(&done);
	cr_assert_eq(mag_spawn_from(rt, &done, story, .what = what, .way = BY_THE_END, .on = &on), 0);
	while (!is_raised(&on) && !mag_future_poll(&done, NULL))
		sched_yield();
	cr_assert_eq(mag_runtime_destroy(rt, mag_deadline_in(50 * MAG_SECOND)), 0);
	cr_assert(mag_future_poll(&done, &rc));
	mag_future_fini(&done);
	return rc;
}

static void in_all_ways(enum what what)
{
	for (enum way way = BEFORE; way < BY_THE_END; way++) {
		check(RUN(1, story, .what = what, .way = way));
		check(RUN(2, story, .what = what, .way = way));
	}
	check(at_the_end(what));
}

/* Tried: an end without a shield (it asks again and again, and nobody else gets a turn). */
Test(process_cancel, its_end_is_waited_for_by_who_is_cancelled, .timeout = 60)
{
	in_all_ways(END);
}

/* Tried: no end of it behind a cancellation (the pipe stays open). */
Test(process_cancel, whose_output_nobody_waits_for_any_more_is_ended, .timeout = 60)
{
	in_all_ways(OUTPUT);
}
