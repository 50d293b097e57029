/* SPDX-License-Identifier: MIT */
/* Rows about memory: first touch, map and unmap. */
#include "user/programs/bench/memory.h"

#include <stdbool.h>

#include "user/lib/baton.h"
#include "user/programs/bench/measure.h"

#define READ_WRITE (PROTECT_READ | PROTECT_WRITE)
#define TOUCHED_PAGES 1000 /* at once, so that the row runs in 64 MiB, too; divides MEASURE_LOOPS */
#define TOUCHED_BYTES (TOUCHED_PAGES * (uint64_t)PAGE_BYTES)
#define PLACE ((char *)0x3000000000UL)

/* The instructions of touching TOUCHED_PAGES fresh pages; 0 when there is no memory for them. */
static uint64_t touch_pages(void)
{
    volatile char *next = (volatile char *)memory_map(NULL, TOUCHED_BYTES, READ_WRITE);
    void *base = (void *)(uintptr_t)next;
    uint64_t start = measure_count();

    if ((int64_t)(uintptr_t)base < 0) {
        return 0;
    }
    for (int turn = 0; turn < TOUCHED_PAGES; turn++) {
        *next = 1;
        next += PAGE_BYTES;
    }
    start = measure_count() - start;
    return memory_unmap(base, TOUCHED_BYTES) == OK ? start : 0;
}

void bench_first_touch(const char *id)
{
    uint64_t idles = 1;
    uint64_t count = 0;

    for (int attempt = 0; idles != 0 && attempt < MEASURE_ATTEMPTS; attempt++) {
        (void)touch_pages(); /* warm-up */
        count = 0;
        idles = measure_idles();
        for (int touched = 0; touched < MEASURE_LOOPS; touched += TOUCHED_PAGES) {
            uint64_t part = touch_pages();

            if (part == 0) {
                measure_fail(id, "no memory");
                return;
            }
            count += part;
        }
        idles = measure_idles() - idles;
    }
    measure_report(id, count, 1, idles);
}

/* An object whose page is there once it has been mapped, and a mapping that keeps the page table. */
static bool begin_mapping(const char *id, handle_t *memory)
{
    int64_t handle = memory_create(PAGE_BYTES, MEMORY_ANONYMOUS);

    *memory = (handle_t)handle;
    if (handle >= 0 && memory_map(PLACE, PAGE_BYTES, READ_WRITE | MEMORY_POPULATE) >= 0) {
        return true;
    }
    measure_fail(id, "no memory");
    return false;
}

static void end_mapping(const char *id, handle_t memory, uint64_t wrong)
{
    if (wrong != 0) {
        measure_fail(id, "a call failed");
    }
    memory_unmap(PLACE, PAGE_BYTES);
    handle_close(memory);
}

/* In the same place each time. */
void bench_map_unmap_page(const char *id)
{
    uint64_t wrong = 0;
    handle_t memory;

    if (!begin_mapping(id, &memory)) {
        return;
    }
    MEASURE(id, 1,
            wrong += memory_map_object(PLACE + PAGE_BYTES, PAGE_BYTES, READ_WRITE | MEMORY_POPULATE,
                                       memory, 0, 0) < 0;
            wrong += memory_unmap(PLACE + PAGE_BYTES, PAGE_BYTES) != OK);
    end_mapping(id, memory, wrong);
}

/* Never where it was the last time. */
void bench_map_unmap_moved(const char *id)
{
    uint64_t wrong = 0;
    uint64_t at = PAGE_BYTES;
    handle_t memory;

    if (!begin_mapping(id, &memory)) {
        return;
    }
    MEASURE(id, 1, at ^= 3 * PAGE_BYTES;
            wrong += memory_map_object(PLACE + at, PAGE_BYTES, READ_WRITE | MEMORY_POPULATE, memory,
                                       0, 0) < 0;
            wrong += memory_unmap(PLACE + at, PAGE_BYTES) != OK);
    end_mapping(id, memory, wrong);
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
