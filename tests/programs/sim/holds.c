/* SPDX-License-Identifier: MIT */
/* holds.c - a program that locks a mutex of the system's and awaits: who locks it next stops all workers. */
#include <magpie/magpie.h>
#include <magpie/sim.h>
#include <pthread.h>

struct counts {
	mag_frame frame;
	MAG_ARGS(counts, pthread_mutex_t *lock;);
	int64_t rc;
};

MAG_TASK(counts)
{
	MAG_BEGIN(counts);
	pthread_mutex_lock(self->lock);
	MAG_AWAIT(self->rc, mag_sleep, MAG_SECOND);
	pthread_mutex_unlock(self->lock);
	MAG_RETURN(self->rc);
	MAG_END;
}

struct holds {
	mag_frame frame;
	MAG_NO_ARGS(holds);
	pthread_mutex_t lock;
	mag_group group;
	int64_t rc;
};

MAG_TASK(holds)
{
	MAG_BEGIN(holds);
	pthread_mutex_init(&self->lock, NULL);
	MAG_GROUP_BEGIN(&self->group);
	MAG_SPAWN(self->rc, &self->group, counts, .lock = &self->lock);
	MAG_SPAWN(self->rc, &self->group, counts, .lock = &self->lock);
	MAG_GROUP_END(self->rc, &self->group);
	MAG_RETURN(self->rc);
	MAG_END;
}

MAG_PROGRAM(holds);
