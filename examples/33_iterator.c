/* SPDX-License-Identifier: MIT */
/* 33_iterator.c - iterators of one's own: a plain function, and one whose next and close are async functions; any stage
 * takes either. docs/cookbook/33-iterator-of-ones-own.md tells about it. */
#include <errno.h>
#include <magpie/magpie.h>
#include <stdio.h>

/* A plain one: the Fibonacci numbers below a bound. */
struct fibonacci {
	uint64_t a, b, bound;
};

static int next_fibonacci(void *ctx, void *item)
{
	struct fibonacci *f = ctx;
	uint64_t sum = f->a + f->b;

	if (f->a >= f->bound)
		return 0; /* the end */
	*(uint64_t *)item = f->a;
	f->a = f->b;
	f->b = sum;
	return 1;
}

/* One that waits: a sensor that is read each millisecond, opened and closed. */
struct sensor {
	int opened, readings;
};

struct reading {
	int number;
	int value;
};

struct sensor_next {
	mag_frame frame;
	MAG_ARGS(sensor_next, struct sensor *ctx; struct reading *out;);
	int64_t rc;
};

MAG_TASK(sensor_next)
{
	MAG_BEGIN(sensor_next);
	MAG_AWAIT(self->rc, mag_sleep, MAG_MILLISECOND);
	if (self->rc < 0)
		MAG_RETURN(self->rc); /* MAG_ECANCELED: nothing has been read yet, so nothing is lost */
	self->ctx->readings++;
	*self->out = (struct reading){ self->ctx->readings, self->ctx->readings * self->ctx->readings % 17 };
	MAG_RETURN(1);
	MAG_END;
}

struct sensor_close {
	mag_frame frame;
	MAG_ARGS(sensor_close, struct sensor *ctx;);
	int64_t rc;
};

MAG_TASK(sensor_close)
{
	MAG_BEGIN(sensor_close);
	MAG_YIELD(self->rc); /* it may await */
	self->ctx->opened--;
	MAG_RETURN(0);
	MAG_END;
}

static bool is_high(void *ctx, const void *item)
{
	(void)ctx;
	return ((const struct reading *)item)->value > 8;
}

static int add_up(void *ctx, const void *item)
{
	*(uint64_t *)ctx += *(const uint64_t *)item;
	return 0;
}

/* Takes what it gets within a deadline, twice, and closes. */
struct watch {
	mag_frame frame;
	MAG_ARGS(watch, struct sensor *sensor;);
	mag_stream_iterator source;
	mag_stream_filter high;
	struct reading reading;
	mag_scope scope;
	int64_t rc, why;
	int round, last;
	bool ordered;
};

MAG_TASK(watch)
{
	MAG_BEGIN(watch);
	self->sensor->opened++;
	self->last = 0;
	self->ordered = true;
	MAG_STREAM_ITERATE(self->rc, &self->source, sizeof(struct reading), MAG_STREAM_FN(sensor_next),
			   MAG_STREAM_FN(sensor_close), self->sensor);
	if (self->rc < 0) {
		self->sensor->opened--;
		MAG_RETURN(self->rc);
	}
	mag_stream_filter_init(&self->high, &self->source.stream, is_high, NULL);
	for (self->round = 0; self->round < 2; self->round++) {
		MAG_WITH_TIMEOUT(&self->scope, 20 * MAG_MILLISECOND);
		for (;;) {
			MAG_AWAIT(self->rc, mag_stream_next, &self->high.stream, &self->reading);
			if (self->rc <= 0)
				break; /* the deadline; the stream goes on in the next round */
			if (self->reading.number <= self->last)
				self->ordered = false;
			self->last = self->reading.number;
		}
		MAG_SCOPE_END(self->why, &self->scope);
		if (self->rc != MAG_ECANCELED || self->why != MAG_ETIMEDOUT)
			MAG_RETURN(-EPROTO);
	}
	MAG_AWAIT(self->rc, mag_stream_close, &self->high.stream); /* calls sensor_close, once */
	MAG_RETURN(self->ordered ? self->rc : -EPROTO);
	MAG_END;
}

struct program {
	mag_frame frame;
	MAG_NO_ARGS(program);
	struct fibonacci fibonacci;
	struct sensor sensor;
	mag_stream_function numbers;
	uint64_t sum;
	int64_t rc;
};

MAG_TASK(program)
{
	MAG_BEGIN(program);
	self->fibonacci = (struct fibonacci){ 0, 1, 1000 };
	self->sensor = (struct sensor){ 0 };
	self->sum = 0;
	mag_stream_function_init(&self->numbers, sizeof(uint64_t), next_fibonacci, &self->fibonacci);
	MAG_CALL(self->rc, mag_stream_fold, .stream = &self->numbers.stream, .fold = add_up, .ctx = &self->sum);
	printf("%lld Fibonacci numbers below 1000, of sum %llu\n", (long long)self->rc, (unsigned long long)self->sum);
	if (self->rc != 17 || self->sum != 2583)
		MAG_RETURN(-EPROTO);
	MAG_CALL(self->rc, watch, .sensor = &self->sensor);
	printf("the sensor was read %s, and %s closed\n", self->sensor.readings > 1 ? "in both rounds" : "hardly",
	       self->sensor.opened ? "not" : "then");
	MAG_RETURN(self->rc < 0 || self->sensor.opened == 0 ? self->rc : -EPROTO);
	MAG_END;
}

int main(void)
{
	int64_t rc = mag_run(NULL, program);

	if (rc < 0)
		fprintf(stderr, "33_iterator: %s %s\n", mag_strerror(rc), mag_runtime_why());
	return rc < 0;
}
