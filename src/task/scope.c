/* SPDX-License-Identifier: MIT */
/* scope.c - opening and leaving scopes.
 *
 * Who:     the task that opens the scope.
 * Always:  a scope is in the list of its parent from open to end; walkers that cancel hold that list's lock, so after
 *          unlinking nobody is in it.
 *          The leader's CANCEL bit says: the current scope, at the current shield depth, is cancelled.
 * Pairs:   [cancelled], [state]: task/cancel.c, task/wait.h
 * Not:     walking up the scopes at each await: flags are passed down when a scope is cancelled. */
#include "task/scope.h"

#include "base/assert.h"
#include "task/timer.h"
#include "task/wait.h"

static uint8_t depth_of(const mag_frame *leader)
{
	return (uint8_t)((magi_load_rlx(&leader->state) & MAGI_DEPTH_MASK) / MAGI_DEPTH); /* [state] only we change it */
}

bool magi_scope_has_room(const mag_frame *f, unsigned scopes, unsigned shields)
{
	return f->scope->level + scopes <= MAG_SCOPE_DEPTH_MAX && depth_of(f->leader) + shields <= MAG_SHIELD_DEPTH_MAX;
}

void magi_scope_root(mag_scope *s, mag_runtime *rt)
{
	s->rt = rt;
	s->flags = MAGI_SCOPE_ROOT | MAGI_SCOPE_GROUP;
}

void magi_scope_enter(mag_worker *w, mag_scope *s, mag_scope *parent, mag_frame *owner, unsigned flags)
{
	struct magi_shard *shard = &parent->shard;
	unsigned i = parent->flags & MAGI_SCOPE_GROUP ? w->index % MAGI_SHARDS : 0;

	if (i)
		shard = &((mag_group *)(void *)parent)->more[i - 1];
	s->parent = parent;
	s->owner = owner;
	s->rt = parent->rt;
	s->locals = parent->locals;
	s->level = (uint16_t)(parent->level + 1);
	s->depth = owner ? depth_of(owner) + (flags & MAGI_SCOPE_SHIELD ? 1 : 0) : 0;
	s->flags = (uint8_t)flags;
	s->shard = (struct magi_shard){ 0, 0, NULL, NULL };
	s->link.shard = shard;
	magi_lock_acquire((magi_lock *)(void *)&shard->lock);
	s->cancelled = flags & MAGI_SCOPE_SHIELD ? 0 : magi_load_acq(&parent->cancelled); /* [cancelled] */
	if (s->cancelled)
		s->cancelled = MAG_ECANCELED; /* the reason, a deadline say, is the outer scope's */
	s->link.next = shard->scopes;
	s->link.pprev = &shard->scopes;
	if (shard->scopes)
		shard->scopes->link.pprev = &s->link.next;
	shard->scopes = s;
	magi_lock_release((magi_lock *)(void *)&shard->lock);
}

void magi_scope_exit(mag_scope *s)
{
	magi_lock *lock = (magi_lock *)(void *)&s->link.shard->lock;

	magi_scope_disarm(s);
	magi_lock_acquire(lock);
	*s->link.pprev = s->link.next;
	if (s->link.next)
		s->link.next->link.pprev = s->link.pprev;
	magi_lock_release(lock);
}

int mag_cancel_reason(const mag_frame *f)
{
	int why = 0;

	for (const mag_scope *s = f->scope; s; s = s->parent) {
		int its = magi_load_acq(&s->cancelled); /* [cancelled] */

		if (!its)
			break;
		why = its;
		if (its != MAG_ECANCELED || (s->flags & MAGI_SCOPE_SHIELD)) /* its own, not handed down */
			break;
	}
	return why;
}

void magi_open_push(mag_frame *f, struct magi_open *o, unsigned kind)
{
#ifdef MAGPIE_DEBUG
	for (const struct magi_open *e = magi_opened(f); e; e = e->next) {
		if (e == o)
			magi_misuse("%s:%d: what is opened here is open already", f->at->file, f->at->line);
	}
#endif
	o->next = magi_opened(f);
	o->site = f->at;
	o->kind = kind;
	o->closing = 0;
	f->open = o;
	f->flags |= MAGI_OPENED;
}

