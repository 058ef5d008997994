/* SPDX-License-Identifier: MIT */
/* 20_rate_limit.c - forty requests to a service that answers two hundred a second, five at once; one that would not wait. */
#include <errno.h>
#include <magpie/magpie.h>
#include <stdio.h>

enum { REQUESTS = 40, RATE = 200, AT_ONCE = 5 };
#define TAKES (12 * MAG_MILLISECOND)

struct api {
	mag_limiter limiter;
	mag_mutex mutex; /* guards: */
	int now, most, sent;
	uint64_t at[REQUESTS];
};

/* Counts who is inside; the task that calls it has a permit. */
struct counted {
	mag_frame frame;
	MAG_ARGS(counted, struct api *api; int by; uint64_t at;);
	int64_t rc;
};

MAG_TASK(counted)
{
	MAG_BEGIN(counted);
	MAG_AWAIT(self->rc, mag_mutex_lock, &self->api->mutex);
	if (self->rc < 0)
		MAG_RETURN(self->rc);
	self->api->now += self->by;
	if (self->by > 0)
		self->api->at[self->api->sent++] = self->at;
	if (self->api->now > self->api->most)
		self->api->most = self->api->now;
	mag_mutex_unlock(&self->api->mutex);
	MAG_RETURN(0);
	MAG_END;
}

struct request {
	mag_frame frame;
	MAG_ARGS(request, struct api *api;);
	mag_using use;
	int64_t rc;
};

MAG_TASK(request)
{
	MAG_BEGIN(request);
	MAG_USING_BEGIN(self->rc, &self->use, mag_limiter_permit, &self->api->limiter);
	if (self->rc == 0) {
		MAG_CALL(self->rc, counted, .api = self->api, .by = 1, .at = mag_now());
		if (self->rc < 0)
			MAG_RETURN(self->rc); /* the permit is given back here, too */
		MAG_AWAIT(self->rc, mag_sleep, TAKES); /* the request */
		if (self->rc == 0)
			MAG_CALL(self->rc, counted, .api = self->api, .by = -1);
	}
	MAG_USING_END(self->rc, &self->use, self->rc);
	MAG_RETURN(self->rc);
	MAG_END;
}

struct all {
	mag_frame frame;
	MAG_ARGS(all, struct api *api;);
	mag_group group;
	int64_t rc, late;
	int i;
};

MAG_TASK(all)
{
	MAG_BEGIN(all);
	MAG_GROUP_BEGIN(&self->group);
	for (self->i = 0; self->i < REQUESTS; self->i++)
		MAG_SPAWN(self->rc, &self->group, request, .api = self->api);
	MAG_AWAIT(self->rc, mag_sleep, 10 * MAG_MILLISECOND);
	MAG_AWAIT(self->late, mag_limiter_enter_until, &self->api->limiter, 1, mag_deadline_in(MAG_MILLISECOND));
	MAG_GROUP_END(self->rc, &self->group);
	MAG_RETURN(self->rc < 0 ? self->rc : self->late == MAG_ETIMEDOUT ? 0 : -EPROTO);
	MAG_END;
}

int main(void)
{
	static struct api api = { .limiter = MAG_LIMITER_INIT(RATE, 1, AT_ONCE), .mutex = MAG_MUTEX_INIT };
	const uint64_t least = (REQUESTS - 1) * MAG_SECOND / RATE;
	int64_t rc = mag_run(NULL, all, .api = &api);
	uint64_t first = MAG_NEVER, last = 0;

	if (rc < 0) {
		fprintf(stderr, "20_rate_limit: %s %s\n", mag_strerror(rc), mag_runtime_why());
		return 1;
	}
	for (int i = 0; i < api.sent; i++) {
		first = api.at[i] < first ? api.at[i] : first;
		last = api.at[i] > last ? api.at[i] : last;
	}
	printf("%d requests in %llu ms, which is %llu ms at the least; %d at once at most, of %d\n", api.sent,
	       (unsigned long long)((last - first) / MAG_MILLISECOND), (unsigned long long)(least / MAG_MILLISECOND),
	       api.most, AT_ONCE);
	/* one token that came late may have been made up for */
	return api.sent != REQUESTS || api.most > AT_ONCE || last - first + MAG_SECOND / RATE < least ||
	       mag_limiter_fini(&api.limiter) < 0;
}
