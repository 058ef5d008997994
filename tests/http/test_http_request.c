/* SPDX-License-Identifier: MIT */
/* test_http_request.c - requests that are taken, one and several on a connection, wherever the reads end. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "http_request.h"
#include "story.h"

#define CHECK_ALL(cases) story_check_all((cases), sizeof(cases) / sizeof((cases)[0]))
#define HOST "Host: a\r\n"

static const struct story_case single[] = {
	{ "get", BYTES("GET / HTTP/1.1\r\nHost: a\r\n\r\n"), "GET / 1.1 @27 idle" },
	{ "head", BYTES("HEAD /x HTTP/1.1\r\nHost: a\r\n\r\n"), "HEAD /x 1.1 @29 idle" },
	{ "method that is not served", BYTES("DELETE /x HTTP/1.1\r\nHost: a\r\n\r\n"), "DELETE /x 1.1 @31 idle" },
	{ "options", BYTES("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n"), "OPTIONS * 1.1 @31 idle" },
	{ "connect", BYTES("CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n"), "CONNECT a:80 1.1 @34 idle" },
	{ "longest method", BYTES("UNSUBSCRIBE / HTTP/1.1\r\nHost: a\r\n\r\n"), "UNSUBSCRIBE / 1.1 @35 idle" },
	{ "query", BYTES("GET /a?b=c&d HTTP/1.1\r\nHost: a\r\n\r\n"), "GET /a?b=c&d 1.1 @34 idle" },
	{ "absolute form", BYTES("GET http://b/c HTTP/1.1\r\nHost: a\r\n\r\n"), "GET http://b/c 1.1 @36 idle" },
	{ "1.0 closes", BYTES("GET / HTTP/1.0\r\n\r\n"), "GET / 1.0 @18 close closed" },
	{ "1.0 stays", BYTES("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"), "GET / 1.0 @42 idle" },
	{ "1.0 both", BYTES("GET / HTTP/1.0\r\nConnection: keep-alive, close\r\n\r\n"), "GET / 1.0 @49 close closed" },
	{ "1.1 closes", BYTES("GET / HTTP/1.1\r\nhost: a\r\nConnection: x, Close\r\n\r\n"),
	  "GET / 1.1 @49 close closed" },
	{ "not close", BYTES("GET / HTTP/1.1\r\nHost: a\r\nConnection: closed\r\n\r\n"), "GET / 1.1 @47 idle" },
	{ "upgrade is not taken up", BYTES("GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n"),
	  "GET / 1.1 @62 idle" },
	{ "one empty line before", BYTES("\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"), "GET / 1.1 @29 idle" },
	{ "empty value", BYTES("GET / HTTP/1.1\r\nHost: a\r\nX:\r\nY: \t \r\n\r\n"), "GET / 1.1 @38 idle" },
	{ "blanks around values", BYTES("GET / HTTP/1.1\r\nHost:  \t a \t\r\nX:y\r\n\r\n"), "GET / 1.1 @37 idle" },
	{ "bytes above 127", BYTES("GET / HTTP/1.1\r\nHost: a\r\nX: \xc3\xa9\xff\r\n\r\n"), "GET / 1.1 @35 idle" },
	{ "nothing", BYTES(""), "idle" },
	{ "half a line", BYTES("GET / HT"), "head" },
	{ "half a head", BYTES("GET / HTTP/1.1\r\nHost: a\r\n\r"), "head" },
	{ "half an empty line", BYTES("\r"), "head" },
};

Test(http_request, a_request_is_the_same_however_it_is_cut, .timeout = 60)
{
	CHECK_ALL(single);
}

static const struct story_case hosts[] = {
	{ "port", BYTES("GET / HTTP/1.1\r\nHost: a.b-c_d:8080\r\n\r\n"), "GET / 1.1 @38 idle" },
	{ "port missing", BYTES("GET / HTTP/1.1\r\nHost: a:\r\n\r\n"), "GET / 1.1 @28 idle" },
	{ "empty", BYTES("GET / HTTP/1.1\r\nHost:\r\n\r\n"), "GET / 1.1 @25 idle" },
	{ "ipv4", BYTES("GET / HTTP/1.1\r\nHOST: 127.0.0.1:80\r\n\r\n"), "GET / 1.1 @38 idle" },
	{ "ipv6", BYTES("GET / HTTP/1.1\r\nHost: [::1]\r\n\r\n"), "GET / 1.1 @31 idle" },
	{ "ipv6 and port", BYTES("GET / HTTP/1.1\r\nHost: [fe80::1]:80\r\n\r\n"), "GET / 1.1 @38 idle" },
	{ "similar names", BYTES("GET / HTTP/1.1\r\nHosts: ?\r\nHos: ?\r\nHost: a\r\nHosT2: ?\r\n\r\n"),
	  "GET / 1.1 @55 idle" },
	{ "missing", BYTES("GET / HTTP/1.1\r\n\r\n"), "!400 closed" },
	{ "missing, absolute form", BYTES("GET http://a/ HTTP/1.1\r\n\r\n"), "!400 closed" },
	{ "second", BYTES("GET / HTTP/1.1\r\nHost: a\r\nX: y\r\nHost: a\r\n\r\n"), "!400 closed" },
	{ "second in 1.0", BYTES("GET / HTTP/1.0\r\nHost: a\r\nHost: a\r\n\r\n"), "!400 closed" },
	{ "bad in 1.0", BYTES("GET / HTTP/1.0\r\nHost: a b\r\n\r\n"), "!400 closed" },
	{ "list", BYTES("GET / HTTP/1.1\r\nHost: a, b\r\n\r\n"), "!400 closed" },
	{ "comma", BYTES("GET / HTTP/1.1\r\nHost: a,b\r\n\r\n"), "!400 closed" },
	{ "two words", BYTES("GET / HTTP/1.1\r\nHost: a b\r\n\r\n"), "!400 closed" },
	{ "user", BYTES("GET / HTTP/1.1\r\nHost: u@a\r\n\r\n"), "!400 closed" },
	{ "path", BYTES("GET / HTTP/1.1\r\nHost: a/b\r\n\r\n"), "!400 closed" },
	{ "port of letters", BYTES("GET / HTTP/1.1\r\nHost: a:b\r\n\r\n"), "!400 closed" },
	{ "port alone", BYTES("GET / HTTP/1.1\r\nHost: :80\r\n\r\n"), "!400 closed" },
	{ "two ports", BYTES("GET / HTTP/1.1\r\nHost: a:80:80\r\n\r\n"), "!400 closed" },
	{ "open bracket", BYTES("GET / HTTP/1.1\r\nHost: [::1\r\n\r\n"), "!400 closed" },
	{ "after the bracket", BYTES("GET / HTTP/1.1\r\nHost: [::1]a\r\n\r\n"), "!400 closed" },
	{ "above 127", BYTES("GET / HTTP/1.1\r\nHost: \xc3\xa9\r\n\r\n"), "!400 closed" },
};

Test(http_request, host_is_there_once_and_is_a_host, .timeout = 60)
{
	CHECK_ALL(hosts);
}

static const struct story_case bodies[] = {
	{ "length", BYTES("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nGET /"), "POST / 1.1 @52 idle" },
	{ "length 0", BYTES("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n"), "POST / 1.1 @47 idle" },
	{ "zeros in front", BYTES("GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 0002\r\n\r\n\r\n"),
	  "GET / 1.1 @51 idle" },
	{ "half", BYTES("POST /long HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nGET"), "body" },
	{ "1.0", BYTES("POST / HTTP/1.0\r\nContent-Length: 2\r\n\r\nab"), "POST / 1.0 @40 close closed" },
	{ "chunked", BYTES("PUT /c HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"),
	  "PUT /c 1.1 @69 idle" },
	{ "chunked, in capitals", BYTES("PUT /c HTTP/1.1\r\n" HOST "TRANSFER-ENCODING: CHUNKED \r\n\r\n0\r\n\r\n"),
	  "PUT /c 1.1 @62 idle" },
	{ "trailer", BYTES("PUT / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n0\r\nX: y\r\nHost: b\r\n\r\n"),
	  "PUT / 1.1 @75 idle" },
	{ "extensions",
	  BYTES("PUT / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n2;a;b=\"c;\"\r\n\r\n\r\n00\r\n\r\n"),
	  "PUT / 1.1 @77 idle" },
	{ "half a trailer", BYTES("PUT / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n0\r\nX: y\r\n"),
	  "body" },
	{ "upgrade with a body",
	  BYTES("PUT / HTTP/1.1\r\n" HOST "Connection: upgrade\r\nUpgrade: x\r\n"
		"Content-Length: 2\r\n\r\nab"),
	  "PUT / 1.1 @81 idle" },
	{ "connect with a body", BYTES("CONNECT a:1 HTTP/1.1\r\n" HOST "Content-Length: 2\r\n\r\nab"),
	  "CONNECT a:1 1.1 @54 idle" },
};

Test(http_request, a_body_is_dropped, .timeout = 60)
{
	CHECK_ALL(bodies);
}

static const struct story_case expecting[] = {
	{ "length", BYTES("PUT / HTTP/1.1\r\n" HOST "Expect: 100-continue\r\nContent-Length: 5\r\n\r\nabcde"),
	  "PUT / 1.1 @73 idle" },
	{ "chunked", BYTES("PUT / HTTP/1.1\r\n" HOST "Expect: 100-continue\r\nTransfer-Encoding: chunked\r\n\r\n"),
	  "body" },
	{ "in capitals", BYTES("PUT / HTTP/1.1\r\n" HOST "Expect: 100-Continue \r\n\r\n"), "PUT / 1.1 @50 idle" },
	{ "no body", BYTES("PUT / HTTP/1.1\r\n" HOST "Expect: 100-continue\r\n\r\n"), "PUT / 1.1 @49 idle" },
	{ "something else", BYTES("PUT / HTTP/1.1\r\n" HOST "Expect: 200-ok\r\n\r\n"), "!417 closed" },
	{ "more of it", BYTES("PUT / HTTP/1.1\r\n" HOST "Expect: 100-continues\r\n\r\n"), "!417 closed" },
	{ "something else in 1.0", BYTES("PUT / HTTP/1.0\r\n" HOST "Expect: 200-ok\r\n\r\n"),
	  "PUT / 1.0 @43 close closed" },
	{ "1.0",
	  BYTES("PUT / HTTP/1.0\r\n" HOST
		"Expect: 100-continue\r\nConnection: keep-alive\r\nContent-Length: 1\r\n\r\na"),
	  "PUT / 1.0 @93 idle" },
};

Test(http_request, an_expectation_is_to_be_asked_for_the_body_or_none_that_is_met, .timeout = 60)
{
	CHECK_ALL(expecting);
}

static const struct story_case pipelined[] = {
	{ "two", BYTES("GET /1 HTTP/1.1\r\n" HOST "\r\nGET /2 HTTP/1.1\r\n" HOST "\r\n"),
	  "GET /1 1.1 @28 GET /2 1.1 @56 idle" },
	{ "and a half", BYTES("GET /1 HTTP/1.1\r\n" HOST "\r\nGET /2"), "GET /1 1.1 @28 head" },
	{ "after a body",
	  BYTES("PUT /1 HTTP/1.1\r\n" HOST "Content-Length: 3\r\n\r\nabcGET /2 HTTP/1.1\r\n" HOST "\r\n"),
	  "PUT /1 1.1 @50 GET /2 1.1 @78 idle" },
	{ "after chunks",
	  BYTES("PUT /1 HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n"
		"GET /2 HTTP/1.1\r\n" HOST "\r\n"),
	  "PUT /1 1.1 @67 GET /2 1.1 @95 idle" },
	{ "empty line between", BYTES("GET /1 HTTP/1.1\r\n" HOST "\r\n\r\nGET /2 HTTP/1.1\r\n" HOST "\r\n"),
	  "GET /1 1.1 @28 GET /2 1.1 @58 idle" },
	{ "two empty lines", BYTES("GET /1 HTTP/1.1\r\n" HOST "\r\n\r\n\r\nGET /2 HTTP/1.1\r\n" HOST "\r\n"),
	  "GET /1 1.1 @28 !400 closed" },
	{ "after close", BYTES("GET /1 HTTP/1.1\r\nConnection: close\r\n" HOST "\r\nGET /2 HTTP/1.1\r\n" HOST "\r\n"),
	  "GET /1 1.1 @47 close closed" },
	{ "garbage after close", BYTES("GET /1 HTTP/1.0\r\n\r\n\x01\x02\n\n"), "GET /1 1.0 @19 close closed" },
	{ "error in the second",
	  BYTES("GET /1 HTTP/1.1\r\n" HOST "\r\nGET /2 HTTP/1.1\r\n\r\nGET /3 HTTP/1.1\r\n" HOST "\r\n"),
	  "GET /1 1.1 @28 !400 closed" },
	{ "the first one's fields",
	  BYTES("PUT /1 HTTP/1.1\r\n" HOST "Content-Length: 1\r\nConnection: keep-alive\r\n\r\na"
		"GET /2 HTTP/1.0\r\n\r\n"),
	  "PUT /1 1.1 @72 GET /2 1.0 @91 close closed" },
	{ "the first one's host", BYTES("GET /1 HTTP/1.1\r\n" HOST "\r\nGET /2 HTTP/1.1\r\n\r\n"),
	  "GET /1 1.1 @28 !400 closed" },
};

Test(http_request, pipelined_requests_come_one_at_a_time, .timeout = 60)
{
	CHECK_ALL(pipelined);
}

Test(http_request, bytes_after_an_error_are_dropped_and_it_is_told_once, .timeout = 10)
{
	struct http_parser p;
	size_t used = 0;

	magi_http_parser_init(&p, &magi_http_limits);
	cr_assert_eq(magi_http_parse(&p, "GET\n", 4, &used), HTTP_ERROR);
	cr_assert_eq(used, 4);
	cr_assert_eq(p.status, 400);
	cr_assert_not(p.keep_alive);
	cr_assert_eq(magi_http_parse(&p, "GET / HTTP/1.0\r\n\r\n", 18, &used), HTTP_MORE);
	cr_assert_eq(used, 18);
	cr_assert(magi_http_closing(&p));
}

/* Parses as much as there is of a request, and adds up its body: its length, or the error's status below 0. */
static long body_of(const char *stream, uint64_t body_max)
{
	struct http_parser p;
	size_t at = 0, used;
	long body = 0;
	int rc;

	magi_http_parser_init(&p, &magi_http_limits);
	while ((rc = magi_http_parse(&p, stream + at, strlen(stream) - at, &used)) > HTTP_MORE && rc != HTTP_READY) {
		at += used;
		if (rc == HTTP_BEGUN)
			p.body_max = body_max;
		body += rc == HTTP_DATA ? (long)p.piece_len : 0;
	}
	return rc == HTTP_ERROR ? -(long)p.status : body;
}

