/* SPDX-License-Identifier: MIT */
/* gather.c - a group whose members' results are kept, each in its place.
 *
 * Who:     open, add, end: the task that opens it. Results are stored by the members as they end.
 * Always:  a member stores its result before its end is counted: after the join the owner sees all of them.
 *          The i-th call of add has the i-th place, whether its function was started or not.
 * Pairs:   [balance] task/group.c
 * Not:     a list of results that grows: the caller knows how many there are, or an upper bound. */
#include "task/gather.h"

#include "base/assert.h"
#include "task/group.h"
#include "task/member.h"
#include "task/wait.h"

void magi_gather_open(mag_worker *w, mag_frame *f, mag_gather *g, int64_t *results, size_t n,
		      const struct mag_group_options *options)
{
	magi_group_open(w, f, &g->group, options);
	g->results = results;
	g->room = n;
	g->added = 0;
	for (size_t i = 0; i < n; i++)
		results[i] = MAG_ECANCELED;
}

/* Nothing is started; child: it was made for it, or NULL. */
static mag_frame *refuse(mag_worker *w, mag_frame *f, mag_frame *child, int cls, int rc)
{
	if (child)
		magi_frame_give(w, child, cls);
	return magi_wait_done(w, f, rc);
}

mag_frame *magi_gather_add(mag_worker *w, mag_frame *f, mag_gather *g, mag_frame *child, mag_step_fn step, int cls)
{
	size_t i = g->added;
	struct magi_gathered *slot;

	if (MAGI_UNLIKELY(f->leader != g->group.scope.owner)) {
		magi_misuse("%s:%d: only the task that opened a gather adds to it", f->at->file, f->at->line);
		return refuse(w, f, child, cls, -EPERM);
	}
	if (MAGI_UNLIKELY(g->group.scope.open.kind != MAGI_OPEN_GROUP)) {
		magi_misuse("%s:%d: the gather has ended", f->at->file, f->at->line);
		return refuse(w, f, child, cls, MAG_ECLOSED);
	}
	if (MAGI_UNLIKELY(i == g->room)) {
		magi_misuse("%s:%d: the gather has room for %zu", f->at->file, f->at->line, i);
		return refuse(w, f, child, cls, -EOVERFLOW);
	}
	g->added++;
	if (MAGI_UNLIKELY(!child)) {
		g->results[i] = -ENOMEM;
		magi_member_failed(&g->group, f, (int64_t)i, -ENOMEM);
		return refuse(w, f, NULL, cls, -ENOMEM);
	}
	slot = magi_gathered_of(child, (unsigned)cls);
	MAGI_UNPOISON(slot, sizeof(*slot));
	slot->result = &g->results[i];
	slot->site = f->at;
	return magi_group_start_slotted(w, f, &g->group, child, step, cls);
}

mag_frame *magi_gather_end(mag_worker *w, mag_frame *f, mag_gather *g, enum mag_policy policy)
{
	if (g->group.policy != policy)
		magi_misuse("%s:%d: the end of another kind of gather", f->at->file, f->at->line);
	return magi_group_end(w, f, &g->group);
}

int64_t mag_gather_winner(const mag_gather *g)
{
	return g->group.winner_index;
}
