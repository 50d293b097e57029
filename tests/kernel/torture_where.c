/* SPDX-License-Identifier: MIT */
/*
 * A thread that is off its core has saved its registers below `context`; the functions that it is in follow from
 * its frame pointers (arch/backtrace.h, which reads nothing but mapped stacks, so a chain that changes meanwhile
 * does no harm).
 */
#include "tests/kernel/torture_where.h"

#include <string.h>

#include "arch/backtrace.h"
#include "arch/irq.h"
#include "kernel/base/atomic.h"
#include "kernel/base/symbol.h"
#include "sched/thread.h"

const char *const where_names[WHERE_COUNT] = {"user code", "kernel",  "copy",
                                              "running",   "blocked", "queued"};

/* Is one of the functions that the thread is in called so? */
static bool is_in(const vaddr_t *pcs, unsigned count, const char *prefix)
{
    for (unsigned i = 0; i < count; i++) {
        uint64_t offset;
        const char *name = symbol_find(pcs[i], &offset);

        if (name != NULL && strncmp(name, prefix, strlen(prefix)) == 0) {
            return true;
        }
    }
    return false;
}

static enum where where_ready(const struct thread *thread)
{
    const uint64_t *saved = (const uint64_t *)thread->context; /* ra, s0: arch/riscv/switch.S */
    vaddr_t pcs[BACKTRACE_MAX];
    unsigned count = backtrace_collect(saved[1], saved[0], pcs, BACKTRACE_MAX);

    if (is_in(pcs, count, "usercopy_")) {
        return WHERE_COPY;
    }
    return is_in(pcs, count, "trap_user") || is_in(pcs, count, "trap_entry_user") ? WHERE_USER
                                                                                  : WHERE_KERNEL;
}

enum where where_is(const struct thread *thread)
{
    uint64_t state = irq_save();
    /* relaxed: a guess */
    bool queued = atomic_load_relaxed(&thread->waiting_for) != NULL;
    enum where where = WHERE_RUNNING;

    switch (atomic_load_relaxed(&thread->state)) {
    case THREAD_BLOCKED:
        where = queued ? WHERE_QUEUED : WHERE_BLOCKED;
        break;
    case THREAD_READY:
        where = where_ready(thread);
        break;
    default:
        break;
    }
    irq_restore(state);
    return where;
}
