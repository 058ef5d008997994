/* SPDX-License-Identifier: MIT */
/* upload.c - the body of an upload on its way from a stream of the user's to libcurl, with a few pieces between. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "http_client/exchange.h"

int magi_client_upload_init(struct magi_client_upload *upload)
{
	upload->rc = 0;
	return mag_queue_init(&upload->queue, MAGI_CLIENT_UPLOADS, sizeof(struct magi_client_bytes *));
}

static void drop(void *arg, void *element)
{
	(void)arg;
	free(*(struct magi_client_bytes **)element);
}

void magi_client_upload_fini(struct magi_client_upload *upload)
{
	mag_queue_drain(&upload->queue, drop, NULL);
	mag_queue_fini(&upload->queue);
}

static struct magi_client_bytes *copy(const mag_http_chunk *chunk)
{
	struct magi_client_bytes *bytes = malloc(sizeof(*bytes) + chunk->length);

	if (bytes) {
		bytes->length = chunk->length;
		bytes->at = 0;
		memcpy(bytes->data, chunk->data, chunk->length);
	}
	return bytes;
}

MAG_TASK(magi_client_feed)
{
	MAG_BEGIN(magi_client_feed);
	for (;;) {
		MAG_AWAIT(self->rc, mag_stream_next, self->call->request->upload, &self->chunk);
		if (self->rc <= 0)
			break;
		if (!self->chunk.length)
			continue;
		self->bytes = copy(&self->chunk);
		self->rc = self->bytes ? 0 : -ENOMEM;
		if (self->rc == 0)
			MAG_AWAIT(self->rc, mag_queue_push, &self->call->upload->queue, &self->bytes);
		if (self->rc < 0) {
			free(self->bytes);
			break;
		}
		mag_event_set(&self->call->wake);
	}
	self->call->upload->rc = self->rc;
	mag_queue_close(&self->call->upload->queue);
	mag_event_set(&self->call->wake);
	MAG_RETURN(0);
	MAG_END;
}
