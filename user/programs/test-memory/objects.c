/* SPDX-License-Identifier: MIT */
/* Memory objects: shared, cloned, protected, pinned; rights of their handles. */
#include <string.h>

#include "user/lib/test.h"

#define READ_WRITE (PROTECT_READ | PROTECT_WRITE)
#define PAGES 20UL
#define BYTES (PAGES * PAGE_BYTES)

static uint64_t *map_all(handle_t memory, uint64_t protection)
{
    int64_t address = memory_map_object(NULL, BYTES, protection, memory, 0, 0);

    EXPECT(address > 0);
    return (uint64_t *)address;
}

static uint64_t *page(uint64_t *base, uint64_t index)
{
    return base + index * PAGE_BYTES / sizeof(*base);
}

static struct memory_info info_of(handle_t memory)
{
    struct memory_info info = {0};

    EXPECT_EQUAL(memory_info(memory, &info), OK);
    return info;
}

TEST(user_memory_object, two_mappings_show_the_same_bytes)
{
    int64_t memory = memory_create(BYTES - 1, MEMORY_ANONYMOUS);

    ASSERT(memory > 0);
    uint64_t *one = map_all((handle_t)memory, READ_WRITE);
    uint64_t *two = map_all((handle_t)memory, PROTECT_READ);

    *page(one, 3) = 77;
    EXPECT_EQUAL(*page(two, 3), 77);
    EXPECT_EQUAL(info_of((handle_t)memory).mappings, 2);
    EXPECT_EQUAL(info_of((handle_t)memory).bytes, BYTES);
    EXPECT_EQUAL(handle_close((handle_t)memory), OK);
    EXPECT_EQUAL(memory_unmap(one, BYTES), OK);
    EXPECT_EQUAL(*page(two, 3), 77);
    EXPECT_EQUAL(memory_unmap(two, BYTES), OK);
}

TEST(user_memory_object, memory_takes_nothing_until_it_is_touched)
{
    int64_t memory = memory_create(BYTES, MEMORY_ANONYMOUS);

    ASSERT(memory > 0);
    uint64_t *base = map_all((handle_t)memory, READ_WRITE);

    EXPECT_EQUAL(info_of((handle_t)memory).charged_bytes, 0);
    *page(base, 0) = 1;
    *page(base, 19) = 1;
    EXPECT_EQUAL(info_of((handle_t)memory).charged_bytes, 3 * PAGE_BYTES); /* and their node */
    EXPECT_EQUAL(memory_unmap(base, BYTES), OK);
    EXPECT_EQUAL(handle_close((handle_t)memory), OK);
}

TEST(user_memory_object, a_clone_keeps_what_was_there)
{
    int64_t memory = memory_create(BYTES, MEMORY_ANONYMOUS);
    uint64_t *base = map_all((handle_t)memory, READ_WRITE);

    for (uint64_t i = 0; i < PAGES; i += 2) {
        *page(base, i) = i + 1;
    }
    int64_t clone = memory_clone((handle_t)memory);

    ASSERT(clone > 0);
    uint64_t *copy = map_all((handle_t)clone, READ_WRITE);

    for (uint64_t i = 0; i < PAGES; i++) { /* both ways, shared pages and fresh ones */
        *page(i % 4 < 2 ? base : copy, i) = 100 + i;
    }
    for (uint64_t i = 0; i < PAGES; i++) {
        uint64_t old = i % 2 == 0 ? i + 1 : 0;

        EXPECT_EQUAL(*page(base, i), i % 4 < 2 ? 100 + i : old);
        EXPECT_EQUAL(*page(copy, i), i % 4 < 2 ? old : 100 + i);
    }
    EXPECT_EQUAL(memory_unmap(base, BYTES), OK);
    EXPECT_EQUAL(memory_unmap(copy, BYTES), OK);
    EXPECT_EQUAL(handle_close((handle_t)memory), OK);
    EXPECT_EQUAL(handle_close((handle_t)clone), OK);
}

