/* SPDX-License-Identifier: MIT */
/* coroutine.c - stacks that one thread switches between. */
#include "sim/coroutine.h"

#include <errno.h>
#include <pthread.h>
#include <stdint.h>

#include "base/tsan.h"
#include "sim/stack.h"

#if defined(__SANITIZE_ADDRESS__)
#define WITH_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define WITH_ASAN 1
#endif
#endif
#if defined(WITH_ASAN)
#include <sanitizer/common_interface_defs.h>
#endif
#if defined(MAGI_TSAN)
#include <sanitizer/tsan_interface.h>
#endif

/* Told to the sanitizers right before and right after a switch. */

static void leaving(struct magi_coroutine *from, const struct magi_coroutine *to, bool last)
{
#if defined(WITH_ASAN)
	__sanitizer_start_switch_fiber(last ? NULL : &from->fake, to->bottom, to->bottom_size);
#endif
#if defined(MAGI_TSAN)
	__tsan_switch_to_fiber(to->tsan, 0);
#endif
	(void)from;
	(void)to;
	(void)last;
}

static void arrived(const struct magi_coroutine *at)
{
#if defined(WITH_ASAN)
	__sanitizer_finish_switch_fiber(at->fake, NULL, NULL);
#endif
	(void)at;
}

#if defined(__x86_64__)

/* The registers that a call keeps go onto the stack that is left. */
void magi_coroutine_jump(void **sp, void *to);
__asm__(".text\n"
	".globl magi_coroutine_jump\n"
	".hidden magi_coroutine_jump\n"
	".type magi_coroutine_jump, @function\n"
	"magi_coroutine_jump:\n"
	"	pushq %rbp\n"
	"	pushq %rbx\n"
	"	pushq %r12\n"
	"	pushq %r13\n"
	"	pushq %r14\n"
	"	pushq %r15\n"
	"	movq %rsp, (%rdi)\n"
	"	movq %rsi, %rsp\n"
	"	popq %r15\n"
	"	popq %r14\n"
	"	popq %r13\n"
	"	popq %r12\n"
	"	popq %rbx\n"
	"	popq %rbp\n"
	"	ret\n"
	".size magi_coroutine_jump, .-magi_coroutine_jump\n"
	/* the first arrival: r12 the coroutine, r13 its function */
	".globl magi_coroutine_begin\n"
	".hidden magi_coroutine_begin\n"
	".type magi_coroutine_begin, @function\n"
	"magi_coroutine_begin:\n"
	"	movq %r12, %rdi\n"
	"	callq *%r13\n"
	"	ud2\n"
	".size magi_coroutine_begin, .-magi_coroutine_begin\n");
void magi_coroutine_begin(void);

static void begin(void *arg)
{
	struct magi_coroutine *c = arg;

	arrived(c);
	c->fn(c->arg);
}

static void prepare(struct magi_coroutine *c)
{
	/* what the jump pops: r15, r14, r13, r12, rbx, rbp, then where it returns to. A call finds the stack at 16n. */
	uintptr_t top = ((uintptr_t)c->stack + c->size) & ~(uintptr_t)15;
	void **sp = (void **)(top - 24);

	*sp = (void *)(uintptr_t)magi_coroutine_begin;
	sp -= 6;
	for (int i = 0; i < 6; i++)
		sp[i] = NULL;
	sp[2] = (void *)(uintptr_t)begin;
	sp[3] = c;
	c->sp = sp;
}

static void jump(struct magi_coroutine *from, struct magi_coroutine *to)
{
	magi_coroutine_jump(&from->sp, to->sp);
}

#else

static void begin(uint32_t low, uint32_t high)
{
	struct magi_coroutine *c = (struct magi_coroutine *)(uintptr_t)((uint64_t)high << 32 | low);

	arrived(c);
	c->fn(c->arg);
}

static void prepare(struct magi_coroutine *c)
{
	uint64_t p = (uintptr_t)c;

	getcontext(&c->context);
	c->context.uc_stack.ss_sp = c->stack;
	c->context.uc_stack.ss_size = c->size;
	c->context.uc_link = NULL;
	makecontext(&c->context, (void (*)(void))(uintptr_t)begin, 2, (uint32_t)p, (uint32_t)(p >> 32));
}

static void jump(struct magi_coroutine *from, struct magi_coroutine *to)
{
	swapcontext(&from->context, &to->context);
}

#endif

void magi_coroutine_here(struct magi_coroutine *c)
{
	*c = (struct magi_coroutine){ 0 };
#if defined(MAGI_TSAN)
	c->tsan = __tsan_get_current_fiber();
#endif
#if defined(WITH_ASAN)
	{
		pthread_attr_t attr;
		void *low;

		pthread_getattr_np(pthread_self(), &attr);
		pthread_attr_getstack(&attr, &low, &c->bottom_size);
		pthread_attr_destroy(&attr);
		c->bottom = low;
	}
#endif
}

int magi_coroutine_create(struct magi_coroutine *c, size_t size, void (*fn)(void *arg), void *arg)
{
	void *stack = magi_stack_take(size);

	if (!stack)
		return -ENOMEM;
	*c = (struct magi_coroutine){ .stack = stack, .size = size, .fn = fn, .arg = arg };
	c->bottom = stack;
	c->bottom_size = size;
#if defined(MAGI_TSAN)
	c->tsan = __tsan_create_fiber(0);
#endif
	prepare(c);
	return 0;
}

void magi_coroutine_destroy(struct magi_coroutine *c)
{
#if defined(MAGI_TSAN)
	__tsan_destroy_fiber(c->tsan);
#endif
	magi_stack_give(c->stack, c->size);
}

void magi_coroutine_switch(struct magi_coroutine *from, struct magi_coroutine *to, bool last)
{
	leaving(from, to, last);
	jump(from, to);
	arrived(from);
}
