/* SPDX-License-Identifier: MIT */
/* table.c - every bench, in the order of a full run. Each has a row "baseline", measured in the same run, so that
 * figures compare across machines. */
#include "cases.h"
#include "http_peer.h"

#include <string.h>

/* A build may lack some: their rows say so. */
#define OPTIONAL(fn) extern bench_run_fn fn __attribute__((weak))
OPTIONAL(baseline_offload);
OPTIONAL(baseline_curl);
OPTIONAL(baseline_websocket);
OPTIONAL(baseline_aiohttp);
OPTIONAL(bench_fork);
OPTIONAL(bench_skynet);
OPTIONAL(bench_nqueens);
OPTIONAL(bench_matmul);
OPTIONAL(bench_spawn);
OPTIONAL(bench_gather);
OPTIONAL(bench_pingpong);
OPTIONAL(bench_queue);
OPTIONAL(bench_mutex);
OPTIONAL(bench_rwlock);
OPTIONAL(bench_semaphore);
OPTIONAL(bench_broadcast);
OPTIONAL(bench_watch);
OPTIONAL(bench_limiter);
OPTIONAL(bench_pool);
OPTIONAL(bench_resilience);
OPTIONAL(bench_timers);
OPTIONAL(bench_sleepers);
OPTIONAL(bench_offload);
OPTIONAL(bench_echo);
OPTIONAL(bench_latency);
OPTIONAL(bench_serve);
OPTIONAL(bench_serve_site);
OPTIONAL(bench_files);
OPTIONAL(bench_chain);
OPTIONAL(bench_stream);
OPTIONAL(bench_cancel);
OPTIONAL(bench_http_client);
OPTIONAL(bench_websocket);

#define CASE(n, t, fn, ...)                                     \
	{                                                       \
		.name = n, .threads = t, .run = fn, __VA_ARGS__ \
	}
#define PARAM(a, b) .param = a, .param2 = b
#define AGAINST(n) .baseline = "baseline " n
#define FIB CASE("baseline", 1, baseline_fib, .unit = "ns/call")
#define ADD CASE("baseline", 1, baseline_add, .unit = "ns/add")
#define EACH(fn) CASE(NULL, BENCH_EACH, fn, .both_links = false)
#define EACH_LINK(fn) CASE(NULL, BENCH_EACH, fn, .both_links = true)

