/* SPDX-License-Identifier: MIT */
/* 07_timeouts.c - a deadline over one operation, over many, and over a stretch of code; what had finished is kept. */
#include <errno.h>
#include <magpie/magpie.h>
#include <stdio.h>

enum { PARTS = 4 };

struct part {
	mag_frame frame;
	MAG_ARGS(part, uint64_t ms;);
	int64_t rc;
};

MAG_TASK(part)
{
	MAG_BEGIN(part);
	MAG_AWAIT(self->rc, mag_sleep, self->ms * MAG_MILLISECOND);
	MAG_RETURN(self->rc < 0 ? self->rc : (int64_t)self->ms);
	MAG_END;
}

struct program {
	mag_frame frame;
	MAG_NO_ARGS(program);
	mag_scope scope, inner;
	mag_gather parts;
	int64_t results[PARTS];
	int64_t rc, ended, gathered, inner_ended;
	int i;
};

MAG_TASK(program)
{
	static const uint64_t ms[PARTS] = { 1, 60000, 10, 60000 };

	MAG_BEGIN(program);
	/* one operation */
	MAG_WITH_TIMEOUT(&self->scope, 20 * MAG_MILLISECOND);
	MAG_AWAIT(self->rc, mag_sleep, 60 * MAG_SECOND);
	MAG_SCOPE_END(self->ended, &self->scope);
	printf("one: the await gave %s, the scope %s\n", mag_errname(self->rc), mag_errname(self->ended));
	if (self->ended != MAG_ETIMEDOUT)
		MAG_RETURN(-EPROTO);

	/* many: what is ready in time is there, and nothing of the rest goes on */
	MAG_WITH_TIMEOUT(&self->scope, 200 * MAG_MILLISECOND);
	MAG_GATHER_EACH(self->gathered, &self->parts, self->results, PARTS, self->i, part, .ms = ms[self->i]);
	MAG_SCOPE_END(self->ended, &self->scope);
	printf("many: %s\n", mag_errname(self->ended));
	for (int i = 0; i < PARTS; i++)
		printf("  part %d: %s\n", i, mag_errname(self->results[i]));
	if (self->ended != MAG_ETIMEDOUT || self->results[0] != 1 || self->results[2] != 10)
		MAG_RETURN(-EPROTO);

	/* one in another: each scope says whether it was its own deadline */
	MAG_WITH_TIMEOUT(&self->scope, 60 * MAG_SECOND);
	MAG_WITH_DEADLINE(&self->inner, mag_now() + 10 * MAG_MILLISECOND);
	MAG_AWAIT(self->rc, mag_sleep, 30 * MAG_SECOND);
	MAG_SCOPE_END(self->inner_ended, &self->inner);
	MAG_AWAIT(self->rc, mag_sleep, MAG_MILLISECOND); /* out of it: awaits work again */
	MAG_SCOPE_END(self->ended, &self->scope);
	printf("nested: the inner one %s, the outer one %s\n", mag_errname(self->inner_ended), mag_errname(self->ended));
	MAG_RETURN(self->inner_ended == MAG_ETIMEDOUT && self->ended == 0 && self->rc == 0 ? 0 : -EPROTO);
	MAG_END;
}

int main(void)
{
	int64_t rc = mag_run(NULL, program);

	if (rc < 0)
		fprintf(stderr, "07_timeouts: %s %s\n", mag_strerror(rc), mag_runtime_why());
	return rc < 0;
}
