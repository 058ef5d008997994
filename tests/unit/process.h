/* SPDX-License-Identifier: MIT */
/* process.h - what the tests of child processes share: how one is asked for, and that none is left. */
#ifndef MAGPIE_TESTS_PROCESS_H
#define MAGPIE_TESTS_PROCESS_H

#include <errno.h>
#include <magpie/magpie.h>
#include <sys/wait.h>

#include "support/matrix.h"

#define ARGV(...) ((const char *const[]){ __VA_ARGS__, NULL })
#define SH(text) ARGV("sh", "-c", text)
#define OPTIONS(...) (&(struct mag_process_options){ .size = sizeof(struct mag_process_options), ##__VA_ARGS__ })

static inline void check(int64_t rc)
{
	cr_assert_eq(rc, 0, "%s", where(rc));
	/* nobody is left, no zombie either */
	cr_assert_eq(waitpid(-1, NULL, WNOHANG), -1);
	cr_assert_eq(errno, ECHILD);
}

#endif