static const struct bench_case fork_cases[] = { EACH_LINK(bench_fork), FIB };
static const struct bench_case skynet_cases[] = { EACH_LINK(bench_skynet), FIB };
static const struct bench_case nqueens_cases[] = { EACH_LINK(bench_nqueens), FIB };
static const struct bench_case matmul_cases[] = { EACH_LINK(bench_matmul), FIB };
static const struct bench_case spawn_cases[] = { EACH_LINK(bench_spawn), ADD };
static const struct bench_case gather_cases[] = { EACH_LINK(bench_gather), ADD };
static const struct bench_case pingpong_cases[] = { EACH_LINK(bench_pingpong), ADD };
static const struct bench_case queue_cases[] = { EACH_LINK(bench_queue), ADD };
static const struct bench_case mutex_cases[] = { EACH_LINK(bench_mutex), ADD };
static const struct bench_case rwlock_cases[] = {
	CASE("reads", BENCH_EACH, bench_rwlock, PARAM(0, 0)),
	CASE("1 of 10 writes", BENCH_EACH, bench_rwlock, PARAM(10, 0)),
	CASE("writes", BENCH_EACH, bench_rwlock, PARAM(1, 0)),
	ADD,
};
static const struct bench_case semaphore_cases[] = {
	CASE("1 permit", BENCH_EACH, bench_semaphore, PARAM(1, 0), .both_links = true),
	CASE("1 permit, barging", BENCH_EACH, bench_semaphore, PARAM(1, 1)),
	CASE("4 permits", BENCH_EACH, bench_semaphore, PARAM(4, 0), .both_links = true),
	ADD,
};
static const struct bench_case broadcast_cases[] = { EACH_LINK(bench_broadcast), ADD };
static const struct bench_case limiter_cases[] = {
	CASE("token", BENCH_EACH, bench_limiter, PARAM(0, 0), .both_links = true),
	CASE("token and place", BENCH_EACH, bench_limiter, PARAM(1, 0)),
	ADD,
};
static const struct bench_case pool_cases[] = {
	CASE("8 items", BENCH_EACH, bench_pool, PARAM(8, 0), .both_links = true),
	CASE("1 item", BENCH_EACH, bench_pool, PARAM(1, 0)),
	ADD,
};
static const struct bench_case resilience_cases[] = {
	CASE("a call", BENCH_EACH, bench_resilience, PARAM(BENCH_CALL, 0)),
	CASE("retry", BENCH_EACH, bench_resilience, PARAM(BENCH_RETRY, 0)),
	CASE("breaker", BENCH_EACH, bench_resilience, PARAM(BENCH_BREAKER, 0)),
	CASE("hedge", BENCH_EACH, bench_resilience, PARAM(BENCH_HEDGE, 0)),
};
static const struct bench_case watch_cases[] = { EACH_LINK(bench_watch), ADD };
static const struct bench_case timers_cases[] = { EACH(bench_timers), ADD };
static const struct bench_case sleepers_cases[] = {
	EACH(bench_sleepers),
	CASE("no arguments", BENCH_EACH, bench_sleepers, PARAM(1, 0)),
	ADD,
};
static const struct bench_case offload_cases[] = {
	CASE("1 outstanding", 1, bench_offload, PARAM(1, 0)),
	CASE("1 outstanding, cold", 1, bench_offload, PARAM(1, 1)),
	CASE("1000 outstanding", 1, bench_offload, PARAM(1000, 0), AGAINST("1000 outstanding")),
	CASE("1000 outstanding, cold", 1, bench_offload, PARAM(1000, 1), AGAINST("1000 outstanding")),
	CASE("baseline", 1, baseline_offload, PARAM(1, 0), .needs = "libuv"),
	CASE("baseline 1000 outstanding", 1, baseline_offload, PARAM(1000, 0), .needs = "libuv"),
};
static const struct bench_case echo_cases[] = {
	CASE("64 connections", 1, bench_echo, PARAM(64, 0)),
	CASE("1000 connections", 1, bench_echo, PARAM(1000, 0), AGAINST("1000 connections")),
	CASE("epoll, 64 connections", 1, bench_echo, PARAM(64, 1), AGAINST("epoll, 64 connections")),
	CASE("epoll, 1000 connections", 1, bench_echo, PARAM(1000, 1), AGAINST("epoll, 1000 connections")),
	CASE("baseline", 1, baseline_echo, PARAM(64, 0)),
	CASE("baseline 1000 connections", 1, baseline_echo, PARAM(1000, 0)),
	CASE("baseline epoll, 64 connections", 1, baseline_epoll, PARAM(64, 0)),
	CASE("baseline epoll, 1000 connections", 1, baseline_epoll, PARAM(1000, 0)),
};
static const struct bench_case latency_cases[] = {
	CASE("1 connection", BENCH_EACH, bench_latency, PARAM(0, 0)),
	CASE("client spins", BENCH_EACH, bench_latency, PARAM(1, 0), AGAINST("client spins")),
	CASE("baseline", 1, baseline_latency, PARAM(0, 0)),
	CASE("baseline client spins", 1, baseline_latency, PARAM(1, 0)),
};
static const struct bench_case serve_cases[] = {
	CASE("64 connections", 1, bench_serve, PARAM(64, 0)),
	CASE("1000 connections", 1, bench_serve, PARAM(1000, 0), AGAINST("1000 connections")),
	CASE("pipelined by 16", 1, bench_serve, PARAM(64, 16), AGAINST("pipelined by 16"), .unit = "requests/s"),
	CASE("baseline", 1, baseline_hello, PARAM(64, 0)),
	CASE("baseline 1000 connections", 1, baseline_hello, PARAM(1000, 0)),
	CASE("baseline pipelined by 16", 1, baseline_hello, PARAM(64, 16), .unit = "requests/s"),
};
static const struct bench_case serve_file_cases[] = {
	CASE("64 connections", 1, bench_serve_site, PARAM(64, BENCH_FILE), AGAINST("nginx")),
	CASE("baseline nginx", 1, baseline_nginx, PARAM(64, BENCH_FILE)),
};
static const struct bench_case serve_tls_cases[] = {
	CASE("64 connections", 1, bench_serve_site, PARAM(64, BENCH_TLS), AGAINST("nginx")),
	CASE("baseline nginx", 1, baseline_nginx, PARAM(64, BENCH_TLS)),
};
static const struct bench_case files_cases[] = {
	CASE("O_DIRECT depth 128", 1, bench_files, PARAM(128, 1)),
	CASE("warm cache depth 32", 1, bench_files, PARAM(32, 0), AGAINST("warm cache")),
	CASE("baseline", 1, baseline_files, PARAM(128, 1)),
	CASE("baseline warm cache", 1, baseline_files, PARAM(32, 0)),
};
static const struct bench_case chain_cases[] = { CASE("1T", 1, bench_chain, PARAM(0, 0)), ADD };
static const struct bench_case stream_cases[] = {
	CASE("map and filter", BENCH_EACH, bench_stream, PARAM(0, 0), .both_links = true),
	CASE("over a generator", BENCH_EACH, bench_stream, PARAM(1, 0), .both_links = true),
	CASE("buffered(64), in order", BENCH_EACH, bench_stream, PARAM(2, 0), .unit = "ns-cpu/item"),
	CASE("buffered(64), as completed", BENCH_EACH, bench_stream, PARAM(3, 0), .unit = "ns-cpu/item"),
	ADD,
};
static const struct bench_case http_client_cases[] = {
	CASE("64 at once", 1, bench_http_client, PARAM(0, 0), .needs = "libcurl"),
	CASE("epoll, 64 at once", 1, bench_http_client, PARAM(1, 0), .needs = "libcurl"),
	CASE("nginx", 1, bench_http_client, PARAM(0, HTTP_PEER_NGINX), AGAINST("nginx"), .needs = "libcurl"),
	CASE("a second", 1, bench_http_client, PARAM(0, HTTP_PEER_RATE), AGAINST("aiohttp"), .unit = "requests/s",
	     .needs = "libcurl"),
	CASE("baseline", 1, baseline_curl, .needs = "libcurl"),
	CASE("baseline nginx", 1, baseline_curl, PARAM(0, HTTP_PEER_NGINX), .needs = "libcurl"),
	CASE("baseline aiohttp", 1, baseline_aiohttp, .unit = "requests/s", .needs = "libcurl"),
};
static const struct bench_case websocket_cases[] = {
	CASE("1000 connections", 1, bench_websocket, PARAM(1000, 0), .needs = "wslay"),
	CASE("python3-websockets", 1, python_websocket, PARAM(1000, 0)),
	CASE("baseline", 1, baseline_websocket, PARAM(1000, 0), .needs = "libuv and wslay"),
	CASE("rate", 1, bench_websocket, PARAM(1000, 1), AGAINST("rate"), .unit = "messages/s", .needs = "wslay"),
	CASE("python3-websockets rate", 1, python_websocket, PARAM(1000, 1), AGAINST("rate"), .unit = "messages/s"),
	CASE("baseline rate", 1, baseline_websocket, PARAM(1000, 1), .unit = "messages/s", .needs = "libuv and wslay"),
};
static const struct bench_case cancel_cases[] = { EACH(bench_cancel), ADD };

