/* SPDX-License-Identifier: MIT */
/* What callers and services see of one another's registers. */
#include <stddef.h>
#include <stdio.h>

#include "user/lib/stack_priv.h"
#include "user/programs/test-call/peer.h"
#include "user/programs/test-call/probe.h"

_Static_assert(SYS_CALL == 0 && SYS_RETURN == 1, "probe.S");

#define SP 2
#define TP 4
#define A0 10
#define A6 16
#define A7 17
#define T0 5
#define T1 6
#define T2 7
#define T4 29
#define T6 31
#define SSTATUS_FS_BITS 0x6000
#define PROBE_CALL_BYTES 512 /* at most */
#define RUNS 20

static uint64_t at_entry[PROBE_REGISTERS];
static uint64_t after[PROBE_REGISTERS];

/* A service made by hand around the assembly entry. */
static status_t probe_create(struct stack *stack, handle_t *port)
{
    status_t status = stack_alloc(stack);

    *port = HANDLE_NONE;
    if (status == OK) {
        int64_t handle = port_create(PORT_EXCLUSIVE, (const void *)(uintptr_t)probe_service,
                                     stack->top, stack->tp, (uintptr_t)at_entry);

        *port = (handle_t)handle;
        status = handle < 0 ? handle : OK;
    }
    return status;
}

/* What the call path may leave in a temporary besides 0: what its reader knows, and constants. */
static bool is_known(const uint64_t *registers, unsigned i)
{
    uint64_t value = registers[i];

    if (registers == at_entry) {
        return (i == T1 && value == (uintptr_t)probe_service) || (i == T6 && value <= 3 * RUNS);
    }
    return (i == T2 && value == SSTATUS_FS_BITS) || (i == A7 && value == SYS_RETURN) ||
           ((i == T0 || i == T4) && value - (uintptr_t)probe_call < PROBE_CALL_BYTES) ||
           (i == T4 && value == 1);
}

/* Every register outside first..last, sp and tp has to be zero or known, or, in the caller, its own. */
static void expect_clean(const uint64_t *registers, unsigned first, unsigned last)
{
    for (unsigned i = 1; i < PROBE_REGISTERS; i++) {
        bool own = (registers == after && registers[i] == PROBE_CALLER_PATTERN + i) ||
                   is_known(registers, i);

        if (i != SP && i != TP && (i < first || i > last) && registers[i] != 0 && !own) {
            printf("# x%u is %#lx\n", i, (unsigned long)registers[i]);
            EXPECT(own);
        }
    }
}

TEST(user_call, each_run_of_a_service_starts_clean)
{
    struct stack stack;
    handle_t port;
    struct message message = {.tag = MESSAGE_TAG(9, 4), .word = {1, 2, 3, 4}};

    ASSERT_EQUAL(probe_create(&stack, &port), OK);
    for (int run = 0; run < RUNS; run++) {
        probe_call(port, &message, after);
        EXPECT_EQUAL(after[A0], OK);
        expect_clean(at_entry, A0, A6);
        EXPECT_EQUAL(at_entry[SP], (uintptr_t)stack.top);
        EXPECT_EQUAL(at_entry[TP], (uintptr_t)stack.tp);
        EXPECT_EQUAL(at_entry[A0], 0);
        EXPECT_EQUAL(at_entry[A0 + 1], message.tag);
        for (unsigned i = 0; i < MESSAGE_REGISTER_WORDS; i++) {
            EXPECT_EQUAL(at_entry[A0 + 2 + i], message.word[i]);
        }
        EXPECT_EQUAL(at_entry[A6], (uintptr_t)at_entry);
    }
    EXPECT_EQUAL(port_close(port), OK);
    stack_free(stack.slot);
}

TEST(user_call, callers_see_nothing_of_the_services_registers)
{
    struct stack stack;
    handle_t port;
    struct message message = {.tag = MESSAGE_TAG(9, 4), .word = {5, 6, 7, 8}};

    ASSERT_EQUAL(probe_create(&stack, &port), OK);
    probe_call(port, &message, after);
    EXPECT_EQUAL(after[A0], OK);
    EXPECT_EQUAL(after[A0 + 1], message.tag);
    for (unsigned i = 0; i < MESSAGE_REGISTER_WORDS; i++) {
        EXPECT_EQUAL(after[A0 + 2 + i], message.word[i]);
    }
    expect_clean(after, A0, A0 + 1 + MESSAGE_REGISTER_WORDS);
    EXPECT_EQUAL(port_close(port), OK);
    stack_free(stack.slot);
}

TEST(user_call, kernel_services_leak_no_registers)
{
    struct message message = {.tag = MESSAGE_TAG(1, 2), .word = {5, 6}};
    handle_t port;

    ASSERT_EQUAL(lookup_find("echo", &port), OK);
    probe_call(port, &message, after);
    EXPECT_EQUAL(after[A0], OK);
    expect_clean(after, A0, A0 + 1 + MESSAGE_REGISTER_WORDS);
    EXPECT_EQUAL(handle_close(port), OK);
}

TEST(user_call, failed_calls_leak_no_registers)
{
    struct message message = {.tag = MESSAGE_TAG(1, 4), .word = {5, 6, 7, 8}};

    probe_call(HANDLE_NONE, &message, after);
    EXPECT_EQUAL(after[A0], ERR_BAD_HANDLE);
    expect_clean(after, A0, A0 + 1 + MESSAGE_REGISTER_WORDS);
}

/* More values than there are preserved registers live across the call. */
TEST(user_call, values_live_across_calls)
{
    static volatile uint64_t source = 3;
    struct stack stack;
    handle_t port;
    uint64_t value[16];
    uint64_t sum = 0;

    ASSERT_EQUAL(probe_create(&stack, &port), OK);
    for (unsigned i = 0; i < 16; i++) {
        value[i] = source * (i + 1);
    }
    for (uint64_t turn = 0; turn < RUNS; turn++) {
        struct message message = {.tag = MESSAGE_TAG(1, 1), .word = {turn}};

        EXPECT_EQUAL(port_call(port, &message), OK);
        EXPECT_EQUAL(message.word[0], turn);
        for (unsigned i = 0; i < 16; i++) {
            sum += value[i];
        }
    }
    EXPECT_EQUAL(sum, RUNS * 3 * (16 * 17 / 2));
    EXPECT_EQUAL(port_close(port), OK);
    stack_free(stack.slot);
}
