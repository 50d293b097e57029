/* SPDX-License-Identifier: MIT */
/* Who waits for a baton lends its holder its priority, and a core without work runs the holder. */
#include "arch/core.h"
#include "ipc/baton.h"
#include "kernel/abi/syscall.h"
#include "kernel/base/atomic.h"
#include "sched/sched.h"
#include "tests/kernel/crew.h"
#include "tests/kernel/ports.h"

#define MIDDLE 5UL
#define HIGH 10UL

static uint32_t entered; /* runs of the service that computes */
static uint32_t proceed; /* it may go on */
static uint32_t stop;    /* the thread in the middle may go on */
static uint32_t middle;  /* it runs */
static uint64_t seen[4]; /* the priority with which each run ended */

/* Computes until it is told; it does not wait, so only a core makes it go on. */
static void compute(struct request *request)
{
    uint32_t run = atomic_add_relaxed(&entered, 1U); /* relaxed, here and below: only numbers */

    while (atomic_load_relaxed(&proceed) == 0) {
    }
    seen[run] = thread_priority(thread_current());
    request_reply(request, OK, 1);
}

/* A service that calls the one in its cookie. */
static void call_on(struct request *request)
{
    uint64_t word = 0;

    EXPECT_OK(ports_call((struct port *)request->cookie, 1, &word, DEADLINE_NONE));
    request_reply(request, OK, 1);
}

struct caller {
    struct port *port;
    uint64_t priority; /* when the call was over */
    struct thread *thread;
};

static void call_once(void *argument)
{
    struct caller *caller = argument;
    uint64_t word = 0;

    EXPECT_OK(ports_call(caller->port, 1, &word, DEADLINE_NONE));
    caller->priority = thread_priority(thread_current());
}

static void spin(void *argument)
{
    (void)argument;
    atomic_store_relaxed(&middle, 1U);
    while (atomic_load_relaxed(&stop) == 0) {
    }
}

/* On core `cpu` and only there. */
static struct thread *start_pinned(cpu_t cpu, uint64_t priority, void (*entry)(void *),
                                   void *argument)
{
    struct affinity affinity = {{0}};
    struct thread *thread;

    affinity_add(&affinity, cpu);
    BUG_ON(thread_create_kernel("lending", entry, argument, &thread) != OK);
    BUG_ON(thread_set_affinity(thread, &affinity) != OK);
    BUG_ON(thread_set_priority(thread, priority) != OK);
    BUG_ON(thread_start(thread, cpu) != OK);
    return thread;
}

static bool waits(struct caller *caller)
{
    return atomic_load_relaxed(&caller->thread->state) == THREAD_BLOCKED &&
           atomic_load_relaxed(&caller->thread->waiting_for) == caller->port;
}

static void start_caller(struct caller *caller, cpu_t cpu, uint64_t priority)
{
    caller->thread = start_pinned(cpu, priority, call_once, caller);
}

static bool set_up(void)
{
    entered = proceed = stop = middle = 0;
    if (sched_online_count() < 2) {
        test_skip("needs 2 cores");
        return false;
    }
    return true;
}

TEST(lending, the_holder_runs_before_the_thread_in_the_middle)
{
    if (!set_up()) {
        return;
    }
    struct port *port = ports_make_service(compute, NULL);
    struct caller low = {.port = port};
    struct caller high = {.port = port};

    start_caller(&low, crew_core(1), PRIORITY_SHARING);
    EXPECT_SOON(atomic_load_relaxed(&entered) == 1);
    start_caller(&high, crew_core(1), HIGH);
    EXPECT_SOON(waits(&high));
    EXPECT_EQ(thread_priority(low.thread), HIGH);
    struct thread *between = start_pinned(crew_core(1), MIDDLE, spin, NULL);

    atomic_store_relaxed(&proceed, 1U);
    EXPECT_SOON(high.thread->ended); /* although the one in the middle never waits */
    EXPECT_EQ(seen[0], HIGH);
    EXPECT_EQ(seen[1], HIGH);
    EXPECT_SOON(thread_priority(low.thread) == PRIORITY_SHARING);
    atomic_store_relaxed(&stop, 1U);
    crew_join(low.thread);
    crew_join(high.thread);
    crew_join(between);
    EXPECT_EQ(low.priority, PRIORITY_SHARING);
    EXPECT_EQ(port->word, 0);
    ports_close(port);
}

