/* SPDX-License-Identifier: MIT */
/* Waking: the inbox of a core, and block and wake-up that meet before the next choice of a thread. */
#include "arch/core.h"
#include "arch/ipi.h"
#include "arch/irq.h"
#include "arch/timer.h"
#include "kernel/base/atomic.h"
#include "kernel/sync/epoch.h"
#include "sched/runqueue_priv.h"
#include "sched/sched.h"
#include "tests/kernel/crew.h"
#include "tests/kernel/torture.h"

/* --- two threads that wake each other --- */

#define FLIPS 10000U

struct flip {
    uint32_t turn; /* whose it is: 0 or 1 */
    struct thread *threads[2];
    uint64_t operations; /* of the core's queue, while they flipped */
};

/* Interrupts are off, so that only a block changes the thread. */
static void flip(struct flip *pair, unsigned self)
{
    for (unsigned i = 0; i < FLIPS; i++) {
        while (atomic_load_relaxed(&pair->turn) != self) { /* relaxed: one core */
            sched_block();
        }
        atomic_store_relaxed(&pair->turn, 1 - self); /* relaxed: one core */
        sched_wake_thread(pair->threads[1 - self]);
    }
}

static void flip_first(void *argument)
{
    struct flip *pair = argument;
    uint64_t state = irq_save();

    while (pair->threads[1] == NULL || pair->threads[1]->state != THREAD_BLOCKED) {
        sched_yield();
    }
    uint64_t before = runqueue_here()->operations;

    flip(pair, 0);
    pair->operations = runqueue_here()->operations - before;
    irq_restore(state);
}

static void flip_second(void *argument)
{
    struct flip *pair = argument;
    uint64_t state = irq_save();

    pair->threads[1] = thread_current();
    flip(pair, 1);
    irq_restore(state);
}

TEST(wake, a_block_and_a_wake_up_that_meet_cost_no_queue_operation)
{
    static struct flip pair;
    cpu_t core = crew_core(1);

    pair = (struct flip){.turn = 0};
    pair.threads[0] = crew_start(core, flip_first, &pair);
    struct thread *second = crew_start(core, flip_second, &pair);
    crew_join(second);
    crew_join(pair.threads[0]);
    EXPECT_EQ(pair.operations, 0);
}

/* --- who is told --- */

static uint32_t woken;
static uint32_t spinners;
static uint32_t stop;

static void wait_once(void *argument)
{
    uint32_t *go = argument;

    while (atomic_load_relaxed(go) == 0) { /* relaxed: the wake-up orders it */
        sched_block();
    }
    atomic_add_relaxed(&woken, 1U); /* relaxed: only the number matters */
}

static void spin(void *argument)
{
    (void)argument;
    atomic_add_relaxed(&spinners, 1U);        /* relaxed: only the number matters */
    while (atomic_load_relaxed(&stop) == 0) { /* relaxed: only the number matters */
    }
}

static bool is_blocked(struct thread *thread)
{
    return atomic_load_relaxed(&thread->state) == THREAD_BLOCKED;
}

/* Wakes it and answers how many interrupts that sent. */
static uint64_t interrupts_of_waking(struct thread *thread, uint32_t *go)
{
    uint64_t state = irq_save();
    uint64_t before = core_current()->ipis_sent;

    atomic_store_relaxed(go, 1U); /* relaxed: the wake-up orders it */
    sched_wake_thread(thread);
    uint64_t sent = core_current()->ipis_sent - before;

    irq_restore(state);
    return sent;
}

TEST(wake, a_core_that_sleeps_is_interrupted)
{
    uint32_t go = 0;

    if (sched_online_count() < 2) {
        test_skip("needs 2 cores");
        return;
    }
    struct thread *thread = crew_start(crew_core(1), wait_once, &go);

    EXPECT_SOON(is_blocked(thread) && cores[crew_core(1)].current == runqueues[crew_core(1)].idle &&
                runqueues[crew_core(1)].inbox.word == 0);
    EXPECT_TRUE(interrupts_of_waking(thread, &go) <=
                1); /* 0 if one for something else is on its way */
    crew_join(thread);
}

