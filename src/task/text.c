/* SPDX-License-Identifier: MIT */
/* text.c - lines that are written down first and out later; text.h has the rules. */
#include "task/text.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"

int magi_text_begin(struct magi_text *t, size_t room)
{
	*t = (struct magi_text){ .at = magi_alloc(room), .room = room };
	return t->at ? 0 : -ENOMEM;
}

void magi_text_end(struct magi_text *t)
{
	magi_free(t->at);
}

void magi_text_add(struct magi_text *t, const char *format, ...)
{
	size_t left = t->room - t->used;
	va_list args;
	int n;

	if (t->full)
		return;
	va_start(args, format);
	n = vsnprintf(t->at + t->used, left, format, args);
	va_end(args);
	if (n < 0 || (size_t)n >= left)
		t->full = true;
	else
		t->used += (size_t)n;
}

void magi_text_ns(struct magi_text *t, uint64_t ns)
{
	if (ns < MAGI_NS_PER_S)
		magi_text_add(t, "%u ms", (unsigned)(ns / MAGI_NS_PER_MS));
	else if (ns < 100 * MAGI_NS_PER_S)
		magi_text_add(t, "%.1f s", (double)ns / 1e9);
	else
		magi_text_add(t, "%u min %u s", (unsigned)(ns / MAGI_NS_PER_S / 60),
			      (unsigned)(ns / MAGI_NS_PER_S % 60));
}

int magi_text_write(const struct magi_text *t, int fd, int patience_ms)
{
	for (size_t done = 0; done < t->used;) {
		struct pollfd room = { .fd = fd, .events = POLLOUT };
		size_t some = t->used - done < PIPE_BUF ? t->used - done
							: PIPE_BUF; /* a pipe that has room has so much */
		ssize_t n;

		if (patience_ms >= 0 && poll(&room, 1, patience_ms) == 0)
			return -ETIMEDOUT;
		n = write(fd, t->at + done, some);
		if (n < 0 && errno != EINTR)
			return -errno;
		done += n > 0 ? (size_t)n : 0;
	}
	return 0;
}
