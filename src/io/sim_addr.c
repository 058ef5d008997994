/* SPDX-License-Identifier: MIT */
/* sim_addr.c - who has which address in the simulated network.
 *
 * All IP addresses are local: 127.0.0.1 is one host, 10.1.2.3 another, and a socket may be bound to any. A socket with
 * an address is on a list; those of accepted connections are not, nobody looks for them.
 *
 * Who:     whoever has entered the world. */
#include <arpa/inet.h>
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>

#include "io/sim_world.h"

enum { PORT_FIRST = 32768, PORT_LAST = 60999, PATH_AT = offsetof(struct sockaddr_un, sun_path) };

static struct sockaddr_in *v4(const struct sim_addr *a)
{
	return (struct sockaddr_in *)(void *)(uintptr_t)&a->s;
}

static struct sockaddr_in6 *v6(const struct sim_addr *a)
{
	return (struct sockaddr_in6 *)(void *)(uintptr_t)&a->s;
}

static const char *path_of(const struct sim_addr *a)
{
	return ((const struct sockaddr_un *)(const void *)&a->s)->sun_path;
}

void magi_world_addr_set(struct sim_addr *addr, const void *bytes, socklen_t len)
{
	memset(addr, 0, sizeof(*addr));
	addr->len = len < sizeof(addr->s) ? len : (socklen_t)sizeof(addr->s);
	memcpy(&addr->s, bytes, addr->len);
}

void magi_world_addr_get(const struct sim_addr *addr, void *to, socklen_t *len)
{
	memcpy(to, &addr->s, *len < addr->len ? *len : addr->len);
	*len = addr->len;
}

bool magi_world_addr_is_ip(const struct sim_addr *addr)
{
	return addr->s.ss_family == AF_INET || addr->s.ss_family == AF_INET6;
}

static uint32_t port(const struct sim_addr *a)
{
	return ntohs(a->s.ss_family == AF_INET6 ? v6(a)->sin6_port : v4(a)->sin_port);
}

static void set_port(struct sim_addr *a, uint32_t number)
{
	if (a->s.ss_family == AF_INET6)
		v6(a)->sin6_port = htons((uint16_t)number);
	else
		v4(a)->sin_port = htons((uint16_t)number);
}

/* Of an IP address: the number of an IPv4 host, also as IPv6 writes it; false: it is another. */
static bool host_v4(const struct sim_addr *a, uint32_t *host)
{
	if (a->s.ss_family == AF_INET) {
		*host = v4(a)->sin_addr.s_addr;
		return true;
	}
	memcpy(host, &v6(a)->sin6_addr.s6_addr[12], sizeof(*host));
	return IN6_IS_ADDR_V4MAPPED(&v6(a)->sin6_addr);
}

bool magi_world_addr_same_host(const struct sim_addr *a, const struct sim_addr *b)
{
	uint32_t x, y;
	bool a4 = host_v4(a, &x), b4 = host_v4(b, &y);

	if (a4 || b4)
		return a4 && b4 && x == y;
	return !memcmp(&v6(a)->sin6_addr, &v6(b)->sin6_addr, sizeof(struct in6_addr));
}

static bool is_any(const struct sim_addr *a)
{
	uint32_t host;

	if (host_v4(a, &host))
		return host == htonl(INADDR_ANY);
	return IN6_IS_ADDR_UNSPECIFIED(&v6(a)->sin6_addr);
}

void magi_world_addr_loopback(struct sim_addr *addr, int family, uint32_t number)
{
	memset(addr, 0, sizeof(*addr));
	addr->s.ss_family = (sa_family_t)family;
	addr->len = family == AF_INET6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);
	if (family == AF_INET6)
		v6(addr)->sin6_addr = in6addr_loopback;
	else
		v4(addr)->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	set_port(addr, number);
}

void magi_world_addr_as_v6(struct sim_addr *addr)
{
	struct sockaddr_in in = *v4(addr);

	if (addr->s.ss_family != AF_INET)
		return;
	magi_world_addr_loopback(addr, AF_INET6, ntohs(in.sin_port));
	memset(&v6(addr)->sin6_addr, 0, 10);
	memset(&v6(addr)->sin6_addr.s6_addr[10], 0xff, 2);
	memcpy(&v6(addr)->sin6_addr.s6_addr[12], &in.sin_addr, 4);
}

uint32_t magi_world_addr_port(const struct sim_addr *addr)
{
	return magi_world_addr_is_ip(addr) ? port(addr) : 0;
}