/* Waits until the core polls, for seconds: half of what is set here, if it slept. */
static bool polls(cpu_t core)
{
    runqueues[core].poll_ns = 4000000000U; /* changed by the core when it has been idle */
    ipi_request(core, IPI_RESCHEDULE);
    nsec_t since = timer_now_ns();

    while (timer_now_ns() - since < 100000000U) {
        /* relaxed: what was read while it polled is right until somebody interrupts it */
        if (atomic_load_relaxed(&runqueues[core].inbox.word) == INBOX_LEVEL) {
            return true;
        }
    }
    return false;
}

static bool wakes_one_that_polls(cpu_t core)
{
    uint32_t go = 0;
    struct thread *thread = crew_start(core, wait_once, &go);

    EXPECT_SOON(is_blocked(thread));
    woken = 0;
    bool polled = polls(core);
    uint64_t sent = interrupts_of_waking(thread, &go);

    EXPECT_SOON(atomic_load_relaxed(&woken) == 1);
    crew_join(thread);
    return polled && sent == 0;
}

/* It may be up for something else at that moment, so more than one try is given. */
TEST(wake, a_core_that_polls_is_not_interrupted)
{
    if (sched_online_count() < 2) {
        test_skip("needs 2 cores");
        return;
    }
    EXPECT_SOON(wakes_one_that_polls(crew_core(1)));
}

TEST(wake, an_interrupt_ends_a_poll)
{
    if (sched_online_count() < 2) {
        test_skip("needs 2 cores");
        return;
    }
    cpu_t core = crew_core(1);

    EXPECT_SOON(polls(core));
    runqueues[core].poll_ns = 0;
    nsec_t since = timer_now_ns();

    epoch_synchronize(); /* the core acknowledges in an interrupt */
    EXPECT_TRUE(timer_now_ns() - since < 900000000U);
}

/* Interrupts it for nothing; true when it will sleep at once. */
static bool sleeps_at_once(cpu_t core)
{
    ipi_request(core, IPI_RESCHEDULE);
    for (nsec_t since = timer_now_ns(); timer_now_ns() - since < 100000U;) {
    }
    return atomic_load_relaxed(&runqueues[core].poll_ns) == 0; /* relaxed: only its own matters */
}

TEST(wake, a_core_that_nobody_wakes_polls_no_more)
{
    if (sched_online_count() < 2) {
        test_skip("needs 2 cores");
        return;
    }
    EXPECT_SOON(polls(crew_core(1)));
    EXPECT_SOON(sleeps_at_once(crew_core(1)));
}

#define QUICK_WAKES 1000U

struct volley {
    uint32_t turn;
    uint32_t polled; /* times that the second core was going to poll */
    struct thread *threads[2];
};

static void return_it(struct volley *volley, unsigned self)
{
    for (unsigned i = 0; i < QUICK_WAKES; i++) {
        while (atomic_load_relaxed(&volley->turn) != self) { /* relaxed: the wake-up orders it */
            sched_block();
        }
        if (runqueue_here()->poll_ns != 0) {
            atomic_add_relaxed(&volley->polled, 1U); /* relaxed: only the number matters */
        }
        atomic_store_relaxed(&volley->turn, 1 - self); /* relaxed: as above */
        sched_wake_thread(volley->threads[1 - self]);
    }
}

static void return_second(void *argument)
{
    return_it(argument, 1);
}

/* How often depends on the host, unless harts run in turn. */
TEST(wake, cores_that_wake_each_other_in_turn_begin_to_poll)
{
    static struct volley volley;

    if (sched_online_count() < 2) {
        test_skip("needs 2 cores");
        return;
    }
    volley = (struct volley){.turn = 0};
    volley.threads[0] = thread_current();
    volley.threads[1] = crew_start(crew_core(1), return_second, &volley);
    return_it(&volley, 0);
    crew_join(volley.threads[1]);
    EXPECT_TRUE(volley.polled != 0);
}

TEST(wake, a_core_whose_slice_runs_is_not_interrupted)
{
    uint32_t go = 0;

    if (sched_online_count() < 2) {
        test_skip("needs 2 cores");
        return;
    }
    cpu_t core = crew_core(1);
    struct thread *threads[3];

    woken = spinners = stop = 0;
    threads[0] = crew_start(core, wait_once, &go);
    EXPECT_SOON(is_blocked(threads[0]));
    threads[1] = crew_start(core, spin, NULL);
    threads[2] = crew_start(core, spin, NULL);
    EXPECT_SOON(atomic_load_relaxed(&spinners) == 2);
    EXPECT_EQ(interrupts_of_waking(threads[0], &go), 0);
    EXPECT_SOON(atomic_load_relaxed(&woken) == 1); /* at the end of the slice */
    atomic_store_relaxed(&stop, 1U);
    for (unsigned i = 0; i < 3; i++) {
        crew_join(threads[i]);
    }
}

