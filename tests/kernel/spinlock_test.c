/* SPDX-License-Identifier: MIT */
/* Mutual exclusion and interrupt state of the spinlock. */
#include "kernel/sync/spinlock.h"

#include "arch/irq.h"
#include "kernel/base/atomic.h"
#include "sched/sched.h"
#include "tests/kernel/crew.h"

#define ROUNDS 2000U
#define WORKERS 8U

static struct spinlock lock = SPINLOCK_INIT("test");
static uint32_t inside; /* without atomics on purpose: only the lock protects them */
static uint32_t total;
static uint32_t overlaps;

static void count_under_lock(void *member)
{
    (void)member;
    for (unsigned i = 0; i < ROUNDS; i++) {
        uint64_t state = spin_lock_save(&lock);

        overlaps += ++inside != 1;
        total++;
        fence_compiler();
        inside--;
        spin_unlock_restore(&lock, state);
    }
}

TEST(spinlock, one_core_at_a_time_is_inside)
{
    inside = total = overlaps = 0;
    crew_run(WORKERS, count_under_lock, NULL);
    EXPECT_EQ(overlaps, 0);
    EXPECT_EQ(total, WORKERS * ROUNDS);
}

TEST(spinlock, interrupts_are_off_while_it_is_held_and_as_before_after_it)
{
    struct spinlock inner = SPINLOCK_INIT("inner");

    ASSERT_TRUE(irq_enabled());
    uint64_t outer_state = spin_lock_save(&lock);
    EXPECT_FALSE(irq_enabled());
    uint64_t inner_state = spin_lock_save(&inner);
    EXPECT_TRUE(spin_is_locked(&inner));
    spin_unlock_restore(&inner, inner_state);
    EXPECT_FALSE(irq_enabled());
    EXPECT_FALSE(spin_is_locked(&inner));
    spin_unlock_restore(&lock, outer_state);
    EXPECT_TRUE(irq_enabled());
}
