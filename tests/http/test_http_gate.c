/* SPDX-License-Identifier: MIT */
/* test_http_gate.c - limits on connections, and that nobody can choose addresses which make the lookup slow. */
#include <arpa/inet.h>
#include <criterion/criterion.h>

#include "../../src/http_server/http_gate.c"

static mag_addr address(const char *text)
{
	mag_addr a = { .len = sizeof(struct sockaddr_in6) };
	struct sockaddr_in6 *six = (struct sockaddr_in6 *)(void *)&a.storage;
	struct sockaddr_in *four = (struct sockaddr_in *)(void *)&a.storage;

	if (inet_pton(AF_INET, text, &four->sin_addr) == 1) {
		four->sin_family = AF_INET;
	} else {
		six->sin6_family = AF_INET6;
		cr_assert_eq(inet_pton(AF_INET6, text, &six->sin6_addr), 1, "%s", text);
	}
	return a;
}

static int64_t enter(struct http_gate *g, const char *text)
{
	mag_addr a = address(text);

	return magi_http_gate_enter(g, &a);
}

Test(http_gate, so_many_in_all_and_so_many_from_one_address)
{
	struct http_gate g;
	int64_t first, second;

	cr_assert_eq(magi_http_gate_init(&g, 4, 2), 0);
	first = enter(&g, "10.0.0.1");
	second = enter(&g, "::ffff:10.0.0.1"); /* the same client */
	cr_assert(first >= 0 && second == first);
	cr_assert_eq(enter(&g, "10.0.0.1"), -EDQUOT);
	cr_assert(enter(&g, "2001:db8::1") >= 0);
	cr_assert(enter(&g, "2001:db8::2") >= 0); /* of the same network */
	cr_assert_eq(enter(&g, "10.0.0.2"), -EBUSY);
	magi_http_gate_leave(&g, (uint32_t)first);
	cr_assert_eq(enter(&g, "2001:db8:0:0:1::"), -EDQUOT);
	cr_assert(enter(&g, "10.0.0.1") >= 0);
	magi_http_gate_fini(&g);
	cr_assert_eq(magi_http_gate_init(&g, 0, 1), -EINVAL);
}

enum { MANY = 4096 };

/* The longest chain, of so many networks that one client may have: those that differ in these bits alone. */
static uint32_t longest(struct http_gate *g, int byte)
{
	uint32_t most = 0;

	for (int i = 0; i < MANY; i++) {
		mag_addr a = address("2001:db8::");
		unsigned char *ip = ((struct sockaddr_in6 *)(void *)&a.storage)->sin6_addr.s6_addr;

		ip[byte] ^= (unsigned char)(i >> 8);
		ip[byte + 1] ^= (unsigned char)i;
		cr_assert(magi_http_gate_enter(g, &a) >= 0);
	}
	for (uint32_t c = 0; c <= g->mask; c++) {
		uint32_t n = 0;

		for (uint32_t i = g->chains[c]; i; i = g->places[i - 1].next)
			n++;
		most = n > most ? n : most;
	}
	return most;
}

/* Tried: the low bits of a product, in which an address's high ones do not count: one chain had them all. */
Test(http_gate, no_bits_of_an_address_put_all_into_one_chain)
{
	for (int byte = 0; byte < 7; byte++) {
		struct http_gate g;
		uint32_t most;

		cr_assert_eq(magi_http_gate_init(&g, MANY, MANY), 0);
		most = longest(&g, byte);
		cr_assert_lt(most, 64, "byte %d: %u", byte, most);
		magi_http_gate_fini(&g);
	}
}

/* What falls into one chain at one server does not at another. */
Test(http_gate, the_order_is_a_secret)
{
	struct http_gate a, b;
	uint32_t same = 0;

	cr_assert_eq(magi_http_gate_init(&a, MANY, 1), 0);
	cr_assert_eq(magi_http_gate_init(&b, MANY, 1), 0);
	for (uint64_t i = 0; i < MANY; i++) {
		const uint64_t key[2] = { AF_INET, i * 77 };

		same += chain_of(&a, key) - a.chains == chain_of(&b, key) - b.chains;
	}
	cr_assert_lt(same, MANY / 16);
	magi_http_gate_fini(&a);
	magi_http_gate_fini(&b);
}
