/* SPDX-License-Identifier: MIT */
/* process.c - a child process from its start to its end.
 *
 * What:    the process's pidfd is a file like any other: waiting is waiting until it is readable, then it is reaped.
 * Who:     the task that owns it.
 * Always:  one that was started is reaped, by a wait or by the end. The frame of the end is taken before the start, and all
 *          that it awaits is tried again where there is no memory to wait with.
 *          A signal goes through the pidfd: to that process, or to none. To a group it goes by number, while the process is
 *          there or has not been reaped: then the number is still its own. Who signals while another task's wait reaps it
 *          may look just before that: to a group the signal then goes, within the same microseconds, by a number that the
 *          kernel gives away last of all.
 *          All that the end awaits is in scopes that are never too deep: there it could not wait, only ask again. */
#include <errno.h>
#include <magpie/offload.h>
#include <magpie/options.h>
#include <magpie/poll.h>
#include <magpie/process.h>
#include <magpie/time.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/host.h"
#include "process/spawn.h"
#include "task/until.h"
#include "task/wait.h"

enum { GRACE_S = 5, NOT_REAPED = INT32_MIN };

/* Starting. */

static bool has_no_processes(void)
{
	struct magi_host *h = magi_host();

	return h && h->alone;
}

struct process_end {
	mag_frame frame;
	MAG_ARGS(process_end, mag_process *process;);
	mag_scope shield, patience;
	uint64_t deadline;
	int64_t rc, why;
};
static MAG_DECLARE_TASK(process_end);

enum { END_CLASS = MAGI_CLASS(sizeof(struct process_end)) };

static void clear(mag_process *p)
{
	*p = (mag_process){ .in = MAG_FD_NONE, .out = MAG_FD_NONE, .err = MAG_FD_NONE, .handle = MAG_FD_NONE };
	p->status = NOT_REAPED;
}

static int prepare(mag_process *p, const struct mag_process_options *o)
{
	if (!p)
		return -EINVAL;
	clear(p);
	if (!o->argv || !o->argv[0])
		return -EINVAL;
	if (has_no_processes())
		return -ENOTSUP;
	p->grace_ns = o->grace_ns ? o->grace_ns : GRACE_S * MAG_SECOND;
	p->own_group = o->own_group;
	return 0;
}

/* The descriptors are the table's from now on; those that are not stay the job's. */
static int adopt(mag_process *p, struct magi_spawn_job *job)
{
	mag_fd *const to[] = { &p->in, &p->out, &p->err, &p->handle };
	int *const from[] = { &job->fds[0], &job->fds[1], &job->fds[2], &job->handle };

	for (int i = 0; i < 4; i++) {
		int rc = *from[i] >= 0 ? mag_fd_adopt(*from[i], to[i]) : 0;

		if (rc < 0)
			return rc;
		*from[i] = -1;
	}
	p->pid = job->pid;
	return 0;
}

/* Gives back what was adopted, so that it is the job's, which undoes all. */
static void disown(mag_process *p, struct magi_spawn_job *job)
{
	mag_fd *const of[] = { &p->in, &p->out, &p->err, &p->handle };
	int *const to[] = { &job->fds[0], &job->fds[1], &job->fds[2], &job->handle };

	for (int i = 0; i < 4; i++) {
		if (of[i]->generation)
			*to[i] = mag_fd_release(*of[i]);
		*of[i] = MAG_FD_NONE;
	}
}

struct process_spawn {
	mag_frame frame;
	MAG_ARGS(process_spawn, mag_process *process; struct mag_process_options *options;);
	struct magi_spawn_job job;
	int64_t rc;
};

enum { SPAWN_CLASS = MAGI_CLASS(sizeof(struct process_spawn)) };

