/* SPDX-License-Identifier: MIT */
/* test_file_threads.c - operations on files that block in a thread of the kernel: what their await gives.
 *
 * Opening a FIFO waits for the other end; with O_CREAT the kernel does it in a thread from the start. On epoll a thread of
 * the blocking lane waits. */
#include "net_run.h"

#include <magpie/file.h>
#include <sched.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/client.h"
#include "support/kernel_threads.h"

enum { OPENS = 6, BLOCKED = 4 }; /* on io_uring the others wait for a thread */

static char folder[64], fifo[80];

static void make_fifo(void)
{
	snprintf(folder, sizeof(folder), "/tmp/magpie-fifo-XXXXXX");
	cr_assert(mkdtemp(folder));
	snprintf(fifo, sizeof(fifo), "%s/fifo", folder);
	cr_assert(mkfifo(fifo, 0600) == 0);
}

static void remove_fifo(void)
{
	unlink(fifo);
	rmdir(folder);
}

TestSuite(file_threads, .init = make_fifo, .fini = remove_fifo, .timeout = 30);

#define RUN_ALONE(...)                                                                                      \
	do {                                                                                                \
		const mag_runtime_options alone = { .size = sizeof(alone), .workers = 1 };                  \
		int64_t run_rc = mag_run(&alone, __VA_ARGS__);                                              \
		cr_assert(run_rc == 0, "%lld %s %s", (long long)run_rc, mag_errname(run_rc), mag_runtime_why()); \
	} while (0)

/* Opens the FIFO, from the current folder or below another, and leaves what the await gave. */
struct opener {
	mag_frame frame;
	MAG_ARGS(opener, mag_fd dir; int64_t *gave;);
	mag_fd fd;
	int64_t rc;
};

MAG_TASK(opener)
{
	MAG_BEGIN(opener);
	MAG_AWAIT(*self->gave, mag_open_at, self->dir, self->dir.generation ? "fifo" : fifo, O_RDONLY | O_CREAT, 0600,
		  0, &self->fd);
	if (*self->gave == 0)
		MAG_AWAIT(self->rc, mag_close, self->fd);
	MAG_RETURN(0);
	MAG_END;
}

struct cancelled {
	mag_frame frame;
	MAG_ARGS(cancelled, bool beneath;);
	mag_group group;
	mag_fd dir;
	int64_t gave[OPENS], rc;
	int i, waited, before, threads;
};

MAG_TASK(cancelled)
{
	MAG_BEGIN(cancelled);
	self->dir = MAG_CWD;
	if (self->beneath)
		MAG_AWAIT(self->rc, mag_open, folder, O_RDONLY | O_DIRECTORY, 0, &self->dir);
	self->before = client_descriptors();
	MAG_GROUP_BEGIN(&self->group);
	for (self->i = 0; self->i < OPENS; self->i++)
		MAG_SPAWN(self->rc, &self->group, opener, .dir = self->dir, .gave = &self->gave[self->i]);
	self->threads = strcmp(mag_runtime_backend(mag_runtime_current()), "uring") == 0 ? BLOCKED : OPENS;
	WAIT_UNTIL(self->rc, kernel_threads() == self->threads);
	mag_group_cancel(&self->group);
	MAG_GROUP_END(self->rc, &self->group);
	for (self->i = 0; self->i < OPENS; self->i++)
		CHECK_EQ(self->gave[self->i], MAG_ECANCELED);
	CHECK_EQ(client_descriptors(), self->before);
	if (self->beneath)
		MAG_AWAIT(self->rc, mag_close, self->dir);
	CHECK_EQ(open_files(), 0);
	MAG_RETURN(0);
	MAG_END;
}

/* Tried: EINTR taken for a cancel only where there is a file: the await gives it. */
Test(file_threads, a_cancelled_open_says_that_it_was_cancelled)
{
	RUN_ALONE(cancelled, .beneath = false);
	RUN_ALONE(cancelled, .beneath = true);
}

/* Stops this process, as Ctrl-Z does, and lets it go on. */
static void stop_and_go_on(void)
{
	char script[128];
	char *argv[] = { (char[]){ "sh" }, (char[]){ "-c" }, script, NULL };
	char *none[] = { NULL };
	pid_t shell;
	int status;

	snprintf(script, sizeof(script), "kill -STOP %d; sleep 0.05; kill -CONT %d", (int)getpid(), (int)getpid());
	cr_assert_eq(posix_spawn(&shell, "/bin/sh", NULL, NULL, argv, none), 0);
	while (waitpid(shell, &status, 0) < 0)
		cr_assert_eq(errno, EINTR);
	cr_assert_eq(status, 0);
}

/* All that blocks in the kernel's threads ends with EINTR then. Tried: the await gives that. */
Test(file_threads, an_open_goes_on_when_the_process_was_stopped)
{
	const mag_runtime_options alone = { .size = sizeof(alone), .workers = 1 };
	mag_runtime *rt;
	mag_future done;
	int64_t gave = 1, rc;
	int writer;

	cr_assert_eq(mag_runtime_create(&alone, &rt), 0, "%s", mag_runtime_why());
	mag_future_init(&done);
	cr_assert_eq(mag_spawn_from(rt, &done, opener, .dir = MAG_CWD, .gave = &gave), 0);
	while (kernel_threads() < 1)
		sched_yield();
	stop_and_go_on();
	do
		writer = open(fifo, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
	while (writer < 0 && errno == ENXIO && !mag_future_poll(&done, &rc));
	cr_assert_eq(mag_future_wait(&done, &rc, MAG_NEVER), 0);
	mag_future_fini(&done);
	cr_assert_eq(gave, 0, "%lld", (long long)gave);
	cr_assert(writer >= 0);
	close(writer);
	ledger_closes(rt);
	cr_assert_eq(mag_runtime_destroy(rt, mag_deadline_in(10 * MAG_SECOND)), 0);
}
