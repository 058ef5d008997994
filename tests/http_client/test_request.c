/* SPDX-License-Identifier: MIT */
/* test_request.c - what goes out: methods, headers, bodies, credentials, cookies. */
#include "http_client/scene.h"

TestSuite(http_request, .timeout = 60);

#define HEAD_HAS(text) CHECK(strstr(self->peer.head, text))
#define HEAD_HAS_NOT(text) CHECK(!strstr(self->peer.head, text))

static const mag_http_pair own_headers[] = { { "X-One", "1" }, { "X-None", "" }, { "Accept", "text/plain" } };
static const mag_http_pair session_headers[] = { { "X-Session", "s" }, { "X-One", "session's" } };

SCENE(methods)
{
	SCENE_BEGIN(methods, .headers = session_headers, .headers_n = 2);
	GET("/hello");
	CHECK_EQ(self->rc, 200);
	HEAD_HAS("GET /hello HTTP/1.1\r\n");
	HEAD_HAS("X-Session: s\r\n");
	HEAD_HAS("X-One: session's\r\n");
	HEAD_HAS("User-Agent: magpie");
	REQUEST(.url = "/hello?a=b", .headers = own_headers, .headers_n = 3);
	CHECK_EQ(self->rc, 404); /* the peer knows no query */
	HEAD_HAS("GET /hello?a=b HTTP/1.1\r\n");
	HEAD_HAS("X-Session: s\r\n");
	HEAD_HAS("X-One: 1\r\n");
	HEAD_HAS("X-None:\r\n");
	HEAD_HAS("Accept: text/plain\r\n");
	HEAD_HAS_NOT("session's");
	GET("/hello");
	HEAD_HAS("X-One: session's\r\n"); /* nothing is left of the one before */
	HEAD_HAS_NOT("X-None");
	REQUEST(.url = "/status/204", .method = "DELETE");
	CHECK_EQ(self->rc, 204);
	HEAD_HAS("DELETE /status/204 HTTP/1.1\r\n");
	REQUEST(.url = "/status/200", .method = "HEAD");
	CHECK_EQ(self->rc, 200);
	HEAD_HAS("HEAD /");
	REQUEST(.url = "/echo", .method = "POST");
	CHECK_EQ(self->rc, 200);
	HEAD_HAS("Content-Length: 0\r\n");
	GET("/hello");
	CHECK_EQ(self->rc, 200);
	BODY_IS("hello");
	CHECK_EQ(self->peer.accepted, 1);
	SCENE_END;
}

Test(http_request, methods_and_headers_are_those_of_request_and_session)
{
	PLAY(methods);
}

static const mag_http_pair form[] = { { "name", "A & B" }, { "umlaut", "\xc3\xbc" }, { "empty", "" } };
static const mag_http_part parts[] = {
	{ .name = "title", .data = "seven", .length = 5 },
	{ .name = "file", .data = "a\0b", .length = 3, .filename = "x.bin", .type = "application/x-test" },
};

SCENE(bodies)
{
	SCENE_BEGIN(bodies);
	MAG_AWAIT(self->rc, mag_http_post_json, &self->session, "/echo", "{\"a\":1}", &self->response);
	CHECK_EQ(self->rc, 200);
	BODY_IS("{\"a\":1}");
	HEAD_HAS("POST /echo");
	HEAD_HAS("Content-Type: application/json\r\n");
	HEAD_HAS_NOT("Expect");
	REQUEST(.url = "/echo", .method = "PUT", .body = "bytes", .body_length = 4, .body_type = "text/x");
	BODY_IS("byte");
	HEAD_HAS("PUT /echo");
	HEAD_HAS("Content-Type: text/x\r\n");
	REQUEST(.url = "/echo", .body = "b", .body_length = 1);
	HEAD_HAS("Content-Type: application/octet-stream\r\n");
	REQUEST(.url = "/echo", .form = form, .form_n = 3);
	BODY_IS("name=A+%26+B&umlaut=%C3%BC&empty=");
	HEAD_HAS("Content-Type: application/x-www-form-urlencoded\r\n");
	REQUEST(.url = "/echo", .parts = parts, .parts_n = 2);
	CHECK_EQ(self->rc, 200);
	HEAD_HAS("Content-Type: multipart/form-data; boundary=");
	CHECK(strstr(self->peer.body, "name=\"title\"\r\n\r\nseven\r\n"));
	CHECK(strstr(self->peer.body,
		     "name=\"file\"; filename=\"x.bin\"\r\nContent-Type: application/x-test\r\n\r\na"));
	REQUEST(.url = "/echo", .method = "PATCH", .json = "{}");
	HEAD_HAS("PATCH /echo");
	BODY_IS("{}");
	CHECK_EQ(self->peer.accepted, 1);
	SCENE_END;
}

