/* SPDX-License-Identifier: MIT */
/* bench_http_client.c - GETs over connections that are kept, so many at once, as a user writes them: a task each. */
#include "cases.h"
#include "http_peer.h"
#include "tasks.h"

#include <magpie/http_client.h>
#include <string.h>

struct getter {
	mag_frame frame;
	MAG_ARGS(getter, mag_http_session *session; const char *url; int n;);
	mag_http_response response;
	int64_t rc;
};

MAG_TASK(getter)
{
	MAG_BEGIN(getter);
	memset(&self->response, 0, sizeof self->response);
	self->rc = 200;
	for (; self->n && self->rc == 200; self->n--) {
		MAG_AWAIT(self->rc, mag_http_get, self->session, self->url, &self->response);
		if (self->rc == 200 && (self->response.length != 13 || memcmp(self->response.body, BENCH_HELLO, 13)))
			self->rc = -EBADMSG;
	}
	mag_http_response_fini(&self->response);
	MAG_RETURN(self->rc == 200 ? 0 : self->rc < 0 ? self->rc : -EBADMSG);
	MAG_END;
}

struct getters {
	mag_frame frame;
	MAG_ARGS(getters, const char *url; int n; bool rate; double *value;);
	mag_http_session session;
	mag_group group;
	uint64_t start;
	int64_t rc, closed;
	int i;
};

static int share(int n, int i)
{
	return n / HTTP_PEER_AT_ONCE + (i < n % HTTP_PEER_AT_ONCE);
}

MAG_TASK(getters)
{
	MAG_BEGIN(getters);
	self->start = self->rate ? bench_now_ns() : bench_cpu_ns();
	/* no User-Agent: the baseline's requests have none */
	self->rc = mag_http_session_init(&self->session,
					 &(mag_http_options){ .size = sizeof(mag_http_options), .agent = "" });
	if (self->rc < 0)
		MAG_RETURN(self->rc);
	MAG_GROUP_BEGIN(&self->group);
	for (self->i = 0; self->i < HTTP_PEER_AT_ONCE && self->rc == 0; self->i++)
		MAG_SPAWN(self->rc, &self->group, getter, .session = &self->session, .url = self->url,
			  .n = share(self->n, self->i));
	MAG_GROUP_END(self->rc, &self->group);
	MAG_AWAIT(self->closed, mag_http_session_close, &self->session);
	if (self->rate)
		*self->value = 1e9 * self->n / (double)(bench_now_ns() - self->start);
	else
		*self->value = (double)(bench_cpu_ns() - self->start) / 1e3 / self->n;
	MAG_RETURN(self->rc < 0 ? self->rc : self->closed);
	MAG_END;
}

int bench_http_client(struct bench_run *r)
{
	struct http_peer peer;
	int rc = http_peer_start(&peer, r);

	if (rc == 0) {
		/* as the baseline, it sleeps when the server is the slower one: spinning would be counted as work */
		const mag_runtime_options o = { .size = sizeof o,
						.workers = (uint32_t)r->threads,
						.spin_us = UINT32_MAX,
						.backend = r->param ? "epoll" : NULL };

		rc = bench_tasks_over(r, mag_run(&o, getters, .url = peer.url, .n = http_peer_requests(r),
						 .rate = r->param2 & HTTP_PEER_RATE, .value = &r->value));
		rc = http_peer_stop(&peer, r, rc);
	}
	return rc;
}
