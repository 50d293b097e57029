/* SPDX-License-Identifier: MIT */
/* Chains of calls each of which had to wait: the kernel keeps the most for them. */
#include <stddef.h>

#include "user/lib/baton.h"
#include "user/programs/test-call/peer.h"

#define CLIMB 1U
#define HOLD 2U
#define NOTHING 3U
#define HOLD_MS 20U
#define FRESH_PAGES 64U
#define PAGE 4096U
#define HOLES 0x3a00000000UL /* nothing is mapped there */

struct rung {
    handle_t port;
    struct thread holder;
    uint32_t held;   /* atomic: somebody is inside */
    uint32_t let_go; /* atomic: and is to leave soon */
    status_t status; /* what its call of the next one gave */
};

static struct rung rungs[MAX_CALL_DEPTH + 1]; /* the last one is outside the chain */
static unsigned length;
static unsigned faults;  /* so many of the first ones are called as pagers */
static bool closes_ring; /* who holds the last one calls the first */
static status_t
    ring_status; /* what that call gave: nearly always it comes before the chain's last */

static uint32_t look(const uint32_t *sign)
{
    /* acquire: pairs with the release in give */
    return __atomic_load_n(sign, __ATOMIC_ACQUIRE);
}

static void give(uint32_t *sign)
{
    /* release: pairs with the acquire in look */
    __atomic_store_n(sign, 1, __ATOMIC_RELEASE);
}

static void wait_for(const uint32_t *sign)
{
    while (look(sign) == 0) {
        (void)thread_sleep(test_deadline_ms(1));
    }
}

static void hold(struct rung *rung)
{
    struct message message = {.tag = MESSAGE_TAG(NOTHING, 0)};

    give(&rung->held);
    wait_for(&rung->let_go);
    if (closes_ring && rung == &rungs[length]) {
        ring_status = port_call(rungs[0].port, &message); /* waits for the chain */
        return;
    }
    (void)thread_sleep(test_deadline_ms(HOLD_MS));
}

/* What costs the kernel stack besides calls: page faults and waits. */
static void use_kernel(void)
{
    int64_t address = memory_map(NULL, FRESH_PAGES * PAGE, PROTECT_READ | PROTECT_WRITE);
    volatile char *fresh = (char *)(uintptr_t)address;

    EXPECT_EQUAL(address > 0, true);
    for (unsigned i = 0; i < FRESH_PAGES / 2; i++) {
        fresh[(size_t)i * PAGE] = 1;
    }
    EXPECT_EQUAL(clock_ns() != 0, true);
    EXPECT_EQUAL(thread_sleep(test_deadline_ms(1)), OK);
    EXPECT_EQUAL(memory_unmap((void *)(uintptr_t)address, FRESH_PAGES * PAGE), OK);
}

/* A touch of what is not mapped calls the next one as the pager. */
static status_t call_as_pager(const struct rung *next)
{
    volatile uint64_t *hole = (uint64_t *)(HOLES + (uint64_t)(next - rungs) * 2 * PAGE);
    status_t status = domain_set_pager(program_own_domain(), next->port);

    if (status == OK) {
        *hole = 1;
        status = memory_unmap((void *)(uintptr_t)hole, PAGE);
    }
    return status;
}

static void answer_fault(struct message *message)
{
    void *page = (void *)(message->word[0] / PAGE * PAGE);

    EXPECT_EQUAL(memory_map(page, PAGE, PROTECT_READ | PROTECT_WRITE), (int64_t)(uintptr_t)page);
    *message = (struct message){.tag = MESSAGE_TAG(OK, 4), .word = {HANDLE_NONE}};
}

