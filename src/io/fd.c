/* SPDX-License-Identifier: MIT */
/* fd.c - the table of open files; fd.h has the rules. */
#include "io/fd.h"

#include <errno.h>
#include <magpie/impl/atomic.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "base/sys.h"

static struct magi_fd *record_at(struct magi_fds *t, uint32_t index)
{
	struct magi_fd *chunk;

	if (index >= MAGI_FD_CHUNK * MAGI_FD_CHUNKS)
		return NULL;
	chunk = magi_load_acq(&t->chunk[index / MAGI_FD_CHUNK]); /* [fdchunk] */
	return chunk ? &chunk[index % MAGI_FD_CHUNK] : NULL;
}

static uint32_t generation(uint64_t word)
{
	return (uint32_t)(word >> 32);
}

static int add_chunk_locked(struct magi_fds *t)
{
	struct magi_fd *chunk;

	if (t->fresh / MAGI_FD_CHUNK >= MAGI_FD_CHUNKS)
		return -EMFILE;
	chunk = magi_zalloc(MAGI_FD_CHUNK * sizeof(*chunk));
	if (!chunk)
		return -ENOMEM;
	for (int i = 0; i < MAGI_FD_CHUNK; i++)
		chunk[i].turn[0].gone = chunk[i].turn[1].gone = t->gone;
	magi_store_rel(&t->chunk[t->fresh / MAGI_FD_CHUNK], chunk); /* [fdchunk] */
	return 0;
}

int magi_fds_add(struct magi_fds *t, int raw, mag_fd *fd)
{
	struct magi_fd *r;
	uint32_t index, gen;
	int rc = 0;

	if (magi_fault_again())
		return -ENOMEM;
	magi_lock_acquire(&t->lock);
	if (t->free) {
		index = t->free - 1;
		r = record_at(t, index);
		t->free = r->next_free;
	} else {
		if (t->fresh % MAGI_FD_CHUNK == 0)
			rc = add_chunk_locked(t);
		if (rc < 0) {
			magi_lock_release(&t->lock);
			return rc;
		}
		index = t->fresh++;
		r = record_at(t, index);
	}
	magi_lock_release(&t->lock);
	gen = generation(magi_load_rlx(&r->word)) + 1; /* [fd] nobody else has the record */
	if (gen == 0)
		gen = 1;
	r->raw = raw;
	r->index = index;
	r->closer = NULL;
	r->made = NULL;
	magi_store_rlx(&r->rings, 0); /* [fdrings] */
	(void)magi_xchg_ar(&r->word, (uint64_t)gen << 32 | MAGI_FD_OPEN); /* [fd] */
	magi_add_rlx(&t->open, 1); /* [stat] */
	*fd = (mag_fd){ index, gen };
	return 0;
}

struct magi_fd *magi_fds_find(struct magi_fds *t, mag_fd fd)
{
	struct magi_fd *r = record_at(t, fd.index);

	if (!r || fd.generation == 0)
		return NULL;
	return generation(magi_load_acq(&r->word)) == fd.generation ? r : NULL; /* [fd] */
}

void magi_fd_made(struct magi_fds *t, mag_fd fd, const mag_site *site)
{
	struct magi_fd *r = magi_fds_find(t, fd);

	if (r)
		r->made = site;
}

uint64_t magi_fd_identity(const struct magi_fd *r)
{
	return (uint64_t)generation(magi_load_rlx(&r->word)) << 32 | r->index; /* [fd] it cannot change under a reference */
}

int magi_fd_begin(struct magi_fd *r, mag_fd fd, uint32_t direction, uint32_t worker)
{
	uint64_t word;
	uint64_t bit = UINT64_C(1) << worker;

	/* Before the reference: whoever closes after it sees the bit, and mails this worker. */
	if (!(magi_load_rlx(&r->rings) & bit)) /* [fdrings] */
		magi_or_ar(&r->rings, bit); /* [fdrings] */
	word = magi_load_acq(&r->word); /* [fd] */
	do {
		if (generation(word) != fd.generation || !(word & MAGI_FD_OPEN) || (word & MAGI_FD_CLOSING))
			return MAG_ECLOSED;
		if (word & direction)
			return MAGI_FD_WAIT;
	} while (!magi_cas_ar(&r->word, &word, (word | direction) + MAGI_FD_REF)); /* [fd] */
	return MAGI_FD_GO;
}

static uint32_t turn_index(uint32_t direction)
{
	return direction == MAGI_FD_WRITING;
}

void magi_fd_tell(struct magi_fd *r, uint32_t direction, uint64_t token)
{
	magi_store_rel(&r->token[turn_index(direction)], token); /* [fdtoken] */
}

