/* SPDX-License-Identifier: MIT */
/* 11_async_generator.c - a generator that holds something: asked item by item, given up in the middle, and as one part of a
 * longer stream (yield*). docs/cookbook/11-async-generator.md tells about it. */
#include <errno.h>
#include <magpie/magpie.h>
#include <stdio.h>

/* Gives from … to, one each millisecond. It "holds" something: `held` says how many are held now. */
struct numbers {
	mag_frame frame;
	MAG_ARGS(numbers, int from; int to; int *held;);
	int64_t rc;
	int i;
};

MAG_TASK(numbers)
{
	MAG_BEGIN(numbers);
	++*self->held;
	self->rc = 0;
	for (self->i = self->from; self->i <= self->to && self->rc == 0; self->i++) {
		MAG_AWAIT(self->rc, mag_sleep, MAG_MILLISECOND);
		if (self->rc == 0)
			MAG_EMIT(self->rc, self->i); /* MAG_ECANCELED: nobody wants more */
	}
	--*self->held;
	MAG_RETURN(self->rc == MAG_ECANCELED ? 0 : self->rc);
	MAG_END;
}

/* async for … break */
struct stops_early {
	mag_frame frame;
	MAG_ARGS(stops_early, int *held;);
	mag_generator gen;
	int64_t rc;
	int item, sum;
};

MAG_TASK(stops_early)
{
	MAG_BEGIN(stops_early);
	self->sum = 0;
	MAG_GENERATE(self->rc, &self->gen, numbers, .from = 1, .to = 1000000, .held = self->held);
	while (self->rc >= 0) {
		MAG_NEXT(self->rc, &self->gen, &self->item);
		if (self->rc <= 0 || self->item > 4)
			break;
		self->sum += self->item;
	}
	MAG_CLOSE(&self->gen); /* it cleans up and ends, before this returns */
	MAG_RETURN(self->rc < 0 ? self->rc : self->sum);
	MAG_END;
}

/* yield*: one generator behind the other; given up in the second one. */
struct chained {
	mag_frame frame;
	MAG_ARGS(chained, int *held;);
	mag_stream_generator low, high;
	mag_stream *both[2];
	mag_stream_chain chain;
	mag_stream_count take;
	mag_list list;
	int64_t rc;
};

MAG_TASK(chained)
{
	MAG_BEGIN(chained);
	self->list = (mag_list){ 0 };
	MAG_STREAM_GENERATE(self->rc, &self->low, sizeof(int), numbers, .from = 1, .to = 3, .held = self->held);
	if (self->rc == 0)
		MAG_STREAM_GENERATE(self->rc, &self->high, sizeof(int), numbers, .from = 100, .to = 999999, .held = self->held);
	if (self->rc < 0)
		MAG_RETURN(self->rc);
	self->both[0] = &self->low.stream;
	self->both[1] = &self->high.stream;
	mag_stream_chain_init(&self->chain, self->both, 2);
	mag_stream_take_init(&self->take, &self->chain.stream, 5);
	MAG_CALL(self->rc, mag_stream_collect, .stream = &self->take.stream, .into = &self->list, .limit = 100);
	printf("chained:");
	for (size_t i = 0; i < self->list.count; i++)
		printf(" %d", ((int *)self->list.items)[i]);
	printf("\n");
	mag_free(self->list.items);
	MAG_RETURN(self->rc);
	MAG_END;
}

struct program {
	mag_frame frame;
	MAG_NO_ARGS(program);
	int64_t sum, count;
	int held;
};

MAG_TASK(program)
{
	MAG_BEGIN(program);
	self->held = 0;
	MAG_CALL(self->sum, stops_early, .held = &self->held);
	printf("stopped early: the sum is %lld, %d held\n", (long long)self->sum, self->held);
	if (self->sum != 1 + 2 + 3 + 4 || self->held)
		MAG_RETURN(-EPROTO);
	MAG_CALL(self->count, chained, .held = &self->held);
	printf("chained: %lld items, %d held\n", (long long)self->count, self->held);
	MAG_RETURN(self->count == 5 && self->held == 0 ? 0 : -EPROTO);
	MAG_END;
}

int main(void)
{
	int64_t rc = mag_run(NULL, program);

	if (rc < 0)
		fprintf(stderr, "11_async_generator: %s %s\n", mag_strerror(rc), mag_runtime_why());
	return rc < 0;
}
