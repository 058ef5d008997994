/* SPDX-License-Identifier: MIT */
/* site.h - a folder with what servers need that are measured against each other: a file, and a certificate. */
#ifndef MAGPIE_BENCH_SITE_H
#define MAGPIE_BENCH_SITE_H

#include "bench.h"

#define BENCH_SITE_FILE "file" /* its name */
enum { BENCH_SITE_BYTES = 64 << 10 };

struct bench_site {
	char dir[64]; /* in the temporary files' */
	char root[80], certificate[80], key[80], config[80], log[80];
	char file[BENCH_SITE_BYTES]; /* what is in it */
};

/* Makes it, with a certificate of its own for 127.0.0.1 if that is asked for. Returns: as a bench_run_fn. */
int bench_site_make(struct bench_site *site, bool tls, struct bench_run *r);
void bench_site_remove(const struct bench_site *site);
/* Writes a file of it. 0, or -errno. */
int bench_site_write(const char *path, const void *data, size_t bytes);

/* certificate.c. Returns: as a bench_run_fn. */
int bench_site_certificate(const struct bench_site *site, struct bench_run *r);

#endif
