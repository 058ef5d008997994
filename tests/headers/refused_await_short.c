/* SPDX-License-Identifier: MIT */
/* refused_await_short.c - the same with the arguments that stand behind MAG_AWAIT: "too few arguments". */
#include <magpie/task.h>
#include <magpie/time.h>

struct forgets {
	mag_frame frame;
	MAG_NO_ARGS(forgets);
};

MAG_TASK(forgets)
{
	MAG_BEGIN(forgets);
	mag_sleep(MAG_SECOND);
	MAG_RETURN(0);
	MAG_END;
}
