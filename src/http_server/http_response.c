/* SPDX-License-Identifier: MIT */
/* http_response.c - builds the heads of responses, and whole error responses, in the caller's buffer. */
#include "http_response.h"

#include <errno.h>
#include <llhttp.h>
#include <string.h>

#define DAY 86400
#define YEAR_9999_END 253402300799 /* the last second that a four-digit year can say */

/* The text written so far ends at at; once something did not fit, full stays set. */
struct writer {
	char *at, *end;
	bool full;
};

static inline void put(struct writer *w, const char *s, size_t n)
{
	if (n > (size_t)(w->end - w->at)) {
		w->full = true;
		return;
	}
	memcpy(w->at, s, n);
	w->at += n;
}

#define PUT(w, literal) put((w), (literal), sizeof(literal) - 1)

static void put_text(struct writer *w, const char *s)
{
	put(w, s, strlen(s));
}

static void put_number(struct writer *w, uint64_t v)
{
	char digits[20], *at = digits + sizeof digits;

	do {
		*--at = (char)('0' + v % 10);
		v /= 10;
	} while (v);
	put(w, at, (size_t)(digits + sizeof digits - at));
}

static void two_digits(char *out, int v)
{
	out[0] = (char)('0' + v / 10);
	out[1] = (char)('0' + v % 10);
}

/* gmtime_r takes the time zone's lock; the calendar alone is Howard Hinnant's civil_from_days. */
void magi_http_date_format(char out[HTTP_DATE_LEN + 1], int64_t second)
{
	static const char week[] = "ThuFriSatSunMonTueWed"; /* 1970 began on a Thursday */
	static const char months[] = "MarAprMayJunJulAugSepOctNovDecJanFeb";
	int days, rest, era_day, era_year, year_day, month, year;

	second = second < 0 ? 0 : second > YEAR_9999_END ? YEAR_9999_END : second;
	days = (int)(second / DAY);
	rest = (int)(second % DAY);

	/* years begin in March, so that the leap day is the last one; eras have 400 years and 146097 days */
	era_day = (days + 719468) % 146097;
	era_year = (era_day - era_day / 1460 + era_day / 36524 - era_day / 146096) / 365;
	year_day = era_day - (365 * era_year + era_year / 4 - era_year / 100);
	month = (5 * year_day + 2) / 153; /* 0 is March */
	year = era_year + (days + 719468) / 146097 * 400 + (month >= 10);

	memcpy(out, "???, ?? ??? ???? ??:??:?? GMT", HTTP_DATE_LEN + 1);
	memcpy(out, week + days % 7 * 3, 3);
	two_digits(out + 5, year_day - (153 * month + 2) / 5 + 1);
	memcpy(out + 8, months + month * 3, 3);
	two_digits(out + 12, year / 100);
	two_digits(out + 14, year % 100);
	two_digits(out + 17, rest / 3600);
	two_digits(out + 20, rest / 60 % 60);
	two_digits(out + 23, rest % 60);
}

void magi_http_date_set(struct http_date *date, int64_t second)
{
	if (date->second == second && date->text[0])
		return;
	date->second = second;
	magi_http_date_format(date->text, second);
}

static const struct reason {
	int status;
	const char *text;
} reasons[] = {
	{ 100, "Continue" },
	{ 101, "Switching Protocols" },
	{ 103, "Early Hints" },
	{ 200, "OK" },
	{ 201, "Created" },
	{ 202, "Accepted" },
	{ 203, "Non-Authoritative Information" },
	{ 204, "No Content" },
	{ 205, "Reset Content" },
	{ 206, "Partial Content" },
	{ 300, "Multiple Choices" },
	{ 301, "Moved Permanently" },
	{ 302, "Found" },
	{ 303, "See Other" },
	{ 304, "Not Modified" },
	{ 307, "Temporary Redirect" },
	{ 308, "Permanent Redirect" },
	{ 400, "Bad Request" },
	{ 401, "Unauthorized" },
	{ 402, "Payment Required" },
	{ 403, "Forbidden" },
	{ 404, "Not Found" },
	{ 405, "Method Not Allowed" },
	{ 406, "Not Acceptable" },
	{ 407, "Proxy Authentication Required" },
	{ 408, "Request Timeout" },
	{ 409, "Conflict" },
	{ 410, "Gone" },
	{ 411, "Length Required" },
	{ 412, "Precondition Failed" },
	{ 413, "Content Too Large" },
	{ 414, "URI Too Long" },
	{ 415, "Unsupported Media Type" },
	{ 416, "Range Not Satisfiable" },
	{ 417, "Expectation Failed" },
	{ 418, "I'm a Teapot" },
	{ 421, "Misdirected Request" },
	{ 422, "Unprocessable Content" },
	{ 423, "Locked" },
	{ 424, "Failed Dependency" },
	{ 425, "Too Early" },
	{ 426, "Upgrade Required" },
	{ 428, "Precondition Required" },
	{ 429, "Too Many Requests" },
	{ 431, "Request Header Fields Too Large" },
	{ 451, "Unavailable For Legal Reasons" },
	{ 500, "Internal Server Error" },
	{ 501, "Not Implemented" },
	{ 502, "Bad Gateway" },
	{ 503, "Service Unavailable" },
	{ 504, "Gateway Timeout" },
	{ 505, "HTTP Version Not Supported" },
	{ 507, "Insufficient Storage" },
	{ 511, "Network Authentication Required" },
};

