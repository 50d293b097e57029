/* SPDX-License-Identifier: MIT */
/* Deadlines and time-outs. */
#include "sched/timeout.h"

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
    state = irq_save();
    EXPECT_FALSE(list_is_linked(&remote.timeout.link));
    irq_restore(state);
    EXPECT_EQ(atomic_load_relaxed(&fired_count), 1);
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
