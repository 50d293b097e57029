/* SPDX-License-Identifier: MIT */
/* Notifications: no signal lost, nobody woken for nothing, one outcome a wait. */
#include "ipc/notification.h"

#include <string.h>

#include "kernel/abi/syscall.h"
#include "kernel/base/atomic.h"
#include "sched/domain.h"
#include "sched/sched.h"
#include "sched/timeout.h"
#include "tests/kernel/crew.h"

static struct notification *make(void)
{
    struct notification *notification = NULL;

    EXPECT_OK(notification_create(&kernel_domain, &notification));
    return notification;
}

static void finish(struct notification *notification)
{
    notification_close(notification, ERR_STALE);
    object_release(&notification->object);
}

static uint32_t waiters(struct notification *notification)
{
    uint32_t count = 0;
    uint64_t state = spin_lock_save(&notification->lock);

    list_for_each(link, &notification->waiters)
    {
        count++;
    }
    spin_unlock_restore(&notification->lock, state);
    return count;
}

static uint64_t poll(struct notification *notification, uint64_t mask)
{
    uint64_t bits = 0;
    status_t status = notification_wait(notification, mask, DEADLINE_NOW, &bits);

    EXPECT_TRUE(status == (bits != 0 ? OK : ERR_WOULD_BLOCK));
    return bits;
}

TEST(notification, a_poll_takes_the_bits_of_its_mask_once)
{
    struct notification *notification = make();

    EXPECT_EQ(poll(notification, ~0UL), 0);
    notification_signal(notification, 5);
    notification_signal(notification, 1UL << 63 | 1);
    EXPECT_EQ(poll(notification, 2), 0);
    EXPECT_EQ(poll(notification, 6), 4);
    EXPECT_EQ(poll(notification, ~0UL), 1UL << 63 | 1);
    EXPECT_EQ(poll(notification, ~0UL), 0);
    finish(notification);
}

struct waiter {
    struct notification *notification;
    uint64_t mask;
    nsec_t deadline;
    uint64_t bits;
    status_t status;
    uint32_t done; /* relaxed: only to wait for */
};

static void wait_once(void *argument)
{
    struct waiter *waiter = argument;

    waiter->status =
        notification_wait(waiter->notification, waiter->mask, waiter->deadline, &waiter->bits);
    atomic_store_relaxed(&waiter->done, 1U);
}

static struct thread *start_waiter(struct waiter *waiter, unsigned core)
{
    uint32_t before = waiters(waiter->notification);
    struct thread *thread = crew_start(crew_core(core), wait_once, waiter);

    EXPECT_SOON(waiters(waiter->notification) == before + 1);
    return thread;
}

TEST(notification, a_waiter_gets_all_that_was_signalled_of_its_mask)
{
    struct notification *notification = make();
    struct waiter waiter = {.notification = notification, .mask = 7};
    struct thread *thread = start_waiter(&waiter, 1);

    notification_signal(notification, 8);
    EXPECT_EQ(waiters(notification), 1);
    notification_signal(notification, 8 | 4 | 1);
    crew_join(thread);
    EXPECT_OK(waiter.status);
    EXPECT_EQ(waiter.bits, 5);
    EXPECT_EQ(poll(notification, ~0UL), 8);
    finish(notification);
}

TEST(notification, each_of_several_waiters_gets_the_bits_of_its_mask_and_the_rest_stay)
{
    struct notification *notification = make();
    struct waiter of[3] = {{.mask = 1}, {.mask = 6}, {.mask = 8}};
    struct thread *threads[3];

    for (unsigned i = 0; i < 3; i++) {
        of[i].notification = notification;
        threads[i] = start_waiter(&of[i], i);
    }
    notification_signal(notification, 1 | 4 | 16);
    crew_join(threads[0]);
    crew_join(threads[1]);
    EXPECT_EQ(of[0].bits, 1);
    EXPECT_EQ(of[1].bits, 4);
    EXPECT_EQ(waiters(notification), 1);
    EXPECT_EQ(atomic_load_relaxed(&of[2].done), 0);
    notification_signal(notification, 8);
    crew_join(threads[2]);
    EXPECT_EQ(of[2].bits, 8);
    EXPECT_EQ(poll(notification, ~0UL), 16);
    finish(notification);
}

TEST(notification, a_bit_goes_to_the_one_that_waits_longest)
{
    struct notification *notification = make();
    struct waiter of[4];
    struct thread *threads[4];

    for (unsigned i = 0; i < 4; i++) {
        of[i] = (struct waiter){.notification = notification, .mask = 2};
        threads[i] = start_waiter(&of[i], i);
    }
    for (unsigned i = 0; i < 4; i++) {
        notification_signal(notification, 2);
        crew_join(threads[i]);
        EXPECT_EQ(of[i].bits, 2);
        EXPECT_EQ(waiters(notification), 3 - i);
    }
    finish(notification);
}

