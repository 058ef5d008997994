/* SPDX-License-Identifier: MIT */
/* site.c - see site.h. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "site.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int bench_site_write(const char *path, const void *data, size_t bytes)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600), rc = 0;
	ssize_t n;

	if (fd < 0)
		return -errno;
	n = write(fd, data, bytes);
	if (n < 0)
		rc = -errno;
	else if ((size_t)n < bytes)
		rc = -ENOSPC;
	close(fd);
	return rc;
}

int bench_site_make(struct bench_site *site, bool tls, struct bench_run *r)
{
	const char *tmp = getenv("TMPDIR");
	char path[128];
	int rc;

	snprintf(site->dir, sizeof site->dir, "%.40s/magpie-bench-XXXXXX", tmp && strlen(tmp) <= 40 ? tmp : "/tmp");
	if (!mkdtemp(site->dir))
		return bench_fail(r, -errno, "%s: %s", site->dir, strerror(errno));
	snprintf(site->root, sizeof site->root, "%s/root", site->dir);
	snprintf(site->certificate, sizeof site->certificate, "%s/certificate", site->dir);
	snprintf(site->key, sizeof site->key, "%s/key", site->dir);
	snprintf(site->config, sizeof site->config, "%s/config", site->dir);
	snprintf(site->log, sizeof site->log, "%s/log", site->dir);
	for (size_t i = 0; i < sizeof site->file; i++)
		site->file[i] = (char)('a' + (i ^ i >> 8) % 26);
	snprintf(path, sizeof path, "%s/" BENCH_SITE_FILE, site->root);
	rc = mkdir(site->root, 0700) ? -errno : bench_site_write(path, site->file, sizeof site->file);
	if (rc)
		bench_fail(r, rc, "%s: %s", site->root, strerror(-rc));
	else if (tls)
		rc = bench_site_certificate(site, r);
	if (rc)
		bench_site_remove(site);
	return rc;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
	(void)st, (void)type, (void)at;
	remove(path);
	return 0;
}

void bench_site_remove(const struct bench_site *site)
{
	nftw(site->dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}
