/* SPDX-License-Identifier: MIT */
/*
 * Tests that end in each possible way on purpose; only a pattern that begins with "selftest" runs
 * them, in a machine of their own.
 */
#include "arch/irq.h"
#include "ipc/notification.h"
#include "ipc/port_event.h"
#include "kernel/abi/syscall.h"
#include "kernel/base/assert.h"
#include "kernel/base/print.h"
#include "kernel/core/panic.h"
#include "mm/nexus.h"
#include "mm/spmalloc.h"
#include "sched/sched.h"
#include "tests/kernel/crew.h"
#include "tests/kernel/ports.h"

TEST(selftest, pass)
{
    EXPECT_TRUE(true);
}

TEST(selftest, fail)
{
    EXPECT_EQ(1 + 1, 3);
}

TEST(selftest, leak)
{
    EXPECT_TRUE(spmalloc(&kernel_account, 64) != NULL);
}

TEST(selftest, panic)
{
    BUG_ON(timer_now_ns() > 0);
}

static void store_to_nowhere(void)
{
    uintptr_t nowhere = 8;

    __asm__("" : "+r"(nowhere));
    *(volatile uint64_t *)nowhere = 1;
}

TEST(selftest, fault)
{
    store_to_nowhere();
}

/* In place of what tells the thread in a report: the report itself goes wrong. */
static void fault_in_report(void (*emit)(const char *text, ...) PRINTF_LIKE(1, 2))
{
    (void)emit;
    store_to_nowhere();
}

static void assert_in_report(void (*emit)(const char *text, ...) PRINTF_LIKE(1, 2))
{
    (void)emit;
    BUG_ON(timer_now_ns() > 0);
}

TEST(selftest, fault_in_panic)
{
    panic_describe_thread = fault_in_report;
    BUG_ON(timer_now_ns() > 0);
}

TEST(selftest, panic_in_panic)
{
    panic_describe_thread = assert_in_report;
    BUG_ON(timer_now_ns() > 0);
}

/* The address is in no bank, so its page has no record. */
TEST(selftest, foreign)
{
    nexus_free_page(0x1000);
}

/* The bound keeps the compiler from refusing what is meant. */
static uint64_t overflow(uint64_t depth)
{
    volatile uint64_t here[64];

    here[depth % 64] = depth;
    return depth == UINT64_MAX ? 0 : overflow(depth + 1) + here[depth % 64];
}

TEST(selftest, overflow)
{
    EXPECT_EQ(overflow(1), 0);
}

TEST(selftest, lockup)
{
    irq_disable();
    for (;;) {
        arch_relax();
    }
}

TEST(selftest, sleep)
{
    (void)sched_sleep_until(timer_now_ns() + 1000000000000UL);
}

#define WAITERS 3U

static struct port *waits_port;

static void wait_in_line(void *argument)
{
    uint64_t word = (uint64_t)argument;

    (void)ports_call(waits_port, 1, &word, DEADLINE_NONE);
}

/* Runs in the test's own call, so the three that call next wait for it, one after the other. */
static void sleep_before_a_line(struct request *request)
{
    (void)request;
    for (unsigned i = 1; i <= WAITERS; i++) {
        (void)crew_start(crew_core(i), wait_in_line, (void *)(uintptr_t)i);
        while (port_queued(waits_port) < i) {
            sched_yield();
        }
    }
    print("# the line is long\n");
    (void)sched_sleep_until(timer_now_ns() + 1000000000000UL);
}

/* For the debugger's `baton port` and `baton waits`. */
TEST(selftest, waits)
{
    uint64_t word = 0;

    waits_port = ports_make_service(sleep_before_a_line, NULL);
    (void)ports_call(waits_port, 1, &word, DEADLINE_NONE);
}

static struct notification *waits_notification;

static void wait_for_signals(void *argument)
{
    uint64_t bits;

    BUG_ON(notification_wait(waits_notification, (uint64_t)argument, DEADLINE_NONE, &bits) == OK);
}

/* For `baton notifications`: two threads wait for other bits than what is signalled, and a mailbox is bound. */
TEST(selftest, notifications)
{
    struct port *mailbox = ports_make_mailbox();

    BUG_ON(notification_create(&kernel_domain, &waits_notification) != OK);
    BUG_ON(port_bind(mailbox, waits_notification, 0x40, PORT_EVENT_MESSAGE) != OK);
    notification_signal(waits_notification, 0x800);
    for (unsigned i = 1; i <= 2; i++) {
        struct thread *thread = crew_start(crew_core(i), wait_for_signals, (void *)(0x1000UL * i));

        while (thread->state != THREAD_BLOCKED) {
            sched_yield();
        }
    }
    print("# two wait for signals\n");
    (void)sched_sleep_until(timer_now_ns() + 1000000000000UL);
}

static void sleep_in_a_slot(struct request *request)
{
    (void)request;
    (void)sched_sleep_until(timer_now_ns() + 1000000000000UL);
}

/* The same for a concurrent service: two are inside, one waits. */
TEST(selftest, slots)
{
    waits_port = ports_make_concurrent(sleep_in_a_slot, NULL, 2);
    for (unsigned i = 1; i <= 3; i++) {
        (void)crew_start(crew_core(i), wait_in_line, (void *)(uintptr_t)i);
        while (word_runs(waits_port->word) + port_queued(waits_port) < i) {
            sched_yield();
        }
    }
    print("# the slots are taken\n");
    (void)sched_sleep_until(timer_now_ns() + 1000000000000UL);
}
