/* SPDX-License-Identifier: MIT */
/* baseline_files.c - 4 KiB random reads on a bare ring at a constant depth. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "cases.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ring.h"

#define WINDOW_NS 1000000000u
#define QUICK_NS 50000000u

struct reader {
	struct io_uring ring;
	int fd;
	uint64_t blocks, random, reads;
	char *memory;     /* one block for each read under way */
	uint64_t *wanted; /* which block it reads */
	struct bench_run *r;
};

static void start_read(struct reader *f, unsigned slot)
{
	struct io_uring_sqe *sqe = ring_sqe(&f->ring);
	uint64_t x = f->random;

	x ^= x << 13; /* xorshift64 */
	x ^= x >> 7;
	x ^= x << 17;
	f->random = x;
	f->wanted[slot] = (x >> 11) % f->blocks;
	io_uring_prep_read(sqe, f->fd, f->memory + (size_t)slot * BENCH_BLOCK, BENCH_BLOCK,
			   f->wanted[slot] * BENCH_BLOCK);
	sqe->user_data = slot;
}

static int check_read(struct reader *f, unsigned slot, int res)
{
	const unsigned last = BENCH_BLOCK / sizeof(uint64_t) - 1;
	uint64_t first_word, last_word, block = f->wanted[slot];
	const char *at = f->memory + (size_t)slot * BENCH_BLOCK;

	if (res < 0)
		return bench_fail(f->r, res, "read: %s", strerror(-res));
	memcpy(&first_word, at, sizeof first_word);
	memcpy(&last_word, at + last * sizeof last_word, sizeof last_word);
	if (res != BENCH_BLOCK || first_word != bench_datafile_word(block, 0) ||
	    last_word != bench_datafile_word(block, last))
		return bench_fail(f->r, -EBADMSG, "block %llu came back wrong", (unsigned long long)block);
	return 0;
}

/* Keeps `depth` reads under way until the time is over. */
static int read_until(struct reader *f, unsigned depth, uint64_t end)
{
	struct io_uring_cqe *cqe;
	unsigned head, seen;
	int rc = 0;

	for (unsigned i = 0; i < depth; i++)
		start_read(f, i);
	while (!rc && bench_now_ns() < end) {
		rc = io_uring_submit_and_wait(&f->ring, 1);
		if (rc < 0 && rc != -EINTR)
			return bench_fail(f->r, rc, "io_uring_enter: %s", strerror(-rc));
		rc = 0;
		seen = 0;
		io_uring_for_each_cqe(&f->ring, head, cqe) {
			unsigned slot = (unsigned)cqe->user_data;

			seen++;
			if (!rc)
				rc = check_read(f, slot, cqe->res);
			start_read(f, slot);
		}
		io_uring_cq_advance(&f->ring, seen);
		f->reads += seen;
	}
	return rc;
}

/* Brings the file into the page cache, or out of it. */
static int prepare_cache(int fd, bool direct, char *buf)
{
	if (direct)
		return -posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
	for (off_t at = 0;; at += BENCH_BLOCK) {
		ssize_t n = pread(fd, buf, BENCH_BLOCK, at);

		if (n <= 0)
			return n < 0 ? -errno : 0;
	}
}

static int run(struct reader *f, struct bench_run *r, unsigned depth)
{
	struct stat st;
	uint64_t cpu;
	int rc = prepare_cache(f->fd, r->param2, f->memory);

	if (rc || fstat(f->fd, &st))
		return bench_fail(r, rc ? rc : -errno, "the data file cannot be used");
	f->blocks = (uint64_t)st.st_size / BENCH_BLOCK;
	rc = ring_open(&f->ring, 256, r);
	if (rc)
		return rc;
	cpu = bench_cpu_ns();
	rc = read_until(f, depth, bench_now_ns() + (r->quick ? QUICK_NS : WINDOW_NS));
	if (!rc)
		r->value = (double)(bench_cpu_ns() - cpu) / 1e3 / (double)f->reads;
	io_uring_queue_exit(&f->ring); /* waits for what is under way: the buffers are free after it */
	return rc;
}

int baseline_files(struct bench_run *r)
{
	struct reader f = { .random = 88172645463325252u, .r = r };
	unsigned depth = (unsigned)r->param;
	int rc;

	f.fd = bench_datafile_open(r, r->param2 ? O_DIRECT : 0);
	if (f.fd < 0)
		return bench_fail(r, f.fd == -EINVAL ? BENCH_SKIP : f.fd, "open%s: %s",
				  r->param2 ? " with O_DIRECT" : "", strerror(-f.fd));
	f.memory = aligned_alloc(BENCH_BLOCK, (size_t)depth * BENCH_BLOCK);
	f.wanted = calloc(depth, sizeof *f.wanted);
	rc = f.memory && f.wanted ? run(&f, r, depth) : bench_fail(r, -ENOMEM, "no memory");
	free(f.wanted);
	free(f.memory);
	close(f.fd);
	return rc;
}
