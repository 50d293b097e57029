/* SPDX-License-Identifier: MIT */
/* Rows about memory: first touch, map and unmap. */
#include "user/programs/bench/memory.h"

#include "user/lib/baton.h"
#include "user/programs/bench/measure.h"

#define READ_WRITE (PROTECT_READ | PROTECT_WRITE)
#define TOUCHED_BYTES ((MEASURE_LOOPS + MEASURE_WARM_UP) * (uint64_t)PAGE_BYTES)
#define PLACE ((char *)0x3000000000UL)

void bench_first_touch(const char *id)
{
    volatile char *next = (volatile char *)memory_map(NULL, TOUCHED_BYTES, READ_WRITE);
    volatile char *base = next;

    if ((int64_t)(uintptr_t)base < 0) {
        measure_fail(id, status_text((int64_t)(uintptr_t)base));
        return;
    }
    MEASURE(id, 1, *next = 1; next += PAGE_BYTES);
    memory_unmap((void *)(uintptr_t)base, TOUCHED_BYTES);
}

/* The page of the object is there, and so is the page table: its neighbour is mapped. */
void bench_map_unmap_page(const char *id)
{
    handle_t memory = (handle_t)memory_create(PAGE_BYTES, MEMORY_ANONYMOUS);
    int64_t neighbour = memory_map(PLACE, PAGE_BYTES, READ_WRITE | MEMORY_POPULATE);
    uint64_t wrong = 0;

    if ((int64_t)memory < 0 || neighbour < 0) {
        measure_fail(id, "no memory");
        return;
    }
    MEASURE(id, 1,
            wrong += memory_map_object(PLACE + PAGE_BYTES, PAGE_BYTES, READ_WRITE | MEMORY_POPULATE,
                                       memory, 0, 0) < 0;
            wrong += memory_unmap(PLACE + PAGE_BYTES, PAGE_BYTES) != OK);
    if (wrong != 0) {
        measure_fail(id, "a call failed");
    }
    memory_unmap(PLACE, PAGE_BYTES);
    handle_close(memory);
}

void bench_map_touch_unmap(const char *id)
{
    uint64_t wrong = 0;

    MEASURE(id, 1, volatile char *page = (volatile char *)memory_map(NULL, PAGE_BYTES, READ_WRITE);
            *page = 1; wrong += memory_unmap((void *)(uintptr_t)page, PAGE_BYTES) != OK);
    if (wrong != 0) {
        measure_fail(id, "a call failed");
    }
}
