/* SPDX-License-Identifier: MIT */
/* text.h - lines that are written down first and out later, when no lock is held. */
#ifndef MAGI_TASK_TEXT_H
#define MAGI_TASK_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct magi_text {
	char *at;
	size_t used, room;
	bool full; /* something found no room */
};

/* room: bytes. 0 or -ENOMEM. */
int magi_text_begin(struct magi_text *t, size_t room);
void magi_text_end(struct magi_text *t);

void magi_text_add(struct magi_text *t, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* A length of time, as people say it. */
void magi_text_ns(struct magi_text *t, uint64_t ns);

/* All of it to a file: 0 or -errno; -ETIMEDOUT when nobody took anything for so long. patience_ms -1: for ever. */
int magi_text_write(const struct magi_text *t, int fd, int patience_ms);

#endif
