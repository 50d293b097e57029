/* SPDX-License-Identifier: MIT */
/* Interrupts of a device as signals: the alarm of the clock of QEMU's virt machine (goldfish RTC). */
#include "ipc/interrupt.h"

#include "arch/platform.h"
#include "kernel/abi/limits.h"
#include "kernel/abi/syscall.h"
#include "sched/domain.h"
#include "tests/kernel/crew.h"
#include "tests/kernel/suite.h"

#define RTC_BASE 0x101000UL
#define RTC_LINE 11U
#define RTC_BYTES 0x24U

enum rtc_register {
    RTC_ALARM_LOW = 0x08, /* a write arms it: a time that has passed fires at once */
    RTC_ALARM_HIGH = 0x0c,
    RTC_ENABLED = 0x10,
    RTC_CLEAR_ALARM = 0x14,
    RTC_CLEAR_INTERRUPT = 0x1c,
};

static volatile uint8_t *rtc;

/* Before the first test: the mapping stays, and may take a page of tables. */
void interrupt_test_map(void)
{
    rtc = arch_map_device(RTC_BASE, RTC_BYTES);
}

static void rtc_write(enum rtc_register at, uint32_t value)
{
    *(volatile uint32_t *)(volatile void *)(rtc + at) = value;
}

/* The line goes up, and stays so until rtc_quiet. */
static void rtc_fire(void)
{
    rtc_write(RTC_ENABLED, 1);
    rtc_write(RTC_ALARM_HIGH, 0);
    rtc_write(RTC_ALARM_LOW, 1);
}

static void rtc_quiet(void)
{
    rtc_write(RTC_CLEAR_INTERRUPT, 1);
}

static struct notification *make(void)
{
    struct notification *notification = NULL;

    EXPECT_OK(notification_create(&kernel_domain, &notification));
    return notification;
}

static uint64_t poll(struct notification *notification)
{
    uint64_t bits = 0;

    return notification_wait(notification, ~0UL, DEADLINE_NOW, &bits) == OK ? bits : 0;
}

TEST(interrupt, a_line_signals_once_and_is_masked_until_it_is_acknowledged)
{
    struct notification *notification = make();
    uint64_t bits = 0;

    ASSERT_OK(interrupt_bind(RTC_LINE, notification, 4));
    EXPECT_EQ(poll(notification), 0);
    rtc_fire();
    EXPECT_OK(notification_wait(notification, ~0UL, DEADLINE_NONE, &bits));
    EXPECT_EQ(bits, 4);
    EXPECT_TRUE(interrupt_is_masked(RTC_LINE));
    rtc_quiet();
    rtc_fire();
    EXPECT_EQ(poll(notification), 0); /* although the line is up again */
    EXPECT_OK(interrupt_acknowledge(RTC_LINE, notification));
    EXPECT_OK(notification_wait(notification, ~0UL, DEADLINE_NONE, &bits));
    EXPECT_EQ(bits, 4);
    rtc_quiet();
    EXPECT_OK(interrupt_acknowledge(RTC_LINE, notification));
    EXPECT_FALSE(interrupt_is_masked(RTC_LINE));
    EXPECT_EQ(poll(notification), 0);
    EXPECT_OK(interrupt_bind(RTC_LINE, NULL, 0));
    rtc_fire();
    EXPECT_EQ(poll(notification), 0);
    rtc_quiet();
    object_release(&notification->object);
}

static void serve_alarms(void *argument)
{
    struct notification *notification = argument;
    uint64_t bits;

    for (unsigned i = 0; i < 50; i++) {
        EXPECT_OK(notification_wait(notification, 1, DEADLINE_NONE, &bits));
        rtc_quiet();
        EXPECT_OK(interrupt_acknowledge(RTC_LINE, notification));
        notification_signal(notification, 2);
    }
}

TEST(interrupt, a_driver_on_another_core_sees_each_one)
{
    struct notification *notification = make();
    uint64_t bits;

    ASSERT_OK(interrupt_bind(RTC_LINE, notification, 1));
    struct thread *thread = crew_start(crew_core(1), serve_alarms, notification);
    for (unsigned i = 0; i < 50; i++) {
        rtc_fire();
        EXPECT_OK(notification_wait(notification, 2, DEADLINE_NONE, &bits));
    }
    crew_join(thread);
    EXPECT_OK(interrupt_bind(RTC_LINE, NULL, 0));
    object_release(&notification->object);
}

TEST(interrupt, what_cannot_be_bound_or_acknowledged_is_refused)
{
    struct notification *one = make();
    struct notification *two = make();

    EXPECT_EQ(interrupt_bind(0, one, 1), ERR_INVALID);
    EXPECT_EQ(interrupt_bind(platform.plic.sources + 1, one, 1), ERR_INVALID);
    EXPECT_EQ(interrupt_bind(~0UL, one, 1), ERR_INVALID);
    EXPECT_EQ(interrupt_bind(RTC_LINE, one, 0), ERR_INVALID);
    EXPECT_EQ(interrupt_bind(platform.uart.irq, one, 1), ERR_EXISTS);
    EXPECT_EQ(interrupt_acknowledge(RTC_LINE, one), ERR_NOT_FOUND);
    EXPECT_EQ(interrupt_acknowledge(0, one), ERR_INVALID);
    EXPECT_OK(interrupt_bind(RTC_LINE, one, 1));
    EXPECT_EQ(interrupt_bind(RTC_LINE, two, 1), ERR_EXISTS);
    EXPECT_EQ(interrupt_acknowledge(RTC_LINE, two), ERR_NOT_FOUND);
    notification_close(one, ERR_STALE);
    EXPECT_OK(interrupt_bind(RTC_LINE, two, 1)); /* nobody can get the other one's signals */
    EXPECT_OK(interrupt_bind(RTC_LINE, NULL, 0));
    EXPECT_OK(interrupt_bind(RTC_LINE, NULL, 0));
    object_release(&one->object);
    object_release(&two->object);
}
