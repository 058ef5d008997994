/* SPDX-License-Identifier: MIT */
/* spawn.c - from options to a running program and the descriptors that lead to it.
 *
 * Who:     a thread of the blocking lane.
 * Always:  each descriptor is made with close-on-exec; the child's are above 2 until they are put in their places, so that
 *          none of them is overwritten before its turn. The child has 0, 1, 2 and nothing else.
 *          Whatever fails is told by the call that starts it: posix_spawn waits until the program has replaced us.
 * Not:     fork (it copies the page tables of a large program, and takes the locks of others along); SIGCHLD (one handler
 *          a process, and signals fall together). */
#include "process/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"

enum { FIRST_FREE = 3 };

/* What the child gets; -1: as it is. */
struct child {
	int fds[3];
	int cwd;
};

static void close_one(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

/* Options. */

struct packer {
	char *at; /* NULL: counts only */
	size_t used;
};

static char *pack(struct packer *to, const void *bytes, size_t size)
{
	char *at = to->at ? to->at + to->used : NULL;

	if (at)
		memcpy(at, bytes, size);
	to->used += size;
	return at;
}

/* The array first, which must lie at a multiple of a pointer's size. */
static const char *const *pack_list(struct packer *to, const char *const *list)
{
	const char **copy;
	size_t n = 0;

	if (!list)
		return NULL;
	while (list[n])
		n++;
	to->used = (to->used + sizeof(char *) - 1) / sizeof(char *) * sizeof(char *);
	copy = (const char **)(void *)pack(to, list, (n + 1) * sizeof(*list));
	for (size_t i = 0; i < n; i++) {
		const char *text = pack(to, list[i], strlen(list[i]) + 1);

		if (copy)
			copy[i] = text;
	}
	return copy;
}

static size_t pack_all(const struct mag_process_options *o, struct mag_process_options *copy)
{
	struct packer to = { .at = (char *)copy, .used = sizeof(*copy) };
	struct mag_process_options packed = *o;

	packed.argv = pack_list(&to, o->argv);
	packed.env = pack_list(&to, o->env);
	packed.cwd = o->cwd ? pack(&to, o->cwd, strlen(o->cwd) + 1) : NULL;
	if (copy)
		*copy = packed;
	return to.used;
}

struct mag_process_options *magi_process_options_copy(const struct mag_process_options *o)
{
	struct mag_process_options *copy = magi_alloc(pack_all(o, NULL));

	if (copy)
		pack_all(o, copy);
	return copy;
}

/* The same file above 2. */
static int lift(int fd)
{
	int high = fd < FIRST_FREE ? fcntl(fd, F_DUPFD_CLOEXEC, FIRST_FREE) : fd;

	if (high < 0)
		high = -errno;
	if (high != fd)
		close(fd);
	return high;
}

static int open_high(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC);

	return fd < 0 ? -errno : lift(fd);
}

/* A pipe: the child's end to *theirs, ours to *ours. */
static int make_pipe(bool child_reads, int *theirs, int *ours)
{
	int fds[2];

	if (pipe2(fds, O_CLOEXEC) < 0)
		return -errno;
	*theirs = lift(fds[child_reads ? 0 : 1]);
	*ours = lift(fds[child_reads ? 1 : 0]);
	if (*theirs >= 0 && *ours >= 0)
		return 0;
	return *theirs < 0 ? *theirs : *ours;
}

static int make_one(int how, int number, struct child *child, struct magi_spawn_job *job)
{
	int *theirs = &child->fds[number];

	if (how == MAG_STDIO_INHERIT)
		return 0;
	if (how == MAG_STDIO_PIPE)
		return make_pipe(number == 0, theirs, &job->fds[number]);
	if (how == MAG_STDIO_NULL)
		*theirs = open_high("/dev/null", O_RDWR);
	else if (how > 0)
		*theirs = fcntl(how, F_DUPFD_CLOEXEC, FIRST_FREE);
	else if (how == MAG_STDIO_OUT && number == 2)
		*theirs = fcntl(child->fds[1] >= 0 ? child->fds[1] : STDOUT_FILENO, F_DUPFD_CLOEXEC, FIRST_FREE);
	else
		return -EINVAL;
	return *theirs >= 0 ? 0 : *theirs == -1 ? -errno : *theirs;
}

static int make_all(struct child *child, struct magi_spawn_job *job)
{
	const struct mag_process_options *o = job->options;
	const int how[3] = { o->in, o->out, o->err };
	int rc = 0;

	for (int i = 0; i < 3 && rc == 0; i++)
		rc = make_one(how[i], i, child, job);
	if (rc == 0 && o->cwd) {
		child->cwd = open_high(o->cwd, O_PATH | O_DIRECTORY);
		rc = child->cwd < 0 ? child->cwd : 0;
	}
	return rc;
}

