/* SPDX-License-Identifier: MIT */
/* Wait queues: order, conditions, no lost wake-up. */
#include "kernel/abi/syscall.h"
#include "kernel/base/atomic.h"
#include "kernel/base/list.h"
#include "sched/sched.h"
#include "tests/kernel/crew.h"

/* Permits that waiters take one by one. */
static struct {
    struct wait_queue queue;
    uint32_t permits; /* the queue's lock */
    uint32_t log[8];  /* who took one, in order; the queue's lock */
    uint32_t logged;
} gate;

static void gate_reset(void)
{
    wait_queue_init(&gate.queue);
    gate.permits = gate.logged = 0;
}

static bool take_permit(void *argument)
{
    if (gate.permits == 0) {
        return false;
    }
    gate.permits--;
    if (argument != NULL) {
        gate.log[gate.logged] = ((struct crew_member *)argument)->index;
        atomic_store_relaxed(&gate.logged, gate.logged + 1); /* relaxed: only for waiting */
    }
    return true;
}

static void add_permit(void)
{
    uint64_t state = spin_lock_save(&gate.queue.lock);

    gate.permits++;
    spin_unlock_restore(&gate.queue.lock, state);
    wait_queue_wake_one(&gate.queue);
}

static uint32_t waiters(void)
{
    uint32_t count = 0;
    uint64_t state = spin_lock_save(&gate.queue.lock);

    list_for_each(link, &gate.queue.waiters)
    {
        count++;
    }
    spin_unlock_restore(&gate.queue.lock, state);
    return count;
}

static void wait_for_permit(void *member)
{
    EXPECT_OK(wait_queue_wait(&gate.queue, DEADLINE_NONE, take_permit, member));
}

TEST(wait_queue, wake_one_wakes_who_waits_longest)
{
    struct crew_member members[5];
    struct thread *threads[5];

    gate_reset();
    for (unsigned i = 0; i < 5; i++) {
        members[i] = (struct crew_member){.index = i};
        threads[i] = crew_start(crew_core(4 - i), wait_for_permit, &members[i]);
        EXPECT_SOON(waiters() == i + 1);
    }
    for (unsigned i = 0; i < 5; i++) {
        add_permit();
        EXPECT_SOON(atomic_load_relaxed(&gate.logged) == i + 1);
    }
    for (unsigned i = 0; i < 5; i++) {
        crew_join(threads[i]);
        EXPECT_EQ(gate.log[i], i);
    }
    EXPECT_FALSE(wait_queue_wake_one(&gate.queue));
}

static bool gate_is_open(void *argument)
{
    (void)argument;
    return gate.permits != 0;
}

static void wait_for_opening(void *member)
{
    (void)member;
    EXPECT_OK(wait_queue_wait(&gate.queue, DEADLINE_NONE, gate_is_open, NULL));
}

TEST(wait_queue, wake_all_wakes_everybody)
{
    struct thread *threads[8];

    gate_reset();
    for (unsigned i = 0; i < 8; i++) {
        threads[i] = crew_start(crew_core(i), wait_for_opening, NULL);
    }
    EXPECT_SOON(waiters() == 8);
    uint64_t state = spin_lock_save(&gate.queue.lock);
    gate.permits = 1;
    spin_unlock_restore(&gate.queue.lock, state);
    wait_queue_wake_all(&gate.queue);
    for (unsigned i = 0; i < 8; i++) {
        crew_join(threads[i]);
    }
    EXPECT_EQ(waiters(), 0);
}

TEST(wait_queue, the_condition_counts_even_when_the_deadline_has_passed)
{
    gate_reset();
    EXPECT_EQ(wait_queue_wait(&gate.queue, DEADLINE_NOW, take_permit, NULL), ERR_WOULD_BLOCK);
    EXPECT_EQ(wait_queue_wait(&gate.queue, timer_now_ns() + 1000, take_permit, NULL),
              ERR_TIMED_OUT);
    EXPECT_EQ(waiters(), 0);
    gate.permits = 1;
    EXPECT_OK(wait_queue_wait(&gate.queue, DEADLINE_NOW, take_permit, NULL));
}

static void wait_until_killed(void *member)
{
    (void)member;
    EXPECT_EQ(wait_queue_wait(&gate.queue, DEADLINE_NONE, take_permit, NULL), ERR_CANCELLED);
}

TEST(wait_queue, a_killed_waiter_leaves_the_queue)
{
    gate_reset();
    struct thread *thread = crew_start(crew_core(1), wait_until_killed, NULL);

    EXPECT_SOON(waiters() == 1);
    thread_kill(thread);
    crew_join(thread);
    EXPECT_EQ(waiters(), 0);
}

#define PERMITS 600U

static uint32_t taken;

static void take_and_give(void *member)
{
    unsigned index = ((struct crew_member *)member)->index;

    for (unsigned i = 0; i < PERMITS; i++) {
        if (index % 2 == 0) {
            add_permit();
        } else {
            status_t status = ERR_TIMED_OUT;

            /* Some waits end by their deadline; a wake-up meant for them goes to another. */
            while (status == ERR_TIMED_OUT) {
                nsec_t deadline = i % 3 == 0 ? DEADLINE_NONE : timer_now_ns() + 20000;

                status = wait_queue_wait(&gate.queue, deadline, take_permit, NULL);
            }
            EXPECT_OK(status);
            atomic_add_relaxed(&taken, 1); /* relaxed: a count */
        }
    }
}

TEST(wait_queue, every_permit_finds_a_taker)
{
    gate_reset();
    atomic_store_relaxed(&taken, 0U);
    crew_run(6, take_and_give, NULL);
    EXPECT_EQ(taken, 3 * PERMITS);
    EXPECT_EQ(gate.permits, 0);
    EXPECT_EQ(waiters(), 0);
}
