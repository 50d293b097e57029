/* SPDX-License-Identifier: MIT */
/* Who runs when: yield, time slices, cores without work. */
#include "arch/core.h"
#include "arch/irq.h"
#include "kernel/base/atomic.h"
#include "sched/sched.h"
#include "tests/kernel/crew.h"

#define TURNS 20U

static char trace[2 * TURNS + 1];
static unsigned trace_count;

static void write_and_yield(void *name)
{
    /* Without interrupts there is no preemption, so that only yield changes the thread. */
    uint64_t state = irq_save();

    for (unsigned i = 0; i < TURNS; i++) {
        trace[trace_count++] = *(const char *)name;
        sched_yield();
    }
    irq_restore(state);
}

TEST(preempt, two_threads_that_yield_take_turns)
{
    trace_count = 0;
    uint64_t state = irq_save(); /* neither runs before both are there */
    struct thread *a = crew_start(core_index(), write_and_yield, "A");
    struct thread *b = crew_start(core_index(), write_and_yield, "B");

    irq_restore(state);
    crew_join(a);
    crew_join(b);
    EXPECT_EQ(trace_count, 2 * TURNS);
    for (unsigned i = 0; i < trace_count; i++) {
        EXPECT_EQ(trace[i], i % 2 == 0 ? 'A' : 'B');
    }
}

static uint32_t begun;
static uint32_t stop;

static void spin_until_stopped(void *argument)
{
    (void)argument;
    atomic_store_relaxed(&begun, 1U);         /* relaxed: only the number matters */
    while (atomic_load_relaxed(&stop) == 0) { /* relaxed: only the number matters */
    }
}

static void stop_the_other(void *argument)
{
    (void)argument;
    atomic_store_relaxed(&stop, 1U); /* relaxed: only the number matters */
}

TEST(preempt, a_spinning_thread_does_not_keep_its_core_from_others)
{
    for (unsigned i = 0; i < 2; i++) {
        atomic_store_relaxed(&begun, 0U);
        atomic_store_relaxed(&stop, 0U);
        struct thread *spinner = crew_start(crew_core(i), spin_until_stopped, NULL);

        EXPECT_SOON(atomic_load_relaxed(&begun) == 1);
        struct thread *stopper = crew_start(crew_core(i), stop_the_other, NULL);
        crew_join(spinner);
        crew_join(stopper);
    }
}

static uint64_t checksum(uint64_t seed, unsigned rounds)
{
    uint64_t a = seed, b = ~seed, c = seed * 3, d = seed * 5, e = seed * 7, f = seed * 11;

    for (unsigned i = 0; i < rounds; i++) {
        a = a * 6364136223846793005UL + b;
        b ^= a >> 13;
        c += a ^ b;
        d = (d << 7 | d >> 57) + c;
        e ^= d * 0x9e3779b97f4a7c15UL;
        f += e >> 3;
    }
    return a ^ b ^ c ^ d ^ e ^ f;
}

#define CHECKSUM_ROUNDS 1000000U

struct sums {
    uint64_t result[2];
    uint32_t switches_before;
};

static void compute(void *member)
{
    struct crew_member *me = member;
    struct sums *sums = me->shared;

    sums->result[me->index] = checksum(me->index + 1, CHECKSUM_ROUNDS);
}

TEST(preempt, a_preempted_thread_keeps_its_registers)
{
    struct sums sums = {.result = {0}};
    struct crew_member members[2] = {{0, &sums}, {1, &sums}};
    struct thread *threads[2];
    uint64_t switches = cores[core_index()].switches;

    for (unsigned i = 0; i < 2; i++) {
        threads[i] = crew_start(core_index(), compute, &members[i]);
    }
    for (unsigned i = 0; i < 2; i++) {
        crew_join(threads[i]);
    }
    EXPECT_TRUE(cores[core_index()].switches > switches);
    for (unsigned i = 0; i < 2; i++) {
        EXPECT_EQ(sums.result[i], checksum(i + 1, CHECKSUM_ROUNDS));
    }
}

/* True if the other cores took no interrupt while this one slept for some time slices. */
static bool others_were_left_alone(void)
{
    uint64_t before[MAX_CORES];
    cpu_t here = core_index();
    bool alone = true;

    for (cpu_t cpu = 0; cpu < sched_online_count(); cpu++) {
        before[cpu] = cores[cpu].interrupts;
    }
    EXPECT_OK(sched_sleep_until(timer_now_ns() + 5 * SCHED_SLICE_NS));
    for (cpu_t cpu = 0; cpu < sched_online_count(); cpu++) {
        alone &= cpu == here || cores[cpu].interrupts == before[cpu];
    }
    return alone;
}

TEST(preempt, a_core_without_work_takes_no_interrupts)
{
    bool alone = false;

    if (sched_online_count() < 2) {
        test_skip("needs 2 cores");
        return;
    }
    /* The hang detector's rare wake-up, or a late deferred free, may fall into one try. */
    for (unsigned i = 0; i < 4 && !alone; i++) {
        alone = others_were_left_alone();
    }
    EXPECT_TRUE(alone);
}
