/* SPDX-License-Identifier: MIT */
/* Threads: creation, end, kill, sleep, yield, migration. */
#include "user/lib/test.h"

#define THREADS 8
#define KERNEL_ADDRESS ((void *)0xffffffff80200000UL)

static int return_argument(void *argument)
{
    return (int)(uintptr_t)argument;
}

static int sleep_for_ever(void *argument)
{
    (void)argument;
    for (;;) {
        thread_sleep(DEADLINE_NONE);
    }
    return 0;
}

static int spin_for_ever(void *argument)
{
    (void)argument;
    for (;;) {
        __asm__ volatile("");
    }
    return 0;
}

TEST(user_thread, join_returns_the_exit_code)
{
    struct thread threads[THREADS];

    for (uintptr_t i = 0; i < THREADS; i++) {
        ASSERT_EQUAL(thread_start(&threads[i], return_argument, (void *)(i * 30)), OK);
    }
    for (unsigned i = 0; i < THREADS; i++) {
        EXPECT_EQUAL(thread_join(&threads[i]), i * 30);
    }
}

TEST(user_thread, exit_code_keeps_eight_bits)
{
    struct thread thread;

    ASSERT_EQUAL(thread_start(&thread, return_argument, (void *)0x1234UL), OK);
    EXPECT_EQUAL(thread_join(&thread), 0x34);
}

TEST(user_thread, join_again_gives_the_same_code)
{
    struct thread thread;

    ASSERT_EQUAL(thread_start(&thread, return_argument, (void *)5UL), OK);
    EXPECT_EQUAL(handle_join(thread.handle, DEADLINE_NONE), 5);
    EXPECT_EQUAL(handle_join(thread.handle, DEADLINE_NOW), 5);
    EXPECT_EQUAL(thread_kill(thread.handle), OK);
    EXPECT_EQUAL(thread_join(&thread), 5);
    EXPECT_EQUAL(handle_join(thread.handle, DEADLINE_NOW), ERR_BAD_HANDLE);
}

static int wait_for_end(void *argument)
{
    while (!__atomic_load_n((bool *)argument, __ATOMIC_RELAXED)) {
        thread_sleep(clock_ns() + 100000);
    }
    return 0;
}

TEST(user_thread, a_priority_is_set_with_the_right_to_manage_only)
{
    static bool end;
    struct thread thread;
    handle_t weak;

    __atomic_store_n(&end, false, __ATOMIC_RELAXED);
    ASSERT_EQUAL(thread_start(&thread, wait_for_end, &end), OK);
    EXPECT_EQUAL(thread_set_priority(thread.handle, REALTIME_PRIORITIES - 1), OK);
    EXPECT_EQUAL(thread_set_priority(thread.handle, 0), OK);
    EXPECT_EQUAL(thread_set_priority(thread.handle, PRIORITY_SHARING), OK);
    EXPECT_EQUAL(thread_set_priority(thread.handle, PRIORITY_SHARING + 1), ERR_INVALID);
    EXPECT_EQUAL(thread_set_priority(thread.handle, ~0UL), ERR_INVALID);
    weak = (handle_t)handle_duplicate(thread.handle, RIGHT_WAIT, 0);
    EXPECT_EQUAL(thread_set_priority(weak, 1), ERR_NO_RIGHT);
    EXPECT_EQUAL(handle_close(weak), OK);
    __atomic_store_n(&end, true, __ATOMIC_RELAXED);
    EXPECT_EQUAL(thread_join(&thread), 0);
}

static void kill_and_join(thread_fn fn)
{
    struct thread thread;

    ASSERT_EQUAL(thread_start(&thread, fn, NULL), OK);
    thread_yield();
    EXPECT_EQUAL(handle_join(thread.handle, DEADLINE_NOW), ERR_WOULD_BLOCK);
    EXPECT_EQUAL(thread_kill(thread.handle), OK);
    EXPECT_EQUAL(thread_join(&thread), EXIT_KILLED);
}

TEST(user_thread, a_sleeping_thread_is_killed)
{
    kill_and_join(sleep_for_ever);
}

