/* SPDX-License-Identifier: MIT */
/* datafile.c - the file that file benches read: 256 MiB under $TMPDIR without a name, so that nothing can leave it
 * behind. Each word says where it stands: a read that got another block is seen. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "bench.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DATA_BYTES (256u << 20)
#define QUICK_BYTES (16u << 20)
#define CHUNK (1u << 20)
#define BLOCK_WORDS (BENCH_BLOCK / sizeof(uint64_t))

uint64_t bench_datafile_word(uint64_t block, unsigned i)
{
	/* splitmix64: a disk or file system that compresses finds nothing to compress */
	uint64_t z = (block * BLOCK_WORDS + i + 1) * 0x9e3779b97f4a7c15u;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

static int nameless_file(const char *dir)
{
	char path[4096];
	int fd = open(dir, O_TMPFILE | O_RDWR, 0600);

	if (fd >= 0)
		return fd;
	if ((size_t)snprintf(path, sizeof path, "%s/magpie-bench-XXXXXX", dir) >= sizeof path)
		return -ENAMETOOLONG;
	fd = mkstemp(path);
	if (fd < 0)
		return -errno;
	unlink(path);
	return fd;
}

static int fill(int fd, size_t bytes)
{
	uint64_t *chunk = malloc(CHUNK);
	int rc = chunk ? 0 : -ENOMEM;

	for (size_t at = 0; !rc && at < bytes; at += CHUNK) {
		for (size_t i = 0; i < CHUNK / sizeof *chunk; i++)
			chunk[i] = bench_datafile_word((at / sizeof *chunk + i) / BLOCK_WORDS,
						       (unsigned)(i % BLOCK_WORDS));
		for (size_t done = 0; !rc && done < CHUNK;) {
			ssize_t n = write(fd, (char *)chunk + done, CHUNK - done);

			if (n < 0)
				rc = -errno;
			else
				done += (size_t)n;
		}
	}
	free(chunk);
	if (!rc && fsync(fd)) /* dirty pages would be written back under the first O_DIRECT reads */
		rc = -errno;
	return rc;
}

int bench_datafile(bool quick, char *why, size_t len)
{
	const char *dir = getenv("TMPDIR");
	int fd, rc;

	if (!dir || !*dir)
		dir = "/tmp";
	fd = nameless_file(dir);
	rc = fd < 0 ? fd : fill(fd, quick ? QUICK_BYTES : DATA_BYTES);
	if (rc < 0) {
		snprintf(why, len, "no file to read under %s: %s", dir, strerror(-rc));
		if (fd >= 0)
			close(fd);
		return rc;
	}
	return fd;
}

int bench_datafile_open(const struct bench_run *r, int flags)
{
	char path[64];
	int fd;

	/* another description than the writer's, since O_DIRECT belongs to that */
	snprintf(path, sizeof path, "/proc/self/fd/%d", r->data_fd);
	fd = open(path, O_RDONLY | O_CLOEXEC | flags);
	return fd < 0 ? -errno : fd;
}
