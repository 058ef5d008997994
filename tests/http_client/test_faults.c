/* SPDX-License-Identifier: MIT */
/* test_faults.c - what goes wrong has a kind, a code and words; limits of time and size; cancelling. */
#include "http_client/scene.h"

TestSuite(http_faults, .timeout = 60);

static const mag_http_pair two_in_value = { "X", "1\r\nY: 2" }, two_in_name = { "X: 1\r\nY", "2" };

SCENE(bad_urls)
{
	SCENE_BEGIN(bad_urls);
	GET("ftp://127.0.0.1/x");
	FAULT_IS(-EPROTONOSUPPORT, MAG_HTTP_URL);
	GET("file:///etc/passwd");
	FAULT_IS(-EPROTONOSUPPORT, MAG_HTTP_URL);
	GET("http://a b/");
	FAULT_IS(-EINVAL, MAG_HTTP_URL);
	GET(NULL);
	FAULT_IS(-EINVAL, MAG_HTTP_URL);
	REQUEST(.url = "/hello", .method = "GET /x HTTP/1.1\r\nX:");
	FAULT_IS(-EINVAL, MAG_HTTP_URL);
	REQUEST(.url = "/hello", .headers = &two_in_value, .headers_n = 1);
	FAULT_IS(-EINVAL, MAG_HTTP_URL);
	REQUEST(.url = "/hello", .headers = &two_in_name, .headers_n = 1);
	FAULT_IS(-EINVAL, MAG_HTTP_URL);
	REQUEST(.url = "/hello", .json = "{}", .body = "x");
	FAULT_IS(-EINVAL, MAG_HTTP_URL);
	self->request = MAG_HTTP_REQUEST(.url = "/hello");
	self->request.size = 8;
	MAG_AWAIT(self->rc, mag_http_perform, &self->session, &self->request, &self->response);
	FAULT_IS(-EINVAL, MAG_HTTP_URL);
	CHECK_EQ(self->peer.accepted, 0);
	SCENE_END;
}

Test(http_faults, what_is_no_request_of_http_is_refused_before_it_is_sent)
{
	PLAY(bad_urls);
}

SCENE(bad_options)
{
	SCENE_BEGIN(bad_options);
	MAG_AWAIT(self->rc, mag_http_session_close, &self->session);
	CHECK_EQ(self->rc, 0);
	GET("/hello");
	FAULT_IS(MAG_ECLOSED, MAG_HTTP_CLOSED);
	self->options = (mag_http_options){ .size = sizeof(self->options), .base = "gopher://x/" };
	CHECK_EQ(mag_http_session_init(&self->session, &self->options), -EINVAL);
	CHECK(strstr(mag_http_why(), "base"));
	self->options = (mag_http_options){ .size = sizeof(self->options), .proxy = "ftp://x/" };
	CHECK_EQ(mag_http_session_init(&self->session, &self->options), -EINVAL);
	CHECK(strstr(mag_http_why(), "proxy"));
	self->options = (mag_http_options){ .size = 3 };
	CHECK_EQ(mag_http_session_init(&self->session, &self->options), -EINVAL);
	CHECK(strstr(mag_http_why(), "size"));
	self->options = (mag_http_options){ .size = sizeof(self->options), .agent = "a\nb" };
	CHECK_EQ(mag_http_session_init(&self->session, &self->options), -EINVAL);
	self->options = (mag_http_options){ .size = sizeof(self->options),
					    .headers = (mag_http_pair[]){ { "A", "\n" } },
					    .headers_n = 1 };
	CHECK_EQ(mag_http_session_init(&self->session, &self->options), -EINVAL);
	CHECK(!self->session.hub);
	CHECK_EQ(mag_http_session_init(&self->session, NULL), 0);
	CHECK(!mag_http_why()[0]);
	SCENE_END;
}

Test(http_faults, options_that_make_no_sense_are_refused_with_words)
{
	mag_http_session session;

	cr_assert_eq(mag_http_session_init(&session, NULL), -EPERM); /* no worker */
	PLAY(bad_options);
}

