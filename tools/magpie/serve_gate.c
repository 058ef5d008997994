/* SPDX-License-Identifier: MIT */
/* serve_gate.c - how many connections there may be. A hash of chains over an array of places; the ticket is the place. */
#include "serve_gate.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

struct serve_place {
	uint64_t key[2];
	uint32_t count; /* 0: free */
	uint32_t next;  /* index + 1 */
};

int serve_gate_init(struct serve_gate *g, uint32_t max, uint32_t each)
{
	uint32_t size = 16;

	memset(g, 0, sizeof *g);
	if (!max || !each)
		return -EINVAL;
	while (size < max && size < UINT32_C(1) << 30)
		size *= 2;
	g->max = max;
	g->each = each;
	g->mask = size - 1;
	g->chains = calloc(size, sizeof *g->chains);
	g->places = calloc(max, sizeof *g->places); /* untouched pages cost nothing */
	if (!g->chains || !g->places || pthread_mutex_init(&g->lock, NULL)) {
		free(g->chains);
		free(g->places);
		return -ENOMEM;
	}
	return 0;
}

void serve_gate_fini(struct serve_gate *g)
{
	pthread_mutex_destroy(&g->lock);
	free(g->chains);
	free(g->places);
}

static void key_of(const mag_addr *peer, uint64_t key[2])
{
	key[0] = peer->len ? peer->storage.ss_family : AF_UNIX;
	key[1] = 0;
	if (key[0] == AF_INET) {
		const struct sockaddr_in *in = (const struct sockaddr_in *)(const void *)&peer->storage;

		key[1] = in->sin_addr.s_addr;
	} else if (key[0] == AF_INET6) {
		const struct sockaddr_in6 *in = (const struct sockaddr_in6 *)(const void *)&peer->storage;
		const unsigned char *bytes = in->sin6_addr.s6_addr;

		/* an IPv4 client of a socket that takes both is the same client */
		memcpy(&key[1], bytes, 8);
		if (IN6_IS_ADDR_V4MAPPED(&in->sin6_addr)) {
			uint32_t four;

			memcpy(&four, bytes + 12, 4);
			key[0] = AF_INET;
			key[1] = four;
		}
	}
}

static uint32_t *chain_of(struct serve_gate *g, const uint64_t key[2])
{
	uint64_t h = (key[1] ^ key[0] << 32) * 0x9e3779b97f4a7c15u;

	return &g->chains[(h >> 32) & g->mask];
}

/* Finds the address, or makes a place for it; there is one, since no address is without a connection. */
static uint32_t place_of(struct serve_gate *g, const uint64_t key[2])
{
	uint32_t *chain = chain_of(g, key), i;

	for (i = *chain; i; i = g->places[i - 1].next)
		if (!memcmp(g->places[i - 1].key, key, sizeof g->places->key))
			return i - 1;
	if (g->unused) {
		i = g->unused - 1;
		g->unused = g->places[i].next;
	} else {
		i = g->fresh++;
	}
	g->places[i] = (struct serve_place){ .key = { key[0], key[1] }, .next = *chain };
	*chain = i + 1;
	return i;
}

static void free_place(struct serve_gate *g, uint32_t i)
{
	uint32_t *at = chain_of(g, g->places[i].key);

	while (*at != i + 1)
		at = &g->places[*at - 1].next;
	*at = g->places[i].next;
	g->places[i].next = g->unused;
	g->unused = i + 1;
}

int64_t serve_gate_enter(struct serve_gate *g, const mag_addr *peer)
{
	uint64_t key[2];
	int64_t ticket = -EBUSY;

	key_of(peer, key);
	pthread_mutex_lock(&g->lock);
	if (g->now < g->max) {
		ticket = place_of(g, key);
		if (g->places[ticket].count == g->each) {
			ticket = -EDQUOT;
		} else {
			g->places[ticket].count++;
			g->now++;
		}
	}
	pthread_mutex_unlock(&g->lock);
	return ticket;
}

void serve_gate_leave(struct serve_gate *g, uint32_t ticket)
{
	pthread_mutex_lock(&g->lock);
	g->now--;
	if (--g->places[ticket].count == 0)
		free_place(g, ticket);
	pthread_mutex_unlock(&g->lock);
}
