/* SPDX-License-Identifier: MIT */
/* Floating-point registers belong to the thread, and inside a call to the service's run. */
#include "user/lib/fpu_probe.h"
#include "user/lib/test.h"
#include "user/programs/call-peer/protocol.h"

#define THREADS 3
#define ROUNDS 50
#define CALLS 500
#define PEER_NAME "test-fpu.peer"

static handle_t peer;

static void do_spin(void *argument)
{
    uint64_t end = clock_ns() + 1000000;

    (void)argument;
    while (clock_ns() < end) {
        __asm__ volatile("");
    }
}

/* Uses a time slice without entering the kernel, so that only preemption can switch. */
static void do_spin_in_user(void *argument)
{
    (void)argument;
    for (int i = 0; i < 200000; i++) {
        __asm__ volatile("");
    }
}

static void do_yield(void *argument)
{
    (void)argument;
    thread_yield();
}

static void do_sleep(void *argument)
{
    (void)argument;
    thread_sleep(clock_ns() + 100000);
}

static void do_migrate(void *argument)
{
    uint64_t *core = argument;

    if (thread_migrate(++*core) != OK) {
        *core = 0;
        thread_migrate(0);
    }
}

static void do_call(void *argument)
{
    struct message *message = argument;

    message->tag = MESSAGE_TAG(PEER_FPU, 0);
    port_call(peer, message);
}

struct work {
    uint64_t seed;
    uint64_t core; /* where to begin, or all ones for anywhere */
    void (*between)(void *argument);
};

static int hold_registers(void *argument)
{
    const struct work *work = argument;
    uint64_t core = 0;
    uint64_t wrong = 0;

    if (work->core != ~0UL) {
        thread_migrate(work->core);
    }
    for (int i = 0; i < ROUNDS; i++) {
        wrong += fpu_probe_hold(work->seed, work->between, &core);
    }
    return wrong > 255 ? 255 : (int)wrong;
}

static void hold_in_threads(uint64_t core, void (*between)(void *argument))
{
    struct thread threads[THREADS];
    struct work work[THREADS];

    for (unsigned i = 0; i < THREADS; i++) {
        work[i] = (struct work){.seed = (i + 1UL) << 32, .core = core, .between = between};
        ASSERT_EQUAL(thread_start(&threads[i], hold_registers, &work[i]), OK);
    }
    for (unsigned i = 0; i < THREADS; i++) {
        EXPECT_EQUAL(thread_join(&threads[i]), 0);
    }
}

TEST(user_fpu, registers_survive_system_calls)
{
    uint64_t core = 0;

    EXPECT_EQUAL(fpu_probe_hold(1, do_spin, NULL), 0);
    EXPECT_EQUAL(fpu_probe_hold(2, do_sleep, NULL), 0);
    EXPECT_EQUAL(fpu_probe_hold(3, do_migrate, &core), 0);
}

TEST(user_fpu, registers_survive_preemption)
{
    hold_in_threads(0, do_spin_in_user);
}

TEST(user_fpu, registers_survive_yield)
{
    hold_in_threads(0, do_yield);
}

TEST(user_fpu, registers_survive_sleep)
{
    hold_in_threads(~0UL, do_sleep);
}

TEST(user_fpu, registers_survive_migration)
{
    hold_in_threads(~0UL, do_migrate);
}

static int or_all(void *argument)
{
    uint64_t *bits = argument;

    *bits = fpu_probe_or_all();
    return 0;
}

static void start_and_join(void *argument)
{
    struct thread thread;

    ASSERT_EQUAL(thread_start(&thread, or_all, argument), OK);
    EXPECT_EQUAL(thread_join(&thread), 0);
}

TEST(user_fpu, a_new_thread_has_zero_registers)
{
    uint64_t bits = 1;

    EXPECT_EQUAL(fpu_probe_hold(0x4000000000000000UL, start_and_join, &bits), 0);
    EXPECT_EQUAL(bits, 0);
}

/* The server of the other domain scribbles all registers each time. */
TEST(user_fpu, calls_keep_the_callers_registers_and_hide_them)
{
    static const char *const argv[] = {"call-peer", PEER_NAME};
    struct program program;
    struct message message = {.tag = 0};

    ASSERT_EQUAL(test_peer(PEER_NAME, 2, argv, &program, &peer), OK);
    for (uint64_t i = 0; i < CALLS; i++) {
        ASSERT_EQUAL(fpu_probe_hold(i << 20 | 1, do_call, &message), 0);
        ASSERT_EQUAL(message_status(&message), OK);
        ASSERT_EQUAL(message.word[0], 0);
    }
    hold_in_threads(0, do_yield);
    EXPECT_EQUAL(program_kill(program.id), OK);
    EXPECT_EQUAL(program_wait(&program), EXIT_KILLED);
    handle_close(peer);
}

static void local_service(void *context, uint64_t badge, struct message *message)
{
    uint64_t bits = fpu_probe_or_all();

    (void)context;
    (void)badge;
    fpu_probe_scribble();
    thread_yield();
    message->word[0] = bits;
    service_reply(message, OK, 1);
}

TEST(user_fpu, calls_within_a_domain_keep_and_hide_them_too)
{
    struct message message = {.tag = 0};

    ASSERT_EQUAL(service_create(local_service, NULL, &peer), OK);
    for (uint64_t i = 0; i < CALLS; i++) {
        ASSERT_EQUAL(fpu_probe_hold(i << 20 | 1, do_call, &message), 0);
        ASSERT_EQUAL(message_status(&message), OK);
        ASSERT_EQUAL(message.word[0], 0);
    }
    EXPECT_EQUAL(port_close(peer), OK);
}

/* After a call the caller's own first use of a clean unit must not show the service's values. */
TEST(user_fpu, arithmetic_goes_on_across_calls)
{
    struct message message = {.tag = 0};
    volatile double sum = 0;

    ASSERT_EQUAL(service_create(local_service, NULL, &peer), OK);
    for (int i = 1; i <= 100; i++) {
        sum += 1.0 / i;
        message.tag = 0;
        ASSERT_EQUAL(port_request(peer, &message), OK);
    }
    EXPECT(sum > 5.1873775 && sum < 5.1873776);
    EXPECT_EQUAL(port_close(peer), OK);
}
