/* SPDX-License-Identifier: MIT */
/* use_queue.c - static queues, oneshots and watches. */
#include <magpie/oneshot.h>
#include <magpie/queue.h>
#include <magpie/watch.h>

static char room[2][MAG_QUEUE_ELEMENT_MAX];
static uint64_t words[4];
static int number;
mag_queue large = MAG_QUEUE_INIT(room), small = MAG_QUEUE_INIT(words);
mag_oneshot oneshot = MAG_ONESHOT_INIT(number);
mag_watch watch = MAG_WATCH_INIT(words);
