/* SPDX-License-Identifier: MIT */
/* test_stream.c - answers taken piece by piece, and bodies that are sent so. */
#include "http_client/scene.h"

#include <magpie/stream_source.h>

TestSuite(http_stream, .timeout = 60);

/* Takes the rest of the body; what comes must be what peer_fill makes, from `at` on. */
struct take_all {
	mag_frame frame;
	MAG_ARGS(take_all, mag_http_response *response; size_t at;);
	mag_http_chunk chunk;
	int64_t rc;
};

static bool is_filled(const mag_http_chunk *chunk, size_t at)
{
	for (size_t i = 0; i < chunk->length; i++) {
		if (((const char *)chunk->data)[i] != (char)('a' + (at + i) % 23))
			return false;
	}
	return true;
}

static MAG_TASK(take_all)
{
	MAG_BEGIN(take_all);
	for (;;) {
		MAG_AWAIT(self->rc, mag_http_body, self->response, &self->chunk);
		if (self->rc <= 0)
			break;
		CHECK(is_filled(&self->chunk, self->at));
		self->at += self->chunk.length;
	}
	CHECK_EQ(self->rc, 0);
	MAG_RETURN((int64_t)self->at);
	MAG_END;
}

#define OPEN(...)                                                                                    \
	do {                                                                                         \
		self->request = MAG_HTTP_REQUEST(__VA_ARGS__);                                       \
		MAG_AWAIT(self->rc, mag_http_open, &self->session, &self->request, &self->response); \
	} while (0)
#define CLOSE_BODY                                                    \
	do {                                                          \
		MAG_AWAIT(self->rc, mag_http_close, &self->response); \
		CHECK_EQ(self->rc, 0);                                \
	} while (0)

SCENE(whole)
{
	SCENE_BEGIN(whole);
	OPEN(.url = "/file/3000000");
	CHECK_EQ(self->rc, 200);
	CHECK(!strcmp(mag_http_response_header(&self->response, "Content-Length"), "3000000"));
	MAG_CALL(self->rc, take_all, .response = &self->response, .at = 0);
	CHECK_EQ(self->rc, 3000000);
	CLOSE_BODY;
	CHECK(self->response.timing.total > 0);
	CLOSE_BODY;                 /* once more does nothing */
	OPEN(.url = "/redirect/2"); /* the bodies of redirects are not given */
	CHECK_EQ(self->rc, 200);
	CHECK_EQ(self->response.redirects, 2);
	CLOSE_BODY;
	OPEN(.url = "/status/204");
	CHECK_EQ(self->rc, 204);
	MAG_CALL(self->rc, take_all, .response = &self->response, .at = 0);
	CHECK_EQ(self->rc, 0);
	CLOSE_BODY;
	GET("/hello");
	CHECK_EQ(self->rc, 200);
	SCENE_END;
}

Test(http_stream, a_body_comes_in_pieces_and_whole)
{
	PLAY(whole);
}

static uint64_t picks(void)
{
	mag_stats stats = { .size = sizeof(stats) };

	mag_runtime_stats(mag_runtime_current(), &stats);
	return stats.picks;
}

SCENE(slow_reader, mag_http_chunk chunk; size_t sent; uint64_t picks;)
{
	SCENE_BEGIN(slow_reader);
	OPEN(.url = "/flood", .limits = { .low_speed_ns = 200 * MAG_MILLISECOND });
	CHECK_EQ(self->rc, 200);
	/* nobody takes anything: what comes is what the sockets hold and a few chunks; and no task spins on the socket,
	 * which is full of bytes */
	do {
		self->sent = self->peer.sent;
		self->picks = picks();
		MAG_AWAIT(self->rc, mag_sleep, 250 * MAG_MILLISECOND);
	} while (self->sent == 0 || self->sent != self->peer.sent);
	CHECK(picks() - self->picks < 100);
	for (self->waited = 0; self->waited < 2000; self->waited++) { /* then it goes on, and is not held to be slow */
		MAG_AWAIT(self->rc, mag_http_body, &self->response, &self->chunk);
		CHECK_EQ(self->rc, 1);
	}
	CHECK(self->peer.sent > self->sent);
	CLOSE_BODY;
	WAIT_UNTIL(self->rc, self->peer.open == 0);
	SCENE_END;
}

Test(http_stream, who_does_not_take_holds_up_the_server)
{
	PLAY(slow_reader);
}

