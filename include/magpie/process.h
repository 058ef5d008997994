/* SPDX-License-Identifier: MIT */
/* process.h - child processes: started, talked to through pipes, awaited, and ended in any case.
 *
 *	static const char *const argv[] = { "sort", "-u", NULL };
 *	static const struct mag_process_options options = {
 *		.size = sizeof(options), .argv = argv, .in = MAG_STDIO_PIPE, .out = MAG_STDIO_PIPE };
 *
 *	MAG_AWAIT(self->rc, mag_process_spawn, &self->sort, &options);
 *	if (self->rc < 0)
 *		MAG_RETURN(self->rc);                         // -ENOENT: there is no such program
 *	MAG_AWAIT(self->n, mag_write_all, self->sort.in, "b\na\n", 4, MAG_OFFSET_NONE, NULL);
 *	MAG_AWAIT(self->rc, mag_process_close_in, &self->sort);
 *	MAG_AWAIT(self->n, mag_read, self->sort.out, self->text, sizeof self->text, MAG_OFFSET_NONE);
 *	MAG_AWAIT(self->status, mag_process_wait, &self->sort);
 *	MAG_AWAIT(self->rc, mag_process_end, &self->sort);    // in any case
 *
 * A process that was started is ended by mag_process_end, as a file is closed by mag_close: a process that still
 * runs is asked to end (SIGTERM), killed when its grace is over, and reaped: none is left behind, no zombie either.
 * It is a resource, too, which is ended on every way out: MAG_USING_BEGIN(rc, &use, mag_process, &process, .options
 * = &options) (magpie/resource.h).
 *
 * It is started by a thread of the blocking lane, with vfork (posix_spawn): what it costs does not grow with this
 * program's memory. It inherits no descriptor but 0, 1 and 2, blocks no signal, and has SIGPIPE as usual. It needs
 * pidfds (Linux 5.4): -ENOSYS. A program that has SIGCHLD ignored, or waits for any child (wait(2)), takes the
 * status away: -ECHILD. In a simulation there are no processes: -ENOTSUP. */
#ifndef MAGPIE_PROCESS_H
#define MAGPIE_PROCESS_H

#include <magpie/fd.h>
#include <magpie/file.h>
#include <magpie/scope.h>
#include <sys/types.h>

MAGI_C_BEGIN

enum mag_stdio {
	MAG_STDIO_INHERIT = 0, /* ours */
	MAG_STDIO_NULL = -1,   /* /dev/null */
	MAG_STDIO_PIPE = -2,   /* a pipe: mag_process has our end */
	MAG_STDIO_OUT = -3     /* of err: where out goes */
	/* above 0: a copy of this descriptor */
};

struct mag_process_options {
	size_t size;             /* sizeof(struct mag_process_options) */
	const char *const *argv; /* ends with NULL. The program is argv[0]; without a slash it is looked for in our $PATH */
	const char *const *env;  /* "NAME=value", ends with NULL; NULL: ours */
	const char *cwd;         /* NULL: ours */
	int in, out, err;        /* enum mag_stdio, or a descriptor above 0 */
	uint64_t grace_ns;       /* from SIGTERM to SIGKILL; 0: 5 s */
	bool own_group;          /* a process group of its own: signals reach what it has started, too */
};

typedef struct mag_process {
	mag_fd in, out, err; /* our ends of the pipes; MAG_FD_NONE: there is none. mag_process_end closes them */
	pid_t pid;           /* 0: there is none */
	mag_fd handle;       /* readable when it has ended: its pidfd */
	int32_t status;      /* atomic: as mag_process_wait returns it; INT32_MIN: it has not been reaped */
	uint32_t own_group;
	uint64_t grace_ns;
	mag_frame *end;      /* of mag_process_end: taken at the start, so that it cannot be missing */
} mag_process;