SCENE(cannot_connect, mag_fd dead; mag_addr where;)
{
	SCENE_BEGIN(cannot_connect);
	CHECK_EQ(listen_local(&self->dead, &self->where), 0);
	snprintf(self->text, sizeof(self->text), "http://127.0.0.1:%d/", mag_addr_port(&self->where));
	CLOSE(self->dead);
	GET(self->text);
	FAULT_IS(-ECONNREFUSED, MAG_HTTP_CONNECT);
	GET("http://no-such-host.invalid/");
	FAULT_IS(MAG_ERESOLVE, MAG_HTTP_DNS);
	snprintf(self->text, sizeof(self->text), "https://127.0.0.1:%d/hello", self->peer.port);
	GET(self->text); /* it speaks no TLS */
	FAULT_IS(-EPROTO, MAG_HTTP_TLS);
	SCENE_END;
}

Test(http_faults, names_connections_and_tls_fail_each_in_its_own_way)
{
	PLAY(cannot_connect);
}

SCENE(bad_answers)
{
	SCENE_BEGIN(bad_answers, .limits = { .body_max = 1000, .head_max = 2000 });
	GET("/half");
	FAULT_IS(MAG_EEOF, MAG_HTTP_BROKEN);
	GET("/reset");
	FAULT_IS(-ECONNRESET, MAG_HTTP_BROKEN);
	GET("/nothing");
	FAULT_IS(MAG_EEOF, MAG_HTTP_BROKEN);
	GET("/garbage");
	FAULT_IS(-EBADMSG, MAG_HTTP_PROTOCOL);
	GET("/heads");
	FAULT_IS(MAG_ETOOLONG, MAG_HTTP_TOO_LARGE);
	GET("/file/1000");
	CHECK_EQ(self->rc, 200);
	GET("/file/1001");
	FAULT_IS(MAG_ETOOLONG, MAG_HTTP_TOO_LARGE);
	GET("/flood");
	FAULT_IS(MAG_ETOOLONG, MAG_HTTP_TOO_LARGE);
	CHECK(self->response.length <= 1000);
	GET("/hello"); /* and the session is as good as new */
	CHECK_EQ(self->rc, 200);
	CHECK_EQ(self->response.fault, MAG_HTTP_OK);
	CHECK(!self->response.why[0]);
	SCENE_END;
}

Test(http_faults, broken_wrong_and_endless_answers_are_told_apart)
{
	PLAY(bad_answers);
}

SCENE(out_of_time, uint64_t start, patience;)
{
	SCENE_BEGIN(out_of_time);
	REQUEST(.url = "/hold", .limits = { .first_byte_ns = 20 * MAG_MILLISECOND });
	FAULT_IS(MAG_ETIMEDOUT, MAG_HTTP_TIMEOUT);
	CHECK(strstr(self->response.why, "no answer"));
	REQUEST(.url = "/hold", .limits = { .total_ns = 20 * MAG_MILLISECOND });
	FAULT_IS(MAG_ETIMEDOUT, MAG_HTTP_TIMEOUT);
	self->patience = 50 * MAG_MILLISECOND;
	do { /* on a busy machine it may be over before anything has come */
		REQUEST(.url = "/drip", .limits = { .total_ns = self->patience });
		FAULT_IS(MAG_ETIMEDOUT, MAG_HTTP_TIMEOUT);
		self->patience *= 2;
	} while (self->response.length == 0);
	REQUEST(.url = "/stall", .limits = { .low_speed_ns = 30 * MAG_MILLISECOND });
	FAULT_IS(MAG_ETIMEDOUT, MAG_HTTP_TIMEOUT);
	CHECK(strstr(self->response.why, "less than"));
	/* it goes on for a while since something comes, but not enough */
	REQUEST(.url = "/drip", .limits = { .low_speed_ns = 30 * MAG_MILLISECOND, .low_speed = 1000 });
	FAULT_IS(MAG_ETIMEDOUT, MAG_HTTP_TIMEOUT);
	self->start = mag_now();
	REQUEST(.url = "/drip", .limits = { .low_speed_ns = 250 * MAG_MILLISECOND, .total_ns = 400 * MAG_MILLISECOND });
	FAULT_IS(MAG_ETIMEDOUT, MAG_HTTP_TIMEOUT);
	CHECK(mag_now() - self->start >= 400 * MAG_MILLISECOND);
	WAIT_UNTIL(self->rc, self->peer.open == 0); /* each has closed its connection */
	SCENE_END;
}

