/* SPDX-License-Identifier: MIT */
#include <magpie/magpie.h>
#include <stdio.h>

struct greet {
	mag_frame frame;
	MAG_ARGS(greet, int n;);
	int64_t rc;
};

MAG_TASK(greet)
{
	MAG_BEGIN(greet);
	if (self->n > 1)
		MAG_FORK(greet, .n = self->n - 1);
	MAG_AWAIT(self->rc, mag_sleep, (uint64_t)self->n * 10 * MAG_MILLISECOND);
	printf("task %d slept %d ms and woke on worker %d\n", self->n, self->n * 10, mag_worker_index());
	MAG_RETURN(self->rc);
	MAG_END;
}

int main(void)
{
	return mag_run(NULL, greet, .n = 3) < 0;
}
