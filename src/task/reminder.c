/* SPDX-License-Identifier: MIT */
/* reminder.c - debug mode's memory; reminder.h has the rules. */
#include "task/reminder.h"

#include "base/alloc.h"

static uint32_t bucket_of(const void *whose)
{
	return (uint32_t)((uint64_t)(uintptr_t)whose / 16 * UINT64_C(0x9e3779b97f4a7c15) >> 32) % MAGI_REMINDER_BUCKETS;
}

void magi_reminder_put(struct magi_reminders *all, const void *what, const void *whose, const mag_site *site,
		       int64_t code)
{
	struct magi_reminder *n = magi_alloc(sizeof(*n));
	uint32_t b = bucket_of(whose);

	if (!n)
		return;
	*n = (struct magi_reminder){ .what = what, .whose = whose, .site = site, .code = code, .count = 1 };
	magi_lock_acquire(&all->bucket[b].lock);
	n->next = all->bucket[b].first;
	all->bucket[b].first = n;
	magi_lock_release(&all->bucket[b].lock);
}

void magi_reminder_add(struct magi_reminders *all, const void *what, const void *whose, const mag_site *site,
		       int64_t code)
{
	uint32_t b = bucket_of(whose);
	struct magi_reminder *n;

	magi_lock_acquire(&all->bucket[b].lock);
	n = all->bucket[b].first;
	while (n && (n->whose != whose || n->what != what))
		n = n->next;
	if (n && n->count < UINT32_MAX)
		n->count++;
	magi_lock_release(&all->bucket[b].lock);
	if (!n) /* who comes at the same time may make another: no harm */
		magi_reminder_put(all, what, whose, site, code);
}

uint32_t magi_reminder_notes(struct magi_reminders *all, const void *whose, uint32_t most)
{
	uint32_t b = bucket_of(whose), count = 0;

	magi_lock_acquire(&all->bucket[b].lock);
	for (const struct magi_reminder *n = all->bucket[b].first; n && count < most; n = n->next)
		count += n->whose == whose;
	magi_lock_release(&all->bucket[b].lock);
	return count;
}

bool magi_reminder_move(struct magi_reminders *all, const void *what, const void *whose, const mag_site *site,
			int64_t code)
{
	uint32_t b = bucket_of(whose);
	struct magi_reminder *n;

	magi_lock_acquire(&all->bucket[b].lock);
	n = all->bucket[b].first;
	while (n && (n->whose != whose || n->what != what || n->code != code))
		n = n->next;
	if (n)
		n->site = site;
	magi_lock_release(&all->bucket[b].lock);
	return n != NULL;
}

bool magi_reminder_take(struct magi_reminders *all, const void *what, const void *whose, struct magi_reminder *note)
{
	uint32_t b = bucket_of(whose);
	struct magi_reminder **at, *n;

	magi_lock_acquire(&all->bucket[b].lock);
	at = &all->bucket[b].first;
	while ((n = *at) && (n->whose != whose || (what && n->what != what)))
		at = &n->next;
	if (n)
		*note = *n;
	if (n && --n->count == 0)
		*at = n->next;
	else
		at = NULL; /* it stays, or there is none */
	magi_lock_release(&all->bucket[b].lock);
	if (at)
		magi_free(n);
	return n != NULL;
}

uint32_t magi_reminder_take_all(struct magi_reminders *all, const void *whose, struct magi_reminder *first)
{
	struct magi_reminder **at, *n, *taken = NULL;
	uint32_t b = bucket_of(whose), count = 0;

	magi_lock_acquire(&all->bucket[b].lock);
	for (at = &all->bucket[b].first; (n = *at);) {
		if (n->whose != whose) {
			at = &n->next;
			continue;
		}
		*at = n->next;
		n->next = taken;
		taken = n;
	}
	magi_lock_release(&all->bucket[b].lock);
	if (taken)
		*first = *taken; /* the last of the list */
	while ((n = taken)) {
		count = n->count > UINT32_MAX - count ? UINT32_MAX : count + n->count;
		taken = n->next;
		magi_free(n);
	}
	return count;
}

void magi_reminders_fini(struct magi_reminders *all)
{
	for (int b = 0; b < MAGI_REMINDER_BUCKETS; b++) {
		while (all->bucket[b].first) {
			struct magi_reminder *n = all->bucket[b].first;

			all->bucket[b].first = n->next;
			magi_free(n);
		}
	}
}
