/* SPDX-License-Identifier: MIT */
/*
 * Threads that others take from core to core, wherever in the kernel they were preempted.
 *
 * On each of two cores a real-time thread sleeps and works in turns, at random. It preempts the worker when
 * that is there, and while it works it brings the worker here when the other one has preempted it.
 */
#include "arch/core.h"
#include "arch/irq.h"
#include "kernel/abi/syscall.h"
#include "kernel/base/atomic.h"
#include "mm/asid.h"
#include "mm/spmalloc.h"
#include "sched/sched.h"
#include "tests/kernel/crew.h"
#include "tests/kernel/ports.h"

#define MOVES 400U
#define ROUND_NS 40000U
#define PULLERS 2U

static struct thread *worker;
static uint32_t stop;
static uint32_t moves;
static uint32_t wrong;

static bool is_over(void)
{
    return atomic_load_relaxed(&stop) != 0; /* relaxed: only a sign */
}

static void pull_now_and_then(void *argument)
{
    uint32_t random = (uint32_t)(uintptr_t)argument;

    while (!is_over()) {
        nsec_t end = timer_now_ns() + crew_random(&random) % ROUND_NS;

        while (timer_now_ns() < end) {
            if (sched_pull(worker)) {
                atomic_add_relaxed(&moves, 1U); /* relaxed: a number */
            }
        }
        (void)sched_sleep_until(timer_now_ns() + 1 + crew_random(&random) % ROUND_NS);
    }
}

static struct thread *start_puller(unsigned i)
{
    struct affinity affinity = {{0}};
    struct thread *thread;

    affinity_add(&affinity, crew_core(i));
    BUG_ON(thread_create_kernel("puller", pull_now_and_then, (void *)(uintptr_t)(i + 1), &thread) !=
           OK);
    BUG_ON(thread_set_affinity(thread, &affinity) != OK);
    BUG_ON(thread_set_priority(thread, 10) != OK);
    BUG_ON(thread_start(thread, crew_core(i)) != OK);
    return thread;
}

static void expect_right(bool right)
{
    atomic_add_relaxed(&wrong, right ? 0U : 1U); /* relaxed: a number */
}

/* Runs `work` over and over while it is moved. */
static void work_while_moved(void (*work)(void *argument), void *argument)
{
    struct thread *pullers[PULLERS];

    if (sched_online_count() < PULLERS) {
        test_skip("needs 2 cores");
        return;
    }
    stop = moves = wrong = 0;
    BUG_ON(thread_create_kernel("worker", work, argument, &worker) != OK);
    BUG_ON(thread_start(worker, crew_core(0)) != OK);
    for (unsigned i = 0; i < PULLERS; i++) {
        pullers[i] = start_puller(i);
    }
    /* relaxed: a number */
    EXPECT_SOON(atomic_load_relaxed(&moves) >= MOVES);
    atomic_store_relaxed(&stop, 1U);
    for (unsigned i = 0; i < PULLERS; i++) {
        crew_join(pullers[i]);
    }
    crew_join(worker);
    EXPECT_EQ(wrong, 0);
}

/* All of the chain load the entries of the core that runs it. */
static void look_at_entries(struct request *request)
{
    uint64_t state = irq_save();

    for (const struct activation *activation = activation_current(); activation != NULL;
         activation = activation->previous) {
        expect_right(activation->satp_entry == &asid_kernel_entries[core_index()]);
    }
    irq_restore(state);
    request_reply(request, OK, 0);
}

static void call_over_and_over(void *port)
{
    while (!is_over()) {
        uint64_t word = 0;

        EXPECT_OK(ports_call(port, 1, &word, DEADLINE_NONE));
    }
}

TEST(pull, a_call_goes_on_with_the_entries_of_its_core)
{
    struct port *port = ports_make_service(look_at_entries, NULL);

    work_while_moved(call_over_and_over, port);
    EXPECT_EQ(port->word, 0);
    ports_close(port);
}

/* Allowed on both, then on one alone. */
static void change_affinity(void *argument)
{
    struct affinity both = {{0}};
    unsigned round = 0;

    (void)argument;
    affinity_add(&both, 0);
    affinity_add(&both, 1);
    while (!is_over()) {
        struct affinity one = {{0}};
        cpu_t cpu = round++ % 2;

        affinity_add(&one, cpu);
        EXPECT_OK(thread_set_affinity(thread_current(), &one));
        expect_right(core_index() == cpu);
        EXPECT_OK(thread_set_affinity(thread_current(), &both));
        for (unsigned i = 0; i < 200; i++) {
            arch_relax();
        }
    }
}

TEST(pull, a_thread_is_only_where_it_said_that_it_may_be)
{
    work_while_moved(change_affinity, NULL);
}

struct alarm {
    struct timeout timeout;
    uint32_t rang;
};

static void ring(struct timeout *timeout)
{
    atomic_store_relaxed(&container_of(timeout, struct alarm, timeout)->rang,
                         1U); /* relaxed: the wheel's lock */
}

/* What is taken on one core and given back on another. */
static void use_memory_and_time(void *argument)
{
    uint32_t random = 7;

    (void)argument;
    while (!is_over()) {
        uint64_t *object = spmalloc(&kernel_account, 16 + crew_random(&random) % 6000);
        struct alarm alarm = {.rang = 0};

        if (object == NULL) {
            continue;
        }
        *object = (uintptr_t)object;
        timeout_arm(&alarm.timeout, timer_now_ns() + 1 + crew_random(&random) % 20000, ring);
        for (unsigned i = 0; i < crew_random(&random) % 300; i++) {
            arch_relax();
        }
        timeout_cancel(&alarm.timeout);
        expect_right(*object == (uintptr_t)object);
        spmalloc_free(object);
    }
}

TEST(pull, memory_and_timeouts_go_with_a_thread_that_moves)
{
    work_while_moved(use_memory_and_time, NULL);
}
