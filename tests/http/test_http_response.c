/* SPDX-License-Identifier: MIT */
/* test_http_response.c - heads and error responses. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../../src/http_server/http_response.c"

#define DATE "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"

static struct http_date date_1994(void)
{
	struct http_date date = { 0 };

	magi_http_date_set(&date, 784111777);
	return date;
}

struct head_case {
	struct http_answer answer;
	const char *head;
};

static const struct head_case heads[] = {
	{ { .status = 200, .minor = 1, .keep_alive = true, .type = "text/plain", .length = 13 },
	  "HTTP/1.1 200 OK\r\n" DATE "Content-Type: text/plain\r\nContent-Length: 13\r\n\r\n" },
	{ { .status = 200, .minor = 1, .keep_alive = false, .type = "image/png", .length = 0, .modified = 784111777 },
	  "HTTP/1.1 200 OK\r\n" DATE "Content-Type: image/png\r\nContent-Length: 0\r\n"
	  "Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT\r\nConnection: close\r\n\r\n" },
	{ { .status = 200, .minor = 0, .keep_alive = true, .type = "text/plain", .length = UINT64_MAX },
	  "HTTP/1.1 200 OK\r\n" DATE "Content-Type: text/plain\r\nContent-Length: 18446744073709551615\r\n"
	  "Connection: keep-alive\r\n\r\n" },
	{ { .status = 200, .minor = 0, .keep_alive = false, .length = 1 },
	  "HTTP/1.1 200 OK\r\n" DATE "Content-Length: 1\r\nConnection: close\r\n\r\n" },
	{ { .status = 304, .minor = 1, .keep_alive = true, .length = 13, .modified = 784111778 },
	  "HTTP/1.1 304 Not Modified\r\n" DATE "Last-Modified: Sun, 06 Nov 1994 08:49:38 GMT\r\n\r\n" },
	{ { .status = 301, .minor = 1, .keep_alive = true, .location = "/a/" },
	  "HTTP/1.1 301 Moved Permanently\r\n" DATE "Content-Length: 0\r\nLocation: /a/\r\n\r\n" },
	{ { .status = 405, .minor = 1, .keep_alive = true, .allow = 1 << 1 | 1 << 2 },
	  "HTTP/1.1 405 Method Not Allowed\r\n" DATE "Content-Length: 0\r\nAllow: GET, HEAD\r\n\r\n" },
};

Test(http_response, a_head_has_the_fields_that_it_needs, .timeout = 10)
{
	struct http_date date = date_1994();

	for (size_t i = 0; i < sizeof heads / sizeof heads[0]; i++) {
		char out[HTTP_RESPONSE_MAX];
		int rc = magi_http_response_head(out, sizeof out, &heads[i].answer, &date);

		cr_assert_eq(rc, (int)strlen(heads[i].head), "case %zu: %d", i, rc);
		cr_assert_arr_eq(out, heads[i].head, (size_t)rc, "case %zu: %.*s", i, rc, out);
	}
}

/* The text that follows the head says what the status line says, and is as long as the head says. */
static void check_error(int status, bool keep_alive)
{
	struct http_answer a = { .status = (uint16_t)status, .minor = 1, .keep_alive = keep_alive };
	struct http_date date = date_1994();
	char with[HTTP_RESPONSE_MAX + 1] = "", without[HTTP_RESPONSE_MAX + 1] = "", length[64], *body;
	int n = magi_http_response_error(with, HTTP_RESPONSE_MAX, &a, false, &date);
	int head = magi_http_response_error(without, HTTP_RESPONSE_MAX, &a, true, &date);

	cr_assert(n > 0 && head > 0 && head < n, "%d", status);
	cr_assert_arr_eq(with, without, (size_t)head, "%d: HEAD gets the same head", status);
	body = strstr(with, "\r\n\r\n");
	cr_assert_not_null(body);
	cr_assert_eq(body + 4 - with, head, "%d", status);
	body += 4;
	snprintf(length, sizeof length, "\r\nContent-Length: %zu\r\n", strlen(body));
	cr_assert_not_null(strstr(with, length), "%d: %s", status, with);
	cr_assert_eq(atoi(body), status);
	cr_assert_eq(atoi(with + strlen("HTTP/1.1 ")), status);
	cr_assert_null(strstr(with, "Unknown"), "%d", status);
	cr_assert_eq(strstr(with, "\r\nConnection: close\r\n") != NULL, !keep_alive);
}

