/* SPDX-License-Identifier: MIT */
/* test_epoll_fifo.c - opening a FIFO on epoll: it waits for its other end in a thread, and can be cancelled. */
#include <linux/openat2.h>
#include <pthread.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "support/refuse.h"
#include "unit/epoll_io.h"

struct fifo {
	char path[80];
	struct open_how how;
	pthread_t thread;
	struct magi_epoll *u;
	long refuse; /* a system call that its thread cannot make, or -1; and the error */
	int error;
};

struct job {
	struct fifo *fifo;
	int64_t (*fn)(void *arg);
	void *arg;
};

static void *work(void *arg)
{
	struct job job = *(struct job *)arg;

	free(arg);
	if (job.fifo->refuse >= 0)
		refuse(job.fifo->refuse, job.fifo->error);
	job.fn(job.arg);
	return NULL;
}

/* One at a time. */
static int punt(void *ctx, int64_t (*fn)(void *arg), void *arg)
{
	struct fifo *f = ctx;
	struct job *job = malloc(sizeof(*job));

	*job = (struct job){ f, fn, arg };
	return -pthread_create(&f->thread, NULL, work, job);
}

static void begin(struct fifo *f, uint64_t flags)
{
	*f = (struct fifo){ .how = { .flags = flags | O_CLOEXEC }, .refuse = -1 };
	snprintf(f->path, sizeof(f->path), "/tmp/magpie-fifo-%d", (int)getpid());
	cr_assert_eq(mkfifo(f->path, 0600), 0);
	f->u = open_io(&(struct magi_io_params){ .punt = punt, .punt_ctx = f });
}

static void ask(struct fifo *f)
{
	submit(f->u, (struct magi_req){ .code = MAGI_IO_OPEN, .fd = AT_FDCWD, .addr = f->path, .addr2 = &f->how,
					.token = 1 });
}

static int answer(struct fifo *f)
{
	int res = result_of(f->u, 1);

	pthread_join(f->thread, NULL);
	return res;
}

static void end(struct fifo *f)
{
	close_io(f->u);
	unlink(f->path);
}

/* Nothing comes for so long that the looks are as far apart as they ever get. */
static void expect_patience(struct fifo *f)
{
	struct magi_rec rec;

	cr_assert_eq(poll_io(f->u, 60 * MAGI_NS_PER_MS, &rec, 1), 0);
}

