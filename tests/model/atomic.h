/* SPDX-License-Identifier: MIT */
/* atomic.h - every operation of magpie/impl/atomic.h, for sources that run in a model: MAGI_ATOMIC_HEADER names this file.
 *
 * The orders that x86 does not tell apart are one here: a load is an acquire, a store a release, and whatever reads and
 * writes at once is a full barrier. */
#ifndef MAGPIE_TESTS_MODEL_ATOMIC_H
#define MAGPIE_TESTS_MODEL_ATOMIC_H

#include <sched.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum model_rmw { MODEL_XCHG, MODEL_ADD, MODEL_SUB, MODEL_OR, MODEL_AND };

/* Implemented in explore.c. name: the location as the source calls it, for the schedule. */
uint64_t model_load(const void *p, size_t size, const char *name);
void model_store(void *p, size_t size, uint64_t v, const char *name);
uint64_t model_rmw(enum model_rmw how, void *p, size_t size, uint64_t v, const char *name);
bool model_cas(void *p, size_t size, void *expected, uint64_t v, const char *name);
void model_fence(void);
void model_pause(void);

/* the sum drops qualifiers, which a cast must not have */
#define MODEL_VALUE(p, v) ((__typeof__(*(p) + 0))(v))
#define MODEL_LOAD(p) MODEL_VALUE(p, model_load((p), sizeof(*(p)), #p))
#define MODEL_STORE(p, v) model_store((p), sizeof(*(p)), (uint64_t)(v), #p)
#define MODEL_RMW(how, p, v) MODEL_VALUE(p, model_rmw((how), (p), sizeof(*(p)), (uint64_t)(v), #p))
#define MODEL_CAS(p, expected, v) model_cas((p), sizeof(*(p)), (expected), (uint64_t)(v), #p)

#define magi_load_rlx(p) MODEL_LOAD(p)
#define magi_load_acq(p) MODEL_LOAD(p)
#define magi_load_seq(p) MODEL_LOAD(p)

#define magi_store_rlx(p, v) MODEL_STORE(p, v)
#define magi_store_rel(p, v) MODEL_STORE(p, v)

#define magi_xchg_acq(p, v) MODEL_RMW(MODEL_XCHG, p, v)
#define magi_xchg_rel(p, v) MODEL_RMW(MODEL_XCHG, p, v)
#define magi_xchg_ar(p, v) MODEL_RMW(MODEL_XCHG, p, v)
#define magi_xchg_seq(p, v) MODEL_RMW(MODEL_XCHG, p, v)

#define magi_cas_rlx(p, expected, v) MODEL_CAS(p, expected, v)
#define magi_cas_acq(p, expected, v) MODEL_CAS(p, expected, v)
#define magi_cas_rel(p, expected, v) MODEL_CAS(p, expected, v)
#define magi_cas_ar(p, expected, v) MODEL_CAS(p, expected, v)
#define magi_cas_seq(p, expected, v) MODEL_CAS(p, expected, v)

#define magi_add_rlx(p, v) MODEL_RMW(MODEL_ADD, p, v)
#define magi_add_rel(p, v) MODEL_RMW(MODEL_ADD, p, v)
#define magi_add_ar(p, v) MODEL_RMW(MODEL_ADD, p, v)
#define magi_add_seq(p, v) MODEL_RMW(MODEL_ADD, p, v)
#define magi_sub_rlx(p, v) MODEL_RMW(MODEL_SUB, p, v)
#define magi_sub_ar(p, v) MODEL_RMW(MODEL_SUB, p, v)
#define magi_sub_seq(p, v) MODEL_RMW(MODEL_SUB, p, v)
#define magi_or_ar(p, v) MODEL_RMW(MODEL_OR, p, v)
#define magi_or_seq(p, v) MODEL_RMW(MODEL_OR, p, v)
#define magi_and_ar(p, v) MODEL_RMW(MODEL_AND, p, v)
#define magi_and_seq(p, v) MODEL_RMW(MODEL_AND, p, v)

#define magi_fence_seq(p) ((void)(p), model_fence())
#define magi_fence_compiler() __asm__ __volatile__("" ::: "memory")
#define magi_pause() model_pause()

#endif