static MAG_TASK(process_spawn)
{
	MAG_BEGIN(process_spawn);
	self->job = (struct magi_spawn_job){ .options = self->options, .fds = { -1, -1, -1 }, .handle = -1 };
	MAG_AWAIT(self->rc, mag_offload, MAG_BLOCKING, magi_process_start, &self->job);
	if (self->rc == 0) {
		self->rc = adopt(self->process, &self->job);
		if (self->rc < 0) { /* there is no place in the table of files */
			disown(self->process, &self->job);
			magi_process_undo(&self->job);
		}
	}
	if (self->rc < 0) {
		magi_frame_give(w, self->process->end, END_CLASS);
		self->process->end = NULL;
	}
	magi_free(self->options);
	MAG_RETURN(self->rc);
	MAG_END;
}

mag_frame *mag_process_spawn(mag_worker *w, mag_frame *f, mag_process *p, const struct mag_process_options *given)
{
	struct mag_process_options o, *copy = NULL;
	struct process_spawn *spawn = NULL;
	int rc;

	(void)mag_options_take(&o, sizeof(o), given); /* of what is wrong nothing is left, no argv either */
	rc = prepare(p, &o);
	if (rc < 0)
		return magi_wait_done(w, f, rc);
	copy = magi_process_options_copy(&o);
	if (copy)
		p->end = magi_frame_take(w, END_CLASS, sizeof(struct process_end));
	if (p->end)
		spawn = magi_frame_take(w, SPAWN_CLASS, sizeof(*spawn));
	if (spawn) {
		spawn->process = p;
		spawn->options = copy;
		return magi_call(f, &spawn->frame, process_spawn_step, SPAWN_CLASS);
	}
	if (p->end)
		magi_frame_give(w, p->end, END_CLASS);
	p->end = NULL;
	magi_free(copy);
	return magi_wait_done(w, f, -ENOMEM);
}

/* Waiting. */

struct process_wait {
	mag_frame frame;
	mag_process *process;
};

enum { WAIT_CLASS = MAGI_CLASS(sizeof(struct process_wait)) };

/* -EAGAIN: it has not ended; all else is what there is to say of it. */
static int64_t reap(mag_process *p)
{
	int raw = mag_fd_raw(p->handle);
	int64_t rc = raw < 0 ? raw : magi_process_reap(raw);

	if (rc != -EAGAIN)
		magi_store_rlx(&p->status, (int32_t)rc); /* [hint] */
	return rc;
}

static mag_frame *wait_step(mag_worker *w, mag_frame *f)
{
	struct process_wait *wait = (struct process_wait *)(void *)f;
	int64_t rc = f->op.result;

	if (rc >= 0) {
		rc = reap(wait->process);
		if (rc == -EAGAIN) /* woken for nothing */
			return mag_poll(w, f, wait->process->handle, POLLIN);
	}
	return magi_end(w, f, rc, WAIT_CLASS);
}

static mag_frame *wait_begin(mag_worker *w, mag_frame *f)
{
	f->at = f->parent->at; /* what is told of the wait is the user's own place */
	f->step = wait_step;
	return mag_poll(w, f, ((struct process_wait *)(void *)f)->process->handle, POLLIN);
}

/* What there is to say without waiting; -EAGAIN: nothing. */
static int64_t look(mag_process *p)
{
	if (!p->handle.generation)
		return MAG_ECLOSED;
	return p->status != NOT_REAPED ? p->status : reap(p);
}

mag_frame *mag_process_wait(mag_worker *w, mag_frame *f, mag_process *p)
{
	int64_t rc = magi_cancelled(f) ? MAG_ECANCELED : look(p);
	struct process_wait *wait;

	if (rc != -EAGAIN)
		return magi_wait_done(w, f, rc);
	wait = magi_frame_take(w, WAIT_CLASS, sizeof(*wait));
	if (!wait)
		return magi_wait_done(w, f, -ENOMEM);
	wait->process = p;
	return magi_call(f, &wait->frame, wait_begin, WAIT_CLASS);
}

static mag_frame *wait_op(mag_worker *w, mag_frame *f, void *process, uint64_t arg)
{
	(void)arg;
	return mag_process_wait(w, f, process);
}

mag_frame *mag_process_wait_until(mag_worker *w, mag_frame *f, mag_process *p, uint64_t deadline)
{
	int64_t rc = magi_cancelled(f) ? MAG_ECANCELED : look(p);

	if (rc != -EAGAIN)
		return magi_wait_done(w, f, rc);
	return magi_until(w, f, wait_op, p, 0, deadline);
}

