/* SPDX-License-Identifier: MIT */
/* spawn.h - starting a program, on a thread that may block. */
#ifndef MAGI_PROCESS_SPAWN_H
#define MAGI_PROCESS_SPAWN_H

#include <magpie/process.h>

/* What is to be started, and what there is then: descriptors of ours, -1 for none. */
struct magi_spawn_job {
	const struct mag_process_options *options;
	int fds[3];
	int handle; /* the pidfd */
	pid_t pid;
};

/* A copy with all that they point to, in one piece of memory, for magi_free; NULL: there is none. They are valid. */
struct mag_process_options *magi_process_options_copy(const struct mag_process_options *o);

/* A job of the blocking lane: 0, or -errno and nothing was started. */
int64_t magi_process_start(void *job);

/* Kills what was started, reaps it and closes the descriptors; waits for that. */
void magi_process_undo(struct magi_spawn_job *job);

/* The process has ended: reaps it, and says how that was; -EAGAIN: it has not, or -errno. */
int64_t magi_process_reap(int handle);

#endif
