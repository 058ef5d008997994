/* SPDX-License-Identifier: MIT */
/* trap.h - handlers of signals: in the place of what was there, and that back in its own.
 *
 * Who:     put, put back: one thread at a time for each signal. forked: a handler. */
#ifndef MAGI_BASE_TRAP_H
#define MAGI_BASE_TRAP_H

#include <signal.h>
#include <stdbool.h>
#include <sys/types.h>

struct magi_trap {
	struct sigaction before;
};

typedef void (*magi_trap_fn)(int number);

/* Whether this, SIG_DFL or SIG_IGN is what happens at the signal. */
bool magi_trap_is(int number, magi_trap_fn handler);

/* The handler is called from now on; others' system calls go on after it. 0 or -EINVAL. */
int magi_trap_put(struct magi_trap *t, int number, magi_trap_fn handler);
/* Unless another has taken its place. */
void magi_trap_put_back(const struct magi_trap *t, int number, magi_trap_fn handler);

/* In a handler: whether this is a child that was forked by the process that has put it in place. Then the signal has done
 * what it does to others. */
bool magi_trap_forked(pid_t owner, int number);

#endif
