/* SPDX-License-Identifier: MIT */
/* addr.c - addresses as text and back. */
#include <magpie/addr.h>

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/sys.h"
#include "net/net.h"

static struct sockaddr_in *v4(const mag_addr *addr)
{
	return (struct sockaddr_in *)(void *)(uintptr_t)&addr->storage;
}

static struct sockaddr_in6 *v6(const mag_addr *addr)
{
	return (struct sockaddr_in6 *)(void *)(uintptr_t)&addr->storage;
}

/* A decimal number of at most five digits, to the end of the text. */
static int parse_port(const char *text)
{
	int port = 0;
	size_t n = strlen(text);

	if (n < 1 || n > 5 || strspn(text, "0123456789") != n)
		return -EINVAL;
	port = atoi(text);
	return port <= UINT16_MAX ? port : -EINVAL;
}

static int parse_v6(mag_addr *addr, char *host)
{
	struct sockaddr_in6 *in = v6(addr);
	char *zone = strchr(host, '%');
	int index;

	if (zone) {
		*zone++ = 0;
		index = magi_sys_if_index(zone);
		in->sin6_scope_id = index > 0 ? (uint32_t)index : (uint32_t)strtoul(zone, NULL, 10);
		if (!in->sin6_scope_id)
			return -EINVAL;
	}
	if (inet_pton(AF_INET6, host, &in->sin6_addr) != 1)
		return -EINVAL;
	in->sin6_family = AF_INET6;
	addr->len = sizeof(*in);
	return 0;
}

static int parse_v4(mag_addr *addr, const char *host)
{
	struct sockaddr_in *in = v4(addr);

	if (inet_pton(AF_INET, host, &in->sin_addr) != 1)
		return -EINVAL;
	in->sin_family = AF_INET;
	addr->len = sizeof(*in);
	return 0;
}

/* A number as `host` is one: IPv6 without brackets too. */
int magi_addr_parse_host(mag_addr *addr, const char *host)
{
	char copy[MAG_ADDR_TEXT_MAX];
	size_t n = strlen(host);

	memset(addr, 0, sizeof(*addr));
	if (n >= sizeof(copy))
		return -EINVAL;
	memcpy(copy, host, n + 1);
	return strchr(copy, ':') ? parse_v6(addr, copy) : parse_v4(addr, copy);
}

static int parse_ip(mag_addr *addr, const char *text)
{
	char host[MAG_ADDR_TEXT_MAX];
	const char *colon = strrchr(text, ':');
	size_t n = colon ? (size_t)(colon - text) : 0;
	int port, rc;

	if (!n || n >= sizeof(host))
		return -EINVAL;
	port = parse_port(colon + 1);
	if (port < 0)
		return port;
	memcpy(host, text, n);
	host[n] = 0;
	if (host[0] == '[') {
		if (host[n - 1] != ']')
			return -EINVAL;
		host[n - 1] = 0;
		rc = parse_v6(addr, host + 1);
	} else {
		rc = strchr(host, ':') ? -EINVAL : parse_v4(addr, host);
	}
	return rc < 0 ? rc : mag_addr_set_port(addr, (uint16_t)port);
}

int mag_addr_parse(mag_addr *addr, const char *text)
{
	int rc;

	if (!addr)
		return -EINVAL;
	memset(addr, 0, sizeof(*addr));
	if (!text)
		return -EINVAL;
	rc = strncmp(text, "unix:", 5) ? parse_ip(addr, text) : mag_addr_unix(addr, text + 5);
	if (rc < 0)
		memset(addr, 0, sizeof(*addr));
	return rc;
}

static int format_v6(const mag_addr *addr, char *text, size_t size)
{
	const struct sockaddr_in6 *in = v6(addr);
	char host[INET6_ADDRSTRLEN], zone[IF_NAMESIZE + 1] = "";
	char name[IF_NAMESIZE];

	inet_ntop(AF_INET6, &in->sin6_addr, host, sizeof(host));
	if (in->sin6_scope_id) {
		if (magi_sys_if_name(in->sin6_scope_id, name) == 0)
			snprintf(zone, sizeof(zone), "%%%s", name);
		else
			snprintf(zone, sizeof(zone), "%%%u", in->sin6_scope_id);
	}
	return snprintf(text, size, "[%s%s]:%u", host, zone, ntohs(in->sin6_port));
}

int mag_addr_format(const mag_addr *addr, char *text, size_t size)
{
	char host[INET_ADDRSTRLEN];
	int n = -EINVAL;

	if (!text || !size)
		return -EINVAL;
	*text = 0;
	if (!addr || addr->len < sizeof(sa_family_t))
		return -EINVAL;
	switch (addr->storage.ss_family) {
	case AF_INET:
		inet_ntop(AF_INET, &v4(addr)->sin_addr, host, sizeof(host));
		n = snprintf(text, size, "%s:%u", host, ntohs(v4(addr)->sin_port));
		break;
	case AF_INET6:
		n = format_v6(addr, text, size);
		break;
	case AF_UNIX:
		n = magi_addr_format_unix(addr, text, size);
		break;
	}
	if (n >= 0 && (size_t)n >= size) {
		*text = 0;
		return -ENOSPC;
	}
	return n;
}

int mag_addr_port(const mag_addr *addr)
{
	if (!addr || !addr->len)
		return -EINVAL;
	switch (addr->storage.ss_family) {
	case AF_INET:
		return ntohs(v4(addr)->sin_port);
	case AF_INET6:
		return ntohs(v6(addr)->sin6_port);
	default:
		return -EINVAL;
	}
}

int mag_addr_set_port(mag_addr *addr, uint16_t port)
{
	if (!addr || !addr->len)
		return -EINVAL;
	switch (addr->storage.ss_family) {
	case AF_INET:
		v4(addr)->sin_port = htons(port);
		return 0;
	case AF_INET6:
		v6(addr)->sin6_port = htons(port);
		return 0;
	default:
		return -EINVAL;
	}
}

bool mag_addr_equal(const mag_addr *a, const mag_addr *b)
{
	if (!a || !b || a->len != b->len)
		return false;
	if (!a->len)
		return true;
	if (a->storage.ss_family != b->storage.ss_family)
		return false;
	if (a->storage.ss_family == AF_INET)
		return v4(a)->sin_port == v4(b)->sin_port && v4(a)->sin_addr.s_addr == v4(b)->sin_addr.s_addr;
	if (a->storage.ss_family == AF_INET6)
		return v6(a)->sin6_port == v6(b)->sin6_port && v6(a)->sin6_scope_id == v6(b)->sin6_scope_id &&
		       !memcmp(&v6(a)->sin6_addr, &v6(b)->sin6_addr, sizeof(struct in6_addr));
	return !memcmp(&a->storage, &b->storage, a->len);
}
