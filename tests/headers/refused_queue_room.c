/* SPDX-License-Identifier: MIT */
/* refused_queue_room.c - a pointer does not say how much room is behind it: "MAGI_ARRAY_LENGTH". */
#include <magpie/queue.h>

static int *room;
mag_queue queue = MAG_QUEUE_INIT(room);
