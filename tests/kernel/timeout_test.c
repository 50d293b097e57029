/* SPDX-License-Identifier: MIT */
/* Deadlines and time-outs. */
#include "sched/timeout.h"

#include "arch/core.h"
#include "arch/irq.h"
#include "kernel/abi/syscall.h"
#include "kernel/base/atomic.h"
#include "sched/sched.h"
#include "tests/kernel/crew.h"

#define MS 1000000UL

TEST(timeout, a_sleep_ends_at_its_deadline_and_not_before)
{
    for (unsigned i = 0; i < 5; i++) {
        nsec_t when = timer_now_ns() + i * MS / 2;

        EXPECT_OK(sched_sleep_until(when));
        EXPECT_TRUE(timer_now_ns() >= when);
    }
}

TEST(timeout, a_deadline_that_has_passed_does_not_wait)
{
    EXPECT_EQ(sched_block_until(1), ERR_TIMED_OUT);
    EXPECT_EQ(sched_block_until(DEADLINE_NOW), ERR_WOULD_BLOCK);
    EXPECT_OK(sched_sleep_until(1));
}

static char fired[8];
static uint32_t fired_count;

struct named_timeout {
    struct timeout timeout;
    char name;
};

static void note_fired(struct timeout *timeout)
{
    uint32_t place = atomic_load_relaxed(&fired_count); /* one core: in order */

    fired[place] = container_of(timeout, struct named_timeout, timeout)->name;
    /* release: the name first; pairs with the acquire in the tests */
    atomic_store_release(&fired_count, place + 1);
}

static void arm(struct named_timeout *timeout, char name, nsec_t when)
{
    timeout->name = name;
    timeout_arm(&timeout->timeout, when, note_fired);
}

static void expect_fired(const char *wanted, uint32_t count)
{
    /* acquire: the names; pairs with note_fired */
    EXPECT_SOON(atomic_load_acquire(&fired_count) == count);
    fired[count] = '\0';
    EXPECT_TEXT(fired, wanted);
}

TEST(timeout, they_fire_in_the_order_of_their_deadlines)
{
    struct named_timeout a, b, c, d;
    nsec_t now = timer_now_ns();

    atomic_store_relaxed(&fired_count, 0U);
    uint64_t state = irq_save(); /* all are armed before the first fires */
    arm(&c, 'c', now + 3 * MS);
    arm(&a, 'a', now + MS);
    arm(&d, 'd', now + 3 * MS); /* equal deadlines: in the order of arming */
    arm(&b, 'b', now + 2 * MS);
    EXPECT_EQ(timeout_first(), now + MS);
    irq_restore(state);
    expect_fired("abcd", 4);
}

static void cancel(void *timeout)
{
    timeout_cancel(timeout);
}

TEST(timeout, a_cancelled_one_never_fires)
{
    struct named_timeout here, remote, last;
    nsec_t now = timer_now_ns();

    atomic_store_relaxed(&fired_count, 0U);
    uint64_t state = irq_save();
    arm(&here, 'x', now + MS);
    arm(&last, 'z', now + 2 * MS);
    timeout_cancel(&here.timeout);
    irq_restore(state);
    expect_fired("z", 1);
    timeout_cancel(&last.timeout); /* harmless after the fact */

    arm(&remote, 'y', timer_now_ns() + 100000 * MS);
    crew_join(crew_start(crew_core(1), cancel, &remote.timeout));
    EXPECT_FALSE(timeout_is_armed(&remote.timeout));
    EXPECT_EQ(atomic_load_relaxed(&fired_count), 1);
}

TEST(timeout, a_cancelled_one_leaves_nothing_to_wake_for)
{
    struct named_timeout near, far;

    uint64_t state = irq_save();
    nsec_t first = timeout_first();
    nsec_t now = timer_now_ns();

    arm(&far, 'f', now + 900000 * MS);
    arm(&near, 'n', now + 50 * MS);
    EXPECT_TRUE(timeout_first() <= now + 50 * MS);
    timeout_cancel(&near.timeout);
    timeout_cancel(&far.timeout);
    EXPECT_EQ(timeout_first(), first);
    irq_restore(state);
}

