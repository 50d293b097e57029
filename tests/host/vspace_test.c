/* SPDX-License-Identifier: MIT */
/* Tests address spaces on a pretended machine. */

#include <stdlib.h>
#include <string.h>

#include "arch/layout.h"
#include "arch/usercopy.h"
#include "kernel/abi/syscall.h"
#include "mm/fail.h"
#include "mm/frame.h"
#include "mm/nexus.h"
#include "mm/spmalloc.h"
#include "tests/host/machine.h"
#include "tests/host/space.h"
#include "tests/test.h"

TEST(vspace, empty_space_holds_one_page_and_gives_it_back)
{
    space_start();
    EXPECT_EQ(account_pages(&space_account), 1);
    space_finish();
}

TEST(vspace, touched_pages_are_zero_and_have_their_protection)
{
    vaddr_t mapped = 0;
    paddr_t physical = 0;

    space_start();
    EXPECT_OK(vspace_map_anonymous(space, SPACE_BASE, 2 * PAGE_BYTES + 1, SPACE_RW, &mapped));
    EXPECT_EQ(mapped, SPACE_BASE);
    EXPECT_EQ(space->pages, 0);
    EXPECT_EQ(vspace_translate(space, SPACE_BASE, PROTECT_READ, &physical), ERR_FAULT);
    space_touch(SPACE_BASE, 3);
    EXPECT_EQ(space->pages, 3);
    EXPECT_OK(vspace_translate(space, SPACE_BASE + 0x1234, SPACE_RW, &physical));
    EXPECT_EQ(physical % PAGE_BYTES, 0x234);
    EXPECT_EQ(*(uint8_t *)direct_map(physical), 0);
    EXPECT_EQ(vspace_fault(space, SPACE_BASE, PROTECT_EXECUTE), ERR_FAULT);
    EXPECT_EQ(vspace_fault(space, SPACE_BASE + 3 * PAGE_BYTES, PROTECT_READ), ERR_FAULT);
    EXPECT_OK(vspace_map_anonymous(space, 0x800000, 1, PROTECT_EXECUTE, &mapped));
    EXPECT_OK(vspace_fault(space, 0x800fff, PROTECT_EXECUTE));
    EXPECT_OK(vspace_translate(space, 0x800000, PROTECT_READ | PROTECT_EXECUTE, &physical));
    EXPECT_EQ(vspace_fault(space, 0x800000, PROTECT_WRITE), ERR_FAULT);
    EXPECT_EQ(vspace_fault(space, KSTACK_BASE, PROTECT_READ), ERR_FAULT);
    space_finish();
}

TEST(vspace, bad_arguments_are_refused)
{
    vaddr_t mapped = 77;

    space_start();
    EXPECT_EQ(vspace_map_anonymous(space, SPACE_BASE, 0, SPACE_RW, &mapped), ERR_INVALID);
    EXPECT_EQ(vspace_map_anonymous(space, SPACE_BASE + 1, 1, SPACE_RW, &mapped), ERR_INVALID);
    EXPECT_EQ(vspace_map_anonymous(space, SPACE_BASE, 1, PROTECT_WRITE | PROTECT_EXECUTE, &mapped),
              ERR_INVALID);
    EXPECT_EQ(vspace_map_anonymous(space, SPACE_BASE, 1, 16, &mapped), ERR_INVALID);
    EXPECT_EQ(vspace_map_anonymous(space, SPACE_BASE, 1, PROTECT_NONE | PROTECT_READ, &mapped),
              ERR_INVALID);
    EXPECT_EQ(vspace_map_anonymous(space, USER_TOP, 1, SPACE_RW, &mapped), ERR_INVALID);
    EXPECT_EQ(vspace_map_anonymous(space, USER_TOP - PAGE_BYTES, PAGE_BYTES + 1, SPACE_RW, &mapped),
              ERR_INVALID);
    EXPECT_EQ(vspace_map_anonymous(space, SPACE_BASE, UINT64_MAX, SPACE_RW, &mapped), ERR_INVALID);
    EXPECT_EQ(vspace_map_anonymous(space, 0, USER_TOP, SPACE_RW, &mapped), ERR_INVALID);
    EXPECT_EQ(vspace_map_anonymous(space, KSTACK_BASE, 1, SPACE_RW, &mapped), ERR_INVALID);
    EXPECT_EQ(vspace_unmap(space, SPACE_BASE, 0), ERR_INVALID);
    EXPECT_EQ(vspace_unmap(space, SPACE_BASE, UINT64_MAX), ERR_INVALID);
    EXPECT_EQ(vspace_unmap(space, 0, 1), ERR_INVALID);
    EXPECT_EQ(mapped, 77);
    space_finish();
}