TEST(notification, a_wait_ends_at_its_deadline_and_leaves_nothing)
{
    struct notification *notification = make();
    nsec_t when = timer_now_ns() + 2000000;
    uint64_t bits = 77;

    notification_signal(notification, 2);
    EXPECT_EQ(notification_wait(notification, 1, when, &bits), ERR_TIMED_OUT);
    EXPECT_TRUE(timer_now_ns() >= when);
    EXPECT_EQ(bits, 77);
    EXPECT_EQ(waiters(notification), 0);
    EXPECT_EQ(notification->word.waiting, 0);
    EXPECT_EQ(notification_wait(notification, 1, when, &bits), ERR_TIMED_OUT);
    EXPECT_OK(notification_wait(notification, 2, when, &bits));
    EXPECT_EQ(bits, 2);
    finish(notification);
}

TEST(notification, close_wakes_every_waiter_with_stale_and_refuses_the_next)
{
    struct notification *notification = make();
    struct waiter of[5];
    struct thread *threads[5];
    uint64_t bits = 77;

    for (unsigned i = 0; i < 5; i++) {
        of[i] = (struct waiter){.notification = notification, .mask = 1UL << i};
        threads[i] = start_waiter(&of[i], i);
    }
    notification_close(notification, ERR_STALE);
    notification_close(notification, ERR_PEER_DIED);
    for (unsigned i = 0; i < 5; i++) {
        crew_join(threads[i]);
        EXPECT_EQ(of[i].status, ERR_STALE);
        EXPECT_EQ(of[i].bits, 0);
    }
    notification_signal(notification, ~0UL);
    EXPECT_EQ(notification_wait(notification, 1, DEADLINE_NONE, &bits), ERR_STALE);
    EXPECT_EQ(notification_wait(notification, 1, DEADLINE_NOW, &bits), ERR_STALE);
    EXPECT_EQ(bits, 77);
    object_release(&notification->object);
}

TEST(notification, a_killed_waiter_takes_no_signal_with_it)
{
    struct notification *notification = make();
    struct waiter waiter = {.notification = notification, .mask = ~0UL};
    struct thread *thread = start_waiter(&waiter, 1);

    thread_kill(thread);
    crew_join(thread);
    EXPECT_EQ(waiter.status, ERR_CANCELLED);
    EXPECT_EQ(waiters(notification), 0);
    notification_signal(notification, 3);
    EXPECT_EQ(poll(notification, ~0UL), 3);
    finish(notification);
}

struct alarm {
    struct timeout timeout;
    struct notification *notification;
};

static void ring(struct timeout *timeout)
{
    notification_signal(container_of(timeout, struct alarm, timeout)->notification, 1);
}

TEST(notification, an_interrupt_handler_may_signal)
{
    struct alarm alarm = {.notification = make()};

    for (unsigned i = 0; i < 100; i++) {
        uint64_t bits = 0;

        timeout_arm(&alarm.timeout, timer_now_ns() + 1000 * i, ring);
        EXPECT_OK(notification_wait(alarm.notification, 1, DEADLINE_NONE, &bits));
        EXPECT_EQ(bits, 1);
        timeout_cancel(&alarm.timeout);
    }
    finish(alarm.notification);
}

#define SIGNALLERS 4U
#define TAKERS 3U
#define ROUNDS 2000U
#define END_BIT (1UL << 63)

/* Each signaller has a bit, and knows by its own notification when that was taken. */
static struct {
    struct notification *signalled;
    struct notification *taken;
    uint32_t pending[SIGNALLERS];
    uint32_t count;
    uint32_t left;
} ledger;

static void signal_and_wait(unsigned index)
{
    uint64_t bit = 1UL << index * 7;
    uint64_t bits;

    for (unsigned i = 0; i < ROUNDS; i++) {
        EXPECT_EQ(atomic_swap_relaxed(&ledger.pending[index], 1), 0);
        notification_signal(ledger.signalled, bit);
        EXPECT_OK(notification_wait(ledger.taken, bit, DEADLINE_NONE, &bits));
        EXPECT_EQ(bits, bit);
    }
    if (atomic_sub_relaxed(&ledger.left, 1) == 1) { /* relaxed: a number */
        notification_signal(ledger.signalled, END_BIT);
    }
}

