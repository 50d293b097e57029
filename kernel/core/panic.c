/* SPDX-License-Identifier: MIT */
/*
 * Panic: one core wins, stops the others, prints, and ends the machine.
 *
 * Rules: as in panic.h. States of `owner`: 0, then for ever the winner's cpu + 1. Each stopped
 * core writes its own record and then sets `stopped`; the winner reads it after seeing that.
 */
#include "kernel/core/panic.h"

#include <stdarg.h>

#include "arch/backtrace.h"
#include "arch/console.h"
#include "arch/core.h"
#include "arch/ipi.h"
#include "arch/irq.h"
#include "arch/power.h"
#include "arch/timer.h"
#include "arch/trap.h"
#include "arch/upcall.h"
#include "kernel/base/assert.h"
#include "kernel/base/atomic.h"
#include "kernel/base/print.h"
#include "kernel/core/panic_priv.h"

/* How long the winner waits for the others; both bounds, in case the clock is what broke. */
#define STOP_WAIT_NS 200000000UL
#define STOP_WAIT_POLLS 20000000UL

struct stopped_core {
    uint32_t stopped;
    uint32_t count;
    vaddr_t trace[BACKTRACE_MAX];
};

static uint32_t owner;
static struct stopped_core records[MAX_CORES];

NORETURN static void stop_here(void)
{
    struct stopped_core *record = &records[core_index()];
    record->trace[0] = backtrace_interrupted_pc();
    record->count = 1 + backtrace_collect_here(record->trace + 1, BACKTRACE_MAX - 1);
    /* release: the backtrace is written; pairs with the acquire in all_stopped() */
    atomic_store_release(&record->stopped, 1U);
    timer_set_deadline(TIMER_NEVER);
    for (;;) {
        arch_wait_for_interrupt();
    }
}

void panic_stop_if_requested(void)
{
    /* relaxed: only whether; the records carry their own order */
    if (atomic_load_relaxed(&owner) != 0) {
        stop_here();
    }
}

static bool is_other_online(cpu_t cpu)
{
    return cpu != core_index() && atomic_load_relaxed(&cores[cpu].online) != 0;
}

static bool all_stopped(void)
{
    for (cpu_t cpu = 0; cpu < MAX_CORES; cpu++) {
        /* acquire: sees that core's backtrace; pairs with the release in stop_here() */
        if (is_other_online(cpu) && atomic_load_acquire(&records[cpu].stopped) == 0) {
            return false;
        }
    }
    return true;
}

/* Wins or does not return. Afterwards this core is alone, or the rest did not answer in time. */
static void begin(void)
{
    uint32_t none = 0;
    irq_disable();
    /* acq_rel: exactly one winner; pairs with itself on the other cores */
    if (!atomic_cas_acq_rel(&owner, &none, core_index() + 1)) {
        if (none != core_index() + 1) {
            stop_here();
        }
        console_panic();
        print("\n*** panic inside the panic report\n");
        power_exit(EXIT_PANIC);
    }
    for (cpu_t cpu = 0; cpu < MAX_CORES; cpu++) {
        if (is_other_online(cpu)) {
            ipi_request(cpu, IPI_STOP);
        }
    }
    nsec_t start = timer_now_ns();
    for (uint64_t i = 0; i < STOP_WAIT_POLLS && !all_stopped(); i++) {
        if (timer_now_ns() - start > STOP_WAIT_NS) {
            break;
        }
        arch_relax();
    }
    console_panic();
    print_set_sink(console_write);
}

NORETURN static void finish(void)
{
    for (cpu_t cpu = 0; cpu < MAX_CORES; cpu++) {
        if (!is_other_online(cpu)) {
            continue;
        }
        /* acquire: pairs with the release in stop_here() */
        if (atomic_load_acquire(&records[cpu].stopped) == 0) {
            print("  core %u did not stop\n", cpu);
            continue;
        }
        print("  core %u was stopped at, and got there by:\n", cpu);
        report_backtrace(records[cpu].trace, records[cpu].count);
    }
    print("*** end of the panic report\n");
    power_exit(EXIT_PANIC);
}

void panic(const char *why, ...)
{
    vaddr_t trace[BACKTRACE_MAX];
    va_list arguments;
    begin();
    print("\n*** kernel panic: ");
    va_start(arguments, why);
    print_list(why, arguments);
    va_end(arguments);
    print("\n");
    report_place();
    print("  backtrace:\n");
    report_backtrace(trace, backtrace_collect_here(trace, BACKTRACE_MAX));
    finish();
}

void panic_trap(const struct trap_frame *frame, const char *why)
{
    begin();
    report_trap(frame, why);
    finish();
}

void assert_fail(const char *expression, const char *file, int line)
{
    panic("assertion failed: %s, %s:%d", expression, file, line);
}

void upcall_kernel_fault(struct trap_frame *frame)
{
    panic_trap(frame, "kernel panic");
}

void upcall_kernel_stack_overflow(struct trap_frame *frame)
{
    panic_trap(frame, "kernel panic: stack overflow");
}
