/* SPDX-License-Identifier: MIT */
/* meddle.c - a host for real threads that gets in their way: yields, delays, migrations.
 *
 * Who:     each thread has its own, which it alone uses.
 * Always:  it answers as the system does; what it adds is time, and another worker for a woken task.
 * Pairs:   [stat] the count of points */
#include "sim/meddle.h"

#include <errno.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/host.h"
#include "base/random.h"
#include "base/thread.h"

enum {
	YIELD_IN = 16, /* points */
	SPIN_IN = 64,
	SPIN_NS = 20000, /* at most */
	SLEEP_IN = 2048,
	SLEEP_NS = 1000000,
	ATOMIC_IN = 8, /* points before an atomic operation are many: so few of them count */
	MIGRATE_IN = 4
};

struct meddler {
	struct magi_host host; /* first */
	struct magi_random random;
	uint64_t *steps;
	void *(*fn)(void *arg); /* what its thread runs */
	void *arg;
};

static struct meddler *meddler_of(struct magi_host *h)
{
	return (struct meddler *)(void *)h;
}

static uint64_t real_now(struct magi_host *h)
{
	struct timespec ts;

	(void)h;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * MAGI_NS_PER_S + (uint64_t)ts.tv_nsec;
}

static void yield(struct magi_host *h)
{
	(void)h;
	sched_yield();
}

static bool wait(struct magi_host *h, uint32_t *word, uint32_t value, uint64_t ns)
{
	struct timespec ts = { (time_t)(ns / MAGI_NS_PER_S), (long)(ns % MAGI_NS_PER_S) };

	(void)h;
	return syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, value, ns == MAGI_NEVER ? NULL : &ts, NULL, 0) == 0 ||
	       errno != ETIMEDOUT;
}

static void wake(struct magi_host *h, uint32_t *word, uint32_t n)
{
	(void)h;
	syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, n < INT32_MAX ? n : INT32_MAX, NULL, NULL, 0);
}

static void *run(void *arg)
{
	struct meddler *m = arg;

	magi_host_here = &m->host;
	m->fn(m->arg);
	magi_host_here = NULL;
	free(m);
	return NULL;
}

static struct meddler *create(const struct magi_host_ops *ops, struct magi_ledger *ledger, uint64_t *steps,
			      uint64_t seed)
{
	struct meddler *m = calloc(1, sizeof(*m));

	if (!m)
		return NULL;
	m->host.ops = ops;
	m->host.ledger = ledger;
	m->steps = steps;
	magi_random_seed(&m->random, seed);
	return m;
}

static int start(struct magi_host *h, const struct magi_thread_start *thread, uint64_t *id)
{
	struct meddler *m = meddler_of(h);
	struct meddler *child = create(h->ops, h->ledger, m->steps, magi_random_next(&m->random));
	struct magi_thread started;
	struct magi_thread_start as = *thread;
	int rc;

	if (!child)
		return -EAGAIN;
	child->fn = thread->fn;
	child->arg = thread->arg;
	as.fn = run;
	as.arg = child;
	rc = magi_thread_start_system(&started, &as);
	if (rc < 0)
		free(child);
	else
		*id = (uint64_t)started.system;
	return rc;
}

static void join(struct magi_host *h, uint64_t id)
{
	(void)h;
	pthread_join((pthread_t)id, NULL);
}

static uint64_t self(struct magi_host *h)
{
	(void)h;
	return (uint64_t)pthread_self();
}

static void name(struct magi_host *h, const char *text)
{
	(void)h;
	pthread_setname_np(pthread_self(), text);
}

static bool one_in(struct meddler *m, uint32_t n)
{
	return magi_random_below(&m->random, n) == 0;
}

static void spin(struct meddler *m)
{
	uint64_t until = real_now(NULL) + magi_random_below(&m->random, SPIN_NS);

	while (real_now(NULL) < until)
		magi_pause();
}

static void point(struct magi_host *h, enum magi_point at, const void *what)
{
	struct meddler *m = meddler_of(h);

	(void)what;
	if (at == MAGI_POINT_ATOMIC && !one_in(m, ATOMIC_IN))
		return;
	magi_add_rlx(m->steps, 1); /* [stat] */
	if (one_in(m, YIELD_IN))
		sched_yield();
	if (one_in(m, SPIN_IN))
		spin(m);
	if (one_in(m, SLEEP_IN))
		nanosleep(&(struct timespec){ 0, (long)magi_random_below(&m->random, SLEEP_NS) }, NULL);
}

static bool chance(struct magi_host *h, enum magi_chance what)
{
	return what == MAGI_CHANCE_MIGRATE && one_in(meddler_of(h), MIGRATE_IN);
}

static uint32_t number(struct magi_host *h, uint32_t n)
{
	return magi_random_below(&meddler_of(h)->random, n);
}

static void note(struct magi_host *h, enum magi_note what, int64_t a, int64_t b, int64_t c)
{
	(void)h;
	(void)what;
	(void)a;
	(void)b;
	(void)c;
}

static const struct magi_host_ops ops = {
	.now = real_now,
	.yield = yield,
	.wait = wait,
	.wake = wake,
	.start = start,
	.join = join,
	.self = self,
	.name = name,
	.point = point,
	.chance = chance,
	.random = number,
	.note = note,
};

int magi_meddle_begin(struct magi_ledger *ledger, uint64_t *steps, uint64_t seed)
{
	struct meddler *m = create(&ops, ledger, steps, seed);

	if (!m)
		return -ENOMEM;
	magi_host_here = &m->host;
	return 0;
}

void magi_meddle_end(void)
{
	struct magi_host *h = magi_host();

	magi_host_here = NULL;
	free(meddler_of(h));
}
