/* SPDX-License-Identifier: MIT */
/* The direct switch to a named thread, where threads may run, and bringing one here. */
#include "arch/core.h"
#include "arch/irq.h"
#include "kernel/abi/syscall.h"
#include "kernel/base/atomic.h"
#include "sched/runqueue_priv.h"
#include "sched/sched.h"
#include "tests/kernel/crew.h"

static struct affinity only(cpu_t cpu)
{
    struct affinity affinity = {{0}};

    affinity_add(&affinity, cpu);
    return affinity;
}

static struct thread *start_pinned(cpu_t cpu, void (*entry)(void *), void *argument)
{
    struct affinity affinity = only(cpu);
    struct thread *thread;

    BUG_ON(thread_create_kernel("pinned", entry, argument, &thread) != OK);
    BUG_ON(thread_set_affinity(thread, &affinity) != OK);
    BUG_ON(thread_start(thread, cpu) != OK);
    return thread;
}

static bool is_blocked(struct thread *thread)
{
    return atomic_load_relaxed(&thread->state) == THREAD_BLOCKED;
}

/* One names the other, who notes what he finds and wakes the first one. */
struct meeting {
    struct thread *namer;
    uint32_t go;
    uint32_t done;
    cpu_t core;
    uint64_t operations; /* of the queue of that core */
    uint64_t switches;
};

static void be_named(void *argument)
{
    struct meeting *meeting = argument;

    while (atomic_load_relaxed(&meeting->go) == 0) { /* relaxed: the wake-up orders it */
        sched_block();
    }
    uint64_t state = irq_save();
    meeting->core = core_index();
    meeting->operations = runqueue_here()->operations;
    meeting->switches = core_current()->switches;
    irq_restore(state);
    atomic_store_relaxed(&meeting->done, 1U); /* relaxed: the wake-up orders it */
    sched_wake_thread(meeting->namer);
}

/* What the core had done when the caller left it: in *before. */
static void name(struct meeting *meeting, struct thread *named, struct meeting *before)
{
    uint64_t state = irq_save();

    meeting->namer = thread_current();
    before->core = core_index();
    before->operations = runqueue_here()->operations;
    before->switches = core_current()->switches;
    atomic_store_relaxed(&meeting->go, 1U); /* relaxed: the wake-up orders it */
    sched_block_for(named);
    while (atomic_load_relaxed(&meeting->done) == 0) { /* relaxed: the wake-up orders it */
        sched_block();
    }
    irq_restore(state);
}

static uint32_t stop;
static uint32_t waiting;

static void yield_until_stopped(void *argument)
{
    (void)argument;
    atomic_add_relaxed(&waiting, 1U);         /* relaxed: only the number matters */
    while (atomic_load_relaxed(&stop) == 0) { /* relaxed: only the number matters */
        sched_yield();
    }
}

TEST(switching, a_named_thread_runs_at_once_and_no_queue_is_touched)
{
    struct meeting meeting = {0};
    struct meeting before;
    struct thread *others[3];
    struct thread *named = crew_start(core_index(), be_named, &meeting);

    stop = waiting = 0;
    for (unsigned i = 0; i < 3; i++) {
        others[i] = crew_start(core_index(), yield_until_stopped, NULL);
    }
    EXPECT_SOON(is_blocked(named) && atomic_load_relaxed(&waiting) == 3);
    name(&meeting, named, &before);
    EXPECT_EQ(meeting.core, before.core);
    EXPECT_EQ(meeting.operations, before.operations);
    EXPECT_EQ(meeting.switches, before.switches + 1); /* nobody came before */
    atomic_store_relaxed(&stop, 1U);
    for (unsigned i = 0; i < 3; i++) {
        crew_join(others[i]);
    }
    crew_join(named);
}

TEST(switching, a_named_thread_of_another_core_comes_here)
{
    struct meeting meeting = {0};
    struct meeting before;
    struct thread *named = crew_start(crew_core(1), be_named, &meeting);

    EXPECT_SOON(is_blocked(named));
    name(&meeting, named, &before);
    EXPECT_EQ(meeting.core, before.core);
    EXPECT_EQ(meeting.operations, before.operations);
    crew_join(named);
}

