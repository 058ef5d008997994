/* SPDX-License-Identifier: MIT */
/* test_http_router.c - which route a path takes, and what its {name}s are. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../src/http_server/http_param.c"
#define next next_route
#include "../../src/http_server/http_router.c"
#undef next

enum { ROUTES = 16 };

/* Adds "GET /a" and so on; each route's user is its text. */
static void add_all(struct http_router *r, const char *const *routes)
{
	memset(r, 0, sizeof *r);
	for (; *routes; routes++) {
		struct http_route *route;
		uint8_t method = strncmp(*routes, "GET", 3) == 0    ? HTTP_GET
				 : strncmp(*routes, "PUT", 3) == 0  ? HTTP_PUT
				 : strncmp(*routes, "HEAD", 4) == 0 ? HTTP_HEAD
								    : HTTP_ANY_METHOD;

		cr_assert_eq(magi_http_router_add(r, method, strchr(*routes, '/'), &route), 0, "%s", *routes);
		route->user = (void *)(uintptr_t)*routes;
	}
}

/* "GET /a/{x} 5=b" */
static const char *told(const struct http_router *r, uint8_t method, const char *path)
{
	static char text[200];
	struct http_match m;
	int n;

	magi_http_router_match(r, method, path, strlen(path), &m);
	if (!m.route)
		return m.allowed ? "other method" : "none";
	n = snprintf(text, sizeof text, "%s", (const char *)m.route->user);
	for (int i = 0; i < m.route->params; i++)
		n += snprintf(text + n, sizeof text - (size_t)n, " %s=%.*s", m.route->names[i], (int)m.params[i].length,
			      path + m.params[i].at);
	return text;
}

/* Tried: a literal that is not left again when it leads nowhere; a {name} that takes nothing. */
Test(http_router, the_nearest_route_is_taken, .timeout = 10)
{
	static const char *const routes[] = { "GET /",          "GET /a",      "GET /a/",     "GET /a/{x}",
					      "GET /a/{x}/c",   "GET /a/b/d",  "PUT /a/{y}",  "GET /f/{rest...}",
					      "GET /f/one",     "ANY /any",    "PUT /any",    "HEAD /head",
					      "GET /head",      "GET /{p}/{q}/z/{r}", NULL };
	static const struct {
		uint8_t method;
		const char *path, *route;
	} cases[] = {
		{ HTTP_GET, "/", "GET /" },
		{ HTTP_GET, "/a", "GET /a" },
		{ HTTP_GET, "/a/", "GET /a/" },
		{ HTTP_GET, "/%61", "GET /a" },
		{ HTTP_GET, "/A", "none" },
		{ HTTP_GET, "/a%2f", "none" },
		{ HTTP_GET, "/a/b", "GET /a/{x} x=b" },
		{ HTTP_PUT, "/a/b", "PUT /a/{y} y=b" },
		{ HTTP_POST, "/a/b", "other method" },
		{ HTTP_GET, "/a/b/c", "GET /a/{x}/c x=b" },
		{ HTTP_GET, "/a/b/d", "GET /a/b/d" },
		{ HTTP_GET, "/a/c/d", "none" },
		{ HTTP_GET, "/a//c", "none" },
		{ HTTP_GET, "/f/", "GET /f/{rest...} rest=" },
		{ HTTP_GET, "/f", "none" },
		{ HTTP_GET, "/f/one", "GET /f/one" },
		{ HTTP_GET, "/f/one/two", "GET /f/{rest...} rest=one/two" },
		{ HTTP_POST, "/any", "ANY /any" },
		{ HTTP_HEAD, "/a", "GET /a" },
		{ HTTP_HEAD, "/head", "HEAD /head" },
		{ HTTP_GET, "/a/b/z/e", "GET /{p}/{q}/z/{r} p=a q=b r=e" },
		{ HTTP_GET, "/a/b/z/", "none" },
	};
	struct http_router r;

	add_all(&r, routes);
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
		cr_assert_str_eq(told(&r, cases[i].method, cases[i].path), cases[i].route, "%s: %s", cases[i].path,
				 told(&r, cases[i].method, cases[i].path));
	magi_http_router_fini(&r);
	cr_assert_str_eq(told(&r, HTTP_GET, "/"), "none");
}

Test(http_router, what_is_no_form_is_refused, .timeout = 10)
{
	static const char *const forms[] = { "",          "a",          "/{}",       "/{a",       "/a}",         "/x{a}",
					     "/{a...}/b", "/{...}",     "/{a{b}}",   "/{a}/{b}/{c}/{d}/{e}/{f}/{g}/{h}/{i}" };
	static const char *const twice[] = { "GET /a/{b}", NULL };
	struct http_router r;
	struct http_route *route;
	char deep[400] = "";

	add_all(&r, twice);
	for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++)
		cr_assert_eq(magi_http_router_add(&r, HTTP_GET, forms[i], &route), -EINVAL, "%s", forms[i]);
	cr_assert_eq(magi_http_router_add(&r, HTTP_GET, "/a/{c}", &route), -EEXIST);
	cr_assert_eq(magi_http_router_add(&r, HTTP_PUT, "/a/{c}", &route), 0);
	for (int i = 0; i < HTTP_SEGMENTS_MAX; i++)
		strcat(deep, "/a");
	cr_assert_eq(magi_http_router_add(&r, HTTP_GET, deep, &route), 0);
	cr_assert_eq(magi_http_router_add(&r, HTTP_GET, strcat(deep, "/a"), &route), -EINVAL);
	magi_http_router_fini(&r);
}

static const char *decoded(const char *s, bool query)
{
	static char out[6];
	int64_t n = magi_http_decode(s, strlen(s), query, out, sizeof out);

	return n == -ENOBUFS ? "full" : n < 0 ? "wrong" : out;
}

Test(http_router, parameters_are_decoded, .timeout = 10)
{
	cr_assert_str_eq(decoded("a%20b", false), "a b");
	cr_assert_str_eq(decoded("a+b", false), "a+b");
	cr_assert_str_eq(decoded("a+b%2B", true), "a b+");
	cr_assert_str_eq(decoded("%2f", false), "wrong");
	cr_assert_str_eq(decoded("%2F", true), "/");
	cr_assert_str_eq(decoded("%00", true), "wrong");
	cr_assert_str_eq(decoded("%4", false), "wrong");
	cr_assert_str_eq(decoded("%", false), "wrong");
	cr_assert_str_eq(decoded("%4g", false), "wrong");
	cr_assert_str_eq(decoded("12345", false), "12345");
	cr_assert_str_eq(decoded("123456", false), "full");
	cr_assert_str_eq(decoded("", false), "");
}

static const char *value(const char *query, const char *name)
{
	static char out[40];
	size_t n = 0;
	const char *at = magi_http_query_find(query, strlen(query), name, &n);

	snprintf(out, sizeof out, "%.*s", (int)n, at ? at : "");
	return at ? out : "none";
}

Test(http_router, a_query_has_names_and_values, .timeout = 10)
{
	cr_assert_str_eq(value("a=1&b=2", "a"), "1");
	cr_assert_str_eq(value("a=1&b=2", "b"), "2");
	cr_assert_str_eq(value("a=1&b=2", "c"), "none");
	cr_assert_str_eq(value("a=1&a=2", "a"), "1");
	cr_assert_str_eq(value("ab=1&a", "a"), "");
	cr_assert_str_eq(value("a==1", "a"), "=1");
	cr_assert_str_eq(value("%61+b=x", "a b"), "x");
	cr_assert_str_eq(value("&&a=1", "a"), "1");
	cr_assert_str_eq(value("", "a"), "none");
}