TEST(wake, a_wake_up_from_afar_takes_no_lock_of_the_other_queue)
{
    uint32_t go = 0;

    if (sched_online_count() < 2) {
        test_skip("needs 2 cores");
        return;
    }
    struct runqueue *other = &runqueues[crew_core(1)];
    struct thread *thread = crew_start(crew_core(1), wait_once, &go);

    woken = 0;
    EXPECT_SOON(is_blocked(thread));
    uint64_t state = spin_lock_save(&other->lock);
    atomic_store_relaxed(&go, 1U); /* relaxed: the wake-up orders it */
    sched_wake_thread(thread);     /* or the suite hangs here */
    EXPECT_EQ(atomic_load_relaxed(&woken), 0);
    spin_unlock_restore(&other->lock, state);
    EXPECT_SOON(atomic_load_relaxed(&woken) == 1);
    crew_join(thread);
}

TEST(wake, a_wake_up_before_the_block_costs_no_switch)
{
    uint64_t operations;
    uint64_t state = irq_save();
    uint64_t switches = core_current()->switches;

    operations = runqueue_here()->operations;
    sched_wake_thread(thread_current());
    sched_block();
    EXPECT_EQ(runqueue_here()->operations, operations);
    EXPECT_EQ(core_current()->switches, switches);
    irq_restore(state);
}

/* --- many flips on all cores --- */

#define FLIPPERS 4U             /* on each core */
#define MAX_REST_NS 100000000UL /* for the end of the time; nobody needs it before */

struct permit {
    _Alignas(64) uint32_t given; /* by all */
    uint32_t used;               /* by its owner */
    struct thread *thread;
};

static struct permit permits[MAX_CORES * FLIPPERS];
static uint32_t flippers;
static uint32_t flippers_done;

/* Uses up one; false at the end. A block may return without one. */
static bool take_permit(struct permit *mine)
{
    /* acquire: what its giver did; pairs with the release in flip_others */
    while (atomic_load_acquire(&mine->given) == mine->used) {
        if (!torture_goes_on()) {
            return false;
        }
        (void)sched_block_until(timer_now_ns() + MAX_REST_NS);
    }
    mine->used++;
    return true;
}

/* Passes what it gets on, to anybody. */
static void flip_others(struct torture_member *member)
{
    struct permit *mine = &permits[member->index];

    /* release: publishes ourselves; pairs with the acquire below */
    atomic_store_release(&mine->thread, thread_current());
    while (take_permit(mine)) {
        struct permit *other = &permits[crew_random(&member->random) % flippers];
        struct thread *thread;

        /* release: pairs with the acquire in take_permit */
        atomic_add_release(&other->given, 1U);
        /* acquire: pairs with the release above; who is not there yet finds it by itself */
        thread = atomic_load_acquire(&other->thread);
        if (thread != NULL) {
            sched_wake_thread(thread);
        }
        torture_count(member, 0);
    }
    /* Nobody ends before all have stopped waking each other. */
    atomic_add_relaxed(&flippers_done, 1U); /* relaxed: only the number matters */
    while (atomic_load_relaxed(&flippers_done) != flippers) {
        torture_count(member, 0);
        sched_yield();
    }
}

TORTURE(flip, "threads on all cores block and wake each other at random")
{
    uint32_t given = 0;
    uint32_t used = 0;

    flippers = sched_online_count() * FLIPPERS;
    flippers_done = 0;
    torture_begin_crew(flippers);
    for (unsigned i = 0; i < flippers; i++) {
        permits[i] = (struct permit){.given = i % 2};
        torture_add_member(i % sched_online_count(), "flip", flip_others);
    }
    (void)torture_run_crew();
    for (unsigned i = 0; i < flippers; i++) {
        given += permits[i].given;
        used += permits[i].used;
    }
    EXPECT_EQ(given, used + flippers / 2);
}
