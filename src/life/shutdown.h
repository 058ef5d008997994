/* SPDX-License-Identifier: MIT */
/* shutdown.h - what the task that leads a shutdown asks of it. */
#ifndef MAGI_LIFE_SHUTDOWN_H
#define MAGI_LIFE_SHUTDOWN_H

#include <magpie/shutdown.h>

/* Whether the caller may lead it: nobody does, and it is not over. */
bool magi_shutdown_starts(struct mag_shutdown *s);
void magi_shutdown_ended(struct mag_shutdown *s);

/* Waits for something to look at, or the end of the state: whatever the result, ask goes_on. */
mag_frame *magi_shutdown_wait(mag_worker *w, mag_frame *f, struct mag_shutdown *s);
/* Moves on to the next state where that is due. False: it is over. */
bool magi_shutdown_goes_on(struct mag_shutdown *s);

/* As mag_shutdown_count, with the names as words of a line: they are there as long as the lock is held. */
size_t magi_shutdown_names(struct mag_shutdown *s, char *text, size_t size);

/* A signal has come. */
int magi_shutdown_signal(struct mag_shutdown *s, int signal, bool hurries);

#endif