TEST(user_memory_object, handles_without_the_right_do_not_map_so)
{
    int64_t memory = memory_create(BYTES, MEMORY_ANONYMOUS);

    ASSERT(memory > 0);
    for (unsigned bits = 0; bits < 8; bits++) {
        rights_t rights = RIGHT_TRANSFER | ((bits & 1) != 0 ? RIGHT_MAP_READ : 0U) |
                          ((bits & 2) != 0 ? RIGHT_MAP_WRITE : 0U) |
                          ((bits & 4) != 0 ? RIGHT_MAP_EXECUTE : 0U);
        int64_t weak = handle_duplicate((handle_t)memory, rights, 0);

        ASSERT(weak > 0);
        for (unsigned wanted = 1; wanted < 6; wanted++) {
            int64_t address = memory_map_object(NULL, PAGE_BYTES, wanted, (handle_t)weak, 0, 0);
            bool allowed = (bits & 1) != 0 && (wanted & ~bits) == 0;

            EXPECT(allowed ? address > 0 : address == ERR_NO_RIGHT || wanted == 6);
            if (address > 0) {
                EXPECT_EQUAL(memory_protect((void *)address, PAGE_BYTES, READ_WRITE),
                             (bits & 2) != 0 ? OK : ERR_NO_RIGHT);
                EXPECT_EQUAL(memory_protect((void *)address, PAGE_BYTES, PROTECT_EXECUTE),
                             (bits & 4) != 0 ? OK : ERR_NO_RIGHT);
                EXPECT_EQUAL(memory_unmap((void *)address, PAGE_BYTES), OK);
            }
        }
        EXPECT_EQUAL(memory_clone((handle_t)weak) > 0, (bits & 1) != 0);
        EXPECT_EQUAL(memory_pin((handle_t)weak, 0, PAGE_BYTES), (bits & 2) != 0 ? 0 : ERR_NO_RIGHT);
        EXPECT_EQUAL(handle_close((handle_t)weak), OK);
    }
    EXPECT_EQUAL(handle_close((handle_t)memory), OK);
}

/* li a0, 42; ret */
static const uint32_t code[] = {0x02a00513, 0x00008067};

TEST(user_memory_object, written_code_runs_after_it_is_protected)
{
    int64_t address = memory_map(NULL, PAGE_BYTES, READ_WRITE);

    ASSERT(address > 0);
    memcpy((void *)address, code, sizeof(code));
    EXPECT_EQUAL(memory_protect((void *)address, PAGE_BYTES, READ_WRITE | PROTECT_EXECUTE),
                 ERR_INVALID);
    ASSERT_EQUAL(memory_protect((void *)address, PAGE_BYTES, PROTECT_EXECUTE), OK);
    EXPECT_EQUAL(((int (*)(void))(uintptr_t)address)(), 42);
    EXPECT_EQUAL(memory_info(HANDLE_NONE, (struct memory_info *)address), ERR_BAD_HANDLE);
    EXPECT_EQUAL(memory_unmap((void *)address, PAGE_BYTES), OK);
}

TEST(user_memory_object, a_block_is_side_by_side_and_comes_apart)
{
    int64_t memory = memory_create(2UL << 20, MEMORY_CONTIGUOUS);

    ASSERT(memory > 0);
    int64_t first = memory_pin((handle_t)memory, 0, PAGE_BYTES);

    EXPECT(first > 0 && first % (2L << 20) == 0);
    EXPECT_EQUAL(memory_pin((handle_t)memory, 5 * PAGE_BYTES, PAGE_BYTES),
                 first + 5 * (int64_t)PAGE_BYTES);
    EXPECT_EQUAL(memory_unpin((handle_t)memory, 0, PAGE_BYTES), OK);
    EXPECT_EQUAL(memory_clone((handle_t)memory), ERR_INVALID);
    char *base =
        (char *)memory_map_object(NULL, 2UL << 20, READ_WRITE, (handle_t)memory, 0, 2UL << 20);

    ASSERT((int64_t)base > 0);
    EXPECT_EQUAL((uintptr_t)base % (2UL << 20), 0);
    memset(base, 9, 2UL << 20);
    EXPECT_EQUAL(memory_unmap(base + 100 * PAGE_BYTES, PAGE_BYTES), OK);
    EXPECT_EQUAL(memory_protect(base, 50 * PAGE_BYTES, PROTECT_READ), OK);
    EXPECT_EQUAL(base[99 * PAGE_BYTES] + base[101 * PAGE_BYTES] + base[0], 27);
    base[50 * PAGE_BYTES] = 1;
    EXPECT_EQUAL(debug_write(base + 100 * PAGE_BYTES, 1), ERR_FAULT);
    EXPECT_EQUAL(memory_info((handle_t)memory, (struct memory_info *)base), ERR_FAULT);
    EXPECT_EQUAL(memory_unmap(base, 100 * PAGE_BYTES), OK);
    EXPECT_EQUAL(memory_unmap(base + 101 * PAGE_BYTES, 411 * PAGE_BYTES), OK);
    EXPECT_EQUAL(handle_close((handle_t)memory), OK);
}

