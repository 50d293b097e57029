/* SPDX-License-Identifier: MIT */
/* The real-time class: who runs first, who preempts whom. */
#include "arch/core.h"
#include "arch/irq.h"
#include "ipc/baton.h"
#include "ipc/call.h"
#include "kernel/abi/syscall.h"
#include "kernel/base/atomic.h"
#include "sched/sched.h"
#include "tests/kernel/crew.h"
#include "tests/kernel/ports.h"

static char trace[64];
static uint32_t trace_count;

static void write_name(void *name)
{
    /* relaxed: one core */
    trace[atomic_add_relaxed(&trace_count, 1U)] = *(const char *)name;
}

static struct thread *start_with(cpu_t cpu, uint64_t priority, void (*entry)(void *),
                                 void *argument)
{
    struct thread *thread;

    BUG_ON(thread_create_kernel("real-time", entry, argument, &thread) != OK);
    BUG_ON(thread_set_priority(thread, priority) != OK);
    BUG_ON(thread_start(thread, cpu) != OK);
    return thread;
}

TEST(realtime, the_highest_runs_first_and_equals_in_their_order)
{
    static const struct {
        const char *name;
        uint64_t priority;
    } all[] = {{"e", PRIORITY_SHARING}, {"c", 5}, {"a", 255}, {"d", 5},
               {"f", PRIORITY_SHARING}, {"b", 64}};
    struct thread *threads[ARRAY_SIZE(all)];

    trace_count = 0;
    uint64_t state = irq_save(); /* none runs before all are there */
    for (unsigned i = 0; i < ARRAY_SIZE(all); i++) {
        threads[i] =
            start_with(core_index(), all[i].priority, write_name, (void *)(uintptr_t)all[i].name);
    }
    irq_restore(state);
    for (unsigned i = 0; i < ARRAY_SIZE(all); i++) {
        crew_join(threads[i]);
    }
    trace[trace_count] = 0;
    EXPECT_TEXT(trace, "abcdef");
}

TEST(realtime, what_is_no_priority_is_refused)
{
    struct thread *self = thread_current();

    EXPECT_EQ(thread_set_priority(self, REALTIME_PRIORITIES + 1), ERR_INVALID);
    EXPECT_EQ(thread_set_priority(self, ~0UL), ERR_INVALID);
    EXPECT_EQ(thread_priority(self), PRIORITY_SHARING);
    EXPECT_OK(thread_set_priority(self, 0));
    EXPECT_EQ(thread_priority(self), 0);
    EXPECT_OK(thread_set_priority(self, PRIORITY_SHARING));
    EXPECT_EQ(thread_priority(self), PRIORITY_SHARING);
}

static uint32_t begun;
static uint32_t stop;
static uint32_t woken;

static void spin(void *argument)
{
    (void)argument;
    atomic_store_relaxed(&begun, 1U);         /* relaxed: only the number matters */
    while (atomic_load_relaxed(&stop) == 0) { /* relaxed: only the number matters */
    }
}

static void wait_once(void *argument)
{
    uint32_t *go = argument;

    while (atomic_load_relaxed(go) == 0) { /* relaxed: the wake-up orders it */
        sched_block();
    }
    atomic_add_relaxed(&woken, 1U); /* relaxed: only the number matters */
}

static bool is_blocked(struct thread *thread)
{
    return atomic_load_relaxed(&thread->state) == THREAD_BLOCKED;
}

static void wake(struct thread *thread, uint32_t *go)
{
    atomic_store_relaxed(go, 1U); /* relaxed: the wake-up orders it */
    sched_wake_thread(thread);
}

TEST(realtime, a_higher_one_preempts_and_a_lower_one_waits)
{
    uint32_t go[2] = {0, 0};

    if (sched_online_count() < 2) {
        test_skip("needs 2 cores");
        return;
    }
    begun = stop = woken = 0;
    struct thread *low = start_with(crew_core(1), 9, wait_once, &go[0]);
    struct thread *high = start_with(crew_core(1), 11, wait_once, &go[1]);
    EXPECT_SOON(is_blocked(low) && is_blocked(high));
    struct thread *spinner = start_with(crew_core(1), 10, spin, NULL);
    EXPECT_SOON(atomic_load_relaxed(&begun) == 1);

    wake(low, &go[0]);
    wake(high, &go[1]);
    EXPECT_SOON(!is_blocked(high) && high->ended);
    EXPECT_EQ(woken, 1); /* the low one waits for the spinner */
    EXPECT_OK(thread_set_priority(low, 12));
    EXPECT_SOON(atomic_load_relaxed(&woken) == 2); /* it came when it outranked it */
    atomic_store_relaxed(&stop, 1U);
    crew_join(low);
    crew_join(high);
    crew_join(spinner);
}

TEST(realtime, one_of_the_same_core_preempts_who_wakes_it)
{
    uint32_t go = 0;

    woken = 0;
    struct thread *high = start_with(core_index(), 1, wait_once, &go);

    EXPECT_SOON(is_blocked(high));
    wake(high, &go);
    EXPECT_EQ(woken, 1);
    crew_join(high);
}

TEST(realtime, who_is_woken_with_interrupts_off_comes_when_they_are_on)
{
    uint32_t go = 0;
    uint64_t state;

    woken = 0;
    struct thread *high = start_with(core_index(), 1, wait_once, &go);

    EXPECT_SOON(is_blocked(high));
    state = irq_save();
    wake(high, &go);
    EXPECT_EQ(woken, 0);
    irq_restore(state);
    /* No wait and no system call, and far less than a slice. relaxed: one core */
    for (unsigned i = 0; i < 10000 && atomic_load_relaxed(&woken) == 0; i++) {
        arch_relax();
    }
    EXPECT_EQ(woken, 1);
    crew_join(high);
}

static void yield_some(void *name)
{
    for (unsigned i = 0; i < 3; i++) {
        write_name(name);
        sched_yield();
    }
}

TEST(realtime, one_that_yields_gives_way_to_equals_only)
{
    trace_count = 0;
    uint64_t state = irq_save(); /* none runs before all are there */
    struct thread *a = start_with(core_index(), 7, yield_some, "a");
    struct thread *b = start_with(core_index(), 7, yield_some, "b");
    struct thread *c = start_with(core_index(), 6, yield_some, "c");

    irq_restore(state);
    crew_join(a);
    crew_join(b);
    crew_join(c);
    trace[trace_count] = 0;
    EXPECT_TEXT(trace, "abababccc");
}

static void nothing(struct request *request)
{
    request_reply(request, OK, 0);
}

static void close_as_if_dead(void *port)
{
    port_close(port, ERR_PEER_DIED);
}

/* The holder notes itself after it has taken the baton, and who closes the port has to wait for the note. */
TEST(realtime, who_closes_a_port_lets_a_lower_one_run_that_just_entered)
{
    struct port *port = ports_make_service(nothing, NULL);
    struct thread *closer;

    EXPECT_TRUE(baton_try_take(port));
    closer = start_with(core_index(), 7, close_as_if_dead, port);
    EXPECT_SOON(port_close_reason(port) == ERR_PEER_DIED);
    atomic_store_relaxed(&port->holder, thread_current());
    crew_join(closer);
    EXPECT_TRUE(!baton_try_give(port));
    EXPECT_FALSE(baton_next(port, BATON_SERVES_NOBODY, NULL));
    call_settle_unwind();
    object_release(&port->object);
}
