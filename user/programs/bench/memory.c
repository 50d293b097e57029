/* SPDX-License-Identifier: MIT */
/* Rows about memory: first touch, map and unmap. */
#include "user/programs/bench/memory.h"

#include <stdbool.h>

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