static void climb(void *context, uint64_t badge, struct message *message)
{
    struct rung *rung = context;
    struct rung *next = rung + 1;
    struct message further = {.tag = MESSAGE_TAG(CLIMB, 0)};

    (void)badge;
    if (message->tag == MESSAGE_TAG(HOLD, 0) || message->tag == MESSAGE_TAG(NOTHING, 0)) {
        if (message->tag == MESSAGE_TAG(HOLD, 0)) {
            hold(rung);
        }
        service_reply(message, OK, 0);
        return;
    }
    use_kernel();
    if (rung < &rungs[faults]) {
        rung->status = call_as_pager(next);
    } else if (rung < &rungs[length]) {
        wait_for(&next->held);
        give(&next->let_go);
        if (closes_ring && next == &rungs[length]) {
            (void)thread_sleep(test_deadline_ms(HOLD_MS)); /* it is to wait before we do */
        }
        rung->status = port_call(next->port, &further);
    }
    if (rung > rungs && rung <= &rungs[faults]) {
        answer_fault(message);
    } else {
        service_reply(message, OK, 0);
    }
}

static int hold_port(void *argument)
{
    struct message message = {.tag = MESSAGE_TAG(HOLD, 0)};

    return port_call(((struct rung *)argument)->port, &message) == OK ? 0 : 1;
}

static void climb_all(unsigned pagers, unsigned count, bool ring)
{
    struct message message = {.tag = MESSAGE_TAG(CLIMB, 0)};

    length = count;
    faults = pagers;
    closes_ring = ring;
    ring_status = OK;
    for (unsigned i = 0; i <= count; i++) {
        rungs[i] = (struct rung){.status = OK};
        ASSERT_EQUAL(service_create(climb, &rungs[i], &rungs[i].port), OK);
    }
    for (unsigned i = pagers + 1; i <= count; i++) {
        ASSERT_EQUAL(thread_start(&rungs[i].holder, hold_port, &rungs[i]), OK);
    }
    EXPECT_EQUAL(port_call(rungs[0].port, &message), OK);
    for (unsigned i = pagers + 1; i <= count; i++) {
        give(&rungs[i].let_go); /* the chain may not have come so far */
        EXPECT_EQUAL(thread_join(&rungs[i].holder), 0);
    }
    for (unsigned i = 0; i <= count; i++) {
        EXPECT_EQUAL(port_close(rungs[i].port), OK);
    }
}

TEST(user_call, sixteen_calls_that_all_had_to_wait_leave_the_kernel_room)
{
    climb_all(0, MAX_CALL_DEPTH - 1, false);
    for (unsigned i = 0; i < MAX_CALL_DEPTH - 1; i++) {
        EXPECT_EQUAL(rungs[i].status, OK);
    }
    climb_all(0, MAX_CALL_DEPTH, false);
    EXPECT_EQUAL(rungs[MAX_CALL_DEPTH - 1].status, ERR_DEPTH);
}

TEST(user_call, a_ring_is_found_by_the_deepest_call)
{
    climb_all(0, MAX_CALL_DEPTH - 1, true);
    EXPECT_EQUAL((rungs[MAX_CALL_DEPTH - 2].status == ERR_DEADLOCK) + (ring_status == ERR_DEADLOCK),
                 1);
}

/* As many pagers as the kernel asks from each other. */
TEST(user_call, pagers_and_calls_that_all_had_to_wait_leave_the_kernel_room)
{
    for (unsigned pagers = 1; pagers <= 9; pagers++) {
        unsigned refused;

        climb_all(pagers, MAX_CALL_DEPTH - 1, true);
        refused = ring_status == ERR_DEADLOCK;
        for (unsigned i = 0; i < MAX_CALL_DEPTH - 1; i++) {
            status_t status = rungs[i].status;

            refused += status == ERR_DEADLOCK || (status == ERR_DEPTH && pagers >= 4);
        }
        EXPECT_EQUAL(refused, 1);
        climb_all(pagers, MAX_CALL_DEPTH - 1, false);
        EXPECT_EQUAL(domain_set_pager(program_own_domain(), HANDLE_NONE), OK);
    }
}
