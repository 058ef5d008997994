/* SPDX-License-Identifier: MIT */
/* dump.h - all that can be said of a runtime. */
#ifndef MAGI_RUN_DUMP_H
#define MAGI_RUN_DUMP_H

#include "sched/types.h"
#include "task/text.h"

/* The tree of tasks, then workers and lanes. */
void magi_dump_add(struct magi_text *t, mag_runtime *rt);

#endif
