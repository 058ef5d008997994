/* SPDX-License-Identifier: MIT */
/* generator.h - async functions that give many values, one at a time, when asked.
 *
 *	MAG_GENERATE(rc, &self->gen, pages, .session = s);
 *	for (;;) {
 *		MAG_NEXT(rc, &self->gen, &self->page);   // 1: an item, 0: the end, or the generator's error
 *		if (rc <= 0)
 *			break;
 *		…
 *	}
 *	MAG_CLOSE(&self->gen);                           // also after a break: the generator cleans up and ends
 *
 * A generator runs as part of whoever asks for the next item, in that scope. It is closed at the end of the frame that
 * opened it if that has not been done before. It may not emit while it has a scope or a group open of its own. */
#ifndef MAGPIE_GENERATOR_H
#define MAGPIE_GENERATOR_H

#include <magpie/scope.h>

MAGI_C_BEGIN

typedef struct mag_generator {
	struct magi_open open;
	mag_frame *frame; /* NULL: it has ended */
	mag_frame *consumer; /* that opened it; NULL: it is no longer on that one's list */
	void *out;
	size_t out_size;
	int64_t result; /* how it ended: 0, or its error */
} mag_generator;

/* Makes a generator of async function `name`; nothing of it runs yet. dst: 0, -ENOMEM, or -EBUSY when
 * `gen` has one that has not ended (ends the program in debug builds). */
#define MAG_GENERATE(dst, gen, name, ...)                                                                       \
	do {                                                                                                    \
		MAGI_SITE(NULL, #name);                                                                         \
		MAGI_CHILD(magi_child, name, __VA_ARGS__);                                                      \
		(dst) = magi_gen_open(&self->frame, (gen), (mag_frame *)magi_child, name##_step,                \
				      MAGI_CLASS(sizeof(struct name)));                                         \
	} while (0)

/* Runs the generator to its next item. dst: 1 and *out; 0: it has ended; or its error. Ask only after 1. */
#define MAG_NEXT(dst, gen, out) \
	MAGI_AWAIT(dst, "MAG_NEXT", magi_gen_next(&self->frame, (gen), (out), sizeof(*(out))))

/* In a generator: gives v, of the type that the consumer's `out` points to, and waits to be asked again.
 * Joins what it has forked first: the consumer may leave the scope that the children live in.
 * dst: 0; MAG_ECANCELED: the consumer has closed, clean up and return; -EINVAL: a scope is open, or the sizes differ. */
#define MAG_EMIT(dst, v)                                                                          \
	do {                                                                                      \
		MAGI_JOIN_FIRST;                                                                  \
		MAGI_SITE_HERE("MAG_EMIT");                                                       \
		{                                                                                 \
			__typeof__(v) magi_value = (v);                                           \
			MAGI_LEAVE;                                                               \
			mag_frame *magi_next =                                                    \
				magi_gen_emit(&self->frame, &magi_value, sizeof(magi_value));     \
			if (magi_next != &self->frame)                                            \
				return magi_next;                                                 \
		}                                                                                 \
	MAGI_HERE:                                                                                \
		MAGI_ENTER;                                                                       \
		(dst) = self->frame.op.result;                                                    \
	} while (0)

/* Lets the generator clean up and end. Never cut short; fine when it has ended. */
#define MAG_CLOSE(gen)                                                             \
	do {                                                                       \
		MAGI_WAIT("MAG_CLOSE", magi_gen_close(&self->frame, (gen)));       \
	} while (0)

MAG_API int magi_gen_open(mag_frame *f, mag_generator *gen, mag_frame *child, mag_step_fn step, int cls);
MAG_API mag_frame *magi_gen_next(mag_frame *f, mag_generator *gen, void *out, size_t size);
MAG_API mag_frame *magi_gen_emit(mag_frame *f, const void *value, size_t size);
MAG_API mag_frame *magi_gen_close(mag_frame *f, mag_generator *gen);

MAGI_C_END

#endif
