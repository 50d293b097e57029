/* SPDX-License-Identifier: MIT */
#include "tests/kernel/crew.h"

#include "arch/irq.h"
#include "kernel/abi/syscall.h"
#include "kernel/base/assert.h"
#include "sched/sched.h"

struct thread *crew_start(cpu_t cpu, void (*entry)(void *argument), void *argument)
{
    struct thread *thread;

    BUG_ON(thread_create_kernel("crew", entry, argument, &thread) != OK);
    BUG_ON(thread_start(thread, cpu) != OK);
    return thread;
}

long crew_join(struct thread *thread)
{
    long code = -1;

    EXPECT_OK(thread_join(thread, DEADLINE_NONE, &code));
    object_release(&thread->object);
    return code;
}

cpu_t crew_core(unsigned i)
{
    return (core_index() + i) % sched_online_count();
}

void crew_run(unsigned count, void (*entry)(void *member), void *shared)
{
    struct crew_member members[CREW_MAX];
    struct thread *threads[CREW_MAX];

    BUG_ON(count > CREW_MAX);
    for (unsigned i = 0; i < count; i++) {
        members[i] = (struct crew_member){.index = i, .shared = shared};
        threads[i] = crew_start(crew_core(i), entry, &members[i]);
    }
    for (unsigned i = 0; i < count; i++) {
        EXPECT_EQ(crew_join(threads[i]), 0);
    }
}

bool crew_wait_on(nsec_t since)
{
    sched_yield();
    arch_relax();
    return timer_now_ns() - since < CREW_PATIENCE_NS;
}