Test(http_request, bodies_are_bytes_json_forms_or_parts)
{
	PLAY(bodies);
}

SCENE(long_body, char *body;)
{
	SCENE_BEGIN(long_body);
	self->body = malloc(4 << 20);
	memset(self->body, 'b', 4 << 20);
	REQUEST(.url = "/hello", .body = self->body, .body_length = 4 << 20);
	CHECK_EQ(self->rc, 200);
	CHECK_EQ(self->peer.body_length, 4 << 20);
	free(self->body);
	SCENE_END;
}

Test(http_request, a_long_body_waits_for_room_and_arrives)
{
	PLAY(long_body);
}

SCENE(credentials)
{
	SCENE_BEGIN(credentials, .user = "me", .password = "secret");
	GET("/hello");
	HEAD_HAS("Authorization: Basic bWU6c2VjcmV0\r\n");
	REQUEST(.url = "/hello", .bearer = "token");
	HEAD_HAS("Authorization: Bearer token\r\n");
	REQUEST(.url = "/hello", .user = "you");
	HEAD_HAS("Authorization: Basic eW91Og==\r\n");
	snprintf(self->text, sizeof(self->text), "http://localhost:%d/hello", self->peer.port);
	GET(self->text); /* of another origin than the base */
	CHECK_EQ(self->rc, 200);
	HEAD_HAS_NOT("Authorization");
	GET("/hello");
	HEAD_HAS("Authorization: Basic bWU6c2VjcmV0\r\n");
	SCENE_END;
}

Test(http_request, credentials_go_to_the_origin_they_are_for)
{
	PLAY(credentials);
}

SCENE(cookies)
{
	SCENE_BEGIN(cookies, .cookies = true);
	GET("/hello");
	HEAD_HAS_NOT("Cookie");
	GET("/cookie");
	CHECK_EQ(self->rc, 200);
	GET("/hello");
	HEAD_HAS("Cookie: taste=sweet\r\n");
	REQUEST(.url = "/echo", .json = "{}");
	HEAD_HAS("Cookie: taste=sweet\r\n");
	snprintf(self->text, sizeof(self->text), "http://localhost:%d/hello", self->peer.port);
	GET(self->text);
	HEAD_HAS_NOT("Cookie");
	SCENE_END;
}

Test(http_request, cookies_are_kept_where_they_are_asked_for)
{
	PLAY(cookies);
}

SCENE(no_cookies)
{
	SCENE_BEGIN(no_cookies);
	GET("/cookie");
	GET("/hello");
	HEAD_HAS_NOT("Cookie");
	SCENE_END;
}

Test(http_request, and_nowhere_else)
{
	PLAY(no_cookies);
}

SCENE(through_proxy, char proxy[64];)
{
	SCENE_BEGIN(through_proxy);
	MAG_AWAIT(self->rc, mag_http_session_close, &self->session);
	snprintf(self->proxy, sizeof(self->proxy), "http://localhost:%d", self->peer.port);
	self->options = (mag_http_options){ .size = sizeof(self->options), .proxy = self->proxy };
	CHECK_EQ(mag_http_session_init(&self->session, &self->options), 0);
	GET("http://no-such-host.invalid/hello"); /* whose name the proxy looks up, not we */
	CHECK_EQ(self->rc, 404);
	HEAD_HAS("GET http://no-such-host.invalid/hello HTTP/1.1\r\n");
	SCENE_END;
}

Test(http_request, a_proxy_gets_the_whole_url)
{
	PLAY(through_proxy);
}

SCENE(no_environment)
{
	setenv("http_proxy", "http://127.0.0.1:1", 1);
	setenv("all_proxy", "http://127.0.0.1:1", 1);
	SCENE_BEGIN(no_environment);
	GET("/hello");
	CHECK_EQ(self->rc, 200);
	SCENE_END;
}

Test(http_request, the_environment_names_no_proxy)
{
	PLAY(no_environment);
}
