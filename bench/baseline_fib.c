/* SPDX-License-Identifier: MIT */
/* baseline_fib.c - what a plain C call costs here: the yardstick of the fork family. */
#include "cases.h"

#include <errno.h>

/* Nothing in it waits or forks. The empty asm keeps both calls real: compilers turn one of them into a loop. */
__attribute__((noinline)) static long fib(long n)
{
	long a, b;

	if (n < 2)
		return n;
	a = fib(n - 1);
	__asm__ volatile("" : "+r"(a));
	b = fib(n - 2);
	__asm__ volatile("" : "+r"(b));
	return a + b;
}

int baseline_fib(struct bench_run *r)
{
	long n = r->quick ? 30 : 39, want = r->quick ? 832040 : 63245986, next = r->quick ? 1346269 : 102334155;
	uint64_t start = bench_now_ns(), end;
	long got = fib(n);

	end = bench_now_ns();
	if (got != want)
		return bench_fail(r, -EBADMSG, "fib(%ld) came out as %ld, not %ld", n, got, want);
	r->value = (double)(end - start) / (double)(2 * next - 1); /* fib(n) makes 2 fib(n + 1) - 1 calls */
	return 0;
}
