/* SPDX-License-Identifier: MIT */
/* trace.c - what happens in a simulation, as lines and as a hash.
 *
 * Always:  the hash is the same whether lines are written or not, and in every process: it sees ids, names and results,
 *          never addresses. */
#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include "sim/sim.h"

void magi_trace_hash(struct magi_sim *s, uint64_t x)
{
	uint64_t h = s->result.hash ^ x;

	h ^= h >> 32; /* the finalizer of MurmurHash3, between two words [Appleby] */
	h *= UINT64_C(0xff51afd7ed558ccd);
	h ^= h >> 29;
	s->result.hash = h + UINT64_C(0x9e3779b97f4a7c15);
}

static void hash_text(struct magi_sim *s, const char *text)
{
	uint64_t x = 0;

	while (*text)
		x = x * 31 + (unsigned char)*text++;
	magi_trace_hash(s, x);
}

void magi_trace(struct magi_sim *s, const char *format, ...)
{
	va_list args;

	if (!s->trace)
		return;
	fprintf(s->trace, "%14.3f us  %-12s ", (double)s->now / 1e3, s->current ? s->current->name : "");
	va_start(args, format);
	vfprintf(s->trace, format, args);
	va_end(args);
	fputc('\n', s->trace);
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

void magi_trace_step(struct magi_sim *s, mag_frame *f)
{
	const mag_site *at = f->at;

	s->current->frame = f;
	if (!f->id)
		f->id = ++s->frame_ids;
	magi_trace_hash(s, f->id);
	if (!at) {
		magi_trace(s, "task %u begins", f->id);
		return;
	}
	magi_trace_hash(s, (uint64_t)at->line);
	if (s->trace)
		magi_trace(s, "task %u goes on in %s, %s:%d, after %s", f->id, at->func, base_name(at->file), at->line,
			   at->what);
}

void magi_trace_note(struct magi_sim *s, enum magi_note note, int64_t a, int64_t b, int64_t c)
{
	static const char *const names[] = {
		[MAGI_NOTE_SUBMIT] = "submits", [MAGI_NOTE_RECORD] = "record", [MAGI_NOTE_CANCEL] = "cancels",
		[MAGI_NOTE_SYSTEM] = "system",  [MAGI_NOTE_NET] = "net",       [MAGI_NOTE_DISK] = "disk",
	};

	magi_trace_hash(s, (uint64_t)note << 56 ^ (uint64_t)a << 40 ^ (uint64_t)b << 20 ^ (uint64_t)c);
	magi_trace(s, "%s %" PRId64 " %" PRId64 " %" PRId64, names[note], a, b, c);
}

void mag_sim_log(const char *format, ...)
{
	struct magi_host *h = magi_host();
	char text[512];
	va_list args;

	if (!h || h->ops != &magi_sim_host_ops)
		return;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	hash_text(magi_sim_of(h), text);
	magi_trace(magi_sim_of(h), "%s", text);
}
