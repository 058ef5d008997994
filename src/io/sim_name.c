/* SPDX-License-Identifier: MIT */
/* sim_name.c - names in the simulated network: each has one address, which its letters say.
 *
 * Numbers are themselves, "localhost" is loopback, any other name is a host in 10/8. No file is read, nobody is asked.
 *
 * Who:     the simulation's thread. */
#include <arpa/inet.h>
#include <magpie/error.h>
#include <stdlib.h>
#include <string.h>

#include "io/sim_world.h"

struct answer {
	struct addrinfo info;
	struct sockaddr_storage addr;
};

static int port_of(const char *service)
{
	static const struct {
		const char *name;
		int port;
	} known[] = { { "http", 80 }, { "https", 443 }, { "domain", 53 }, { "ssh", 22 } };
	char *end;
	unsigned long port;

	if (!service || !*service)
		return 0;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (!strcmp(service, known[i].name))
			return known[i].port;
	}
	port = strtoul(service, &end, 10);
	return *end || port > UINT16_MAX ? -1 : (int)port;
}

static void add(struct addrinfo **list, const struct addrinfo *hints, int family, const void *host, int port)
{
	struct answer *a = magi_world_new(sizeof(*a));
	struct sockaddr_in *in = (struct sockaddr_in *)(void *)&a->addr;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)(void *)&a->addr;

	a->addr.ss_family = (sa_family_t)family;
	if (family == AF_INET) {
		memcpy(&in->sin_addr, host, sizeof(in->sin_addr));
		in->sin_port = htons((uint16_t)port);
	} else {
		memcpy(&in6->sin6_addr, host, sizeof(in6->sin6_addr));
		in6->sin6_port = htons((uint16_t)port);
	}
	a->info.ai_family = family;
	a->info.ai_socktype = hints->ai_socktype;
	a->info.ai_protocol = hints->ai_protocol;
	a->info.ai_addr = (struct sockaddr *)&a->addr;
	a->info.ai_addrlen = family == AF_INET ? sizeof(*in) : sizeof(*in6);
	while (*list)
		list = &(*list)->ai_next;
	*list = &a->info;
}

/* 10.x.y.z, by FNV-1a. */
static uint32_t host_of(const char *name)
{
	uint32_t hash = 2166136261u;

	for (; *name; name++)
		hash = (hash ^ (uint8_t)*name) * 16777619u;
	return htonl(0x0a000000u | (hash & 0xffffffu));
}

int magi_world_getaddrinfo(struct magi_world *world, const char *name, const char *service,
			   const struct addrinfo *hints, struct addrinfo **list)
{
	static const struct addrinfo any = { .ai_family = AF_UNSPEC };
	int port = port_of(service), family;
	struct in6_addr six = in6addr_loopback;
	uint32_t four = htonl(INADDR_LOOPBACK);

	(void)world;
	hints = hints ? hints : &any;
	family = hints->ai_family;
	*list = NULL;
	if (port < 0)
		return MAG_ERESOLVE;
	if (inet_pton(AF_INET, name, &four) == 1) {
		if (family != AF_INET6)
			add(list, hints, AF_INET, &four, port);
	} else if (inet_pton(AF_INET6, name, &six) == 1) {
		if (family != AF_INET)
			add(list, hints, AF_INET6, &six, port);
	} else if (magi_chance(MAGI_CHANCE_NAME)) {
		magi_note(MAGI_NOTE_NET, SIM_NET_NAME, 0, 0);
		return MAG_ERESOLVE;
	} else if (!strcmp(name, "localhost")) {
		if (family != AF_INET)
			add(list, hints, AF_INET6, &six, port);
		if (family != AF_INET6)
			add(list, hints, AF_INET, &four, port);
	} else if (family != AF_INET6) {
		four = host_of(name);
		add(list, hints, AF_INET, &four, port);
	}
	return *list ? 0 : MAG_ERESOLVE;
}

void magi_world_freeaddrinfo(struct magi_world *world, struct addrinfo *list)
{
	(void)world;
	while (list) {
		struct answer *a = (struct answer *)(void *)list;

		list = list->ai_next;
		free(a);
	}
}