Test(http_faults, first_byte_total_and_low_speed_have_their_limits)
{
	PLAY(out_of_time);
}

/* TLS is part of it: the peer accepts, and then says nothing. */
SCENE(no_connection)
{
	SCENE_BEGIN(no_connection);
	self->peer.mute = true;
	snprintf(self->text, sizeof(self->text), "https://127.0.0.1:%d/", self->peer.port);
	REQUEST(.url = self->text, .limits = { .connect_ns = 30 * MAG_MILLISECOND });
	FAULT_IS(MAG_ETIMEDOUT, MAG_HTTP_TIMEOUT);
	CHECK(strstr(self->response.why, "no connection"));
	SCENE_END;
}

Test(http_faults, connecting_has_its_limit)
{
	PLAY(no_connection);
}

SCENE(cancelled, mag_scope scope; int64_t timed; uint64_t patience;)
{
	SCENE_BEGIN(cancelled, .total_max = 1);
	self->patience = 20 * MAG_MILLISECOND;
	do { /* until it has come to the peer */
		MAG_WITH_TIMEOUT(&self->scope, self->patience);
		GET("/hold");
		MAG_SCOPE_END(self->timed, &self->scope);
		FAULT_IS(MAG_ECANCELED, MAG_HTTP_CANCELLED);
		CHECK_EQ(self->timed, MAG_ETIMEDOUT);
		self->patience *= 2;
	} while (self->peer.requests == 0);
	GET("/hello"); /* its place is free */
	CHECK_EQ(self->rc, 200);
	MAG_AWAIT(self->rc, mag_event_wait, &self->peer.held); /* and its connection closed */
	CHECK_EQ(self->rc, 0);
	MAG_SCOPE_BEGIN(&self->scope);
	mag_scope_cancel(&self->scope);
	GET("/hello");
	MAG_SCOPE_END(self->timed, &self->scope);
	FAULT_IS(MAG_ECANCELED, MAG_HTTP_CANCELLED);
	SCENE_END;
}

Test(http_faults, a_cancelled_request_frees_its_place_and_closes_its_connection_at_once)
{
	PLAY(cancelled);
}

struct held_get {
	mag_frame frame;
	MAG_ARGS(held_get, mag_http_session *session; int64_t * rc;);
	mag_http_response response;
};

static MAG_TASK(held_get)
{
	MAG_BEGIN(held_get);
	memset(&self->response, 0, sizeof(self->response));
	MAG_AWAIT(*self->rc, mag_http_get, self->session, "/hold", &self->response);
	mag_http_response_fini(&self->response);
	MAG_RETURN(0);
	MAG_END;
}

SCENE(closed_meanwhile, mag_group group; int64_t got[3]; int i;)
{
	SCENE_BEGIN(closed_meanwhile, .total_max = 2);
	MAG_GROUP_BEGIN(&self->group);
	for (self->i = 0; self->i < 3; self->i++) {
		MAG_SPAWN(self->rc, &self->group, held_get, .session = &self->session, .rc = &self->got[self->i]);
		CHECK_EQ(self->rc, 0);
	}
	WAIT_UNTIL(self->rc, self->peer.requests == 2);
	MAG_AWAIT(self->rc, mag_http_session_close, &self->session);
	CHECK_EQ(self->rc, 0);
	MAG_GROUP_END(self->rc, &self->group);
	for (self->i = 0; self->i < 3; self->i++)
		CHECK_EQ(self->got[self->i], MAG_ECLOSED);
	SCENE_END;
}

Test(http_faults, closing_the_session_ends_what_is_under_way_and_what_waits)
{
	PLAY(closed_meanwhile);
}

/* Gives up after a while of its own: before, while, or after the answer comes. */
struct hasty_get {
	mag_frame frame;
	MAG_ARGS(hasty_get, mag_http_session *session; uint64_t ns; bool streamed;);
	mag_http_request request;
	mag_http_response response;
	mag_http_chunk chunk;
	mag_scope scope;
	int64_t rc, timed, closed;
};

