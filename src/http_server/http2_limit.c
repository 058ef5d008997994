/* SPDX-License-Identifier: MIT */
/* http2_limit.c - how often a client may do what costs it less than us: CVE-2023-44487, -2019-9512 and their like. */
#include "http2.h"

bool magi_http2_spend(struct http2_budget *b, uint32_t burst, uint32_t per_second)
{
	const uint64_t now = magi_http_clock(), each = MAG_SECOND / per_second;
	const uint64_t back = (now - b->since) / each;

	b->used = back < b->used ? b->used - (uint32_t)back : 0;
	b->since = b->used ? b->since + back * each : now;
	b->used++;
	return b->used <= burst;
}