#define LONG "PUT / HTTP/1.1\r\n" HOST "Content-Length: 2000000\r\n\r\nabc"
#define CHUNKS "PUT / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n3\r\ncde\r\n0\r\n\r\n"

/* Tried: a limit that is asked before it can be changed. */
Test(http_request, the_limit_of_a_body_may_be_changed_when_its_head_is_known, .timeout = 10)
{
	cr_assert_eq(body_of(LONG, HTTP_BODY_MAX), -413);
	cr_assert_eq(body_of(LONG, 2000000), 3);
	cr_assert_eq(body_of(CHUNKS, 20), 5);
	cr_assert_eq(body_of(CHUNKS, 4), -413);
}

Test(http_request, the_head_and_its_target_are_told, .timeout = 10)
{
	static const char stream[] = "\r\nPUT /ab?c HTTP/1.1\r\nHost: a\r\n\r\n";
	struct http_parser p;
	size_t used;

	magi_http_parser_init(&p, &magi_http_limits);
	cr_assert_eq(magi_http_parse(&p, stream, sizeof stream - 1, &used), HTTP_BEGUN);
	cr_assert_eq(used, sizeof stream - 1);
	cr_assert_eq(p.head_bytes, sizeof stream - 3);
	cr_assert_eq(p.target_at, 4);
	cr_assert_eq(p.target_len, 5);
	cr_assert_eq(p.fields_at, strlen("PUT /ab?c HTTP/1.1\r\n"));
	/* split in the request line, too */
	magi_http_parser_init(&p, &magi_http_limits);
	cr_assert_eq(magi_http_parse(&p, stream, 9, &used), HTTP_MORE);
	cr_assert_eq(magi_http_parse(&p, stream + 9, sizeof stream - 10, &used), HTTP_BEGUN);
	cr_assert_eq(p.target_at, 4);
	cr_assert_eq(p.target_len, 5);
	cr_assert_eq(p.fields_at, strlen("PUT /ab?c HTTP/1.1\r\n"));
}
