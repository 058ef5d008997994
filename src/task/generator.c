/* SPDX-License-Identifier: MIT */
/* generator.c - hand-over between a generator and whoever consumes it.
 *
 * What:    asking makes the generator's frame a callee of the consumer's, with its leader and scope; emitting resumes the
 *          consumer. Both are plain hand-overs on one worker.
 * Who:     the consumer and the generator, which never run at the same time.
 * Always:  op.word[1] of the consumer's frame names the generator from the asking to the answer. */
#include "task/generator.h"

#include "base/assert.h"
#include "task/scope.h"

static mag_generator *asked(const mag_frame *consumer)
{
	return (mag_generator *)(uintptr_t)consumer->op.word[1];
}

int magi_gen_open(mag_frame *f, mag_generator *gen, mag_frame *child, mag_step_fn step, int cls)
{
	if (MAGI_UNLIKELY(magi_open_has(f, &gen->open))) {
		if (gen->frame) {
			magi_misuse("MAG_GENERATE at %s:%d: this one has not ended", f->at->file, f->at->line);
			if (child)
				magi_frame_give(magi_self(), child, cls);
			return -EBUSY;
		}
		magi_open_unlink(f, &gen->open);
	}
	*gen = (mag_generator){ .frame = child };
	if (!child)
		return -ENOMEM;
	magi_frame_init(child, step, f, f->leader, f->scope, cls, MAGI_GEN);
	gen->consumer = f;
	magi_open_push(f, &gen->open, MAGI_OPEN_GEN);
	return 0;
}

static mag_frame *enter(mag_frame *f, mag_generator *gen)
{
	mag_frame *g = gen->frame;

	f->op.word[1] = (uintptr_t)gen;
	g->parent = f;
	g->leader = f->leader;
	g->scope = f->scope;
	return g;
}

mag_frame *magi_gen_next(mag_frame *f, mag_generator *gen, void *out, size_t size)
{
	if (!gen->frame || gen->open.closing) {
		f->op.result = gen->result;
		return f;
	}
	gen->out = out;
	gen->out_size = size;
	gen->frame->op.result = 0;
	return enter(f, gen);
}

/* Whether something is open that the consumer must not run in, or leave its scope under: generators and lists of errors
 * are not. */
static bool in_the_way(const mag_frame *f)
{
	for (const struct magi_open *o = magi_opened(f); o; o = o->next) {
		if (o->kind == MAGI_OPEN_SCOPE || o->kind == MAGI_OPEN_GROUP || o->kind == MAGI_OPEN_TASKS)
			return true;
	}
	return false;
}

mag_frame *magi_gen_emit(mag_frame *f, const void *value, size_t size)
{
	mag_frame *consumer = f->parent;
	mag_generator *gen;

	if ((f->flags & MAGI_KIND) != MAGI_GEN) { /* a function that the generator called, or no generator at all */
		f->op.result = -EINVAL;
		return f;
	}
	gen = asked(consumer);
	if (gen->open.closing || in_the_way(f) || size != gen->out_size) {
		f->op.result = gen->open.closing ? MAG_ECANCELED : -EINVAL;
		return f;
	}
	__builtin_memcpy(gen->out, value, size);
	consumer->op.result = 1;
	return consumer;
}

/* The generator's function has returned. */
mag_frame *magi_gen_end(mag_worker *w, mag_frame *f, int64_t rc)
{
	mag_frame *consumer = f->parent;
	mag_generator *gen = asked(consumer);

	gen->frame = NULL;
	gen->result = rc < 0 ? rc : 0;
	magi_frame_give(w, f, f->class_);
	consumer->op.result = gen->result;
	return consumer;
}

mag_frame *magi_gen_close(mag_frame *f, mag_generator *gen)
{
	mag_frame *opener = gen->consumer;

	/* a callee of the one that opened it may close it: that one waits, and may leave its scopes afterwards */
	if (opener && opener->leader == f->leader) {
		magi_open_unlink(opener, &gen->open);
		gen->consumer = NULL;
	}
	gen->open.closing = 1;
	if (!gen->frame)
		return f;
	gen->frame->op.result = MAG_ECANCELED;
	return enter(f, gen);
}

mag_frame *magi_gen_leave(mag_worker *w, mag_frame *f, mag_generator *gen)
{
	(void)w;
	return magi_gen_close(f, gen);
}
