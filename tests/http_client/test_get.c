/* SPDX-License-Identifier: MIT */
/* test_get.c - requests one after the other, connections that are kept, and what a response says. */
#include "http_client/scene.h"

TestSuite(http_get, .timeout = 60);

SCENE(gets_hello)
{
	SCENE_BEGIN(gets_hello);
	GET("/hello");
	CHECK_EQ(self->rc, 200);
	CHECK_EQ(self->response.status, 200);
	CHECK_EQ(self->response.version, 11);
	CHECK_EQ(self->response.length, 5);
	BODY_IS("hello");
	CHECK(!strcmp(mag_http_response_header(&self->response, "content-TYPE"), "text/plain"));
	CHECK(!strcmp(mag_http_response_header(&self->response, "X-Empty"), ""));
	CHECK(!mag_http_response_header(&self->response, "X-None"));
	snprintf(self->text, sizeof(self->text), "http://127.0.0.1:%d/hello", self->peer.port);
	CHECK(!strcmp(self->response.url, self->text));
	CHECK_EQ(self->response.connections, 1);
	CHECK(self->response.timing.connect > 0);
	CHECK(self->response.timing.first_byte >= self->response.timing.connect);
	CHECK(self->response.timing.total >= self->response.timing.first_byte);
	CHECK_EQ(self->response.fault, MAG_HTTP_OK);
	SCENE_END;
}

Test(http_get, a_get_brings_status_headers_body_and_times)
{
	PLAY(gets_hello);
}

/* An older program's request ends before some of the members that there are now. */
SCENE(shorter)
{
	SCENE_BEGIN(shorter);
	self->request = MAG_HTTP_REQUEST(.url = "/hello");
	self->request.size = offsetof(mag_http_request, upload);
	memset((char *)&self->request + self->request.size, 0x55, sizeof(self->request) - self->request.size);
	MAG_AWAIT(self->rc, mag_http_perform, &self->session, &self->request, &self->response);
	CHECK_EQ(self->rc, 200);
	BODY_IS("hello");
	MAG_AWAIT(self->rc, mag_http_open, &self->session, &self->request, &self->response);
	CHECK_EQ(self->rc, 200);
	MAG_AWAIT(self->rc, mag_http_close, &self->response);
	self->request.size = sizeof(self->request) + 8;
	MAG_AWAIT(self->rc, mag_http_open, &self->session, &self->request, &self->response);
	FAULT_IS(-EINVAL, MAG_HTTP_URL);
	SCENE_END;
}

Test(http_get, the_request_of_an_older_program_is_taken)
{
	PLAY(shorter);
}

SCENE(keeps_alive, int i;)
{
	SCENE_BEGIN(keeps_alive);
	for (self->i = 0; self->i < 100; self->i++) {
		GET("hello");
		CHECK_EQ(self->rc, 200);
		BODY_IS("hello");
	}
	CHECK_EQ(self->peer.accepted, 1);
	CHECK_EQ(self->response.connections, 0);
	CHECK(self->response.timing.connect > 0);
	CHECK(self->response.timing.first_byte >= self->response.timing.connect);
	CHECK(self->response.timing.total >= self->response.timing.first_byte);
	SCENE_END;
}

Test(http_get, requests_one_after_the_other_share_a_connection)
{
	PLAY(keeps_alive);
}

SCENE(server_closes, int i;)
{
	SCENE_BEGIN(server_closes);
	for (self->i = 0; self->i < 5; self->i++) {
		GET("/last");
		CHECK_EQ(self->rc, 200);
		WAIT_UNTIL(self->rc, self->peer.open == 0);
	}
	CHECK_EQ(self->peer.accepted, 5);
	SCENE_END;
}

Test(http_get, a_connection_that_the_server_closes_is_not_used_again)
{
	PLAY(server_closes);
}

SCENE(other_bodies)
{
	SCENE_BEGIN(other_bodies);
	GET("/chunked");
	CHECK_EQ(self->rc, 200);
	BODY_IS("abcdefg");
	GET("/continue");
	CHECK_EQ(self->rc, 201);
	BODY_IS("ok");
	CHECK(!mag_http_response_header(&self->response, "X-First"));
	GET("/status/404");
	CHECK_EQ(self->rc, 404);
	CHECK_EQ(self->response.length, 0);
	CHECK_EQ(self->response.fault, MAG_HTTP_OK);
	GET("/file/300000");
	CHECK_EQ(self->rc, 200);
	CHECK_EQ(self->response.length, 300000);
	CHECK_EQ(self->response.body[299999], 'a' + 299999 % 23);
	CHECK_EQ(self->peer.accepted, 1);
	SCENE_END;
}