TEST(lending, goes_along_a_chain_of_callers)
{
    if (!set_up()) {
        return;
    }
    struct port *inner = ports_make_service(compute, NULL);
    struct port *outer = ports_make_service(call_on, inner);
    struct caller low = {.port = inner};
    struct caller between = {.port = outer};
    struct caller high = {.port = outer};

    start_caller(&low, crew_core(1), PRIORITY_SHARING);
    EXPECT_SOON(atomic_load_relaxed(&entered) == 1);
    start_caller(&between, crew_core(1), PRIORITY_SHARING);
    EXPECT_SOON(atomic_load_relaxed(&between.thread->waiting_for) == inner);
    start_caller(&high, crew_core(1), HIGH);
    EXPECT_SOON(waits(&high) && thread_priority(low.thread) == HIGH);
    EXPECT_EQ(thread_priority(between.thread), HIGH);
    atomic_store_relaxed(&proceed, 1U);
    crew_join(low.thread);
    crew_join(between.thread);
    crew_join(high.thread);
    EXPECT_EQ(seen[0], HIGH);
    EXPECT_EQ(seen[1], HIGH);
    EXPECT_EQ(low.priority, PRIORITY_SHARING);
    EXPECT_EQ(between.priority, PRIORITY_SHARING);
    EXPECT_EQ(inner->word | outer->word, 0);
    ports_close(outer);
    ports_close(inner);
}

TEST(lending, who_gets_the_baton_is_lent_what_the_others_have)
{
    if (!set_up()) {
        return;
    }
    struct port *port = ports_make_service(compute, NULL);
    struct caller callers[3] = {{.port = port}, {.port = port}, {.port = port}};

    start_caller(&callers[0], crew_core(1), PRIORITY_SHARING);
    EXPECT_SOON(atomic_load_relaxed(&entered) == 1);
    start_caller(&callers[1], crew_core(0), PRIORITY_SHARING);
    EXPECT_SOON(waits(&callers[1]));
    start_caller(&callers[2], crew_core(1), HIGH);
    EXPECT_SOON(waits(&callers[2]));
    atomic_store_relaxed(&proceed, 1U);
    for (unsigned i = 0; i < 3; i++) {
        crew_join(callers[i].thread);
        EXPECT_EQ(seen[i], HIGH); /* the second one waited before the third */
        EXPECT_EQ(callers[i].priority, i == 2 ? HIGH : PRIORITY_SHARING);
    }
    EXPECT_EQ(port->word, 0);
    ports_close(port);
}

/* --- helping --- */

static cpu_t wanted_core;

static void compute_until_moved(struct request *request)
{
    atomic_store_relaxed(&entered, 1U);
    while (atomic_load_relaxed(&proceed) == 0 && core_index() != wanted_core) {
    }
    request->message->word[0] = core_index();
    request_reply(request, OK, 1);
}

static void call_loosely(void *port)
{
    uint64_t word = 0;

    EXPECT_OK(ports_call(port, 1, &word, DEADLINE_NONE));
    EXPECT_EQ(word, wanted_core);
}

TEST(lending, a_core_without_work_runs_the_preempted_holder)
{
    if (!set_up()) {
        return;
    }
    struct port *port = ports_make_service(compute_until_moved, NULL);
    uint64_t word = 0;

    wanted_core = core_index();
    struct thread *holder = crew_start(crew_core(1), call_loosely, port);
    EXPECT_SOON(atomic_load_relaxed(&entered) == 1);
    struct thread *spinner = start_pinned(crew_core(1), MIDDLE, spin, NULL);
    EXPECT_SOON(atomic_load_relaxed(&middle) == 1);
    EXPECT_OK(ports_call(port, 1, &word, timer_now_ns() + CREW_PATIENCE_NS));
    EXPECT_EQ(holder->cpu, wanted_core);
    atomic_store_relaxed(&proceed, 1U);
    atomic_store_relaxed(&stop, 1U);
    crew_join(holder);
    crew_join(spinner);
    ports_close(port);
}