void magi_open_unlink(mag_frame *f, struct magi_open *o)
{
	struct magi_open **at = &f->open;

	if (!magi_opened(f))
		return;
	while (*at && *at != o)
		at = &(*at)->next;
	if (*at)
		*at = o->next;
	if (!f->open)
		f->flags &= ~MAGI_OPENED;
}

void magi_open_pop(mag_frame *f, struct magi_open *o, const char *what)
{
	struct magi_open *last = magi_opened(f);

	while (last && last->kind == MAGI_OPEN_ERRORS) /* they are in nobody's way */
		last = last->next;
	if (last != o)
		magi_panic(f->at->file, f->at->line, "%s: this one was not opened last (%s:%d was)", what,
			   last ? last->site->file : "nothing", last ? last->site->line : 0);
	magi_open_unlink(f, o);
}

/* The owner's part of opening: it now lives in s. */
void magi_scope_push(mag_frame *f, mag_scope *s)
{
	mag_frame *leader = f->leader;
	uint32_t state = magi_load_rlx(&leader->state); /* [state] */
	uint32_t after;

	f->scope = s;
	if (!(s->flags & MAGI_SCOPE_SHIELD))
		return;
	do
		after = (state + MAGI_DEPTH) & ~(uint32_t)MAGI_CANCEL;
	while (!magi_cas_rlx(&leader->state, &state, after)); /* [state] leaving it acquires what is wiped out here */
}

/* The owner's part of leaving: it lives in the parent again. s is unlinked: its flag is final. */
void magi_scope_pop(mag_frame *f, mag_scope *s)
{
	mag_frame *leader = f->leader;
	uint32_t less = s->flags & MAGI_SCOPE_SHIELD ? MAGI_DEPTH : 0;

	f->scope = s->parent;
	if (!less && !magi_load_rlx(&s->cancelled)) /* [cancelled] */
		return;
	if (less)
		magi_sub_rlx(&leader->state, less); /* [state] */
	magi_and_acq(&leader->state, ~(uint32_t)MAGI_CANCEL); /* [state] */
	/* A canceller sets the flag, then marks: either its mark comes after ours, or we see its flag. */
	if (magi_load_rlx(&s->parent->cancelled)) /* [cancelled] each await asks it again */
		magi_or_rlx(&leader->state, MAGI_CANCEL); /* [state] */
}

void magi_scope_open(mag_worker *w, mag_frame *f, mag_scope *s, uint64_t deadline, unsigned flags)
{
	bool deep = !(flags & MAGI_SCOPE_NEEDED) && f->scope->level >= MAG_SCOPE_DEPTH_MAX;

	if ((flags & (MAGI_SCOPE_SHIELD | MAGI_SCOPE_NEEDED)) == MAGI_SCOPE_SHIELD &&
	    depth_of(f->leader) >= MAG_SHIELD_DEPTH_MAX) {
		deep = true;
		flags = 0;
	}
	magi_open_push(f, &s->open, MAGI_OPEN_SCOPE);
	magi_scope_enter(w, s, f->scope, f->leader, flags);
	magi_scope_push(f, s);
	magi_scope_arm(magi_worker_of(w), s, deadline);
	if (deep) {
		int32_t any = magi_load_rlx(&s->cancelled); /* [cancelled] */

		magi_cas_rlx(&s->cancelled, &any, MAG_EDEPTH); /* [cancelled] it is its own task that is told */
		magi_or_rlx(&f->leader->state, MAGI_CANCEL); /* [state] */
	}
}

int magi_scope_close(mag_frame *f, mag_scope *s)
{
	magi_scope_exit(s);
	magi_open_pop(f, &s->open, "MAG_SCOPE_END");
	magi_scope_pop(f, s);
	return magi_load_rlx(&s->cancelled); /* [cancelled] who set it has let go of it */
}

mag_frame *magi_scope_end(mag_worker *w, mag_frame *f, mag_scope *s)
{
	(void)w;
	f->op.result = magi_scope_close(f, s);
	return f;
}