Test(http_response, an_error_explains_itself, .timeout = 10)
{
	static const int statuses[] = { 301, 400, 403, 404, 405, 408, 413, 414, 431, 500, 501, 503, 505 };

	for (size_t i = 0; i < sizeof statuses / sizeof statuses[0]; i++) {
		check_error(statuses[i], true);
		check_error(statuses[i], false);
	}
}

Test(http_response, what_does_not_fit_is_refused, .timeout = 10)
{
	struct http_answer a = {
		.status = 405, .type = "text/plain", .location = "/x/", .modified = 1, .length = 12345
	};
	struct http_date date = date_1994();
	char whole[HTTP_RESPONSE_MAX];
	int head = magi_http_response_head(whole, sizeof whole, &a, &date);
	int error = magi_http_response_error(whole, sizeof whole, &a, false, &date);

	cr_assert(head > 0 && error > 0);
	for (int cap = 0; cap < HTTP_RESPONSE_MAX; cap++) {
		char *out = malloc((size_t)cap + 1);

		out[cap] = '!';
		cr_assert_eq(magi_http_response_head(out, (size_t)cap, &a, &date), cap < head ? -ENOBUFS : head);
		cr_assert_eq(magi_http_response_error(out, (size_t)cap, &a, false, &date), cap < error ? -ENOBUFS : error);
		cr_assert_eq(out[cap], '!');
		free(out);
	}
}

static void check_date(int64_t second)
{
	char got[HTTP_DATE_LEN + 1], want[64];
	time_t t = (time_t)second;
	struct tm tm;

	gmtime_r(&t, &tm);
	strftime(want, sizeof want, "%a, %d %b %Y %H:%M:%S GMT", &tm);
	magi_http_date_format(got, second);
	cr_assert_str_eq(got, want, "%lld", (long long)second);
}

Test(http_response, a_date_is_what_the_C_library_says, .timeout = 10)
{
	check_date(0);
	check_date(YEAR_9999_END);
	for (int64_t day = 0; day < 3000000; day++) {
		if (day > 200000 && day % 97)
			continue; /* each day to the year 2517, which has all kinds of centuries, then some */
		if (day * DAY > YEAR_9999_END - DAY)
			break;
		check_date(day * DAY);
		check_date(day * DAY + DAY - 1);
	}
	for (int64_t second = 951782400 - 3; second < 951782400 + DAY; second += 61)
		check_date(second);
}

Test(http_response, a_date_out_of_range_is_the_nearest, .timeout = 10)
{
	char got[HTTP_DATE_LEN + 1];

	magi_http_date_format(got, -1);
	cr_assert_str_eq(got, "Thu, 01 Jan 1970 00:00:00 GMT");
	magi_http_date_format(got, INT64_MIN);
	cr_assert_str_eq(got, "Thu, 01 Jan 1970 00:00:00 GMT");
	magi_http_date_format(got, INT64_MAX);
	cr_assert_str_eq(got, "Fri, 31 Dec 9999 23:59:59 GMT");
}

Test(http_response, the_date_is_formatted_once_a_second, .timeout = 10)
{
	struct http_date date = { 0 };

	magi_http_date_set(&date, 0);
	cr_assert_str_eq(date.text, "Thu, 01 Jan 1970 00:00:00 GMT");
	date.text[0] = 'X';
	magi_http_date_set(&date, 0);
	cr_assert_eq(date.text[0], 'X', "not formatted again");
	magi_http_date_set(&date, 1);
	cr_assert_str_eq(date.text, "Thu, 01 Jan 1970 00:00:01 GMT");
}
