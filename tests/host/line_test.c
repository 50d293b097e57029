/* SPDX-License-Identifier: MIT */
/*
 * The line of a port against a plain list, and with many threads at once.
 *
 * Rules: BATON_OPERATIONS and BATON_SEED as in threads_test.c.
 */
#include "ipc/line.h"

#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <unistd.h>

#include "ipc/word.h"
#include "kernel/base/atomic.h"
#include "kernel/sync/spinlock.h"
#include "tests/test.h"

#define RECORDS 24U
#define STEPS 1000000U
#define THREADS 4U
#define CALLS 100000U /* in all */

static uint64_t from_environment(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);

    return text == NULL ? otherwise : strtoull(text, NULL, 10);
}

static uint64_t next_random(uint64_t *random)
{
    uint64_t x = *random;

    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
    *random = x;
    return x >> 16;
}

static uint64_t first_random(uint64_t stream)
{
    return (from_environment("BATON_SEED", 1) * 16 + stream + 1) * 0x9e3779b97f4a7c15UL;
}

/* The oldest first. */
static struct reference {
    struct queue_record *waiting[RECORDS];
    unsigned count;
} reference;

static unsigned reference_find(const struct queue_record *record)
{
    unsigned i = 0;

    while (i < reference.count && reference.waiting[i] != record) {
        i++;
    }
    return i;
}

static void reference_remove(unsigned i)
{
    reference.count--;
    for (; i < reference.count; i++) {
        reference.waiting[i] = reference.waiting[i + 1];
    }
}

static _Alignas(16) struct {
    _Alignas(16) struct queue_record record;
} records[RECORDS];

static void join_and_compare(uint64_t *word, struct queue_record *record)
{
    bool idle = *word == 0;

    if (reference_find(record) == reference.count) {
        *record = (struct queue_record){0};
        EXPECT_EQ(line_take_or_join(word, record), idle ? LINE_IDLE : LINE_JOINED);
        if (!idle) {
            reference.waiting[reference.count++] = record;
        }
    }
}

TEST(line, random_joins_pops_and_removals_are_those_of_a_list)
{
    uint64_t random = first_random(0);
    uint64_t word = 0;
    struct queue line;

    queue_init(&line);
    for (unsigned step = 0; step < STEPS; step++) {
        struct queue_record *record = &records[next_random(&random) % RECORDS].record;
        unsigned at = reference_find(record);
        unsigned choice = (unsigned)(next_random(&random) % 8);

        if (choice < 4) {
            join_and_compare(&word, record);
        } else if (choice < 6) {
            EXPECT_TRUE(line_pop_locked(&word, &line) ==
                        (reference.count != 0 ? reference.waiting[0] : NULL));
            if (reference.count != 0) {
                reference_remove(0);
            }
        } else if (choice == 6 || word != WORD_RUN) {
            EXPECT_EQ(line_remove_locked(&word, &line, record), at != reference.count);
            if (at != reference.count) {
                reference_remove(at);
            }
        } else {
            word = 0; /* let go */
        }
        EXPECT_EQ(line_count_locked(&word, &line), reference.count);
        EXPECT_EQ(word_has_waiters(word), reference.count != 0);
    }
    word |= WORD_CLOSED;
    EXPECT_EQ(line_take_or_join(&word, &records[0].record), LINE_CLOSED);
}

/* --- threads --- */

static struct {
    _Alignas(64) uint64_t word;
    _Alignas(64) struct spinlock lock;
    struct queue line;
    uint64_t runs;            /* only by who holds the baton */
    uint64_t newest[THREADS]; /* the number of each one's last call that was run */
} shared = {.lock = SPINLOCK_INIT("line")};

struct caller {
    _Alignas(16) struct queue_record record;
    pthread_t thread;
    unsigned index;
    uint64_t call;
    uint64_t random;
    uint64_t run;  /* calls that were run */
    uint32_t turn; /* atomic */
};

static struct caller callers[THREADS];

static void run(struct caller *caller)
{
    shared.runs++;
    EXPECT_TRUE(shared.newest[caller->index] < caller->call);
    shared.newest[caller->index] = caller->call;
    caller->run++;
}

/* Lets go, or hands over, as ipc/baton.c does. */
static void give(void)
{
    struct queue_record *record = NULL;
    bool gone = false;

    while (record == NULL && !gone) {
        uint64_t alone = WORD_RUN;

        spin_lock(&shared.lock);
        record = line_pop_locked(&shared.word, &shared.line);
        spin_unlock(&shared.lock);
        /* release: as in baton_try_give; pairs with the acquire in line_take_or_join */
        gone = record == NULL && atomic_cas_release(&shared.word, &alone, 0UL);
    }
    if (record != NULL) {
        /* release: as in request_settle; pairs with the load in wait_for_turn */
        atomic_store_release(&container_of(record, struct caller, record)->turn, 1U);
    }
}

/* False: the caller has left the line. */
static bool wait_for_turn(struct caller *caller)
{
    uint64_t patience = next_random(&caller->random) % 8;
    bool left = false;

    /* acquire: what the last holder wrote; pairs with the store in give */
    while (atomic_load_acquire(&caller->turn) == 0) {
        if (patience-- == 0) {
            spin_lock(&shared.lock);
            left = line_remove_locked(&shared.word, &shared.line, &caller->record);
            spin_unlock(&shared.lock);
            if (left) {
                return false;
            }
        }
        (void)sched_yield();
    }
    return true;
}

static void *call_often(void *argument)
{
    struct caller *caller = argument;
    uint64_t calls = from_environment("BATON_OPERATIONS", CALLS) / THREADS;

    host_irq_enabled = false;
    for (caller->call = 1; caller->call <= calls; caller->call++) {
        caller->record = (struct queue_record){0};
        /* relaxed: nobody sees the record yet */
        atomic_store_relaxed(&caller->turn, 0U);
        if (line_take_or_join(&shared.word, &caller->record) == LINE_IDLE ||
            wait_for_turn(caller)) {
            run(caller);
            give();
        }
    }
    return NULL;
}

TEST(threads, join_leave_and_hand_over_in_the_line_of_a_port)
{
    uint64_t run_by_all = 0;

    (void)alarm((unsigned)(60 + from_environment("BATON_OPERATIONS", CALLS) / 20000));
    queue_init(&shared.line);
    for (unsigned i = 0; i < THREADS; i++) {
        callers[i].index = i;
        callers[i].random = first_random(i + 1);
        ASSERT_TRUE(pthread_create(&callers[i].thread, NULL, call_often, &callers[i]) == 0);
    }
    for (unsigned i = 0; i < THREADS; i++) {
        ASSERT_TRUE(pthread_join(callers[i].thread, NULL) == 0);
        run_by_all += callers[i].run;
    }
    EXPECT_EQ(shared.runs, run_by_all);
    EXPECT_TRUE(run_by_all != 0);
    EXPECT_EQ(shared.word, 0);
    EXPECT_EQ(shared.line.count, 0);
}
