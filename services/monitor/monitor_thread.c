/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "arch/core.h"
#include "arch/irq.h"
#include "arch/timer.h"
#include "kernel/base/atomic.h"
#include "ipc/port.h"
#include "sched/domain.h"
#include "sched/thread.h"
#include "services/monitor/monitor_priv.h"

_Static_assert(THREAD_NAME_BYTES == MAX_PROGRAM_NAME_BYTES, "the row holds the whole name");

struct pick {
    uint64_t left;
    struct thread *found;
};

static bool pick_thread(struct thread *thread, void *argument)
{
    struct pick *pick = argument;

    if (pick->left > 0) {
        pick->left--;
        return true;
    }
    if (!object_retain_try(&thread->object)) {
        return true;
    }
    pick->found = thread;
    return false;
}

static uint32_t state_of(enum thread_state state)
{
    switch (state) {
    case THREAD_RUNNING:
        return MONITOR_THREAD_RUNNING;
    case THREAD_BLOCKED:
        return MONITOR_THREAD_BLOCKED;
    case THREAD_DEAD:
        return MONITOR_THREAD_ENDED;
    case THREAD_NEW:
    case THREAD_READY:
    case THREAD_MOVING:
        break;
    }
    return MONITOR_THREAD_READY;
}

/* Nested calls now. The innermost record may be popped while it is read: records lie on kernel
 * stacks, which stay mapped, so the number can be stale but the read cannot fault. */
static uint32_t depth_of(struct thread *thread, const struct core *core)
{
    /* Relaxed: nothing is ordered by a snapshot. */
    const struct activation *activation = atomic_load_relaxed(&core->current) == thread
                                              ? atomic_load_relaxed(&core->activation)
                                              : atomic_load_relaxed(&thread->activation);

    return activation == NULL ? 0 : activation_depth(activation);
}

/* Time on cores, with the stretch that is going on. */
static nsec_t run_time_of(const struct thread *thread, enum thread_state state)
{
    uint64_t ticks = atomic_load_relaxed(&thread->run_ticks);
    uint64_t since = atomic_load_relaxed(&thread->run_since);
    uint64_t now = timer_now_ticks();

    if (state == THREAD_RUNNING && since != 0 && now > since) {
        ticks += now - since;
    }
    return timer_ticks_to_ns(ticks);
}

/* Interrupts are off: a port that is still noted stays memory. */
static uint32_t port_waited_for(const struct thread *thread)
{
    uint64_t irq = irq_save();
    const struct port *port = atomic_load_relaxed(&thread->waiting_for);
    uint32_t index = port == NULL ? MONITOR_NO_PORT : port->index;

    irq_restore(irq);
    return index;
}

status_t monitor_fill_thread(uint64_t index, struct monitor_thread *row)
{
    struct pick pick = {.left = index};
    enum thread_state state;
    struct thread *thread;

    thread_visit_all(pick_thread, &pick);
    thread = pick.found;
    if (thread == NULL) {
        return ERR_NOT_FOUND;
    }
    state = atomic_load_relaxed(&thread->state);
    row->id = thread->id;
    row->domain_id = thread->domain->id;
    row->run_ns = run_time_of(thread, state);
    row->state = state_of(state);
    row->priority = thread_priority(thread);
    row->core = atomic_load_relaxed(&thread->cpu);
    row->depth = row->core < MAX_CORES ? depth_of(thread, &cores[row->core]) : 0;
    row->waits = port_waited_for(thread);
    memcpy(row->name, thread->name, sizeof(row->name) - 1);
    object_release(&thread->object);
    return OK;
}
