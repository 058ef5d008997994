/* SPDX-License-Identifier: MIT */
/* quit.h - the thread that says what hangs: at SIGQUIT, and when nothing moves any more. */
#ifndef MAGI_RUN_QUIT_H
#define MAGI_RUN_QUIT_H

#include "sched/types.h"

/* The runtime runs, and is one of the process's from now on; the first one's start starts the thread. Nothing happens in
 * a simulation, or when the thread cannot be started. */
void magi_quit_enter(mag_runtime *rt);

/* Before it stops. When it returns nobody looks at the runtime; the last one's end ends the thread. */
void magi_quit_leave(mag_runtime *rt);

/* A worker is about to sleep without a deadline: the last one to do so makes the thread look, a second later. */
void magi_quit_sleeps(struct magi_worker *w);

#endif
