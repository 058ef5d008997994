/* SPDX-License-Identifier: MIT */
/* test_process.c - src/process/spawn.c, process.c, output.c: programs are started, talked to, awaited, and never left behind. */
#include <fcntl.h>
#include <magpie/sim.h>
#include <unistd.h>

#include "base/fault.h"
#include "unit/play.h"
#include "unit/process.h"

/* Statuses. */

struct one {
	mag_frame frame;
	MAG_ARGS(one, const char *const *argv; int64_t status;);
	mag_process p;
	int64_t rc;
};

MAG_TASK(one)
{
	MAG_BEGIN(one);
	MAG_AWAIT(self->rc, mag_process_spawn, &self->p, OPTIONS(.argv = self->argv));
	NEED(self->rc == 0 && self->p.pid > 0);
	MAG_AWAIT(self->rc, mag_process_wait, &self->p);
	NEED(self->rc == self->status);
	NEED(mag_process_signaled(self->rc) == (self->status > 255 ? SIGKILL : 0));
	MAG_AWAIT(self->rc, mag_process_wait, &self->p);
	NEED(self->rc == self->status);
	MAG_AWAIT(self->rc, mag_process_wait_until, &self->p, 1);
	NEED(self->rc == self->status);
	NEED(mag_process_signal(&self->p, SIGTERM) == -ESRCH);
	MAG_AWAIT(self->rc, mag_process_end, &self->p);
	NEED(self->rc == self->status);
	MAG_AWAIT(self->rc, mag_process_end, &self->p);
	NEED(self->rc == MAG_ECLOSED);
	MAG_AWAIT(self->rc, mag_process_wait, &self->p);
	NEED(self->rc == MAG_ECLOSED);
	NEED(mag_process_signal(&self->p, SIGTERM) == -ESRCH);
	MAG_AWAIT(self->rc, mag_process_close_in, &self->p);
	NEED(self->rc == MAG_ECLOSED);
	MAG_RETURN(0);
	MAG_END;
}

Test(process, says_how_it_has_ended, .timeout = 60)
{
	check(RUN(2, one, .argv = ARGV("true"), .status = 0));
	check(RUN(2, one, .argv = SH("exit 7"), .status = 7));
	check(RUN(2, one, .argv = SH("kill -9 $$"), .status = 256 + SIGKILL));
}

/* What cannot be started. */

struct refused {
	mag_frame frame;
	MAG_ARGS(refused, const struct mag_process_options *options; int64_t want;);
	mag_process p;
	int64_t rc;
};

MAG_TASK(refused)
{
	MAG_BEGIN(refused);
	MAG_AWAIT(self->rc, mag_process_spawn, &self->p, self->options);
	NEED(self->rc == self->want);
	NEED(!self->p.pid && !self->p.in.generation && !self->p.handle.generation);
	MAG_AWAIT(self->rc, mag_process_end, &self->p);
	NEED(self->rc == MAG_ECLOSED);
	MAG_RETURN(0);
	MAG_END;
}

Test(process, that_cannot_be_started_is_the_callers_error, .timeout = 60)
{
	char text[] = "/tmp/magpie_process_XXXXXX";
	int fd = mkstemp(text);

	cr_assert_geq(fd, 0);
	cr_assert_eq(write(fd, "hello", 5), 5);
	check(RUN(1, refused, .options = OPTIONS(.argv = ARGV("/nonexistent/program")), .want = -ENOENT));
	check(RUN(1, refused, .options = OPTIONS(.argv = ARGV("no-such-program-anywhere")), .want = -ENOENT));
	check(RUN(1, refused, .options = OPTIONS(.argv = ARGV("/tmp")), .want = -EACCES));
	check(RUN(1, refused, .options = OPTIONS(.argv = ARGV(text)), .want = -EACCES));
	cr_assert_eq(fchmod(fd, 0700) | close(fd), 0);
	check(RUN(1, refused, .options = OPTIONS(.argv = ARGV(text)), .want = -ENOEXEC));
	check(RUN(1, refused, .options = OPTIONS(.argv = ARGV("true"), .cwd = "/nonexistent"), .want = -ENOENT));
	check(RUN(1, refused, .options = OPTIONS(.argv = ARGV("true"), .cwd = text), .want = -ENOTDIR));
	check(RUN(1, refused, .options = OPTIONS(.argv = ARGV("true"), .out = 1000), .want = -EBADF));
	check(RUN(1, refused, .options = OPTIONS(.argv = ARGV("true"), .out = MAG_STDIO_OUT), .want = -EINVAL));
	check(RUN(1, refused, .options = OPTIONS(.argv = ARGV("true"), .out = -9, .in = MAG_STDIO_PIPE), .want = -EINVAL));
	check(RUN(1, refused, .options = OPTIONS(.argv = ARGV(NULL)), .want = -EINVAL));
	check(RUN(1, refused, .options = OPTIONS(.argv = NULL), .want = -EINVAL));
	check(RUN(1, refused, .options = &(struct mag_process_options){ .size = 1 }, .want = -EINVAL));
	unlink(text);
	cr_assert_eq(mag_sim_run(1, NULL, refused, .options = OPTIONS(.argv = ARGV("true")), .want = -ENOTSUP), 0);
}

