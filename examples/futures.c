/* SPDX-License-Identifier: MIT */
/* futures.c - between threads and tasks: a thread starts tasks and waits for them; a task waits for a thread. */
#include <magpie/magpie.h>
#include <pthread.h>
#include <stdio.h>

enum { TASKS = 4 };

/* What a thread asks of the runtime. */
struct square {
	mag_frame frame;
	MAG_ARGS(square, int64_t number;);
	int64_t rc;
};

MAG_TASK(square)
{
	MAG_BEGIN(square);
	MAG_AWAIT(self->rc, mag_sleep, 5 * MAG_MILLISECOND);
	if (self->rc < 0)
		MAG_RETURN(self->rc);
	MAG_RETURN(self->number * self->number);
	MAG_END;
}

/* What a task asks of a thread. */
struct listen_to {
	mag_frame frame;
	MAG_ARGS(listen_to, mag_future *from_thread;);
	int64_t rc;
};

MAG_TASK(listen_to)
{
	MAG_BEGIN(listen_to);
	MAG_AWAIT(self->rc, mag_future_await, self->from_thread);
	MAG_RETURN(self->rc);
	MAG_END;
}

static void *thread_main(void *arg)
{
	mag_future_complete(arg, 42);
	return NULL;
}

static int64_t ask_tasks(mag_runtime *rt)
{
	mag_future futures[TASKS];
	int64_t total = 0, result;
	int started = 0, rc = 0;

	for (; started < TASKS; started++) {
		mag_future_init(&futures[started]);
		rc = mag_spawn_from(rt, &futures[started], square, .number = started + 1);
		if (rc < 0)
			break;
	}
	for (int i = 0; i < started; i++) {
		/* a future must live until it is complete, so this waits without a limit */
		mag_future_wait(&futures[i], &result, MAG_NEVER);
		mag_future_fini(&futures[i]);
		total += result;
	}
	return rc < 0 ? rc : total;
}

static int64_t ask_thread(mag_runtime *rt)
{
	mag_future answer, from_thread;
	pthread_t thread;
	int64_t result = -1;
	int rc;

	mag_future_init(&answer);
	mag_future_init(&from_thread);
	rc = mag_spawn_from(rt, &answer, listen_to, .from_thread = &from_thread);
	if (rc < 0)
		return rc;
	if (pthread_create(&thread, NULL, thread_main, &from_thread) == 0)
		pthread_join(thread, NULL);
	else
		mag_future_complete(&from_thread, -1);
	mag_future_wait(&answer, &result, MAG_NEVER);
	mag_future_fini(&answer);
	mag_future_fini(&from_thread);
	return result;
}

int main(void)
{
	mag_runtime *rt;
	int64_t squares, answer, left;
	int rc = mag_runtime_create(NULL, &rt);

	if (rc < 0) {
		fprintf(stderr, "futures: %s %s\n", mag_strerror(rc), mag_runtime_why());
		return 1;
	}
	squares = ask_tasks(rt);
	answer = ask_thread(rt);
	left = mag_runtime_destroy(rt, mag_deadline_in(5 * MAG_SECOND));
	printf("the tasks gave %lld, the thread %lld; %lld tasks left over\n", (long long)squares, (long long)answer,
	       (long long)left);
	return squares != 30 || answer != 42 || left != 0;
}
