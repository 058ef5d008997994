/* SPDX-License-Identifier: MIT */
/* slot.c - operations under way; slot.h has the rules. */
#include "sched/slot.h"

#include <magpie/impl/atomic.h>

#include "base/alloc.h"

static struct magi_slot *slot_at(struct magi_slots *t, uint32_t index)
{
	struct magi_slot *chunk;

	if (index >= MAGI_SLOT_CHUNK * MAGI_SLOT_CHUNKS)
		return NULL;
	chunk = magi_load_acq(&t->chunk[index / MAGI_SLOT_CHUNK]); /* [slotchunk] */
	return chunk ? &chunk[index % MAGI_SLOT_CHUNK] : NULL;
}

struct magi_slot *magi_slot_take(struct magi_slots *t)
{
	struct magi_slot *s;

	if (magi_fault_again())
		return NULL;
	if (t->free) {
		s = slot_at(t, t->free - 1);
		t->free = s->next_free;
	} else {
		uint32_t index = t->fresh;

		if (index % MAGI_SLOT_CHUNK == 0) {
			struct magi_slot *chunk;

			if (index / MAGI_SLOT_CHUNK >= MAGI_SLOT_CHUNKS)
				return NULL;
			chunk = magi_zalloc(MAGI_SLOT_CHUNK * sizeof(*chunk));
			if (!chunk)
				return NULL;
			magi_store_rel(&t->chunk[index / MAGI_SLOT_CHUNK], chunk); /* [slotchunk] */
		}
		s = slot_at(t, index);
		s->index = index;
		s->generation = 1;
		t->fresh++;
	}
	magi_store_rlx(&t->used, t->used + 1); /* [stat] */
	s->next_free = UINT32_MAX;
	return s;
}

void magi_slot_give(struct magi_slots *t, struct magi_slot *s)
{
	if (++s->generation == 0)
		s->generation = 1;
	s->next_free = t->free;
	t->free = s->index + 1;
	magi_store_rlx(&t->used, t->used - 1); /* [stat] */
}

struct magi_slot *magi_slot_find(struct magi_slots *t, uint64_t token)
{
	struct magi_slot *s = slot_at(t, (uint32_t)(token >> 32) & 0xffffff);

	return s && s->generation == (uint32_t)token && s->next_free == UINT32_MAX ? s : NULL;
}

const struct magi_slot *magi_slot_look(struct magi_slots *t, uint64_t token)
{
	return slot_at(t, (uint32_t)(token >> 32) & 0xffffff);
}

void magi_slot_mail(struct magi_slots *t, uint64_t token)
{
	struct magi_slot *s = slot_at(t, (uint32_t)(token >> 32) & 0xffffff);
	uint32_t generation = (uint32_t)token;
	uint32_t old, head;

	if (!s || !generation) /* no operation's name: 0 in `mail` is "none", and would be pushed again and again */
		return;
	old = magi_load_acq(&s->mail); /* [mail] */
	do {
		if (old && (int32_t)(generation - old) <= 0)
			return; /* the same, or a later operation, is asked for already */
	} while (!magi_cas_ar(&s->mail, &old, generation)); /* [mail] */
	if (old)
		return; /* it is in the stack */
	head = magi_load_acq(&t->mailed); /* [mail] */
	do
		s->next_mail = head;
	while (!magi_cas_seq(&t->mailed, &head, s->index + 1)); /* [mail] */
}

void magi_slot_read_mail(struct magi_slots *t, void (*cancel)(struct magi_slot *s, void *ctx), void *ctx)
{
	uint32_t at;

	if (!magi_load_acq(&t->mailed)) /* [mail] */
		return;
	at = magi_xchg_ar(&t->mailed, 0u); /* [mail] */
	while (at) {
		struct magi_slot *s = slot_at(t, at - 1);
		uint32_t generation;

		at = s->next_mail;
		generation = magi_xchg_ar(&s->mail, 0u); /* [mail] from here on it may be pushed again */
		if (generation == s->generation && s->next_free == UINT32_MAX)
			cancel(s, ctx);
	}
}

void magi_slot_each(struct magi_slots *t, void (*call)(struct magi_slot *s, void *ctx), void *ctx)
{
	for (uint32_t i = 0; i < t->fresh; i++) {
		struct magi_slot *s = slot_at(t, i);

		if (s->next_free == UINT32_MAX)
			call(s, ctx);
	}
}

void magi_slots_fini(struct magi_slots *t)
{
	for (uint32_t c = 0; c < MAGI_SLOT_CHUNKS && t->chunk[c]; c++)
		magi_free(t->chunk[c]);
}
