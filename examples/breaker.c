/* SPDX-License-Identifier: MIT */
/* breaker.c - a server that is down for a while, and is left alone meanwhile; whoever wants it tries again when it may. */
#include <errno.h>
#include <inttypes.h>
#include <magpie/magpie.h>
#include <stdio.h>

struct server {
	mag_breaker breaker;
	int down; /* for so many calls */
	int asked;
};

struct ask {
	mag_frame frame;
	MAG_ARGS(ask, struct server *server;);
	int64_t rc;
};

MAG_TASK(ask)
{
	MAG_BEGIN(ask);
	self->server->asked++;
	MAG_AWAIT(self->rc, mag_sleep, MAG_MILLISECOND);
	if (self->rc < 0)
		MAG_RETURN(self->rc);
	MAG_RETURN(self->server->asked <= self->server->down ? -ECONNREFUSED : 0);
	MAG_END;
}

static void changed(mag_breaker *breaker, enum mag_breaker_state to, uint64_t n, void *arg)
{
	static const char *const names[] = { "closed", "open", "half open" };

	(void)breaker;
	(void)n;
	printf("%s, after %d calls\n", names[to], ((struct server *)arg)->asked);
}

static int start(struct server *server)
{
	const mag_breaker_options options = { .size = sizeof(options),
					      .failures = 3,
					      .open_ns = 20 * MAG_MILLISECOND,
					      .changed = changed,
					      .arg = server };

	server->down = 4;
	server->asked = 0;
	return mag_breaker_init(&server->breaker, &options);
}

static bool worth_it(int64_t error, void *arg)
{
	(void)arg;
	return error == MAG_EREFUSED || mag_retry_transient(error);
}

/* Patient: when it is refused it comes back when there is another trial. */
struct visit {
	mag_frame frame;
	MAG_ARGS(visit, struct server *server;);
	mag_retry retry;
	mag_breaker_permit permit;
	int64_t rc;
};

MAG_TASK(visit)
{
	MAG_BEGIN(visit);
	MAG_RETRY_BEGIN(&self->retry, .attempts = 50, .first_ns = MAG_MILLISECOND, .most_ns = 2 * MAG_MILLISECOND,
			.again = worth_it);
	MAG_BREAKER(self->rc, &self->permit, &self->server->breaker, ask, .server = self->server);
	if (self->rc == MAG_EREFUSED)
		mag_retry_after(&self->retry, self->permit.wait_ns);
	MAG_RETRY_END(self->rc, &self->retry, self->rc);
	MAG_RETURN(self->rc);
	MAG_END;
}

struct all {
	mag_frame frame;
	MAG_NO_ARGS(all);
	struct server server;
	mag_breaker_permit permit;
	struct mag_breaker_counts counts;
	mag_scope scope;
	int64_t rc, why;
};

MAG_TASK(all)
{
	MAG_BEGIN(all);
	if (start(&self->server) < 0)
		MAG_RETURN(-EINVAL);
	MAG_CALL(self->rc, visit, .server = &self->server);
	mag_breaker_counts(&self->server.breaker, &self->counts);
	printf("%s: %d calls, %" PRIu64 " refused, opened %" PRIu64 " times\n", mag_errname(self->rc),
	       self->server.asked, self->counts.refused, self->counts.opened);
	/* three failures, a trial that fails, one that does not */
	if (self->rc != 0 || self->server.asked != 5 || self->counts.opened != 2)
		MAG_RETURN(-EPROTO);

	/* a trial that is cancelled says nothing, and is made again by the next one */
	mag_breaker_trip(&self->server.breaker);
	MAG_AWAIT(self->rc, mag_sleep, 50 * MAG_MILLISECOND);
	MAG_SCOPE_BEGIN(&self->scope);
	mag_scope_cancel(&self->scope);
	MAG_BREAKER(self->rc, &self->permit, &self->server.breaker, ask, .server = &self->server);
	MAG_SCOPE_END(self->why, &self->scope);
	if (self->rc != MAG_ECANCELED || mag_breaker_state(&self->server.breaker) != MAG_BREAKER_HALF_OPEN)
		MAG_RETURN(-EPROTO);
	MAG_BREAKER(self->rc, &self->permit, &self->server.breaker, ask, .server = &self->server);
	MAG_RETURN(self->rc == 0 && mag_breaker_state(&self->server.breaker) == MAG_BREAKER_CLOSED ? 0 : -EPROTO);
	MAG_END;
}

int main(void)
{
	int64_t rc = mag_run(NULL, all);

	if (rc < 0)
		fprintf(stderr, "breaker: %s %s\n", mag_strerror(rc), mag_runtime_why());
	return rc < 0;
}
