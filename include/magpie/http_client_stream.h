/* SPDX-License-Identifier: MIT */
/* http_client_stream.h - an answer taken piece by piece: what has not been taken holds up the server, not the memory.
 *
 *	MAG_AWAIT(self->rc, mag_http_open, &session, &self->request, &self->response);
 *	if (self->rc < 0)
 *		MAG_RETURN(self->rc);                                    // nothing is open
 *	for (;;) {
 *		MAG_AWAIT(self->rc, mag_http_body, &self->response, &self->chunk);
 *		if (self->rc <= 0)
 *			break;                                           // 0: the end, or an error
 *		…
 *	}
 *	MAG_AWAIT(self->closed, mag_http_close, &self->response);
 *
 * As a stream of chunks (magpie/stream.h):
 *
 *	MAG_STREAM_ITERATE(self->rc, &self->body, sizeof(mag_http_chunk), MAG_STREAM_FN(mag_http_body_next),
 *			   MAG_STREAM_FN(mag_http_body_close), &self->response); */
#ifndef MAGPIE_HTTP_CLIENT_STREAM_H
#define MAGPIE_HTTP_CLIENT_STREAM_H

#include <magpie/http_client.h>

MAGI_C_BEGIN

/* MAG_AWAIT(rc, mag_http_open, &session, &request, &response): sends a request and waits for the headers of the answer.
 * limits.total_ns and body_max are those of the whole, by default larger than of mag_http_perform.
 *
 * Await:    yes, a cancellation point
 * Threads:  any worker
 * Owns:     request and response are in use until mag_http_close; after an error nothing is open
 * Returns:  as mag_http_perform
 * Since:    0.2 */
MAG_API MAG_OP mag_http_open(MAG_OP_ARGS, mag_http_session *session, const mag_http_request *request,
			     mag_http_response *response);

/* MAG_AWAIT(rc, mag_http_body, &response, &chunk): the next bytes of the body, good until the next call.
 *
 * Await:    yes, a cancellation point, at which nothing is lost
 * Threads:  any worker, one task at a time
 * Owns:     the bytes stay the response's
 * Returns:  1 and *chunk; 0 at the end; an error, as mag_http_perform: response.fault and response.why say more
 * Since:    0.2 */
MAG_API MAG_OP mag_http_body(MAG_OP_ARGS, mag_http_response *response, mag_http_chunk *chunk);

/* MAG_AWAIT(rc, mag_http_close, &response): ends it. What has not come is given up, and the connection with it; one
 * whose body was taken to its end is kept. Status and headers stay until mag_http_response_fini.
 *
 * Await:    yes, never cut short
 * Threads:  any worker
 * Returns:  0, also when nothing is open
 * Since:    0.2 */
MAG_API MAG_OP mag_http_close(MAG_OP_ARGS, mag_http_response *response);

/* The same two as async functions, for MAG_STREAM_ITERATE.  Since: 0.2 */
struct mag_http_body_next {
	mag_frame frame;
	MAG_ARGS(mag_http_body_next, mag_http_response *ctx; mag_http_chunk * out;);
	int64_t rc;
};
struct mag_http_body_close {
	mag_frame frame;
	MAG_ARGS(mag_http_body_close, mag_http_response *ctx;);
	int64_t rc;
};
MAG_API MAG_DECLARE_TASK(mag_http_body_next);
MAG_API MAG_DECLARE_TASK(mag_http_body_close);

MAGI_C_END

#endif