TEST(user_memory_object, wrong_arguments_are_refused)
{
    handle_t memory = (handle_t)memory_create(BYTES, MEMORY_ANONYMOUS);
    handle_t domain = program_own_domain();
    struct memory_info info;

    EXPECT_EQUAL(memory_create(0, MEMORY_ANONYMOUS), ERR_INVALID);
    EXPECT_EQUAL(memory_create(~0UL, MEMORY_ANONYMOUS), ERR_INVALID);
    EXPECT_EQUAL(memory_create(PAGE_BYTES, MEMORY_DEVICE), ERR_INVALID);
    EXPECT_EQUAL(memory_create(PAGE_BYTES, ~0UL), ERR_INVALID);
    EXPECT_EQUAL(memory_create(1UL << 30, MEMORY_CONTIGUOUS), ERR_INVALID);
    EXPECT_EQUAL(memory_map_object(NULL, BYTES + 1, READ_WRITE, memory, 0, 0), ERR_INVALID);
    EXPECT_EQUAL(memory_map_object(NULL, PAGE_BYTES, READ_WRITE, memory, BYTES, 0), ERR_INVALID);
    EXPECT_EQUAL(memory_map_object(NULL, PAGE_BYTES, READ_WRITE, memory, ~0UL - PAGE_BYTES + 1, 0),
                 ERR_INVALID);
    EXPECT_EQUAL(memory_map_object(NULL, PAGE_BYTES, READ_WRITE, memory, 1, 0), ERR_INVALID);
    EXPECT_EQUAL(memory_map_object(NULL, PAGE_BYTES, READ_WRITE, memory, 0, 3), ERR_INVALID);
    EXPECT_EQUAL(memory_map_object(NULL, PAGE_BYTES, READ_WRITE, domain, 0, 0), ERR_WRONG_TYPE);
    EXPECT_EQUAL(memory_map_object(NULL, PAGE_BYTES, READ_WRITE, ~0UL, 0, 0), ERR_BAD_HANDLE);
    EXPECT_EQUAL(memory_clone(domain), ERR_WRONG_TYPE);
    EXPECT_EQUAL(memory_clone(HANDLE_NONE), ERR_BAD_HANDLE);
    EXPECT_EQUAL(memory_pin(domain, 0, PAGE_BYTES), ERR_WRONG_TYPE);
    EXPECT_EQUAL(memory_pin(memory, 1, PAGE_BYTES), ERR_INVALID);
    EXPECT_EQUAL(memory_pin(memory, 0, BYTES + PAGE_BYTES), ERR_INVALID);
    EXPECT_EQUAL(memory_unpin(memory, 0, PAGE_BYTES), ERR_NOT_FOUND);
    EXPECT_EQUAL(memory_unpin(HANDLE_NONE, 0, PAGE_BYTES), ERR_BAD_HANDLE);
    EXPECT_EQUAL(memory_slice(memory, 0, PAGE_BYTES), ERR_INVALID);
    EXPECT_EQUAL(memory_slice(domain, 0, PAGE_BYTES), ERR_WRONG_TYPE);
    EXPECT_EQUAL(memory_info(domain, &info), ERR_WRONG_TYPE);
    EXPECT_EQUAL(memory_info(memory, (struct memory_info *)8), ERR_FAULT);
    EXPECT_EQUAL(memory_protect((void *)0x3000000000UL, PAGE_BYTES, READ_WRITE), ERR_NOT_FOUND);
    EXPECT_EQUAL(memory_protect((void *)0x3000000000UL, PAGE_BYTES, 1UL << 40), ERR_INVALID);
    EXPECT_EQUAL(program_device_memory(), HANDLE_NONE);
    EXPECT_EQUAL(handle_close(memory), OK);
}

/* One page of memory that takes writes while another thread clones it. */
static volatile uint64_t *counter;
static volatile bool stop;

static int count_up(void *argument)
{
    (void)argument;
    thread_migrate(1);
    while (!stop) {
        ++*counter;
    }
    return 0;
}

TEST(user_memory_object, no_write_is_lost_while_another_thread_clones)
{
    int64_t memory = memory_create(PAGE_BYTES, MEMORY_ANONYMOUS);
    struct thread thread;
    uint64_t last = 0;

    ASSERT(memory > 0);
    counter = (uint64_t *)memory_map_object(NULL, PAGE_BYTES, READ_WRITE, (handle_t)memory, 0, 0);
    ASSERT((int64_t)(uintptr_t)counter > 0);
    stop = false;
    ASSERT_EQUAL(thread_start(&thread, count_up, NULL), OK);
    for (int i = 0; i < 200; i++) {
        int64_t clone = memory_clone((handle_t)memory);

        ASSERT(clone > 0);
        uint64_t *copy =
            (uint64_t *)memory_map_object(NULL, PAGE_BYTES, PROTECT_READ, (handle_t)clone, 0, 0);
        uint64_t seen = *copy;

        EXPECT(seen >= last && *counter >= seen);
        thread_yield();
        EXPECT_EQUAL(*copy, seen);
        last = seen;
        EXPECT_EQUAL(memory_unmap(copy, PAGE_BYTES), OK);
        EXPECT_EQUAL(handle_close((handle_t)clone), OK);
    }
    stop = true;
    thread_join(&thread);
    EXPECT_EQUAL(memory_unmap((void *)(uintptr_t)counter, PAGE_BYTES), OK);
    EXPECT_EQUAL(handle_close((handle_t)memory), OK);
}
