/* SPDX-License-Identifier: MIT */
/* Notifications between threads: signal, poll, wait, close, rights. */
#include "user/lib/test.h"

#define ROUNDS 20000

static handle_t make(void)
{
    int64_t notification = notification_create();

    EXPECT(notification > 0);
    return (handle_t)notification;
}

TEST(user_notification, a_wait_takes_what_is_set_of_its_mask)
{
    handle_t notification = make();
    uint64_t bits = 0;

    EXPECT_EQUAL(notification_poll(notification, 0), 0);
    EXPECT_EQUAL(notification_signal(notification, 6), OK);
    EXPECT_EQUAL(notification_signal(notification, 1UL << 63), OK);
    EXPECT_EQUAL(notification_wait(notification, 3, DEADLINE_NONE, &bits), OK);
    EXPECT_EQUAL(bits, 2);
    EXPECT_EQUAL(notification_poll(notification, 3), 0);
    EXPECT_EQUAL(notification_poll(notification, 0), 1UL << 63 | 4);
    EXPECT_EQUAL(notification_close(notification), OK);
}

TEST(user_notification, nothing_set_would_block_or_times_out)
{
    handle_t notification = make();
    uint64_t deadline = test_deadline_ms(5);
    uint64_t bits = 77;

    EXPECT_EQUAL(notification_signal(notification, 2), OK);
    EXPECT_EQUAL(notification_wait(notification, 1, DEADLINE_NOW, &bits), ERR_WOULD_BLOCK);
    EXPECT_EQUAL(notification_wait(notification, 1, deadline, &bits), ERR_TIMED_OUT);
    EXPECT(clock_ns() >= deadline);
    EXPECT_EQUAL(bits, 77);
    EXPECT_EQUAL(notification_poll(notification, 0), 2);
    EXPECT_EQUAL(notification_close(notification), OK);
}

TEST(user_notification, each_call_needs_its_right_and_a_notification)
{
    handle_t notification = make();
    handle_t send = (handle_t)handle_duplicate(notification, RIGHT_SEND, 0);
    handle_t receive = (handle_t)handle_duplicate(notification, RIGHT_RECEIVE, 0);
    handle_t port = (handle_t)port_create(PORT_MAILBOX, NULL, NULL, NULL, 0);
    struct message message = {.tag = 0};
    uint64_t bits = 77;

    EXPECT_EQUAL(notification_signal(receive, 1), ERR_NO_RIGHT);
    EXPECT_EQUAL(notification_wait(send, 1, DEADLINE_NOW, &bits), ERR_NO_RIGHT);
    EXPECT_EQUAL(notification_close(send), ERR_NO_RIGHT);
    EXPECT_EQUAL(notification_close(receive), ERR_NO_RIGHT);
    EXPECT_EQUAL(notification_signal(port, 1), ERR_WRONG_TYPE);
    EXPECT_EQUAL(notification_wait(port, 1, DEADLINE_NOW, &bits), ERR_WRONG_TYPE);
    EXPECT_EQUAL(notification_signal(HANDLE_NONE, 1), ERR_BAD_HANDLE);
    EXPECT_EQUAL(notification_wait(HANDLE_NONE, 1, DEADLINE_NOW, &bits), ERR_BAD_HANDLE);
    EXPECT_EQUAL(port_call(notification, &message), ERR_WRONG_TYPE);
    EXPECT_EQUAL(port_send(notification, &message), ERR_WRONG_TYPE);
    EXPECT_EQUAL(handle_join(notification, DEADLINE_NOW), ERR_WRONG_TYPE);
    EXPECT_EQUAL(bits, 77);
    EXPECT_EQUAL(handle_duplicate(notification, RIGHT_CALL, 0), ERR_NO_RIGHT);
    EXPECT_EQUAL(notification_signal(send, 4), OK);
    EXPECT_EQUAL(notification_wait(receive, 0, DEADLINE_NOW, &bits), OK);
    EXPECT_EQUAL(bits, 4);
    EXPECT_EQUAL(notification_close(notification), OK);
    EXPECT_EQUAL(notification_signal(send, 1), ERR_STALE);
    EXPECT_EQUAL(notification_wait(receive, 0, DEADLINE_NONE, &bits), ERR_STALE);
    EXPECT_EQUAL(handle_close(send), OK);
    EXPECT_EQUAL(handle_close(receive), OK);
    EXPECT_EQUAL(port_close(port), OK);
}

/* Returns the negated status of a wait that waits for ever. */
static int wait_one(void *argument)
{
    uint64_t bits;

    return (int)-notification_wait((handle_t)(uintptr_t)argument, 1, DEADLINE_NONE, &bits);
}

TEST(user_notification, close_wakes_every_waiter_with_stale)
{
    struct thread threads[3];
    handle_t notification = make();
    handle_t other = (handle_t)handle_duplicate(notification, RIGHT_RECEIVE, 0);

    for (unsigned i = 0; i < 3; i++) {
        ASSERT_EQUAL(thread_start(&threads[i], wait_one, (void *)other), OK);
    }
    for (int i = 0; i < 20; i++) {
        thread_yield();
    }
    EXPECT_EQUAL(notification_close(notification), OK);
    for (unsigned i = 0; i < 3; i++) {
        EXPECT_EQUAL(thread_join(&threads[i]), -ERR_STALE);
    }
    EXPECT_EQUAL(handle_close(other), OK);
}

