/* SPDX-License-Identifier: MIT */
/*
 * The atomics of kernel/base/atomic.h by the compiler's builtins, for the host's tests.
 *
 * Rules: included by kernel/base/atomic.h only.
 */
#pragma once

#include "kernel/base/types.h"

#define atomic_load_relaxed(p) __atomic_load_n((p), __ATOMIC_RELAXED)
#define atomic_load_acquire(p) __atomic_load_n((p), __ATOMIC_ACQUIRE)
#define atomic_store_relaxed(p, value) __atomic_store_n((p), (value), __ATOMIC_RELAXED)
#define atomic_store_release(p, value) __atomic_store_n((p), (value), __ATOMIC_RELEASE)

static inline void fence_acquire(void)
{
    __atomic_thread_fence(__ATOMIC_ACQUIRE);
}

static inline void fence_release(void)
{
    __atomic_thread_fence(__ATOMIC_RELEASE);
}

static inline void fence_seq_cst(void)
{
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
}

#define ATOMIC_ADD(order, p, value) __atomic_fetch_add((p), (value), __ATOMIC_##order)
#define ATOMIC_SUB(order, p, value) __atomic_fetch_sub((p), (value), __ATOMIC_##order)
#define ATOMIC_OR(order, p, value) __atomic_fetch_or((p), (value), __ATOMIC_##order)
#define ATOMIC_AND(order, p, value) __atomic_fetch_and((p), (value), __ATOMIC_##order)
#define ATOMIC_SWAP(order, p, value) __atomic_exchange_n((p), (value), __ATOMIC_##order)

/* The order of a failure: the acquire part of the order of a success. */
#define ATOMIC_FAILURE_RELAXED __ATOMIC_RELAXED
#define ATOMIC_FAILURE_ACQUIRE __ATOMIC_ACQUIRE
#define ATOMIC_FAILURE_RELEASE __ATOMIC_RELAXED
#define ATOMIC_FAILURE_ACQ_REL __ATOMIC_ACQUIRE

#define ATOMIC_CAS(order, p, expected, desired)                                                    \
    __atomic_compare_exchange_n((p), (expected), (desired), false, __ATOMIC_##order,               \
                                ATOMIC_FAILURE_##order)
