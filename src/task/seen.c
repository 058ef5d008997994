/* SPDX-License-Identifier: MIT */
/* seen.c - a look at all tasks of a runtime while they run.
 *
 * What:    the tree of scopes is walked from the background down, under the locks of the member lists, as task/cancel.c
 *          does; what a task does is copied; later, without locks, the copies are arranged as a tree.
 * Who:     any thread that holds no lock.
 * Always:  nothing is written but the locks. Locks are taken scope -> scope inside it.
 *          A frame lies in memory that is a frame of that size until the runtime ends (sched/depot.c), so its header can
 *          be read at any time; what was read is followed only if the frame was in use all the while:
 *          - a task in a member list, and the owner of a scope in one, do not end while that list's lock is held;
 *          - so the frame that forked such a task, and those that called that one, stay: they join it first;
 *          - nor does the frame that waits in the end of such a group: leaving takes the lock;
 *          - the frames of a parked task stay while its state word, with its count of parks, stays the same: it is
 *            compared after each copy, before that is used. A frame's site is static memory.
 *          The memory of a wait queue is the user's, and may be gone: that is read by way of the kernel.
 * Pairs:   [state] task/wait.h; the copies are plain reads that race with the task on purpose (base/peek.h)
 * Not:     stopping the workers: who asks why a server is slow does not want it to stand still. */
#include "task/seen.h"

#include <errno.h>

#include "base/alloc.h"
#include "base/peek.h"
#include "task/scope.h"
#include "task/tree.h"
#include "task/group.h"
#include "task/wait.h"

enum {
	TRIES = 4,
	FRAMES_MAX = 4096, /* of one chain of calls */
	SCOPES_DEEP = 128, /* scopes within one another; each takes some of the stack */
	TABLE = 2 * MAGI_SEEN_MAX
};

static magi_lock *lock_of(struct magi_shard *s)
{
	return (magi_lock *)(void *)&s->lock;
}

/* The table of keys. */

static uint32_t hash(const void *key)
{
	return (uint32_t)(((uintptr_t)key >> 4) * UINT64_C(0x9e3779b97f4a7c15) >> 32) % TABLE;
}

int32_t magi_look_find(const struct magi_look *l, const void *key)
{
	int32_t i = key ? l->table[hash(key)] - 1 : MAGI_SEEN_NONE;

	while (i != MAGI_SEEN_NONE && l->seen[i].key != key)
		i = l->seen[i].same;
	return i;
}

/* A new entry, or NULL: there is one, or no room. */
static struct magi_seen *add(struct magi_look *l, const void *key)
{
	struct magi_seen *r;
	int32_t *at = &l->table[hash(key)];

	if (magi_look_find(l, key) != MAGI_SEEN_NONE)
		return NULL;
	if (l->n == MAGI_SEEN_MAX) {
		l->more = true;
		return NULL;
	}
	r = &l->seen[l->n];
	*r = (struct magi_seen){ .key = key, .same = *at - 1, .fd = -1 };
	r->up = r->first = r->next = MAGI_SEEN_NONE;
	*at = (int32_t)++l->n;
	return r;
}

/* One task. */

static void add_call(struct magi_seen *r, const mag_site *site)
{
	r->site[r->calls < MAGI_SEEN_CALLS ? r->calls : MAGI_SEEN_CALLS - 1] = site;
	r->calls++;
}

/* A chain of calls that cannot end now. */
static void climb_held(struct magi_seen *r, const mag_frame *leaf, const mag_frame *leader)
{
	mag_frame f;

	r->calls = 0;
	for (int i = 0; leaf && i < FRAMES_MAX; i++) {
		magi_peek(&f, leaf, sizeof(f));
		add_call(r, f.at);
		if (leaf == leader)
			return;
		leaf = f.parent;
	}
}

static bool still(mag_frame *leader, uint32_t before)
{
	magi_fence_seq(&leader->state); /* [state] what was copied before was so before this look */
	return magi_load_acq(&leader->state) == before; /* [state] */
}

/* The task may have ended meanwhile, and its frame be a free one. */
bool magi_seen_still(const struct magi_seen *r)
{
	mag_frame *leader = (mag_frame *)(uintptr_t)r->key;
	mag_frame now;

	magi_fence_seq(&leader->state); /* [state] what was copied before was so before this look */
	magi_peek(&now, leader, sizeof(now));
	return now.state == r->state;
}

/* The chain of calls of a parked task, from the frame that waits; false: the task has gone on meanwhile. */
static bool climb(struct magi_seen *r, mag_frame *leader, uint32_t before, const mag_frame *leaf)
{
	mag_frame f;

	r->calls = 0;
	for (int i = 0; leaf && i < FRAMES_MAX; i++) {
		magi_peek(&f, leaf, sizeof(f));
		if (!still(leader, before) || f.leader != leader)
			return false;
		if (i == 0 && (before & MAGI_PARKED)) {
			r->on = before & MAGI_TIMED ? NULL : f.op.wait.on;
			r->deadline = before & MAGI_TIMED ? f.op.timer.deadline : 0;
		}
		add_call(r, f.at);
		if (leaf == leader)
			return true;
		leaf = f.parent;
	}
	return leaf != NULL;
}

