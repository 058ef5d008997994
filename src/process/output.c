/* SPDX-License-Identifier: MIT */
/* output.c - a program's output in one call: three tasks at its pipes, so that none of them fills up while another is
 * waited for. */
#include <errno.h>
#include <magpie/group.h>
#include <magpie/options.h>
#include <magpie/process_output.h>

#include "base/alloc.h"
#include "process/spawn.h"
#include "task/wait.h"

enum { ROOM = 4096 };

void mag_process_output_free(struct mag_process_output_text *output)
{
	magi_free(output->out);
	magi_free(output->err);
	*output = (struct mag_process_output_text){ 0 };
}

/* Gives the program its input, and the end of it. */
struct output_feed {
	mag_frame frame;
	MAG_ARGS(output_feed, mag_process *process; const void *input; size_t size;);
	int64_t rc, closed;
};

static MAG_TASK(output_feed)
{
	MAG_BEGIN(output_feed);
	MAG_AWAIT(self->rc, mag_write_all, self->process->in, self->input, self->size, MAG_OFFSET_NONE, NULL);
	MAG_AWAIT(self->closed, mag_process_close_in, self->process);
	MAG_RETURN(self->rc == -EPIPE ? 0 : self->rc); /* it did not want all of it */
	MAG_END;
}

/* Keeps what comes, to its end. */
struct output_keep {
	mag_frame frame;
	MAG_ARGS(output_keep, mag_fd from; size_t limit; char **text; size_t * size;);
	size_t room;
	int64_t n;
};

/* Room for more, and for one byte more than the limit, which shows that there is more, and for the 0. */
static bool grow(struct output_keep *self)
{
	size_t room = self->room ? self->room + self->room / 2 : ROOM;
	char *text;

	if (room > self->limit + 1)
		room = self->limit + 1;
	text = magi_realloc(*self->text, room + 1);
	if (!text)
		return false;
	*self->text = text;
	self->room = room;
	return true;
}

static MAG_TASK(output_keep)
{
	MAG_BEGIN(output_keep);
	self->room = 0;
	for (;;) {
		if (*self->size == self->room && !grow(self))
			MAG_RETURN(-ENOMEM);
		MAG_AWAIT(self->n, mag_read, self->from, *self->text + *self->size, self->room - *self->size,
			  MAG_OFFSET_NONE);
		if (self->n > 0)
			*self->size += (size_t)self->n;
		if (*self->size > self->limit) {
			*self->size = self->limit;
			self->n = MAG_ETOOLONG;
		}
		(*self->text)[*self->size] = 0;
		if (self->n <= 0)
			MAG_RETURN(self->n);
	}
	MAG_END;
}

struct output_run {
	mag_frame frame;
	MAG_ARGS(output_run, struct mag_process_options *options; const void *input; size_t input_size; size_t limit;
		 struct mag_process_output_text * output;);
	mag_process process;
	mag_group group;
	int64_t rc, end;
};

enum { RUN_CLASS = MAGI_CLASS(sizeof(struct output_run)) };

static MAG_TASK(output_run)
{
	MAG_BEGIN(output_run);
	MAG_AWAIT(self->rc, mag_process_spawn, &self->process, self->options);
	magi_free(self->options);
	if (self->rc < 0)
		MAG_RETURN(self->rc);
	MAG_GROUP_BEGIN(&self->group);
	if (self->input_size)
		MAG_SPAWN(self->rc, &self->group, output_feed, .process = &self->process, .input = self->input,
			  .size = self->input_size);
	if (self->rc == 0)
		MAG_SPAWN(self->rc, &self->group, output_keep, .from = self->process.out, .limit = self->limit,
			  .text = &self->output->out, .size = &self->output->out_size);
	if (self->rc == 0 && self->process.err.generation)
		MAG_SPAWN(self->rc, &self->group, output_keep, .from = self->process.err, .limit = self->limit,
			  .text = &self->output->err, .size = &self->output->err_size);
	if (self->rc < 0)
		mag_group_cancel(&self->group);
	MAG_GROUP_END(self->end, &self->group);
	mag_group_clear(&self->group);
	if (self->rc == 0 || self->rc == MAG_ECANCELED) /* a spawn behind the first error was refused: the group knows why */
		self->rc = self->end;
	if (self->rc == 0)
		MAG_AWAIT(self->rc, mag_process_wait, &self->process);
	MAG_AWAIT(self->end, mag_process_end, &self->process);
	MAG_RETURN(self->rc);
	MAG_END;
}

/* How its files are to be; the rest as the caller has it. */
static void settle(struct mag_process_options *o, bool input)
{
	if (input)
		o->in = MAG_STDIO_PIPE;
	else if (o->in == MAG_STDIO_INHERIT || o->in == MAG_STDIO_PIPE)
		o->in = MAG_STDIO_NULL;
	o->out = MAG_STDIO_PIPE;
	if (o->err == MAG_STDIO_INHERIT)
		o->err = MAG_STDIO_PIPE;
}

mag_frame *mag_process_output(mag_worker *w, mag_frame *f, const struct mag_process_options *given, const void *input,
			      size_t input_size, size_t limit, struct mag_process_output_text *output)
{
	struct mag_process_options o;
	struct output_run *run;

	if (!output)
		return magi_wait_done(w, f, -EINVAL);
	*output = (struct mag_process_output_text){ 0 };
	if (mag_options_take(&o, sizeof(o), given) < 0 || !o.argv || (input_size && !input) || !limit || limit >= SIZE_MAX / 2)
		return magi_wait_done(w, f, -EINVAL);
	run = magi_frame_take(w, RUN_CLASS, sizeof(*run));
	if (!run)
		return magi_wait_done(w, f, -ENOMEM);
	run->options = magi_process_options_copy(&o);
	if (!run->options) {
		magi_frame_give(w, &run->frame, RUN_CLASS);
		return magi_wait_done(w, f, -ENOMEM);
	}
	settle(run->options, input_size > 0);
	run->input = input;
	run->input_size = input_size;
	run->limit = limit;
	run->output = output;
	return magi_call(f, &run->frame, output_run_step, RUN_CLASS);
}
