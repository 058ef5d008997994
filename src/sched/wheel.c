/* SPDX-License-Identifier: MIT */
/* wheel.c - a worker's timers (wheel.h answers the five questions). */
#include "sched/wheel.h"

#include <string.h>

enum {
	LOW_SLOTS = 1 << MAGI_WHEEL_LOW_BITS,
	HIGH_SLOTS = 1 << MAGI_WHEEL_HIGH_BITS,
	RING_BITS = 3, /* of a timer's `slot` */
};

#define LAST_TICK (UINT64_MAX >> MAGI_WHEEL_TICK_BITS)

MAGI_ASSERT_STATIC(MAGI_WHEEL_TICK_BITS + MAGI_WHEEL_LOW_BITS + (MAGI_WHEEL_LEVELS - 1) * MAGI_WHEEL_HIGH_BITS >= 64,
		   "the levels span the clock");
MAGI_ASSERT_STATIC(MAGI_WHEEL_RINGS <= 1 << RING_BITS && MAGI_WHEEL_NEVER < 1 << (16 - RING_BITS),
		   "slot and ring fit a timer");
MAGI_ASSERT_STATIC(MAGI_WHEEL_SLOTS % 64 == 0 && MAGI_WHEEL_WORDS <= 16, "the bitmap fits its summary");

struct firing {
	uint64_t now;
	void (*fire)(magi_timer *t, void *ctx);
	void *ctx;
	size_t count;
};

static uint64_t tick_of(uint64_t ns)
{
	return ns >> MAGI_WHEEL_TICK_BITS;
}

/* The one place of a deadline, seen from the wheel's tick. */
static unsigned slot_of(const struct magi_wheel *wh, uint64_t deadline)
{
	uint64_t tick = tick_of(deadline), differ = tick ^ wh->tick;
	unsigned high, digit;

	if (deadline == UINT64_MAX)
		return MAGI_WHEEL_NEVER;
	if (tick <= wh->tick)
		return (unsigned)(wh->tick % LOW_SLOTS);
	if (differ < LOW_SLOTS)
		return (unsigned)(tick % LOW_SLOTS);
	high = (63 - (unsigned)__builtin_clzll(differ >> MAGI_WHEEL_LOW_BITS)) / MAGI_WHEEL_HIGH_BITS;
	digit = (unsigned)(tick >> (MAGI_WHEEL_LOW_BITS + high * MAGI_WHEEL_HIGH_BITS)) % HIGH_SLOTS;
	return LOW_SLOTS + high * HIGH_SLOTS + digit;
}

/* The tick at which an occupied slot begins. */
static uint64_t begin_of(const struct magi_wheel *wh, unsigned slot)
{
	unsigned high, shift;

	if (slot < LOW_SLOTS)
		return wh->tick / LOW_SLOTS * LOW_SLOTS + slot;
	high = (slot - LOW_SLOTS) / HIGH_SLOTS;
	shift = MAGI_WHEEL_LOW_BITS + high * MAGI_WHEEL_HIGH_BITS;
	return ((wh->tick >> shift) / HIGH_SLOTS * HIGH_SLOTS + (slot - LOW_SLOTS) % HIGH_SLOTS) << shift;
}

/* The occupied slot with the earliest timer, MAGI_WHEEL_NEVER when none will fire. */
static unsigned first_slot(const struct magi_wheel *wh)
{
	unsigned word;

	if (!wh->words)
		return MAGI_WHEEL_NEVER;
	word = (unsigned)__builtin_ctz(wh->words);
	return word * 64 + (unsigned)__builtin_ctzll(wh->occupied[word]);
}

static void mark_occupied(struct magi_wheel *wh, unsigned slot)
{
	wh->occupied[slot / 64] |= UINT64_C(1) << slot % 64;
	wh->words |= (uint16_t)(1u << slot / 64);
}

static void mark_empty(struct magi_wheel *wh, unsigned slot)
{
	wh->occupied[slot / 64] &= ~(UINT64_C(1) << slot % 64);
	if (!wh->occupied[slot / 64])
		wh->words &= (uint16_t) ~(1u << slot / 64);
}

static void link_nolock(struct magi_wheel *wh, magi_timer *t)
{
	unsigned slot = slot_of(wh, t->deadline), ring;
	struct magi_wheel_slot *s = &wh->slots[slot];
	magi_timer *head;

	if (s->count++ == 0) {
		mark_occupied(wh, slot);
		s->earliest = t->deadline;
		s->turn = 0;
	} else if (t->deadline < s->earliest) {
		s->earliest = t->deadline;
	}
	ring = s->turn;
	s->turn = ring + 1 < MAGI_WHEEL_RINGS ? ring + 1 : 0;
	t->slot = (uint16_t)(slot << RING_BITS | ring);
	head = s->ring[ring];
	if (!head) {
		s->ring[ring] = t->next = t->prev = t;
		return;
	}
	t->next = head;
	t->prev = head->prev;
	head->prev->next = t;
	head->prev = t;
}

/* True when its slot is empty now. */
static bool unlink_nolock(struct magi_wheel *wh, magi_timer *t)
{
	unsigned slot = t->slot >> RING_BITS, ring = t->slot & ((1u << RING_BITS) - 1);
	struct magi_wheel_slot *s = &wh->slots[slot];

	if (s->ring[ring] == t)
		s->ring[ring] = t->next == t ? NULL : t->next;
	t->next->prev = t->prev;
	t->prev->next = t->next;
	if (--s->count)
		return false;
	mark_empty(wh, slot);
	return true;
}

