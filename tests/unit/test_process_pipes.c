/* SPDX-License-Identifier: MIT */
/* test_process_pipes.c - the pipes to and from a child process when who reads or writes is cancelled: no byte is lost, none is
 * there twice, and none is written that nobody is told of. */
#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "unit/play.h"
#include "unit/process.h"

enum { PAGE = 4096 };

struct pipe_subject {
	struct subject s;
	const struct mag_process_options *options;
	mag_process p;
	int behind;     /* of the pipe that is written to: where the program would read it */
	uint32_t waits; /* atomic */
	uint32_t had;   /* atomic: what the one that waited has got */
	char page[PAGE];
};

static struct pipe_subject *of(struct subject *s)
{
	return (struct pipe_subject *)s;
}

static bool is_ready(mag_fd fd, short events)
{
	struct pollfd p = { .fd = mag_fd_raw(fd), .events = events };

	return poll(&p, 1, 0) == 1 && (p.revents & events);
}

static uint32_t waits(struct subject *s)
{
	return magi_load_acq(&of(s)->waits); /* [waits] */
}

struct enter {
	mag_frame frame;
	MAG_ARGS(enter, struct subject *s;);
	char name[64];
	int64_t rc;
};

/* The program's end of its input, too: what it does not read we do. */
static int open_behind(pid_t pid, char *name, size_t size)
{
	snprintf(name, size, "/proc/%d/fd/0", (int)pid);
	return open(name, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
}

MAG_TASK(enter)
{
	MAG_BEGIN(enter);
	of(self->s)->behind = -1;
	MAG_AWAIT(self->rc, mag_process_spawn, &of(self->s)->p, of(self->s)->options);
	NEED(self->rc == 0);
	if (of(self->s)->p.out.generation)
		MAG_RETURN(0);
	of(self->s)->behind = open_behind(of(self->s)->p.pid, self->name, sizeof(self->name));
	NEED(of(self->s)->behind >= 0);
	NEED(fcntl(of(self->s)->behind, F_SETPIPE_SZ, PAGE) == PAGE);
	NEED(write(mag_fd_raw(of(self->s)->p.in), of(self->s)->page, PAGE) == PAGE);
	MAG_RETURN(0);
	MAG_END;
}
SUBJECT_CALLS(spawn_it, enter)

struct leave {
	mag_frame frame;
	MAG_ARGS(leave, struct subject *s;);
	int64_t rc;
};

MAG_TASK(leave)
{
	MAG_BEGIN(leave);
	if (of(self->s)->behind >= 0)
		close(of(self->s)->behind);
	MAG_AWAIT(self->rc, mag_process_end, &of(self->s)->p);
	NEED(self->rc == 0 || mag_process_signaled(self->rc) == SIGTERM);
	MAG_RETURN(0);
	MAG_END;
}
SUBJECT_CALLS(end_it, leave)

/* Reading: what is written to cat comes back. */

struct read_one {
	mag_frame frame;
	MAG_ARGS(read_one, struct subject *s;);
	char byte;
	int64_t rc;
};

MAG_TASK(read_one)
{
	MAG_BEGIN(read_one);
	magi_add_ar(&of(self->s)->waits, 1u); /* [waits] */
	MAG_AWAIT(self->rc, mag_read, of(self->s)->p.out, &self->byte, 1, MAG_OFFSET_NONE);
	magi_sub_rlx(&of(self->s)->waits, 1u); /* [waits] */
	NEED(self->rc == 1 || self->rc == MAG_ECANCELED);
	if (self->rc == 1)
		magi_store_rel(&of(self->s)->had, 1u); /* [had] */
	MAG_RETURN(self->rc == 1 ? 0 : self->rc);
	MAG_END;
}
SUBJECT_CALLS(wait_read, read_one)

static mag_frame *pipe_read(mag_worker *w, mag_frame *f, struct subject *s, uint64_t *out)
{
	(void)out;
	return wait_read(w, f, s);
}

static void say_one(struct subject *s, mag_worker *w, mag_frame *f)
{
	(void)w;
	(void)f;
	cr_assert_eq(write(mag_fd_raw(of(s)->p.in), "x", 1), 1);
}

static bool has_come(struct subject *s)
{
	return magi_load_acq(&of(s)->had) || is_ready(of(s)->p.out, POLLIN); /* [had] */
}

static bool take_left(struct subject *s, mag_worker *w, mag_frame *f)
{
	bool left = is_ready(of(s)->p.out, POLLIN);
	char byte[2];

	(void)w;
	(void)f;
	magi_store_rel(&of(s)->had, 0u); /* [had] */
	return left && read(mag_fd_raw(of(s)->p.out), byte, 2) == 1 && byte[0] == 'x';
}

static const char *const echoes[] = { "cat", NULL };
static const char *const sleeps[] = { "sleep", "1000", NULL };

static const struct mag_process_options echo = { .size = sizeof(echo), .argv = echoes, .in = MAG_STDIO_PIPE,
						 .out = MAG_STDIO_PIPE };
static const struct mag_process_options deaf = { .size = sizeof(deaf), .argv = sleeps, .in = MAG_STDIO_PIPE };

static void make_read(struct pipe_subject *p)
{
	*p = (struct pipe_subject){
		.s = { .wait = pipe_read, .give = say_one, .settled = has_come, .reset = take_left, .enter = spawn_it,
		       .leave = end_it, .waits = waits, .late = true },
		.options = &echo,
	};
}

/* Tried: a read whose bytes are dropped because its task was cancelled meanwhile. */
Test(process_pipes, cancelled_read_has_taken_nothing, .timeout = 60)
{
	for (int i = 0; i < 5; i++) {
		MATRIX_CASES_ON(1, struct pipe_subject, make_read);
		MATRIX_CASES(struct pipe_subject, make_read);
	}
	check(0);
}

/* Writing: a page at a time to a pipe that holds one, and is full. */

struct write_one {
	mag_frame frame;
	MAG_ARGS(write_one, struct subject *s;);
	int64_t rc;
};

MAG_TASK(write_one)
{
	MAG_BEGIN(write_one);
	magi_add_ar(&of(self->s)->waits, 1u); /* [waits] */
	MAG_AWAIT(self->rc, mag_write, of(self->s)->p.in, of(self->s)->page, PAGE, MAG_OFFSET_NONE);
	magi_sub_rlx(&of(self->s)->waits, 1u); /* [waits] */
	NEED(self->rc == PAGE || self->rc == MAG_ECANCELED);
	MAG_RETURN(self->rc == PAGE ? 0 : self->rc);
	MAG_END;
}
SUBJECT_CALLS(wait_write, write_one)

static mag_frame *pipe_write(mag_worker *w, mag_frame *f, struct subject *s, uint64_t *out)
{
	(void)out;
	return wait_write(w, f, s);
}

static void read_page(struct subject *s, mag_worker *w, mag_frame *f)
{
	char page[PAGE];

	(void)w;
	(void)f;
	cr_assert_eq(read(of(s)->behind, page, PAGE), PAGE);
}

/* Whether there is room for a page, which it fills: all of it, or none. */
static bool fill_up(struct subject *s, mag_worker *w, mag_frame *f)
{
	int bytes = -1;
	bool room;

	(void)w;
	(void)f;
	cr_assert_eq(ioctl(of(s)->behind, FIONREAD, &bytes), 0);
	room = bytes == 0;
	cr_assert(room || bytes == PAGE, "%d", bytes);
	cr_assert(!room || write(mag_fd_raw(of(s)->p.in), of(s)->page, PAGE) == PAGE);
	return room;
}

static void make_write(struct pipe_subject *p)
{
	*p = (struct pipe_subject){
		.s = { .wait = pipe_write, .give = read_page, .reset = fill_up, .enter = spawn_it, .leave = end_it,
		       .waits = waits, .late = true },
		.options = &deaf,
	};
}

/* Tried: a write that is told as cancelled although it was done. */
Test(process_pipes, cancelled_write_has_written_nothing, .timeout = 60)
{
	for (int i = 0; i < 5; i++) {
		MATRIX_CASES_ON(1, struct pipe_subject, make_write);
		MATRIX_CASES(struct pipe_subject, make_write);
	}
	check(0);
}

Test(process_pipes, written_and_cancelled_at_once_is_one_of_both, .timeout = 120)
{
	MATRIX_SOME_RACES(struct pipe_subject, make_write, 1000 / PLAY_SLOWDOWN);
	check(0);
}