Test(http_get, chunks_interim_answers_errors_and_long_bodies_are_understood)
{
	PLAY(other_bodies);
}

/* One of many. */
struct one_get {
	mag_frame frame;
	MAG_ARGS(one_get, mag_http_session *session; const char *path; int *done;);
	mag_http_response response;
	int64_t rc;
};

static MAG_TASK(one_get)
{
	MAG_BEGIN(one_get);
	memset(&self->response, 0, sizeof(self->response));
	MAG_AWAIT(self->rc, mag_http_get, self->session, self->path, &self->response);
	if (self->done)
		*self->done += self->rc == 200;
	mag_http_response_fini(&self->response);
	MAG_RETURN(self->rc == 200 ? 0 : -EIO);
	MAG_END;
}

SCENE(many_at_once, mag_group group; int i, done;)
{
	SCENE_BEGIN(many_at_once, .host_max = 10);
	self->peer.at_once = 10;
	self->done = 0;
	MAG_GROUP_BEGIN(&self->group);
	for (self->i = 0; self->i < 50; self->i++)
		MAG_SPAWN(self->rc, &self->group, one_get, .session = &self->session, .path = "/together",
			  .done = &self->done);
	MAG_GROUP_END(self->rc, &self->group);
	CHECK_EQ(self->rc, 0);
	CHECK_EQ(self->done, 50);
	CHECK_EQ(self->peer.under_way_max, 10);
	CHECK_EQ(self->peer.accepted, 10);
	SCENE_END;
}

Test(http_get, so_many_run_at_once_for_a_host_and_no_more)
{
	PLAY(many_at_once);
}

SCENE(in_total, mag_group group; int i, done;)
{
	SCENE_BEGIN(in_total, .total_max = 3);
	self->peer.at_once = 3;
	self->done = 0;
	MAG_GROUP_BEGIN(&self->group);
	for (self->i = 0; self->i < 20; self->i++)
		MAG_SPAWN(self->rc, &self->group, one_get, .session = &self->session, .path = "/together",
			  .done = &self->done);
	MAG_GROUP_END(self->rc, &self->group);
	CHECK_EQ(self->done, 20);
	CHECK_EQ(self->peer.under_way_max, 3);
	SCENE_END;
}

Test(http_get, so_many_run_at_once_in_total_and_no_more)
{
	PLAY(in_total);
}

SCENE(on_all_workers, mag_group group; int i; mag_http_stats stats;)
{
	SCENE_BEGIN(on_all_workers);
	MAG_GROUP_BEGIN(&self->group);
	for (self->i = 0; self->i < 300; self->i++)
		MAG_SPAWN(self->rc, &self->group, one_get, .session = &self->session, .path = "/hello");
	MAG_GROUP_END(self->rc, &self->group);
	CHECK_EQ(self->rc, 0);
	self->stats.size = sizeof(self->stats);
	MAG_AWAIT(self->rc, mag_http_session_stats, &self->session, &self->stats);
	CHECK_EQ(self->rc, 0);
	CHECK_EQ(self->stats.requests, 300);
	CHECK_EQ(self->stats.under_way, 0);
	CHECK(self->stats.open <= self->stats.connections);
	SCENE_END;
}

Test(http_get, tasks_of_all_workers_share_a_session)
{
	PLAY_ON("uring", 4, on_all_workers);
	PLAY_ON("epoll", 4, on_all_workers);
}

SCENE(by_name, int i; mag_http_stats stats;)
{
	SCENE_BEGIN(by_name);
	self->stats.size = sizeof(self->stats);
	for (self->i = 0; self->i < 3; self->i++) {
		snprintf(self->text, sizeof(self->text), "http://localhost:%d/last", self->peer.port);
		GET(self->text);
		CHECK_EQ(self->rc, 200);
		CHECK(self->response.timing.name > 0);
	}
	MAG_AWAIT(self->rc, mag_http_session_stats, &self->session, &self->stats);
	CHECK_EQ(self->stats.lookups, 1);
	CHECK_EQ(self->stats.connections, 3);
	SCENE_END;
}

Test(http_get, a_name_is_looked_up_once_and_kept)
{
	PLAY(by_name);
}
