/* SPDX-License-Identifier: MIT */
/* mutex.h - what condition.c needs of a mutex besides. */
#ifndef MAGI_SYNC_MUTEX_H
#define MAGI_SYNC_MUTEX_H

#include <magpie/mutex.h>

/* Whether the task of this frame holds it. */
bool magi_mutex_is_held(const mag_frame *f, const mag_mutex *m);

/* Gives back a mutex that the task holds. The result, unless NULL, is to be resumed by magi_wait_resume, under no lock. */
mag_frame *magi_mutex_let_go(mag_frame *f, mag_mutex *m);

#endif
