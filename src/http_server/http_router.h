/* SPDX-License-Identifier: MIT */
/* http_router.h - which route a request takes: a tree of path segments, each with the routes that end there.
 *
 * Who:     one thread builds it; then any reads it, and nothing changes.
 * Always:  a literal segment is tried before a {name}, this before a {name...}; what leads nowhere is left again. */
#ifndef MAGPIE_HTTP_SERVER_ROUTER_H
#define MAGPIE_HTTP_SERVER_ROUTER_H

#include <magpie/http_handler.h>

enum {
	HTTP_PARAMS_MAX = 8,     /* in one route */
	HTTP_SEGMENTS_MAX = 64,  /* of a route */
	HTTP_ANY_METHOD = 63     /* no llhttp_method_t */
};

struct http_route {
	struct http_route *next; /* of those that end at the same node */
	mag_http_handler handler;
	void *user;
	uint64_t body_max, request_ns;
	uint8_t method; /* llhttp_method_t, or HTTP_ANY_METHOD */
	uint8_t params;
	char *names[HTTP_PARAMS_MAX];
};

struct http_node {
	struct http_node *next; /* the parent's other literals */
	struct http_node *literals, *one, *rest;
	struct http_route *routes;
	uint32_t length;
	char text[]; /* a literal's */
};

/* Where in the path a {name} lies. */
struct http_span {
	uint32_t at, length;
};

struct http_match {
	const struct http_route *route; /* NULL: none */
	uint64_t allowed;               /* methods that the path has routes for, when there is none: bits */
	struct http_span params[HTTP_PARAMS_MAX];
};

struct http_router {
	struct http_node *root;
};

/* Returns: 0 and *route, which is to be filled in; -EEXIST, -EINVAL, -ENOMEM */
int magi_http_router_add(struct http_router *r, uint8_t method, const char *path, struct http_route **route);
void magi_http_router_fini(struct http_router *r);

/* path begins with a slash. HEAD takes a GET's route, if it has none of its own. */
void magi_http_router_match(const struct http_router *r, uint8_t method, const char *path, size_t length,
			    struct http_match *match);

#endif
