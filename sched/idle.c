/* SPDX-License-Identifier: MIT */
/*
 * Bringing a core into the scheduler, and what it does when nothing is ready.
 */
#include "arch/context.h"
#include "arch/core.h"
#include "arch/irq.h"
#include "arch/timer.h"
#include "kernel/base/assert.h"
#include "kernel/base/atomic.h"
#include "kernel/base/print.h"
#include "mm/drain.h"
#include "mm/kstack.h"
#include "mm/shootdown.h"
#include "sched/domain.h"
#include "sched/runqueue_priv.h"
#include "sched/sched.h"
#include "sched/timeout.h"

static uint32_t online_count;

status_t sched_init(uint32_t core_count)
{
    status_t status = timeout_init(core_count);

    if (status != OK) {
        return status;
    }
    for (cpu_t cpu = 0; cpu < MAX_CORES; cpu++) {
        status = runqueue_init(cpu, cpu < core_count);
        if (status != OK) {
            return status;
        }
    }
    for (cpu_t cpu = 0; cpu < core_count; cpu++) {
        char name[THREAD_NAME_BYTES];

        format_string(name, sizeof(name), "idle/%u", cpu);
        status = thread_make(&kernel_domain, name, &runqueues[cpu].idle);
        if (status == OK) {
            status = kstack_alloc(&cores[cpu].emergency_stack);
        }
        if (status != OK) {
            return status;
        }
        cores[cpu].emergency_stack -= 16;
        cores[cpu].boot_sp = cores[cpu].emergency_stack;
        thread_set_core(runqueues[cpu].idle, cpu);
        runqueues[cpu].idle->rank = runqueues[cpu].idle->own_rank = RANK_IDLE;
    }
    return OK;
}

/*
 * Interrupts stay off between the look at the work word and wfi: one that comes in between is
 * pending and ends the sleep at once.
 */
static void idle_loop(void *argument)
{
    struct core *core = core_current();

    (void)argument;
    for (;;) {
        irq_disable();
        if ((core->work & WORK_RESCHEDULE) != 0) {
            sched_preempt();
        } else {
            core->idles++;
            core->idle_since = timer_now_ns();
            drain_sleep();
            shootdown_sleep();
            arch_wait_for_interrupt();
            shootdown_wake();
            drain_wake();
            core->idle_ns += timer_now_ns() - core->idle_since;
            core->idle_since = 0;
        }
        irq_enable();
    }
}

void sched_run_core(void)
{
    struct core *core = core_current();
    struct runqueue *runqueue = &runqueues[core->cpu];
    struct thread *idle = runqueue->idle;

    ASSERT(!irq_enabled());
    idle->state = THREAD_RUNNING;
    idle->run_since = timer_now_ticks();
    core->current = idle;
    core->activation = idle->activation;
    core->work = WORK_RESCHEDULE;
    /* relaxed: a count for listings */
    atomic_add_relaxed(&online_count, 1);
    /* release: the core's fields are set; pairs with the acquire loads of `online` */
    atomic_store_release(&core->online, 1);
    context_call_on(idle_loop, NULL, (vaddr_t)activation_fpu(&idle->base));
    BUG_ON(true); /* the idle loop does not end */
    for (;;) {
    }
}

uint32_t sched_online_count(void)
{
    /* relaxed: a count for listings */
    return atomic_load_relaxed(&online_count);
}
