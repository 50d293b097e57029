/* SPDX-License-Identifier: MIT */
/* Services that run for several callers at once. */
#include <stddef.h>

#include "kernel/abi/limits.h"
#include "user/lib/baton.h"
#include "user/programs/test-call/peer.h"

#define RUNS 3U
#define CALLERS 6U
#define CALLS 300U
#define PEER "test-call.concurrent"
#define PATIENCE_MS 5000

/* A service whose runs wait until as many have met as the caller says. */
static uint32_t inside;     /* atomic */
static uint32_t most;       /* atomic; inside at once */
static uint32_t let_go;     /* atomic */
static uint32_t served;     /* atomic */
static uint32_t intrusions; /* atomic; somebody else was on this stack, or wrote to its data */
static _Thread_local uint64_t own;

static uint32_t read(const uint32_t *word)
{
    /* acquire: what was before it was written; pairs with the release of add */
    return __atomic_load_n(word, __ATOMIC_ACQUIRE);
}

static uint32_t add(uint32_t *word, uint32_t value)
{
    /* acq_rel: what was before it was written, and what is before this; pairs with itself and read */
    return __atomic_add_fetch(word, value, __ATOMIC_ACQ_REL);
}

/* Word 0: who calls; word 1: 0, or the number let_go has to reach first. */
static void meet(void *context, uint64_t badge, struct message *message)
{
    uint64_t end = test_deadline_ms(PATIENCE_MS);
    uint32_t now = add(&inside, 1);

    (void)context;
    (void)badge;
    if (now > read(&most)) {
        __atomic_store_n(&most, now, __ATOMIC_RELEASE); /* pairs with read */
    }
    if (own != 0) {
        add(&intrusions, 1);
    }
    own = message->word[0] + 1;
    while (read(&let_go) < message->word[1] && clock_ns() < end) {
        thread_yield();
    }
    if (own != message->word[0] + 1) {
        add(&intrusions, 1);
    }
    own = 0;
    add(&inside, ~0U);
    add(&served, 1);
    message->word[0] = ~message->word[0];
    service_reply(message, OK, 1);
}

struct caller {
    struct thread thread;
    handle_t port;
    uint64_t word;
    uint64_t wanted;                       /* of let_go */
    uint64_t answered, refused, timed_out; /* the last ones are refused ones, too */
};

static struct caller callers[CALLERS];

static int call_once(void *argument)
{
    struct caller *caller = argument;
    struct message message = {.tag = MESSAGE_TAG(1, 2), .word = {caller->word, caller->wanted}};
    status_t status = port_call(caller->port, &message);

    return status == OK && message.word[0] != ~caller->word ? 255 : (int)-status;
}

static void start(unsigned index, handle_t port, uint64_t wanted)
{
    callers[index] = (struct caller){.port = port, .word = index, .wanted = wanted};
    EXPECT_EQUAL(thread_start(&callers[index].thread, call_once, &callers[index]), OK);
}

static bool soon_inside(uint32_t count)
{
    uint64_t end = test_deadline_ms(PATIENCE_MS);

    while (read(&inside) != count && clock_ns() < end) {
        thread_yield();
    }
    return read(&inside) == count;
}

static void reset(void)
{
    inside = most = let_go = served = intrusions = 0;
}

static handle_t make(uint32_t runs)
{
    handle_t port = HANDLE_NONE;

    reset();
    EXPECT_EQUAL(service_create_concurrent(meet, NULL, runs, &port), OK);
    return port;
}

TEST(user_call, n_callers_meet_inside_and_the_next_one_waits)
{
    handle_t port = make(RUNS);
    struct message message = {.tag = MESSAGE_TAG(1, 2)};

    for (unsigned i = 0; i < RUNS; i++) {
        start(i, port, i + 1);
    }
    EXPECT(soon_inside(RUNS));
    start(RUNS, port, 0);
    EXPECT_EQUAL(port_call_until(port, &message, DEADLINE_NOW), ERR_WOULD_BLOCK);
    EXPECT_EQUAL(port_call_until(port, &message, test_deadline_ms(1)), ERR_TIMED_OUT);
    EXPECT_EQUAL(read(&served), 0);
    add(&let_go, 1); /* the first one leaves, and the one that waits runs */
    EXPECT_EQUAL(thread_join(&callers[0].thread), 0);
    EXPECT_EQUAL(thread_join(&callers[RUNS].thread), 0);
    EXPECT(soon_inside(RUNS - 1));
    add(&let_go, RUNS);
    for (unsigned i = 1; i < RUNS; i++) {
        EXPECT_EQUAL(thread_join(&callers[i].thread), 0);
    }
    EXPECT_EQUAL(read(&most), RUNS);
    EXPECT_EQUAL(read(&intrusions), 0);
    EXPECT_EQUAL(port_close(port), OK);
}