/* What the child does before it is the program. */
static int plan_files(posix_spawn_file_actions_t *actions, const struct child *child)
{
	int rc = child->cwd >= 0 ? posix_spawn_file_actions_addfchdir_np(actions, child->cwd) : 0;

	for (int i = 0; i < 3 && rc == 0; i++) {
		if (child->fds[i] >= 0)
			rc = posix_spawn_file_actions_adddup2(actions, child->fds[i], i);
	}
#if defined(__GLIBC_PREREQ)
#if __GLIBC_PREREQ(2, 34)
	if (rc == 0)
		rc = posix_spawn_file_actions_addclosefrom_np(actions, FIRST_FREE);
#endif
#endif
	return -rc;
}

static int plan_state(posix_spawnattr_t *attr, const struct mag_process_options *o)
{
	short flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | (o->own_group ? POSIX_SPAWN_SETPGROUP : 0);
	sigset_t none, usual;

	sigemptyset(&none);
	sigemptyset(&usual);
	sigaddset(&usual, SIGPIPE); /* what is ignored stays so over an exec; handlers do not */
	posix_spawnattr_setsigmask(attr, &none);
	posix_spawnattr_setsigdefault(attr, &usual);
	posix_spawnattr_setpgroup(attr, 0);
	return -posix_spawnattr_setflags(attr, flags);
}

static int run(struct magi_spawn_job *job, const struct child *child)
{
	const struct mag_process_options *o = job->options;
	char *const *argv = (char *const *)(uintptr_t)o->argv;
	char *const *env = o->env ? (char *const *)(uintptr_t)o->env : environ;
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attr;
	int rc = -posix_spawn_file_actions_init(&actions);

	if (rc < 0)
		return rc;
	rc = -posix_spawnattr_init(&attr);
	if (rc == 0) {
		rc = plan_files(&actions, child);
		if (rc == 0)
			rc = plan_state(&attr, o);
		if (rc == 0)
			rc = -posix_spawnp(&job->pid, argv[0], &actions, &attr, argv, env);
		posix_spawnattr_destroy(&attr);
	}
	posix_spawn_file_actions_destroy(&actions);
	return rc;
}

static int pidfd_of(pid_t pid)
{
	int fd = (int)syscall(SYS_pidfd_open, pid, 0);

	return fd < 0 ? -errno : fd;
}

/* Before anything is started: whether this kernel has them, and there is room for one. */
static int try_pidfd(void)
{
	int fd = pidfd_of(getpid());

	if (fd >= 0)
		close(fd);
	return fd < 0 ? fd : 0;
}

/* No such process any more; kernels differ in how they say so, and the call itself is right. */
static bool is_gone(int rc)
{
	return rc == -ESRCH || rc == -EINVAL || rc == -ENOENT;
}

static void close_ours(struct magi_spawn_job *job)
{
	for (int i = 0; i < 3; i++)
		close_one(&job->fds[i]);
	close_one(&job->handle);
}

void magi_process_undo(struct magi_spawn_job *job)
{
	/* where somebody else has reaped it (SIGCHLD is ignored) the number may be another's by now */
	if (waitpid(job->pid, NULL, WNOHANG) == 0 && kill(job->pid, SIGKILL) == 0) {
		while (waitpid(job->pid, NULL, 0) < 0 && errno == EINTR)
			;
	}
	close_ours(job);
}

int64_t magi_process_start(void *arg)
{
	struct magi_spawn_job *job = arg;
	struct child child = { .fds = { -1, -1, -1 }, .cwd = -1 };
	int rc = try_pidfd();

	if (rc == 0)
		rc = make_all(&child, job);
	if (rc == 0)
		rc = run(job, &child);
	for (int i = 0; i < 3; i++)
		close_one(&child.fds[i]);
	close_one(&child.cwd);
	if (rc < 0) {
		close_ours(job);
		return rc;
	}
	job->handle = pidfd_of(job->pid); /* we have not reaped it: the number is still its own */
	if (job->handle < 0) {
		rc = is_gone(job->handle) ? -ECHILD : job->handle;
		job->handle = -1;
		magi_process_undo(job);
	}
	return rc;
}

int64_t magi_process_reap(int handle)
{
	siginfo_t info = { 0 };

	if (waitid((idtype_t)P_PIDFD, (id_t)handle, &info, WEXITED | WNOHANG) < 0)
		return -errno;
	if (!info.si_pid)
		return -EAGAIN;
	return info.si_code == CLD_EXITED ? info.si_status : 256 + info.si_status;
}
