/* SPDX-License-Identifier: MIT */
/* bench_nqueens.c - counts the ways to place queens, a row at a time: each place that is not attacked is a fork, which
 * gets the board by value. The same search as in the benchmarks of libfork and citor. */
#include "cases.h"
#include "tasks.h"

#include <errno.h>

#define QUEENS_MAX 14

struct board {
	signed char column[QUEENS_MAX]; /* of the queen in each row */
};

struct queens {
	mag_frame frame;
	MAG_ARGS(queens, int n; int row; struct board board; int *solutions;);
	int part[QUEENS_MAX];
	int column, forked;
	int64_t rc;
};

static bool is_attacked(const struct board *b, int row, int column)
{
	for (int above = 0; above < row; above++) {
		int other = b->column[above], distance = row - above;

		if (other == column || other == column - distance || other == column + distance)
			return true;
	}
	return false;
}

static MAG_TASK(queens)
{
	MAG_BEGIN(queens);
	if (self->row == self->n) {
		*self->solutions = 1;
		MAG_RETURN(0);
	}
	self->forked = 0;
	for (self->column = 0; self->column < self->n; self->column++) {
		if (is_attacked(&self->board, self->row, self->column))
			continue;
		self->board.column[self->row] = (signed char)self->column;
		self->forked++;
		MAG_FORK(queens, .n = self->n, .row = self->row + 1, .board = self->board,
			 .solutions = &self->part[self->forked - 1]);
	}
	MAG_JOIN(self->rc);
	if (self->rc < 0)
		MAG_RETURN(self->rc);
	*self->solutions = 0;
	for (int i = 0; i < self->forked; i++)
		*self->solutions += self->part[i];
	MAG_RETURN(0);
	MAG_END;
}

struct queens_timed {
	mag_frame frame;
	MAG_ARGS(queens_timed, int n; int *solutions; uint64_t *ns;);
	uint64_t start;
	int64_t rc;
};

static MAG_TASK(queens_timed)
{
	MAG_BEGIN(queens_timed);
	self->start = bench_now_ns();
	MAG_CALL(self->rc, queens, .n = self->n, .row = 0, .solutions = self->solutions);
	*self->ns = bench_now_ns() - self->start;
	MAG_RETURN(self->rc);
	MAG_END;
}

int bench_nqueens(struct bench_run *r)
{
	int n = r->quick ? 10 : QUEENS_MAX, want = r->quick ? 724 : 365596, got = -1;
	uint64_t ns = 0;
	int rc = BENCH_TASKS(r, queens_timed, .n = n, .solutions = &got, .ns = &ns);

	if (rc)
		return rc;
	if (got != want)
		return bench_fail(r, -EBADMSG, "%d solutions for %d queens, not %d", got, n, want);
	r->value = (double)ns / 1e9;
	return 0;
}
