/* SPDX-License-Identifier: MIT */
/* 21_retry.c - a server that refuses twice and then wants a pause; one that never answers, and has its time;
 * an error that stays; a hundred callers of a server that is down, and a budget for them. */
#include <errno.h>
#include <magpie/magpie.h>
#include <stdio.h>

enum { CALLERS = 100, BUSY = 503 };

struct server {
	int refuses, busy; /* so many times at first */
	uint64_t answer_ns;
	int64_t error;  /* what it says in the end, or 0 */
	uint32_t asked; /* by several tasks at once: under the mutex */
	mag_mutex mutex;
};

struct reply {
	int status;
	uint64_t retry_after_ns;
};

struct ask {
	mag_frame frame;
	MAG_ARGS(ask, struct server *server; struct reply * reply;);
	uint32_t nth;
	int64_t rc;
};

MAG_TASK(ask)
{
	MAG_BEGIN(ask);
	MAG_AWAIT(self->rc, mag_mutex_lock, &self->server->mutex);
	if (self->rc < 0)
		MAG_RETURN(self->rc);
	self->nth = self->server->asked++;
	mag_mutex_unlock(&self->server->mutex);
	MAG_AWAIT(self->rc, mag_sleep, self->server->answer_ns);
	if (self->rc < 0)
		MAG_RETURN(self->rc);
	if (self->nth < (uint32_t)self->server->refuses)
		MAG_RETURN(-ECONNREFUSED);
	*self->reply = (struct reply){ .status = 200 };
	if (self->nth < (uint32_t)(self->server->refuses + self->server->busy))
		*self->reply = (struct reply){ .status = BUSY, .retry_after_ns = 3 * MAG_MILLISECOND };
	MAG_RETURN(self->server->error);
	MAG_END;
}

/* What is done again is a block: here a status, too, is a reason. */
struct fetch {
	mag_frame frame;
	MAG_ARGS(fetch, struct server *server; uint64_t attempt_ns; mag_retry * retry;);
	struct reply reply;
	int64_t rc;
};

MAG_TASK(fetch)
{
	MAG_BEGIN(fetch);
	MAG_RETRY_BEGIN(self->retry, .attempts = 6, .first_ns = MAG_MILLISECOND, .most_ns = 4 * MAG_MILLISECOND,
			.attempt_ns = self->attempt_ns, .within_ns = 30 * MAG_SECOND);
	MAG_CALL(self->rc, ask, .server = self->server, .reply = &self->reply);
	if (self->rc == 0 && self->reply.status == BUSY) {
		mag_retry_after(self->retry, self->reply.retry_after_ns);
		self->rc = -EAGAIN;
	}
	MAG_RETRY_END(self->rc, self->retry, self->rc);
	MAG_RETURN(self->rc);
	MAG_END;
}

/* Or one function, by a policy that many share. */
static mag_budget budget = MAG_BUDGET_INIT(10, 5); /* one in ten, and five to begin with */
static const mag_retry_policy shared = MAG_RETRY_POLICY(.first_ns = MAG_MILLISECOND, .budget = &budget);

struct caller {
	mag_frame frame;
	MAG_ARGS(caller, struct server *server;);
	mag_retry retry;
	struct reply reply;
	int64_t rc;
};

MAG_TASK(caller)
{
	MAG_BEGIN(caller);
	MAG_RETRY(self->rc, &self->retry, &shared, ask, .server = self->server, .reply = &self->reply);
	MAG_RETURN(self->rc);
	MAG_END;
}

static void say(const char *what, const mag_retry *retry, int64_t rc)
{
	printf("%-12s %s after %u attempts, %s before\n", what, mag_errname(rc), retry->attempt,
	       mag_errname(retry->error));
}

struct all {
	mag_frame frame;
	MAG_NO_ARGS(all);
	struct server shy, silent, strict, down;
	mag_retry retry;
	mag_scope scope;
	mag_group group;
	int64_t rc, why;
	int i;
};

MAG_TASK(all)
{
	MAG_BEGIN(all);
	self->shy = (struct server){ .refuses = 2, .busy = 1, .mutex = MAG_MUTEX_INIT };
	MAG_CALL(self->rc, fetch, .server = &self->shy, .attempt_ns = 10 * MAG_SECOND, .retry = &self->retry);
	say("shy:", &self->retry, self->rc);
	if (self->rc != 0 || self->retry.attempt != 4 || self->retry.waited_ns < 3 * MAG_MILLISECOND)
		MAG_RETURN(-EPROTO);

	self->silent = (struct server){ .answer_ns = 100 * MAG_SECOND, .mutex = MAG_MUTEX_INIT };
	MAG_CALL(self->rc, fetch, .server = &self->silent, .attempt_ns = 5 * MAG_MILLISECOND, .retry = &self->retry);
	say("silent:", &self->retry, self->rc);
	if (self->rc != MAG_ETIMEDOUT || self->retry.attempt != 6)
		MAG_RETURN(-EPROTO);

	self->strict = (struct server){ .error = -EACCES, .mutex = MAG_MUTEX_INIT };
	MAG_CALL(self->rc, fetch, .server = &self->strict, .attempt_ns = 10 * MAG_SECOND, .retry = &self->retry);
	say("strict:", &self->retry, self->rc);
	if (self->rc != -EACCES || self->retry.attempt != 1)
		MAG_RETURN(-EPROTO);

	/* who is cancelled does not try again */
	MAG_WITH_TIMEOUT(&self->scope, 2 * MAG_MILLISECOND);
	MAG_CALL(self->rc, fetch, .server = &self->silent, .attempt_ns = 10 * MAG_SECOND, .retry = &self->retry);
	MAG_SCOPE_END(self->why, &self->scope);
	say("cancelled:", &self->retry, self->rc);
	if (self->rc != MAG_ECANCELED || self->why != MAG_ETIMEDOUT || self->retry.attempt != 1)
		MAG_RETURN(-EPROTO);

	self->down = (struct server){ .refuses = CALLERS * MAG_RETRY_ATTEMPTS, .mutex = MAG_MUTEX_INIT };
	MAG_GROUP_BEGIN(&self->group, .policy = MAG_COLLECT);
	for (self->i = 0; self->i < CALLERS; self->i++)
		MAG_SPAWN(self->rc, &self->group, caller, .server = &self->down);
	MAG_GROUP_END(self->rc, &self->group);
	printf("down:        %d callers, %u errors, asked %u times\n", CALLERS, mag_group_errors(&self->group, NULL),
	       self->down.asked);
	mag_group_clear(&self->group);
	MAG_RETURN(self->down.asked <= CALLERS + 5 + CALLERS / 10 ? 0 : -EPROTO);
	MAG_END;
}

int main(void)
{
	int64_t rc = mag_run(NULL, all);

	if (rc < 0)
		fprintf(stderr, "21_retry: %s %s\n", mag_strerror(rc), mag_runtime_why());
	return rc < 0;
}