TEST(vspace, overlap_is_refused)
{
    space_start();
    EXPECT_OK(space_map(SPACE_BASE, 4));
    EXPECT_EQ(space_map(SPACE_BASE, 1), ERR_EXISTS);
    EXPECT_EQ(space_map(SPACE_BASE + 3 * PAGE_BYTES, 9), ERR_EXISTS);
    EXPECT_EQ(space_map(SPACE_BASE - PAGE_BYTES, 9), ERR_EXISTS);
    EXPECT_OK(space_map(SPACE_BASE + 4 * PAGE_BYTES, 1));
    EXPECT_OK(space_map(SPACE_BASE - PAGE_BYTES, 1));
    EXPECT_EQ(space->region_count, 3);
    space_finish();
}

TEST(vspace, chosen_places_have_unmapped_neighbours)
{
    vaddr_t place[3] = {0};

    space_start();
    for (unsigned i = 0; i < 3; i++) {
        EXPECT_OK(vspace_map_anonymous(space, 0, 2 * PAGE_BYTES, SPACE_RW, &place[i]));
        EXPECT_TRUE(space_is_mapped(place[i]));
        EXPECT_FALSE(space_is_mapped(place[i] - 1));
        EXPECT_FALSE(space_is_mapped(place[i] + 2 * PAGE_BYTES));
    }
    EXPECT_OK(vspace_unmap(space, place[1], 2 * PAGE_BYTES));
    EXPECT_OK(vspace_map_anonymous(space, 0, PAGE_BYTES, SPACE_RW, &place[0]));
    EXPECT_EQ(place[0], place[1]); /* the hole is used again */
    space_finish();
}

TEST(vspace, unmap_splits_regions_and_keeps_the_rest)
{
    space_start();
    EXPECT_OK(space_map(SPACE_BASE, 5));
    EXPECT_OK(vspace_unmap(space, SPACE_BASE + PAGE_BYTES, PAGE_BYTES));
    EXPECT_OK(vspace_unmap(space, SPACE_BASE + 3 * PAGE_BYTES, PAGE_BYTES));
    for (unsigned i = 0; i < 5; i++) {
        EXPECT_EQ(space_is_mapped(SPACE_BASE + i * PAGE_BYTES), i % 2 == 0);
    }
    EXPECT_EQ(space->region_count, 3);
    EXPECT_EQ(vspace_unmap(space, SPACE_BASE, 2 * PAGE_BYTES), ERR_NOT_FOUND);
    EXPECT_EQ(vspace_unmap(space, SPACE_BASE + PAGE_BYTES, 2 * PAGE_BYTES), ERR_NOT_FOUND);
    EXPECT_TRUE(space_is_mapped(SPACE_BASE));
    EXPECT_OK(space_map(SPACE_BASE + PAGE_BYTES, 1));
    EXPECT_OK(vspace_unmap(space, SPACE_BASE, 3 * PAGE_BYTES)); /* three regions at once */
    EXPECT_OK(vspace_unmap(space, SPACE_BASE + 4 * PAGE_BYTES, PAGE_BYTES));
    EXPECT_EQ(space->region_count, 0);
    EXPECT_EQ(space->pages, 0);
    space_finish();
}

TEST(vspace, a_part_can_be_unmapped_when_all_memory_is_used_up)
{
    space_start();
    EXPECT_OK(space_map(SPACE_BASE, 5));
    while (nexus_alloc_page() != FRAME_NONE) {
    }
    while (spmalloc(&space_account, sizeof(struct vspace_region)) != NULL) {
    }
    EXPECT_TRUE(account_pages(&space_account) < SPACE_QUOTA_PAGES);
    EXPECT_OK(vspace_unmap(space, SPACE_BASE + 2 * PAGE_BYTES, PAGE_BYTES));
    EXPECT_EQ(space->region_count, 2);
}

static uint64_t free_at_flush;

