/* SPDX-License-Identifier: MIT */
/* test_hostile.c - others who do what is not expected: servers, proxies, the environment, callers at the wrong time. */
#include "http_client/scene.h"

#include <magpie/http_client_download.h>
#include <sys/xattr.h>
#include <unistd.h>

TestSuite(http_hostile, .timeout = 60);

#define OPEN(session_, ...)                                                                    \
	do {                                                                                   \
		self->request = MAG_HTTP_REQUEST(__VA_ARGS__);                                 \
		MAG_AWAIT(self->rc, mag_http_open, session_, &self->request, &self->response); \
	} while (0)

/* A session whose proxy is the peer. */
#define BY_PROXY                \
	mag_http_session other; \
	char proxy[64];
#define BY_PROXY_BEGIN                                                                                     \
	do {                                                                                               \
		snprintf(self->proxy, sizeof(self->proxy), "http://127.0.0.1:%d", self->peer.port);        \
		self->options = (mag_http_options){ .size = sizeof(self->options), .proxy = self->proxy }; \
		CHECK_EQ(mag_http_session_init(&self->other, &self->options), 0);                          \
	} while (0)
#define BY_PROXY_END                                                       \
	do {                                                               \
		MAG_AWAIT(self->rc, mag_http_session_close, &self->other); \
		CHECK_EQ(self->rc, 0);                                     \
	} while (0)

SCENE(tunnel, BY_PROXY)
{
	SCENE_BEGIN(tunnel);
	BY_PROXY_BEGIN;
	OPEN(&self->other, .url = "https://tunnel.invalid/");
	FAULT_IS(-EPROTO, MAG_HTTP_TLS); /* the proxy speaks plain text behind its answer */
	CHECK_EQ(self->response.status, 0);
	OPEN(&self->other, .url = "https://refused.invalid/");
	FAULT_IS(-ECONNREFUSED, MAG_HTTP_CONNECT);
	BY_PROXY_END;
	SCENE_END;
}

Test(http_hostile, what_a_proxy_says_of_a_tunnel_is_not_the_answer)
{
	PLAY(tunnel);
}

SCENE(around, BY_PROXY)
{
	SCENE_BEGIN(around);
	BY_PROXY_BEGIN;
	setenv("no_proxy", "*", 1);
	MAG_AWAIT(self->rc, mag_http_get, &self->other, "http://127.0.0.1:1/hello", &self->response);
	unsetenv("no_proxy");
	CHECK_EQ(self->rc, 404); /* the peer was asked: it knows no such path */
	CHECK(strstr(self->peer.head, "GET http://127.0.0.1:1/hello"));
	BY_PROXY_END;
	SCENE_END;
}

Test(http_hostile, the_environment_leads_nobody_around_the_proxy)
{
	PLAY(around);
}

struct one_get {
	mag_frame frame;
	MAG_ARGS(one_get, mag_http_session *session; const char *path; int64_t * rc; int *ended;);
	mag_http_response response;
};

static MAG_TASK(one_get)
{
	MAG_BEGIN(one_get);
	memset(&self->response, 0, sizeof(self->response));
	MAG_AWAIT(*self->rc, mag_http_get, self->session, self->path, &self->response);
	mag_http_response_fini(&self->response);
	if (self->ended)
		++*self->ended;
	MAG_RETURN(0);
	MAG_END;
}

struct closing_it {
	mag_frame frame;
	MAG_ARGS(closing_it, mag_http_session *session; int64_t * rc;);
};

static MAG_TASK(closing_it)
{
	MAG_BEGIN(closing_it);
	MAG_AWAIT(*self->rc, mag_http_session_close, self->session);
	MAG_RETURN(0);
	MAG_END;
}

SCENE(too_late, mag_group group; int64_t got[64], closed; int i, round; mag_http_stats stats;)
{
	SCENE_BEGIN(too_late);
	for (self->round = 0; self->round < 20; self->round++) {
		MAG_GROUP_BEGIN(&self->group, .policy = MAG_COLLECT);
		for (self->i = 0; self->i < 64; self->i++) {
			if (self->i == self->round * 3) {
				MAG_SPAWN(self->rc, &self->group, closing_it, .session = &self->session,
					  .rc = &self->closed);
				CHECK_EQ(self->rc, 0);
			}
			MAG_SPAWN(self->rc, &self->group, one_get, .session = &self->session, .path = "/hello",
				  .rc = &self->got[self->i]);
			CHECK_EQ(self->rc, 0);
		}
		self->stats.size = sizeof(self->stats);
		MAG_AWAIT(self->rc, mag_http_session_stats, &self->session, &self->stats);
		MAG_GROUP_END(self->rc, &self->group);
		CHECK_EQ(self->closed, 0);
		for (self->i = 0; self->i < 64; self->i++)
			CHECK(self->got[self->i] == 200 || self->got[self->i] == MAG_ECLOSED);
		CHECK_EQ(mag_http_session_init(&self->session, &self->options), 0);
	}
	SCENE_END;
}

