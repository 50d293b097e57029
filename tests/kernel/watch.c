/* SPDX-License-Identifier: MIT */
#include "tests/kernel/watch.h"

#include "arch/console.h"
#include "arch/power.h"
#include "arch/timer.h"
#include "kernel/base/assert.h"
#include "kernel/base/atomic.h"
#include "kernel/base/print.h"
#include "sched/sched.h"

static nsec_t watch_limit;
static const char *watch_group = "suite";
static const char *watch_name = "begin";
static uint64_t watch_progress; /* tests begun; written by the suite's thread */

void watch_note_progress(const char *group, const char *name)
{
    watch_group = group;
    watch_name = name;
    /* release: the names first; pairs with the acquire in watch_loop */
    atomic_store_release(&watch_progress, watch_progress + 1);
}

/* No lock is taken but the console's: whatever hangs may hold the others. */
NORETURN static void watch_give_up(void)
{
    static const char *const states[] = {"new", "ready", "running", "blocked", "moving", "dead"};

    print("# lock-up: %s.%s does not end\n", watch_group, watch_name);
    for (cpu_t cpu = 0; cpu < MAX_CORES; cpu++) {
        const struct thread *thread = cores[cpu].current;

        if (thread != NULL) {
            print("# core %u runs thread %u (%s), %s, %u ready\n", cpu, thread->id, thread->name,
                  states[thread->state], sched_ready_count(cpu));
        }
    }
    console_flush();
    power_exit(EXIT_LOCKUP);
}

static void watch_loop(void *argument)
{
    uint64_t seen = 0;

    (void)argument;
    for (;;) {
        /* acquire: the names of the test; pairs with the release in watch_note_progress */
        uint64_t now = atomic_load_acquire(&watch_progress);

        if (now == seen) {
            watch_give_up();
        }
        seen = now;
        (void)sched_sleep_until(timer_now_ns() + watch_limit);
    }
}

void watch_start(nsec_t limit)
{
    cpu_t last = sched_online_count() - 1;

    watch_limit = limit;
    watch_note_progress(watch_group, watch_name);
    for (cpu_t i = 0; i <= (last != 0); i++) {
        struct thread *thread;

        BUG_ON(thread_create_kernel("watch", watch_loop, NULL, &thread) != OK);
        BUG_ON(thread_start(thread, i == 0 ? 0 : last) != OK);
        object_release(&thread->object);
    }
}
