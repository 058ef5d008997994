/* SPDX-License-Identifier: MIT */
/* hear.h - what the tests of debug mode share: a runtime whose reports are kept, to be looked at when it has ended. */
#ifndef MAGPIE_TESTS_HEAR_H
#define MAGPIE_TESTS_HEAR_H

#include "gates.h"

#include <magpie/sim.h>
#include <linux/futex.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "task/report.h"

enum { HEARD_MAX = 32 };

struct heard {
	magi_lock lock;
	uint32_t n; /* atomic */
	mag_report report[HEARD_MAX];
	char task[HEARD_MAX][64];
	char text[HEARD_MAX][512];
	mag_debug_options options;
};

static inline void hear_report(const mag_report *r, void *ctx)
{
	struct heard *h = ctx;

	magi_lock_acquire(&h->lock);
	if (h->n < HEARD_MAX) {
		h->report[h->n] = *r;
		snprintf(h->task[h->n], sizeof(h->task[0]), "%s", r->task);
		snprintf(h->text[h->n], sizeof(h->text[0]), "%s", r->text);
	}
	magi_store_rel(&h->n, h->n + 1); /* [heard] */
	magi_lock_release(&h->lock);
	syscall(SYS_futex, &h->n, FUTEX_WAKE_PRIVATE, INT32_MAX, NULL, NULL, 0);
}

/* Holds this thread, which does nothing else, until more than `seen` were heard, or for a second. */
static inline void heard_wait(const struct heard *h, uint32_t seen)
{
	const struct timespec second = { .tv_sec = 1 };

	syscall(SYS_futex, &h->n, FUTEX_WAIT_PRIVATE, seen, &second, NULL, 0);
}

static inline uint32_t heard_so_far(const struct heard *h)
{
	return magi_load_acq(&h->n); /* [heard] */
}

/* Stalls are not heard unless a test asks for them: a machine may be busy. */
static inline void hear_begin(struct heard *h)
{
	memset(h, 0, sizeof(*h));
	h->options = (mag_debug_options){
		.size = sizeof(h->options), .stall_ns = 3600 * MAG_SECOND, .report = hear_report, .ctx = h
	};
}

static inline const char *heard_all(const struct heard *h)
{
	static char all[HEARD_MAX * 512];
	size_t used = 0;

	all[0] = 0;
	for (uint32_t i = 0; i < h->n && i < HEARD_MAX; i++)
		used += (size_t)snprintf(all + used, sizeof(all) - used, "%s: %s\n", mag_report_name(h->report[i].kind),
					 h->text[i]);
	return all;
}

/* Members that have not ended. The owner asks, after a sleep: its worker does not keep ends to itself while it idles. */
static inline int64_t members_of(const mag_group *g)
{
	return magi_load_acq(&g->balance) / 2 + g->started; /* [balance] */
}

struct sleeper {
	mag_frame frame;
	MAG_ARGS(sleeper, uint64_t ns; int64_t result;);
	int64_t rc;
};

MAG_TASK(sleeper)
{
	MAG_BEGIN(sleeper);
	MAG_AWAIT(self->rc, mag_sleep, self->ns);
	MAG_RETURN(self->rc < 0 ? self->rc : self->result);
	MAG_END;
}

/* As RUN, in debug mode; and on the backend that the system has. */
#define HEAR(h, n, ...)                                                                    \
	__extension__({                                                                    \
		struct magi_world *hear_world = magi_world_create(1, MAGI_SIM_COMPLETION); \
		mag_runtime_options hear_options = play_options(hear_world, (n));          \
		int64_t hear_rc;                                                           \
		magi_world_auto_advance(hear_world, true);                                 \
		hear_options.debug = &(h)->options;                                        \
		hear_rc = mag_run(&hear_options, __VA_ARGS__);                             \
		magi_world_destroy(hear_world);                                            \
		hear_rc;                                                                   \
	})

#define HEAR_REAL(h, n, ...)                                                             \
	__extension__({                                                                  \
		const mag_runtime_options hear_options = { .size = sizeof(hear_options), \
							   .workers = (n),               \
							   .debug = &(h)->options };     \
		mag_run(&hear_options, __VA_ARGS__);                                     \
	})

#define HEAR_SIMULATED(h, seed, ...)                                                                           \
	__extension__({                                                                                        \
		const mag_sim_options hear_options = { .size = sizeof(hear_options), .debug = &(h)->options }; \
		mag_sim_run((seed), &hear_options, __VA_ARGS__);                                               \
	})

enum { HEAR_SEEDS = 40 / PLAY_SLOWDOWN };

/* The same as SILENT and TOLD on so many schedules. */
#define SILENT_SIMULATED(fn, ...)                                                            \
	do {                                                                                 \
		static struct heard silent_;                                                 \
		for (uint64_t seed_ = 0; seed_ < HEAR_SEEDS; seed_++) {                      \
			hear_begin(&silent_);                                                \
			cr_assert_eq(HEAR_SIMULATED(&silent_, seed_, fn, ##__VA_ARGS__), 0); \
			cr_assert_eq(silent_.n, 0, "%s", heard_all(&silent_));               \
		}                                                                            \
	} while (0)

#define TOLD_SIMULATED(one, kind_, words, fn, ...)                                              \
	do {                                                                                    \
		for (uint64_t seed_ = 0; seed_ < HEAR_SEEDS; seed_++) {                         \
			hear_begin(&one);                                                       \
			cr_assert_eq(HEAR_SIMULATED(&one, seed_, fn, ##__VA_ARGS__), 0);        \
			cr_assert_eq(one.n, 1, "%d reports:\n%s", (int)one.n, heard_all(&one)); \
			cr_assert_eq(one.report[0].kind, (kind_), "%s", heard_all(&one));       \
			cr_assert(strstr(one.text[0], (words)), "%s", one.text[0]);             \
		}                                                                               \
	} while (0)

/* On both: fn ends with 0, and says nothing. */
#define SILENT(fn, ...)                                                     \
	do {                                                                \
		static struct heard silent_;                                \
		hear_begin(&silent_);                                       \
		cr_assert_eq(HEAR(&silent_, 2, fn, ##__VA_ARGS__), 0);      \
		cr_assert_eq(HEAR_REAL(&silent_, 2, fn, ##__VA_ARGS__), 0); \
		cr_assert_eq(silent_.n, 0, "%s", heard_all(&silent_));      \
	} while (0)

/* On both: fn ends with 0, and says one thing of this kind each time; `words` is in it. Then `one` is the last. */
#define TOLD(one, kind_, words, fn, ...)                                                        \
	do {                                                                                    \
		for (int real_ = 0; real_ < 2; real_++) {                                       \
			hear_begin(&one);                                                       \
			int64_t told_rc_ = real_ ? HEAR_REAL(&one, 2, fn, ##__VA_ARGS__)        \
						 : HEAR(&one, 2, fn, ##__VA_ARGS__);            \
			cr_assert_eq(told_rc_, 0, "%s", mag_errname(told_rc_));                 \
			cr_assert_eq(one.n, 1, "%d reports:\n%s", (int)one.n, heard_all(&one)); \
			cr_assert_eq(one.report[0].kind, (kind_), "%s", heard_all(&one));       \
			cr_assert(strstr(one.text[0], (words)), "%s", one.text[0]);             \
		}                                                                               \
	} while (0)

#endif
