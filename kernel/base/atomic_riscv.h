/* SPDX-License-Identifier: MIT */
/*
 * The atomics of kernel/base/atomic.h in RISC-V instructions.
 *
 * Rules: included by kernel/base/atomic.h only. Source: RISC-V unprivileged specification,
 * appendix A.5 "Code porting and mapping guidelines", table "Mappings from C/C++ primitives to
 * RISC-V primitives":
 *   load relaxed    l{b|h|w|d}               store relaxed   s{b|h|w|d}
 *   load acquire    l{b|h|w|d}; fence r,rw   store release   fence rw,w; s{b|h|w|d}
 *   fence acquire   fence r,rw               fence release   fence rw,w
 *   fence acq_rel   fence.tso                fence seq_cst   fence rw,rw
 *   RMW relaxed     amo<op>.{w|d}            CAS relaxed     lr; sc
 *   RMW acquire     amo<op>.{w|d}.aq         CAS acquire     lr.aq; sc
 *   RMW release     amo<op>.{w|d}.rl         CAS release     lr; sc.rl
 *   RMW acq_rel     amo<op>.{w|d}.aqrl       CAS acq_rel     lr.aq; sc.rl
 */
#pragma once

#include "kernel/base/types.h"

#define atomic_load_relaxed(p) __atomic_load_n((p), __ATOMIC_RELAXED)

#define atomic_load_acquire(p)                                                                     \
    __extension__({                                                                                \
        ATOMIC_CHECK_SIZE(p);                                                                      \
        __auto_type atomic_value_ = __atomic_load_n((p), __ATOMIC_RELAXED);                        \
        __asm__ volatile("fence r, rw" ::: "memory");                                              \
        atomic_value_;                                                                             \
    })

/* A volatile access of an aligned scalar is one store instruction, never torn or repeated. */
#define atomic_store_relaxed(p, value)                                                             \
    __extension__({                                                                                \
        ATOMIC_CHECK_SIZE(p);                                                                      \
        *(volatile __typeof__(*(p)) *)(p) = (value);                                               \
    })

/* The value is computed before the fence, so that its own reads are ordered too. */
#define atomic_store_release(p, value)                                                             \
    __extension__({                                                                                \
        ATOMIC_CHECK_SIZE(p);                                                                      \
        __typeof__(*(p)) atomic_new_ = (value);                                                    \
        __asm__ volatile("fence rw, w" ::: "memory");                                              \
        *(volatile __typeof__(*(p)) *)(p) = atomic_new_;                                           \
    })

static inline void fence_acquire(void)
{
    __asm__ volatile("fence r, rw" ::: "memory");
}

static inline void fence_release(void)
{
    __asm__ volatile("fence rw, w" ::: "memory");
}

static inline void fence_seq_cst(void)
{
    __asm__ volatile("fence rw, rw" ::: "memory");
}

#define ATOMIC_CHECK_RMW_SIZE(p)                                                                   \
    _Static_assert(sizeof(*(p)) == 4 || sizeof(*(p)) == 8, "a read-modify-write is of 4 or 8 "     \
                                                           "bytes")

#define ATOMIC_AMO_RELAXED ""
#define ATOMIC_AMO_ACQUIRE ".aq"
#define ATOMIC_AMO_RELEASE ".rl"
#define ATOMIC_AMO_ACQ_REL ".aqrl"

#define ATOMIC_AMO(instruction, order, p, value)                                                   \
    __extension__({                                                                                \
        ATOMIC_CHECK_RMW_SIZE(p);                                                                  \
        __typeof__(*(p)) atomic_new_ = (value);                                                    \
        __typeof__(*(p)) atomic_old_;                                                              \
        if (sizeof(*(p)) == 8) {                                                                   \
            __asm__ volatile(instruction ".d" ATOMIC_AMO_##order " %0, %2, %1"                     \
                             : "=r"(atomic_old_), "+A"(*(p))                                       \
                             : "r"(atomic_new_)                                                    \
                             : "memory");                                                          \
        } else {                                                                                   \
            __asm__ volatile(instruction ".w" ATOMIC_AMO_##order " %0, %2, %1"                     \
                             : "=r"(atomic_old_), "+A"(*(p))                                       \
                             : "r"(atomic_new_)                                                    \
                             : "memory");                                                          \
        }                                                                                          \
        atomic_old_;                                                                               \
    })

#define ATOMIC_ADD(order, p, value) ATOMIC_AMO("amoadd", order, p, value)
#define ATOMIC_SUB(order, p, value) ATOMIC_AMO("amoadd", order, p, (__typeof__(*(p)))0 - (value))
#define ATOMIC_OR(order, p, value) ATOMIC_AMO("amoor", order, p, value)
#define ATOMIC_AND(order, p, value) ATOMIC_AMO("amoand", order, p, value)
#define ATOMIC_SWAP(order, p, value) ATOMIC_AMO("amoswap", order, p, value)

#define ATOMIC_LR_RELAXED ""
#define ATOMIC_LR_ACQUIRE ".aq"
#define ATOMIC_LR_RELEASE ""
#define ATOMIC_LR_ACQ_REL ".aq"
#define ATOMIC_SC_RELAXED ""
#define ATOMIC_SC_ACQUIRE ""
#define ATOMIC_SC_RELEASE ".rl"
#define ATOMIC_SC_ACQ_REL ".rl"

/* `wanted` must be sign-extended for size w, as lr.w extends what it loads. */
#define ATOMIC_CAS_LOOP(size, order, p, wanted)                                                    \
    __asm__ volatile("1: lr." size ATOMIC_LR_##order " %0, %2\n\t"                                 \
                                                     "bne %0, %3, 2f\n\t"                          \
                                                     "sc." size ATOMIC_SC_##order                  \
                     " %1, %4, %2\n\t"                                                             \
                     "bnez %1, 1b\n"                                                               \
                     "2:"                                                                          \
                     : "=&r"(atomic_found_), "=&r"(atomic_failed_), "+A"(*(p))                     \
                     : "r"(wanted), "r"(atomic_new_)                                               \
                     : "memory")

#define ATOMIC_CAS(order, p, expected, desired)                                                    \
    __extension__({                                                                                \
        ATOMIC_CHECK_RMW_SIZE(p);                                                                  \
        __typeof__(expected) atomic_expected_ = (expected);                                        \
        __typeof__(*(p)) atomic_wanted_ = *atomic_expected_;                                       \
        __typeof__(*(p)) atomic_new_ = (desired);                                                  \
        __typeof__(*(p)) atomic_found_;                                                            \
        int64_t atomic_failed_;                                                                    \
        if (sizeof(*(p)) == 8) {                                                                   \
            ATOMIC_CAS_LOOP("d", order, p, atomic_wanted_);                                        \
        } else {                                                                                   \
            ATOMIC_CAS_LOOP("w", order, p, (int64_t)(int32_t)(uintptr_t)atomic_wanted_);           \
        }                                                                                          \
        if (atomic_found_ != atomic_wanted_) {                                                     \
            *atomic_expected_ = atomic_found_;                                                     \
        }                                                                                          \
        atomic_found_ == atomic_wanted_;                                                           \
    })
