/* SPDX-License-Identifier: MIT */
/*
 * A thread that is off its core has saved its registers below `context`. How it came off follows from its frame
 * pointers: below the first frame of a trap it was interrupted, in the user's code or at the place that the trap's
 * frame tells. All that is read lies between its stack pointer and the end of its stack slot, which is mapped, so
 * a chain that changes meanwhile does no harm.
 */
#include "tests/kernel/torture_where.h"

#include <string.h>

#include "arch/backtrace.h"
#include "arch/irq.h"
#include "arch/layout.h"
#include "arch/trap.h"
#include "kernel/base/atomic.h"
#include "kernel/base/symbol.h"
#include "sched/thread.h"

const char *const where_names[WHERE_COUNT] = {"user code", "kernel",  "copy",
                                              "running",   "blocked", "queued"};

static bool is_in(vaddr_t pc, const char *prefix)
{
    uint64_t offset;
    const char *name = symbol_find(pc, &offset);

    return name != NULL && strncmp(name, prefix, strlen(prefix)) == 0;
}

/* What the kernel was doing when it was interrupted. */
static enum where where_interrupted(const struct trap_frame *frame)
{
    /* Of mm/usercopy.c; what is inside of what depends on the compiler. */
    static const char *const copying[] = {"usercopy_", "copy_all", "copy_page",
                                          "copy_entered_page"};
    vaddr_t pcs[BACKTRACE_MAX];
    unsigned count = backtrace_collect_trap(frame, pcs, BACKTRACE_MAX);

    for (unsigned i = 0; i < count; i++) {
        for (unsigned k = 0; k < ARRAY_SIZE(copying); k++) {
            if (is_in(pcs[i], copying[k])) {
                return WHERE_COPY;
            }
        }
    }
    return WHERE_KERNEL;
}

/* The frame below fp, as in arch/riscv/backtrace.c: the return address, and the caller's fp. */
static enum where where_ready(const struct thread *thread)
{
    const uint64_t *saved = (const uint64_t *)thread->context; /* ra, s0: arch/riscv/switch.S */
    vaddr_t low = thread->context;
    vaddr_t high = ALIGN_DOWN(low, KSTACK_SLOT_BYTES) + KSTACK_SLOT_BYTES;
    vaddr_t fp = saved[1];

    while (IS_ALIGNED(fp, 8) && fp >= low + 16 && fp <= high - sizeof(struct trap_frame)) {
        vaddr_t pc = ((const uint64_t *)fp)[-1];

        if (is_in(pc, "trap_entry_kernel")) {
            return where_interrupted((const struct trap_frame *)fp);
        }
        if (is_in(pc, "trap_user_work")) {
            return WHERE_USER; /* the trap is over but for the wait for its turn */
        }
        low = fp;
        fp = ((const uint64_t *)fp)[-2];
    }
    return WHERE_KERNEL;
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
