/* SPDX-License-Identifier: MIT */
/* test_kept.c - connections that are kept for the next request, and end before it; uploads that are not what was said. */
#include "http_client/scene.h"

#include <magpie/stream_source.h>

TestSuite(http_kept, .timeout = 20);

SCENE(ended_while_idle, mag_http_stats stats;)
{
	SCENE_BEGIN(ended_while_idle);
	GET("/end");
	CHECK_EQ(self->rc, 200);
	CHECK_EQ(self->peer.open, 1);
	mag_event_set(&self->peer.go);
	MAG_AWAIT(self->rc, mag_event_wait, &self->peer.held); /* no request of ours makes it look */
	CHECK_EQ(self->rc, 0);
	self->stats.size = sizeof(self->stats);
	MAG_AWAIT(self->rc, mag_http_session_stats, &self->session, &self->stats);
	CHECK_EQ(self->stats.open, 0);
	GET("/hello");
	CHECK_EQ(self->rc, 200);
	CHECK_EQ(self->peer.accepted, 2);
	SCENE_END;
}

Test(http_kept, one_that_its_peer_ends_is_ended_without_waiting_for_a_request)
{
	PLAY(ended_while_idle);
}

/* An upload of some pieces. */
struct pieces {
	int left;
};

struct next_piece {
	mag_frame frame;
	MAG_ARGS(next_piece, struct pieces *ctx; mag_http_chunk * out;);
};

static MAG_TASK(next_piece)
{
	MAG_BEGIN(next_piece);
	if (!self->ctx->left)
		MAG_RETURN(0);
	self->ctx->left--;
	*self->out = (mag_http_chunk){ "0123456789", 10 };
	MAG_RETURN(1);
	MAG_END;
}

#define UPLOAD_OF(n)                                                                                   \
	self->pieces.left = n;                                                                         \
	MAG_STREAM_ITERATE(self->rc, &self->source, sizeof(mag_http_chunk), MAG_STREAM_FN(next_piece), \
			   MAG_STREAM_NO_CLOSE, &self->pieces)
#define UPLOAD_END MAG_AWAIT(self->closed, mag_stream_close, &self->source.stream)
#define UPLOADS                     \
	struct pieces pieces;       \
	mag_stream_iterator source; \
	int64_t closed;

SCENE(upload_on_a_dead_one, UPLOADS)
{
	SCENE_BEGIN(upload_on_a_dead_one);
	GET("/hello");
	CHECK_EQ(self->rc, 200);
	UPLOAD_OF(3); /* on the same connection, which ends without an answer */
	REQUEST(.url = "/nothing", .upload = &self->source.stream, .upload_length = 30);
	UPLOAD_END;
	CHECK_EQ(self->response.fault, MAG_HTTP_BROKEN); /* if nothing was sent yet, that of a second connection */
	SCENE_END;
}

Test(http_kept, an_upload_that_a_dead_connection_has_swallowed_is_no_redirect)
{
	PLAY(upload_on_a_dead_one);
}

SCENE(short_upload, UPLOADS)
{
	SCENE_BEGIN(short_upload);
	UPLOAD_OF(3);
	REQUEST(.url = "/echo", .upload = &self->source.stream, .upload_length = 30);
	UPLOAD_END;
	CHECK_EQ(self->rc, 200);
	CHECK_EQ(self->response.length, 30);
	UPLOAD_OF(3);
	REQUEST(.url = "/echo", .upload = &self->source.stream, .upload_length = 31);
	UPLOAD_END;
	FAULT_IS(MAG_EEOF, MAG_HTTP_UPLOAD);
	CHECK(strstr(self->response.why, "shorter"));
	UPLOAD_OF(0);
	REQUEST(.url = "/echo", .upload = &self->source.stream, .upload_length = 1);
	UPLOAD_END;
	FAULT_IS(MAG_EEOF, MAG_HTTP_UPLOAD);
	SCENE_END;
}

Test(http_kept, an_upload_that_is_shorter_than_was_said_does_not_wait_for_the_server)
{
	PLAY(short_upload);
}

static char long_body[20001];

SCENE(answers_that_grow)
{
	SCENE_BEGIN(answers_that_grow);
	memset(long_body, 'x', sizeof(long_body) - 1);
	REQUEST(.url = "/echo", .body = "x", .body_length = 1);
	BODY_IS("x");
	REQUEST(.url = "/echo", .body = long_body,
		.body_length = sizeof(long_body) - 1); /* into a buffer for the other */
	CHECK_EQ(self->rc, 200);
	BODY_IS(long_body);
	REQUEST(.url = "/echo", .body = "y", .body_length = 1);
	BODY_IS("y");
	CHECK_EQ(self->peer.accepted, 1);
	SCENE_END;
}

Test(http_kept, an_answer_may_be_longer_than_the_last_of_its_url)
{
	PLAY(answers_that_grow);
}

static const mag_http_pair secrets[] = { { "Authorization", "Secret a" }, { "Cookie", "b=c" }, { "X-Plain", "d" } };

SCENE(body_to_a_stranger)
{
	SCENE_BEGIN(body_to_a_stranger);
	snprintf(self->text, sizeof(self->text), "/to/307/http://localhost:%d/echo", self->peer.port);
	REQUEST(.url = self->text, .json = "[1]", .headers = secrets, .headers_n = 3);
	CHECK_EQ(self->rc, 200);
	BODY_IS("[1]");
	CHECK(strstr(self->peer.head, "POST /echo"));
	CHECK(strstr(self->peer.head, "X-Plain: d"));
	CHECK(strstr(self->peer.head, "application/json"));
	CHECK(!strstr(self->peer.head, "Authorization"));
	CHECK(!strstr(self->peer.head, "Cookie"));
	SCENE_END;
}

Test(http_kept, a_body_goes_along_with_307_and_no_credentials_do)
{
	PLAY(body_to_a_stranger);
}
