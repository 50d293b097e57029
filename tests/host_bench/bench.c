/* SPDX-License-Identifier: MIT */
/*
 * Measures one allocator with one pattern: nanoseconds for an allocation and its free.
 *
 * Rules:
 * - Usage: bench-<allocator> pair|live|remote <bytes>|mix <operations>. Prints one number.
 * - The allocator is called by its own name in a shared library; the program is built three times,
 *   with ALLOCATOR_HEADER saying which.
 * - pair    allocate, write a word, free it, at once
 *   live    200 objects live; each step frees one at random and allocates another
 *   remote  one thread allocates, another frees; a ring of 1024 pointers between them, the same
 *           for all, each side publishing its position every 32 objects
 * - Each thread is bound to a processor, two threads to two, if there are.
 * - One thread: its processor time. Two threads: the time that passes, for they wait for each other.
 *   The figure is of the parts of the run: one thread the median, two threads the tenth percentile,
 *   for on a busy machine both rarely run together. A part takes several rounds of the ring.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "kernel/base/atomic.h"
#include "tests/host_bench/pair.h"
#include ALLOCATOR_HEADER

#define SIZES 4096U /* a power of two */
#define LIVE 200U
#define RING 1024U /* a power of two */
#define BATCH 32U  /* divides RING */
#define SPINS 2000U

static const uint16_t mix_bytes[] = {8,  16,  16,  32,  32,  32,   64,  64,
                                     64, 128, 128, 256, 512, 1024, 2048};

static uint16_t sizes[SIZES];   /* bytes of the n-th allocation, n modulo SIZES */
static uint16_t choices[SIZES]; /* which of the live objects */
static uint64_t operations;     /* of the consumer */

/* xorshift: the same sequence for every allocator */
static uint32_t next_random(void)
{
    static uint32_t x = 2463534242;

    x ^= x << 13;
    x ^= x >> 17;
    x ^= x << 5;
    return x;
}

/* The processor time of this thread. */
static double own_ns(void)
{
    struct timespec time;

    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

static void run_pair(uint64_t n)
{
    for (uint64_t i = 0; i < n; i++) {
        uint64_t *object = bench_alloc(sizes[i % SIZES]);

        *(volatile uint64_t *)object = i;
        bench_free(object);
    }
}

static void run_live(uint64_t n)
{
    static void *live[LIVE];

    for (uint64_t i = 0; i < n; i++) {
        void **slot = &live[choices[i % SIZES]];

        if (*slot != NULL) {
            bench_free(*slot);
        }
        *slot = bench_alloc(sizes[i % SIZES]);
        **(volatile uint64_t **)slot = i;
    }
}

static struct {
    void *slot[RING];
    _Alignas(64) uint64_t written; /* by the producer */
    _Alignas(64) uint64_t read;    /* by the consumer */
} ring;

/* Until *position is at least `wanted`; what it is. */
static uint64_t wait_for(const uint64_t *position, uint64_t wanted)
{
    uint64_t value;

    for (unsigned spins = 1;; spins++) {
        /* acquire: the slots up to there are written, or free again; pairs with publish */
        value = atomic_load_acquire(position);
        if (value >= wanted) {
            return value;
        }
        if (spins % SPINS == 0) {
            pair_yield();
        }
        __builtin_ia32_pause();
    }
}

static void publish(uint64_t *position, uint64_t value)
{
    /* release: what was done with the slots; pairs with wait_for */
    atomic_store_release(position, value);
}

/* Allocations from `from` to `to`. */
static void produce(uint64_t from, uint64_t to)
{
    for (uint64_t i = from; i < to; i++) {
        if (i % BATCH == 0) {
            publish(&ring.written, i);
            if (i + BATCH > RING) {
                (void)wait_for(&ring.read, i + BATCH - RING);
            }
        }
        uint64_t *object = bench_alloc(sizes[i % SIZES]);

        *(volatile uint64_t *)object = i;
        ring.slot[i % RING] = object;
    }
    publish(&ring.written, to);
}

static void *consume(void *unused)
{
    uint64_t end = 0;

    pair_bind(1);
    bench_thread(1);
    for (uint64_t i = 0; i < operations; i++) {
        if (i == end) {
            publish(&ring.read, i);
            end = wait_for(&ring.written, i + 1);
        }
        bench_free(ring.slot[i % RING]);
        if (i % BATCH == 0) {
            publish(&ring.read, i);
        }
    }
    return unused;
}

/* Nanoseconds of a part, which is `n` operations. */
static double measure_remote(uint64_t n)
{
    double ns[PAIR_PARTS];

    pair_start(consume);
    produce(0, n); /* warm-up */
    for (unsigned i = 0; i < PAIR_PARTS; i++) {
        double start = pair_now_ns();

        produce((i + 1) * n, (i + 2) * n);
        ns[i] = pair_now_ns() - start;
    }
    pair_join();
    return pair_percentile(ns, 10);
}

static double measure_local(void (*run)(uint64_t n), uint64_t n)
{
    double ns[PAIR_PARTS];

    run(n); /* warm-up */
    for (unsigned i = 0; i < PAIR_PARTS; i++) {
        double start = own_ns();

        run(n);
        ns[i] = own_ns() - start;
    }
    return pair_percentile(ns, 50);
}

static void choose_sizes(const char *bytes)
{
    for (unsigned i = 0; i < SIZES; i++) {
        sizes[i] = strcmp(bytes, "mix") == 0 ? mix_bytes[next_random() % ARRAY_SIZE(mix_bytes)]
                                             : (uint16_t)atoi(bytes);
        choices[i] = (uint16_t)(next_random() % LIVE);
    }
}

int main(int argc, char **argv)
{
    double ns;

    if (argc != 4) {
        (void)fprintf(stderr, "usage: see the head of tests/host_bench/bench.c\n");
        return 2;
    }
    choose_sizes(argv[2]);
    uint64_t n = strtoull(argv[3], NULL, 10) / PAIR_PARTS / BATCH * BATCH;

    operations = (PAIR_PARTS + 1) * n;
    pair_init();
    pair_bind(0);
    bench_init();
    bench_thread(0);
    if (strcmp(argv[1], "remote") == 0) {
        ns = measure_remote(n);
    } else {
        ns = measure_local(strcmp(argv[1], "live") == 0 ? run_live : run_pair, n);
    }
    (void)printf("%.3f\n", ns / (double)n);
    return 0;
}