#define BENCH_NAMED(id, u, prepare, text, called)                                \
	{                                                                       \
		.name = called, .unit = u, .what = text, .cases = id##_cases,   \
		.n = sizeof id##_cases / sizeof id##_cases[0], .setup = prepare \
	}
#define BENCH(id, u, prepare, text) BENCH_NAMED(id, u, prepare, text, #id)

static const struct bench table[] = {
	BENCH(fork, "ns/call", NULL, "fib(39), every call forked or called"),
	BENCH(skynet, "ns/task", NULL, "a tree of 10 children a node, 10^8 leaves, summed"),
	BENCH(nqueens, "s", NULL, "all solutions for 14 queens"),
	BENCH(matmul, "s", NULL, "product of two 2048 x 2048 matrices of 32-bit integers"),
	BENCH(spawn, "ns/task", NULL, "1,000,000 empty tasks into a group, joined"),
	BENCH(gather, "us", NULL, "1000 ready tasks, gathered, with their results in order"),
	BENCH(pingpong, "ns/roundtrip", NULL, "two tasks, queues of capacity 1"),
	BENCH(queue, "ns/item", NULL, "4 producers, 4 consumers, capacity 1024, 10 M items"),
	BENCH(mutex, "ns/op", NULL, "8 tasks lock and unlock 1 M times each"),
	BENCH(rwlock, "ns/op", NULL, "8 tasks lock and unlock for reading or writing, 1 M times each"),
	BENCH(resilience, "ns/call", NULL, "8 tasks make 200 k calls each that succeed at once"),
	BENCH(semaphore, "ns/op", NULL, "8 tasks acquire and release 1 M times each"),
	BENCH(broadcast, "ns/item", NULL, "1 sender, 4 receivers, capacity 1024, each element that a receiver had"),
	BENCH(limiter, "ns/op", NULL, "8 tasks take a token of a rate limiter 1 M times each"),
	BENCH(pool, "ns/op", NULL, "8 tasks borrow an item of a pool and give it back 1 M times each"),
	BENCH(watch, "ns/value", NULL, "1 sender, 4 receivers that wait, each value that a receiver saw"),
	BENCH(timers, "cpu-s", NULL, "1 M sleeps with deadlines spread over 1 s"),
	BENCH(sleepers, "bytes/task", NULL, "resident memory of 1 M tasks asleep at once"),
	BENCH(offload, "ns/op", NULL, "an empty job to the blocking lane and back"),
	BENCH(echo, "us-cpu/msg", NULL, "64-byte TCP echo on loopback, saturated"),
	BENCH(latency, "us", NULL, "echo round trip of one busy connection, median"),
	BENCH(serve, "us-cpu/request", NULL, "HTTP hello of 13 bytes on loopback, saturated"),
	BENCH_NAMED(serve_file, "us-cpu/request", NULL, "a file of 64 KiB over kept connections on loopback", "serve-file"),
	BENCH_NAMED(serve_tls, "us-cpu/request", NULL, "HTTP hello over TLS 1.3, kept connections on loopback", "serve-tls"),
	BENCH_NAMED(http_client, "us-cpu/request", NULL, "20,000 GETs over kept connections on loopback; nginx; aiohttp", "http-client"),
	BENCH(websocket, "us-cpu/msg", NULL, "64-byte text messages echoed on 1000 WebSockets; baseline: libuv and wslay"),
	BENCH(files, "us-cpu/read", bench_datafile, "4 KiB random reads of a 256 MiB file"),
	BENCH(chain, "ns/link", NULL, "10^7 ready continuations on a 64 KiB stack"),
	BENCH(stream, "ns/item-stage", NULL, "10 M items through two maps and two filters; 200,000 naps of 100 us"),
	BENCH(cancel, "ns/op", NULL, "10^6 operations started and cancelled, nothing left over"),
};

const struct bench *bench_table(int *n)
{
	*n = (int)(sizeof table / sizeof table[0]);
	return table;
}

const struct bench *bench_find(const char *name)
{
	for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
		if (!strcmp(table[i].name, name))
			return &table[i];
	return NULL;
}

bool bench_is_baseline(const struct bench_case *c)
{
	return c->name && !strncmp(c->name, "baseline", 8);
}
