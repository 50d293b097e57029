/* SPDX-License-Identifier: MIT */
/*
 * The interrupt controller for devices (PLIC).
 *
 * Rules: source numbers are 1..platform.plic.sources. Never blocks, never fails. Claim and
 * complete are per core and need interrupts off.
 */
#pragma once

#include "kernel/base/types.h"

/* Boot core, after mmu_init(): all sources off, lowest priority, on every core. */
void irqchip_init(void);

/* Once per core, interrupts off: this core takes sources of any priority (sie is
 * trap_init_core()'s). */
void irqchip_init_core(void);

/* Routes a source to one core (when that one is not wired to the controller: to the first that is), which is
 * returned, or stops it. Boot core, or with the caller's own lock. */
cpu_t irqchip_enable(uint32_t irq, cpu_t cpu);
void irqchip_disable(uint32_t irq, cpu_t cpu);

/* Keeps a source from firing, or lets it again, whatever core it is routed to; by its priority, since a source that is
 * off while it is handled could not be completed. Any context. */
void irqchip_mask(uint32_t irq, bool masked);

/* Takes the most urgent pending source for this core; 0 = none left. */
uint32_t irqchip_claim(void);

/* Ends the handling of a claimed source. */
void irqchip_complete(uint32_t irq);

/* The external interrupt: claims and handles sources on this core until none is pending. What is not the console's
 * goes up (arch/upcall.h). */
void irqchip_handle(void);
