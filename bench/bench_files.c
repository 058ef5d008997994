/* SPDX-License-Identifier: MIT */
/* bench_files.c - 4 KiB random reads: as many tasks as reads under way, each of which reads again and again. */
#include "cases.h"
#include "tasks.h"

#include <errno.h>
#include <fcntl.h>
#include <magpie/file.h>
#include <magpie/runtime.h>
#include <magpie/time.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define WINDOW_NS MAG_SECOND
#define QUICK_NS (50 * MAG_MILLISECOND)

/* All tasks run on one worker: nobody else looks at this. */
struct files {
	struct bench_run *r;
	mag_fd fd;
	uint64_t blocks, random, reads;
	char *memory;
	bool over;
};

static uint64_t next_block(struct files *f)
{
	uint64_t x = f->random;

	x ^= x << 13; /* xorshift64 */
	x ^= x >> 7;
	x ^= x << 17;
	f->random = x;
	return (x >> 11) % f->blocks;
}

static int check(struct files *f, uint64_t block, const char *at, int64_t n)
{
	const unsigned last = BENCH_BLOCK / sizeof(uint64_t) - 1;
	uint64_t first_word, last_word;

	if (n < 0)
		return bench_fail(f->r, (int)n, "read: %s", mag_strerror(n));
	memcpy(&first_word, at, sizeof first_word);
	memcpy(&last_word, at + last * sizeof last_word, sizeof last_word);
	if (n != BENCH_BLOCK || first_word != bench_datafile_word(block, 0) ||
	    last_word != bench_datafile_word(block, last))
		return bench_fail(f->r, -EBADMSG, "block %llu came back wrong", (unsigned long long)block);
	f->reads++;
	return 0;
}

struct file_reader {
	mag_frame frame;
	MAG_ARGS(file_reader, struct files *files; char *buf;);
	uint64_t block;
	int64_t n;
};

MAG_TASK(file_reader)
{
	MAG_BEGIN(file_reader);
	while (!self->files->over) {
		self->block = next_block(self->files);
		MAG_AWAIT(self->n, mag_read, self->files->fd, self->buf, BENCH_BLOCK, self->block * BENCH_BLOCK);
		self->n = check(self->files, self->block, self->buf, self->n);
		if (self->n < 0)
			MAG_RETURN(self->n);
	}
	MAG_RETURN(0);
	MAG_END;
}

struct file_readers {
	mag_frame frame;
	MAG_ARGS(file_readers, struct files *files; int raw; unsigned depth;);
	mag_group group;
	uint64_t cpu;
	int64_t rc, end;
	unsigned i;
};

MAG_TASK(file_readers)
{
	MAG_BEGIN(file_readers);
	self->rc = mag_fd_adopt(self->raw, &self->files->fd);
	if (self->rc < 0)
		MAG_RETURN(self->rc);
	self->cpu = bench_cpu_ns();
	MAG_GROUP_BEGIN(&self->group);
	for (self->i = 0; self->i < self->depth && self->rc >= 0; self->i++)
		MAG_SPAWN(self->rc, &self->group, file_reader, .files = self->files,
			  .buf = self->files->memory + (size_t)self->i * BENCH_BLOCK);
	if (self->rc >= 0)
		MAG_AWAIT(self->rc, mag_sleep, self->files->r->quick ? QUICK_NS : WINDOW_NS);
	self->files->over = true;
	MAG_GROUP_END(self->end, &self->group);
	self->rc = self->end < 0 ? self->end : self->rc;
	self->files->r->value = (double)(bench_cpu_ns() - self->cpu) / 1e3 / (double)self->files->reads;
	mag_fd_release(self->files->fd);
	MAG_RETURN(self->rc);
	MAG_END;
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

static int run(struct files *f, int raw, struct bench_run *r)
{
	const mag_runtime_options o = { .size = sizeof o, .workers = 1, .spin_us = UINT32_MAX };
	struct stat st;
	int64_t rc = prepare_cache(raw, r->param2, f->memory);

	if (rc || fstat(raw, &st))
		return bench_fail(r, rc ? (int)rc : -errno, "the data file cannot be used");
	f->blocks = (uint64_t)st.st_size / BENCH_BLOCK;
	rc = mag_run(&o, file_readers, .files = f, .raw = raw, .depth = (unsigned)r->param);
	return rc < 0 && r->why[0] ? (int)rc : bench_tasks_over(r, rc); /* a reader has said why */
}

int bench_files(struct bench_run *r)
{
	struct files f = { .r = r, .random = 88172645463325252u };
	int rc, raw = bench_datafile_open(r, r->param2 ? O_DIRECT : 0);

	if (raw < 0)
		return bench_fail(r, raw == -EINVAL ? BENCH_SKIP : raw, "open%s: %s", r->param2 ? " with O_DIRECT" : "",
				  strerror(-raw));
	f.memory = aligned_alloc(BENCH_BLOCK, (size_t)r->param * BENCH_BLOCK);
	rc = f.memory ? run(&f, raw, r) : bench_fail(r, -ENOMEM, "no memory");
	free(f.memory);
	close(raw);
	return rc;
}