/* Whether a socket with the address `has` answers at `wanted`. */
static bool answers(const struct sim_object *o, const struct sim_addr *wanted)
{
	const struct sim_addr *has = &o->local;

	if (wanted->s.ss_family == AF_UNIX)
		return has->s.ss_family == AF_UNIX && has->len == wanted->len && !memcmp(&has->s, &wanted->s, has->len);
	if (!magi_world_addr_is_ip(has) || port(has) != port(wanted))
		return false;
	if (!is_any(has))
		return magi_world_addr_same_host(has, wanted);
	if (has->s.ss_family == wanted->s.ss_family)
		return true;
	return has->s.ss_family == AF_INET6 && !o->v6_only;
}

static bool clash(const struct sim_object *a, const struct sim_object *b)
{
	if (a->type != b->type || !magi_world_addr_is_ip(&b->local) || port(&a->local) != port(&b->local))
		return false;
	if (a->family != b->family && (a->v6_only || b->v6_only))
		return false;
	if (!is_any(&a->local) && !is_any(&b->local) && !magi_world_addr_same_host(&a->local, &b->local))
		return false;
	if (a->reuse_port && b->reuse_port)
		return false;
	return !(a->reuse_addr && b->reuse_addr && b->kind != SIM_LISTENER);
}

/* o is to be bound. */
static bool is_taken(const struct sim_object *o)
{
	for (const struct sim_object *b = o->world->bound; b; b = b->bound_next) {
		if (clash(o, b))
			return true;
	}
	return false;
}

static int take_port(struct sim_object *o)
{
	struct magi_world *w = o->world;

	for (int i = PORT_FIRST; i <= PORT_LAST; i++) {
		if (w->next_port < PORT_FIRST || w->next_port > PORT_LAST)
			w->next_port = PORT_FIRST;
		set_port(&o->local, w->next_port++);
		if (!is_taken(o))
			return 0;
	}
	return -EADDRINUSE;
}

static void add(struct sim_object *o)
{
	o->bound_next = o->world->bound;
	o->world->bound = o;
}

void magi_world_unbind(struct sim_object *o)
{
	struct sim_object **link = &o->world->bound;

	while (*link && *link != o)
		link = &(*link)->bound_next;
	if (*link)
		*link = o->bound_next;
	if (o->node && o->node->owner == o)
		o->node->owner = NULL;
}

/* A Unix socket's path is a file of its own. */
static int bind_path(struct sim_object *o)
{
	struct sim_tree *tree = &o->world->tree;
	struct sim_place place;
	char path[sizeof(struct sockaddr_un) + 1] = "";
	int rc;

	memcpy(path, path_of(&o->local), o->local.len - PATH_AT);
	rc = magi_tree_walk(tree, NULL, path, false, &place);
	if (rc < 0)
		return rc;
	if (place.node)
		return -EADDRINUSE;
	o->node = magi_node_make(tree, S_IFSOCK | 0755);
	o->node->owner = o;
	magi_node_link(place.dir, place.name, place.len, o->node);
	return 0;
}

static int bind_unix(struct sim_object *o)
{
	char name[8];

	if (o->local.len == PATH_AT) {
		o->local.len += (socklen_t)snprintf(name, sizeof(name), "%c%05x", 0, ++o->world->next_name & 0xfffff);
		memcpy((char *)&o->local.s + PATH_AT, name, o->local.len - PATH_AT);
	}
	if (*path_of(&o->local))
		return bind_path(o);
	for (const struct sim_object *b = o->world->bound; b; b = b->bound_next) {
		if (answers(b, &o->local))
			return -EADDRINUSE;
	}
	return 0;
}

static int check_len(int family, socklen_t len)
{
	switch (family) {
	case AF_INET:
		return len >= sizeof(struct sockaddr_in) ? 0 : -EINVAL;
	case AF_INET6:
		return len >= sizeof(struct sockaddr_in6) ? 0 : -EINVAL;
	default:
		return len >= PATH_AT && len <= sizeof(struct sockaddr_un) ? 0 : -EINVAL;
	}
}

int magi_world_bind(struct sim_object *o, const struct sockaddr *addr, socklen_t len)
{
	int rc;

	if (check_len(o->family, len) < 0)
		return -EINVAL;
	if (addr->sa_family != o->family)
		return o->family == AF_UNIX ? -EINVAL : -EAFNOSUPPORT;
	if (o->local.len || o->alone)
		return -EINVAL;
	magi_world_addr_set(&o->local, addr, len);
	if (o->family == AF_UNIX)
		rc = bind_unix(o);
	else if (port(&o->local))
		rc = is_taken(o) ? -EADDRINUSE : 0;
	else
		rc = take_port(o);
	if (rc < 0)
		o->local.len = 0;
	else
		add(o);
	return rc;
}

