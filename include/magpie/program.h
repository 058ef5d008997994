/* SPDX-License-Identifier: MIT */
/* program.h - an async function that a tool loads and runs: `magpie sim PROGRAM.so`, `magpie stress PROGRAM.so`.
 *
 *	MAG_PROGRAM(transfer, .amount = 10);
 *
 * in a file that is built as a shared object and linked with magpie. */
#ifndef MAGPIE_PROGRAM_H
#define MAGPIE_PROGRAM_H

#include <magpie/runtime.h>

MAGI_C_BEGIN

typedef struct mag_program {
	size_t size;    /* sizeof(mag_program) */
	uint32_t abi;   /* the layout it was built with */
	const char *name;
	mag_step_fn step;
	int cls;
	size_t frame_size;
	size_t at;      /* where in the frame the arguments go */
	const void *args;
	size_t args_size;
} mag_program;

/* The same for a call, in place. */
#define MAGI_PROGRAM_HERE(fn, ...)                                                                             \
	(&(const mag_program){ sizeof(mag_program), MAGI_ABI, #fn, fn##_step, MAGI_CLASS(sizeof(struct fn)),   \
			       sizeof(struct fn), offsetof(struct fn, args_), &(struct fn##_args){ __VA_ARGS__ }, \
			       sizeof(struct fn##_args) })

/* Declares the program of a shared object: async function `fn` with these arguments, which are constants. */
#define MAG_PROGRAM(fn, ...)                                                                                       \
	static const struct fn##_args magi_program_args = { __VA_ARGS__ };                                         \
	MAG_API const mag_program mag_program_entry;                                                               \
	const mag_program mag_program_entry = { sizeof(mag_program), MAGI_ABI, #fn, fn##_step,                     \
						MAGI_CLASS(sizeof(struct fn)), sizeof(struct fn),                  \
						offsetof(struct fn, args_), &magi_program_args,                    \
						sizeof(magi_program_args) }

MAGI_C_END

#endif
