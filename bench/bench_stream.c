/* SPDX-License-Identifier: MIT */
/* bench_stream.c - streams: what a stage costs an item, over a plain function and over a generator; 64 calls at once,
 * each of which sleeps, in order and as completed. On more threads each has a chain of its own, and the calls move. */
#include "cases.h"

#include <errno.h>
#include <magpie/stream_crew.h>
#include <magpie/stream_end.h>
#include <magpie/stream_source.h>
#include <magpie/stream_stage.h>
#include <magpie/time.h>

#include "tasks.h"

enum kind { PLAIN, GENERATOR, IN_ORDER, AS_COMPLETED };
enum { STAGES = 4, AT_ONCE = 64, NAP_NS = 100000, THREADS_MAX = 64 };

static int count_up(void *ctx, void *item)
{
	*(uint64_t *)item = (*(uint64_t *)ctx)++;
	return 1;
}

static int add_3(void *ctx, const void *in, void *out)
{
	(void)ctx;
	*(uint64_t *)out = *(const uint64_t *)in + 3;
	return 0;
}

/* All but every sixteenth. */
static bool most(void *ctx, const void *item)
{
	(void)ctx;
	return *(const uint64_t *)item % 16 != 0;
}

static int add_up(void *ctx, const void *item)
{
	*(uint64_t *)ctx += *(const uint64_t *)item;
	return 0;
}

struct counts {
	mag_frame frame;
	MAG_ARGS(counts, uint64_t n;);
	uint64_t i;
	int64_t rc;
};

static MAG_TASK(counts)
{
	MAG_BEGIN(counts);
	self->rc = 0;
	for (self->i = 0; self->i < self->n && self->rc == 0; self->i++)
		MAG_EMIT(self->rc, self->i);
	MAG_RETURN(0);
	MAG_END;
}

/* What the chain must come to: the numbers, and 6 for the two maps, of those that the filters let through. */
static uint64_t expected(uint64_t n)
{
	uint64_t sum = 0;

	for (uint64_t i = 0; i < n; i++)
		sum += (i + 3) % 16 && (i + 6) % 16 ? i + 6 : 0;
	return sum;
}

/* map, filter, map, filter, and the loop that asks. */
struct chain {
	mag_frame frame;
	MAG_ARGS(chain, uint64_t n; enum kind kind;);
	mag_stream_function numbers;
	mag_stream_generator generator;
	mag_stream_count take;
	mag_stream_map map[2];
	mag_stream_filter filter[2];
	uint64_t i, item, sum;
	int64_t rc;
};

static MAG_TASK(chain)
{
	MAG_BEGIN(chain);
	self->i = self->sum = 0;
	if (self->kind == GENERATOR) {
		MAG_STREAM_GENERATE(self->rc, &self->generator, sizeof(uint64_t), counts, .n = self->n);
		mag_stream_map_init(&self->map[0], &self->generator.stream, sizeof(uint64_t), add_3, NULL);
	} else {
		mag_stream_function_init(&self->numbers, sizeof(uint64_t), count_up, &self->i);
		mag_stream_take_init(&self->take, &self->numbers.stream, self->n);
		mag_stream_map_init(&self->map[0], &self->take.stream, sizeof(uint64_t), add_3, NULL);
	}
	mag_stream_filter_init(&self->filter[0], &self->map[0].stream, most, NULL);
	mag_stream_map_init(&self->map[1], &self->filter[0].stream, sizeof(uint64_t), add_3, NULL);
	mag_stream_filter_init(&self->filter[1], &self->map[1].stream, most, NULL);
	for (;;) {
		MAG_AWAIT(self->rc, mag_stream_next, &self->filter[1].stream, &self->item);
		if (self->rc <= 0)
			break;
		self->sum += self->item;
	}
	if (self->rc == 0 && self->sum != expected(self->n))
		MAG_RETURN(-EBADMSG);
	MAG_RETURN(self->rc);
	MAG_END;
}

struct nap {
	mag_frame frame;
	MAG_ARGS(nap, const uint64_t *in; uint64_t *out; void *ctx;);
	int64_t rc;
};

static MAG_TASK(nap)
{
	MAG_BEGIN(nap);
	MAG_AWAIT(self->rc, mag_sleep, NAP_NS);
	*self->out = *self->in;
	MAG_RETURN(self->rc);
	MAG_END;
}

struct calls {
	mag_frame frame;
	MAG_ARGS(calls, uint64_t n; enum kind kind;);
	mag_stream_function numbers;
	mag_stream_count take;
	mag_stream_crew crew;
	uint64_t i, sum;
	int64_t rc;
};

static MAG_TASK(calls)
{
	MAG_BEGIN(calls);
	self->i = self->sum = 0;
	mag_stream_function_init(&self->numbers, sizeof(uint64_t), count_up, &self->i);
	mag_stream_take_init(&self->take, &self->numbers.stream, self->n);
	MAG_STREAM_BUFFERED(self->rc, &self->crew, &self->take.stream, sizeof(uint64_t), MAG_STREAM_FN(nap),
			    .limit = AT_ONCE, .as_completed = self->kind == AS_COMPLETED);
	if (self->rc < 0)
		MAG_RETURN(self->rc);
	MAG_CALL(self->rc, mag_stream_fold, .stream = &self->crew.stream, .fold = add_up, .ctx = &self->sum);
	if (self->rc >= 0 && self->sum != self->n * (self->n - 1) / 2)
		MAG_RETURN(-EBADMSG);
	MAG_RETURN(self->rc);
	MAG_END;
}

struct streams {
	mag_frame frame;
	MAG_ARGS(streams, uint64_t n; enum kind kind; int threads; uint64_t *ns; uint64_t *cpu_ns;);
	mag_group group;
	uint64_t start, cpu;
	int64_t rc;
	int i;
};

static MAG_TASK(streams)
{
	MAG_BEGIN(streams);
	self->start = bench_now_ns();
	self->cpu = bench_cpu_ns();
	MAG_GROUP_BEGIN(&self->group);
	for (self->i = 0; self->i < self->threads; self->i++) {
		if (self->kind >= IN_ORDER)
			MAG_SPAWN(self->rc, &self->group, calls, .n = self->n, .kind = self->kind);
		else
			MAG_SPAWN(self->rc, &self->group, chain, .n = self->n, .kind = self->kind);
	}
	MAG_GROUP_END(self->rc, &self->group);
	*self->ns = bench_now_ns() - self->start;
	*self->cpu_ns = bench_cpu_ns() - self->cpu;
	MAG_RETURN(self->rc);
	MAG_END;
}

int bench_stream(struct bench_run *r)
{
	const enum kind kind = (enum kind)r->param;
	const bool calls = kind >= IN_ORDER;
	const uint64_t n = (calls ? 200000u : 10000000u) / (r->quick ? 20 : 1);
	uint64_t ns = 0, cpu_ns = 0;
	int rc = BENCH_TASKS(r, streams, .n = n, .kind = kind, .threads = calls ? 1 : r->threads, .ns = &ns, .cpu_ns = &cpu_ns);

	/* the CPU's time where it is naps that take the time */
	r->value = calls ? (double)cpu_ns / (double)n : (double)ns / (double)(n * STAGES);
	return rc;
}