static int call_often(void *argument)
{
    struct caller *caller = argument;

    for (uint64_t i = 0; i < CALLS; i++) {
        uint64_t word = caller->word << 32 | i;
        struct message message = {.tag = MESSAGE_TAG(1, 2), .word = {word, 0}};
        status_t status = port_call_until(caller->port, &message,
                                          i % 5 == 0 ? test_deadline_ms(1) : DEADLINE_NONE);

        if (status == OK ? message.word[0] != ~word : message.word[0] != word) {
            return 255;
        }
        *(status == OK ? &caller->answered : &caller->refused) += 1;
        caller->timed_out += status == ERR_TIMED_OUT;
        if (status == ERR_STALE || status == ERR_BAD_HANDLE) {
            return 0;
        }
        if (status != OK && status != ERR_TIMED_OUT) {
            return (int)-status;
        }
    }
    return 0;
}

/* All call; the port is closed after `closed_after` runs, or not before the end. */
static void storm(uint32_t runs, uint32_t closed_after)
{
    handle_t port = make(runs);
    uint64_t answered = 0;
    uint64_t timed_out = 0;

    for (unsigned i = 0; i < CALLERS; i++) {
        callers[i] = (struct caller){.port = port, .word = i};
        EXPECT_EQUAL(thread_start(&callers[i].thread, call_often, &callers[i]), OK);
    }
    while (closed_after != 0 && read(&served) < closed_after) {
        thread_yield();
    }
    if (closed_after != 0) {
        EXPECT_EQUAL(port_close(port), OK);
    }
    for (unsigned i = 0; i < CALLERS; i++) {
        EXPECT_EQUAL(thread_join(&callers[i].thread), 0);
        answered += callers[i].answered;
        timed_out += callers[i].timed_out;
        EXPECT(closed_after != 0 || callers[i].answered + callers[i].refused == CALLS);
    }
    while (read(&inside) != 0) { /* runs that were left when their time was over */
        thread_yield();
    }
    EXPECT(answered <= read(&served) && read(&served) <= answered + timed_out);
    EXPECT_EQUAL(read(&intrusions), 0);
    EXPECT(read(&most) <= runs);
    if (closed_after == 0) {
        EXPECT_EQUAL(port_close(port), OK);
    }
}

TEST(user_call, concurrent_runs_answer_their_own_callers_until_the_port_is_closed)
{
    for (uint32_t runs = 1; runs <= RUNS; runs++) {
        storm(runs, 0);
        storm(runs, 50 * runs);
    }
}

static int sleep_inside(void *argument)
{
    uint64_t word = 0;

    return (int)-peer_ask(*(handle_t *)argument, PEER_SLEEP, &word);
}

TEST(user_call, all_callers_of_a_concurrent_service_learn_of_its_death)
{
    for (unsigned round = 0; round < 5; round++) {
        struct peer peer;
        struct thread threads[4];
        struct message message = {.tag = MESSAGE_TAG(PEER_ECHO, 0)};

        ASSERT_EQUAL(peer_start_concurrent(&peer, PEER, "2"), OK);
        for (unsigned i = 0; i < 4; i++) {
            ASSERT_EQUAL(thread_start(&threads[i], sleep_inside, &peer.port), OK);
        }
        uint64_t end = test_deadline_ms(PATIENCE_MS);
        while (port_call_until(peer.port, &message, DEADLINE_NOW) != ERR_WOULD_BLOCK &&
               clock_ns() < end) {
            message.tag = MESSAGE_TAG(PEER_ECHO, 0);
            thread_yield();
        }
        EXPECT_EQUAL(program_kill(peer.program.id), OK);
        for (unsigned i = 0; i < 4; i++) {
            int64_t code = thread_join(&threads[i]);

            EXPECT(code == -ERR_PEER_DIED || code == -ERR_STALE); /* one may come late */
        }
        EXPECT_EQUAL(program_wait(&peer.program), EXIT_KILLED);
        EXPECT_EQUAL(handle_close(peer.port), OK);
    }
}