TEST(user_thread, a_running_thread_is_killed)
{
    kill_and_join(spin_for_ever);
}

TEST(user_thread, join_gives_up_at_its_deadline)
{
    struct thread thread;
    uint64_t deadline;

    ASSERT_EQUAL(thread_start(&thread, sleep_for_ever, NULL), OK);
    deadline = test_deadline_ms(5);
    EXPECT_EQUAL(handle_join(thread.handle, deadline), ERR_TIMED_OUT);
    EXPECT(clock_ns() >= deadline);
    EXPECT_EQUAL(thread_kill(thread.handle), OK);
    EXPECT_EQUAL(thread_join(&thread), EXIT_KILLED);
}

TEST(user_thread, sleep_lasts_until_its_deadline)
{
    uint64_t deadline = test_deadline_ms(5);

    EXPECT_EQUAL(thread_sleep(deadline), OK);
    EXPECT(clock_ns() >= deadline);
    EXPECT_EQUAL(thread_sleep(1), OK);
    EXPECT_EQUAL(thread_sleep(DEADLINE_NOW), OK);
}

TEST(user_thread, waiting_for_oneself_is_refused)
{
    EXPECT_EQUAL(handle_join(program_own_domain(), DEADLINE_NONE), ERR_DEADLOCK);
}

TEST(user_thread, clock_never_goes_back)
{
    uint64_t before = clock_ns();

    for (int i = 0; i < 1000; i++) {
        uint64_t now = clock_ns();

        ASSERT(now >= before);
        before = now;
    }
}

static uint32_t counter;

static int count(void *argument)
{
    for (int i = 0; i < 1000; i++) {
        __atomic_fetch_add(&counter, 1, __ATOMIC_RELAXED);
        if (i % 10 == 0) {
            thread_yield();
        }
    }
    (void)argument;
    return 0;
}

TEST(user_thread, yielding_threads_all_get_on)
{
    struct thread threads[THREADS];

    counter = 0;
    for (unsigned i = 0; i < THREADS; i++) {
        ASSERT_EQUAL(thread_start(&threads[i], count, NULL), OK);
    }
    for (unsigned i = 0; i < THREADS; i++) {
        EXPECT_EQUAL(thread_join(&threads[i]), 0);
    }
    EXPECT_EQUAL(counter, THREADS * 1000);
}

TEST(user_thread, spinning_threads_are_preempted)
{
    struct thread spinner;

    ASSERT_EQUAL(thread_migrate(0), OK);
    ASSERT_EQUAL(thread_start(&spinner, spin_for_ever, NULL), OK);
    EXPECT_EQUAL(thread_sleep(test_deadline_ms(5)), OK);
    EXPECT_EQUAL(thread_kill(spinner.handle), OK);
    EXPECT_EQUAL(thread_join(&spinner), EXIT_KILLED);
}

TEST(user_thread, migration_moves_the_caller)
{
    uint64_t cores = 0;

    while (thread_migrate(cores) == OK) {
        EXPECT_EQUAL(thread_core(), cores);
        cores++;
    }
    EXPECT(cores >= 1 && cores <= MAX_CORES);
    EXPECT_EQUAL(thread_migrate(cores), ERR_INVALID);
    EXPECT_EQUAL(thread_migrate(~0UL), ERR_INVALID);
    for (uint64_t i = 0; i < 200; i++) {
        ASSERT_EQUAL(thread_migrate(i % cores), OK);
        ASSERT_EQUAL(thread_core(), i % cores);
    }
}

TEST(user_thread, bad_starts_are_refused)
{
    static char stack[256] __attribute__((aligned(16)));
    const void *entry = (const void *)(uintptr_t)return_argument;

    EXPECT_EQUAL(thread_create(KERNEL_ADDRESS, stack + 256, 0, stack), ERR_INVALID);
    EXPECT_EQUAL(thread_create(entry, KERNEL_ADDRESS, 0, stack), ERR_INVALID);
    EXPECT_EQUAL(thread_create(entry, stack + 8, 0, stack), ERR_INVALID);
}
