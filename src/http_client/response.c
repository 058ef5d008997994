/* SPDX-License-Identifier: MIT */
/* response.c - an answer in memory. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "http_client/exchange.h"

/* Forgets all but the memory. */
void magi_client_response_clear(mag_http_response *r)
{
	r->status = r->version = 0;
	r->fault = MAG_HTTP_OK;
	r->redirects = r->connections = 0;
	r->url = NULL;
	r->length = r->head_length = 0;
	r->timing = (mag_http_timing){ .total = 0 };
	r->why[0] = 0;
	r->flow = NULL;
	if (r->body)
		r->body[0] = 0;
}

void mag_http_response_fini(mag_http_response *r)
{
	free(r->url_copy);
	free(r->body);
	free(r->head);
	*r = (mag_http_response){ .status = 0 };
}

/* Makes room for `more` bytes, and one behind them; what there is doubles. */
static int grow(char **memory, size_t *room, size_t length, size_t more)
{
	size_t want = length + more + 1, next = *room ? *room : 256;
	char *grown;

	if (want <= *room)
		return 0;
	while (next < want)
		next *= 2;
	grown = realloc(*memory, next);
	if (!grown)
		return -ENOMEM;
	*memory = grown;
	*room = next;
	return 0;
}

int magi_client_response_add_body(mag_http_response *r, const char *data, size_t length, uint64_t max)
{
	if (length > max || r->length > max - length)
		return MAG_ETOOLONG;
	if (grow(&r->body, &r->room, r->length, length) < 0)
		return -ENOMEM;
	memcpy(r->body + r->length, data, length);
	r->length += length;
	r->body[r->length] = 0;
	return 0;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* "Name: value\r\n"; a line without a colon is passed over. */
int magi_client_response_add_header(mag_http_response *r, const char *line, size_t length, size_t max)
{
	const char *colon = memchr(line, ':', length), *value;
	size_t name_length;

	if (length > max || r->head_length > max - length)
		return MAG_ETOOLONG;
	if (!colon)
		return 0;
	name_length = (size_t)(colon - line);
	value = colon + 1;
	length -= name_length + 1;
	while (length && is_blank(*value)) {
		value++;
		length--;
	}
	while (length && is_blank(value[length - 1]))
		length--;
	if (grow(&r->head, &r->head_room, r->head_length, name_length + length + 2) < 0)
		return -ENOMEM;
	memcpy(r->head + r->head_length, line, name_length);
	r->head_length += name_length;
	r->head[r->head_length++] = 0;
	memcpy(r->head + r->head_length, value, length);
	r->head_length += length;
	r->head[r->head_length++] = 0;
	return 0;
}

bool mag_http_response_next(const mag_http_response *r, mag_http_pair *header)
{
	const char *at = header->value ? header->value + strlen(header->value) + 1 : r->head;

	if (!at || at >= r->head + r->head_length)
		return false;
	header->name = at;
	header->value = at + strlen(at) + 1;
	return true;
}

const char *mag_http_response_header(const mag_http_response *r, const char *name)
{
	mag_http_pair header = { NULL, NULL };

	while (mag_http_response_next(r, &header)) {
		if (!strcasecmp(header.name, name))
			return header.value;
	}
	return NULL;
}
