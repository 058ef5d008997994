/* SPDX-License-Identifier: MIT */
/* http_response.c - builds the heads of responses, and whole error responses, in the caller's buffer. */
#include "http_response.h"

#include <errno.h>
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
void http_date_format(char out[HTTP_DATE_LEN + 1], int64_t second)
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

void http_date_set(struct http_date *date, int64_t second)
{
	if (date->second == second && date->text[0])
		return;
	date->second = second;
	http_date_format(date->text, second);
}

const char *http_reason(int status)
{
	switch (status) {
	case 200:
		return "OK";
	case 301:
		return "Moved Permanently";
	case 304:
		return "Not Modified";
	case 400:
		return "Bad Request";
	case 403:
		return "Forbidden";
	case 404:
		return "Not Found";
	case 405:
		return "Method Not Allowed";
	case 408:
		return "Request Timeout";
	case 413:
		return "Content Too Large";
	case 414:
		return "URI Too Long";
	case 431:
		return "Request Header Fields Too Large";
	case 500:
		return "Internal Server Error";
	case 501:
		return "Not Implemented";
	case 503:
		return "Service Unavailable";
	case 505:
		return "HTTP Version Not Supported";
	default:
		return "Unknown";
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
		put_text(w, http_reason(a->status));
		PUT(w, "\r\nDate: ");
	}
	put(w, date->text, HTTP_DATE_LEN);
	if (a->type) {
		PUT(w, "\r\nContent-Type: ");
		put_text(w, a->type);
	}
	if (a->status != 304) {
		PUT(w, "\r\nContent-Length: ");
		put_number(w, a->length);
	}
	if (a->modified) {
		char text[HTTP_DATE_LEN + 1];

		http_date_format(text, a->modified);
		PUT(w, "\r\nLast-Modified: ");
		put(w, text, HTTP_DATE_LEN);
	}
	if (a->location) {
		PUT(w, "\r\nLocation: ");
		put_text(w, a->location);
	}
	if (a->status == 405)
		PUT(w, "\r\nAllow: GET, HEAD");
	if (!a->keep_alive)
		PUT(w, "\r\nConnection: close");
	else if (a->minor == 0)
		PUT(w, "\r\nConnection: keep-alive");
	PUT(w, "\r\n\r\n");
}

int http_response_head(char *out, size_t cap, const struct http_answer *a, const struct http_date *date)
{
	struct writer w = { .at = out, .end = out + cap };

	put_head(&w, a, date);
	return w.full ? -ENOBUFS : (int)(w.at - out);
}

int http_response_error(char *out, size_t cap, const struct http_answer *a, bool without_body,
			const struct http_date *date)
{
	struct writer w = { .at = out, .end = out + cap };
	const char *reason = http_reason(a->status);
	struct http_answer head = {
		.status = a->status,
		.minor = a->minor,
		.keep_alive = a->keep_alive,
		.type = "text/plain; charset=utf-8",
		.location = a->location,
		.length = strlen("400 \n") + strlen(reason),
	};

	put_head(&w, &head, date);
	if (!without_body) {
		put_number(&w, a->status);
		PUT(&w, " ");
		put_text(&w, reason);
		PUT(&w, "\n");
	}
	return w.full ? -ENOBUFS : (int)(w.at - out);
}