int mag_process_signal(mag_process *p, int number)
{
	int raw;

	if (!p->handle.generation || magi_load_rlx(&p->status) != NOT_REAPED) /* [hint] a wait may be about to reap it */
		return -ESRCH;
	if (p->own_group)
		return kill(-p->pid, number) == 0 ? 0 : -errno;
	raw = mag_fd_raw(p->handle);
	if (raw < 0)
		return raw;
	return syscall(SYS_pidfd_send_signal, raw, number, NULL, 0) == 0 ? 0 : -errno;
}

/* Ending. */

mag_frame *mag_process_close_in(mag_worker *w, mag_frame *f, mag_process *p)
{
	mag_fd in = p->in;

	p->in = MAG_FD_NONE;
	return in.generation ? mag_close(w, f, in) : magi_wait_done(w, f, MAG_ECLOSED);
}

mag_frame *mag_process_end(mag_worker *w, mag_frame *f, mag_process *p)
{
	struct process_end *end = (struct process_end *)(void *)p->end;

	if (!end)
		return magi_wait_done(w, f, MAG_ECLOSED);
	p->end = NULL;
	end->process = p;
	return magi_call(f, &end->frame, process_end_step, END_CLASS);
}

static bool has_ended(const mag_process *p)
{
	return p->status != NOT_REAPED;
}

/* It is over, or seems so: its group is swept while its number is nobody else's. */
static void reap_all(mag_process *p)
{
	if (p->own_group)
		kill(-p->pid, SIGKILL);
	reap(p);
}

static void ask_to_end(mag_process *p)
{
	if (has_ended(p))
		return;
	mag_process_signal(p, SIGTERM);
	mag_process_signal(p, SIGCONT); /* one that is stopped hears of nothing else */
}

/* Its grace is over? From then on there is no deadline. */
static void kill_late(struct process_end *self)
{
	if (mag_now() < self->deadline)
		return;
	mag_process_signal(self->process, SIGKILL);
	self->deadline = MAG_NEVER;
}

static MAG_TASK(process_end)
{
	MAG_BEGIN(process_end);
	if (self->process->in.generation)
		MAG_AWAIT(self->rc, mag_process_close_in, self->process);
	MAGI_SCOPE_OPEN(&self->shield, MAG_NEVER, MAGI_SCOPE_SHIELD | MAGI_SCOPE_NEEDED);
	self->deadline = mag_deadline_in(self->process->grace_ns);
	ask_to_end(self->process);
	while (!has_ended(self->process)) {
		MAGI_SCOPE_OPEN(&self->patience, self->deadline, MAGI_SCOPE_NEEDED);
		MAG_AWAIT(self->rc, mag_poll, self->process->handle, POLLIN);
		MAG_SCOPE_END(self->why, &self->patience);
		if (self->rc > 0)
			reap_all(self->process);
		else if (self->rc != MAG_ECANCELED) /* there is no memory to wait with */
			MAG_AWAIT(self->why, mag_sleep, MAG_MILLISECOND);
		kill_late(self);
	}
	MAG_SCOPE_END(self->why, &self->shield);
	if (self->process->out.generation)
		MAG_AWAIT(self->why, mag_close, self->process->out);
	if (self->process->err.generation)
		MAG_AWAIT(self->why, mag_close, self->process->err);
	MAG_AWAIT(self->why, mag_close, self->process->handle);
	self->rc = self->process->status;
	clear(self->process);
	MAG_RETURN(self->rc);
	MAG_END;
}

/* As a resource. */

MAG_TASK(mag_process_enter)
{
	MAG_BEGIN(mag_process_enter);
	MAG_AWAIT(self->rc, mag_process_spawn, self->resource, self->options);
	MAG_RETURN(self->rc);
	MAG_END;
}

MAG_TASK(mag_process_exit)
{
	MAG_BEGIN(mag_process_exit);
	MAG_AWAIT(self->rc, mag_process_end, self->resource);
	MAG_RETURN(0);
	MAG_END;
}
