/* SPDX-License-Identifier: MIT */
/* 25_bridges.c - from plain C to tasks and back: a plain function as an async one; tasks started by a plain thread; a
 * runtime in the event loop of a program that has one already. */
#include <errno.h>
#include <magpie/magpie.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Plain functions become async ones. The first computes; stat(2) waits for a disk, and says in errno why it fails. */

static double area(double from, double to, long steps)
{
	double sum = 0, step = (to - from) / (double)steps;

	for (long i = 0; i < steps; i++)
		sum += (from + ((double)i + 0.5) * step) * step;
	return sum;
}

MAG_WRAP(area_async, MAG_COMPUTE, double, area, (double, from), (double, to), (long, steps))
MAG_WRAP_ERRNO(stat_async, MAG_BLOCKING | MAG_KIND_FILE, stat, (const char *, path), (struct stat *, st))

struct wrapped {
	mag_frame frame;
	MAG_NO_ARGS(wrapped);
	struct stat st;
	double area;
	int64_t rc, missing;
};

MAG_TASK(wrapped)
{
	MAG_BEGIN(wrapped);
	MAG_FORK(area_async, .from = 0, .to = 2, .steps = 100000, .result = &self->area); /* both at once */
	MAG_CALL(self->missing, stat_async, .path = "/there/is/none", .st = &self->st);
	MAG_JOIN(self->rc);
	if (self->rc < 0)
		MAG_RETURN(self->rc);
	printf("area %.3f; stat: %s\n", self->area, mag_strerror(self->missing));
	MAG_RETURN(self->area > 1.99 && self->area < 2.01 && self->missing == -ENOENT ? 0 : -EPROTO);
	MAG_END;
}

/* A task that anybody starts. */
struct later {
	mag_frame frame;
	MAG_ARGS(later, int64_t number;);
	int64_t rc;
};

MAG_TASK(later)
{
	MAG_BEGIN(later);
	MAG_AWAIT(self->rc, mag_sleep, 5 * MAG_MILLISECOND);
	MAG_RETURN(self->rc < 0 ? self->rc : self->number * self->number);
	MAG_END;
}

/* A plain thread starts it, and waits as it would for anything. */
static int64_t from_a_thread(void)
{
	mag_runtime *rt;
	mag_future answer;
	int64_t result;
	int rc = mag_runtime_create(NULL, &rt);

	if (rc < 0)
		return rc;
	mag_future_init(&answer);
	result = mag_spawn_from(rt, &answer, later, .number = 6);
	if (result == 0)
		mag_future_wait(&answer, &result, MAG_NEVER);
	mag_future_fini(&answer);
	mag_runtime_destroy(rt, mag_deadline_in(5 * MAG_SECOND));
	return result;
}

/* An event loop as programs have one: it waits for a pipe, and now for magpie, too. */

static int wait_ms(const mag_runtime *rt)
{
	uint64_t at = mag_hosted_deadline(rt), now = mag_now();

	if (at == MAG_NEVER)
		return -1;
	return at <= now ? 0 : (int)((at - now) / MAG_MILLISECOND) + 1;
}

static int64_t loop(mag_runtime *rt, int own, mag_future *answer)
{
	struct pollfd fds[] = { { .fd = own, .events = POLLIN }, { .fd = mag_hosted_fd(rt), .events = POLLIN } };
	int64_t result, bytes = 0;
	char buf[8];

	while (!mag_future_poll(answer, &result) || !bytes) {
		poll(fds, 2, wait_ms(rt));
		if (fds[0].revents)
			bytes += read(own, buf, sizeof(buf)); /* the loop's own event */
		mag_hosted_turn(rt);
	}
	return result;
}

static int64_t in_a_loop(void)
{
	int64_t result = -errno;
	mag_future answer;
	mag_runtime *rt;
	int ends[2], rc;

	if (pipe(ends) < 0)
		return -errno;
	rc = mag_hosted_create(NULL, &rt);
	if (rc < 0)
		return rc;
	mag_future_init(&answer);
	result = mag_spawn_from(rt, &answer, later, .number = 7);
	if (result == 0 && write(ends[1], "own", 3) == 3)
		result = loop(rt, ends[0], &answer);
	mag_runtime_destroy(rt, mag_deadline_in(5 * MAG_SECOND)); /* before the future goes, which it may complete */
	mag_future_fini(&answer);
	close(ends[0]);
	close(ends[1]);
	return result;
}

int main(void)
{
	int64_t rc = mag_run(NULL, wrapped), thread, hosted;

	if (rc < 0) {
		fprintf(stderr, "25_bridges: %s %s\n", mag_strerror(rc), mag_runtime_why());
		return 1;
	}
	thread = from_a_thread();
	hosted = in_a_loop();
	printf("a thread was given %lld, an event loop %lld\n", (long long)thread, (long long)hosted);
	return thread != 36 || hosted != 49;
}
