/* SPDX-License-Identifier: MIT */
/* coroutine.h - stacks for the model threads. A search changes between them some 10^7 times, so a change is a pair of
 * _setjmp and _longjmp, which make no system call, and a stack is made once. */
#ifndef MAGPIE_TESTS_MODEL_COROUTINE_H
#define MAGPIE_TESTS_MODEL_COROUTINE_H

#include <setjmp.h>

/* Each time a thread is switched to after coroutine_begin, it begins with body. */
void coroutine_begin(int thread, jmp_buf context, void (*body)(void));
void coroutine_switch(jmp_buf from, jmp_buf to);

#endif