/* The frame that waits for the operation of this name, or NULL. */
static const mag_frame *waits_for(struct magi_look *l, uint64_t token, int *fd)
{
	uint32_t worker = magi_token_worker(token);
	const struct magi_slot *at = worker < l->rt->n ? magi_slot_look(&l->rt->workers[worker]->slots, token) : NULL;
	struct magi_slot slot;

	if (!at)
		return NULL;
	magi_peek(&slot, at, sizeof(slot));
	*fd = slot.req.fd;
	return slot.generation == (uint32_t)token ? slot.frame : NULL;
}

/* What a thread outside has started runs as the callee of a task of ours, next to whose header its frame is named. Unlike
 * other callees it can be asked for without being found waiting: a frame that has been freed has another parent. */
static void add_entered(struct magi_seen *r, mag_frame *leader)
{
	const mag_frame *callee;
	mag_frame f, again;

	magi_peek(&callee, leader + 1, sizeof(callee));
	magi_peek(&f, callee, sizeof(f));
	magi_fence_seq(&leader->state); /* [state] the second look comes after the first */
	magi_peek(&again, callee, sizeof(again));
	if (f.parent == leader && again.parent == leader)
		add_call(r, f.at);
}

static bool look_once(struct magi_look *l, struct magi_seen *r, mag_frame *leader)
{
	uint32_t before = magi_load_acq(&leader->state); /* [state] */
	const mag_frame *leaf = NULL;
	mag_frame f;

	magi_peek(&f, leader, sizeof(f));
	r->state = before;
	r->stamp = f.id;
	r->cancelled = before & MAGI_CANCEL;
	r->how = before & MAGI_PARKED_IO ? MAGI_SEEN_IO
		 : !(before & MAGI_PARKED) ? MAGI_SEEN_RUNS
		 : before & MAGI_TIMED     ? MAGI_SEEN_SLEEPS
					   : MAGI_SEEN_WAITS;
	if (before & MAGI_PARKED_IO)
		leaf = waits_for(l, f.q.token, &r->fd);
	else if (before & MAGI_PARKED)
		leaf = f.q.leaf;
	if (leaf && still(leader, before) && climb(r, leader, before, leaf))
		return true;
	r->calls = 0;
	if (f.at == &magi_tree_entrance)
		add_entered(r, leader);
	add_call(r, f.at);
	return r->how == MAGI_SEEN_RUNS;
}

/* The scope that a task was born in, from one in which it, or a child that it forked, is. */
static mag_scope *birth_of(const mag_frame *leader, mag_scope *s)
{
	while (s->owner == leader)
		s = s->parent;
	return s;
}

/* The scope of a handle is not shown, nor that of a group which nobody lives in. */
static const void *shown(const mag_scope *s)
{
	while ((s->flags & MAGI_SCOPE_HANDLE) || (!s->owner && s->parent))
		s = s->parent;
	return s->flags & MAGI_SCOPE_ROOT ? NULL : s;
}

/* A task that is not parked may wait in a join: then this frame of it does. */
static void climb_to_fork(struct magi_seen *r, const mag_frame *forks, const mag_frame *leader)
{
	if (forks && r->how == MAGI_SEEN_RUNS)
		climb_held(r, forks, leader);
}

/* Sees a task, and those that have forked it: they may not have waited themselves yet. within: a scope in which it is. */
static void see_task(struct magi_look *l, mag_frame *leader, mag_scope *within)
{
	const mag_frame *forks = NULL; /* the frame of it that has forked the one before */
	struct magi_seen *r;

	while ((r = add(l, leader))) {
		mag_scope *birth = birth_of(leader, within);
		mag_frame f, parent;

		for (int i = 0; i < TRIES && !look_once(l, r, leader); i++)
			r->moves = i == TRIES - 1;
		climb_to_fork(r, forks, leader);
		r->above = shown(birth);
		magi_peek(&f, leader, sizeof(f));
		if ((f.flags & MAGI_KIND) != MAGI_FORK)
			return;
		magi_peek(&parent, f.parent, sizeof(parent));
		if (birth->owner != parent.leader)
			r->above = parent.leader;
		forks = f.parent;
		leader = parent.leader;
		within = birth;
	}
	if (magi_look_find(l, leader) != MAGI_SEEN_NONE)
		climb_to_fork(&l->seen[magi_look_find(l, leader)], forks, leader);
}

/* One scope. */

static void see_group(struct magi_seen *r, const mag_scope *s)
{
	mag_group g;

	magi_peek(&g, s, sizeof(g));
	r->group = true;
	r->limit = magi_group_limit(&g);
	r->members = (g.joiner ? g.balance : g.balance + 2 * g.started) / 2;
}

