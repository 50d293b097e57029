/* SPDX-License-Identifier: MIT */
/*
 * Threads, each a core, that allocate, exchange, free, sleep, drain and are asked to drain, at random,
 * against a shadow of what is allocated.
 *
 * The shadow has a byte for each 32 bytes of memory: set when an object is given out, cleared before
 * it is freed. Its accesses are relaxed, so that they hide no missing order from the thread
 * sanitizer. BATON_OPERATIONS says how many operations in all, BATON_SEED where the random numbers
 * begin.
 */

#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "arch/core.h"
#include "arch/ipi.h"
#include "arch/irq.h"
#include "arch/layout.h"
#include "kernel/abi/limits.h"
#include "kernel/base/atomic.h"
#include "mm/drain.h"
#include "mm/frame.h"
#include "mm/nexus.h"
#include "mm/spmalloc.h"
#include "tests/host/machine.h"
#include "tests/test.h"

#define PAGES 8192U
#define THREADS 4U
#define SLOTS 512U
#define GRANULE 32U
#define OPERATIONS 100000U
#define HANG_SECONDS_A_MILLION 120U
#define DRAIN_EVERY 2000U
#define SLEEP_EVERY 300U

enum kind { OBJECT, ALIGNED, PAGE };

/* In front of each thing that is given out; the same mark stands at its end. */
struct head {
    uint64_t bytes;
    uint64_t mark;
    enum kind kind;
};

static struct head *slot[SLOTS];
static uint8_t shadow[PAGES * PAGE_BYTES / GRANULE];
static struct account accounts[2];
static uint64_t operations;
static uint64_t seed;
static uint32_t finished; /* threads that drain no more */

struct worker {
    pthread_t thread;
    cpu_t core;
    uint64_t random;
    uint64_t freed;
};

static uint64_t next_random(struct worker *worker)
{
    uint64_t x = worker->random;

    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
    worker->random = x;
    return x >> 16;
}

static void set_shadow(const void *object, uint64_t bytes, uint8_t value)
{
    uint64_t first = (direct_unmap(object) - MACHINE_RAM_BASE) / GRANULE;
    uint64_t last = (direct_unmap(object) - MACHINE_RAM_BASE + bytes - 1) / GRANULE;

    for (uint64_t i = first; i <= last; i++) {
        /* relaxed: must order nothing; whoever has the object is the only one to write these */
        EXPECT_EQ(atomic_load_relaxed(&shadow[i]), !value);
        atomic_store_relaxed(&shadow[i], value);
    }
}

static uint64_t *mark_at_end(struct head *head)
{
    return (uint64_t *)(void *)((char *)head + (head->bytes & ~7UL)) - 1;
}

static uint64_t random_bytes(struct worker *worker)
{
    uint64_t n = next_random(worker);

    switch (n % 16) {
    case 0:
        return 2049 + (n >> 4) % 14000;
    case 1:
    case 2:
        return 512 + (n >> 4) % 1537;
    default:
        return 32 + (n >> 4) % 480;
    }
}

static struct head *make(struct worker *worker)
{
    uint64_t choice = next_random(worker);
    struct account *account = &accounts[choice >> 8 & 1];
    enum kind kind = choice % 8 == 0 ? PAGE : choice % 8 == 1 ? ALIGNED : OBJECT;
    uint64_t bytes = kind == PAGE ? PAGE_BYTES : random_bytes(worker);
    struct head *head;

    if (kind == PAGE) {
        paddr_t page = nexus_alloc_page();
        head = page == FRAME_NONE ? NULL : direct_map(page);
    } else if (kind == ALIGNED) {
        head = spmalloc_aligned(account, bytes, 256);
        EXPECT_TRUE(IS_ALIGNED((uintptr_t)head, 256));
    } else {
        head = spmalloc(account, bytes);
    }
    if (head != NULL) {
        set_shadow(head, bytes, 1);
        *head = (struct head){bytes, next_random(worker), kind};
        *mark_at_end(head) = bytes >= sizeof(*head) + 8 ? head->mark : *mark_at_end(head);
    }
    return head;
}