TEST(switching, a_named_thread_that_may_not_run_here_runs_at_home)
{
    struct meeting meeting = {0};
    struct meeting before;

    if (sched_online_count() < 2) {
        test_skip("needs 2 cores");
        return;
    }
    cpu_t home = crew_core(1);
    struct thread *named = start_pinned(home, be_named, &meeting);

    EXPECT_SOON(is_blocked(named));
    name(&meeting, named, &before);
    EXPECT_EQ(meeting.core, home);
    crew_join(named);
}

TEST(switching, naming_one_that_is_not_blocked_leaves_a_wake_up)
{
    uint64_t state = irq_save();

    sched_block_for(thread_current()); /* or the suite hangs here */
    irq_restore(state);
}

static void note_core(void *argument)
{
    *(cpu_t *)argument = core_index();
}

TEST(switching, affinity_is_honoured_by_start_and_migrate)
{
    cpu_t here = core_index();
    cpu_t core = MAX_CORES;
    struct affinity all;
    struct affinity mine = only(crew_core(1));
    struct affinity nowhere = only(MAX_CORES - 1);
    struct thread *thread;

    affinity_set_all(&all);
    ASSERT_OK(thread_create_kernel("pinned", note_core, &core, &thread));
    EXPECT_EQ(thread_set_affinity(thread, &nowhere), ERR_INVALID);
    EXPECT_OK(thread_set_affinity(thread, &mine));
    if (sched_online_count() > 1) {
        EXPECT_EQ(thread_start(thread, here), ERR_INVALID);
    }
    EXPECT_OK(thread_start(thread, THREAD_ANY_CORE));
    crew_join(thread);
    EXPECT_EQ(core, crew_core(1));

    EXPECT_OK(thread_set_affinity(thread_current(), &mine));
    EXPECT_TRUE(affinity_has(&mine, core_index()));
    if (sched_online_count() > 1) {
        EXPECT_EQ(sched_migrate(here), ERR_INVALID);
    }
    EXPECT_OK(thread_set_affinity(thread_current(), &all));
    EXPECT_OK(sched_migrate(here));
}

/* Runs until it is told to stop, and says where. */
struct runner {
    uint32_t stop;
    uint32_t core; /* the last one, and one more */
};

static void run(void *argument)
{
    struct runner *runner = argument;

    while (atomic_load_relaxed(&runner->stop) == 0) { /* relaxed: only the number matters */
        atomic_store_relaxed(&runner->core, core_index() + 1U); /* relaxed: as above */
    }
}

static bool runs_on(struct runner *runner, cpu_t core)
{
    return atomic_load_relaxed(&runner->core) == core + 1;
}

static long end(struct runner *runner, struct thread *thread)
{
    atomic_store_relaxed(&runner->stop, 1U);
    return crew_join(thread);
}

TEST(switching, a_preempted_thread_is_brought_here_if_it_may)
{
    struct runner runners[3] = {{0}};
    struct thread *spinner;
    cpu_t here = core_index();
    cpu_t there = crew_core(1);

    if (sched_online_count() < 2) {
        test_skip("needs 2 cores");
        return;
    }
    struct thread *loose = crew_start(there, run, &runners[0]);
    struct thread *pinned = start_pinned(there, run, &runners[1]);

    EXPECT_SOON(runs_on(&runners[0], there) && runs_on(&runners[1], there));
    ASSERT_OK(thread_create_kernel("spinner", run, &runners[2], &spinner));
    EXPECT_OK(thread_set_priority(spinner, 1));
    EXPECT_OK(thread_start(spinner, there));
    EXPECT_SOON(runs_on(&runners[2], there)); /* and so the others do not */
    EXPECT_TRUE(!sched_pull(pinned));
    EXPECT_TRUE(!sched_pull(spinner)); /* it runs */
    EXPECT_TRUE(sched_pull(loose));
    EXPECT_SOON(runs_on(&runners[0], here));
    EXPECT_EQ(end(&runners[0], loose), 0);
    EXPECT_EQ(end(&runners[2], spinner), 0);
    EXPECT_EQ(end(&runners[1], pinned), 0);
    EXPECT_TRUE(runs_on(&runners[1], there));
}
