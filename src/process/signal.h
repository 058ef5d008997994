/* SPDX-License-Identifier: MIT */
/* signal.h - who is to be told of signals, and the way there from a handler. */
#ifndef MAGI_PROCESS_SIGNAL_H
#define MAGI_PROCESS_SIGNAL_H

#include <magpie/signal.h>

#include "base/thread.h"

/* All receivers of a process, or of a simulation. */
struct magi_receivers {
	struct magi_monitor monitor; /* before the lock of a receiver */
	struct mag_signal *first;
};

/* Gives these signals to each receiver that wants them; bit n - 1 for signal n; of the process's own with all that has come
 * to it. False: nobody did. */
bool magi_signal_tell(struct magi_receivers *all, uint64_t signals);

/* The process's own. */
struct magi_receivers *magi_trap_receivers(void);

/* Somebody opens a receiver, or has closed one: while there is one there is a thread. -EAGAIN. */
int magi_trap_enter(void);
void magi_trap_leave(void);

/* What has come since the last time; bit n - 1 for signal n. The monitor of the receivers is entered. */
uint64_t magi_trap_came(void);

/* The signals come to us from now on; no longer. Counted. The monitor of the receivers is entered. -EINVAL: none of
 * them does. */
int magi_trap_take(uint64_t signals);
void magi_trap_drop(uint64_t signals);

#endif
