/* SPDX-License-Identifier: MIT */
/* test_download.c - answers as files: whole, or none; gone on with. */
#include "http_client/scene.h"

#include <magpie/file.h>
#include <magpie/http_client_download.h>
#include <sys/stat.h>
#include <unistd.h>

TestSuite(http_download, .timeout = 60);

/* What a download has shown, checked as it comes. */
struct seen {
	size_t at;
	bool wrong;
};

static void see(void *arg, const void *data, size_t length)
{
	struct seen *seen = arg;

	for (size_t i = 0; i < length; i++, seen->at++)
		seen->wrong = seen->wrong || ((const char *)data)[i] != (char)('a' + seen->at % 23);
}

static bool file_is(const char *path, size_t n)
{
	FILE *file = fopen(path, "r");
	struct seen seen = { 0, false };
	char buf[4096];
	size_t got;

	if (!file)
		return false;
	while ((got = fread(buf, 1, sizeof(buf), file)))
		see(&seen, buf, got);
	fclose(file);
	return seen.at == n && !seen.wrong;
}

static void put(const char *path, size_t n)
{
	FILE *file = fopen(path, "w");

	for (size_t i = 0; i < n; i++)
		fputc((char)('a' + i % 23), file);
	fclose(file);
}

static bool exists(const char *path)
{
	return access(path, F_OK) == 0;
}

#define DOWNLOAD(...)                                                                                          \
	do {                                                                                                   \
		self->seen = (struct seen){ 0, false };                                                        \
		self->how = (mag_http_download_options){                                                       \
			.size = sizeof(self->how), .watch = see, .watch_arg = &self->seen, __VA_ARGS__         \
		};                                                                                             \
		MAG_AWAIT(self->rc, mag_http_download, &self->session, &self->request, self->path, &self->how, \
			  &self->response);                                                                    \
	} while (0)
#define FOR(url_) (self->request = MAG_HTTP_REQUEST(.url = url_))

/* In a directory of its own, which goes at the end. */
#define FILES                          \
	mag_http_download_options how; \
	struct seen seen;              \
	char dir[32], path[64], part[80];
#define FILES_BEGIN                                                     \
	strcpy(self->dir, "/tmp/magpie-XXXXXX");                        \
	CHECK(mkdtemp(self->dir));                                      \
	snprintf(self->path, sizeof(self->path), "%s/file", self->dir); \
	snprintf(self->part, sizeof(self->part), "%s.part", self->path)
#define FILES_END           \
	unlink(self->path); \
	unlink(self->part); \
	CHECK_EQ(rmdir(self->dir), 0)

SCENE(whole, FILES)
{
	SCENE_BEGIN(whole);
	FILES_BEGIN;
	FOR("/file/1000000");
	DOWNLOAD(.sync = true);
	CHECK_EQ(self->rc, 1000000);
	CHECK(file_is(self->path, 1000000));
	CHECK(!exists(self->part));
	CHECK_EQ(self->seen.at, 1000000);
	CHECK(!self->seen.wrong);
	FOR("/file/10"); /* in place of the other */
	MAG_AWAIT(self->rc, mag_http_download, &self->session, &self->request, self->path, NULL, &self->response);
	CHECK_EQ(self->rc, 10);
	CHECK(file_is(self->path, 10));
	FILES_END;
	SCENE_END;
}

Test(http_download, a_file_is_there_when_all_of_it_is)
{
	PLAY(whole);
}

SCENE(gone_on, FILES)
{
	SCENE_BEGIN(gone_on);
	FILES_BEGIN;
	put(self->part, 400000);
	FOR("/file/1000000");
	DOWNLOAD(.resume = true);
	CHECK_EQ(self->rc, 1000000);
	CHECK_EQ(self->response.status, 206);
	CHECK(strstr(self->peer.head, "Range: bytes=400000-\r\n"));
	CHECK(file_is(self->path, 1000000));
	CHECK_EQ(self->seen.at, 1000000);
	CHECK(!self->seen.wrong);
	unlink(self->path);
	put(self->part, 400000);
	FOR("/whole/1000"); /* a server that knows no ranges, and the part is longer than the file */
	DOWNLOAD(.resume = true);
	CHECK_EQ(self->rc, 1000);
	CHECK(file_is(self->path, 1000));
	CHECK_EQ(self->seen.at, 1000);
	put(self->part, 1000);
	FOR("/file/1000"); /* it was all there */
	DOWNLOAD(.resume = true);
	CHECK_EQ(self->rc, 1000);
	CHECK_EQ(self->response.fault, MAG_HTTP_OK);
	CHECK(file_is(self->path, 1000));
	CHECK_EQ(self->seen.at, 1000);
	put(self->part, 2000);
	DOWNLOAD(.resume = true); /* more than there is: something is wrong with it */
	FAULT_IS(-EREMOTEIO, MAG_HTTP_STATUS);
	CHECK(!exists(self->part));
	DOWNLOAD(.resume = true); /* none to go on with */
	CHECK_EQ(self->rc, 1000);
	FILES_END;
	SCENE_END;
}