/* Pages that nobody uses, wherever they are, without bringing them home. */
static uint64_t idle_pages(void)
{
    uint64_t pages = frame_free_pages();

    for (cpu_t cpu = 0; cpu < MACHINE_CORES; cpu++) {
        pages += nexus_idle_pages(cpu);
    }
    return pages;
}

static void note_free_pages(vaddr_t address, uint64_t bytes, uint16_t asid)
{
    (void)address;
    (void)bytes;
    (void)asid;
    free_at_flush = idle_pages();
}

TEST(vspace, frames_are_freed_only_after_the_flush)
{
    uint64_t before;

    space_start();
    EXPECT_OK(space_map(0x800000, 1)); /* keeps the pages of the records */
    EXPECT_OK(space_map(SPACE_BASE, 100));
    space_touch(SPACE_BASE, 100);
    space_run_core(1, space);
    machine_be_core(0);
    machine_on_flush = note_free_pages;
    before = idle_pages();
    EXPECT_OK(vspace_unmap(space, SPACE_BASE, 100 * PAGE_BYTES));
    EXPECT_EQ(free_at_flush, before);
    EXPECT_EQ(idle_pages(), before + 100 + 3); /* the node of the object, two tables */
    machine_on_flush = NULL;
    space_run_core(1, NULL);
    space_finish();
}

TEST(vspace, a_page_of_a_table_that_stays_is_flushed_and_freed)
{
    uint64_t before;

    space_start();
    EXPECT_OK(space_map(SPACE_BASE, 3));
    space_touch(SPACE_BASE, 3);
    space_run_core(1, space);
    machine_be_core(0);
    machine_on_flush = note_free_pages;
    free_at_flush = 0;
    before = frame_free_pages();
    EXPECT_OK(vspace_unmap(space, SPACE_BASE + PAGE_BYTES, PAGE_BYTES));
    EXPECT_TRUE(free_at_flush != 0 && free_at_flush <= before);
    EXPECT_TRUE(frame_free_pages() >= before); /* the page, less what a record may take */
    machine_on_flush = NULL;
    space_run_core(1, NULL);
    space_finish();
}

TEST(vspace, quota_and_memory_run_out_cleanly)
{
    space_start();
    EXPECT_EQ(space_map(SPACE_BASE, 1000), ERR_NO_MEMORY); /* the root is charged too */
    EXPECT_EQ(account_pages(&space_account), 1);
    EXPECT_EQ(space->region_count, 0);
    EXPECT_OK(space_map(SPACE_BASE, 999));
    space_touch(SPACE_BASE, 999 - 8); /* three tables, three nodes of the object, two slabs */
    EXPECT_EQ(vspace_fault(space, SPACE_BASE + 998 * PAGE_BYTES, PROTECT_READ), ERR_NO_MEMORY);
    EXPECT_OK(vspace_unmap(space, SPACE_BASE, PAGE_BYTES));
    EXPECT_OK(vspace_fault(space, SPACE_BASE + 998 * PAGE_BYTES, PROTECT_READ));
    EXPECT_OK(vspace_unmap(space, SPACE_BASE + PAGE_BYTES, 998 * PAGE_BYTES));
    EXPECT_EQ(account_pages(&space_account), 3);
    space_finish();
    account_init(&space_account, ACCOUNT_UNLIMITED);
    EXPECT_OK(vspace_create(&space_account, &space));
    EXPECT_EQ(space_map(SPACE_BASE, SPACE_RAM_PAGES + 1), ERR_NO_MEMORY);
    EXPECT_OK(space_map(SPACE_BASE, SPACE_RAM_PAGES - 100));
    EXPECT_EQ(space->pages, 0);
    space_finish();
}

TEST(vspace, loader_writes_where_the_user_may_not)
{
    static char text[3 * PAGE_BYTES];
    char back[sizeof text];
    vaddr_t mapped;

    space_start();
    memset(text, 'x', sizeof text);
    EXPECT_OK(vspace_map_anonymous(space, SPACE_BASE, 4 * PAGE_BYTES, PROTECT_EXECUTE, &mapped));
    EXPECT_OK(vspace_write(space, SPACE_BASE + 100, text, sizeof text));
    EXPECT_OK(usercopy_in(space, back, user_addr(SPACE_BASE + 100), sizeof back));
    EXPECT_TRUE(memcmp(back, text, sizeof text) == 0);
    EXPECT_EQ(usercopy_out(space, user_addr(SPACE_BASE), text, 1), ERR_FAULT);
    EXPECT_EQ(vspace_write(space, SPACE_BASE + 2 * PAGE_BYTES, text, sizeof text), ERR_FAULT);
    EXPECT_EQ(vspace_write(space, UINT64_MAX, text, sizeof text), ERR_FAULT);
    space_finish();
}

