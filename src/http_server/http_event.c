/* SPDX-License-Identifier: MIT */
/* http_event.c - server-sent events, in the form of the HTML standard. */
#include <magpie/http_reply.h>

#include "http_put.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What an event is on the wire; malloc's. */
static char *text_of(const mag_http_event *e, size_t *length)
{
	char *text = NULL;
	FILE *out = open_memstream(&text, length);

	if (!out)
		return NULL;
	if (!e)
		fputs(":\n", out);
	if (e && e->name)
		fprintf(out, "event: %s\n", e->name);
	if (e && e->id)
		fprintf(out, "id: %s\n", e->id);
	if (e && e->retry_ms)
		fprintf(out, "retry: %" PRIu64 "\n", e->retry_ms);
	for (const char *s = e ? e->data : NULL; s;) {
		size_t n = strcspn(s, "\r\n");

		fprintf(out, "data: %.*s\n", (int)n, s);
		s += n;
		if (!*s)
			break;
		s += s[0] == '\r' && s[1] == '\n' ? 2 : 1;
	}
	fputc('\n', out);
	if (fclose(out) == 0)
		return text;
	free(text);
	return NULL;
}

static bool is_line(const char *s)
{
	return !s || !s[strcspn(s, "\r\n")];
}

struct http_send_event {
	mag_frame frame;
	MAG_ARGS(http_send_event, mag_http_exchange *http; char *text; size_t length;);
	int64_t rc;
};

MAG_TASK(http_send_event)
{
	MAG_BEGIN(http_send_event);
	MAG_AWAIT(self->rc, mag_http_write, self->http, self->text, self->length);
	if (self->rc >= 0)
		MAG_AWAIT(self->rc, mag_http_flush, self->http);
	free(self->text);
	MAG_RETURN(self->rc < 0 ? self->rc : 0);
	MAG_END;
}

mag_frame *mag_http_send_event(MAG_OP_ARGS, mag_http_exchange *x, const mag_http_event *event)
{
	mag_frame *next;
	char *text;
	size_t n;
	int rc = 0;

	if (event && (!is_line(event->name) || !is_line(event->id)))
		return magi_http_done(f, -EINVAL);
	if (x->reply == HTTP_REPLY_NONE) {
		rc = mag_http_reply_header(x, "Cache-Control", "no-store");
		if (rc == 0)
			rc = mag_http_reply_begin(x, 200, "text/event-stream", MAG_HTTP_UNKNOWN);
	}
	text = rc < 0 ? NULL : text_of(event, &n);
	if (!text)
		return magi_http_done(f, rc < 0 ? rc : -ENOMEM);
	next = MAGI_HTTP_CALL(http_send_event, .http = x, .text = text, .length = n);
	if (next == f)
		free(text);
	return next;
}