static void end(struct worker *worker, struct head *head)
{
    if (head == NULL) {
        return;
    }
    if (head->bytes >= sizeof(*head) + 8) {
        EXPECT_EQ(*mark_at_end(head), head->mark);
    }
    set_shadow(head, head->bytes, 0);
    worker->freed++;
    if (head->kind == PAGE) {
        nexus_free_page(direct_unmap(head));
    } else {
        spmalloc_free(head);
    }
}

/* Between two operations: what an interrupt would do. */
static void take_interrupt(cpu_t me)
{
    /* relaxed: spares the swap */
    if (atomic_load_relaxed(&cores[me].ipi_reasons) != 0) {
        /* acq_rel: as in trap_handle_ipi; pairs with the or in ipi_request */
        (void)atomic_swap_acq_rel(&cores[me].ipi_reasons, 0U);
        drain_handle_ipi();
    }
}

static void *exchange(void *argument)
{
    struct worker *worker = argument;
    cpu_t me = worker->core;

    machine_be_core(me);
    irq_enable();
    for (uint64_t i = 0; i < operations / THREADS; i++) {
        struct head **place = &slot[next_random(worker) % SLOTS];
        struct head *fresh = next_random(worker) % 8 == 0 ? NULL : make(worker);

        /* acq_rel: the contents go with the object; pairs with itself in the other threads */
        end(worker, atomic_swap_acq_rel(place, fresh));
        take_interrupt(me);
        if (next_random(worker) % SLEEP_EVERY == 0) {
            machine_leave_core();
            machine_be_core(me);
        }
        /* One thread only, for no interrupt can come to one that waits here. A build with assertions
         * does without where the pretended machine knows no interrupts. */
        if (me == 1 && next_random(worker) % DRAIN_EVERY == 0 && (!BATON_DEBUG || irq_enabled())) {
            drain_all();
        }
    }
    /* relaxed, both: only a count. Nobody goes to sleep for good with a request pending. */
    (void)atomic_add_relaxed(&finished, 1U);
    while (atomic_load_relaxed(&finished) != THREADS) {
        take_interrupt(me);
        (void)sched_yield();
    }
    machine_leave_core();
    return NULL;
}

static uint64_t from_environment(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);

    return text == NULL ? otherwise : strtoull(text, NULL, 10);
}

TEST(threads, allocate_exchange_sleep_and_drain_without_mixing_memory)
{
    static struct worker worker[THREADS];
    uint64_t before;
    uint64_t freed = 0;

    operations = from_environment("BATON_OPERATIONS", OPERATIONS);
    seed = from_environment("BATON_SEED", 1);
    (void)alarm((unsigned)(60 + operations / 1000000 * HANG_SECONDS_A_MILLION));
    machine_init(PAGES);
    before = machine_free_pages();
    machine_leave_core();
    account_init(&accounts[0], ACCOUNT_UNLIMITED);
    account_init(&accounts[1], 64);
    for (unsigned i = 0; i < THREADS; i++) {
        worker[i].core = i + 1;
        worker[i].random = (seed * THREADS + i + 1) * 0x9e3779b97f4a7c15UL;
        ASSERT_TRUE(pthread_create(&worker[i].thread, NULL, exchange, &worker[i]) == 0);
    }
    for (unsigned i = 0; i < THREADS; i++) {
        ASSERT_TRUE(pthread_join(worker[i].thread, NULL) == 0);
        freed += worker[i].freed;
    }
    machine_be_core(0);
    EXPECT_TRUE(freed > operations / 2);
    for (unsigned i = 0; i < SLOTS; i++) {
        end(&worker[0], slot[i]);
        slot[i] = NULL;
    }
    drain_all();
    for (unsigned i = 0; i < 2; i++) {
        EXPECT_EQ(account_pages(&accounts[i]), 0);
        account_close(&accounts[i]);
        EXPECT_EQ(account_finish(&accounts[i]), 0);
    }
    EXPECT_EQ(machine_free_pages(), before);
    EXPECT_EQ(spmalloc_objects(), 0);
}
