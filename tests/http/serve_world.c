/* SPDX-License-Identifier: MIT */
/* serve_world.c - what the simulated world answers to the server. */
#define SERVE_WORLD_ANSWERS
#include "serve_world.h"

#include <errno.h>
#include <linux/sockios.h>
#include <magpie/magpie.h>

#include "base/alloc.h"
#include "base/fault.h"
#include "base/futex.h"
#include "base/host.h"
#include "base/sys.h"
#include "io/sim_world.h"

void *world_malloc(size_t size)
{
	return magi_alloc(size);
}

void *world_calloc(size_t n, size_t size)
{
	return magi_zalloc(n * size);
}

void *world_realloc(void *memory, size_t size)
{
	return magi_fault() ? NULL : realloc(memory, size);
}

void *world_aligned_alloc(size_t align, size_t size)
{
	return magi_fault() ? NULL : aligned_alloc(align, size);
}

int world_clock(struct timespec *ts)
{
	uint64_t now = mag_now();

	*ts = (struct timespec){ (time_t)(now / MAG_SECOND), (long)(now % MAG_SECOND) };
	return 0;
}

static int told(int64_t rc)
{
	errno = rc < 0 ? (int)-rc : errno;
	return rc < 0 ? -1 : (int)rc;
}

int world_ioctl(int fd, unsigned long what, int *bytes)
{
	struct sim_object *o = magi_world_fd_find(magi_host()->world, fd);
	int fault = magi_fault_at(MAGI_FAULT_SYSTEM, "ioctl");

	if (fault || !o || o->kind != SIM_STREAM)
		return told(fault ? -fault : -EINVAL);
	if (what == FIONREAD)
		*bytes = magi_world_channel_look(o->in) ? (int)o->in->there : 0;
	else
		*bytes = (int)o->out->count;
	return 0;
}

ssize_t world_send(int fd, const void *bytes, size_t n)
{
	struct sim_object *o = magi_world_fd_find(magi_host()->world, fd);
	int fault = magi_fault_at(MAGI_FAULT_SYSTEM, "send"), rc;

	if (fault || !o)
		return told(fault ? -fault : -EBADF);
	rc = magi_world_stream_write(o, bytes, (uint32_t)n);
	return told(rc == SIM_WAIT ? -EAGAIN : rc);
}

int world_fcntl(int fd, int command, int value)
{
	return told(magi_sys_fcntl(fd, command, value));
}

/* Who has it may have been switched from within, and all are coroutines of one thread. */
int world_mutex_lock(pthread_mutex_t *mutex)
{
	while (pthread_mutex_trylock(mutex))
		magi_thread_yield();
	return 0;
}
