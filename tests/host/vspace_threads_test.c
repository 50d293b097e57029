/* SPDX-License-Identifier: MIT */
/*
 * Threads, each a core, that map, touch, protect and unmap the same few places of one space, at random.
 *
 * No core has entered the space, so that nobody has to answer a shootdown: what meets here are the
 * locks, the claims and the life of regions and objects. What an operation answers depends on the others;
 * what must hold is that nothing is left in the end, and that the sanitizer finds no race.
 */
#include <pthread.h>
#include <stdlib.h>

#include "arch/irq.h"
#include "kernel/abi/limits.h"
#include "mm/drain.h"
#include "mm/memory.h"
#include "tests/host/machine.h"
#include "tests/host/space.h"
#include "tests/test.h"

#define THREADS 4U
#define OPERATIONS 100000U
#define PLACES 4U
#define MOST_PAGES 70U /* more than are entered in one go */
#define AT(place) (SPACE_BASE + (place)*2 * MOST_PAGES * PAGE_BYTES)

static struct memory *memory;

struct worker {
    pthread_t thread;
    cpu_t core;
    unsigned seed;
};

static bool among(status_t status, status_t one, status_t other)
{
    return status == OK || status == one || status == other;
}

static void map_one(struct worker *worker, vaddr_t address, uint64_t bytes)
{
    struct vspace_mapping mapping = {
        .address = address,
        .bytes = bytes,
        .protection = SPACE_RW,
        .flags = rand_r(&worker->seed) % 2 == 0 ? MEMORY_POPULATE : 0,
        .allowed = PROTECT_ALL,
        .memory = rand_r(&worker->seed) % 2 == 0 ? memory : NULL,
    };
    vaddr_t mapped;

    EXPECT_TRUE(among(vspace_map(space, &mapping, &mapped), ERR_EXISTS, ERR_NO_MEMORY));
}

static void step(struct worker *worker)
{
    static const uint64_t sizes[] = {1, 1, 1, 2, 3, MOST_PAGES};
    vaddr_t address = AT((unsigned)rand_r(&worker->seed) % PLACES);
    uint64_t bytes = sizes[(unsigned)rand_r(&worker->seed) % 6] * PAGE_BYTES;

    switch ((unsigned)rand_r(&worker->seed) % 6) {
    case 0:
    case 1:
        map_one(worker, address, bytes);
        break;
    case 2:
    case 3:
        EXPECT_TRUE(among(vspace_unmap(space, address, bytes), ERR_NOT_FOUND, ERR_NO_MEMORY));
        break;
    case 4:
        EXPECT_TRUE(among(vspace_fault(space, address, PROTECT_READ), ERR_FAULT, ERR_NO_MEMORY));
        break;
    default:
        EXPECT_TRUE(among(vspace_protect(space, address, bytes, PROTECT_READ), ERR_NOT_FOUND,
                          ERR_NO_MEMORY));
        break;
    }
}

static void *work(void *argument)
{
    struct worker *worker = argument;

    machine_be_core(worker->core);
    irq_enable();
    for (unsigned i = 0; i < OPERATIONS; i++) {
        step(worker);
    }
    machine_leave_core();
    return NULL;
}

TEST(vspace, threads_map_and_unmap_the_same_places)
{
    static struct worker worker[THREADS];

    space_start();
    EXPECT_OK(memory_create(&space_account, NULL, MOST_PAGES, &memory));
    machine_leave_core();
    for (unsigned i = 0; i < THREADS; i++) {
        worker[i].core = i + 1;
        worker[i].seed = i + 1;
        ASSERT_TRUE(pthread_create(&worker[i].thread, NULL, work, &worker[i]) == 0);
    }
    for (unsigned i = 0; i < THREADS; i++) {
        ASSERT_TRUE(pthread_join(worker[i].thread, NULL) == 0);
    }
    machine_be_core(0);
    for (vaddr_t at = AT(0); at < AT(PLACES); at += PAGE_BYTES) {
        EXPECT_TRUE(among(vspace_unmap(space, at, PAGE_BYTES), ERR_NOT_FOUND, ERR_NOT_FOUND));
    }
    EXPECT_EQ(space->region_count, 0);
    EXPECT_EQ(space->pages, 0);
    EXPECT_TRUE(list_is_empty(&memory->mappings));
    EXPECT_EQ(memory->object.references, 1);
    object_release(&memory->object);
    space_finish();
}
