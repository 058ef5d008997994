/* SPDX-License-Identifier: MIT */
/* http_router.c - which route a request takes. */
#include "http_router.h"

#include <errno.h>
#include <llhttp.h>
#include <stdlib.h>
#include <string.h>

#include "http_param.h"

static struct http_node *new_node(const char *text, size_t length)
{
	struct http_node *n = calloc(1, sizeof *n + length);

	if (n) {
		memcpy(n->text, text, length);
		n->length = (uint32_t)length;
	}
	return n;
}

static struct http_node **literal(struct http_node *n, const char *text, size_t length)
{
	struct http_node **at = &n->literals;

	while (*at && ((*at)->length != length || memcmp((*at)->text, text, length) != 0))
		at = &(*at)->next;
	return at;
}

static char *copy(const char *s, size_t n)
{
	char *out = malloc(n + 1);

	if (out) {
		memcpy(out, s, n);
		out[n] = '\0';
	}
	return out;
}

static void free_route(struct http_route *route)
{
	for (unsigned i = 0; i < route->params; i++)
		free(route->names[i]);
	free(route);
}

/* What stands between braces: 0, or an error. */
static int add_param(struct http_route *route, const char *name, size_t length)
{
	if (length == 0 || memchr(name, '{', length) || route->params == HTTP_PARAMS_MAX)
		return -EINVAL;
	route->names[route->params] = copy(name, length);
	if (!route->names[route->params])
		return -ENOMEM;
	route->params++;
	return 0;
}

/* Where a segment of a form leads: 0 and *to, or an error. */
static int step(struct http_node *n, const char *s, size_t length, bool last, struct http_route *route,
		struct http_node ***to)
{
	int rc;

	if (length < 2 || s[0] != '{') {
		*to = literal(n, s, length);
		return memchr(s, '{', length) || memchr(s, '}', length) ? -EINVAL : 0;
	}
	if (s[length - 1] != '}')
		return -EINVAL;
	if (length >= 5 && memcmp(s + length - 4, "...}", 4) == 0) {
		*to = &n->rest;
		return last ? add_param(route, s + 1, length - 5) : -EINVAL;
	}
	*to = &n->one;
	rc = add_param(route, s + 1, length - 2);
	return rc;
}

static int add(struct http_router *r, const char *path, struct http_route *route)
{
	struct http_node **to = &r->root;
	const char *s = path;
	int rc = *s == '/' ? 0 : -EINVAL;

	for (int depth = 0; rc == 0; depth++) {
		const char *slash = strchr(s + 1, '/');
		size_t length = slash ? (size_t)(slash - s) - 1 : strlen(s + 1);

		if (depth == HTTP_SEGMENTS_MAX)
			return -EINVAL;
		if (!*to)
			*to = new_node("", 0);
		if (!*to)
			return -ENOMEM;
		rc = step(*to, s + 1, length, !slash, route, &to);
		if (rc == 0 && !*to) {
			*to = new_node(s + 1, length);
			rc = *to ? 0 : -ENOMEM;
		}
		if (!slash || rc < 0)
			break;
		s = slash;
	}
	if (rc < 0)
		return rc;
	for (const struct http_route *other = (*to)->routes; other; other = other->next)
		if (other->method == route->method)
			return -EEXIST;
	route->next = (*to)->routes;
	(*to)->routes = route;
	return 0;
}

int magi_http_router_add(struct http_router *r, uint8_t method, const char *path, struct http_route **route)
{
	struct http_route *new = calloc(1, sizeof *new);
	int rc;

	if (!new)
		return -ENOMEM;
	new->method = method;
	rc = add(r, path, new);
	if (rc < 0)
		free_route(new);
	else
		*route = new;
	return rc;
}

static void free_node(struct http_node *n)
{
	if (!n)
		return;
	free_node(n->one);
	free_node(n->rest);
	while (n->literals) {
		struct http_node *first = n->literals;

		n->literals = first->next;
		free_node(first);
	}
	while (n->routes) {
		struct http_route *first = n->routes;

		n->routes = first->next;
		free_route(first);
	}
	free(n);
}

void magi_http_router_fini(struct http_router *r)
{
	free_node(r->root);
	r->root = NULL;
}

/* Whether a route that ends here takes the method. */
static bool choose(const struct http_node *n, uint8_t method, struct http_match *m)
{
	const struct http_route *get = NULL;

	for (const struct http_route *route = n->routes; route; route = route->next) {
		m->allowed |= UINT64_C(1) << route->method;
		if (route->method == method || route->method == HTTP_ANY_METHOD) {
			m->route = route;
			return true;
		}
		if (route->method == HTTP_GET)
			get = route;
	}
	if (method == HTTP_HEAD)
		m->route = get;
	return m->route != NULL;
}

/* The path from `at` on, which is behind a slash. */
static bool match(const struct http_node *n, uint8_t method, const char *path, size_t at, size_t length,
		  unsigned params, struct http_match *m)
{
	const char *slash = memchr(path + at, '/', length - at);
	size_t end = slash ? (size_t)(slash - path) : length;

	for (const struct http_node *next = n->literals; next; next = next->next) {
		if (!magi_http_segment_is(path + at, end - at, next->text, next->length))
			continue;
		if (slash ? match(next, method, path, end + 1, length, params, m) : choose(next, method, m))
			return true;
	}
	if (n->one && end > at) {
		m->params[params] = (struct http_span){ (uint32_t)at, (uint32_t)(end - at) };
		if (slash ? match(n->one, method, path, end + 1, length, params + 1, m) : choose(n->one, method, m))
			return true;
	}
	if (!n->rest)
		return false;
	m->params[params] = (struct http_span){ (uint32_t)at, (uint32_t)(length - at) };
	return choose(n->rest, method, m);
}

void magi_http_router_match(const struct http_router *r, uint8_t method, const char *path, size_t length,
			    struct http_match *m)
{
	m->route = NULL;
	m->allowed = 0;
	if (r->root)
		match(r->root, method, path, 1, length, 0, m);
}