SCENE(breaks, mag_http_chunk chunk; mag_scope scope; int64_t timed;)
{
	SCENE_BEGIN(breaks);
	OPEN(.url = "/half");
	CHECK_EQ(self->rc, 200);
	MAG_AWAIT(self->rc, mag_http_body, &self->response, &self->chunk);
	CHECK_EQ(self->rc, 1);
	CHECK_EQ(self->chunk.length, 10);
	MAG_AWAIT(self->rc, mag_http_body, &self->response, &self->chunk);
	FAULT_IS(MAG_EEOF, MAG_HTTP_BROKEN);
	MAG_AWAIT(self->rc, mag_http_body, &self->response, &self->chunk);
	CHECK_EQ(self->rc, MAG_EEOF);
	CLOSE_BODY;
	MAG_AWAIT(self->rc, mag_http_body, &self->response, &self->chunk);
	CHECK_EQ(self->rc, -EINVAL);
	OPEN(.url = "/stall", .limits = { .low_speed_ns = 100 * MAG_MILLISECOND });
	CHECK_EQ(self->rc, 200);
	MAG_AWAIT(self->rc, mag_http_body, &self->response, &self->chunk);
	CHECK_EQ(self->rc, 1);
	MAG_AWAIT(self->rc, mag_http_body, &self->response, &self->chunk);
	FAULT_IS(MAG_ETIMEDOUT, MAG_HTTP_TIMEOUT);
	CLOSE_BODY;
	OPEN(.url = "/file/1000", .limits = { .body_max = 999 });
	CHECK_EQ(self->rc, 200);
	MAG_AWAIT(self->rc, mag_http_body, &self->response, &self->chunk);
	FAULT_IS(MAG_ETOOLONG, MAG_HTTP_TOO_LARGE);
	CLOSE_BODY;
	OPEN(.url = "/nothing");
	FAULT_IS(MAG_EEOF, MAG_HTTP_BROKEN); /* and nothing is open */
	MAG_WITH_TIMEOUT(&self->scope, 20 * MAG_MILLISECOND);
	OPEN(.url = "/hold");
	MAG_SCOPE_END(self->timed, &self->scope);
	FAULT_IS(MAG_ECANCELED, MAG_HTTP_CANCELLED);
	OPEN(.url = "/stall");
	MAG_AWAIT(self->rc, mag_http_body, &self->response, &self->chunk);
	MAG_WITH_TIMEOUT(&self->scope, 20 * MAG_MILLISECOND);
	MAG_AWAIT(self->rc, mag_http_body, &self->response, &self->chunk);
	MAG_SCOPE_END(self->timed, &self->scope);
	CHECK_EQ(self->rc, MAG_ECANCELED);
	CLOSE_BODY; /* what has not come is given up */
	WAIT_UNTIL(self->rc, self->peer.open == 0);
	SCENE_END;
}

Test(http_stream, an_end_in_the_middle_a_limit_and_a_cancellation_are_told)
{
	PLAY(breaks);
}

SCENE(iterated, mag_stream_iterator body; mag_http_chunk chunk; size_t at;)
{
	SCENE_BEGIN(iterated);
	OPEN(.url = "/file/200000");
	MAG_STREAM_ITERATE(self->rc, &self->body, sizeof(mag_http_chunk), MAG_STREAM_FN(mag_http_body_next),
			   MAG_STREAM_FN(mag_http_body_close), &self->response);
	CHECK_EQ(self->rc, 0);
	self->at = 0;
	for (;;) {
		MAG_AWAIT(self->rc, mag_stream_next, &self->body.stream, &self->chunk);
		if (self->rc <= 0)
			break;
		CHECK(is_filled(&self->chunk, self->at));
		self->at += self->chunk.length;
	}
	CHECK_EQ(self->at, 200000);
	MAG_AWAIT(self->rc, mag_stream_close, &self->body.stream);
	CHECK(!self->response.flow);
	SCENE_END;
}

Test(http_stream, it_is_a_stream_as_others_are)
{
	PLAY(iterated);
}

/* A source of an upload: `n` pieces, then the end, or an error. */
struct pieces {
	int n, i;
	int64_t last;
	char piece[10000];
};

struct next_piece {
	mag_frame frame;
	MAG_ARGS(next_piece, struct pieces *ctx; mag_http_chunk * out;);
	int64_t rc;
};

static MAG_TASK(next_piece)
{
	MAG_BEGIN(next_piece);
	if (self->ctx->i % 3 == 0) /* now and then there is nothing for a while */
		MAG_AWAIT(self->rc, mag_sleep, MAG_MILLISECOND);
	if (self->ctx->i++ == self->ctx->n)
		MAG_RETURN(self->ctx->last);
	peer_fill(self->ctx->piece, (size_t)(self->ctx->i - 1) * sizeof(self->ctx->piece), sizeof(self->ctx->piece));
	*self->out = (mag_http_chunk){ self->ctx->piece, sizeof(self->ctx->piece) };
	MAG_RETURN(1);
	MAG_END;
}

