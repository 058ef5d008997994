/* SPDX-License-Identifier: MIT */
/* process_output.h - a program's output in one call.
 *
 *	static const char *const argv[] = { "git", "rev-parse", "HEAD", NULL };
 *	static const struct mag_process_options options = { .size = sizeof(options), .argv = argv };
 *
 *	MAG_AWAIT(self->status, mag_process_output, &options, NULL, 0, 4096, &self->output);
 *	if (self->status == 0)
 *		printf("%s", self->output.out);
 *	mag_process_output_free(&self->output);
 */
#ifndef MAGPIE_PROCESS_OUTPUT_H
#define MAGPIE_PROCESS_OUTPUT_H

#include <magpie/process.h>

MAGI_C_BEGIN

/* What it has written; behind each stands a 0 byte. NULL: nothing was to be kept. */
struct mag_process_output_text {
	char *out, *err;
	size_t out_size, err_size;
};

/* MAG_AWAIT(status, mag_process_output, &options, input, input_size, limit, &text): runs a program to its end, gives it the
 * input, and keeps what it writes to out and err. The options' in is a pipe where there is an input, else as they say
 * (MAG_STDIO_INHERIT: /dev/null); out is kept, err is kept unless they say where it goes. One that writes more than `limit`
 * bytes to one of them is ended. That it does not read all of its input is no error.
 *
 * Await:    yes, a cancellation point: the program is ended then
 * Threads:  any worker
 * Owns:     the caller owns what is in *output, whatever it returns: mag_process_output_free. The options are copied, the
 *           input is lent
 * Returns:  as mag_process_wait; MAG_ETOOLONG, and what mag_process_spawn and mag_read return
 * Since:    0.2 */
MAG_API MAG_OP mag_process_output(MAG_OP_ARGS, const struct mag_process_options *options, const void *input,
				  size_t input_size, size_t limit, struct mag_process_output_text *output);

/* Frees what it holds.  Threads: any */
MAG_API void mag_process_output_free(struct mag_process_output_text *output);

MAGI_C_END

#endif
