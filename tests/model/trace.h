/* SPDX-License-Identifier: MIT */
/* trace.h - the schedule of the execution under way: one line an operation, and one for each store that becomes visible. */
#ifndef MAGPIE_TESTS_MODEL_TRACE_H
#define MAGPIE_TESTS_MODEL_TRACE_H

#include <stdint.h>

void trace_reset(void);
/* what: a constant, as are name's characters. */
void trace_add(int thread, const char *what, const char *name, uint64_t value);
void trace_print(const char *const thread_names[]);

/* How a schedule calls this value, a pointer mostly. Kept until the next trace_forget. */
void trace_name(const void *value, const char *name);
void trace_forget(void);

#endif
