/* SPDX-License-Identifier: MIT */
/*
 * Threads, each a core, that arm time-outs, let time pass, and cancel each other's. A record's memory
 * is freed as soon as timeout_cancel has returned. BATON_OPERATIONS and BATON_SEED as in
 * threads_test.c.
 */
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "arch/core.h"
#include "arch/irq.h"
#include "arch/timer.h"
#include "kernel/base/atomic.h"
#include "sched/runqueue_priv.h"
#include "sched/timeout.h"
#include "tests/host/machine.h"
#include "tests/test.h"

#define PAGES 1024U
#define THREADS 4U
#define SLOTS 64U
#define OPERATIONS 100000U
#define HANG_SECONDS_A_MILLION 120U

struct record {
    struct timeout timeout;
    uint64_t fired;
    uint64_t *firings; /* of its core */
};

struct worker {
    pthread_t thread;
    cpu_t core;
    uint64_t random;
    uint64_t armed;
    uint64_t firings; /* on this core */
    uint64_t found;   /* records that had fired when this thread cancelled them */
};

static struct record *slot[SLOTS];
static nsec_t time_now = 1;
static uint64_t operations;

nsec_t timer_now_ns(void)
{
    /* relaxed: a clock */
    return atomic_load_relaxed(&time_now);
}

struct runqueue runqueues[MAX_CORES];

void sched_program_timer(void)
{
}

static uint64_t next_random(struct worker *worker)
{
    worker->random = worker->random * 6364136223846793005UL + 1442695040888963407UL;
    return worker->random >> 24;
}

/* No atomics: the lock orders this and the canceller's look. */
static void note_fired(struct timeout *timeout)
{
    struct record *record = container_of(timeout, struct record, timeout);

    EXPECT_TRUE(timer_now_ns() >= timeout->when);
    record->fired++;
    (*record->firings)++;
}

static struct record *arm(struct worker *worker)
{
    struct record *record = malloc(sizeof(*record));
    nsec_t when = timer_now_ns() + next_random(worker) % (1UL << next_random(worker) % 20);

    record->fired = 0;
    record->firings = &worker->firings;
    worker->armed++;
    timeout_arm(&record->timeout, when, note_fired);
    return record;
}

/* Cancel, from whatever core, and look: once or never. */
static void end(struct worker *worker, struct record *record)
{
    if (record == NULL) {
        return;
    }
    timeout_cancel(&record->timeout);
    EXPECT_TRUE(record->fired <= 1);
    worker->found += record->fired;
    free(record);
}

static void *work(void *argument)
{
    struct worker *worker = argument;

    machine_set_core(worker->core);
    for (uint64_t i = 0; i < operations / THREADS; i++) {
        struct record **place = &slot[next_random(worker) % SLOTS];
        struct record *fresh = next_random(worker) % 8 == 0 ? NULL : arm(worker);

        /* acq_rel: the record goes with its address; pairs with itself in the other threads */
        end(worker, atomic_swap_acq_rel(place, fresh));
        if (next_random(worker) % 4 == 0) {
            /* relaxed: a clock */
            (void)atomic_add_relaxed(&time_now, 1 + next_random(worker) % 2000);
        }
        if (next_random(worker) % 2 == 0 && timeout_first() <= timer_now_ns()) {
            uint64_t state = irq_save(); /* the timer's interrupt */

            timeout_run();
            irq_restore(state);
        }
    }
    return NULL;
}

static uint64_t from_environment(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);

    return text == NULL ? otherwise : strtoull(text, NULL, 10);
}

TEST(threads, arm_time_outs_and_cancel_those_of_other_cores)
{
    static struct worker worker[THREADS];
    uint64_t seed = from_environment("BATON_SEED", 1);
    uint64_t fired = 0;
    uint64_t found = 0;

    operations = from_environment("BATON_OPERATIONS", OPERATIONS);
    (void)alarm((unsigned)(60 + operations / 1000000 * HANG_SECONDS_A_MILLION));
    machine_init(PAGES);
    ASSERT_TRUE(timeout_init(THREADS) == OK);
    for (unsigned i = 0; i < THREADS; i++) {
        worker[i].core = i;
        worker[i].random = seed * THREADS + i;
        ASSERT_TRUE(pthread_create(&worker[i].thread, NULL, work, &worker[i]) == 0);
    }
    for (unsigned i = 0; i < THREADS; i++) {
        ASSERT_TRUE(pthread_join(worker[i].thread, NULL) == 0);
    }
    for (unsigned i = 0; i < SLOTS; i++) {
        end(&worker[0], slot[i]);
    }
    for (unsigned i = 0; i < THREADS; i++) {
        fired += worker[i].firings;
        found += worker[i].found;
        EXPECT_TRUE(worker[i].firings > 0 && worker[i].firings < worker[i].armed);
        machine_set_core(i);
        EXPECT_EQ(timeout_first(), TIMER_NEVER);
    }
    EXPECT_EQ(fired, found);
}
