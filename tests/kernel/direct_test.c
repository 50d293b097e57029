/* SPDX-License-Identifier: MIT */
/* The direct switch: a call goes to its service and back past everybody who is ready. */
#include "arch/core.h"
#include "arch/irq.h"
#include "ipc/call.h"
#include "kernel/abi/syscall.h"
#include "kernel/base/atomic.h"
#include "sched/runqueue_priv.h"
#include "sched/sched.h"
#include "tests/kernel/crew.h"
#include "tests/kernel/ports.h"

#define CALLS 50U
/* The end of a time slice may fall into the calls; hardly into so many rows of them. */
#define ATTEMPTS 100U
#define TRACE_BYTES 8U

static uint32_t stop;
static char trace[TRACE_BYTES + 1];
static unsigned traced;

static void note(char who)
{
    if (traced < TRACE_BYTES) {
        trace[traced++] = who;
        trace[traced] = '\0';
    }
}

/* The third thread: ready whenever somebody else runs on its core. */
static void be_ready(void *argument)
{
    (void)argument;
    /* relaxed: only a sign */
    while (atomic_load_relaxed(&stop) == 0) {
        note('T');
        sched_yield();
    }
}

static void note_service(struct request *request)
{
    note('S');
    request_reply(request, OK, 0);
}

/* Notes itself and calls the port that is its cookie. */
static void note_and_call(struct request *request)
{
    uint64_t word = 0;

    note('O');
    EXPECT_OK(ports_call((struct port *)request->cookie, 1, &word, DEADLINE_NONE));
    note('o');
    request_reply(request, OK, 0);
}

/* One row of calls beside a ready thread; the operations of this core's run queue. */
static uint64_t operations_of_calls(struct port *port, nsec_t deadline)
{
    uint64_t word = 0;

    sched_yield(); /* a fresh slice; the third thread has run and is ready again */
    EXPECT_TRUE(sched_ready_count(core_index()) >= 1);
    uint64_t before = runqueues[core_index()].operations;

    for (unsigned i = 0; i < CALLS; i++) {
        EXPECT_OK(ports_call(port, 1, &word, deadline));
    }
    return runqueues[core_index()].operations - before;
}

static void expect_no_operation(struct port *port, nsec_t deadline)
{
    uint64_t least = operations_of_calls(port, deadline);

    for (unsigned i = 1; least != 0 && i < ATTEMPTS; i++) {
        uint64_t operations = operations_of_calls(port, deadline);

        least = operations < least ? operations : least;
    }
    EXPECT_EQ(least, 0);
}

/* On each core in turn, with a thread that is ready there. */
static void on_each_core(void (*check)(struct port *service, struct port *outer))
{
    struct port *service = ports_make_service(note_service, NULL);
    struct port *outer = ports_make_service(note_and_call, service);

    for (cpu_t cpu = 0; cpu < sched_online_count(); cpu++) {
        ASSERT_OK(sched_migrate(cpu));
        atomic_store_relaxed(&stop, 0U); /* relaxed: the start orders it */
        struct thread *third = crew_start(cpu, be_ready, NULL);

        EXPECT_SOON(traced != 0);
        check(service, outer);
        atomic_store_relaxed(&stop, 1U); /* relaxed: only a sign */
        crew_join(third);
        traced = 0;
    }
    ports_close(outer);
    ports_close(service);
}

static void count_operations(struct port *service, struct port *outer)
{
    expect_no_operation(service, DEADLINE_NONE);
    expect_no_operation(service, DEADLINE_NOW);
    expect_no_operation(service, timer_now_ns() + 3600000000000UL);
    expect_no_operation(outer, DEADLINE_NONE);
}

TEST(direct, a_call_beside_a_ready_thread_touches_no_run_queue)
{
    traced = 0;
    on_each_core(count_operations);
}

/* What this core did from one look of the third thread to the next, in order. */
static void expect_order(struct port *outer)
{
    uint64_t word = 0;
    uint64_t switches = 1;

    for (unsigned i = 0; switches != 0 && i < ATTEMPTS; i++) {
        sched_yield();
        uint64_t before = cores[core_index()].switches;

        traced = 0;
        note('C');
        EXPECT_OK(ports_call(outer, 1, &word, DEADLINE_NONE));
        note('c');
        switches = cores[core_index()].switches - before;
        if (switches == 0) {
            sched_yield();
            EXPECT_TEXT(trace, "COSocT");
        }
    }
    EXPECT_EQ(switches, 0);
}

static void order(struct port *service, struct port *outer)
{
    (void)service;
    expect_order(outer);
}

TEST(direct, the_service_runs_and_returns_before_a_thread_that_was_ready_first)
{
    traced = 0;
    on_each_core(order);
}
