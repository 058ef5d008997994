/* SPDX-License-Identifier: MIT */
/* bench_matmul.c - C += A B by quarters, down to tiles of 32: the first four of eight products are forked and joined,
 * then the other four, which add to the same quarters. The benchmark of coros, libfork and citor: 32-bit integers,
 * tiles as a plain triple loop. They are built for the machine they run on; here AVX2 is chosen at run time. */
#include "cases.h"
#include "tasks.h"

#include <errno.h>
#include <stdlib.h>

#define TILE 32
#define SIZE_MAX_N 2048

typedef void tile_fn(const int32_t *a, const int32_t *b, int32_t *c, int stride);

static inline __attribute__((always_inline)) void tile(const int32_t *restrict a, const int32_t *restrict b,
						       int32_t *restrict c, int stride)
{
	for (int i = 0; i < TILE; i++)
		for (int k = 0; k < TILE; k++)
			for (int j = 0; j < TILE; j++)
				c[i * stride + j] += a[i * stride + k] * b[k * stride + j];
}

static void tile_plain(const int32_t *a, const int32_t *b, int32_t *c, int stride)
{
	tile(a, b, c, stride);
}

#if defined(__x86_64__)
__attribute__((target("avx2"))) static void tile_avx2(const int32_t *a, const int32_t *b, int32_t *c, int stride)
{
	tile(a, b, c, stride);
}

/* Not target_clones: its resolver runs before a sanitizer is ready. */
static tile_fn *best_tile(void)
{
	return __builtin_cpu_supports("avx2") ? tile_avx2 : tile_plain;
}
#else
static tile_fn *best_tile(void)
{
	return tile_plain;
}
#endif

struct matmul {
	mag_frame frame;
	MAG_ARGS(matmul, const int32_t *a; const int32_t *b; int32_t *c; int n; int stride; tile_fn *tile;);
	int64_t rc;
};

/* Quarters: row r, column c of a matrix that is 2 half x 2 half. */
#define Q(m, r, c) (self->m + (r)*self->n * self->stride + (c)*self->n)
#define HALF(i, j, k) \
	.a = Q(a, i, k), .b = Q(b, k, j), .c = Q(c, i, j), .n = self->n, .stride = self->stride, .tile = self->tile

static MAG_TASK(matmul)
{
	MAG_BEGIN(matmul);
	if (self->n == TILE) {
		self->tile(self->a, self->b, self->c, self->stride);
		MAG_RETURN(0);
	}
	self->n /= 2;
	MAG_FORK(matmul, HALF(0, 0, 0));
	MAG_FORK(matmul, HALF(0, 1, 0));
	MAG_FORK(matmul, HALF(1, 0, 0));
	MAG_CALL(self->rc, matmul, HALF(1, 1, 0));
	if (self->rc < 0)
		MAG_RETURN(self->rc);
	MAG_JOIN(self->rc);
	if (self->rc < 0)
		MAG_RETURN(self->rc);
	MAG_FORK(matmul, HALF(0, 0, 1));
	MAG_FORK(matmul, HALF(0, 1, 1));
	MAG_FORK(matmul, HALF(1, 0, 1));
	MAG_CALL(self->rc, matmul, HALF(1, 1, 1));
	if (self->rc < 0)
		MAG_RETURN(self->rc);
	MAG_JOIN(self->rc);
	MAG_RETURN(self->rc);
	MAG_END;
}

struct matmul_timed {
	mag_frame frame;
	MAG_ARGS(matmul_timed, const int32_t *a; const int32_t *b; int32_t *c; int n; uint64_t *ns;);
	uint64_t start;
	int64_t rc;
};

static MAG_TASK(matmul_timed)
{
	MAG_BEGIN(matmul_timed);
	self->start = bench_now_ns();
	MAG_CALL(self->rc, matmul, .a = self->a, .b = self->b, .c = self->c, .n = self->n, .stride = self->n,
		 .tile = best_tile());
	*self->ns = bench_now_ns() - self->start;
	MAG_RETURN(self->rc);
	MAG_END;
}

static uint64_t next_random(uint64_t *x)
{
	*x ^= *x << 13; /* xorshift64 */
	*x ^= *x >> 7;
	*x ^= *x << 17;
	return *x;
}

static void multiply_by_vector(const int32_t *m, const uint64_t *x, uint64_t *y, int n)
{
	for (int i = 0; i < n; i++) {
		y[i] = 0;
		for (int j = 0; j < n; j++)
			y[i] += (uint64_t)m[i * n + j] * x[j];
	}
}

/* Compares C x with A (B x) for a random x, modulo 2^64: a wrong element is missed about once in 2^60 (Freivalds). */
static bool is_product(const int32_t *a, const int32_t *b, const int32_t *c, int n, uint64_t *seed)
{
	static uint64_t x[SIZE_MAX_N], bx[SIZE_MAX_N], abx[SIZE_MAX_N], cx[SIZE_MAX_N];

	for (int i = 0; i < n; i++)
		x[i] = next_random(seed);
	multiply_by_vector(b, x, bx, n);
	multiply_by_vector(a, bx, abx, n);
	multiply_by_vector(c, x, cx, n);
	for (int i = 0; i < n; i++)
		if (cx[i] != abx[i])
			return false;
	return true;
}

int bench_matmul(struct bench_run *r)
{
	int n = r->quick ? SIZE_MAX_N / 8 : SIZE_MAX_N, rc;
	size_t count = (size_t)n * (size_t)n;
	int32_t *a = aligned_alloc(64, 3 * count * sizeof *a), *b = a + count, *c = b + count;
	uint64_t ns = 0, seed = 88172645463325252u;

	if (!a)
		return bench_fail(r, -ENOMEM, "no memory for the matrices");
	for (size_t i = 0; i < 2 * count; i++)
		a[i] = (int32_t)(next_random(&seed) % 1000) - 500; /* no sum of products overflows */
	for (size_t i = 0; i < count; i++)
		c[i] = 0;
	rc = BENCH_TASKS(r, matmul_timed, .a = a, .b = b, .c = c, .n = n, .ns = &ns);
	if (!rc && !is_product(a, b, c, n, &seed))
		rc = bench_fail(r, -EBADMSG, "the product is wrong");
	r->value = (double)ns / 1e9;
	free(a);
	return rc;
}
