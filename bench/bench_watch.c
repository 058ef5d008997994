/* SPDX-License-Identifier: MIT */
/* bench_watch.c - one sender, 4 receivers that wait for a change and copy the value. The sender lets others run after
 * each value; each receiver must see them grow, and the last one. Per value that a receiver saw. */
#include "cases.h"

#include <magpie/runtime.h>
#include <magpie/watch.h>

enum { RECEIVERS = 4 };

struct seen {
	uint64_t values, last, wrong;
};

struct follow {
	mag_frame frame;
	MAG_ARGS(follow, mag_watch *watch; struct seen *seen;);
	uint64_t version, value;
	struct seen s;
	int64_t rc;
};

MAG_TASK(follow)
{
	MAG_BEGIN(follow);
	self->s = (struct seen){ 0, 0, 0 };
	self->version = mag_watch_version(self->watch);
	for (;;) {
		MAG_AWAIT(self->rc, mag_watch_changed, self->watch, self->version);
		if (self->rc < 0)
			break;
		self->version = mag_watch_get(self->watch, &self->value);
		self->s.wrong += self->value <= self->s.last;
		self->s.last = self->value;
		self->s.values++;
	}
	*self->seen = self->s;
	MAG_RETURN(self->rc == MAG_ECLOSED ? 0 : self->rc);
	MAG_END;
}

struct lead {
	mag_frame frame;
	MAG_ARGS(lead, uint64_t n; uint64_t *ns; struct seen *seen;);
	mag_watch watch;
	mag_group group;
	uint64_t room, start, i;
	int64_t rc;
};

MAG_TASK(lead)
{
	MAG_BEGIN(lead);
	self->room = 0;
	mag_watch_init(&self->watch, &self->room, sizeof(self->room));
	self->start = bench_now_ns();
	MAG_GROUP_BEGIN(&self->group);
	for (self->i = 0; self->i < RECEIVERS; self->i++)
		MAG_SPAWN(self->rc, &self->group, follow, .watch = &self->watch, .seen = &self->seen[self->i]);
	for (self->i = 0; self->i <= self->n; self->i++) {
		MAG_YIELD(self->rc); /* before the first, so that all have looked */
		mag_watch_send(&self->watch, &self->i);
	}
	mag_watch_close(&self->watch);
	MAG_GROUP_END(self->rc, &self->group);
	*self->ns = bench_now_ns() - self->start;
	mag_watch_fini(&self->watch);
	MAG_RETURN(self->rc);
	MAG_END;
}

int bench_watch(struct bench_run *r)
{
	const mag_runtime_options options = { .size = sizeof(options), .workers = (uint32_t)r->threads };
	uint64_t n = r->quick ? 20000 : 1000000, ns = 0, values = 0;
	struct seen seen[RECEIVERS] = { { 0, 0, 0 } };
	int64_t rc = mag_run(&options, lead, .n = n, .ns = &ns, .seen = seen);

	if (rc < 0)
		return bench_fail(r, (int)rc, "%s %s", mag_errname(rc), mag_runtime_why());
	for (int i = 0; i < RECEIVERS; i++) {
		if (seen[i].wrong > 1 || seen[i].last != n) /* the first value may be the 0 that was there */
			return bench_fail(r, -EBADMSG, "%llu values, the last %llu of %llu, %llu wrong",
					  (unsigned long long)seen[i].values, (unsigned long long)seen[i].last,
					  (unsigned long long)n, (unsigned long long)seen[i].wrong);
		values += seen[i].values;
	}
	r->value = (double)ns / (double)values;
	return 0;
}
