/* SPDX-License-Identifier: MIT */
/* 09_resource.c - a session that is opened and closed by async functions, on every way out: async with. */
#include <errno.h>
#include <magpie/magpie.h>
#include <stdio.h>

/* The resource, and the two functions that take it and give it back. */
struct session {
	const char *host;
	int open;     /* how many there are: 0 in the end */
	int64_t told; /* why the last one was closed */
};

struct session_enter {
	mag_frame frame;
	MAG_ARGS(session_enter, struct session *resource; const char *host;);
	int64_t rc;
};

MAG_TASK(session_enter)
{
	MAG_BEGIN(session_enter);
	if (!self->host)
		MAG_RETURN(-EINVAL); /* nothing was opened: session_exit will not run */
	MAG_AWAIT(self->rc, mag_sleep, MAG_MILLISECOND); /* a handshake */
	if (self->rc < 0)
		MAG_RETURN(self->rc);
	self->resource->host = self->host;
	self->resource->open++;
	MAG_RETURN(0);
	MAG_END;
}

struct session_exit {
	mag_frame frame;
	MAG_ARGS(session_exit, struct session *resource; int64_t why;);
	int64_t rc;
};

MAG_TASK(session_exit)
{
	MAG_BEGIN(session_exit);
	MAG_AWAIT(self->rc, mag_sleep, MAG_MILLISECOND); /* a goodbye, also after a cancellation */
	self->resource->open--;
	self->resource->told = self->why;
	printf("closed %s: %s\n", self->resource->host, self->why ? mag_strerror(self->why) : "all is well");
	MAG_RETURN(self->rc);
	MAG_END;
}

/* Uses a session. It does not close it before it returns early: that is done by the return. */
struct query {
	mag_frame frame;
	MAG_ARGS(query, struct session *session; const char *host; int64_t result; uint64_t ms;);
	mag_using use;
	int64_t rc;
};

MAG_TASK(query)
{
	MAG_BEGIN(query);
	MAG_USING_BEGIN(self->rc, &self->use, session, self->session, .host = self->host);
	if (self->rc < 0)
		MAG_RETURN(self->rc);
	MAG_AWAIT(self->rc, mag_sleep, self->ms * MAG_MILLISECOND);
	if (self->rc < 0)
		MAG_RETURN(self->rc);
	if (self->result < 0)
		MAG_RETURN(self->result);
	MAG_USING_END(self->rc, &self->use, self->result);
	MAG_RETURN(self->rc);
	MAG_END;
}

struct program {
	mag_frame frame;
	MAG_NO_ARGS(program);
	struct session session;
	mag_scope scope;
	int64_t rc, ended;
};

#define EXPECT(cond)              \
	if (!(cond))              \
		MAG_RETURN(-EPROTO)

MAG_TASK(program)
{
	MAG_BEGIN(program);
	self->session = (struct session){ 0 };
	MAG_CALL(self->rc, query, .session = &self->session, .host = "one", .result = 7);
	EXPECT(self->rc == 7 && self->session.told == 0 && !self->session.open);

	MAG_CALL(self->rc, query, .session = &self->session, .host = "two", .result = -EIO);
	EXPECT(self->rc == -EIO && self->session.told == -EIO && !self->session.open);

	MAG_WITH_TIMEOUT(&self->scope, 20 * MAG_MILLISECOND);
	MAG_CALL(self->rc, query, .session = &self->session, .host = "three", .ms = 60000);
	MAG_SCOPE_END(self->ended, &self->scope);
	EXPECT(self->rc == MAG_ECANCELED && self->session.told == MAG_ETIMEDOUT && !self->session.open);

	self->session.told = 1;
	MAG_CALL(self->rc, query, .session = &self->session, .host = NULL);
	printf("a session without a host: %s\n", mag_strerror(self->rc));
	MAG_RETURN(self->rc == -EINVAL && self->session.told == 1 ? 0 : -EPROTO);
	MAG_END;
}

int main(void)
{
	int64_t rc = mag_run(NULL, program);

	if (rc < 0)
		fprintf(stderr, "09_resource: %s %s\n", mag_strerror(rc), mag_runtime_why());
	return rc < 0;
}
