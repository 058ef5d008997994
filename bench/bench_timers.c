/* SPDX-License-Identifier: MIT */
/* bench_timers.c - the CPU time of a million sleeps whose ends are spread over a second: the spawns, the arming, the
 * expiry, the wake-ups and the joins. Each task looks at the clock when it wakes. */
#include "cases.h"

#include <errno.h>
#include <magpie/time.h>

#include "tasks.h"

struct nap {
	mag_frame frame;
	MAG_ARGS(nap, uint64_t ns;);
	uint64_t deadline;
	int64_t rc;
};

static MAG_TASK(nap)
{
	MAG_BEGIN(nap);
	self->deadline = mag_deadline_in(self->ns);
	MAG_AWAIT(self->rc, mag_sleep_until, self->deadline);
	if (self->rc == 0 && mag_now() < self->deadline)
		MAG_RETURN(-EBADMSG);
	MAG_RETURN(self->rc);
	MAG_END;
}

struct naps {
	mag_frame frame;
	MAG_ARGS(naps, uint64_t n; uint64_t *failed; uint64_t *cpu_ns; uint64_t *ns;);
	mag_group group;
	uint64_t start, cpu, i, random;
	int64_t rc, joined;
};

/* Pseudo-random, below a second. */
static uint64_t next_length(uint64_t *x)
{
	*x ^= *x << 13; /* xorshift64 */
	*x ^= *x >> 7;
	*x ^= *x << 17;
	return (*x >> 11) % MAG_SECOND;
}

static MAG_TASK(naps)
{
	MAG_BEGIN(naps);
	self->random = 88172645463325252u;
	self->start = bench_now_ns();
	self->cpu = bench_cpu_ns();
	MAG_GROUP_BEGIN(&self->group, .policy = MAG_COLLECT);
	for (self->i = 0; self->i < self->n; self->i++) {
		MAG_SPAWN(self->rc, &self->group, nap, .ns = next_length(&self->random));
		if (self->rc < 0)
			break;
	}
	MAG_GROUP_END(self->joined, &self->group);
	*self->cpu_ns = bench_cpu_ns() - self->cpu;
	*self->ns = bench_now_ns() - self->start;
	*self->failed = mag_group_errors(&self->group, NULL);
	mag_group_clear(&self->group);
	MAG_RETURN(self->rc < 0 ? self->rc : self->joined);
	MAG_END;
}

int bench_timers(struct bench_run *r)
{
	uint64_t n = r->quick ? 20000 : 1000000, failed = n, cpu_ns = 0, ns = 0;
	int rc = BENCH_TASKS(r, naps, .n = n, .failed = &failed, .cpu_ns = &cpu_ns, .ns = &ns);

	if (rc)
		return rc;
	if (failed)
		return bench_fail(r, -EBADMSG, "%llu sleeps ended early or with an error", (unsigned long long)failed);
	if (ns < 9 * MAG_SECOND / 10) /* of so many, one is close to a second */
		return bench_fail(r, -EBADMSG, "all is over after %llu ns", (unsigned long long)ns);
	r->value = (double)cpu_ns / 1e9;
	return 0;
}
