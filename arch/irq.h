/* SPDX-License-Identifier: MIT */
/*
 * Interrupts of the calling core: off, on, and waiting for one.
 *
 * Rules: any context; never blocks, never fails; one CSR instruction each. "Off" is also what
 * keeps a thread on its core and opens an epoch section. Each function is a compiler barrier.
 */
#pragma once

#include "kernel/base/types.h"

#ifdef __riscv

#define SSTATUS_SIE 2UL

static inline void irq_disable(void)
{
    __asm__ volatile("csrci sstatus, 2" ::: "memory");
}

static inline void irq_enable(void)
{
    __asm__ volatile("csrsi sstatus, 2" ::: "memory");
}

/* Turns interrupts off. Returns the old state for irq_restore(); pairs may nest. */
static inline uint64_t irq_save(void)
{
    uint64_t old;
    __asm__ volatile("csrrci %0, sstatus, 2" : "=r"(old)::"memory");
    return old & SSTATUS_SIE;
}

static inline void irq_restore(uint64_t state)
{
    __asm__ volatile("csrs sstatus, %0" ::"r"(state) : "memory");
}

/*
 * The same for leaf code: the whole register is kept and put back, an instruction less each. Only
 * where nothing else in sstatus can change in between.
 */
static inline uint64_t irq_save_whole(void)
{
    uint64_t old;
    __asm__ volatile("csrrci %0, sstatus, 2" : "=r"(old)::"memory");
    return old;
}

static inline void irq_restore_whole(uint64_t state)
{
    __asm__ volatile("csrw sstatus, %0" ::"r"(state) : "memory");
}

static inline bool irq_enabled(void)
{
    uint64_t now;
    __asm__ volatile("csrr %0, sstatus" : "=r"(now)::"memory");
    return (now & SSTATUS_SIE) != 0;
}

/*
 * Sleeps until an interrupt that is enabled in sie is pending. Called with interrupts off: one
 * that is already pending ends the sleep at once, so a wake-up between the caller's last look
 * and the sleep is not lost. The caller then turns interrupts on to take it.
 */
static inline void arch_wait_for_interrupt(void)
{
    __asm__ volatile("wfi" ::: "memory");
}

/* A hint inside a spin loop. */
static inline void arch_relax(void)
{
    __asm__ volatile(".insn i 0x0f, 0, x0, x0, 0x010" ::: "memory"); /* pause (Zihintpause) */
}

#else /* the host: unit tests have no interrupts, only whether they would be on */

extern _Thread_local bool host_irq_enabled;

static inline void irq_disable(void)
{
    host_irq_enabled = false;
}

static inline void irq_enable(void)
{
    host_irq_enabled = true;
}

static inline uint64_t irq_save(void)
{
    bool old = host_irq_enabled;

    host_irq_enabled = false;
    return old;
}

static inline void irq_restore(uint64_t state)
{
    host_irq_enabled = host_irq_enabled || state != 0;
}

static inline uint64_t irq_save_whole(void)
{
    return 0;
}

static inline void irq_restore_whole(uint64_t state)
{
    (void)state;
}

static inline bool irq_enabled(void)
{
    return host_irq_enabled;
}

static inline void arch_wait_for_interrupt(void)
{
}

#ifdef BATON_RELACY
void arch_relax(void); /* tests/relacy: another core goes on, and an interrupt may come */
#else
static inline void arch_relax(void)
{
#if defined(__x86_64__)
    __builtin_ia32_pause();
#endif
}
#endif

#endif
