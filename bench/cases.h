/* SPDX-License-Identifier: MIT */
/* cases.h - the run functions that table.c lists, and what param and param2 mean to each. A file of the same name
 * defines each; the tool links without those that a build lacks. */
#ifndef MAGPIE_BENCH_CASES_H
#define MAGPIE_BENCH_CASES_H

#include "bench.h"

bench_run_fn baseline_fib;
bench_run_fn baseline_add;
bench_run_fn baseline_echo;    /* connections */
bench_run_fn baseline_epoll;   /* connections */
bench_run_fn baseline_latency; /* 1: the client spins */
bench_run_fn baseline_hello;   /* connections, pipeline (above 1: requests/s, else us-cpu) */
bench_run_fn baseline_files;   /* depth, 1 for O_DIRECT or 0 for the page cache; data_fd */
bench_run_fn baseline_offload; /* jobs outstanding */
bench_run_fn baseline_curl;    /* -; enum of http_peer.h */
bench_run_fn baseline_aiohttp;
bench_run_fn baseline_websocket; /* connections, 1: messages/s */
bench_run_fn python_websocket;   /* the same */
bench_run_fn baseline_nginx; /* connections, which enum bench_site_what */

bench_run_fn bench_fork;
bench_run_fn bench_skynet;
bench_run_fn bench_nqueens;
bench_run_fn bench_matmul;
bench_run_fn bench_spawn;
bench_run_fn bench_gather;
bench_run_fn bench_pingpong;
bench_run_fn bench_queue;
bench_run_fn bench_mutex;
bench_run_fn bench_rwlock;    /* every so many rounds writes; 0: none */
bench_run_fn bench_semaphore; /* permits */
bench_run_fn bench_broadcast;
bench_run_fn bench_watch;
bench_run_fn bench_semaphore; /* permits; 1: newcomers barge */
bench_run_fn bench_limiter; /* 1: a place as well */
bench_run_fn bench_pool;    /* items */
enum bench_resilience { BENCH_CALL, BENCH_RETRY, BENCH_BREAKER, BENCH_HEDGE };
bench_run_fn bench_resilience; /* which of them */
bench_run_fn bench_timers;
bench_run_fn bench_sleepers;
bench_run_fn bench_offload; /* jobs outstanding, 1 for workers that never spin */
bench_run_fn bench_echo;    /* connections; 1: on epoll */
bench_run_fn bench_latency; /* 1: the client spins */
bench_run_fn bench_serve;   /* connections, pipeline */
enum bench_site_what { BENCH_FILE, BENCH_TLS };
bench_run_fn bench_serve_site; /* connections, which of them */
bench_run_fn bench_files;   /* depth, O_DIRECT; data_fd */
bench_run_fn bench_chain;
bench_run_fn bench_stream;  /* 0 a plain chain, 1 over a generator, 2 and 3: 64 calls at once, in order or not */
bench_run_fn bench_cancel;
bench_run_fn bench_http_client; /* 1: on epoll; enum of http_peer.h */
bench_run_fn bench_websocket;   /* connections, 1: messages/s */

#endif