static MAG_TASK(hasty_get)
{
	MAG_BEGIN(hasty_get);
	memset(&self->response, 0, sizeof(self->response));
	self->request = MAG_HTTP_REQUEST(.url = self->streamed ? "/file/300000" : "/sleep/3");
	MAG_WITH_TIMEOUT(&self->scope, self->ns);
	if (self->streamed) {
		MAG_AWAIT(self->rc, mag_http_open, self->session, &self->request, &self->response);
		while (self->rc > 0)
			MAG_AWAIT(self->rc, mag_http_body, &self->response, &self->chunk);
		self->rc = self->rc == 0 ? 200 : self->rc;
	} else {
		MAG_AWAIT(self->rc, mag_http_perform, self->session, &self->request, &self->response);
	}
	MAG_SCOPE_END(self->timed, &self->scope);
	MAG_AWAIT(self->closed, mag_http_close, &self->response);
	mag_http_response_fini(&self->response);
	MAG_RETURN(self->rc == 200 || self->rc == MAG_ECANCELED ? 0 : self->rc);
	MAG_END;
}

SCENE(storm, mag_group group; int i; mag_http_stats stats;)
{
	SCENE_BEGIN(storm, .host_max = 20);
	MAG_GROUP_BEGIN(&self->group, .limit = 50);
	for (self->i = 0; self->i < 400; self->i++)
		MAG_SPAWN(self->rc, &self->group, hasty_get, .session = &self->session, .streamed = self->i % 2,
			  .ns = (uint64_t)(self->i * 7919 % 100) * 100 * MAG_MICROSECOND);
	MAG_GROUP_END(self->rc, &self->group);
	CHECK_EQ(self->rc, 0);
	GET("/hello");
	CHECK_EQ(self->rc, 200);
	self->stats.size = sizeof(self->stats);
	MAG_AWAIT(self->rc, mag_http_session_stats, &self->session, &self->stats);
	CHECK_EQ(self->rc, 0);
	CHECK_EQ(self->stats.under_way, 0);
	self->stats.size = 4;
	MAG_AWAIT(self->rc, mag_http_session_stats, &self->session, &self->stats);
	CHECK_EQ(self->rc, -EINVAL);
	SCENE_END;
}

Test(http_faults, many_that_are_cancelled_at_any_moment_leave_nothing)
{
	PLAY_ON("uring", 4, storm);
	PLAY_ON("epoll", 4, storm);
	PLAY_ON("uring", 1, storm);
}

/* One that is cancelled so many steps after its start: libcurl closes a socket that is connecting without a word. */
SCENE(connecting, mag_group group; int i, k; int64_t got; mag_http_stats stats;)
{
	SCENE_BEGIN(connecting);
	for (self->i = 0; self->i < 60; self->i++) {
		MAG_GROUP_BEGIN(&self->group, .policy = MAG_COLLECT);
		MAG_SPAWN(self->rc, &self->group, held_get, .session = &self->session, .rc = &self->got);
		for (self->k = 0; self->k < self->i % 12; self->k++)
			MAG_YIELD(self->rc);
		mag_group_cancel(&self->group);
		MAG_GROUP_END(self->rc, &self->group);
	}
	self->stats.size = sizeof(self->stats);
	MAG_AWAIT(self->rc, mag_http_session_stats, &self->session, &self->stats);
	CHECK(self->stats.connections > 0);
	CHECK_EQ(self->stats.open, 0);
	WAIT_UNTIL(self->rc, self->peer.open == 0 && self->peer.accepted == (int)self->stats.connections);
	SCENE_END;
}

Test(http_faults, one_that_is_cancelled_while_it_connects_leaves_no_connection)
{
	PLAY(connecting);
}

Test(http_faults, each_kind_has_a_name)
{
	for (int i = MAG_HTTP_OK; i <= MAG_HTTP_OTHER; i++) {
		cr_assert(mag_http_fault_name(i)[0]);
		for (int k = 0; k < i; k++)
			cr_assert_str_neq(mag_http_fault_name(i), mag_http_fault_name(k));
	}
	cr_assert_str_eq(mag_http_fault_name(1000), "other");
}
