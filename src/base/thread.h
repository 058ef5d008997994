/* SPDX-License-Identifier: MIT */
/* thread.h - threads, and a monitor for what is rare: the system's, or a simulation's coroutines.
 *
 * Who:     any thread.
 * Always:  all a thread ever blocks on is here, in futex.h, or in its io: a simulation sees each of these.
 * Pairs:   [turn] stored (release) under the mutex -> loaded (acquire) by who sleeps on it */
#ifndef MAGI_BASE_THREAD_H
#define MAGI_BASE_THREAD_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

struct magi_thread {
	pthread_t system;
	uint64_t simulated;
};

struct magi_thread_start {
	void *(*fn)(void *arg);
	void *arg;
	size_t stack; /* bytes */
	bool quiet;   /* takes no signals: the program's handlers run on its own threads */
};

/* 0 or -errno. t may be gone before it returns if the thread frees it. */
int magi_thread_start(struct magi_thread *t, const struct magi_thread_start *start);
/* The same, and a simulation is not asked. */
int magi_thread_start_system(struct magi_thread *t, const struct magi_thread_start *start);
void magi_thread_join(struct magi_thread *t);
/* The calling one. */
struct magi_thread magi_thread_self(void);
/* Nobody will join the calling one. */
void magi_thread_detach_self(void);
/* Up to 15 characters; of the calling one. */
void magi_thread_name(const char *name);

/* A mutex with one condition. */
struct magi_monitor {
	pthread_mutex_t mutex;
	uint32_t turn; /* atomic: counts broadcasts */
};

void magi_monitor_init(struct magi_monitor *m);
void magi_monitor_fini(struct magi_monitor *m);
void magi_monitor_enter(struct magi_monitor *m);
void magi_monitor_leave(struct magi_monitor *m);

/* Entered; left meanwhile. Until a broadcast, the deadline (ns of magi_clock_ns; MAGI_NEVER), or for no reason; false: the
 * deadline has come. */
bool magi_monitor_wait(struct magi_monitor *m, uint64_t deadline);
/* Entered. */
void magi_monitor_broadcast(struct magi_monitor *m);

#endif