Test(http_hostile, who_comes_while_the_session_closes_is_told_so)
{
	PLAY(too_late);
	PLAY_ON("epoll", 3, too_late);
	PLAY_ON("uring", 3, too_late);
}

SCENE(heads)
{
	SCENE_BEGIN(heads, .limits = { .low_speed_ns = 10 * MAG_SECOND, .first_byte_ns = 10 * MAG_SECOND });
	GET("/early");
	FAULT_IS(MAG_ETOOLONG, MAG_HTTP_TOO_LARGE);
	GET("/trailers");
	FAULT_IS(MAG_ETOOLONG, MAG_HTTP_TOO_LARGE);
	GET("/continue");
	CHECK_EQ(self->rc, 201);
	SCENE_END;
}

Test(http_hostile, interim_answers_and_trailers_count_as_headers)
{
	PLAY(heads);
}

SCENE(too_long, mag_http_chunk chunk; size_t n;)
{
	SCENE_BEGIN(too_long);
	OPEN(&self->session, .url = "/bits", .limits = { .body_max = 1750 });
	CHECK_EQ(self->rc, 200);
	for (self->n = 0;; self->n += self->chunk.length) {
		MAG_AWAIT(self->rc, mag_http_body, &self->response, &self->chunk);
		if (self->rc <= 0)
			break;
	}
	FAULT_IS(MAG_ETOOLONG, MAG_HTTP_TOO_LARGE);
	MAG_AWAIT(self->rc, mag_http_close, &self->response);
	SCENE_END;
}

Test(http_hostile, a_limit_that_is_reached_when_it_goes_on_is_told)
{
	PLAY(too_long);
}

static const mag_http_pair host = { "Host", "intern.example" };

SCENE(foreign_host)
{
	SCENE_BEGIN(foreign_host);
	snprintf(self->text, sizeof(self->text), "/to/302/http://localhost:%d/hello", self->peer.port);
	REQUEST(.url = self->text, .headers = &host, .headers_n = 1);
	CHECK_EQ(self->rc, 200);
	CHECK(strstr(self->peer.head, "Host: localhost"));
	CHECK(!strstr(self->peer.head, "intern"));
	REQUEST(.url = "/to/302//hello", .headers = &host, .headers_n = 1);
	CHECK(strstr(self->peer.head, "Host: intern.example\r\n"));
	SCENE_END;
}

Test(http_hostile, the_name_of_one_origin_is_not_said_to_another)
{
	PLAY(foreign_host);
}

static const mag_http_part odd_part = { "a", "b", 1, NULL, "text/plain\r\nX-More: 1" };
static const mag_http_pair no_value = { "a", NULL };

SCENE(broken_lines)
{
	SCENE_BEGIN(broken_lines);
	REQUEST(.url = "/echo", .parts = &odd_part, .parts_n = 1);
	FAULT_IS(-EINVAL, MAG_HTTP_URL);
	REQUEST(.url = "/echo", .form = &no_value, .form_n = 1);
	FAULT_IS(-EINVAL, MAG_HTTP_URL);
	CHECK_EQ(self->peer.accepted, 0);
	MAG_AWAIT(self->rc, mag_http_session_close, &self->session);
	self->options = (mag_http_options){ .size = sizeof(self->options), .bearer = "a\r\nX-More: 1" };
	CHECK_EQ(mag_http_session_init(&self->session, &self->options), -EINVAL);
	CHECK(strstr(mag_http_why(), "credentials"));
	SCENE_END;
}

Test(http_hostile, no_part_form_or_token_begins_a_line_of_its_own)
{
	PLAY(broken_lines);
}

SCENE(crowded, mag_group group; int64_t got[3]; int i, ended;)
{
	SCENE_BEGIN(crowded, .total_max = 2, .host_max = 1);
	self->ended = 0;
	MAG_GROUP_BEGIN(&self->group, .policy = MAG_COLLECT);
	for (self->i = 0; self->i < 3; self->i++) {
		MAG_SPAWN(self->rc, &self->group, one_get, .session = &self->session, .path = "/hold",
			  .rc = &self->got[self->i], .ended = &self->ended);
		CHECK_EQ(self->rc, 0);
	}
	WAIT_UNTIL(self->rc, self->peer.requests == 1); /* the others wait for the same host */
	snprintf(self->text, sizeof(self->text), "http://localhost:%d/hello", self->peer.port);
	REQUEST(.url = self->text, .limits = { .total_ns = 20 * MAG_SECOND });
	CHECK_EQ(self->rc, 200);
	CHECK_EQ(self->ended, 0);
	mag_group_cancel(&self->group);
	MAG_GROUP_END(self->rc, &self->group);
	SCENE_END;
}

Test(http_hostile, who_waits_for_a_busy_host_holds_up_nobody_elses)
{
	PLAY(crowded);
}

#define FILES                          \
	mag_http_download_options how; \
	char dir[32], path[64], part[80];
