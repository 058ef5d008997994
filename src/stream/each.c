/* SPDX-License-Identifier: MIT */
/* each.c - an async function for each item, several at once: a crew whose items nobody looks at. */
#include "stream/crew.h"

static int open_crew(mag_worker *w, struct mag_stream_each *self)
{
	const mag_stream_crew_options options = {
		.size = sizeof(options), .limit = self->limit, .as_completed = true, .ctx = self->ctx
	};

	return magi_stream_crew_open(w, &self->frame, &self->crew, &self->stream, 1, sizeof(self->item), self->fn, &options);
}

MAG_TASK(mag_stream_each)
{
	MAG_BEGIN(mag_stream_each);
	self->count = 0;
	self->rc = self->fn.step ? open_crew(w, self) : -EINVAL;
	self->last = self->rc == 0 ? &self->crew.stream : self->stream;
	while (self->rc == 0) {
		MAG_AWAIT(self->rc, mag_stream_next, self->last, &self->item);
		if (self->rc <= 0)
			break;
		self->count++;
		self->rc = 0;
	}
	MAG_AWAIT(self->closed, mag_stream_close, self->last);
	MAG_RETURN(self->rc < 0 ? self->rc : self->count);
	MAG_END;
}
