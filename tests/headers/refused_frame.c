/* SPDX-License-Identifier: MIT */
/* refused_frame.c - a frame that is too large for any size class; must not compile: "a frame has 1 MiB at most". */
#include <magpie/task.h>

struct large {
	mag_frame frame;
	MAG_NO_ARGS(large);
	char buf[3 << 20];
};

MAG_TASK(large)
{
	MAG_BEGIN(large);
	MAG_RETURN(self->buf[0]);
	MAG_END;
}
