/* SPDX-License-Identifier: MIT */
/* refused_await.c - an operation that is called like a function, without MAG_AWAIT: "warn_unused_result". */
#include <magpie/task.h>
#include <magpie/time.h>

struct forgets {
	mag_frame frame;
	MAG_NO_ARGS(forgets);
};

MAG_TASK(forgets)
{
	MAG_BEGIN(forgets);
	mag_sleep(w, &self->frame, MAG_SECOND);
	MAG_RETURN(0);
	MAG_END;
}