/* What goes to loopback comes from there; else this host is 10.0.0.1. */
struct sim_addr magi_world_addr_source(const struct sim_addr *local, const struct sim_addr *towards)
{
	struct sim_addr from = *local;

	if (!is_any(&from) && port(&from))
		return from;
	magi_world_addr_loopback(&from, local->s.ss_family, port(local));
	if (from.s.ss_family == AF_INET && ntohl(v4(towards)->sin_addr.s_addr) >> 24 == 10)
		v4(&from)->sin_addr.s_addr = htonl(0x0a000001);
	return from;
}

int magi_world_autobind(struct sim_object *o, const struct sim_addr *towards)
{
	int rc;

	if (o->local.len || o->family == AF_UNIX)
		return 0;
	magi_world_addr_loopback(&o->local, o->family, 0);
	if (o->type == SOCK_STREAM && towards)
		o->local = magi_world_addr_source(&o->local, towards);
	else if (o->family == AF_INET)
		v4(&o->local)->sin_addr.s_addr = htonl(INADDR_ANY);
	else
		v6(&o->local)->sin6_addr = in6addr_any;
	rc = take_port(o);
	if (rc < 0)
		o->local.len = 0;
	else
		add(o);
	return rc;
}

static int find_path(struct magi_world *w, const struct sim_addr *addr, int type, struct sim_object **found)
{
	char path[sizeof(struct sockaddr_un) + 1] = "";
	struct sim_place place;
	int rc;

	memcpy(path, path_of(addr), addr->len - PATH_AT);
	rc = magi_tree_walk(&w->tree, NULL, path, false, &place);
	if (rc < 0)
		return rc;
	if (!place.node)
		return -ENOENT;
	if (!place.node->owner)
		return -ECONNREFUSED;
	if (place.node->owner->type != type)
		return -EPROTOTYPE;
	*found = place.node->owner;
	return 0;
}

int magi_world_find(struct magi_world *w, const struct sockaddr *bytes, socklen_t len, int type,
		    struct sim_object **found)
{
	struct sim_addr addr;
	uint32_t n = 0;

	*found = NULL;
	if (len < sizeof(sa_family_t) || check_len(bytes->sa_family, len) < 0)
		return -EINVAL;
	magi_world_addr_set(&addr, bytes, len);
	if (magi_world_addr_is_ip(&addr) && is_any(&addr)) /* as a destination it means this host */
		magi_world_addr_loopback(&addr, addr.s.ss_family, port(&addr));
	if (addr.s.ss_family == AF_UNIX && len == PATH_AT)
		return -EINVAL;
	if (addr.s.ss_family == AF_UNIX && *path_of(&addr))
		return find_path(w, &addr, type, found);
	/* one of those who share it */
	for (struct sim_object *o = w->bound; o; o = o->bound_next) {
		if (o->type != type || (type == SOCK_STREAM && o->kind != SIM_LISTENER) || !answers(o, &addr))
			continue;
		if (!n++ || !magi_world_random(w, n))
			*found = o;
		if (!o->reuse_port)
			break;
	}
	return *found ? 0 : -ECONNREFUSED;
}

int magi_world_addr_text(const struct sim_addr *addr, char *text, size_t size)
{
	char host[INET6_ADDRSTRLEN];

	switch (addr->len ? addr->s.ss_family : AF_UNSPEC) {
	case AF_INET:
		inet_ntop(AF_INET, &v4(addr)->sin_addr, host, sizeof(host));
		return snprintf(text, size, "%s:%u", host, port(addr));
	case AF_INET6:
		inet_ntop(AF_INET6, &v6(addr)->sin6_addr, host, sizeof(host));
		return snprintf(text, size, "[%s]:%u", host, port(addr));
	case AF_UNIX:
		if (addr->len <= PATH_AT)
			return snprintf(text, size, "unix:");
		if (!*path_of(addr))
			return snprintf(text, size, "unix:@%.*s", (int)(addr->len - PATH_AT) - 1, path_of(addr) + 1);
		return snprintf(text, size, "unix:%.*s", (int)(addr->len - PATH_AT), path_of(addr));
	default:
		return snprintf(text, size, "(none)");
	}
}
