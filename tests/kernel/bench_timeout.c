/* SPDX-License-Identifier: MIT */
/*
 * Rows of the time-outs: arm and cancel one, beside others that stay armed.
 */
#include "arch/irq.h"
#include "arch/timer.h"
#include "kernel/base/assert.h"
#include "mm/spmalloc.h"
#include "sched/sched.h"
#include "sched/timeout.h"
#include "tests/kernel/bench.h"

#define MS 1000000UL
#define MOMENTS 16U       /* a power of two */
#define NEAREST (50 * MS) /* after the end of the row */
#define BEGIN (1UL << 30) /* so that the moments have the same digits in each run */

struct armed {
    struct timeout timeout;
    struct armed *next;
};

static void must_not_fire(struct timeout *timeout)
{
    (void)timeout;
    BUG_ON(true);
}

/* The nearest one, which keeps the measured one from being the first; then up to a minute. */
static struct armed *arm_others(nsec_t now, unsigned count)
{
    struct armed *first = NULL;
    uint64_t random = 1;

    for (unsigned i = 0; i < count; i++) {
        struct armed *other = spmalloc(&kernel_account, sizeof(*other));
        nsec_t when = now + NEAREST;

        BUG_ON(other == NULL);
        if (i > 0) {
            random = random * 6364136223846793005UL + 1442695040888963407UL;
            when += 1 + (random >> 20) % (60000 * MS);
        }
        other->next = first;
        first = other;
        timeout_arm(&other->timeout, when, must_not_fire);
    }
    return first;
}

static void cancel_others(struct armed *first)
{
    while (first != NULL) {
        struct armed *next = first->next;

        timeout_cancel(&first->timeout);
        spmalloc_free(first);
        first = next;
    }
}

/* The same loop without the calls. */
static uint64_t empty_rounds(const nsec_t *moments)
{
    uint64_t start = bench_instructions();

    for (unsigned i = 0; i < BENCH_ROUNDS; i++) {
        __asm__ volatile("" ::"r"(moments[i % MOMENTS]) : "memory");
    }
    return bench_instructions() - start;
}

/* The moments go from after the nearest one to hours away, through all levels between. */
static void arm_cancel(const char *id, unsigned count)
{
    nsec_t moments[MOMENTS];
    struct timeout timeout;
    nsec_t now = ALIGN_UP(timer_now_ns() + 1, BEGIN);
    struct armed *others;

    BUG_ON(sched_sleep_until(now) != OK);
    others = arm_others(now, count);

    for (unsigned i = 0; i < MOMENTS; i++) {
        moments[i] = now + NEAREST + ((3 * MS) << i) / 2;
    }
    uint64_t start = bench_instructions();
    for (unsigned i = 0; i < BENCH_ROUNDS; i++) {
        timeout_arm(&timeout, moments[i % MOMENTS], must_not_fire);
        timeout_cancel(&timeout);
    }
    bench_print(id, bench_instructions() - start, empty_rounds(moments));
    cancel_others(others);
}

void bench_timeout(void)
{
    arm_cancel("timeout_arm_cancel", 10);
}

void bench_timeout_1k(void)
{
    arm_cancel("timeout_arm_cancel_1k", 1000);
}

void bench_timeout_100k(void)
{
    arm_cancel("timeout_arm_cancel_100k", 100000);
}

/* No other one is armed, so each is the first: the core looks whether its timer is to be set. */
void bench_timeout_alone(void)
{
    arm_cancel("timeout_arm_cancel_alone", 0);
}