TEST(user_notification, a_killed_waiter_leaves_the_signals_to_others)
{
    struct thread thread;
    handle_t notification = make();

    ASSERT_EQUAL(thread_start(&thread, wait_one, (void *)notification), OK);
    for (int i = 0; i < 20; i++) {
        thread_yield();
    }
    EXPECT_EQUAL(thread_kill(thread.handle), OK);
    EXPECT_EQUAL(thread_join(&thread), EXIT_KILLED);
    EXPECT_EQUAL(notification_signal(notification, 1), OK);
    EXPECT_EQUAL(notification_poll(notification, 0), 1);
    EXPECT_EQUAL(notification_close(notification), OK);
}

struct pair {
    handle_t ping;
    handle_t pong;
    uint64_t number; /* written by who has the turn */
    uint64_t core;
};

/* Each turn's number comes with the signal. */
static int answer(void *argument)
{
    struct pair *pair = argument;
    int wrong = 0;

    thread_migrate(pair->core);
    for (uint64_t i = 0; i < ROUNDS; i++) {
        uint64_t bits = 0;

        wrong += notification_wait(pair->ping, 1, DEADLINE_NONE, &bits) != OK || bits != 1;
        wrong += pair->number != 2 * i;
        pair->number = 2 * i + 1;
        wrong += notification_signal(pair->pong, 2) != OK;
    }
    return wrong != 0;
}

static void play(uint64_t core)
{
    struct pair pair = {.ping = make(), .pong = make(), .core = core};
    struct thread thread;

    thread_migrate(0);
    ASSERT_EQUAL(thread_start(&thread, answer, &pair), OK);
    for (uint64_t i = 0; i < ROUNDS; i++) {
        uint64_t bits = 0;

        pair.number = 2 * i;
        ASSERT_EQUAL(notification_signal(pair.ping, 1), OK);
        ASSERT_EQUAL(notification_wait(pair.pong, 0, DEADLINE_NONE, &bits), OK);
        EXPECT_EQUAL(bits, 2);
        EXPECT_EQUAL(pair.number, 2 * i + 1);
    }
    EXPECT_EQUAL(thread_join(&thread), 0);
    EXPECT_EQUAL(notification_poll(pair.ping, 0), 0);
    EXPECT_EQUAL(notification_poll(pair.pong, 0), 0);
    EXPECT_EQUAL(notification_close(pair.ping), OK);
    EXPECT_EQUAL(notification_close(pair.pong), OK);
}

TEST(user_notification, two_threads_of_one_core_signal_each_other)
{
    play(0);
}

TEST(user_notification, two_threads_of_two_cores_signal_each_other)
{
    play(1);
}

TEST(user_notification, a_wait_gives_back_no_register_of_the_kernel)
{
    handle_t notification = make();
    uint64_t deadline = test_deadline_ms(1);
    register uint64_t a0 __asm__("a0") = notification;
    register uint64_t a1 __asm__("a1") = 0;
    register uint64_t a2 __asm__("a2") = deadline;
    register uint64_t a7 __asm__("a7") = SYS_WAIT;
    uint64_t rest;

    __asm__ volatile("ecall\n\t"
                     "or %4, a2, a3\n\tor %4, %4, a4\n\tor %4, %4, a5\n\tor %4, %4, a6\n\t"
                     "or %4, %4, a7\n\tor %4, %4, t0\n\tor %4, %4, t1\n\tor %4, %4, t2\n\t"
                     "or %4, %4, t3\n\tor %4, %4, t4\n\tor %4, %4, t5\n\tor %4, %4, t6"
                     : "+r"(a0), "+r"(a1), "+r"(a2), "+r"(a7), "=&r"(rest)
                     :
                     : "t0", "t1", "t2", "t3", "t4", "t5", "t6", "a3", "a4", "a5", "a6", "memory");
    const uint64_t got[] = {a0, a1, rest};

    EXPECT_EQUAL(got[0], ERR_TIMED_OUT);
    EXPECT_EQUAL(got[1], 0);
    EXPECT_EQUAL(got[2], 0);
    EXPECT_EQUAL(notification_close(notification), OK);
}

/* Only init is given all device memory; interrupt_test.c in the kernel has the rest. */
TEST(user_notification, binding_an_interrupt_needs_all_device_memory)
{
    handle_t notification = make();
    handle_t memory = (handle_t)memory_create(PAGE_BYTES, MEMORY_ANONYMOUS);

    EXPECT_EQUAL(program_device_memory(), HANDLE_NONE);
    EXPECT_EQUAL(interrupt_bind(11, notification, 1, HANDLE_NONE), ERR_BAD_HANDLE);
    EXPECT_EQUAL(interrupt_bind(11, notification, 1, notification), ERR_WRONG_TYPE);
    EXPECT_EQUAL(interrupt_bind(11, notification, 1, memory), ERR_DENIED);
    EXPECT_EQUAL(interrupt_bind(11, HANDLE_NONE, 0, memory), ERR_DENIED);
    EXPECT_EQUAL(interrupt_acknowledge(11, notification), ERR_NOT_FOUND);
    EXPECT_EQUAL(interrupt_acknowledge(0, notification), ERR_INVALID);
    EXPECT_EQUAL(interrupt_acknowledge(~0UL, notification), ERR_INVALID);
    EXPECT_EQUAL(interrupt_acknowledge(11, memory), ERR_WRONG_TYPE);
    EXPECT_EQUAL(notification_close(notification), OK);
    EXPECT_EQUAL(handle_close(memory), OK);
}
