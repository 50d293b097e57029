/* SPDX-License-Identifier: MIT */
/*
 * The PLIC (RISC-V Platform-Level Interrupt Controller specification 1.0).
 *
 * Rules: a context is a pair of hart and privilege level; only S-mode contexts are touched. A
 * source is enabled in one context at a time, so no two cores claim the same one. The firmware
 * clears a context's enable bits when its hart starts, so they are kept here too and written
 * again by irqchip_init_core(). A source is not to be enabled for a core while that starts.
 */
#include "arch/irqchip.h"

#include "arch/console.h"
#include "arch/core.h"
#include "arch/platform.h"
#include "arch/upcall.h"
#include "arch/riscv/devices_priv.h"
#include "kernel/base/assert.h"

#define PLIC_ENABLE 0x2000U
#define PLIC_ENABLE_STRIDE 0x80U
#define PLIC_CONTEXT 0x200000U
#define PLIC_CONTEXT_STRIDE 0x1000U
#define PLIC_CLAIM 4U

#define PLIC_WORDS 32U

static volatile uint8_t *plic;
static uint32_t enabled[MAX_CORES][PLIC_WORDS];

void irqchip_attach(volatile void *registers)
{
    plic = registers;
}

static volatile uint32_t *plic_register(uint32_t offset)
{
    return (volatile uint32_t *)(volatile void *)(plic + offset);
}

static void write_enable_word(cpu_t cpu, uint32_t word)
{
    *plic_register(PLIC_ENABLE + platform.plic.context[cpu] * PLIC_ENABLE_STRIDE + word * 4) =
        enabled[cpu][word];
}

static void write_enable_words(cpu_t cpu)
{
    for (uint32_t word = 0; word <= platform.plic.sources / 32; word++) {
        write_enable_word(cpu, word);
    }
}

static volatile uint32_t *context_register(cpu_t cpu, uint32_t offset)
{
    return plic_register(PLIC_CONTEXT + platform.plic.context[cpu] * PLIC_CONTEXT_STRIDE + offset);
}

/* A hart may be wired to another controller, which Baton does not use. */
static bool has_context(cpu_t cpu)
{
    return cpu < platform.core_count && platform.plic.context[cpu] != PLATFORM_NO_CONTEXT;
}

void irqchip_init(void)
{
    for (uint32_t irq = 1; irq <= platform.plic.sources; irq++) {
        *plic_register(irq * 4) = 0;
    }
    for (cpu_t cpu = 0; cpu < platform.core_count; cpu++) {
        if (has_context(cpu)) {
            write_enable_words(cpu);
        }
    }
}

void irqchip_init_core(void)
{
    if (has_context(core_index())) {
        write_enable_words(core_index());
        *context_register(core_index(), 0) = 0;
    }
}

cpu_t irqchip_enable(uint32_t irq, cpu_t cpu)
{
    for (cpu_t other = 0; !has_context(cpu) && other < platform.core_count; other++) {
        cpu = other;
    }
    BUG_ON(irq == 0 || irq > platform.plic.sources || !has_context(cpu));
    *plic_register(irq * 4) = 1;
    enabled[cpu][irq / 32] |= 1U << (irq % 32);
    write_enable_word(cpu, irq / 32);
    return cpu;
}

void irqchip_disable(uint32_t irq, cpu_t cpu)
{
    BUG_ON(irq == 0 || irq > platform.plic.sources || !has_context(cpu));
    enabled[cpu][irq / 32] &= ~(1U << (irq % 32));
    write_enable_word(cpu, irq / 32);
}

void irqchip_mask(uint32_t irq, bool masked)
{
    BUG_ON(irq == 0 || irq > platform.plic.sources);
    *plic_register(irq * 4) = masked ? 0 : 1;
}

uint32_t irqchip_claim(void)
{
    return has_context(core_index()) ? *context_register(core_index(), PLIC_CLAIM) : 0;
}

void irqchip_complete(uint32_t irq)
{
    *context_register(core_index(), PLIC_CLAIM) = irq;
}

void irqchip_handle(void)
{
    for (uint32_t irq = irqchip_claim(); irq != 0; irq = irqchip_claim()) {
        if (irq == platform.uart.irq) {
            uart_handle_interrupt();
        } else {
            upcall_device_interrupt(irq);
        }
        irqchip_complete(irq);
    }
}
