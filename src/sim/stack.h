/* SPDX-License-Identifier: MIT */
/* stack.h - stacks of coroutines, above a page that nobody may touch; those that were given back are kept for the next. */
#ifndef MAGI_SIM_STACK_H
#define MAGI_SIM_STACK_H

#include <stddef.h>

enum { MAGI_STACK_GUARD = 4096 }; /* bytes below */

/* Returns the lowest byte, or NULL. What is in it: zeros, or what the last user left. */
void *magi_stack_take(size_t size);
void magi_stack_give(void *stack, size_t size);

#endif