SCENE(uploads, struct pieces pieces; mag_stream_iterator source; mag_scope scope; int64_t timed;)
{
	SCENE_BEGIN(uploads);
	self->pieces = (struct pieces){ .n = 100 };
	MAG_STREAM_ITERATE(self->rc, &self->source, sizeof(mag_http_chunk), MAG_STREAM_FN(next_piece),
			   MAG_STREAM_NO_CLOSE, &self->pieces);
	REQUEST(.url = "/hello", .method = "PUT", .upload = &self->source.stream, .upload_length = 1000000);
	CHECK_EQ(self->rc, 200);
	CHECK(strstr(self->peer.head, "PUT /hello"));
	CHECK(strstr(self->peer.head, "Content-Length: 1000000\r\n"));
	CHECK_EQ(self->peer.body_length, 1000000);
	MAG_AWAIT(self->rc, mag_stream_close, &self->source.stream);

	self->pieces = (struct pieces){ .n = 1 };
	MAG_STREAM_ITERATE(self->rc, &self->source, sizeof(mag_http_chunk), MAG_STREAM_FN(next_piece),
			   MAG_STREAM_NO_CLOSE, &self->pieces);
	OPEN(.url = "/hello", .upload = &self->source.stream);
	CHECK_EQ(self->rc, 200);
	CHECK(strstr(self->peer.head, "POST /hello"));
	CHECK(strstr(self->peer.head, "Transfer-Encoding: chunked\r\n"));
	CHECK(self->peer.body_length > 10000);
	CLOSE_BODY;
	MAG_AWAIT(self->rc, mag_stream_close, &self->source.stream);

	self->pieces = (struct pieces){ .n = 2, .last = -EBADF };
	MAG_STREAM_ITERATE(self->rc, &self->source, sizeof(mag_http_chunk), MAG_STREAM_FN(next_piece),
			   MAG_STREAM_NO_CLOSE, &self->pieces);
	REQUEST(.url = "/hello", .upload = &self->source.stream);
	FAULT_IS(-EBADF, MAG_HTTP_UPLOAD);
	MAG_AWAIT(self->rc, mag_stream_close, &self->source.stream);

	self->pieces = (struct pieces){ .n = 2 };
	MAG_STREAM_ITERATE(self->rc, &self->source, sizeof(mag_http_chunk), MAG_STREAM_FN(next_piece),
			   MAG_STREAM_NO_CLOSE, &self->pieces);
	REQUEST(.url = "/to/307//hello", .upload = &self->source.stream);
	FAULT_IS(-ELOOP, MAG_HTTP_REDIRECT);
	MAG_AWAIT(self->rc, mag_stream_close, &self->source.stream);
	SCENE_END;
}

Test(http_stream, an_upload_is_sent_as_it_comes)
{
	PLAY(uploads);
}

/* The source never gives anything; the limit of the whole ends that. */
struct no_piece {
	mag_frame frame;
	MAG_ARGS(no_piece, struct pieces *ctx; mag_http_chunk * out;);
	int64_t rc;
};

static MAG_TASK(no_piece)
{
	MAG_BEGIN(no_piece);
	MAG_AWAIT(self->rc, mag_sleep_until, MAG_NEVER);
	MAG_RETURN(self->rc);
	MAG_END;
}

SCENE(upload_hangs, struct pieces pieces; mag_stream_iterator source; mag_scope scope; int64_t timed;)
{
	SCENE_BEGIN(upload_hangs);
	MAG_STREAM_ITERATE(self->rc, &self->source, sizeof(mag_http_chunk), MAG_STREAM_FN(no_piece),
			   MAG_STREAM_NO_CLOSE, &self->pieces);
	REQUEST(.url = "/hello", .upload = &self->source.stream, .limits = { .total_ns = 30 * MAG_MILLISECOND });
	FAULT_IS(MAG_ETIMEDOUT, MAG_HTTP_TIMEOUT);
	MAG_WITH_TIMEOUT(&self->scope, 30 * MAG_MILLISECOND);
	REQUEST(.url = "/hello", .upload = &self->source.stream);
	MAG_SCOPE_END(self->timed, &self->scope);
	FAULT_IS(MAG_ECANCELED, MAG_HTTP_CANCELLED);
	OPEN(.url = "/hello", .upload = &self->source.stream, .limits = { .total_ns = 30 * MAG_MILLISECOND });
	FAULT_IS(MAG_ETIMEDOUT, MAG_HTTP_TIMEOUT);
	MAG_AWAIT(self->rc, mag_stream_close, &self->source.stream);
	SCENE_END;
}

Test(http_stream, an_upload_that_stands_still_ends_with_its_request)
{
	PLAY(upload_hangs);
}

SCENE(left_open)
{
	SCENE_BEGIN(left_open);
	OPEN(.url = "/flood");
	CHECK_EQ(self->rc, 200);
	GET("/hello"); /* into what is in use */
	CHECK_EQ(self->rc, -EBUSY);
	OPEN(.url = "/hello");
	CHECK_EQ(self->rc, -EBUSY);
	MAG_CALL(self->rc, peer_close, .peer = &self->peer, .session = &self->session);
	CHECK_EQ(self->rc, 0);
	CLOSE_BODY;
	mag_http_response_fini(&self->response);
	MAG_RETURN(0);
	MAG_END;
}

Test(http_stream, a_stream_that_is_open_ends_with_the_session)
{
	PLAY(left_open);
}
