/* SPDX-License-Identifier: MIT */
/*
 * The order in which Baton comes up.
 *
 * Rules: kernel_main runs once, on the boot core, on the boot stack, with interrupts off and the
 * boot page table; each step may use only what stands above it. The last step turns the boot
 * context into the core's idle thread; what is left to do is done by the thread "boot".
 */
#include "arch/console.h"
#include "arch/core.h"
#include "arch/irqchip.h"
#include "arch/mmu.h"
#include "arch/platform.h"
#include "arch/power.h"
#include "arch/smp.h"
#include "arch/timer.h"
#include "arch/trap.h"
#include "arch/irq.h"
#include "ipc/courier.h"
#include "ipc/service.h"
#include "kernel/base/build_id.h"
#include "kernel/base/print.h"
#include "kernel/core/init.h"
#include "kernel/core/panic.h"
#include "kernel/core/suite.h"
#include "mm/drain.h"
#include "mm/frame.h"
#include "mm/nexus.h"
#include "mm/spmalloc.h"
#include "mm/vspace.h"
#include "sched/domain.h"
#include "sched/reaper.h"
#include "sched/sched.h"

_Noreturn void kernel_main(hart_id_t boot_hart, paddr_t tree);

static void boot_require(status_t status, const char *step)
{
    if (status != OK) {
        panic("boot: %s: status %ld", step, status);
    }
}

/* No page is both writable and executable, none of the kernel's is a user's, each stack has a
 * guard: looked at once, because everything else relies on it. */
static void boot_check_tables(void)
{
    const char *fault = mmu_check_kernel_table();

    if (fault != NULL) {
        panic("boot: kernel page table: %s", fault);
    }
}

static void boot_describe_thread(void (*emit)(const char *text, ...))
{
    const struct thread *thread = thread_current();

    if (thread != NULL) {
        emit("thread %u (%s), domain %u (%s)", thread->id, thread->name, thread->domain->id,
             thread->domain->name);
    } else {
        emit("no thread yet");
    }
}

/* The first code in C of every core but the boot core. */
static void core_main(void)
{
    irq_disable();
    trap_init_core();
    timer_init_core();
    irqchip_init_core();
    boot_require(courier_start_core(), "couriers");
    sched_run_core();
}

static void boot_print_banner(void)
{
    uint64_t megabytes = frame_total_pages() * PAGE_BYTES >> 20;

    print("\nBaton %s: %u core%s, %lu MiB, timer %s\n", build_id, platform.core_count,
          platform.core_count == 1 ? "" : "s", megabytes, platform.has_sstc ? "Sstc" : "SBI");
}

/* Everything that needs a thread: services, tests, the first program. */
static void boot_thread(void *argument)
{
    (void)argument;
    boot_require(reaper_start(), "reaper");
    boot_require(service_start_all(), "services");
    const char *archive_fault = init_open_archive();
    if (suite_requested != NULL && suite_requested()) {
        suite_run(); /* does not return */
    }
    init_start(archive_fault);
}

static void boot_start_thread(void)
{
    struct thread *thread;

    boot_require(thread_create_kernel("boot", boot_thread, NULL, &thread), "boot thread");
    boot_require(thread_start(thread, 0), "boot thread");
    object_release(&thread->object);
}

void kernel_main(hart_id_t boot_hart, paddr_t tree)
{
    struct core *core = core_current();

    print_set_sink(console_write);
    panic_describe_thread = boot_describe_thread;
    trap_init_core();
    platform_read(tree, boot_hart);
    frame_init();
    drain_init();
    nexus_init(platform.core_count);
    mmu_init();
    boot_check_tables();
    spmalloc_init(platform.core_count, timer_now_ns());
    vspace_init();
    for (cpu_t cpu = 0; cpu < platform.core_count; cpu++) {
        cores[cpu].cpu = cpu;
        cores[cpu].hart_id = platform.hart_id[cpu];
        cores[cpu].satp_offset = cpu * sizeof(uint64_t);
    }
    boot_require(domain_init_kernel(), "kernel domain");
    boot_require(sched_init(platform.core_count), "scheduler");
    timer_init_core();
    irqchip_init();
    irqchip_init_core();
    console_init(core->cpu);
    boot_print_banner();
    boot_require(courier_make_all(platform.core_count), "couriers");
    boot_require(courier_start_core(), "couriers");
    boot_start_thread();
    smp_start_others(core_main);
    sched_run_core();
}
