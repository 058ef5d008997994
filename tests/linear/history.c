/* SPDX-License-Identifier: MIT */
/* history.c - see history.h. */
#include "linear/history.h"

#include <stdlib.h>
#include <string.h>

#include "linear/check.h"

enum { TEXT = 80 };

static int by_call(const void *a, const void *b)
{
	const struct linear_op *x = a, *y = b;

	return x->call < y->call ? -1 : x->call > y->call;
}

void linear_sort(struct linear_history *h)
{
	qsort(h->op, h->n, sizeof(h->op[0]), by_call);
}

static const char *result_text(int64_t result, char *text, size_t size)
{
	if (result < 0)
		return mag_errname(result);
	snprintf(text, size, "%lld", (long long)result);
	return text;
}

void linear_op_text(const struct linear_spec *spec, const struct linear_op *op, char *text, size_t size)
{
	char call[TEXT], number[TEXT], limit[TEXT] = "";

	spec->text(op, call, sizeof(call));
	if (op->limit == LINEAR_DEADLINE)
		snprintf(limit, sizeof(limit), ", within %u us", op->deadline_us);
	else if (op->limit == LINEAR_BY_OTHERS)
		snprintf(limit, sizeof(limit), ", others may cancel it");
	snprintf(text, size, "%s = %s%s", call,
		 op->reply ? result_text(op->result, number, sizeof(number)) : "not returned", limit);
}

/* What the line of an operation shows at stamp t, the last one being `end`. */
static char mark(const struct linear_op *op, uint32_t t, uint32_t end)
{
	if (t == op->call || (op->reply && t == op->reply))
		return '|';
	return t > op->call && t < (op->reply ? op->reply : end + 1) ? '-' : ' ';
}

void linear_print(FILE *to, const struct linear_spec *spec, const struct linear_history *h)
{
	uint32_t end = 0;

	for (uint32_t i = 0; i < h->n; i++) {
		end = h->op[i].call > end ? h->op[i].call : end;
		end = h->op[i].reply > end ? h->op[i].reply : end;
	}
	for (uint32_t i = 0; i < h->n; i++) {
		const struct linear_op *op = &h->op[i];
		char text[3 * TEXT];

		linear_op_text(spec, op, text, sizeof(text));
		fprintf(to, "  %c %4u %4u  ", 'A' + op->lane, op->call, op->reply);
		for (uint32_t t = 1; t <= end; t++)
			fputc(mark(op, t, end), to);
		fprintf(to, "  %s\n", text);
	}
}