/* Pipes. */

struct talk {
	mag_frame frame;
	MAG_NO_ARGS(talk);
	mag_process p;
	mag_scope scope;
	char text[16];
	int64_t rc;
};

MAG_TASK(talk)
{
	MAG_BEGIN(talk);
	MAG_AWAIT(self->rc, mag_process_spawn, &self->p,
		  OPTIONS(.argv = ARGV("cat"), .in = MAG_STDIO_PIPE, .out = MAG_STDIO_PIPE, .err = MAG_STDIO_NULL));
	NEED(self->rc == 0 && self->p.in.generation && self->p.out.generation && !self->p.err.generation);
	MAG_AWAIT(self->rc, mag_write_all, self->p.in, "hello", 5, MAG_OFFSET_NONE, NULL);
	NEED(self->rc == 5);
	MAG_AWAIT(self->rc, mag_read, self->p.out, self->text, sizeof(self->text), MAG_OFFSET_NONE);
	NEED(self->rc == 5 && memcmp(self->text, "hello", 5) == 0);
	MAG_WITH_TIMEOUT(&self->scope, MAG_MILLISECOND);
	MAG_AWAIT(self->rc, mag_read, self->p.out, self->text, sizeof(self->text), MAG_OFFSET_NONE);
	NEED(self->rc == MAG_ECANCELED);
	MAG_AWAIT(self->rc, mag_process_wait, &self->p);
	NEED(self->rc == MAG_ECANCELED);
	MAG_SCOPE_END(self->rc, &self->scope);
	MAG_AWAIT(self->rc, mag_process_wait_until, &self->p, mag_deadline_in(MAG_MILLISECOND));
	NEED(self->rc == MAG_ETIMEDOUT);
	MAG_AWAIT(self->rc, mag_process_close_in, &self->p);
	NEED(self->rc == 0);
	MAG_AWAIT(self->rc, mag_read, self->p.out, self->text, sizeof(self->text), MAG_OFFSET_NONE);
	NEED(self->rc == 0);
	MAG_AWAIT(self->rc, mag_process_wait, &self->p);
	NEED(self->rc == 0);
	MAG_AWAIT(self->rc, mag_process_end, &self->p);
	NEED(self->rc == 0);
	MAG_RETURN(0);
	MAG_END;
}

Test(process, is_talked_to_through_pipes, .timeout = 60)
{
	check(RUN(2, talk));
}

/* Its end: asked, then killed, with its group, reaped whoever is cancelled. */

struct ended {
	mag_frame frame;
	MAG_ARGS(ended, const char *text; uint64_t grace; bool group; int signal; uint64_t least, most;);
	mag_process p;
	char word[8];
	uint64_t began;
	mag_scope scope;
	int64_t rc;
};

MAG_TASK(ended)
{
	MAG_BEGIN(ended);
	MAG_AWAIT(self->rc, mag_process_spawn, &self->p,
		  OPTIONS(.argv = SH(self->text), .in = MAG_STDIO_NULL, .out = MAG_STDIO_PIPE, .grace_ns = self->grace,
				    .own_group = self->group));
	NEED(self->rc == 0);
	MAG_AWAIT(self->rc, mag_read, self->p.out, self->word, sizeof(self->word), MAG_OFFSET_NONE);
	NEED(self->rc == 3);
	self->began = mag_now();
	MAG_SCOPE_BEGIN(&self->scope);
	mag_scope_cancel(&self->scope); /* it is ended all the same */
	MAG_AWAIT(self->rc, mag_process_end, &self->p);
	NEED(mag_process_signaled(self->rc) == self->signal);
	NEED(mag_now() - self->began >= self->least && mag_now() - self->began < self->most);
	MAG_SCOPE_END(self->rc, &self->scope);
	MAG_RETURN(0);
	MAG_END;
}

