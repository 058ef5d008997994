/* SPDX-License-Identifier: MIT */
/* hosted.h - hosted runtimes for tests: on the default backend, and on the one that can always be had. */
#ifndef MAGPIE_TESTS_HOSTED_H
#define MAGPIE_TESTS_HOSTED_H

#include "support/matrix.h"
#include "unit/play.h"

static inline mag_runtime *hosted(const char *backend, uint32_t workers)
{
	mag_runtime_options o = { .size = sizeof(o), .workers = workers, .backend = backend };
	mag_runtime *rt;
	int rc = mag_hosted_create(&o, &rt);

	cr_assert_eq(rc, 0, "%s", mag_runtime_why());
	return rt;
}

static inline void close_host(mag_runtime *rt)
{
	cr_assert_eq(mag_runtime_destroy(rt, mag_deadline_in(10 * MAG_SECOND)), 0);
	cr_assert_null(mag_runtime_current());
}

/* The default, and the one that can always be had. */
static const char *const backends[] = { NULL, "epoll" };

#define ON_EACH(rt, workers)                                                                \
	for (int i_ = 0; i_ < 2; i_++)                                                      \
		for (mag_runtime *rt = hosted(backends[i_], workers); rt; close_host(rt), rt = NULL)

#define START(rt, future, ...)                                      \
	do {                                                        \
		mag_future_init(future);                            \
		cr_assert_eq(mag_spawn_from(rt, future, __VA_ARGS__), 0); \
	} while (0)

#endif
