/* SPDX-License-Identifier: MIT */
/* left.h - what a runtime finds at its end that nobody has closed, heard or waited for; told in debug mode. */
#ifndef MAGI_RUN_LEFT_H
#define MAGI_RUN_LEFT_H

#include "sched/types.h"

/* Before the tasks are cancelled: those that wait for what somebody was to close. */
void magi_left_waiting(mag_runtime *rt);

/* When nothing runs any more: open files, errors of the background. */
void magi_left_over(mag_runtime *rt);

#endif
