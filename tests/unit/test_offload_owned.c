/* SPDX-License-Identifier: MIT */
/* test_offload_owned.c - mag_offload_owned, wrongly asked for. */
#include <criterion/criterion.h>
#include <errno.h>
#include <magpie/magpie.h>
#include <stdlib.h>

#include "support/matrix.h"

static int64_t nothing(void *arg)
{
	(void)arg;
	return 0;
}

struct asks_wrongly {
	mag_frame frame;
	MAG_NO_ARGS(asks_wrongly);
	int64_t rc;
};

MAG_TASK(asks_wrongly)
{
	MAG_BEGIN(asks_wrongly);
	MAG_AWAIT(self->rc, mag_offload_owned, MAG_BLOCKING, NULL, NULL, free);
	NEED(self->rc == -EINVAL);
	MAG_AWAIT(self->rc, mag_offload_owned, MAG_BLOCKING, nothing, NULL, NULL);
	NEED(self->rc == -EINVAL);
	MAG_RETURN(0);
	MAG_END;
}

Test(offload_owned, a_job_is_a_function_and_what_destroys_its_argument, .timeout = 10)
{
	int64_t rc = RUN(1, asks_wrongly);

	cr_assert_eq(rc, 0, "%s", where(rc));
}
