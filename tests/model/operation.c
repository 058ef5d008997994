/* SPDX-License-Identifier: MIT */
/* operation.c - the operations of model/atomic.h, and of base/futex.h what a spin loop calls.
 *
 * TSO:     a store is no step: it goes to the end of its thread's queue, which nobody sees; when it leaves the queue is a
 *          choice. A load is an acquire, a store a release, and whatever reads and writes at once is a full barrier,
 *          whatever its site says.
 * Views:   each is a step, but what touches only what is its thread's own. */
#include "base/futex.h"
#include "base/host.h"
#include "model/atomic.h"
#include "model/thread.h"
#include "model/trace.h"
#include "model/view.h"

__thread struct magi_host *magi_host_here; /* no simulation */

static void check_owner(const void *p, bool stores)
{
	for (int t = 0; t < MODEL_THREADS; t++) {
		if (running != NOBODY && t != running && thread_owns(t, p) > (stores ? NOT_OWN : WRITTEN))
			explore_abort("a look or a store at what is another thread's own");
	}
	if (stores && running != NOBODY && thread_constant(p))
		explore_abort("a store to a constant");
}

void thread_plain(const void *p, size_t size, bool stores)
{
	if (stores) {
		if (thread_views())
			view_plain(running, p, size);
		return;
	}
	/* what the thread has stored there itself must be in memory: the compiler reads it from there */
	while (!thread_views() && memory_waits(running, p, size))
		explore_flush(running);
	for (size_t at = 0; at < size; at += 8)
		thread[running].history = hash_mix(thread[running].history,
						   memory_read((const char *)p + at, size - at < 8 ? size - at : 8));
}

static uint64_t after(enum model_rmw how, uint64_t old, uint64_t v)
{
	switch (how) {
	case MODEL_ADD:
		return old + v;
	case MODEL_SUB:
		return old - v;
	case MODEL_OR:
		return old | v;
	case MODEL_AND:
		return old & v;
	default:
		return v;
	}
}

/* With views. */

static uint64_t load_view(enum model_order order, const void *p, size_t size, const char *name)
{
	bool own = thread_owns(running, p);
	struct location *l;
	unsigned back = 0;
	uint64_t v;

	if (!own)
		explore_step(ANY);
	else
		view_catch_up(running);
	plain_access(p, size, ATOMIC_READ);
	l = view_at(p, size);
	if (!own)
		back = explore_choose(view_readable(running, l, order));
	v = view_load(running, l, back, order);
	thread[running].loaded = view_clock(running);
	explore_note(back ? "load old" : "load", name, v);
	return v;
}

/* Others may go on reading what was there before, so it makes no difference when its owner stores: unless one of them
 * makes a barrier, which must be able to come before it, and in between two of them. */
static void store_view(enum model_order order, void *p, size_t size, uint64_t v, const char *name)
{
	enum explore_own own = thread_owns(running, p);

	if (own == NOT_OWN || (own == WRITTEN && explore_has_barriers()))
		explore_step(ANY);
	view_catch_up(running);
	plain_access(p, size, ATOMIC_WRITE);
	if (!view_in_order(running, view_at(p, size)))
		explore_fail("a store that may come before the last one", name, 0);
	view_store(running, view_at(p, size), v, order);
	trace_add(running, "store", name, v);
}

static void step_view(const void *p)
{
	if (thread_owns(running, p) != HIDDEN)
		explore_step(ANY);
	else
		view_catch_up(running);
}

static uint64_t rmw_view(enum model_order order, enum model_rmw how, void *p, size_t size, uint64_t v)
{
	struct location *l;
	uint64_t old;

	step_view(p);
	plain_access(p, size, ATOMIC_WRITE);
	l = view_at(p, size);
	old = view_peek(l, 0);
	v = after(how, old, v);
	(void)view_exchange(running, l, memory_read(&v, size), order);
	return old;
}

/* It may fail because of an old store, but succeeds with the newest alone. */
static bool cas_view(enum model_order order, void *p, size_t size, uint64_t *expected, uint64_t v)
{
	struct location *l;
	unsigned readable, option[64], options = 0;

	step_view(p);
	plain_access(p, size, ATOMIC_WRITE);
	l = view_at(p, size);
	readable = view_readable(running, l, MODEL_RLX);
	for (unsigned back = 0; back < readable; back++) {
		if (back == 0 || view_peek(l, back) != *expected)
			option[options++] = back;
	}
	readable = option[explore_choose(options)];
	if (view_peek(l, readable) == *expected) {
		view_exchange(running, l, v, order);
		return true;
	}
	*expected = view_load(running, l, readable, MODEL_RLX);
	return false;
}

/* With either. */

