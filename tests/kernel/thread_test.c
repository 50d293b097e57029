/* SPDX-License-Identifier: MIT */
/* The life of a thread: start, move, join, kill. */
#include "sched/thread.h"

#include "arch/irq.h"
#include "kernel/abi/exit.h"
#include "kernel/abi/syscall.h"
#include "kernel/base/atomic.h"
#include "sched/sched.h"
#include "tests/kernel/crew.h"

static void exit_with_core(void *argument)
{
    EXPECT_TRUE(irq_enabled());
    thread_exit((long)core_index() * 100 + (long)argument);
}

TEST(thread, starts_on_the_chosen_core_and_join_gives_its_exit_code)
{
    for (cpu_t cpu = 0; cpu < sched_online_count(); cpu++) {
        struct thread *thread = crew_start(cpu, exit_with_core, (void *)7UL);

        EXPECT_EQ(crew_join(thread), (long)cpu * 100 + 7);
    }
}

static void tour(void *argument)
{
    struct thread *self = thread_current();
    volatile vaddr_t stack_place = (vaddr_t)&self;

    (void)argument;
    for (unsigned i = 0; i < 3 * sched_online_count(); i++) {
        cpu_t cpu = i % sched_online_count();

        EXPECT_OK(sched_migrate(cpu));
        EXPECT_EQ(core_index(), cpu);
        EXPECT_TRUE(thread_current() == self);
        EXPECT_EQ(self->cpu, cpu);
        EXPECT_EQ(stack_place, (vaddr_t)&self);
    }
    EXPECT_EQ(sched_migrate(sched_online_count()), ERR_INVALID);
    EXPECT_EQ(sched_migrate(MAX_CORES), ERR_INVALID);
}

TEST(thread, moves_to_every_core_and_stays_itself)
{
    struct thread *threads[3];

    for (unsigned i = 0; i < ARRAY_SIZE(threads); i++) {
        threads[i] = crew_start(crew_core(i), tour, NULL);
    }
    for (unsigned i = 0; i < ARRAY_SIZE(threads); i++) {
        crew_join(threads[i]);
    }
}

static void nothing(void *argument)
{
    (void)argument;
}

TEST(thread, a_thousand_come_and_go)
{
    for (unsigned i = 0; i < 250; i++) {
        struct thread *threads[4];

        for (unsigned k = 0; k < 4; k++) {
            threads[k] = crew_start(crew_core(k), nothing, NULL);
        }
        for (unsigned k = 0; k < 4; k++) {
            ASSERT_EQ(crew_join(threads[k]), 0);
        }
    }
}

static uint32_t begun;

static void wait_for_ever(void *argument)
{
    (void)argument;
    atomic_store_relaxed(&begun, 1U); /* relaxed: only the number matters */
    status_t status = OK;
    while (status == OK) {
        status = sched_block_until(DEADLINE_NONE);
    }
    thread_exit(status);
}

TEST(thread, join_has_a_deadline)
{
    struct thread *thread = crew_start(crew_core(1), wait_for_ever, NULL);
    long code = 5;

    EXPECT_EQ(thread_join(thread, DEADLINE_NOW, &code), ERR_WOULD_BLOCK);
    EXPECT_EQ(thread_join(thread, timer_now_ns() + 1000000, &code), ERR_TIMED_OUT);
    EXPECT_EQ(code, 5);
    thread_kill(thread);
    EXPECT_EQ(crew_join(thread), ERR_CANCELLED);
}

TEST(thread, killing_a_blocked_thread_ends_its_wait)
{
    atomic_store_relaxed(&begun, 0U);
    struct thread *thread = crew_start(crew_core(1), wait_for_ever, NULL);

    EXPECT_SOON(atomic_load_relaxed(&begun) == 1 && thread->state == THREAD_BLOCKED);
    thread_kill(thread);
    EXPECT_EQ(crew_join(thread), ERR_CANCELLED);
}

TEST(thread, killing_a_ready_thread_ends_its_first_wait)
{
    /* On our own core with interrupts off it cannot run yet. */
    uint64_t state = irq_save();
    struct thread *thread = crew_start(core_index(), wait_for_ever, NULL);

    EXPECT_EQ(thread->state, THREAD_READY);
    thread_kill(thread);
    irq_restore(state);
    EXPECT_EQ(crew_join(thread), ERR_CANCELLED);
}

static void run_until_stopped(void *argument)
{
    (void)argument;
    atomic_store_relaxed(&begun, 1U); /* relaxed: only the number matters */
    while (!thread_must_stop()) {
        arch_relax();
    }
}

TEST(thread, a_running_thread_sees_that_it_was_killed)
{
    atomic_store_relaxed(&begun, 0U);
    struct thread *thread = crew_start(crew_core(1), run_until_stopped, NULL);

    EXPECT_SOON(atomic_load_relaxed(&begun) == 1);
    thread_kill(thread);
    EXPECT_EQ(crew_join(thread), 0);
}

struct search {
    const struct thread *wanted;
    bool found;
};

static bool is_wanted(struct thread *thread, void *argument)
{
    struct search *search = argument;

    search->found |= thread == search->wanted;
    return true;
}

TEST(thread, the_list_of_threads_has_it_while_it_lives)
{
    struct thread *thread = crew_start(crew_core(1), wait_for_ever, NULL);
    struct search search = {.wanted = thread};

    thread_visit_all(is_wanted, &search);
    EXPECT_TRUE(search.found);
    EXPECT_TRUE(thread->id > 0);
    thread_kill(thread);
    object_retain(&thread->object);
    crew_join(thread);
    search.found = false;
    thread_visit_all(is_wanted, &search);
    EXPECT_FALSE(search.found);
    object_release(&thread->object);
}
