/* SPDX-License-Identifier: MIT */
/* atomic.h - every operation of magpie/impl/atomic.h, for sources that run in a model: MAGI_ATOMIC_HEADER names this file.
 *
 * Each place in a source that names an operation is a site (site.h), which knows the order that stands there: so a run
 * can weaken one without another build. */
#ifndef MAGPIE_TESTS_MODEL_ATOMIC_H
#define MAGPIE_TESTS_MODEL_ATOMIC_H

#include <sched.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/barrier.h"
#include "model/site.h"

enum model_rmw { MODEL_XCHG, MODEL_ADD, MODEL_SUB, MODEL_OR, MODEL_AND };

/* Implemented in operation.c. */
uint64_t model_load(struct model_site *s, const void *p, size_t size);
void model_store(struct model_site *s, void *p, size_t size, uint64_t v);
uint64_t model_rmw(struct model_site *s, enum model_rmw how, void *p, size_t size, uint64_t v);
bool model_cas(struct model_site *s, void *p, size_t size, void *expected, uint64_t v);
void model_fence(struct model_site *s);
void model_barrier(struct model_site *s);
void model_pause(void);

/* name: the location as the source calls it, for the schedule */
#define MODEL_SITE(op, order, name)                                                                        \
	__extension__({                                                                                    \
		static struct model_site model_site = { __FILE__, op, name, __LINE__, order, 0, 0, NULL }; \
		&model_site;                                                                               \
	})

/* the sum drops qualifiers, which a cast must not have; as the value of a statement it may go unused */
#define MODEL_VALUE(p, v) __extension__({ (__typeof__(*(p) + 0))(v); })
#define MODEL_LOAD(op, order, p) MODEL_VALUE(p, model_load(MODEL_SITE(op, order, #p), (p), sizeof(*(p))))
#define MODEL_STORE(op, order, p, v) model_store(MODEL_SITE(op, order, #p), (p), sizeof(*(p)), (uint64_t)(v))
#define MODEL_RMW(op, order, how, p, v) \
	MODEL_VALUE(p, model_rmw(MODEL_SITE(op, order, #p), (how), (p), sizeof(*(p)), (uint64_t)(v)))
#define MODEL_CAS(op, order, p, expected, v) \
	model_cas(MODEL_SITE(op, order, #p), (p), sizeof(*(p)), (expected), (uint64_t)(v))

#define magi_load_rlx(p) MODEL_LOAD("load_rlx", MODEL_RLX, p)
#define magi_load_acq(p) MODEL_LOAD("load_acq", MODEL_ACQ, p)
#define magi_load_seq(p) MODEL_LOAD("load_seq", MODEL_SEQ, p)

#define magi_store_rlx(p, v) MODEL_STORE("store_rlx", MODEL_RLX, p, v)
#define magi_store_rel(p, v) MODEL_STORE("store_rel", MODEL_REL, p, v)

#define magi_xchg_rlx(p, v) MODEL_RMW("xchg_rlx", MODEL_RLX, MODEL_XCHG, p, v)
#define magi_xchg_acq(p, v) MODEL_RMW("xchg_acq", MODEL_ACQ, MODEL_XCHG, p, v)
#define magi_xchg_rel(p, v) MODEL_RMW("xchg_rel", MODEL_REL, MODEL_XCHG, p, v)
#define magi_xchg_ar(p, v) MODEL_RMW("xchg_ar", MODEL_AR, MODEL_XCHG, p, v)
#define magi_xchg_seq(p, v) MODEL_RMW("xchg_seq", MODEL_SEQ, MODEL_XCHG, p, v)

#define magi_cas_rlx(p, expected, v) MODEL_CAS("cas_rlx", MODEL_RLX, p, expected, v)
#define magi_cas_acq(p, expected, v) MODEL_CAS("cas_acq", MODEL_ACQ, p, expected, v)
#define magi_cas_rel(p, expected, v) MODEL_CAS("cas_rel", MODEL_REL, p, expected, v)
#define magi_cas_ar(p, expected, v) MODEL_CAS("cas_ar", MODEL_AR, p, expected, v)
#define magi_cas_seq(p, expected, v) MODEL_CAS("cas_seq", MODEL_SEQ, p, expected, v)

#define magi_add_rlx(p, v) MODEL_RMW("add_rlx", MODEL_RLX, MODEL_ADD, p, v)
#define magi_add_rel(p, v) MODEL_RMW("add_rel", MODEL_REL, MODEL_ADD, p, v)
#define magi_add_ar(p, v) MODEL_RMW("add_ar", MODEL_AR, MODEL_ADD, p, v)
#define magi_add_seq(p, v) MODEL_RMW("add_seq", MODEL_SEQ, MODEL_ADD, p, v)
#define magi_sub_rlx(p, v) MODEL_RMW("sub_rlx", MODEL_RLX, MODEL_SUB, p, v)
#define magi_sub_rel(p, v) MODEL_RMW("sub_rel", MODEL_REL, MODEL_SUB, p, v)
#define magi_sub_ar(p, v) MODEL_RMW("sub_ar", MODEL_AR, MODEL_SUB, p, v)
#define magi_or_rlx(p, v) MODEL_RMW("or_rlx", MODEL_RLX, MODEL_OR, p, v)
#define magi_or_ar(p, v) MODEL_RMW("or_ar", MODEL_AR, MODEL_OR, p, v)
#define magi_and_rlx(p, v) MODEL_RMW("and_rlx", MODEL_RLX, MODEL_AND, p, v)
#define magi_and_acq(p, v) MODEL_RMW("and_acq", MODEL_ACQ, MODEL_AND, p, v)
#define magi_and_ar(p, v) MODEL_RMW("and_ar", MODEL_AR, MODEL_AND, p, v)

#define magi_fence_seq(p) ((void)(p), model_fence(MODEL_SITE("fence_seq", MODEL_SEQ, "fence")))
#define magi_fence_compiler() __asm__ __volatile__("" ::: "memory")
#define magi_pause() model_pause()
#define magi_barrier_all() model_barrier(MODEL_SITE("barrier_all", MODEL_SEQ, "barrier"))

#endif