#define CROWD (3 * TIMEOUT_BATCH + 5)

struct member {
    struct timeout timeout;
    unsigned index;
};

static struct {
    unsigned count;
    uint64_t interrupt[CROWD]; /* that fired it */
    bool in_order;
} crowd;

static void note_member(struct timeout *timeout)
{
    unsigned place = atomic_load_relaxed(&crowd.count); /* one core: in order */

    crowd.in_order &= container_of(timeout, struct member, timeout)->index == place;
    crowd.interrupt[place] = core_current()->interrupts;
    /* release: the rest first; pairs with the acquire in the test */
    atomic_store_release(&crowd.count, place + 1);
}

TEST(timeout, a_crowd_at_one_moment_fires_in_order_a_batch_an_interrupt)
{
    static struct member members[CROWD];
    nsec_t when = timer_now_ns() + 2 * MS;
    unsigned batch = 0;

    crowd.count = 0;
    crowd.in_order = true;
    uint64_t state = irq_save(); /* on one core, and all before the first fires */
    for (unsigned i = 0; i < CROWD; i++) {
        members[i].index = i;
        timeout_arm(&members[i].timeout, when, note_member);
    }
    irq_restore(state);
    /* acquire: what the interrupts noted; pairs with note_member */
    EXPECT_SOON(atomic_load_acquire(&crowd.count) == CROWD);
    EXPECT_TRUE(crowd.in_order);
    for (unsigned i = 0; i < CROWD; i++) {
        batch = i > 0 && crowd.interrupt[i] == crowd.interrupt[i - 1] ? batch + 1 : 1;
        EXPECT_TRUE(batch <= TIMEOUT_BATCH);
        EXPECT_FALSE(timeout_is_armed(&members[i].timeout));
    }
}

#define RACES 600U

struct racer {
    struct timeout timeout;
    bool fired;
};

static void note_race(struct timeout *timeout)
{
    container_of(timeout, struct racer, timeout)->fired = true;
}

static void fire_after_cancel(struct timeout *timeout)
{
    (void)timeout;
    test_fail(__FILE__, __LINE__, "fired after it was cancelled", false, 0, 0);
}

/* The thread arms on one core and cancels on the other, at about the deadline: the record is either
 * fired or not when the cancel returns, and stays that way. */
TEST(timeout, a_thread_that_has_moved_cancels_against_the_deadline)
{
    cpu_t home[2] = {crew_core(0), crew_core(1)};
    nsec_t delay = MS / 10;
    unsigned fired_first = 0;

    if (home[0] == home[1]) {
        test_skip("needs two cores");
        return;
    }
    for (unsigned i = 0; i < RACES; i++) {
        struct racer racer = {.fired = false};

        EXPECT_OK(sched_migrate(home[i % 2]));
        timeout_arm(&racer.timeout, timer_now_ns() + delay, note_race);
        EXPECT_OK(sched_migrate(home[(i + 1) % 2]));
        timeout_cancel(&racer.timeout);
        bool was_fired = racer.fired;

        racer.timeout.fire = fire_after_cancel;
        fired_first += was_fired;
        /* Towards the moment at which both happen as often; never so near that nothing is armed. */
        delay = was_fired ? delay + delay / 8 + 100 : delay - delay / 8;
        EXPECT_EQ(racer.fired, was_fired);
    }
    EXPECT_TRUE(fired_first > RACES / 20 && fired_first < RACES - RACES / 20);
}

static void sleep_at_random(void *member)
{
    uint32_t random = ((struct crew_member *)member)->index;

    for (unsigned i = 0; i < 30; i++) {
        nsec_t when = timer_now_ns() + crew_random(&random) % (2 * MS);

        EXPECT_OK(sched_sleep_until(when));
        EXPECT_TRUE(timer_now_ns() >= when);
    }
}

TEST(timeout, many_sleepers_on_all_cores_all_wake)
{
    crew_run(12, sleep_at_random, NULL);
}
