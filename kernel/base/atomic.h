/* SPDX-License-Identifier: MIT */
/*
 * Atomic operations with their memory order in the name.
 *
 * Rules: operands are plain integer or pointer fields of 1, 2, 4 or 8 bytes (read-modify-write:
 * 4 or 8), naturally aligned, and every access to a shared one goes through here. Whoever uses
 * an acquire, release, acq_rel or full fence writes above it what it pairs with. Any context;
 * each operation is one or two instructions, a compare-and-swap a loop of four.
 *
 *   atomic_load_{relaxed,acquire}(p)                -> value
 *   atomic_store_{relaxed,release}(p, value)
 *   atomic_add_{relaxed,acquire,release,acq_rel}(p, value), likewise sub, or, and, swap
 *                                                   -> the value from before
 *   atomic_cas_{relaxed,acquire,release,acq_rel}(p, &expected, desired) -> bool: stores
 *       `desired` when *p is `expected`; else `expected` becomes what was found, and only the
 *       acquire part of the order holds. Strong: it does not fail for no reason.
 *   fence_{acquire,release,seq_cst,compiler}()
 *
 * On RISC-V they are spelled out in inline assembly, because GCC 12 lowers an acquire load to
 * `ld; fence iorw,iorw`, 8-byte stores, even relaxed ones, to `amoswap`, and a compare-and-swap
 * with release order to one without it (it looks at the order of the failure). The host's
 * tests use the compiler's builtins, and the model checker of tests/relacy its own.
 */
#pragma once

#include "kernel/base/types.h"

#define ATOMIC_CHECK_SIZE(p)                                                                       \
    _Static_assert(sizeof(*(p)) == 1 || sizeof(*(p)) == 2 || sizeof(*(p)) == 4 ||                  \
                       sizeof(*(p)) == 8,                                                          \
                   "an atomic is 1, 2, 4 or 8 bytes")

#if defined(__riscv)
#include "kernel/base/atomic_riscv.h"
#elif defined(BATON_RELACY)
#include "kernel/base/atomic_model.h"
#else
#include "kernel/base/atomic_builtin.h"
#endif

/* Keeps the compiler, not the machine, from moving memory accesses across. */
static inline void fence_compiler(void)
{
    __asm__ volatile("" ::: "memory");
}

#define atomic_add_relaxed(p, value) ATOMIC_ADD(RELAXED, p, value)
#define atomic_add_acquire(p, value) ATOMIC_ADD(ACQUIRE, p, value)
#define atomic_add_release(p, value) ATOMIC_ADD(RELEASE, p, value)
#define atomic_add_acq_rel(p, value) ATOMIC_ADD(ACQ_REL, p, value)

#define atomic_sub_relaxed(p, value) ATOMIC_SUB(RELAXED, p, value)
#define atomic_sub_acquire(p, value) ATOMIC_SUB(ACQUIRE, p, value)
#define atomic_sub_release(p, value) ATOMIC_SUB(RELEASE, p, value)
#define atomic_sub_acq_rel(p, value) ATOMIC_SUB(ACQ_REL, p, value)

#define atomic_or_relaxed(p, value) ATOMIC_OR(RELAXED, p, value)
#define atomic_or_acquire(p, value) ATOMIC_OR(ACQUIRE, p, value)
#define atomic_or_release(p, value) ATOMIC_OR(RELEASE, p, value)
#define atomic_or_acq_rel(p, value) ATOMIC_OR(ACQ_REL, p, value)

#define atomic_and_relaxed(p, value) ATOMIC_AND(RELAXED, p, value)
#define atomic_and_acquire(p, value) ATOMIC_AND(ACQUIRE, p, value)
#define atomic_and_release(p, value) ATOMIC_AND(RELEASE, p, value)
#define atomic_and_acq_rel(p, value) ATOMIC_AND(ACQ_REL, p, value)

#define atomic_swap_relaxed(p, value) ATOMIC_SWAP(RELAXED, p, value)
#define atomic_swap_acquire(p, value) ATOMIC_SWAP(ACQUIRE, p, value)
#define atomic_swap_release(p, value) ATOMIC_SWAP(RELEASE, p, value)
#define atomic_swap_acq_rel(p, value) ATOMIC_SWAP(ACQ_REL, p, value)

#define atomic_cas_relaxed(p, expected, desired) ATOMIC_CAS(RELAXED, p, expected, desired)
#define atomic_cas_acquire(p, expected, desired) ATOMIC_CAS(ACQUIRE, p, expected, desired)
#define atomic_cas_release(p, expected, desired) ATOMIC_CAS(RELEASE, p, expected, desired)
#define atomic_cas_acq_rel(p, expected, desired) ATOMIC_CAS(ACQ_REL, p, expected, desired)