Test(process, is_asked_to_end_and_killed_when_it_does_not, .timeout = 60)
{
	const uint64_t long_ns = 100 * MAG_SECOND, most = 50 * MAG_SECOND;

	check(RUN(2, ended, .text = "echo up; exec sleep 100", .grace = long_ns, .signal = SIGTERM, .most = most));
	check(RUN(2, ended, .text = "trap 'exit 0' TERM; echo up; while :; do sleep 0.01; done", .grace = long_ns, .signal = 0,
		  .most = most));
	check(RUN(2, ended, .text = "trap '' TERM; echo up; exec sleep 100", .grace = 50 * MAG_MILLISECOND, .signal = SIGKILL,
		  .least = 50 * MAG_MILLISECOND, .most = most));
	check(RUN(2, ended, .text = "echo up; kill -STOP $$", .grace = long_ns, .signal = SIGTERM, .most = most));
}

/* What it has started holds the pipe: with its group swept, that reads the end of file. */
struct group_of {
	mag_frame frame;
	MAG_NO_ARGS(group_of);
	mag_process p;
	int ends[2];
	mag_fd in;
	char word[8];
	int64_t rc;
};

MAG_TASK(group_of)
{
	MAG_BEGIN(group_of);
	NEED(pipe2(self->ends, O_CLOEXEC) == 0);
	MAG_AWAIT(self->rc, mag_process_spawn, &self->p,
		  OPTIONS(.argv = SH("sh -c 'trap \"\" TERM; echo up; sleep 100' & wait"), .out = self->ends[1],
				    .own_group = true));
	NEED(self->rc == 0 && !self->p.out.generation);
	close(self->ends[1]);
	NEED(mag_fd_adopt(self->ends[0], &self->in) == 0);
	MAG_AWAIT(self->rc, mag_read, self->in, self->word, sizeof(self->word), MAG_OFFSET_NONE);
	NEED(self->rc == 3);
	NEED(mag_process_signal(&self->p, SIGHUP) == 0);
	MAG_AWAIT(self->rc, mag_process_end, &self->p);
	NEED(mag_process_signaled(self->rc) == SIGHUP || mag_process_signaled(self->rc) == SIGTERM);
	MAG_AWAIT(self->rc, mag_read, self->in, self->word, sizeof(self->word), MAG_OFFSET_NONE);
	NEED(self->rc == 0);
	MAG_AWAIT(self->rc, mag_close, self->in);
	MAG_RETURN(0);
	MAG_END;
}

Test(process, takes_its_group_along, .timeout = 60)
{
	check(RUN(2, group_of));
}

/* As a resource: whatever ends the body ends it. */

static const char *const exits[] = { "sh", "-c", "exit 3", NULL };
static const char *const sleeps[] = { "sleep", "100", NULL };

struct body {
	mag_frame frame;
	MAG_ARGS(body, bool waits;);
	mag_process p;
	struct mag_process_options options;
	mag_using use;
	mag_scope scope;
	mag_event begun;
	pid_t pid;
	int64_t rc, end;
};

/* Whoever waits is cancelled when the program runs, however long its start takes. */
struct canceller {
	mag_frame frame;
	MAG_ARGS(canceller, mag_event *begun; mag_scope *scope;);
	int64_t rc;
};

MAG_TASK(canceller)
{
	MAG_BEGIN(canceller);
	MAG_AWAIT(self->rc, mag_event_wait, self->begun);
	mag_scope_cancel(self->scope);
	MAG_RETURN(0);
	MAG_END;
}

MAG_TASK(body)
{
	MAG_BEGIN(body);
	mag_event_init(&self->begun);
	MAG_SCOPE_BEGIN(&self->scope);
	if (!self->waits)
		MAG_FORK(canceller, .begun = &self->begun, .scope = &self->scope);
	self->options = *OPTIONS(.argv = self->waits ? exits : sleeps);
	MAG_USING_BEGIN(self->rc, &self->use, mag_process, &self->p, .options = &self->options);
	self->pid = self->p.pid;
	mag_event_set(&self->begun);
	if (self->rc == 0)
		MAG_AWAIT(self->rc, mag_process_wait, &self->p);
	MAG_USING_END(self->end, &self->use, self->rc);
	NEED(self->end == self->rc && self->rc == (self->waits ? 3 : MAG_ECANCELED));
	MAG_SCOPE_END(self->rc, &self->scope);
	NEED(kill(self->pid, 0) == -1);
	NEED(mag_process_signal(&self->p, 0) == -ESRCH);
	MAG_RETURN(0);
	MAG_END;
}