TEST(vspace, random_maps_and_unmaps_balance)
{
    bool mapped[64] = {false};
    uint64_t stored = 0;

    space_start();
    srand(1);
    for (unsigned round = 0; round < 20000; round++) {
        unsigned first = (unsigned)rand() % 64;
        unsigned count = 1 + (unsigned)rand() % (64 - first > 8 ? 8 : 64 - first);
        bool all = true;
        bool none = true;

        for (unsigned i = first; i < first + count; i++) {
            all = all && mapped[i];
            none = none && !mapped[i];
        }
        if (rand() % 2 == 0) {
            EXPECT_EQ(space_map(SPACE_BASE + first * PAGE_BYTES, count), none ? OK : ERR_EXISTS);
            all = none; /* what was done */
        } else {
            EXPECT_EQ(vspace_unmap(space, SPACE_BASE + first * PAGE_BYTES, count * PAGE_BYTES),
                      all ? OK : ERR_NOT_FOUND);
        }
        for (unsigned i = first; all && i < first + count; i++) {
            mapped[i] = !mapped[i];
        }
        /* some are written to; fresh ones are zero */
        if (mapped[first]) {
            uint64_t word = space_load(SPACE_BASE + first * PAGE_BYTES);

            EXPECT_TRUE(word == 0 || (word <= stored && word % 64 == first));
            stored = (stored / 64 + 1) * 64 + first;
            EXPECT_OK(space_store(SPACE_BASE + first * PAGE_BYTES, stored));
        }
    }
    for (unsigned i = 0; i < 64; i++) {
        EXPECT_EQ(space_is_mapped(SPACE_BASE + i * PAGE_BYTES), mapped[i]);
    }
    space_finish();
}

/* Maps an object at once, clones it and writes to a page that the two share. */
static status_t map_clone(struct vspace *other)
{
    struct memory *memory;
    struct memory *clone = NULL;
    struct vspace_mapping mapping = {
        .address = SPACE_BASE,
        .bytes = 3 * PAGE_BYTES,
        .protection = SPACE_RW,
        .flags = MEMORY_POPULATE,
        .allowed = PROTECT_ALL,
    };
    vaddr_t mapped;
    status_t status = memory_create(&space_account, NULL, 3, &memory);

    if (status != OK) {
        return status;
    }
    mapping.memory = memory;
    status = vspace_map(other, &mapping, &mapped);
    if (status == OK) {
        status = memory_clone(memory, &space_account, NULL, &clone);
    }
    if (status == OK) {
        status = vspace_fault(other, SPACE_BASE + PAGE_BYTES, PROTECT_WRITE);
        object_release(&clone->object);
    }
    object_release(&memory->object);
    return status;
}

/* What a domain does with its space; the first error. Leaves nothing mapped. */
static status_t exercise(void)
{
    struct vspace *other;
    vaddr_t mapped;
    status_t status = vspace_create(&space_account, &other);

    if (status != OK) {
        return status;
    }
    status = vspace_map_anonymous(other, 0, 20 * PAGE_BYTES, SPACE_RW, &mapped);
    if (status == OK) {
        status = vspace_fault(other, mapped + PAGE_BYTES, PROTECT_WRITE);
    }
    if (status == OK) {
        status = vspace_unmap(other, mapped + PAGE_BYTES, PAGE_BYTES);
    }
    if (status == OK) {
        status = map_clone(other);
    }
    vspace_destroy(other);
    return status;
}

TEST(vspace, every_allocation_that_fails_is_an_error_without_a_leak)
{
    uint64_t nth = 0;
    status_t status;

    space_start();
    EXPECT_OK(exercise()); /* makes the account's heap, which stays as long as the account */
    do {
        uint64_t free_before = machine_free_pages();
        uint64_t charged_before = account_pages(&space_account);

        fail_nth_allocation(++nth);
        status = exercise();
        EXPECT_EQ(status, fail_is_pending() ? OK : ERR_NO_MEMORY);
        fail_nth_allocation(0);
        EXPECT_EQ(machine_free_pages(), free_before);
        EXPECT_EQ(account_pages(&space_account), charged_before);
    } while (status == ERR_NO_MEMORY && nth < 100);
    EXPECT_TRUE(nth > 15 && nth < 100);
    space_finish();
}

