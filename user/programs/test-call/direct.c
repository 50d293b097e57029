/* SPDX-License-Identifier: MIT */
/* The direct switch: a call goes to its service and back past everybody who is ready. */
#include "services/echo/protocol.h"
#include "services/monitor/protocol.h"
#include "user/lib/system.h"
#include "user/programs/test-call/peer.h"

#define CALLS 20U
/* The end of a time slice may fall into the calls; hardly into so many rows of them. */
#define ATTEMPTS 200U
#define PEER "test-call.direct"
#define HOUR_NS 3600000000000UL

static uint64_t turns; /* atomic: times the third thread ran */
static uint32_t stop;  /* atomic */

/* Relaxed, here and below: one core, and only signs. */
static int be_ready(void *argument)
{
    EXPECT_EQUAL(thread_migrate((uint64_t)(uintptr_t)argument), OK);
    while (__atomic_load_n(&stop, __ATOMIC_RELAXED) == 0) {
        __atomic_add_fetch(&turns, 1, __ATOMIC_RELAXED);
        thread_yield();
    }
    return 0;
}

static uint64_t queue_operations(uint64_t core)
{
    struct monitor_core row = {0};

    EXPECT_EQUAL(monitor_read(MONITOR_CORE, core, &row, sizeof(row)), OK);
    return row.queue_operations;
}

static void calls(handle_t port, uint64_t deadline)
{
    for (unsigned i = 0; i < CALLS; i++) {
        struct message message = {.tag = MESSAGE_TAG(ECHO_WORDS, 1), .word = {i}};

        ASSERT_EQUAL(port_call_until(port, &message, deadline), OK);
        EXPECT_EQUAL(message.word[0], i);
    }
}

/* Beside a thread that is ready on this core all the time. The calls of the monitor are counted, too. */
static void expect_direct(handle_t port, uint64_t deadline)
{
    uint64_t core = (uint64_t)thread_core();
    uint64_t least_operations = UINT64_MAX;
    uint64_t least_turns = UINT64_MAX;

    for (unsigned i = 0; (least_operations != 0 || least_turns != 0) && i < ATTEMPTS; i++) {
        thread_yield(); /* a fresh slice */
        uint64_t turns_before = __atomic_load_n(&turns, __ATOMIC_RELAXED);
        uint64_t before = queue_operations(core);

        calls(port, deadline);
        uint64_t operations = queue_operations(core) - before;
        uint64_t ran = __atomic_load_n(&turns, __ATOMIC_RELAXED) - turns_before;

        least_operations = operations < least_operations ? operations : least_operations;
        least_turns = ran < least_turns ? ran : least_turns;
    }
    EXPECT_EQUAL(least_operations, 0);
    EXPECT_EQUAL(least_turns, 0);
}

/* Any deadline but none makes the call take the way through C. */
static void fast_path_and_c_path(handle_t port)
{
    struct thread third;
    uint64_t core = (uint64_t)thread_core();

    EXPECT_EQUAL(thread_migrate(core), OK); /* nobody moves it now */
    __atomic_store_n(&stop, 0, __ATOMIC_RELAXED);
    __atomic_store_n(&turns, 0, __ATOMIC_RELAXED);
    ASSERT_EQUAL(thread_start(&third, be_ready, (void *)(uintptr_t)core), OK);
    while (__atomic_load_n(&turns, __ATOMIC_RELAXED) < 2) {
        thread_yield();
    }
    expect_direct(port, DEADLINE_NONE);
    expect_direct(port, clock_ns() + HOUR_NS);
    __atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
    EXPECT_EQUAL(thread_join(&third), 0);
}

TEST(user_call, a_call_to_another_program_touches_no_run_queue_and_passes_who_is_ready)
{
    struct peer peer;

    ASSERT_EQUAL(peer_start(&peer, PEER, NULL), OK);
    fast_path_and_c_path(peer.port);
    peer_stop(&peer);
}

TEST(user_call, a_call_to_the_kernel_touches_no_run_queue_and_passes_who_is_ready)
{
    handle_t port = HANDLE_NONE;

    ASSERT_EQUAL(lookup_find("echo", &port), OK);
    fast_path_and_c_path(port);
    EXPECT_EQUAL(handle_close(port), OK);
}
