/* SPDX-License-Identifier: MIT */
/* test_memory.c - memory that runs out, at each allocation of libcurl's and of the runtime's: a request fails or not,
 * and the next one finds its place, its address and its connection as if nothing had been. */
#include "http_client/scene.h"

#include <curl/curl.h>

#include "base/alloc.h"
#include "base/fault.h"

TestSuite(http_memory, .timeout = 60);

/* Of libcurl; one worker alone makes them. */
static struct {
	uint64_t made, fail_at;
} heap;

static bool fails(void)
{
	return ++heap.made == heap.fail_at;
}

/* Never: where libcurl 7.88 cannot enlarge its table of sockets it frees that, and goes on with it. */
static void *take(size_t n)
{
	return malloc(n);
}

static void *again(void *p, size_t n)
{
	return fails() ? NULL : realloc(p, n);
}

static char *copy(const char *text)
{
	return fails() ? NULL : strdup(text);
}

static void *zeroed(size_t n, size_t size)
{
	return fails() ? NULL : calloc(n, size);
}

/* What fails. */
static bool core_fails;

static void fail_at(uint64_t n)
{
	if (core_fails)
		magi_fault_set(MAGI_FAULT_MEMORY, n, ENOMEM);
	heap.made = 0;
	heap.fail_at = core_fails ? 0 : n;
}

static bool end_failing(uint64_t n)
{
	bool reached = core_fails ? magi_fault_count(MAGI_FAULT_MEMORY) >= n : heap.made >= n;

	magi_fault_clear();
	heap.fail_at = 0;
	return reached;
}

SCENE(out_of_memory, uint64_t n; bool reached; mag_http_session poor; mag_http_options poor_options;)
{
	SCENE_BEGIN(out_of_memory);
	snprintf(self->text, sizeof(self->text), "http://localhost:%d/hello", self->peer.port);
	self->reached = true;
	for (self->n = 1; self->reached; self->n++) {
		self->poor_options =
			(mag_http_options){ .size = sizeof(self->poor_options), .host_max = 1, .total_max = 1 };
		self->rc = mag_http_session_init(&self->poor, &self->poor_options);
		CHECK_EQ(self->rc, 0);
		fail_at(self->n);
		MAG_AWAIT(self->rc, mag_http_get, &self->poor, self->text, &self->response);
		if (self->rc == 200) /* on the connection that is open */
			MAG_AWAIT(self->rc, mag_http_get, &self->poor, self->text, &self->response);
		self->reached = end_failing(self->n);
		CHECK(self->rc == 200 || self->rc < 0);
		CHECK(self->rc == 200 || self->reached);
		MAG_AWAIT(self->rc, mag_http_get, &self->poor, self->text, &self->response);
		CHECK_EQ(self->rc, 200);
		BODY_IS("hello");
		MAG_AWAIT(self->rc, mag_http_session_close, &self->poor);
		CHECK_EQ(self->rc, 0);
	}
	CHECK(self->n > 2); /* something was missing */
	SCENE_END;
}

static void play(bool core)
{
	core_fails = core;
	setenv("http_proxy", "http://127.0.0.1:1", 1); /* who loses an option goes there */
	cr_assert_eq(curl_global_init_mem(CURL_GLOBAL_DEFAULT, take, free, again, copy, zeroed), CURLE_OK);
	PLAY_ON("epoll", 1, out_of_memory);
	PLAY_ON("uring", 1, out_of_memory);
	curl_global_cleanup();
}

Test(http_memory, what_libcurl_has_not_got_is_missing_for_one_request_only)
{
	play(false);
}

Test(http_memory, nor_is_more_missing_of_the_runtimes)
{
	play(true);
}
