/* SPDX-License-Identifier: MIT */
/*
 * Bringing a core into the scheduler, and what it does when nothing is ready.
 */
#include "arch/context.h"
#include "arch/core.h"
#include "arch/ipi.h"
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

/* The most is a few times what a wake-up by an interrupt costs on both sides. */
#define IDLE_POLL_LEAST_NS 3000U
#define IDLE_POLL_MOST_NS 50000U

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
 * Before a core sleeps it looks at its inbox for a while, and says there that nobody need interrupt it: an interrupt
 * costs its sender and its receiver more than the rest of a wake-up. True when somebody has come. One that is
 * about to be interrupted, or whose time is over, sleeps if it still may: then it says that it does, and
 * who has come before that is found (inbox.h).
 */
static bool poll(struct runqueue *runqueue, nsec_t until)
{
    if (!inbox_settle(&runqueue->inbox, INBOX_LEVEL)) {
        return true;
    }
    ipi_poll_begin();
    while (!inbox_has_some(&runqueue->inbox) && timer_now_ns() < until && !ipi_poll()) {
    }
    ipi_poll_end();
    return !inbox_settle(&runqueue->inbox, rank_level(RANK_IDLE));
}

static void idle_sleep(struct core *core, nsec_t since)
{
    core->idle_since = since;
    drain_sleep();
    shootdown_sleep();
    arch_wait_for_interrupt();
    shootdown_wake();
    drain_wake();
    core->idle_since = 0;
}

/* How long the next poll takes at most: it pays when others wake this core soon after it became idle, and a core
 * that they leave alone sleeps at once. */
static void adapt(struct runqueue *runqueue, nsec_t idle_ns)
{
    uint32_t poll_ns = runqueue->poll_ns;

    if (idle_ns <= IDLE_POLL_MOST_NS && inbox_has_some(&runqueue->inbox)) {
        poll_ns = poll_ns < IDLE_POLL_LEAST_NS ? IDLE_POLL_LEAST_NS : 2 * poll_ns;
        runqueue->poll_ns = poll_ns > IDLE_POLL_MOST_NS ? IDLE_POLL_MOST_NS : poll_ns;
    } else {
        runqueue->poll_ns = poll_ns <= IDLE_POLL_LEAST_NS ? 0 : poll_ns / 2;
    }
}

/* Nothing to do, until an interrupt or a thread comes. */
static void be_idle(struct core *core)
{
    struct runqueue *runqueue = core->runqueue;
    nsec_t since = timer_now_ns();

    core->idles++;
    if (runqueue->poll_ns == 0 || !poll(runqueue, since + runqueue->poll_ns)) {
        idle_sleep(core, since);
    }
    nsec_t idle_ns = timer_now_ns() - since;

    core->idle_ns += idle_ns;
    adapt(runqueue, idle_ns);
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
        if ((core->work & WORK_RESCHEDULE) == 0) {
            be_idle(core);
        }
        if ((core->work & WORK_RESCHEDULE) != 0 || inbox_has_some(&core->runqueue->inbox)) {
            sched_preempt();
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
