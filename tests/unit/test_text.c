/* SPDX-License-Identifier: MIT */
/* test_text.c - src/task/text.c: lines that are written down first and out later. */
#include "task/text.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"

Test(text, what_does_not_fit_is_left_out_whole, .timeout = 5)
{
	struct magi_text t;

	cr_assert_eq(magi_text_begin(&t, 10), 0);
	magi_text_add(&t, "%s", "12345");
	cr_assert_not(t.full);
	magi_text_add(&t, "%s", "67890");
	cr_assert(t.full && t.used == 5);
	magi_text_add(&t, "6");
	cr_assert(t.used == 5, "nothing comes behind a gap");
	magi_text_end(&t);
}

Test(text, without_memory_there_is_none, .timeout = 5)
{
	struct magi_text t;

	magi_fault_plan(1, 0);
	cr_assert_eq(magi_text_begin(&t, 10), -ENOMEM);
	magi_fault_plan(0, 0);
}

Test(text, times_have_the_unit_that_suits_them, .timeout = 5)
{
	struct magi_text t;

	cr_assert_eq(magi_text_begin(&t, 100), 0);
	magi_text_ns(&t, 999 * MAGI_NS_PER_MS);
	magi_text_add(&t, ", ");
	magi_text_ns(&t, 1500 * MAGI_NS_PER_MS);
	magi_text_add(&t, ", ");
	magi_text_ns(&t, 125 * MAGI_NS_PER_S);
	cr_assert_str_eq(t.at, "999 ms, 1.5 s, 2 min 5 s");
	magi_text_end(&t);
}

Test(text, a_write_that_fails_says_so, .timeout = 5)
{
	struct magi_text t;
	int fds[2];

	signal(SIGPIPE, SIG_IGN);
	cr_assert_eq(pipe2(fds, O_CLOEXEC), 0);
	cr_assert_eq(magi_text_begin(&t, 100), 0);
	magi_text_add(&t, "words");
	close(fds[0]);
	cr_assert_eq(magi_text_write(&t, fds[1], -1), -EPIPE);
	close(fds[1]);
	magi_text_end(&t);
}

static void nothing(int number)
{
	(void)number;
}

struct pipe_end {
	int fd;
	pthread_t writer;
	size_t got;
};

/* Interrupts the writer, who waits for room, and then makes some. */
static void *read_all(void *arg)
{
	struct pipe_end *end = arg;
	char bytes[4096];
	ssize_t n;

	for (;;) {
		pthread_kill(end->writer, SIGUSR1);
		n = read(end->fd, bytes, sizeof(bytes));
		if (n <= 0)
			return NULL;
		end->got += (size_t)n;
	}
}

Test(text, signals_and_short_writes_lose_nothing, .timeout = 20)
{
	enum { SIZE = 1 << 20 };
	struct sigaction action = { .sa_handler = nothing };
	struct pipe_end end = { .writer = pthread_self() };
	struct magi_text t;
	pthread_t reader;
	int fds[2];

	sigaction(SIGUSR1, &action, NULL);
	cr_assert_eq(pipe2(fds, O_CLOEXEC), 0);
	cr_assert_eq(magi_text_begin(&t, SIZE), 0);
	magi_text_add(&t, "%*s", SIZE - 1, "end");
	end.fd = fds[0];
	pthread_create(&reader, NULL, read_all, &end);
	cr_assert_eq(magi_text_write(&t, fds[1], -1), 0);
	close(fds[1]);
	pthread_join(reader, NULL);
	cr_assert_eq(end.got, SIZE - 1);
	close(fds[0]);
	magi_text_end(&t);
}

/* Tried: a write that waits for ever. */
Test(text, nobody_is_waited_for_longer_than_asked, .timeout = 20)
{
	enum { SIZE = 1 << 20 };
	struct magi_text t;
	int fds[2];

	cr_assert_eq(pipe2(fds, O_CLOEXEC), 0);
	cr_assert_eq(magi_text_begin(&t, SIZE), 0);
	magi_text_add(&t, "%*s", SIZE - 1, "end");
	cr_assert_eq(magi_text_write(&t, fds[1], 10), -ETIMEDOUT);
	close(fds[0]);
	close(fds[1]);
	magi_text_end(&t);
}
