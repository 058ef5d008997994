/* SPDX-License-Identifier: MIT */
/* coroutine.c - stacks that are begun anew with each execution. */
#include "model/coroutine.h"

#include <stdbool.h>
#include <string.h>
#include <ucontext.h>

#include "model/memory.h"

enum { STACK = 64 * 1024 };

static char stack[MODEL_THREADS][STACK];
static jmp_buf bottom[MODEL_THREADS];
static bool made[MODEL_THREADS];
static int making;
static void (*begin)(void);
static ucontext_t back, fresh;

/* Stays below all that the thread does. */
static void base(void)
{
	if (_setjmp(bottom[making]) == 0)
		setcontext(&back);
	begin();
}

static void make(int t)
{
	volatile bool once = false;

	making = t;
	getcontext(&back);
	if (once)
		return;
	once = true;
	getcontext(&fresh);
	fresh.uc_stack.ss_sp = stack[t];
	fresh.uc_stack.ss_size = STACK;
	makecontext(&fresh, base, 0);
	setcontext(&fresh);
}

void coroutine_begin(int t, jmp_buf context, void (*body)(void))
{
	begin = body;
	if (!made[t])
		make(t);
	made[t] = true;
	memcpy(context, bottom[t], sizeof(jmp_buf));
}

void coroutine_switch(jmp_buf from, jmp_buf to)
{
	if (_setjmp(from) == 0)
		_longjmp(to, 1);
}
