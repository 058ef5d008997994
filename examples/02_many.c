/* SPDX-License-Identifier: MIT */
/* 02_many.c - calling one async function, then hundreds of it at once. */
#include <errno.h>
#include <magpie/magpie.h>
#include <stdio.h>

enum { MANY = 500, AT_ONCE = 50 };

/* Stands for a request: it waits, then gives a number. */
struct request {
	mag_frame frame;
	MAG_ARGS(request, int id; int64_t *answer;);
	int64_t rc;
};

MAG_TASK(request)
{
	MAG_BEGIN(request);
	MAG_AWAIT(self->rc, mag_sleep, 2 * MAG_MILLISECOND);
	if (self->rc < 0)
		MAG_RETURN(self->rc);
	*self->answer = 2 * self->id;
	MAG_RETURN(0);
	MAG_END;
}

struct program {
	mag_frame frame;
	MAG_NO_ARGS(program);
	mag_group group;
	int64_t answers[MANY];
	int64_t rc;
	int i;
};

MAG_TASK(program)
{
	int64_t sum;

	MAG_BEGIN(program);
	/* one: the caller waits, as with any function */
	MAG_CALL(self->rc, request, .id = 21, .answer = &self->answers[0]);
	if (self->rc < 0)
		MAG_RETURN(self->rc);
	printf("one call: %lld\n", (long long)self->answers[0]);

	/* many: each is a task of the group, and at most AT_ONCE of them exist */
	MAG_GROUP_BEGIN(&self->group, .limit = AT_ONCE);
	for (self->i = 0; self->i < MANY; self->i++) {
		MAG_SPAWN(self->rc, &self->group, request, .id = self->i, .answer = &self->answers[self->i]);
		if (self->rc < 0)
			break; /* not started; the end of the group tells why */
	}
	MAG_GROUP_END(self->rc, &self->group);
	if (self->rc < 0)
		MAG_RETURN(self->rc);
	sum = 0;
	for (int i = 0; i < MANY; i++)
		sum += self->answers[i];
	printf("%d tasks, at most %d at once: the answers add up to %lld\n", MANY, AT_ONCE, (long long)sum);
	MAG_RETURN(sum == (int64_t)MANY * (MANY - 1) ? 0 : -EPROTO);
	MAG_END;
}

int main(void)
{
	int64_t rc = mag_run(NULL, program);

	if (rc < 0)
		fprintf(stderr, "02_many: %s %s\n", mag_strerror(rc), mag_runtime_why());
	return rc < 0;
}