#define FILES_BEGIN                                                      \
	strcpy(self->dir, "/tmp/magpie-XXXXXX");                         \
	CHECK(mkdtemp(self->dir));                                       \
	snprintf(self->path, sizeof(self->path), "%s/file", self->dir);  \
	snprintf(self->part, sizeof(self->part), "%s.part", self->path); \
	self->how = (mag_http_download_options)                          \
	{                                                                \
		.size = sizeof(self->how), .resume = true                \
	}
#define DOWNLOAD(url_)                                                                                         \
	do {                                                                                                   \
		self->request = MAG_HTTP_REQUEST(.url = url_);                                                 \
		MAG_AWAIT(self->rc, mag_http_download, &self->session, &self->request, self->path, &self->how, \
			  &self->response);                                                                    \
	} while (0)
#define FILES_END           \
	unlink(self->path); \
	unlink(self->part); \
	CHECK_EQ(rmdir(self->dir), 0)

static void put(const char *path, size_t n)
{
	FILE *file = fopen(path, "w");

	for (size_t i = 0; i < n; i++)
		fputc((char)('a' + i % 23), file);
	fclose(file);
}

static long size_of(const char *path)
{
	FILE *file = fopen(path, "r");
	long n = -1;

	if (!file)
		return n;
	fseek(file, 0, SEEK_END);
	n = ftell(file);
	fclose(file);
	return n;
}

SCENE(part_of_range, FILES)
{
	SCENE_BEGIN(part_of_range);
	FILES_BEGIN;
	put(self->part, 400);
	DOWNLOAD("/some/2400");
	FAULT_IS(MAG_EEOF, MAG_HTTP_BROKEN); /* it is not all */
	CHECK_EQ(size_of(self->path), -1);
	CHECK_EQ(size_of(self->part), 1400);
	DOWNLOAD("/some/2400");
	CHECK_EQ(self->rc, 2400);
	CHECK_EQ(size_of(self->path), 2400);
	put(self->part, 400);
	DOWNLOAD("/status/503"); /* another time, maybe */
	FAULT_IS(-EREMOTEIO, MAG_HTTP_STATUS);
	CHECK_EQ(size_of(self->part), 400);
	FILES_END;
	SCENE_END;
}

Test(http_hostile, a_part_of_the_rest_is_not_the_whole_and_a_part_outlives_a_refusal)
{
	PLAY(part_of_range);
}

SCENE(in_use, FILES mag_http_chunk chunk; int64_t got;)
{
	SCENE_BEGIN(in_use);
	FILES_BEGIN;
	OPEN(&self->session, .url = "/file/100");
	CHECK_EQ(self->rc, 200);
	DOWNLOAD("/file/10");
	CHECK_EQ(self->rc, -EBUSY);
	MAG_AWAIT(self->rc, mag_http_body, &self->response, &self->chunk); /* the other goes on */
	CHECK_EQ(self->rc, 1);
	CHECK_EQ(self->chunk.length, 100);
	MAG_AWAIT(self->rc, mag_http_close, &self->response);
	FILES_END;
	SCENE_END;
}

Test(http_hostile, a_download_leaves_a_stream_that_is_open_alone)
{
	PLAY(in_use);
}

SCENE(changed, FILES)
{
	SCENE_BEGIN(changed);
	FILES_BEGIN;
	self->peer.version = 1;
	DOWNLOAD("/tagged/20000");
	FAULT_IS(MAG_EEOF, MAG_HTTP_BROKEN);
	CHECK_EQ(size_of(self->part), 10000);
	DOWNLOAD("/tagged/20000");
	CHECK_EQ(self->rc, 20000);
	CHECK_EQ(self->response.status, 206);
	CHECK(strstr(self->peer.head, "If-Range: \"v1\"\r\n"));
	CHECK(getxattr(self->path, "user.magpie.version", NULL, 0) < 0);
	DOWNLOAD("/tagged/20000");
	CHECK_EQ(size_of(self->part), 10000);
	self->peer.version = 2;
	DOWNLOAD("/tagged/5000"); /* it is a shorter one now */
	CHECK_EQ(self->rc, 5000);
	CHECK_EQ(self->response.status, 200);
	CHECK_EQ(size_of(self->path), 5000);
	self->peer.version = 1;
	DOWNLOAD("/tagged/20000");
	CHECK_EQ(size_of(self->part), 10000);
	self->peer.version = 3;
	DOWNLOAD("/tagged/20000"); /* a server that does not look at If-Range */
	FAULT_IS(-EBADMSG, MAG_HTTP_PROTOCOL);
	CHECK_EQ(size_of(self->part), -1);
	FILES_END;
	SCENE_END;
}

static bool has_attributes(void)
{
	char path[] = "/tmp/magpie-XXXXXX";
	int fd = mkstemp(path), rc = fsetxattr(fd, "user.magpie.version", "1", 1, 0);

	close(fd);
	unlink(path);
	return rc == 0;
}

Test(http_hostile, a_part_of_another_version_is_not_gone_on_with)
{
	if (!has_attributes())
		cr_skip_test("files have no attributes in /tmp");
	PLAY(changed);
}