Test(http_download, one_that_was_broken_off_is_gone_on_with)
{
	PLAY(gone_on);
}

SCENE(fails, FILES mag_scope scope; int64_t timed;)
{
	SCENE_BEGIN(fails);
	FILES_BEGIN;
	FOR("/status/404");
	DOWNLOAD(.resume = true);
	FAULT_IS(-EREMOTEIO, MAG_HTTP_STATUS);
	CHECK(!exists(self->path) && !exists(self->part));
	FOR("/half");
	DOWNLOAD(.resume = false);
	FAULT_IS(MAG_EEOF, MAG_HTTP_BROKEN);
	CHECK(!exists(self->path) && !exists(self->part));
	DOWNLOAD(.resume = true);
	FAULT_IS(MAG_EEOF, MAG_HTTP_BROKEN);
	CHECK(!exists(self->path) && exists(self->part));
	unlink(self->part);
	FOR("/drip");
	MAG_WITH_TIMEOUT(&self->scope, 30 * MAG_MILLISECOND);
	DOWNLOAD(.resume = false);
	MAG_SCOPE_END(self->timed, &self->scope);
	CHECK_EQ(self->rc, MAG_ECANCELED);
	CHECK(!exists(self->path) && !exists(self->part));
	FOR("/hello");
	strcat(self->path, "/none/of/these");
	DOWNLOAD(.resume = false);
	FAULT_IS(-ENOENT, MAG_HTTP_FILE);
	FOR("ftp://x/");
	snprintf(self->path, sizeof(self->path), "%s/file", self->dir);
	DOWNLOAD(.resume = false);
	FAULT_IS(-EPROTONOSUPPORT, MAG_HTTP_URL);
	CHECK(!exists(self->part));
	FILES_END;
	SCENE_END;
}

Test(http_download, one_that_fails_leaves_no_file_and_a_part_only_where_it_is_of_use)
{
	PLAY(fails);
}

/* One of two downloads to one path. */
struct one_download {
	mag_frame frame;
	MAG_ARGS(one_download, mag_http_session *session; const char *url; const char *path; int64_t * result;);
	mag_http_request request;
	mag_http_response response;
	int64_t rc;
};

static MAG_TASK(one_download)
{
	MAG_BEGIN(one_download);
	memset(&self->response, 0, sizeof(self->response));
	self->request = MAG_HTTP_REQUEST(.url = self->url);
	MAG_AWAIT(self->rc, mag_http_download, self->session, &self->request, self->path, NULL, &self->response);
	*self->result = self->rc;
	mag_http_response_fini(&self->response);
	MAG_RETURN(0);
	MAG_END;
}

SCENE(two_to_one_path, FILES mag_group group; int64_t one;)
{
	SCENE_BEGIN(two_to_one_path);
	FILES_BEGIN;
	MAG_GROUP_BEGIN(&self->group);
	MAG_SPAWN(self->rc, &self->group, one_download, .session = &self->session, .url = "/hold", .path = self->path,
		  .result = &self->one);
	WAIT_UNTIL(self->rc, self->peer.requests == 1); /* its part is there, and locked */
	FOR("/file/10");
	DOWNLOAD(.resume = false);
	FAULT_IS(-EBUSY, MAG_HTTP_FILE);
	CHECK(exists(self->part));
	mag_group_cancel(&self->group);
	MAG_GROUP_END(self->rc, &self->group);
	CHECK_EQ(self->one, MAG_ECANCELED);
	CHECK(!exists(self->part));
	DOWNLOAD(.resume = false);
	CHECK_EQ(self->rc, 10);
	CHECK(file_is(self->path, 10));
	FILES_END;
	SCENE_END;
}

Test(http_download, of_two_to_one_path_the_second_is_told_so)
{
	PLAY(two_to_one_path);
}
