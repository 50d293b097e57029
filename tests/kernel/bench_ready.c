/* SPDX-License-Identifier: MIT */
/*
 * Rows of the real-time class: put a thread into the ready queue and choose, beside others.
 */
#include "arch/irq.h"
#include "kernel/base/assert.h"
#include "mm/spmalloc.h"
#include "sched/ready_priv.h"
#include "tests/kernel/bench.h"

/* A queue of its own; the others are links without a thread, all of lower priorities. */
static struct runqueue queue;
static struct thread measured;

static void choose_beside(const char *id, unsigned count)
{
    struct list *others = spmalloc(&kernel_account, count * sizeof(*others));
    uint64_t empty = bench_empty_loop();

    BUG_ON(others == NULL || realtime_init(&queue.realtime) != OK);
    list_init(&queue.sharing);
    list_init(&measured.run_link);
    measured.rank = RANK_REALTIME + REALTIME_PRIORITIES - 1;
    for (unsigned i = 0; i < count; i++) {
        list_init(&others[i]);
        realtime_insert(&queue.realtime, &others[i], i % (REALTIME_PRIORITIES - 1), false);
    }
    uint64_t state = irq_save();
    uint64_t start = bench_instructions();

    for (int i = 0; i < BENCH_ROUNDS; i++) {
        ready_insert(&queue, &measured, false);
        BUG_ON(ready_pop(&queue) != &measured);
    }
    uint64_t total = bench_instructions() - start;

    irq_restore(state);
    bench_print(id, total, empty);
    while (!realtime_is_empty(&queue.realtime)) {
        (void)realtime_pop(&queue.realtime);
    }
    spmalloc_free(queue.realtime.level);
    spmalloc_free(others);
}

void bench_realtime_choose(void)
{
    choose_beside("realtime_choose", 10);
}

void bench_realtime_choose_10k(void)
{
    choose_beside("realtime_choose_10k", 10000);
}
