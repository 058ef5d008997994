/* SPDX-License-Identifier: MIT */
/* refused_queue.c - elements that are copied under a lock are not larger than the limit: "MAGI_SIZE_WITHIN". */
#include <magpie/queue.h>

static char room[2][MAG_QUEUE_ELEMENT_MAX + 1];
mag_queue queue = MAG_QUEUE_INIT(room);