/* MAG_AWAIT(rc, mag_process_spawn, &process, &options): starts a program. The options are copied, with all that they point
 * to, before anything is awaited.
 *
 * Await:    yes, a cancellation point: one that has started is returned
 * Threads:  any worker
 * Owns:     the caller owns *process, when it returns 0: mag_process_end
 * Returns:  0; or why not, and there is no process: -ENOENT, -EACCES, -ENOEXEC, … (of the program, or of cwd), -EAGAIN,
 *           -ENOMEM, -EMFILE, -EBADF, -EINVAL, -ENOSYS, -ENOTSUP, MAG_ECANCELED; -ECHILD: it has ended already, and somebody
 *           else has reaped it
 * Since:    0.2 */
MAG_API MAG_OP mag_process_spawn(MAG_OP_ARGS, mag_process *process, const struct mag_process_options *options);

/* MAG_AWAIT(status, mag_process_wait, &process): waits until it has ended. Asked again, says the same again.
 *
 * Await:    yes, a cancellation point: the process goes on
 * Threads:  any worker; one task at a time
 * Returns:  its exit status, 0 … 255, or 256 + the signal that has ended it (mag_process_signaled); MAG_ECANCELED,
 *           MAG_ECLOSED (it was ended), -ECHILD (somebody else has reaped it), -ENOMEM
 * Since:    0.2 */
MAG_API MAG_OP mag_process_wait(MAG_OP_ARGS, mag_process *process);

/* MAG_AWAIT(status, mag_process_wait_until, &process, deadline): the same, until `deadline` (mag_now; MAG_NEVER) at most.
 *
 * Await:    yes, a cancellation point
 * Threads:  any worker; one task at a time
 * Returns:  as mag_process_wait; MAG_ETIMEDOUT
 * Since:    0.2 */
MAG_API MAG_OP mag_process_wait_until(MAG_OP_ARGS, mag_process *process, uint64_t deadline);

/* Which signal has ended it, by what mag_process_wait returned; 0: none, or an error. */
MAGI_FAST int mag_process_signaled(int64_t status)
{
	return status >= 256 ? (int)(status - 256) : 0;
}

/* Sends it a signal; with own_group, to all in its group.
 *
 * Threads:  any worker
 * Returns:  0, -ESRCH (it has ended), -EINVAL
 * Since:    0.2 */
MAG_API int mag_process_signal(mag_process *process, int number);

/* MAG_AWAIT(rc, mag_process_close_in, &process): closes our end of its standard input: it reads the end of file.
 *
 * Await:    yes; never cut short
 * Threads:  any worker
 * Returns:  as mag_close
 * Since:    0.2 */
MAG_API MAG_OP mag_process_close_in(MAG_OP_ARGS, mag_process *process);

/* MAG_AWAIT(status, mag_process_end, &process): ends it, whatever it is at, and closes the pipes: end of file, SIGTERM (and
 * SIGCONT), after its grace SIGKILL. One that has ended by itself is only reaped. With own_group what is left of its group
 * is killed, unless mag_process_wait has reaped it before.
 *
 * Await:    yes; never cut short, never fails for want of memory
 * Threads:  any worker; no other task waits for it
 * Owns:     the memory is the caller's again
 * Returns:  as mag_process_wait; MAG_ECLOSED: there is none
 * Since:    0.2 */
MAG_API MAG_OP mag_process_end(MAG_OP_ARGS, mag_process *process);

/* The resource of this name, for MAG_USING_BEGIN: there the options are lent until that has returned. */
struct mag_process_enter {
	mag_frame frame;
	MAG_ARGS(mag_process_enter, mag_process *resource; const struct mag_process_options *options;);
	int64_t rc;
};
struct mag_process_exit {
	mag_frame frame;
	MAG_ARGS(mag_process_exit, mag_process *resource; int64_t why;);
	int64_t rc;
};
MAG_API MAG_DECLARE_TASK(mag_process_enter);
MAG_API MAG_DECLARE_TASK(mag_process_exit);

MAGI_C_END

#include <magpie/process_output.h>

#endif
