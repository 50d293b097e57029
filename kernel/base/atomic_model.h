/* SPDX-License-Identifier: MIT */
/*
 * The atomics of kernel/base/atomic.h as calls into a model checker (tests/relacy), which decides
 * what each load returns and which thread goes on.
 *
 * Rules: included by kernel/base/atomic.h only, when BATON_RELACY is defined. Each operation says
 * where it stands, so that the checker can weaken that one. Values travel as 64 bits.
 */
#pragma once

#include "kernel/base/types.h"

enum model_order {
    MODEL_RELAXED,
    MODEL_ACQUIRE,
    MODEL_RELEASE,
    MODEL_ACQ_REL,
    MODEL_SEQ_CST,
};

enum model_operation {
    MODEL_ADD,
    MODEL_SUB,
    MODEL_OR,
    MODEL_AND,
    MODEL_SWAP,
};

/* Where an operation stands, and its order. */
struct model_site {
    const char *file;
    int line;
    enum model_order order;
};

uint64_t model_load(const void *p, size_t size, const struct model_site *site);
void model_store(void *p, size_t size, uint64_t value, const struct model_site *site);
uint64_t model_rmw(void *p, size_t size, enum model_operation operation, uint64_t value,
                   const struct model_site *site);
bool model_cas(void *p, size_t size, void *expected, uint64_t desired,
               const struct model_site *site);
void model_fence(const struct model_site *site);

#define MODEL_SITE(order)                                                                          \
    (&(const struct model_site){                                                                   \
        __FILE__,                                                                                  \
        __LINE__,                                                                                  \
        MODEL_##order,                                                                             \
    })

#define MODEL_LOAD(order, p) ((__typeof__(*(p)))model_load((p), sizeof(*(p)), MODEL_SITE(order)))
#define MODEL_STORE(order, p, value)                                                               \
    model_store((p), sizeof(*(p)), (uint64_t)(value), MODEL_SITE(order))
#define MODEL_RMW(operation, order, p, value)                                                      \
    __extension__({                                                                                \
        __typeof__(*(p)) atomic_old_ = (__typeof__(*(p)))model_rmw(                                \
            (p), sizeof(*(p)), MODEL_##operation, (uint64_t)(value), MODEL_SITE(order));           \
        atomic_old_;                                                                               \
    })

#define atomic_load_relaxed(p) MODEL_LOAD(RELAXED, p)
#define atomic_load_acquire(p) MODEL_LOAD(ACQUIRE, p)
#define atomic_store_relaxed(p, value) MODEL_STORE(RELAXED, p, value)
#define atomic_store_release(p, value) MODEL_STORE(RELEASE, p, value)

#define fence_acquire() model_fence(MODEL_SITE(ACQUIRE))
#define fence_release() model_fence(MODEL_SITE(RELEASE))
#define fence_seq_cst() model_fence(MODEL_SITE(SEQ_CST))

#define ATOMIC_ADD(order, p, value) MODEL_RMW(ADD, order, p, value)
#define ATOMIC_SUB(order, p, value) MODEL_RMW(SUB, order, p, value)
#define ATOMIC_OR(order, p, value) MODEL_RMW(OR, order, p, value)
#define ATOMIC_AND(order, p, value) MODEL_RMW(AND, order, p, value)
#define ATOMIC_SWAP(order, p, value) MODEL_RMW(SWAP, order, p, value)
#define ATOMIC_CAS(order, p, expected, desired)                                                    \
    model_cas((p), sizeof(*(p)), (expected), (uint64_t)(desired), MODEL_SITE(order))