Test(process, is_a_resource, .timeout = 60)
{
	check(RUN(2, body, .waits = true));
	check(RUN(2, body, .waits = false));
}

/* Output. */

struct output {
	mag_frame frame;
	MAG_ARGS(output, const struct mag_process_options *options; const char *input; size_t input_size, limit;
		 int64_t want; const char *out, *err;);
	struct mag_process_output_text text;
	int64_t rc;
};

MAG_TASK(output)
{
	MAG_BEGIN(output);
	MAG_AWAIT(self->rc, mag_process_output, self->options, self->input, self->input_size,
		  self->limit ? self->limit : 1 << 20, &self->text);
	NEED(self->rc == self->want);
	NEED(!self->out || (self->text.out && !strcmp(self->text.out, self->out) && self->text.out_size == strlen(self->out)));
	NEED(!self->err || (self->text.err && !strcmp(self->text.err, self->err)));
	mag_process_output_free(&self->text);
	NEED(!self->text.out && !self->text.err);
	MAG_RETURN(0);
	MAG_END;
}

Test(process, output_is_kept_up_to_a_limit, .timeout = 60)
{
	static char big[300001];
	char expected[64];
	int fd = open("/dev/null", O_RDONLY); /* without close-on-exec */

	memset(big, 'x', sizeof(big) - 1);
	check(RUN(2, output, .options = OPTIONS(.argv = SH("echo one; echo two >&2; exit 5")), .want = 5, .out = "one\n",
		  .err = "two\n"));
	check(RUN(2, output, .options = OPTIONS(.argv = SH("echo one; echo two >&2"), .err = MAG_STDIO_OUT), .want = 0,
		  .out = "one\ntwo\n"));
	check(RUN(2, output, .options = OPTIONS(.argv = SH("cat; cat >&2"), .in = MAG_STDIO_PIPE), .want = 0, .out = "", .err = ""));
	check(RUN(2, output, .options = OPTIONS(.argv = ARGV("cat")), .input = big, .input_size = sizeof(big) - 1, .want = 0,
		  .out = big));
	/* it does not read what it is given */
	check(RUN(2, output, .options = OPTIONS(.argv = ARGV("true")), .input = big, .input_size = sizeof(big) - 1, .want = 0,
		  .out = ""));
	/* it never stops */
	check(RUN(2, output, .options = OPTIONS(.argv = ARGV("yes")), .limit = 10, .want = MAG_ETOOLONG, .out = "y\ny\ny\ny\ny\n"));
	check(RUN(2, output, .options = OPTIONS(.argv = SH("printf 12345")), .limit = 5, .want = 0, .out = "12345"));
	check(RUN(2, output, .options = OPTIONS(.argv = SH("printf 123456")), .limit = 5, .want = MAG_ETOOLONG, .out = "12345"));
	/* where, with what in its environment, and which descriptors */
	check(RUN(2, output, .options = OPTIONS(.argv = SH("pwd; echo $A"), .cwd = "/usr", .env = ARGV("A=b")), .want = 0,
		  .out = "/usr\nb\n"));
	cr_assert_gt(fd, 2);
	snprintf(expected, sizeof(expected), "test ! -e /proc/self/fd/%d && echo none", fd);
	check(RUN(2, output, .options = OPTIONS(.argv = SH(expected)), .want = 0, .out = "none\n"));
	close(fd);
	check(RUN(2, output, .options = OPTIONS(.argv = SH("kill -PIPE $$; echo ignored")), .want = 256 + SIGPIPE));
	check(RUN(1, output, .options = OPTIONS(.argv = ARGV("/nonexistent")), .want = -ENOENT));
	check(RUN(1, output, .options = NULL, .want = -EINVAL));
	check(RUN(1, output, .options = OPTIONS(.argv = ARGV("true")), .input_size = 1, .want = -EINVAL));
}