TEST(vspace, no_access_means_none_until_it_is_protected_otherwise)
{
    vaddr_t mapped;

    space_start();
    EXPECT_OK(vspace_map_anonymous(space, SPACE_BASE, 4 * PAGE_BYTES, PROTECT_NONE, &mapped));
    EXPECT_EQ(vspace_fault(space, SPACE_BASE, PROTECT_READ), ERR_FAULT);
    EXPECT_EQ(vspace_write(space, SPACE_BASE, "x", 1), ERR_FAULT);
    EXPECT_OK(vspace_protect(space, SPACE_BASE + PAGE_BYTES, PAGE_BYTES, SPACE_RW));
    EXPECT_OK(space_store(SPACE_BASE + PAGE_BYTES, 5));
    EXPECT_EQ(space_store(SPACE_BASE + 2 * PAGE_BYTES, 5), ERR_FAULT);
    EXPECT_EQ(space->region_count, 3);
    EXPECT_OK(vspace_protect(space, SPACE_BASE, 4 * PAGE_BYTES, PROTECT_NONE));
    EXPECT_EQ(vspace_fault(space, SPACE_BASE + PAGE_BYTES, PROTECT_READ), ERR_FAULT);
    EXPECT_OK(vspace_protect(space, SPACE_BASE + PAGE_BYTES, PAGE_BYTES, PROTECT_READ));
    EXPECT_EQ(space_load(SPACE_BASE + PAGE_BYTES), 5);
    EXPECT_EQ(space_store(SPACE_BASE + PAGE_BYTES, 6), ERR_FAULT);
    space_finish();
}

TEST(vspace, protection_is_never_writable_and_executable)
{
    space_start();
    EXPECT_OK(space_map(SPACE_BASE, 2));
    EXPECT_OK(space_store(SPACE_BASE, 0x13));
    EXPECT_EQ(vspace_protect(space, SPACE_BASE, PAGE_BYTES, PROTECT_WRITE | PROTECT_EXECUTE),
              ERR_INVALID);
    EXPECT_OK(vspace_protect(space, SPACE_BASE, 2 * PAGE_BYTES, PROTECT_EXECUTE));
    EXPECT_FALSE(space_is_entered(SPACE_BASE, PROTECT_WRITE));
    EXPECT_OK(vspace_fault(space, SPACE_BASE, PROTECT_EXECUTE));
    EXPECT_TRUE(space_is_entered(SPACE_BASE, PROTECT_EXECUTE));
    EXPECT_FALSE(space_is_entered(SPACE_BASE, PROTECT_WRITE));
    EXPECT_EQ(space_store(SPACE_BASE, 1), ERR_FAULT);
    EXPECT_OK(vspace_protect(space, SPACE_BASE, 2 * PAGE_BYTES, SPACE_RW));
    EXPECT_FALSE(space_is_entered(SPACE_BASE, PROTECT_EXECUTE));
    EXPECT_OK(space_store(SPACE_BASE, 1));
    EXPECT_EQ(vspace_protect(space, SPACE_BASE, 3 * PAGE_BYTES, SPACE_RW), ERR_NOT_FOUND);
    EXPECT_EQ(vspace_protect(space, SPACE_BASE, 0, SPACE_RW), ERR_INVALID);
    space_finish();
}

TEST(vspace, chosen_places_are_aligned_as_asked)
{
    vaddr_t mapped = 0;
    struct vspace_mapping mapping = {.bytes = 3 * PAGE_BYTES, .protection = SPACE_RW};

    space_start();
    for (uint64_t alignment = PAGE_BYTES; alignment <= VSPACE_MAX_ALIGNMENT; alignment *= 2) {
        mapping.alignment = alignment;
        EXPECT_OK(vspace_map(space, &mapping, &mapped));
        EXPECT_EQ(mapped % alignment, 0);
    }
    mapping.alignment = 3 * PAGE_BYTES;
    EXPECT_EQ(vspace_map(space, &mapping, &mapped), ERR_INVALID);
    mapping.alignment = 2 * VSPACE_MAX_ALIGNMENT;
    EXPECT_EQ(vspace_map(space, &mapping, &mapped), ERR_INVALID);
    mapping.alignment = 0x10000;
    mapping.address = 0x8000;
    EXPECT_EQ(vspace_map(space, &mapping, &mapped), ERR_INVALID);
    mapping.address = 0;
    mapping.flags = 1U << 31;
    EXPECT_EQ(vspace_map(space, &mapping, &mapped), ERR_INVALID);
    space_finish();
}

