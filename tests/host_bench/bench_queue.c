/* SPDX-License-Identifier: MIT */
/*
 * Measures a queue of many producers and one consumer: nanoseconds for a push and its pop.
 *
 * Rules:
 * - Usage: bench-queue line|line_locked|wfcqueue|ck_fifo same|burst|cross <operations>. Prints one number.
 * - line is ipc/line.c as a port uses it: pushed by line_take_or_join on a word whose baton is held. Nobody
 *   takes a lock to pop: the peers' functions, like ours, leave it to their caller that consumers exclude
 *   each other, and here is only one. line_locked takes and drops the port's lock for each pop, as the holder
 *   of a baton does, because a caller may leave the line at any moment.
 * - same    push one, pop it, at once
 *   burst   push 32, pop them
 *   cross   one thread pushes, another pops, on two processors; the nodes go round in a ring, a cache line
 *           each, and both sides publish their position every 32 nodes
 */
#include "tests/host_bench/pair.h"

#define _LGPL_SOURCE /* its functions inline, as Concurrency Kit's are */
#include <ck_fifo.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <urcu/wfcqueue.h>

#include "arch/irq.h"
#include "ipc/line.h"
#include "ipc/word.h"
#include "kernel/base/assert.h"
#include "kernel/base/atomic.h"
#include "kernel/sync/spinlock.h"

#define RING 256U
#define BATCH 32U
#define SPINS 2000U

struct node {
    _Alignas(64) union {
        struct queue_record record;
        struct cds_wfcq_node wfcq;
        ck_fifo_mpmc_entry_t ck;
    };
    uint64_t value;
};

_Thread_local bool host_irq_enabled = true;

void assert_fail(const char *expression, const char *file, int line)
{
    (void)fprintf(stderr, "%s:%d: %s\n", file, line, expression);
    abort();
}

static struct node nodes[RING];
static uint64_t operations;

static struct {
    _Alignas(64) uint64_t word;
    _Alignas(64) struct spinlock lock;
    struct queue queue;
} port = {.word = WORD_RUN, .lock = SPINLOCK_INIT("port")};

static inline void line_push(struct node *node)
{
    if (line_take_or_join(&port.word, &node->record) != LINE_JOINED) {
        abort();
    }
}

static inline struct node *line_take(void)
{
    struct queue_record *record = line_pop_locked(&port.word, &port.queue);

    return record == NULL ? NULL : container_of(record, struct node, record);
}

static inline struct node *line_locked_take(void)
{
    struct node *node;

    host_irq_enabled = false;
    spin_lock(&port.lock);
    node = line_take();
    spin_unlock(&port.lock);
    return node;
}

static struct {
    _Alignas(64) struct __cds_wfcq_head head;
    _Alignas(64) struct cds_wfcq_tail tail;
} wfcq;

static inline void wfcq_push(struct node *node)
{
    cds_wfcq_node_init(&node->wfcq);
    (void)cds_wfcq_enqueue(&wfcq.head, &wfcq.tail, &node->wfcq);
}

static inline struct node *wfcq_take(void)
{
    struct cds_wfcq_node *taken = __cds_wfcq_dequeue_blocking(&wfcq.head, &wfcq.tail);

    return taken == NULL ? NULL : container_of(taken, struct node, wfcq);
}

static _Alignas(64) ck_fifo_mpmc_t fifo;

static inline void ck_push(struct node *node)
{
    ck_fifo_mpmc_enqueue(&fifo, &node->ck, node);
}

/* The entry that comes free is the one before: the ring has room for that. */
static inline struct node *ck_take(void)
{
    ck_fifo_mpmc_entry_t *garbage;
    void *value;

    return ck_fifo_mpmc_dequeue(&fifo, &value, &garbage) ? value : NULL;
}

static void init_queues(void)
{
    static struct node stub;

    queue_init(&port.queue);
    __cds_wfcq_init(&wfcq.head, &wfcq.tail);
    ck_fifo_mpmc_init(&fifo, &stub.ck);
}

static struct {
    _Alignas(64) uint64_t written; /* by the producer */
    _Alignas(64) uint64_t read;    /* by the consumer */
} position;

/* Until *at is at least `wanted`. */
static void wait_for(const uint64_t *at, uint64_t wanted)
{
    /* acquire: the nodes up to there are free again; pairs with publish */
    for (unsigned spins = 1; atomic_load_acquire(at) < wanted; spins++) {
        if (spins % SPINS == 0) {
            pair_yield();
        }
        arch_relax();
    }
}

static void publish(uint64_t *at, uint64_t value)
{
    /* release: what was done with the nodes; pairs with wait_for */
    atomic_store_release(at, value);
}

