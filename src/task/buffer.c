/* SPDX-License-Identifier: MIT */
/* buffer.c - receive buffers; buffer.h has the rules. */
#include "task/buffer.h"

#include "base/alloc.h"

bool magi_buffers_feed(struct magi_worker *w)
{
	while (MAGI_UNLIKELY(w->ops->hungry(w->io))) {
		void *data = magi_alloc(MAGI_BUFFER_BYTES + sizeof(struct magi_buffer));

		if (!data)
			return false;
		if (!w->ops->give(w->io, data)) {
			magi_free(data);
			return false;
		}
	}
	return true;
}

void magi_buffer_release(struct magi_worker *w, void *data)
{
	if (!w || !w->ops->give(w->io, data))
		magi_free(data);
}
