/* SPDX-License-Identifier: MIT */
/* http_access.c - a line of an access log, in the combined format. */
#include <magpie/http_access.h>

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

struct out {
	char *at, *end; /* of the line, without the room for its end */
};

static void put(struct out *o, const char *s, size_t n)
{
	size_t room = (size_t)(o->end - o->at);

	n = n < room ? n : room;
	memcpy(o->at, s, n);
	o->at += n;
}

/* What a client has sent: nothing that ends the line or the quotes. */
static void put_foreign(struct out *o, mag_http_text text)
{
	static const char digits[] = "0123456789abcdef";

	if (!text.at)
		put(o, "-", 1);
	for (size_t i = 0; text.at && i < text.length; i++) {
		unsigned char c = (unsigned char)text.at[i];
		char code[4] = { '\\', 'x', digits[c >> 4], digits[c & 15] };

		if (c < ' ' || c >= 0x7f || c == '"' || c == '\\')
			put(o, code, sizeof code);
		else
			put(o, text.at + i, 1);
	}
}

/* Without its port. */
static void put_peer(struct out *o, const mag_addr *peer)
{
	char text[MAG_ADDR_TEXT_MAX];
	char *colon, *start = text;

	if (!peer || mag_addr_format(peer, text, sizeof text) < 0) {
		put(o, "-", 1);
		return;
	}
	colon = mag_addr_port(peer) >= 0 ? strrchr(text, ':') : NULL;
	if (colon)
		*colon = '\0';
	if (*start == '[') {
		start++;
		start[strcspn(start, "]")] = '\0';
	}
	/* a Unix socket's path is its client's */
	put_foreign(o, (mag_http_text){ *start ? start : NULL, strlen(start) });
}

size_t mag_http_access_format(const mag_http_access *a, char *out, size_t size)
{
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	struct out o = { out, out + size - 1 };
	char text[96];
	struct tm tm;
	time_t at = (time_t)a->at;
	int n;

	if (size == 0)
		return 0;
	gmtime_r(&at, &tm);
	put_peer(&o, a->peer);
	n = snprintf(text, sizeof text, " - - [%02d/%.3s/%04d:%02d:%02d:%02d +0000] \"%s ", tm.tm_mday,
		     months + tm.tm_mon * 3, tm.tm_year + 1900, tm.tm_hour, tm.tm_min, tm.tm_sec, a->method);
	put(&o, text, (size_t)n);
	put_foreign(&o, a->target);
	n = snprintf(text, sizeof text, " HTTP/%d.%d\" %d %" PRIu64 " \"", a->version / 10, a->version % 10, a->status,
		     a->bytes);
	put(&o, text, (size_t)n);
	put_foreign(&o, a->referer);
	put(&o, "\" \"", 3);
	put_foreign(&o, a->agent);
	put(&o, "\"", 1);
	*o.at++ = '\n';
	return (size_t)(o.at - out);
}
