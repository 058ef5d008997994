/* SPDX-License-Identifier: MIT */
/* generator.h - what leaving a frame asks of its generators. */
#ifndef MAGI_TASK_GENERATOR_H
#define MAGI_TASK_GENERATOR_H

#include <magpie/generator.h>

/* Closes a generator that is still open at the end of its frame. f: it has ended; else the frame to run next. */
mag_frame *magi_gen_leave(mag_worker *w, mag_frame *f, mag_generator *gen);

#endif