static void count_nolock(struct magi_wheel *wh, size_t more)
{
	size_t armed = magi_load_rlx(&wh->armed); /* [own] */

	magi_store_rel(&wh->armed, armed + more); /* [armed] */
}

static uint64_t earliest_nolock(const struct magi_wheel *wh)
{
	unsigned slot = first_slot(wh);

	return slot == MAGI_WHEEL_NEVER ? UINT64_MAX : wh->slots[slot].earliest;
}

/* Stores only what differs: other workers look at that line. */
static void set_next(struct magi_wheel *wh, uint64_t next)
{
	if (magi_load_rlx(&wh->next) != next)    /* [own] */
		magi_store_rel(&wh->next, next); /* [next] */
}

/* The tick may lag behind the time: new timers then lie higher than they need to. It is let to by a quarter of level 0,
 * which was picked, not measured. */
static void set_tick(struct magi_wheel *wh, uint64_t tick)
{
	uint64_t stale = tick + LOW_SLOTS / 4;

	wh->tick = tick;
	stale = stale <= LAST_TICK ? stale << MAGI_WHEEL_TICK_BITS : UINT64_MAX;
	if (magi_load_rlx(&wh->stale) != stale)    /* [own] */
		magi_store_rel(&wh->stale, stale); /* [next] */
}

void magi_wheel_init(struct magi_wheel *wh, uint16_t id, uint64_t now)
{
	memset(wh, 0, sizeof *wh);
	wh->id = id;
	set_next(wh, UINT64_MAX);
	set_tick(wh, tick_of(now));
}

void magi_wheel_add(struct magi_wheel *wh, magi_timer *t, uint64_t deadline)
{
	t->deadline = deadline;
	magi_lock_acquire(&wh->lock);
	link_nolock(wh, t);
	magi_store_rel(&t->wheel, wh->id); /* [armed] */
	count_nolock(wh, 1);
	if (deadline < magi_load_rlx(&wh->next)) /* [own] */
		set_next(wh, deadline);
	magi_lock_release(&wh->lock);
}

bool magi_wheel_remove(struct magi_wheel *wh, magi_timer *t)
{
	bool here;

	magi_lock_acquire(&wh->lock);
	here = magi_timer_wheel(t) == wh->id;
	if (here) {
		if (unlink_nolock(wh, t)) /* else its slot's `earliest` is what it was */
			set_next(wh, earliest_nolock(wh));
		magi_store_rel(&t->wheel, (uint16_t)0); /* [armed] */
		count_nolock(wh, (size_t)-1);
	}
	magi_lock_release(&wh->lock);
	return here;
}

/* Takes all out of a slot that the wheel's tick has entered: at level 0 what is due fires, the rest gets its new place.
 * What is due at a higher level goes by level 0 too, which keeps a late expire in the order of ticks. */
static void empty_slot(struct magi_wheel *wh, unsigned slot, struct firing *f)
{
	struct magi_wheel_slot *s = &wh->slots[slot];
	magi_timer *at[MAGI_WHEEL_RINGS], *t;
	unsigned ring;
	uint32_t left = s->count;

	for (ring = 0; ring < MAGI_WHEEL_RINGS; ring++) {
		at[ring] = s->ring[ring];
		s->ring[ring] = NULL;
		if (at[ring])
			at[ring]->prev->next = NULL;
	}
	s->count = 0;
	mark_empty(wh, slot);
	for (ring = 0; left; ring = ring + 1 < MAGI_WHEEL_RINGS ? ring + 1 : 0) {
		t = at[ring];
		if (!t)
			continue;
		left--;
		at[ring] = t->next; /* now: a timer that has fired is no longer ours */
		if (at[ring]) {
			__builtin_prefetch(at[ring], 1);
			__builtin_prefetch((char *)at[ring] - 64, 1); /* where its task's state is */
		}
		if (slot < LOW_SLOTS && t->deadline <= f->now) {
			magi_store_rel(&t->wheel, (uint16_t)0); /* [armed] */
			f->count++;
			f->fire(t, f->ctx);
		} else {
			link_nolock(wh, t);
		}
	}
}

/* Moves the wheel's tick to the time, by way of the occupied slots that it enters: empty time costs nothing. */
static void advance(struct magi_wheel *wh, struct firing *f)
{
	uint64_t until = tick_of(f->now), begin;
	unsigned slot;

	if (until < wh->tick)
		until = wh->tick; /* another worker was here with a later reading of the clock */
	while ((slot = first_slot(wh)) != MAGI_WHEEL_NEVER) {
		begin = begin_of(wh, slot);
		if (begin > until || (slot < LOW_SLOTS && wh->slots[slot].earliest > f->now))
			break;
		wh->tick = begin;
		empty_slot(wh, slot, f);
	}
	set_tick(wh, until);
}

size_t magi_wheel_expire(struct magi_wheel *wh, uint64_t now, void (*fire)(magi_timer *t, void *ctx), void *ctx)
{
	struct firing f = { .now = now, .fire = fire, .ctx = ctx };

	if (now < magi_wheel_next(wh) && now < magi_load_acq(&wh->stale)) /* [next] */
		return 0;
	magi_lock_acquire(&wh->lock);
	advance(wh, &f);
	if (f.count)
		count_nolock(wh, (size_t)0 - f.count);
	set_next(wh, earliest_nolock(wh));
	magi_lock_release(&wh->lock);
	return f.count;
}