/* It is in a list whose lock is held. */
static void see_scope(struct magi_look *l, mag_scope *at)
{
	struct magi_seen *r;
	mag_scope s;
	mag_group g;
	int32_t owner;

	magi_peek(&s, at, sizeof(s));
	if ((s.flags & MAGI_SCOPE_HANDLE) || !s.owner)
		return;
	see_task(l, s.owner, s.parent);
	r = add(l, at);
	if (!r)
		return;
	r->how = MAGI_SEEN_SCOPE;
	r->above = s.parent->owner == s.owner ? s.parent : (const void *)s.owner;
	r->shield = s.flags & MAGI_SCOPE_SHIELD;
	r->cancelled = s.cancelled;
	r->deadline = s.armed ? s.timer.deadline : 0;
	add_call(r, s.open.site);
	if (!(s.flags & MAGI_SCOPE_GROUP))
		return;
	see_group(r, at);
	magi_peek(&g, at, sizeof(g));
	owner = magi_look_find(l, s.owner);
	if (!g.joiner || owner == MAGI_SEEN_NONE || l->seen[owner].how != MAGI_SEEN_RUNS)
		return;
	l->seen[owner].how = MAGI_SEEN_JOINS;
	climb_held(&l->seen[owner], g.joiner, s.owner);
}

/* All. */

static void walk(struct magi_look *l, mag_scope *scope, int depth);

static void walk_shard(struct magi_look *l, mag_scope *scope, struct magi_shard *shard, int depth)
{
	if (l->locks)
		magi_lock_acquire(lock_of(shard));
	for (mag_scope *s = shard->scopes; s && !l->more; s = s->link.next) {
		see_scope(l, s);
		walk(l, s, depth + 1);
	}
	for (mag_frame *f = shard->tasks; f && !l->more; f = f->link.next)
		see_task(l, f, scope);
	if (l->locks)
		magi_lock_release(lock_of(shard));
}

static void walk(struct magi_look *l, mag_scope *scope, int depth)
{
	if (depth > SCOPES_DEEP) {
		l->more = true;
		return;
	}
	walk_shard(l, scope, &scope->shard, depth);
	if (scope->flags & MAGI_SCOPE_GROUP) {
		mag_group *g = (mag_group *)(void *)scope;

		for (int i = 0; i < MAGI_SHARDS - 1; i++)
			walk_shard(l, scope, &g->more[i], depth);
	}
}

/* Who holds what the task waits for. The queue's memory may be gone by now, or be something else. */
static void find_holder(struct magi_seen *r)
{
	struct magi_waitq q;
	uint64_t word;

	if (r->how != MAGI_SEEN_WAITS || !r->on || !magi_peek_safely(&q, r->on, sizeof(q)))
		return;
	if (q.gone != magi_waitq_held && q.gone != magi_waitq_held_served)
		return;
	if (!magi_peek_safely(&word, (const char *)r->on - MAGI_HOLDER_BEFORE, sizeof(word)))
		return;
	if (q.gone == magi_waitq_held || !(word & MAGI_HOLDERS))
		r->holder = (const void *)(uintptr_t)(word & ~(uint64_t)MAGI_HOLDER_BITS);
}

/* The lists have the newest first; here the oldest comes first. */
static void arrange(struct magi_look *l)
{
	l->first = MAGI_SEEN_NONE;
	for (uint32_t i = 0; i < l->n; i++) {
		struct magi_seen *r = &l->seen[i];
		int32_t *list = &l->first;

		find_holder(r);
		r->up = magi_look_find(l, r->above);
		if (r->above && r->up == MAGI_SEEN_NONE)
			r->moves = true;
		if (r->up != MAGI_SEEN_NONE)
			list = &l->seen[r->up].first;
		r->next = *list;
		*list = (int32_t)i;
	}
}

int magi_look_begin(struct magi_look *l, mag_runtime *rt, bool locks)
{
	*l = (struct magi_look){ .rt = rt, .locks = locks };
	l->table = magi_zalloc(TABLE * sizeof(*l->table));
	l->seen = magi_alloc(MAGI_SEEN_MAX * sizeof(*l->seen));
	if (!l->table || !l->seen) {
		magi_look_end(l);
		return -ENOMEM;
	}
	walk(l, &rt->background.scope, 0);
	arrange(l);
	return 0;
}

void magi_look_end(struct magi_look *l)
{
	magi_free(l->table);
	magi_free(l->seen);
}

int32_t magi_look_next(const struct magi_look *l, int32_t i)
{
	if (i == MAGI_SEEN_NONE)
		return l->first;
	if (l->seen[i].first != MAGI_SEEN_NONE)
		return l->seen[i].first;
	while (i != MAGI_SEEN_NONE && l->seen[i].next == MAGI_SEEN_NONE)
		i = l->seen[i].up;
	return i == MAGI_SEEN_NONE ? i : l->seen[i].next;
}