int magi_fd_tokens(const struct magi_fd *r, uint64_t token[2])
{
	uint64_t word = magi_load_acq(&r->word); /* [fd] */
	int n = 0;

	for (uint32_t direction = MAGI_FD_READING; direction <= MAGI_FD_WRITING; direction <<= 1) {
		if (!(word & direction))
			continue;
		token[n] = magi_load_acq(&r->token[turn_index(direction)]); /* [fdtoken] */
		n += token[n] != 0;
	}
	return (word & MAGI_FD_REFS) == (uint64_t)n + 1 ? n : -1; /* one is the closer's */
}

bool magi_fd_end(struct magi_fd *r, uint32_t direction, bool *queued)
{
	uint64_t word = magi_load_rlx(&r->word); /* [fd] */
	uint64_t after;

	if (direction)
		magi_store_rlx(&r->token[turn_index(direction)], 0); /* [fdtoken] */
	do
		after = (word & ~(uint64_t)direction) - MAGI_FD_REF;
	while (!magi_cas_ar(&r->word, &word, after)); /* [fd] */
	*queued = after & magi_fd_queued(direction);
	return (after & MAGI_FD_CLOSING) && !(after & MAGI_FD_REFS);
}

void magi_fd_unbegin(struct magi_fd *r, uint32_t direction)
{
	uint64_t word = magi_load_rlx(&r->word); /* [fd] */

	while (!magi_cas_ar(&r->word, &word, (word & ~(uint64_t)direction) - MAGI_FD_REF)) /* [fd] */
		;
}

void magi_fd_set_queued(struct magi_fd *r, uint32_t direction, bool queued)
{
	if (queued)
		magi_or_ar(&r->word, (uint64_t)magi_fd_queued(direction)); /* [fd] */
	else
		magi_and_ar(&r->word, ~(uint64_t)magi_fd_queued(direction)); /* [fd] */
}

bool magi_fd_closing(const struct magi_fd *r)
{
	return magi_load_acq(&r->word) & MAGI_FD_CLOSING; /* [fd] */
}

bool magi_fd_is_open(const struct magi_fd *r, mag_fd fd)
{
	uint64_t word = magi_load_acq(&r->word); /* [fd] */

	return generation(word) == fd.generation && (word & (MAGI_FD_OPEN | MAGI_FD_CLOSING)) == MAGI_FD_OPEN;
}

int magi_fd_close(struct magi_fd *r, mag_fd fd, mag_frame *closer)
{
	uint64_t word = magi_load_acq(&r->word); /* [fd] */

	do {
		if (generation(word) != fd.generation || !(word & MAGI_FD_OPEN) || (word & MAGI_FD_CLOSING))
			return MAG_ECLOSED;
		/* One reference is the closer's own until `closer` stands in the record. */
	} while (!magi_cas_ar(&r->word, &word, (word | MAGI_FD_CLOSING) + MAGI_FD_REF)); /* [fd] */
	r->closer = closer;
	return word & MAGI_FD_REFS ? 1 : 0;
}

bool magi_fd_unused(struct magi_fd *r, mag_fd fd)
{
	uint64_t word = (uint64_t)fd.generation << 32 | MAGI_FD_OPEN;

	return magi_cas_ar(&r->word, &word, word | MAGI_FD_CLOSING); /* [fd] */
}

void magi_fds_drop(struct magi_fds *t, struct magi_fd *r)
{
	(void)magi_and_ar(&r->word, ~(uint64_t)UINT32_MAX); /* [fd] the generation stays */
	magi_sub_rlx(&t->open, 1); /* [stat] */
	magi_lock_acquire(&t->lock);
	r->next_free = t->free;
	t->free = r->index + 1;
	magi_lock_release(&t->lock);
}

void magi_fds_each_open(struct magi_fds *t, void (*fn)(void *ctx, int raw, const mag_site *made), void *ctx)
{
	for (uint32_t i = 0; i < t->fresh; i++) {
		const struct magi_fd *r = record_at(t, i);

		if (magi_load_acq(&r->word) & MAGI_FD_OPEN) /* [fd] */
			fn(ctx, r->raw, r->made);
	}
}

uint32_t magi_fds_fini(struct magi_fds *t)
{
	uint32_t left = 0;

	for (uint32_t i = 0; i < t->fresh; i++) {
		struct magi_fd *r = record_at(t, i);

		if (magi_load_acq(&r->word) & MAGI_FD_OPEN) { /* [fd] */
			left++;
			magi_sys_close(r->raw);
		}
	}
	for (uint32_t c = 0; c * MAGI_FD_CHUNK < t->fresh; c++)
		magi_free(t->chunk[c]);
	t->fresh = 0;
	return left;
}