static void take_all(unsigned index)
{
    uint64_t bits = 0;

    while ((bits & END_BIT) == 0) {
        EXPECT_OK(notification_wait(ledger.signalled, ~0UL, DEADLINE_NONE, &bits));
        EXPECT_TRUE(bits != 0);
        for (unsigned i = 0; i < SIGNALLERS; i++) {
            if ((bits & 1UL << i * 7) != 0) {
                EXPECT_EQ(atomic_swap_relaxed(&ledger.pending[i], 0), 1);
                atomic_add_relaxed(&ledger.count, 1);
                notification_signal(ledger.taken, 1UL << i * 7);
            }
        }
    }
    (void)index;
    notification_signal(ledger.signalled, END_BIT); /* the next one */
}

static void signal_or_take(void *member)
{
    unsigned index = ((struct crew_member *)member)->index;

    if (index < SIGNALLERS) {
        signal_and_wait(index);
    } else {
        take_all(index);
    }
}

TEST(notification, signals_and_waits_on_all_cores_balance_their_ledger)
{
    memset(&ledger, 0, sizeof(ledger));
    ledger.signalled = make();
    ledger.taken = make();
    ledger.left = SIGNALLERS;
    crew_run(SIGNALLERS + TAKERS, signal_or_take, NULL);
    EXPECT_EQ(ledger.count, SIGNALLERS * ROUNDS);
    EXPECT_EQ(poll(ledger.signalled, ~0UL), END_BIT);
    EXPECT_EQ(poll(ledger.taken, ~0UL), 0);
    finish(ledger.signalled);
    finish(ledger.taken);
}

#define RACES 100000U

/* One signals, the other waits until a deadline that is about then: it takes the signal in that wait, or
 * in the next. */
static struct {
    struct notification *signalled;
    struct notification *taken;
    uint32_t in_time;
    uint32_t late;
} race;

static void race_signal(void)
{
    uint64_t bits;

    for (unsigned i = 0; i < RACES; i++) {
        notification_signal(race.signalled, 1);
        if (notification_wait(race.taken, 1, DEADLINE_NONE, &bits) != OK) {
            return;
        }
    }
}

static void race_wait(void)
{
    uint32_t random = 1;

    for (unsigned i = 0; i < RACES; i++) {
        nsec_t deadline = timer_now_ns() + crew_random(&random) % 3000;
        uint64_t bits = 0;
        status_t status = notification_wait(race.signalled, 1, deadline, &bits);

        if (status == OK) {
            race.in_time++;
        } else {
            EXPECT_EQ(status, ERR_TIMED_OUT);
            EXPECT_EQ(bits, 0);
            race.late++;
            EXPECT_OK(notification_wait(race.signalled, 1, DEADLINE_NONE, &bits));
        }
        EXPECT_EQ(bits, 1);
        notification_signal(race.taken, 1);
    }
}

static void race_both(void *member)
{
    if (((struct crew_member *)member)->index == 0) {
        race_signal();
    } else {
        race_wait();
    }
}

TEST(notification, a_wait_ends_by_its_signal_or_its_deadline_never_by_both_or_neither)
{
    memset(&race, 0, sizeof(race));
    race.signalled = make();
    race.taken = make();
    crew_run(2, race_both, NULL);
    EXPECT_EQ(race.in_time + race.late, RACES);
    EXPECT_EQ(poll(race.signalled, ~0UL), 0);
    EXPECT_EQ(poll(race.taken, ~0UL), 0);
    finish(race.signalled);
    finish(race.taken);
}

static void take_until_told(void *argument)
{
    struct waiter *waiter = argument;

    do {
        waiter->status =
            notification_wait(waiter->notification, waiter->mask, DEADLINE_NONE, &waiter->bits);
    } while (waiter->status == OK && atomic_swap_relaxed(&waiter->done, 1U) == 0);
}

/* What a waiter was given is either seen by it, or there again when it has ended. */
TEST(notification, a_signal_that_meets_a_kill_is_seen_by_the_thread_or_stays)
{
    struct notification *notification = make();

    for (unsigned i = 0; i < 200; i++) {
        struct waiter waiter = {.notification = notification, .mask = ~0UL};
        struct thread *thread = crew_start(crew_core(1), take_until_told, &waiter);

        if (i % 2 == 0) {
            EXPECT_SOON(waiters(notification) == 1);
        }
        notification_signal(notification, 1);
        thread_kill(thread);
        crew_join(thread);
        EXPECT_EQ(poll(notification, ~0UL), waiter.done != 0 ? 0 : 1);
    }
    finish(notification);
}
