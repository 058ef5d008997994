/* SPDX-License-Identifier: MIT */
/* baseline_curl.c - the same GETs by libcurl alone: a loop over curl_multi_poll and curl_multi_perform, handles used
 * again. */
#include "cases.h"
#include "http_peer.h"

#include <curl/curl.h>
#include <errno.h>
#include <string.h>

struct get {
	CURL *easy;
	size_t length;
	char body[64];
};

static size_t take(char *data, size_t size, size_t n, void *arg)
{
	struct get *g = arg;

	if (g->length + size * n > sizeof g->body)
		return 0;
	memcpy(g->body + g->length, data, size * n);
	g->length += size * n;
	return size * n;
}

static int begin(CURLM *multi, struct get *g, const char *url)
{
	g->easy = curl_easy_init();
	if (!g->easy)
		return -ENOMEM;
	curl_easy_setopt(g->easy, CURLOPT_URL, url);
	curl_easy_setopt(g->easy, CURLOPT_WRITEFUNCTION, take);
	curl_easy_setopt(g->easy, CURLOPT_WRITEDATA, g);
	curl_easy_setopt(g->easy, CURLOPT_PRIVATE, g);
	curl_easy_setopt(g->easy, CURLOPT_NOSIGNAL, 1L);
	return curl_multi_add_handle(multi, g->easy) ? -ENOMEM : 0;
}

/* Takes what has ended, and begins the next. Returns: how many ended; a negative code when one was wrong. */
static int reap(CURLM *multi, int *begun, int n)
{
	CURLMsg *msg;
	int left, ended = 0;

	while ((msg = curl_multi_info_read(multi, &left))) {
		struct get *g = NULL;
		CURL *easy = msg->easy_handle;

		curl_easy_getinfo(easy, CURLINFO_PRIVATE, (char **)&g);
		if (msg->data.result || g->length != 13 || memcmp(g->body, BENCH_HELLO, 13))
			return -EBADMSG;
		ended++;
		g->length = 0;
		curl_multi_remove_handle(multi, easy);
		if (*begun < n) {
			++*begun;
			curl_multi_add_handle(multi, easy);
		}
	}
	return ended;
}

static int loop(const char *url, int n)
{
	static struct get gets[HTTP_PEER_AT_ONCE];
	CURLM *multi = curl_multi_init();
	int rc = 0, begun = 0, ended = 0, running;

	curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, 2L * HTTP_PEER_AT_ONCE);
	for (; begun < HTTP_PEER_AT_ONCE && rc == 0; begun++)
		rc = begin(multi, &gets[begun], url);
	while (rc >= 0 && ended < n) {
		curl_multi_perform(multi, &running);
		rc = reap(multi, &begun, n);
		ended += rc > 0 ? rc : 0;
		if (rc == 0)
			curl_multi_poll(multi, NULL, 0, 1000, NULL);
	}
	for (int i = 0; i < HTTP_PEER_AT_ONCE; i++) {
		curl_multi_remove_handle(multi, gets[i].easy);
		curl_easy_cleanup(gets[i].easy);
	}
	curl_multi_cleanup(multi);
	return rc < 0 ? rc : 0;
}

int baseline_curl(struct bench_run *r)
{
	struct http_peer peer;
	int rc = http_peer_start(&peer, r), n = http_peer_requests(r);

	if (rc == 0) {
		uint64_t start = bench_cpu_ns();

		curl_global_init(CURL_GLOBAL_DEFAULT);
		rc = loop(peer.url, n);
		r->value = (double)(bench_cpu_ns() - start) / 1e3 / n;
		if (rc < 0)
			bench_fail(r, rc, "%s", strerror(-rc));
		rc = http_peer_stop(&peer, r, rc);
	}
	return rc;
}
