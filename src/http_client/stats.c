/* SPDX-License-Identifier: MIT */
/* stats.c - what a session has done so far, asked of each worker. */
#include <errno.h>
#include <string.h>

#include "http_client/lane.h"

struct counting_lane {
	mag_frame frame;
	MAG_ARGS(counting_lane, struct magi_client_hub *hub; mag_http_stats * stats;);
};

MAG_TASK(counting_lane)
{
	const struct magi_client_lane *lane;

	MAG_BEGIN(counting_lane);
	lane = self->hub->lanes[mag_worker_index()];
	if (lane)
		*self->stats = lane->stats;
	MAG_RETURN(0);
	MAG_END;
}

struct counting {
	mag_frame frame;
	MAG_ARGS(counting, mag_http_session *session; mag_http_stats * stats;);
	struct magi_client_hub *hub;
	mag_http_stats lanes[MAG_WORKERS_MAX];
	mag_group group;
	uint32_t i;
	int64_t rc, ended;
};

static void sum_up(struct counting *self)
{
	mag_http_stats sum = { .size = self->stats->size };

	for (uint32_t i = 0; i < self->hub->lanes_n; i++) {
		sum.requests += self->lanes[i].requests;
		sum.connections += self->lanes[i].connections;
		sum.lookups += self->lanes[i].lookups;
		sum.open += self->lanes[i].open;
		sum.under_way += self->lanes[i].under_way;
	}
	memcpy(self->stats, &sum, sum.size);
}

MAG_TASK(counting)
{
	MAG_BEGIN(counting);
	if (self->stats->size < sizeof(size_t) || self->stats->size > sizeof(mag_http_stats))
		MAG_RETURN(-EINVAL);
	self->hub = magi_client_come(self->session);
	if (!self->hub)
		MAG_RETURN(MAG_ECLOSED);
	memset(self->lanes, 0, sizeof(self->lanes));
	MAG_GROUP_BEGIN(&self->group);
	self->rc = 0;
	for (self->i = 0; self->i < self->hub->lanes_n && self->rc == 0; self->i++)
		MAG_SPAWN_ON(self->rc, self->i, &self->group, counting_lane, .hub = self->hub,
			     .stats = &self->lanes[self->i]);
	MAG_GROUP_END(self->ended, &self->group);
	self->rc = self->rc < 0 ? self->rc : self->ended;
	if (self->rc == 0)
		sum_up(self);
	magi_client_came(self->session);
	MAG_RETURN(self->rc);
	MAG_END;
}

mag_frame *mag_http_session_stats(mag_worker *w, mag_frame *f, mag_http_session *session, mag_http_stats *stats)
{
	MAGI_CHILD(child, counting);

	if (!child) {
		f->op.result = -ENOMEM;
		return f;
	}
	child->args_ = (struct counting_args){ .session = session, .stats = stats };
	return magi_call(f, &child->frame, counting_step, MAGI_CLASS(sizeof(*child)));
}
