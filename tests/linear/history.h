/* SPDX-License-Identifier: MIT */
/* history.h - what some tasks did to one object: each operation with its arguments, its result, and two stamps.
 *
 * Always:  stamps come from one counter, by a read-modify-write that acquires and releases. So an operation whose reply
 *          is stamped before another's call had its whole effect before that one began.
 *          An operation has one writer, its lane; all are read after the lanes were joined. */
#ifndef MAGPIE_TESTS_LINEAR_HISTORY_H
#define MAGPIE_TESTS_LINEAR_HISTORY_H

#include <magpie/error.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

enum {
	LINEAR_LANES = 5, /* at most; the last is who helps the others out */
	LINEAR_OPS = 32,  /* in a history, at most */
	LINEAR_CONFIG = 4
};

/* What may cut an await short. */
enum linear_limit { LINEAR_FREE, LINEAR_DEADLINE, LINEAR_BY_OTHERS };

struct linear_op {
	uint32_t call, reply; /* stamps; reply 0: it has not returned */
	uint8_t lane;
	uint8_t kind; /* the object's */
	uint8_t limit;
	bool awaits;
	uint32_t deadline_us; /* from its call, with LINEAR_DEADLINE */
	uint64_t item[2];     /* what goes in or comes out; the second for elements of two words */
	int64_t result;
};

struct linear_history {
	uint32_t n;
	uint32_t lanes;
	int32_t config[LINEAR_CONFIG]; /* the object's: its capacity and the like */
	struct linear_op op[LINEAR_OPS];
};

struct linear_spec;

/* Orders the operations by their calls. */
void linear_sort(struct linear_history *h);

/* One operation in words: `push(7) = 0, within 12 us`. */
void linear_op_text(const struct linear_spec *spec, const struct linear_op *op, char *text, size_t size);

/* The whole history, a line for each operation. */
void linear_print(FILE *to, const struct linear_spec *spec, const struct linear_history *h);

/* Whether it returned this, or may still. */
static inline bool linear_gave(const struct linear_op *op, int64_t result)
{
	return op->reply == 0 || op->result == result;
}

#endif
