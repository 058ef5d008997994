/* SPDX-License-Identifier: MIT */
/* baseline_offload.c - an empty job through libuv's pool and back. Empty where libuv is not. */
#include "cases.h"

#if HAVE_LIBUV
#include <errno.h>
#include <stdlib.h>
#include <uv.h>

struct jobs;

struct job {
	uv_work_t work;
	struct jobs *all;
	uint64_t runs, back; /* a job is in one place at a time: the pool's hand-over orders both */
};

struct jobs {
	struct job *job;
	uint64_t left; /* to be queued yet */
	uint64_t wrong;
};

static void in_the_pool(uv_work_t *w)
{
	((struct job *)w->data)->runs++;
}

static void back_in_the_loop(uv_work_t *w, int status)
{
	struct job *j = w->data;

	j->back++;
	if (status || j->runs != j->back)
		j->all->wrong++;
	if (!j->all->left)
		return;
	j->all->left--;
	if (uv_queue_work(w->loop, w, in_the_pool, back_in_the_loop))
		j->all->wrong++;
}

int baseline_offload(struct bench_run *r)
{
	long n = (r->param > 1 ? 1000000 : 20000) / (r->quick ? 20 : 1);
	struct jobs all = { .left = (uint64_t)(n - r->param) };
	uint64_t start, done = 0;
	uv_loop_t loop;

	all.job = calloc((size_t)r->param, sizeof *all.job);
	if (!all.job || uv_loop_init(&loop))
		return bench_fail(r, -ENOMEM, "no loop");
	start = bench_now_ns();
	for (long i = 0; i < r->param; i++) {
		all.job[i].all = &all;
		all.job[i].work.data = &all.job[i];
		if (uv_queue_work(&loop, &all.job[i].work, in_the_pool, back_in_the_loop))
			all.wrong++;
	}
	uv_run(&loop, UV_RUN_DEFAULT);
	r->value = (double)(bench_now_ns() - start) / (double)n;
	for (long i = 0; i < r->param; i++)
		done += all.job[i].back;
	uv_loop_close(&loop);
	free(all.job);
	if (all.wrong || done != (uint64_t)n)
		return bench_fail(r, -EBADMSG, "%llu of %ld jobs came back", (unsigned long long)done, n);
	return 0;
}
#endif
