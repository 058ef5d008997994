/* SPDX-License-Identifier: MIT */
/* http_exchange.c - a request as its handler sees it: all is found in the head's bytes when it is asked for. */
#include <errno.h>
#include <string.h>
#include <strings.h>

#include "http_conn.h"
#include "http_param.h"

static const struct http_parser *parser_of(const mag_http_exchange *x)
{
	return &magi_http_conn_of(x)->parser;
}

const char *mag_http_method(const mag_http_exchange *x)
{
	return llhttp_method_name((llhttp_method_t)parser_of(x)->method);
}

mag_http_text mag_http_target(const mag_http_exchange *x)
{
	const struct http_parser *p = parser_of(x);

	return (mag_http_text){ x->head + p->target_at, p->target_len };
}

mag_http_text mag_http_path(const mag_http_exchange *x)
{
	return x->path_len ? (mag_http_text){ x->head + x->path_at, x->path_len } : (mag_http_text){ "/", 1 };
}

mag_http_text mag_http_query(const mag_http_exchange *x)
{
	if (!x->query_len)
		return (mag_http_text){ NULL, 0 };
	return (mag_http_text){ x->head + x->path_at + x->path_len + 1, x->query_len };
}

int mag_http_version(const mag_http_exchange *x)
{
	return magi_http_conn_of(x)->wire.stream ? 20 : 10 + parser_of(x)->minor;
}

const struct mag_tls *mag_http_tls(const mag_http_exchange *x)
{
	return magi_http_wire_session(&magi_http_conn_of(x)->wire);
}

const mag_addr *mag_http_peer(const mag_http_exchange *x)
{
	return &magi_http_conn_of(x)->peer;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

bool mag_http_fields(const mag_http_exchange *x, mag_http_header *h)
{
	const struct http_parser *p = parser_of(x);
	size_t at = h->next ? h->next : p->fields_at;
	const char *line = x->head + at, *end, *colon;

	/* the parser has seen that each line is a field, but for the last, which is empty */
	if (at + 2 >= p->head_bytes)
		return false;
	end = memchr(line, '\n', p->head_bytes - at);
	colon = memchr(line, ':', (size_t)(end - line));
	h->next = (size_t)(end + 1 - x->head);
	h->name = (mag_http_text){ line, (size_t)(colon - line) };
	for (line = colon + 1, end--; line < end && is_blank(*line); line++)
		;
	while (end > line && is_blank(end[-1]))
		end--;
	h->value = (mag_http_text){ line, (size_t)(end - line) };
	return true;
}

mag_http_text mag_http_field(const mag_http_exchange *x, const char *name)
{
	const size_t length = strlen(name);
	mag_http_header h = { .next = 0 };

	while (mag_http_fields(x, &h))
		if (h.name.length == length && strncasecmp(h.name.at, name, length) == 0)
			return h.value;
	return (mag_http_text){ NULL, 0 };
}

int64_t mag_http_field_list(const mag_http_exchange *x, const char *name, char *out, size_t size)
{
	const size_t length = strlen(name);
	mag_http_header h = { .next = 0 };
	size_t n = 0;
	bool any = false;

	while (mag_http_fields(x, &h)) {
		if (h.name.length != length || strncasecmp(h.name.at, name, length) != 0)
			continue;
		if (h.value.length + any >= size - n)
			return -ENOBUFS;
		if (any)
			out[n++] = ',';
		memcpy(out + n, h.value.at, h.value.length);
		n += h.value.length;
		out[n] = '\0';
		any = true;
	}
	return any ? (int64_t)n : -ENOENT;
}

int64_t mag_http_param(const mag_http_exchange *x, const char *name, char *out, size_t size)
{
	const struct http_route *route = x->match.route;
	mag_http_text path = mag_http_path(x);

	for (unsigned i = 0; route && i < route->params; i++)
		if (!strcmp(route->names[i], name))
			return magi_http_decode(path.at + x->match.params[i].at, x->match.params[i].length, false, out,
						size);
	return -ENOENT;
}

int64_t mag_http_query_value(const mag_http_exchange *x, const char *name, char *out, size_t size)
{
	mag_http_text query = mag_http_query(x);
	size_t length;
	const char *value = query.at ? magi_http_query_find(query.at, query.length, name, &length) : NULL;

	return value ? magi_http_decode(value, length, true, out, size) : -ENOENT;
}

int mag_http_status(const mag_http_exchange *x)
{
	return x->status;
}

bool mag_http_stopping(const mag_http_exchange *x)
{
	return mag_event_is_set(&magi_http_conn_of(x)->server->stopping);
}

mag_event *mag_http_stop_event(const mag_http_exchange *x)
{
	return &magi_http_conn_of(x)->server->stopping;
}