Test(epoll_fifo, a_writer_waits_for_a_reader, .timeout = 20)
{
	struct fifo f;
	int reader, writer;

	begin(&f, O_WRONLY);
	ask(&f);
	expect_patience(&f);
	reader = open(f.path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	writer = answer(&f);
	cr_assert(writer >= 0 && reader >= 0);
	cr_assert(!(fcntl(writer, F_GETFL) & O_NONBLOCK));
	close(reader);
	close(writer);
	end(&f);
}

Test(epoll_fifo, a_reader_does_not_wait_when_something_is_there, .timeout = 20)
{
	struct fifo f;
	int both, reader;
	char byte;

	begin(&f, O_RDONLY);
	both = open(f.path, O_RDWR | O_CLOEXEC);
	cr_assert_eq(write(both, "x", 1), 1);
	ask(&f);
	reader = answer(&f);
	cr_assert(reader >= 0 && read(reader, &byte, 1) == 1 && byte == 'x', "nothing was taken");
	close(reader);
	close(both);
	end(&f);
}

/* The next descriptor: the same again when none has leaked. */
static int next_fd(void)
{
	int fd = dup(0);

	close(fd);
	return fd;
}

static void cancelled(uint64_t flags)
{
	struct fifo f;
	int next;

	begin(&f, flags);
	next = next_fd();
	ask(&f);
	expect_silence(f.u);
	while (flags == O_RDONLY && fcntl(next, F_GETFD) < 0)
		sched_yield(); /* it has not begun to wait */
	ops->cancel((struct magi_io *)f.u, 1);
	cr_assert_eq(answer(&f), -ECANCELED);
	cr_assert_eq(next_fd(), next, "a descriptor is left");
	end(&f);
}

Test(epoll_fifo, who_waits_for_a_reader_can_be_cancelled, .timeout = 20)
{
	cancelled(O_WRONLY);
}

Test(epoll_fifo, who_waits_for_a_writer_can_be_cancelled, .timeout = 20)
{
	cancelled(O_RDONLY);
}

Test(epoll_fifo, who_needs_no_other_end_does_not_wait, .timeout = 20)
{
	static const uint64_t flags[] = { O_RDWR, O_RDONLY | O_NONBLOCK, O_PATH };
	struct fifo f;

	begin(&f, 0);
	for (int i = 0; i < 3; i++) {
		int fd;

		f.how.flags = flags[i] | O_CLOEXEC;
		ask(&f);
		fd = answer(&f);
		cr_assert(fd >= 0, "%d: %d", i, fd);
		close(fd);
	}
	end(&f);
}

Test(epoll_fifo, a_link_to_one_is_followed_unless_it_is_not_to_be, .timeout = 20)
{
	struct fifo f;
	char name[80], link[80];
	int both, fd;

	begin(&f, O_RDONLY | O_NOFOLLOW);
	snprintf(link, sizeof(link), "/tmp/magpie-fifo-link-%d", (int)getpid());
	cr_assert_eq(symlink(f.path, link), 0);
	both = open(f.path, O_RDWR | O_CLOEXEC);
	strcpy(name, f.path);
	strcpy(f.path, link);
	ask(&f);
	cr_assert_eq(answer(&f), -ELOOP);
	f.how.flags = O_RDONLY | O_CLOEXEC;
	ask(&f);
	fd = answer(&f);
	cr_assert(fd >= 0);
	close(fd);
	close(both);
	unlink(name);
	end(&f);
}

Test(epoll_fifo, what_fails_for_another_reason_is_told, .timeout = 20)
{
	struct rlimit few = { 0 }, before;
	struct fifo f;

	begin(&f, O_RDONLY);
	getrlimit(RLIMIT_NOFILE, &before);
	few.rlim_max = before.rlim_max;
	setrlimit(RLIMIT_NOFILE, &few);
	ask(&f);
	cr_assert_eq(answer(&f), -EMFILE);
	setrlimit(RLIMIT_NOFILE, &before);
	end(&f);
}

static void refused(long call, int error, int says)
{
	struct fifo f;
	int next;

	begin(&f, O_RDONLY);
	next = next_fd();
	f.refuse = call;
	f.error = error;
	ask(&f);
	cr_assert_eq(answer(&f), says);
	cr_assert_eq(next_fd(), next, "a descriptor is left");
	end(&f);
}

#ifdef SYS_poll
Test(epoll_fifo, a_look_that_fails_is_told, .timeout = 20)
{
	refused(SYS_poll, ENOMEM, -ENOMEM);
}
#endif

Test(epoll_fifo, a_look_that_finds_no_descriptors_is_told, .timeout = 20)
{
	refused(SYS_pipe2, EMFILE, -EMFILE);
}

Test(epoll_fifo, without_a_way_to_look_it_waits_for_the_first_byte, .timeout = 20)
{
	struct fifo f;
	int reader, writer;

	begin(&f, O_RDONLY);
	f.refuse = SYS_tee;
	f.error = ENOSYS;
	ask(&f);
	expect_silence(f.u);
	while ((writer = open(f.path, O_WRONLY | O_NONBLOCK | O_CLOEXEC)) < 0)
		sched_yield(); /* it has not been opened for reading yet */
	expect_patience(&f);
	cr_assert_eq(write(writer, "x", 1), 1);
	reader = answer(&f);
	cr_assert_geq(reader, 0);
	close(reader);
	close(writer);
	end(&f);
}
