/* SPDX-License-Identifier: MIT */
/* test_operation.c - operations of one's own: MAG_OP_DONE, MAG_OP_CALL. */
#include "net_run.h"

struct twice {
	mag_frame frame;
	MAG_ARGS(twice, int64_t n; uint64_t ns;);
	int64_t rc;
};

static MAG_TASK(twice)
{
	MAG_BEGIN(twice);
	MAG_AWAIT(self->rc, mag_sleep, self->ns);
	MAG_RETURN(self->rc < 0 ? self->rc : 2 * self->n);
	MAG_END;
}

/* At once for 0, by another operation for 1, else by an async function. */
static mag_frame *doubled(mag_worker *w, mag_frame *f, int64_t n, uint64_t ns)
{
	if (n == 0)
		MAG_OP_DONE(0);
	if (n == 1)
		return mag_sleep(w, f, ns);
	MAG_OP_CALL(twice, .n = n, .ns = ns);
}

struct uses {
	mag_frame frame;
	MAG_NO_ARGS(uses);
	mag_scope scope;
	int64_t rc, i;
};

static MAG_TASK(uses)
{
	MAG_BEGIN(uses);
	MAG_AWAIT(self->rc, doubled, 0, 0);
	CHECK_EQ(self->rc, 0);
	MAG_AWAIT(self->rc, doubled, 1, MAG_MICROSECOND);
	CHECK_EQ(self->rc, 0);
	for (self->i = 2; self->i < 100; self->i++) {
		MAG_AWAIT(self->rc, doubled, self->i, MAG_MICROSECOND);
		CHECK_EQ(self->rc, 2 * self->i);
	}
	MAG_WITH_TIMEOUT(&self->scope, MAG_MILLISECOND);
	MAG_AWAIT(self->rc, doubled, 7, 100 * MAG_SECOND);
	CHECK_EQ(self->rc, MAG_ECANCELED);
	MAG_AWAIT(self->rc, doubled, 7, 100 * MAG_SECOND);
	CHECK_EQ(self->rc, MAG_ECANCELED);
	MAG_SCOPE_END(self->rc, &self->scope);
	CHECK_EQ(self->rc, MAG_ETIMEDOUT);
	MAG_RETURN(0);
	MAG_END;
}

Test(operation, of_ones_own_is_awaited_as_any, .timeout = 60)
{
	RUN(uses);
}
