/* SPDX-License-Identifier: MIT */
/* hangs.c - programs that hang: `hangs circle`, two tasks each of which holds the mutex that the other waits for; `hangs
 * outside`, a task that waits for a thread of the program's own, which comes three seconds later; `hangs sleep`, one that
 * sleeps for as long. */
#include <magpie/magpie.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { OUTSIDE_S = 3 };

struct two {
	mag_mutex mutex[2];
	mag_event ready[2];
};

struct locker {
	mag_frame frame;
	MAG_ARGS(locker, struct two *two; int first;);
	int64_t rc;
};

MAG_TASK(locker)
{
	MAG_BEGIN(locker);
	MAG_AWAIT(self->rc, mag_mutex_lock, &self->two->mutex[self->first]);
	mag_event_set(&self->two->ready[self->first]);
	MAG_AWAIT(self->rc, mag_event_wait, &self->two->ready[1 - self->first]);
	MAG_AWAIT(self->rc, mag_mutex_lock, &self->two->mutex[1 - self->first]);
	MAG_RETURN(self->rc);
	MAG_END;
}

struct circle {
	mag_frame frame;
	MAG_ARGS(circle, struct two *two;);
	mag_group group;
	int64_t rc;
};

MAG_TASK(circle)
{
	MAG_BEGIN(circle);
	MAG_GROUP_BEGIN(&self->group);
	MAG_SPAWN(self->rc, &self->group, locker, .two = self->two, .first = 0);
	MAG_SPAWN(self->rc, &self->group, locker, .two = self->two, .first = 1);
	MAG_GROUP_END(self->rc, &self->group);
	MAG_RETURN(self->rc);
	MAG_END;
}

struct outside {
	mag_frame frame;
	MAG_ARGS(outside, mag_future *future;);
	int64_t rc;
};

MAG_TASK(outside)
{
	MAG_BEGIN(outside);
	MAG_AWAIT(self->rc, mag_future_await, self->future);
	MAG_RETURN(self->rc);
	MAG_END;
}

static void *complete(void *future)
{
	sleep(OUTSIDE_S); /* real time: what is tried is that a standstill of so long is not said */
	mag_future_complete(future, 0);
	return NULL;
}

struct nap {
	mag_frame frame;
	MAG_NO_ARGS(nap);
	int64_t rc;
};

MAG_TASK(nap)
{
	MAG_BEGIN(nap);
	MAG_AWAIT(self->rc, mag_sleep, OUTSIDE_S * MAG_SECOND);
	MAG_RETURN(self->rc);
	MAG_END;
}

static int64_t wait_for_thread(void)
{
	mag_future future;
	pthread_t thread;
	int64_t rc;

	mag_future_init(&future);
	if (pthread_create(&thread, NULL, complete, &future))
		return -1;
	rc = mag_run(NULL, outside, .future = &future);
	pthread_join(thread, NULL);
	mag_future_fini(&future);
	return rc;
}

int main(int argc, char **argv)
{
	const char *how = argc > 1 ? argv[1] : "";
	static struct two two;
	int64_t rc;

	if (!strcmp(how, "circle"))
		rc = mag_run(NULL, circle, .two = &two);
	else if (!strcmp(how, "outside"))
		rc = wait_for_thread();
	else
		rc = mag_run(NULL, nap);
	if (rc < 0)
		fprintf(stderr, "hangs: %s: %s\n", mag_errname(rc), mag_runtime_why());
	return rc == MAG_EBACKEND ? 77 : rc < 0;
}