struct candidate {
    const char *name;
    void (*run)(uint64_t from, uint64_t to, uint64_t batch);
    void (*produce)(uint64_t from, uint64_t to);
    void *(*consume)(void *unused);
};

/* The same loops for each queue, with its functions inlined as its users have them. */
#define DEFINE_LOOPS(name, push, take)                                                             \
    static void name##_run(uint64_t from, uint64_t to, uint64_t batch)                             \
    {                                                                                              \
        for (uint64_t i = from; i < to; i += batch) {                                              \
            for (uint64_t j = i; j < i + batch; j++) {                                             \
                nodes[j % RING].value = j;                                                         \
                push(&nodes[j % RING]);                                                            \
            }                                                                                      \
            for (uint64_t j = i; j < i + batch; j++) {                                             \
                struct node *taken = take();                                                       \
                if (taken == NULL || taken->value != j) {                                          \
                    abort();                                                                       \
                }                                                                                  \
            }                                                                                      \
        }                                                                                          \
    }                                                                                              \
    static void name##_produce(uint64_t from, uint64_t to)                                         \
    {                                                                                              \
        for (uint64_t i = from; i < to; i++) {                                                     \
            if (i % BATCH == 0 && i + 3 * BATCH > RING) {                                          \
                wait_for(&position.read, i + 3 * BATCH - RING);                                    \
            }                                                                                      \
            nodes[i % RING].value = i;                                                             \
            push(&nodes[i % RING]);                                                                \
        }                                                                                          \
    }                                                                                              \
    static void *name##_consume(void *unused)                                                      \
    {                                                                                              \
        pair_bind(1);                                                                              \
        for (uint64_t i = 0; i < operations; i++) {                                                \
            struct node *taken = take();                                                           \
            for (unsigned spins = 1; taken == NULL; spins++) {                                     \
                if (spins % SPINS == 0) {                                                          \
                    pair_yield();                                                                  \
                }                                                                                  \
                arch_relax();                                                                      \
                taken = take();                                                                    \
            }                                                                                      \
            if (taken->value != i) {                                                               \
                abort();                                                                           \
            }                                                                                      \
            if (i % BATCH == 0) {                                                                  \
                publish(&position.read, i);                                                        \
            }                                                                                      \
        }                                                                                          \
        publish(&position.read, operations);                                                       \
        return unused;                                                                             \
    }

DEFINE_LOOPS(line, line_push, line_take)
DEFINE_LOOPS(line_locked, line_push, line_locked_take)
DEFINE_LOOPS(wfcqueue, wfcq_push, wfcq_take)
DEFINE_LOOPS(ck_fifo, ck_push, ck_take)

static const struct candidate candidates[] = {
    {"line", line_run, line_produce, line_consume},
    {"line_locked", line_locked_run, line_locked_produce, line_locked_consume},
    {"wfcqueue", wfcqueue_run, wfcqueue_produce, wfcqueue_consume},
    {"ck_fifo", ck_fifo_run, ck_fifo_produce, ck_fifo_consume},
};

/* Nanoseconds of a part, which is `n` operations. */
static double measure(const struct candidate *candidate, uint64_t batch, uint64_t n)
{
    double ns[PAIR_PARTS];

    if (batch == 0) {
        pair_start(candidate->consume);
    }
    for (unsigned i = 0; i <= PAIR_PARTS; i++) { /* the first one is the warm-up */
        double start = pair_now_ns();

        if (batch == 0) {
            candidate->produce(i * n, (i + 1) * n);
        } else {
            candidate->run(i * n, (i + 1) * n, batch);
        }
        ns[i == 0 ? 0 : i - 1] = pair_now_ns() - start;
    }
    if (batch == 0) {
        pair_join();
    }
    return pair_percentile(ns, batch == 0 ? 10 : 50);
}

int main(int argc, char **argv)
{
    if (argc == 4) {
        uint64_t n = strtoull(argv[3], NULL, 10) / PAIR_PARTS / BATCH * BATCH;
        uint64_t batch = strcmp(argv[2], "same") == 0    ? 1
                         : strcmp(argv[2], "burst") == 0 ? BATCH
                                                         : 0;

        operations = (PAIR_PARTS + 1) * n;
        pair_init();
        pair_bind(0);
        init_queues();
        for (unsigned i = 0; i < ARRAY_SIZE(candidates); i++) {
            if (strcmp(argv[1], candidates[i].name) == 0) {
                (void)printf("%.3f\n", measure(&candidates[i], batch, n) / (double)n);
                return 0;
            }
        }
    }
    (void)fprintf(stderr, "usage: see the head of tests/host_bench/bench_queue.c\n");
    return 2;
}