const char *magi_http_reason(int status)
{
	size_t low = 0, high = sizeof reasons / sizeof reasons[0];

	while (low < high) {
		size_t mid = (low + high) / 2;

		if (reasons[mid].status == status)
			return reasons[mid].text;
		if (reasons[mid].status < status)
			low = mid + 1;
		else
			high = mid;
	}
	return "Unknown";
}

void magi_http_methods(uint64_t bits, char out[HTTP_METHODS_MAX])
{
	struct writer w = { .at = out, .end = out + HTTP_METHODS_MAX - 1 };

	for (int i = 0; i < 63; i++) {
		if (!(bits >> i & 1))
			continue;
		if (w.at != out)
			PUT(&w, ", ");
		put_text(&w, llhttp_method_name((llhttp_method_t)i));
	}
	*w.at = '\0';
}

static void put_field(struct writer *w, const char *name, const char *value)
{
	PUT(w, "\r\n");
	put_text(w, name);
	PUT(w, ": ");
	put_text(w, value);
}

static void put_length(struct writer *w, const struct http_answer *a)
{
	if (magi_http_bodiless(a->status) || a->endless)
		return;
	if (a->chunked) {
		PUT(w, "\r\nTransfer-Encoding: chunked");
	} else {
		PUT(w, "\r\nContent-Length: ");
		put_number(w, a->length);
	}
}

static void put_rare(struct writer *w, const struct http_answer *a)
{
	if (a->modified) {
		char text[HTTP_DATE_LEN + 1];

		magi_http_date_format(text, a->modified);
		PUT(w, "\r\nLast-Modified: ");
		put(w, text, HTTP_DATE_LEN);
	}
	if (a->location)
		put_field(w, "Location", a->location);
	if (a->etag)
		put_field(w, "ETag", a->etag);
	if (a->coding)
		put_field(w, "Content-Encoding", a->coding);
	if (a->range)
		put_field(w, "Content-Range", a->range);
	if (a->ranges)
		PUT(w, "\r\nAccept-Ranges: bytes");
	if (a->varies)
		PUT(w, "\r\nVary: Accept-Encoding");
	if (a->allow) {
		char text[HTTP_METHODS_MAX];

		magi_http_methods(a->allow, text);
		put_field(w, "Allow", text);
	}
	if (a->extra_len) {
		PUT(w, "\r\n");
		put(w, a->extra, a->extra_len - 2);
	}
}

static void put_head(struct writer *w, const struct http_answer *a, const struct http_date *date)
{
	if (a->status == 200) {
		PUT(w, "HTTP/1.1 200 OK\r\nDate: ");
	} else {
		PUT(w, "HTTP/1.1 ");
		put_number(w, a->status);
		PUT(w, " ");
		put_text(w, magi_http_reason(a->status));
		PUT(w, "\r\nDate: ");
	}
	put(w, date->text, HTTP_DATE_LEN);
	if (a->server)
		put_field(w, "Server", a->server);
	if (a->type) {
		PUT(w, "\r\nContent-Type: ");
		put_text(w, a->type);
	}
	put_length(w, a);
	put_rare(w, a);
	if (a->status == 101)
		PUT(w, "\r\nConnection: Upgrade");
	else if (!a->keep_alive)
		PUT(w, "\r\nConnection: close");
	else if (a->minor == 0)
		PUT(w, "\r\nConnection: keep-alive");
	PUT(w, "\r\n\r\n");
}

int magi_http_response_head(char *out, size_t cap, const struct http_answer *a, const struct http_date *date)
{
	struct writer w = { .at = out, .end = out + cap };

	put_head(&w, a, date);
	return w.full ? -ENOBUFS : (int)(w.at - out);
}

int magi_http_response_error(char *out, size_t cap, const struct http_answer *a, bool without_body,
			     const struct http_date *date)
{
	struct writer w = { .at = out, .end = out + cap };
	const char *reason = magi_http_reason(a->status);
	struct http_answer head = *a;

	head.type = "text/plain; charset=utf-8";
	head.length = strlen("400 \n") + strlen(reason);
	put_head(&w, &head, date);
	if (!without_body) {
		put_number(&w, a->status);
		PUT(&w, " ");
		put_text(&w, reason);
		PUT(&w, "\n");
	}
	return w.full ? -ENOBUFS : (int)(w.at - out);
}
