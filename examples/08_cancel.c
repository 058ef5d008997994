/* SPDX-License-Identifier: MIT */
/* 08_cancel.c - cancelling from outside, told apart from a timeout, with a cleanup that awaits: AbortController,
 * task.cancel(). */
#include <errno.h>
#include <magpie/magpie.h>
#include <stdio.h>

/* Works until it is told to stop, then says goodbye, which takes a while. */
struct work {
	mag_frame frame;
	MAG_ARGS(work, const char *name; int *reason; bool *clean;);
	mag_scope shield;
	int64_t rc, bye, ended;
};

MAG_TASK(work)
{
	MAG_BEGIN(work);
	do
		MAG_AWAIT(self->rc, mag_sleep, MAG_MILLISECOND);
	while (self->rc >= 0);
	/* from here on every await of the scope returns MAG_ECANCELED at once, so the goodbye needs a shield */
	*self->reason = mag_cancel_reason(&self->frame);
	MAG_SHIELD(&self->shield, MAG_SECOND);
	MAG_AWAIT(self->bye, mag_sleep, 5 * MAG_MILLISECOND);
	MAG_SCOPE_END(self->ended, &self->shield);
	*self->clean = self->bye == 0;
	printf("%s was stopped: %s\n", self->name, mag_errname(*self->reason));
	MAG_RETURN(self->rc);
	MAG_END;
}

struct program {
	mag_frame frame;
	MAG_NO_ARGS(program);
	mag_group group;
	mag_handle handle;
	mag_scope scope;
	int reasons[3];
	bool clean[3];
	int64_t rc, result, ended;
};

MAG_TASK(program)
{
	MAG_BEGIN(program);
	MAG_GROUP_BEGIN(&self->group);
	MAG_SPAWN_AS(self->rc, &self->handle, &self->group, work, .name = "the first", .reason = &self->reasons[0],
		     .clean = &self->clean[0]);
	MAG_SPAWN(self->rc, &self->group, work, .name = "the second", .reason = &self->reasons[1],
		  .clean = &self->clean[1]);
	MAG_AWAIT(self->rc, mag_sleep, 10 * MAG_MILLISECOND);

	mag_handle_cancel(&self->handle); /* one task */
	MAG_AWAIT(self->result, mag_handle_wait, &self->handle);

	MAG_WITH_TIMEOUT(&self->scope, 10 * MAG_MILLISECOND); /* a stretch of this one */
	MAG_CALL(self->rc, work, .name = "the third", .reason = &self->reasons[2], .clean = &self->clean[2]);
	MAG_SCOPE_END(self->ended, &self->scope);

	mag_group_cancel(&self->group); /* all that is left */
	MAG_GROUP_END(self->rc, &self->group);
	MAG_RETURN(self->result == MAG_ECANCELED && self->ended == MAG_ETIMEDOUT && self->rc == MAG_ECANCELED &&
				   self->reasons[0] == MAG_ECANCELED && self->reasons[1] == MAG_ECANCELED &&
				   self->reasons[2] == MAG_ETIMEDOUT && self->clean[0] && self->clean[1] && self->clean[2] ?
			   0 :
			   -EPROTO);
	MAG_END;
}

int main(void)
{
	int64_t rc = mag_run(NULL, program);

	if (rc < 0)
		fprintf(stderr, "08_cancel: %s %s\n", mag_strerror(rc), mag_runtime_why());
	return rc < 0;
}
