/* SPDX-License-Identifier: MIT */
/* thread.c - threads of the system, or coroutines of a simulation. */
#include "base/thread.h"

#include <errno.h>
#include <magpie/impl/atomic.h>
#include <signal.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/futex.h"
#include "base/host.h"

int magi_thread_start_system(struct magi_thread *t, const struct magi_thread_start *start)
{
	sigset_t all, before;
	pthread_attr_t attr;
	pthread_t thread;
	int rc = pthread_attr_init(&attr);

	if (rc) /* [cov kernel] another C library */
		return -rc;
	sigfillset(&all);
	if (start->quiet)
		pthread_sigmask(SIG_SETMASK, &all, &before);
	rc = pthread_attr_setstacksize(&attr, start->stack);
	if (!rc)
		rc = pthread_create(t ? &t->system : &thread, &attr, start->fn, start->arg);
	if (start->quiet)
		pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&attr);
	return -rc;
}

int magi_thread_start(struct magi_thread *t, const struct magi_thread_start *start)
{
	struct magi_host *h = magi_host();
	uint64_t id;

	if (magi_fault())
		return -EAGAIN;
	return h ? h->ops->start(h, start, t ? &t->simulated : &id) : magi_thread_start_system(t, start);
}

void magi_thread_join(struct magi_thread *t)
{
	struct magi_host *h = magi_host();

	if (h)
		h->ops->join(h, t->simulated);
	else
		pthread_join(t->system, NULL);
}

struct magi_thread magi_thread_self(void)
{
	struct magi_host *h = magi_host();

	return (struct magi_thread){ .system = pthread_self(), .simulated = h ? h->ops->self(h) : 0 };
}

void magi_thread_detach_self(void)
{
	if (!magi_host())
		pthread_detach(pthread_self());
}

void magi_thread_name(const char *name)
{
	struct magi_host *h = magi_host();

	if (h)
		h->ops->name(h, name);
	else
		pthread_setname_np(pthread_self(), name);
}

void magi_monitor_init(struct magi_monitor *m)
{
	pthread_mutex_init(&m->mutex, NULL);
	m->turn = 0;
}

void magi_monitor_fini(struct magi_monitor *m)
{
	pthread_mutex_destroy(&m->mutex);
}

void magi_monitor_enter(struct magi_monitor *m)
{
	if (!magi_host()) {
		pthread_mutex_lock(&m->mutex);
		return;
	}
	while (pthread_mutex_trylock(&m->mutex)) /* another coroutine of this very thread has it */
		magi_thread_yield();
}

void magi_monitor_leave(struct magi_monitor *m)
{
	pthread_mutex_unlock(&m->mutex);
}

bool magi_monitor_wait(struct magi_monitor *m, uint64_t deadline)
{
	uint32_t turn = magi_load_acq(&m->turn); /* [turn] */
	uint64_t now = deadline == MAGI_NEVER ? 0 : magi_clock_ns();

	if (now >= deadline)
		return false;
	magi_monitor_leave(m);
	magi_futex_wait(&m->turn, turn, deadline == MAGI_NEVER ? MAGI_NEVER : deadline - now);
	magi_monitor_enter(m);
	return true;
}

void magi_monitor_broadcast(struct magi_monitor *m)
{
	magi_store_rel(&m->turn, m->turn + 1); /* [turn] */
	magi_futex_wake(&m->turn, UINT32_MAX);
}