TEST(vspace, guarded_ranges_keep_their_neighbours_away)
{
    vaddr_t mapped;
    struct vspace_mapping mapping = {.address = SPACE_BASE,
                                     .bytes = 4 * PAGE_BYTES,
                                     .protection = SPACE_RW,
                                     .flags = MEMORY_GUARDED};

    space_start();
    EXPECT_OK(space_map(SPACE_BASE + 5 * PAGE_BYTES, 1));
    EXPECT_OK(vspace_map(space, &mapping, &mapped));
    EXPECT_EQ(space_map(SPACE_BASE + 4 * PAGE_BYTES, 1), ERR_EXISTS);
    EXPECT_EQ(space_map(SPACE_BASE - PAGE_BYTES, 1), ERR_EXISTS);
    EXPECT_OK(space_map(SPACE_BASE - 2 * PAGE_BYTES, 1));
    EXPECT_OK(vspace_unmap(space, SPACE_BASE + PAGE_BYTES, PAGE_BYTES));
    EXPECT_OK(space_map(SPACE_BASE + PAGE_BYTES, 1)); /* a cut is no guarded end */
    EXPECT_OK(vspace_unmap(space, SPACE_BASE + 3 * PAGE_BYTES, PAGE_BYTES));
    EXPECT_OK(space_map(SPACE_BASE + 4 * PAGE_BYTES, 1));
    mapping.address = SPACE_BASE + 6 * PAGE_BYTES;
    EXPECT_EQ(vspace_map(space, &mapping, &mapped), ERR_EXISTS);
    space_finish();
}

TEST(vspace, populated_pages_are_entered_at_once_or_not_at_all)
{
    vaddr_t mapped = 0;
    struct vspace_mapping mapping = {
        .bytes = 200 * PAGE_BYTES, .protection = SPACE_RW, .flags = MEMORY_POPULATE};

    space_start();
    EXPECT_OK(vspace_map(space, &mapping, &mapped));
    EXPECT_EQ(space->pages, 200);
    EXPECT_TRUE(space_is_entered(mapped + 199 * PAGE_BYTES, SPACE_RW));
    EXPECT_OK(vspace_unmap(space, mapped, 200 * PAGE_BYTES));
    EXPECT_EQ(account_pages(&space_account), 3); /* the root and two slabs */
    mapping.bytes = 998 * PAGE_BYTES;            /* no quota for the tables */
    EXPECT_EQ(vspace_map(space, &mapping, &mapped), ERR_NO_MEMORY);
    EXPECT_EQ(space->pages, 0);
    EXPECT_EQ(space->region_count, 0);
    EXPECT_EQ(account_pages(&space_account), 3); /* the root and two slabs */
    space_finish();
}

TEST(vspace, thousands_of_regions_are_found_and_refused_at_the_limit)
{
    vaddr_t mapped = 0;

    space_start();
    for (unsigned i = 0; i < VSPACE_MAX_REGIONS; i++) {
        EXPECT_OK(space_map(SPACE_BASE + i * 2 * PAGE_BYTES, 1));
    }
    EXPECT_EQ(vspace_map_anonymous(space, 0, PAGE_BYTES, SPACE_RW, &mapped), ERR_NO_SPACE);
    EXPECT_TRUE(space_is_mapped(SPACE_BASE + 4094 * 2 * PAGE_BYTES));
    EXPECT_FALSE(space_is_mapped(SPACE_BASE + 4093 * PAGE_BYTES));
    for (unsigned i = 0; i < VSPACE_MAX_REGIONS; i++) {
        EXPECT_OK(vspace_unmap(space, SPACE_BASE + i * 2 * PAGE_BYTES, PAGE_BYTES));
    }
    space_finish();
}
