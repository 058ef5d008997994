/* SPDX-License-Identifier: MIT */
/* test_redirect.c - where redirects lead, and what they do not take along. */
#include "http_client/scene.h"

TestSuite(http_redirect, .timeout = 60);

#define HEAD_HAS(text) CHECK(strstr(self->peer.head, text))
#define HEAD_HAS_NOT(text) CHECK(!strstr(self->peer.head, text))

SCENE(followed)
{
	SCENE_BEGIN(followed);
	GET("/redirect/5");
	CHECK_EQ(self->rc, 200);
	BODY_IS("arrived");
	CHECK_EQ(self->response.redirects, 5);
	CHECK(strstr(self->response.url, "/redirect/0"));
	CHECK_EQ(self->peer.accepted, 1);
	GET("/redirect/6");
	FAULT_IS(-ELOOP, MAG_HTTP_REDIRECT);
	REQUEST(.url = "/redirect/7", .limits = { .redirects = 7 });
	CHECK_EQ(self->rc, 200);
	REQUEST(.url = "/redirect/7", .limits = { .redirects = MAG_HTTP_NO_REDIRECTS });
	CHECK_EQ(self->rc, 302);
	CHECK(!strcmp(mag_http_response_header(&self->response, "Location"), "6"));
	BODY_IS("move");
	SCENE_END;
}

Test(http_redirect, five_are_followed_unless_it_is_said_otherwise)
{
	PLAY(followed);
}

SCENE(schemes)
{
	SCENE_BEGIN(schemes);
	GET("/to/302/file:///etc/passwd");
	FAULT_IS(-ELOOP, MAG_HTTP_REDIRECT);
	GET("/to/302/ftp://127.0.0.1/x");
	FAULT_IS(-ELOOP, MAG_HTTP_REDIRECT);
	GET("/to/302/http://[");
	FAULT_IS(-ELOOP, MAG_HTTP_REDIRECT);
	SCENE_END;
}

Test(http_redirect, to_other_schemes_than_http_and_https_none_is_followed)
{
	PLAY(schemes);
}

SCENE(rewrites)
{
	SCENE_BEGIN(rewrites);
	REQUEST(.url = "/to/302//hello", .json = "{}");
	CHECK_EQ(self->rc, 200);
	HEAD_HAS("GET /hello");
	HEAD_HAS_NOT("Content-");
	REQUEST(.url = "/to/303//hello", .method = "PUT", .json = "{}");
	HEAD_HAS("GET /hello");
	REQUEST(.url = "/to/302//echo", .method = "PUT", .json = "{}");
	HEAD_HAS("PUT /echo");
	REQUEST(.url = "/to/307//echo", .json = "{\"b\":2}");
	CHECK_EQ(self->rc, 200);
	HEAD_HAS("POST /echo");
	BODY_IS("{\"b\":2}");
	REQUEST(.url = "/to/308//status/200", .method = "HEAD");
	HEAD_HAS("HEAD /status/200");
	SCENE_END;
}

Test(http_redirect, methods_become_get_where_the_standard_says_so)
{
	PLAY(rewrites);
}

static const mag_http_pair secrets[] = { { "Authorization", "Secret a" }, { "Cookie", "b=c" }, { "X-Plain", "d" } };

SCENE(credentials)
{
	SCENE_BEGIN(credentials, .bearer = "session", .headers = secrets, .headers_n = 3);
	snprintf(self->text, sizeof(self->text), "/to/302/http://localhost:%d/hello", self->peer.port);
	GET(self->text);
	CHECK_EQ(self->rc, 200);
	HEAD_HAS("Host: localhost");
	HEAD_HAS_NOT("Authorization");
	HEAD_HAS_NOT("Cookie");
	HEAD_HAS("X-Plain: d");
	REQUEST(.url = self->text, .user = "me", .password = "x");
	HEAD_HAS_NOT("Authorization");
	REQUEST(.url = self->text, .headers = secrets, .headers_n = 3);
	HEAD_HAS_NOT("Authorization");
	HEAD_HAS_NOT("Cookie");
	HEAD_HAS("X-Plain: d");
	/* and back: who comes by way of a stranger is one */
	snprintf(self->text, sizeof(self->text), "/to/302/http://localhost:%d/to/302/http://127.0.0.1:%d/hello",
		 self->peer.port, self->peer.port);
	REQUEST(.url = self->text, .bearer = "x");
	CHECK_EQ(self->rc, 200);
	CHECK_EQ(self->response.redirects, 2);
	HEAD_HAS_NOT("Authorization");
	/* at home they go along */
	REQUEST(.url = "/to/302//hello", .bearer = "x");
	HEAD_HAS("Authorization: Bearer x");
	SCENE_END;
}

Test(http_redirect, credentials_are_not_taken_to_another_origin)
{
	PLAY(credentials);
}

SCENE(in_the_url)
{
	SCENE_BEGIN(in_the_url);
	snprintf(self->text, sizeof(self->text), "http://me:secret@127.0.0.1:%d/hello", self->peer.port);
	GET(self->text);
	HEAD_HAS("Authorization: Basic bWU6c2VjcmV0\r\n");
	snprintf(self->text, sizeof(self->text), "http://me:secret@127.0.0.1:%d/to/302/http://localhost:%d/hello",
		 self->peer.port, self->peer.port);
	GET(self->text);
	CHECK_EQ(self->rc, 200);
	HEAD_HAS_NOT("Authorization");
	SCENE_END;
}

Test(http_redirect, nor_are_those_of_the_url)
{
	PLAY(in_the_url);
}
