/* SPDX-License-Identifier: MIT */
/*
 * Rows of the allocators.
 */
#include "arch/irq.h"
#include "kernel/base/assert.h"
#include "mm/account.h"
#include "mm/frame.h"
#include "mm/spmalloc.h"
#include "sched/sched.h"
#include "tests/kernel/bench.h"

void bench_spmalloc_64(void)
{
    for (int i = 0; i < 100; i++) {
        spmalloc_free(spmalloc(&kernel_account, 64));
    }
    uint64_t start = bench_instructions();
    for (int i = 0; i < BENCH_ROUNDS; i++) {
        spmalloc_free(spmalloc(&kernel_account, 64));
    }
    bench_print("spmalloc_64", bench_instructions() - start, bench_empty_loop());
}

#define BATCH 32U
#define TURNS ((BENCH_ROUNDS + BATCH - 1) / BATCH)

static void *objects[BATCH];

static uint64_t allocate_batch(void)
{
    uint64_t start = bench_instructions();

    for (unsigned i = 0; i < BATCH; i++) {
        objects[i] = spmalloc(&kernel_account, 64);
    }
    return bench_instructions() - start;
}

static uint64_t free_batch(void)
{
    uint64_t start = bench_instructions();

    for (unsigned i = 0; i < BATCH; i++) {
        spmalloc_free(objects[i]);
    }
    return bench_instructions() - start;
}

/* The owner takes in all that waits for it. */
static uint64_t collect_batch(void)
{
    uint64_t state = irq_save();
    uint64_t start = bench_instructions();

    while (spmalloc_collect_some(0, 2 * BATCH)) {
    }
    uint64_t instructions = bench_instructions() - start;

    irq_restore(state);
    return instructions;
}

/* The two loops without the calls. */
static uint64_t empty_batches(void)
{
    uint64_t start = bench_instructions();

    for (unsigned i = 0; i < BATCH; i++) {
        __asm__ volatile("" : "=m"(objects[i])::"memory");
    }
    for (unsigned i = 0; i < BATCH; i++) {
        __asm__ volatile("" ::"r"(objects[i]) : "memory");
    }
    return bench_instructions() - start;
}

/*
 * The instruction counter is shared by all harts, so the sides take turns: this thread allocates a
 * batch on core 0, goes to core 1 and frees it there, and puts the objects back into their slabs on
 * core 0, while the other core is idle.
 */
void bench_remote_free_pair(void)
{
    uint64_t instructions = 0;

    if (sched_online_count() < 2) {
        return; /* tools/bench.py runs this row on two harts */
    }
    for (unsigned turn = 0; turn < 4 + TURNS; turn++) {
        if (turn == 4) {
            instructions = 0; /* that was the warm-up */
        }
        instructions += allocate_batch();
        BUG_ON(sched_migrate(1) != OK);
        instructions += free_batch();
        BUG_ON(sched_migrate(0) != OK);
        instructions += collect_batch();
    }
    bench_print("remote_free_pair", instructions * BENCH_ROUNDS / (TURNS * BATCH),
                empty_batches() * BENCH_ROUNDS / BATCH);
}

void bench_frame_overhead(void)
{
    bench_print_bytes("frame_overhead", sizeof(struct frame), 1);
}

#define OVERHEAD_OBJECTS 4096U

/* A fresh account's pages, their records and its heap, less what was asked for, an object. */
static void object_overhead(const char *id, size_t bytes)
{
    static struct account account;
    void **first = NULL;
    uint64_t held;

    account_init(&account, ACCOUNT_UNLIMITED);
    for (unsigned i = 0; i < OVERHEAD_OBJECTS; i++) {
        void **object = spmalloc(&account, bytes);

        BUG_ON(object == NULL);
        *object = first;
        first = object;
    }
    held = account_pages(&account) * (PAGE_BYTES + sizeof(struct frame));
    bench_print_bytes(id, held - OVERHEAD_OBJECTS * bytes, OVERHEAD_OBJECTS);
    while (first != NULL) {
        void **next = *first;

        spmalloc_free(first);
        first = next;
    }
    account_close(&account);
    BUG_ON(account_finish(&account) != 0);
}

void bench_object_overhead_8(void)
{
    object_overhead("object_overhead_8", 8);
}

void bench_object_overhead_64(void)
{
    object_overhead("object_overhead_64", 64);
}

void bench_object_overhead_2048(void)
{
    object_overhead("object_overhead_2048", 2048);
}
