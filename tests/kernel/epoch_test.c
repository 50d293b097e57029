/* SPDX-License-Identifier: MIT */
/* Grace periods: nothing is freed under a reader that has interrupts off. */
#include "kernel/sync/epoch.h"

#include "arch/core.h"
#include "arch/irq.h"
#include "kernel/base/atomic.h"
#include "sched/sched.h"
#include "tests/kernel/crew.h"

/* A read section on another core, open until it is told to end. */
static struct {
    uint32_t inside;
    uint32_t leave;
    uint32_t left;
    cpu_t cpu;
    struct thread *thread;
} reader;

static void read_until_told(void *argument)
{
    (void)argument;
    uint64_t state = irq_save();
    /* release: interrupts are off; pairs with reader_begin */
    atomic_store_release(&reader.inside, 1U);
    /* acquire: the test has looked; pairs with reader_end */
    while (atomic_load_acquire(&reader.leave) == 0) {
        arch_relax();
    }
    /* release: the last act inside; pairs with the acquire of whoever was not to pass before */
    atomic_store_release(&reader.left, 1U);
    irq_restore(state);
}

static bool is_reaper(struct thread *thread, void *core)
{
    if (test_text_is_equal(thread->name, "reaper")) {
        *(cpu_t *)core = thread->cpu;
        return false;
    }
    return true;
}

/* The reader goes to another core than the reaper, which is to ask it for the grace period. */
static void reader_begin(void)
{
    cpu_t core = core_index();

    thread_visit_all(is_reaper, &core);
    EXPECT_OK(sched_migrate(core));
    reader.inside = reader.leave = reader.left = 0;
    reader.cpu = crew_core(1);
    reader.thread = crew_start(reader.cpu, read_until_told, NULL);
    /* acquire: pairs with read_until_told */
    EXPECT_SOON(atomic_load_acquire(&reader.inside) == 1);
}

static void reader_end(void)
{
    /* release: pairs with read_until_told */
    atomic_store_release(&reader.leave, 1U);
    crew_join(reader.thread);
}

/* The core of the reader has been asked for a grace period, which it cannot answer. */
static bool reader_was_asked(void)
{
    /* relaxed: only the bit matters */
    return (atomic_load_relaxed(&cores[reader.cpu].ipi_reasons) & IPI_EPOCH) != 0;
}

static uint32_t passed; /* 1: the reader was still inside; 2: it had left */

static void note_that_it_passed(void)
{
    /* acquire: pairs with read_until_told; relaxed: only the number matters */
    atomic_store_relaxed(&passed, atomic_load_acquire(&reader.left) + 1);
}

static void synchronize(void *argument)
{
    (void)argument;
    epoch_synchronize();
    note_that_it_passed();
}

TEST(epoch, synchronize_waits_for_a_reader_on_another_core)
{
    if (sched_online_count() < 2) {
        test_skip("needs 2 cores");
        return;
    }
    passed = 0;
    reader_begin();
    struct thread *writer = crew_start(crew_core(2), synchronize, NULL);
    EXPECT_SOON(reader_was_asked());
    sched_yield();
    EXPECT_EQ(atomic_load_relaxed(&passed), 0);
    reader_end();
    crew_join(writer);
    EXPECT_EQ(passed, 2);
}

static void run_deferred(struct epoch_callback *callback)
{
    (void)callback;
    EXPECT_TRUE(irq_enabled());
    note_that_it_passed();
}

TEST(epoch, a_deferred_call_waits_for_a_reader_on_another_core)
{
    static struct epoch_callback callback;

    if (sched_online_count() < 2) {
        test_skip("needs 2 cores");
        return;
    }
    passed = 0;
    reader_begin();
    epoch_defer(&callback, run_deferred);
    EXPECT_SOON(reader_was_asked());
    EXPECT_EQ(atomic_load_relaxed(&passed), 0);
    reader_end();
    EXPECT_SOON(atomic_load_relaxed(&passed) != 0);
    EXPECT_EQ(passed, 2);
}

#define CALLBACKS 200U
#define WORKERS 4U

static struct counted {
    struct epoch_callback callback;
    uint32_t runs;
} counted[CALLBACKS];
static uint32_t runs;

static void count_run(struct epoch_callback *callback)
{
    struct counted *mine = container_of(callback, struct counted, callback);

    mine->runs++;
    atomic_add_relaxed(&runs, 1); /* relaxed: a count */
}

static void defer_many(void *member)
{
    unsigned index = ((struct crew_member *)member)->index;

    for (unsigned i = index; i < CALLBACKS; i += WORKERS) {
        epoch_defer(&counted[i].callback, count_run);
    }
}

TEST(epoch, every_deferred_call_runs_exactly_once)
{
    runs = 0;
    for (unsigned i = 0; i < CALLBACKS; i++) {
        counted[i].runs = 0;
    }
    crew_run(WORKERS, defer_many, NULL);
    EXPECT_SOON(atomic_load_relaxed(&runs) == CALLBACKS);
    for (unsigned i = 0; i < CALLBACKS; i++) {
        ASSERT_EQ(counted[i].runs, 1);
    }
}