uint64_t model_load(struct model_site *s, const void *p, size_t size)
{
	enum model_order order;
	uint64_t v;

	if (running == NOBODY || thread_constant(p))
		return memory_read(p, size);
	order = site_order(s);
	check_owner(p, false);
	if (thread_views())
		return load_view(order, p, size, s->name);
	if (thread_owns(running, p)) {
		v = memory_load(running, p, size);
		trace_add(running, "load own", s->name, v);
		return v;
	}
	explore_step(ANY);
	plain_access(p, size, ATOMIC_READ);
	v = memory_load(running, p, size);
	explore_note("load", s->name, v);
	return v;
}

void model_store(struct model_site *s, void *p, size_t size, uint64_t v)
{
	const struct memory_store store = { p, size, memory_read(&v, size), s->name };
	enum model_order order = site_order(s);

	if (running == NOBODY) {
		memory_write(NOBODY, p, size, v);
		return;
	}
	check_owner(p, true);
	if (thread_views()) {
		store_view(order, p, size, store.value, s->name);
		return;
	}
	plain_access(p, size, ATOMIC_WRITE);
	trace_add(running, "store", s->name, store.value);
	if (!memory_store(running, store))
		explore_abort("too many stores wait");
}

uint64_t model_rmw(struct model_site *s, enum model_rmw how, void *p, size_t size, uint64_t v)
{
	enum model_order order = site_order(s);
	uint64_t old;

	check_owner(p, true);
	if (running != NOBODY && thread_views()) {
		old = rmw_view(order, how, p, size, v);
	} else {
		explore_step(DRAINED);
		plain_access(p, size, ATOMIC_WRITE);
		old = memory_read(p, size);
		memory_write(running, p, size, after(how, old, v));
	}
	explore_note("exchange", s->name, old);
	return old;
}

static bool cas(enum model_order order, void *p, size_t size, uint64_t *expected, uint64_t v)
{
	uint64_t old, wanted = *expected;

	if (running != NOBODY && thread_views())
		return cas_view(order, p, size, expected, memory_read(&v, size));
	explore_step(DRAINED);
	plain_access(p, size, ATOMIC_WRITE);
	old = memory_read(p, size);
	*expected = old;
	if (old == wanted)
		memory_write(running, p, size, v);
	return old == wanted;
}

bool model_cas(struct model_site *s, void *p, size_t size, void *expected, uint64_t v)
{
	enum model_order order = site_order(s);
	uint64_t old = memory_read(expected, size);
	bool won;

	check_owner(p, true);
	won = cas(order, p, size, &old, v);
	explore_note(won ? "cas won" : "cas lost", s->name, old);
	__builtin_memcpy(expected, &old, size);
	return won;
}

void model_fence(struct model_site *s)
{
	if (site_order(s) == MODEL_NONE)
		return;
	explore_step(FENCE);
	if (running != NOBODY && thread_views())
		view_fence(running);
	explore_note("fence", NULL, 0);
}

static void pause_until_changed(void)
{
	if (running == NOBODY)
		explore_abort("start or end waits for a thread that is not there");
	explore_step(CHANGED);
	thread[running].since = thread_version(running);
	explore_note("pause", NULL, 0);
}

void model_pause(void)
{
	/* who has looked at an old store and comes back for a newer one might have come later */
	if (running != NOBODY && thread_views() && view_last_was_old(running))
		explore_prune();
	pause_until_changed();
}

void explore_again(void)
{
	if (!explore_asks_again())
		explore_abort("the model does not say that it asks again");
	if (thread_views() && view_renew(running))
		explore_note("again", NULL, 0);
	else
		pause_until_changed();
}

/* A spin loop that has lost patience still waits for the same change. */
void magi_thread_yield(void)
{
	model_pause();
}

/* membarrier(2) interrupts each running thread at some moment of the call, and a fence is made there. */
void model_barrier(struct model_site *s)
{
	if (site_order(s) == MODEL_NONE || running == NOBODY)
		return;
	explore_step(DRAINED);
	if (thread_views())
		view_fence(running);
	explore_note("barrier", NULL, 0);
	thread[running].clean = thread_views() ? 1u << running : thread_clean();
	for (int t = 0; t < MODEL_THREADS; t++) {
		if (thread_views() && thread[t].pending == NONE) {
			thread[running].clean |= 1u << t;
			view_fence(t);
		}
	}
	explore_step(BARRIER);
	if (thread_views())
		view_fence(running);
	thread[running].clean = 0;
	explore_note("passed", NULL, 0);
}

/* Sleeping. */

void explore_ring(int t)
{
	explore_step(DRAINED); /* a system call */
	thread[t].rung = true;
	explore_note("rings", NULL, (uint64_t)t);
}

void explore_sleep(void)
{
	explore_step(RUNG);
	thread[running].rung = false;
	explore_note("wakes up", NULL, 0);
}