/* Calls itself as often as the word says. */
static void call_itself(void *context, uint64_t badge, struct message *message)
{
    uint64_t depth = message->word[0];

    (void)badge;
    if (depth > 0) {
        struct message inner = {.tag = MESSAGE_TAG(1, 1), .word = {depth - 1}};
        status_t status = port_call(*(handle_t *)context, &inner);

        depth = status == OK ? inner.word[0] : (uint64_t)status;
    }
    message->word[0] = depth;
    service_reply(message, OK, 1);
}

TEST(user_call, a_concurrent_service_may_call_itself_while_a_stack_is_free)
{
    handle_t port;
    uint64_t word = 1;

    ASSERT_EQUAL(service_create_concurrent(call_itself, &port, 2, &port), OK);
    EXPECT_EQUAL(peer_ask(port, 1, &word), OK);
    EXPECT_EQUAL(word, 0);
    word = 2;
    EXPECT_EQUAL(peer_ask(port, 1, &word), OK);
    EXPECT_EQUAL((int64_t)word, ERR_DEADLOCK);
    EXPECT_EQUAL(port_close(port), OK);
}

static void nothing(void)
{
}

TEST(user_call, a_concurrent_service_needs_stacks_that_can_be)
{
    static _Alignas(16) char memory[64];
    static struct port_stack good[MAX_RUNS + 1];
    const void *entry = (const void *)(uintptr_t)nothing;
    struct port_stack bad[2] = {{.top = (uintptr_t)memory + 32}, {.top = (uintptr_t)memory + 64}};
    handle_t port;

    for (unsigned i = 0; i <= MAX_RUNS; i++) {
        good[i].top = 0x100000 + 16 * i;
    }
    EXPECT_EQUAL(port_create_concurrent(entry, good, 0, 0), ERR_INVALID);
    EXPECT_EQUAL(port_create_concurrent(entry, good, MAX_RUNS + 1, 0), ERR_INVALID);
    EXPECT_EQUAL(port_create_concurrent(entry, good, ~0UL, 0), ERR_INVALID);
    EXPECT_EQUAL(port_create_concurrent((void *)USER_TOP, good, 2, 0), ERR_INVALID);
    EXPECT_EQUAL(port_create_concurrent(NULL, good, 2, 0), ERR_INVALID);
    EXPECT_EQUAL(port_create_concurrent(entry, NULL, 2, 0), ERR_FAULT);
    EXPECT_EQUAL(port_create_concurrent(entry, (struct port_stack *)USER_TOP, 2, 0), ERR_FAULT);
    EXPECT_EQUAL(port_create_concurrent(entry, (struct port_stack *)~0UL, 2, 0), ERR_FAULT);
    bad[1].top = bad[0].top;
    EXPECT_EQUAL(port_create_concurrent(entry, bad, 2, 0), ERR_INVALID);
    bad[1].top = bad[0].top + 8;
    EXPECT_EQUAL(port_create_concurrent(entry, bad, 2, 0), ERR_INVALID);
    bad[1].top = 0;
    EXPECT_EQUAL(port_create_concurrent(entry, bad, 2, 0), ERR_INVALID);
    bad[1].top = USER_TOP + 16;
    EXPECT_EQUAL(port_create_concurrent(entry, bad, 2, 0), ERR_INVALID);
    int64_t whole = port_create_concurrent(entry, good, MAX_RUNS, 0);
    EXPECT(whole > 0);
    EXPECT_EQUAL(port_close((handle_t)whole), OK);
    EXPECT_EQUAL(service_create_concurrent(meet, NULL, 0, &port), ERR_INVALID);
    EXPECT_EQUAL(service_create_concurrent(meet, NULL, MAX_RUNS + 1, &port), ERR_INVALID);
}
