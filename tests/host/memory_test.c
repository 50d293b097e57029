/* SPDX-License-Identifier: MIT */
/* Tests memory objects: pages on demand, copy on write, pins, blocks, device ranges. */

#include "mm/memory.h"

#include <stdlib.h>

#include "arch/layout.h"
#include "mm/frame.h"
#include "tests/host/machine.h"
#include "tests/host/space.h"
#include "tests/test.h"

#define AT 0x40000000UL
#define OTHER 0x50000000UL

static struct memory *make(uint64_t pages)
{
    struct memory *memory = NULL;

    EXPECT_OK(memory_create(&space_account, NULL, pages, &memory));
    return memory;
}

static struct memory *clone_of(struct memory *memory)
{
    struct memory *clone = NULL;

    EXPECT_OK(memory_clone(memory, &space_account, NULL, &clone));
    return clone;
}

TEST(memory, sizes_have_limits)
{
    struct memory *memory = NULL;

    space_start();
    EXPECT_EQ(memory_create(&space_account, NULL, 0, &memory), ERR_INVALID);
    EXPECT_EQ(memory_create(&space_account, NULL, MEMORY_MAX_PAGES + 1, &memory), ERR_INVALID);
    EXPECT_TRUE(memory == NULL);
    space_finish();
}

/* Every depth of the tree of nodes, at its first and last page. */
TEST(memory, pages_are_found_in_objects_of_every_size)
{
    static const uint64_t sizes[] = {1, 8, 9, 512, 513, 1UL << 18, (1UL << 18) + 1, 1UL << 26};

    space_start();
    for (unsigned i = 0; i < ARRAY_SIZE(sizes); i++) {
        struct memory *memory = make(sizes[i]);

        EXPECT_OK(space_map_object(AT, memory, 0, 1));
        EXPECT_OK(space_map_object(AT + PAGE_BYTES, memory, sizes[i] - 1, 1));
        EXPECT_OK(space_store(AT, 1 + i));
        EXPECT_EQ(space_load(AT + PAGE_BYTES), sizes[i] == 1 ? 1 : 0);
        EXPECT_OK(space_store(AT + PAGE_BYTES, 100 + i));
        EXPECT_EQ(space_load(AT), sizes[i] == 1 ? 100 : 1 + i);
        object_release(&memory->object);
        EXPECT_OK(vspace_unmap(space, AT, 2 * PAGE_BYTES));
    }
    space_finish();
}

TEST(memory, ranges_outside_the_object_are_refused)
{
    struct memory *memory;

    space_start();
    memory = make(4);
    EXPECT_EQ(space_map_object(AT, memory, 0, 5), ERR_INVALID);
    EXPECT_EQ(space_map_object(AT, memory, 4, 1), ERR_INVALID);
    EXPECT_EQ(space_map_object(AT, memory, UINT64_MAX / PAGE_BYTES, 2), ERR_INVALID);
    EXPECT_OK(space_map_object(AT, memory, 3, 1));
    object_release(&memory->object);
    space_finish();
}

TEST(memory, two_mappings_show_the_same_pages_and_outlive_the_handle)
{
    struct memory *memory;

    space_start();
    memory = make(4);
    EXPECT_OK(space_map_object(AT, memory, 0, 4));
    EXPECT_OK(space_map_object(OTHER, memory, 2, 2));
    object_release(&memory->object);
    EXPECT_OK(space_store(AT + 3 * PAGE_BYTES, 42));
    EXPECT_EQ(space_load(OTHER + PAGE_BYTES), 42);
    EXPECT_OK(vspace_unmap(space, AT, 4 * PAGE_BYTES));
    EXPECT_EQ(space_load(OTHER + PAGE_BYTES), 42);
    space_finish();
}

TEST(memory, protection_beyond_what_is_allowed_is_refused)
{
    struct memory *memory;
    vaddr_t mapped;
    struct vspace_mapping mapping = {
        .address = AT, .bytes = PAGE_BYTES, .protection = SPACE_RW, .allowed = PROTECT_READ};

    space_start();
    memory = make(1);
    mapping.memory = memory;
    EXPECT_EQ(vspace_map(space, &mapping, &mapped), ERR_NO_RIGHT);
    mapping.protection = PROTECT_READ;
    EXPECT_OK(vspace_map(space, &mapping, &mapped));
    EXPECT_EQ(vspace_protect(space, AT, PAGE_BYTES, SPACE_RW), ERR_NO_RIGHT);
    EXPECT_EQ(vspace_protect(space, AT, PAGE_BYTES, PROTECT_EXECUTE), ERR_NO_RIGHT);
    EXPECT_OK(vspace_protect(space, AT, PAGE_BYTES, PROTECT_NONE));
    EXPECT_OK(vspace_protect(space, AT, PAGE_BYTES, PROTECT_READ));
    object_release(&memory->object);
    space_finish();
}

TEST(memory, a_clone_and_its_original_do_not_see_each_others_writes)
{
    struct memory *memory;
    struct memory *clone;
    uint64_t before;

    space_start();
    memory = make(16);
    EXPECT_OK(space_map_object(AT, memory, 0, 16));
    for (unsigned i = 0; i < 8; i++) {
        EXPECT_OK(space_store(AT + i * PAGE_BYTES, 10 + i));
    }
    before = frame_free_pages();
    clone = clone_of(memory);
    EXPECT_TRUE(before - frame_free_pages() <= 2); /* the record and a node */
    EXPECT_FALSE(space_is_entered(AT, PROTECT_WRITE));
    EXPECT_OK(space_map_object(OTHER, clone, 0, 16));
    EXPECT_OK(space_store(AT, 100));
    EXPECT_OK(space_store(OTHER + PAGE_BYTES, 200));
    EXPECT_OK(space_store(AT + 9 * PAGE_BYTES, 300));
    EXPECT_EQ(space_load(OTHER), 10);
    EXPECT_EQ(space_load(AT + PAGE_BYTES), 11);
    EXPECT_EQ(space_load(OTHER + 9 * PAGE_BYTES), 0);
    EXPECT_EQ(space_load(AT), 100);
    EXPECT_EQ(space_load(OTHER + PAGE_BYTES), 200);
    object_release(&memory->object);
    object_release(&clone->object);
    space_finish();
}

TEST(memory, the_last_owner_of_a_shared_page_writes_in_place)
{
    struct memory *memory;
    struct memory *clone;
    uint64_t before;

    space_start();
    memory = make(4);
    EXPECT_OK(space_map_object(AT, memory, 0, 4));
    EXPECT_OK(space_store(AT, 7));
    clone = clone_of(memory);
    EXPECT_EQ(space_load(AT), 7);
    object_release(&clone->object);
    before = frame_free_pages();
    EXPECT_OK(space_store(AT, 8));
    EXPECT_EQ(frame_free_pages(), before);
    EXPECT_EQ(space_load(AT), 8);
    object_release(&memory->object);
    space_finish();
}

TEST(memory, a_copy_replaces_the_page_in_every_mapping)
{
    struct memory *memory;
    struct memory *clone;

    space_start();
    memory = make(4);
    EXPECT_OK(space_map_object(AT, memory, 0, 4));
    EXPECT_OK(space_map_object(OTHER, memory, 0, 4));
    EXPECT_OK(space_store(AT, 7));
    clone = clone_of(memory);
    EXPECT_EQ(space_load(OTHER), 7); /* entered read-only */
    EXPECT_OK(space_store(AT, 8));
    EXPECT_EQ(space_load(OTHER), 8);
    object_release(&memory->object);
    object_release(&clone->object);
    space_finish();
}

TEST(memory, a_clone_is_charged_for_what_it_shares)
{
    struct memory *memory;
    struct memory *clone = NULL;

    space_start();
    memory = make(600);
    EXPECT_OK(space_map_object(AT, memory, 0, 600));
    space_touch(AT, 600);
    EXPECT_EQ(memory_clone(memory, &space_account, NULL, &clone), ERR_NO_MEMORY);
    EXPECT_TRUE(clone == NULL);
    EXPECT_OK(space_store(AT + 599 * PAGE_BYTES, 1));
    object_release(&memory->object);
    space_finish();
}

TEST(memory, pinned_pages_stay_and_a_clone_gets_copies_of_them)
{
    struct memory *memory;
    struct memory *clone;
    paddr_t physical = 1;
    paddr_t before = 0;
    paddr_t after = 1;

    space_start();
    memory = make(4);
    EXPECT_OK(space_map_object(AT, memory, 0, 4));
    EXPECT_OK(memory_pin(memory, 1, 2, &physical));
    EXPECT_EQ(physical, 0);
    EXPECT_OK(space_store(AT + PAGE_BYTES, 5));
    EXPECT_OK(vspace_translate(space, AT + PAGE_BYTES, SPACE_RW, &before));
    clone = clone_of(memory);
    EXPECT_OK(space_map_object(OTHER, clone, 0, 4));
    EXPECT_OK(space_store(AT + PAGE_BYTES, 6));
    EXPECT_OK(vspace_translate(space, AT + PAGE_BYTES, SPACE_RW, &after));
    EXPECT_EQ(before, after);
    EXPECT_EQ(space_load(OTHER + PAGE_BYTES), 5);
    EXPECT_OK(memory_unpin(memory, 1, 2));
    EXPECT_EQ(memory_unpin(memory, 1, 1), ERR_NOT_FOUND);
    EXPECT_EQ(memory_pin(memory, 3, 2, &physical), ERR_INVALID);
    EXPECT_EQ(memory_pin(memory, 0, 0, &physical), ERR_INVALID);
    for (unsigned i = 0; i < 1023; i++) {
        EXPECT_OK(memory_pin(memory, 0, 1, &physical));
    }
    EXPECT_EQ(memory_pin(memory, 0, 1, &physical), ERR_NO_SPACE);
    object_release(&memory->object);
    object_release(&clone->object);
    space_finish();
}

TEST(memory, a_block_is_mapped_by_megapages_that_come_apart)
{
    struct memory *memory = NULL;
    struct memory *clone = NULL;
    paddr_t physical = 0;
    uint64_t charged;

    space_start();
    EXPECT_EQ(memory_create_contiguous(&space_account, NULL, 1025, &memory), ERR_INVALID);
    EXPECT_EQ(memory_create_contiguous(&space_account, NULL, 1024, &memory), ERR_NO_MEMORY);
    EXPECT_OK(memory_create_contiguous(&space_account, NULL, 512, &memory));
    EXPECT_OK(memory_pin(memory, 3, 1, &physical));
    EXPECT_EQ(physical, memory->base + 3 * PAGE_BYTES);
    EXPECT_EQ(memory_clone(memory, &space_account, NULL, &clone), ERR_INVALID);
    charged = account_pages(&space_account);
    EXPECT_OK(space_map_object(AT, memory, 0, 512));
    EXPECT_OK(space_store(AT + 5 * PAGE_BYTES, 5));
    EXPECT_EQ(space->pages, 1);
    EXPECT_EQ(account_pages(&space_account), charged + 2); /* one table, a slab of regions */
    EXPECT_TRUE(space_is_entered(AT + 511 * PAGE_BYTES, SPACE_RW));
    EXPECT_OK(vspace_unmap(space, AT + 7 * PAGE_BYTES, PAGE_BYTES));
    EXPECT_FALSE(space_is_mapped(AT + 7 * PAGE_BYTES));
    EXPECT_EQ(space_load(AT + 5 * PAGE_BYTES), 5);
    EXPECT_OK(vspace_protect(space, AT + 8 * PAGE_BYTES, PAGE_BYTES, PROTECT_READ));
    EXPECT_EQ(space_store(AT + 8 * PAGE_BYTES, 1), ERR_FAULT);
    EXPECT_OK(space_store(AT + 9 * PAGE_BYTES, 1));
    EXPECT_OK(space_map_object(OTHER + PAGE_BYTES, memory, 0, 512)); /* not aligned alike */
    EXPECT_EQ(space_load(OTHER + 6 * PAGE_BYTES), 5);
    object_release(&memory->object);
    space_finish();
}

TEST(memory, device_ranges_are_never_ram)
{
    struct memory *all = NULL;
    struct memory *slice = NULL;

    space_start();
    EXPECT_OK(memory_create_device(&space_account, NULL, 0, 1UL << 40, &all));
    EXPECT_EQ(memory_slice(all, MACHINE_RAM_BASE / PAGE_BYTES, 1, &space_account, NULL, &slice),
              ERR_DENIED);
    EXPECT_EQ(memory_slice(all, MACHINE_RAM_BASE / PAGE_BYTES - 1, 2, &space_account, NULL, &slice),
              ERR_DENIED);
    EXPECT_EQ(memory_slice(all, 0, 1UL << 40, &space_account, NULL, &slice), ERR_DENIED);
    EXPECT_EQ(memory_slice(all, 1UL << 40, 1, &space_account, NULL, &slice), ERR_INVALID);
    EXPECT_EQ(space_map_object(AT, all, MACHINE_RAM_BASE / PAGE_BYTES, 1), ERR_DENIED);
    EXPECT_OK(memory_slice(all, 0x10000, 2, &space_account, NULL, &slice));
    EXPECT_OK(space_map_object(AT, slice, 1, 1));
    EXPECT_OK(vspace_fault(space, AT, PROTECT_WRITE));
    EXPECT_EQ(memory_create_device(&space_account, NULL, 1, 1, &all), ERR_INVALID);
    EXPECT_EQ(memory_create_device(&space_account, NULL, 1UL << 56, 1, &all), ERR_INVALID);
    object_release(&slice->object);
    object_release(&all->object);
    space_finish();
}

/* A model of objects, clones of them and what is mapped where. */
#define OBJECTS 5U
#define OBJECT_PAGES 20U
#define SLOTS 60U

static struct memory *objects[OBJECTS];
static uint64_t contents[OBJECTS][OBJECT_PAGES];

static struct {
    int object; /* -1: nothing is mapped */
    unsigned page;
    bool writable;
} slots[SLOTS];

static vaddr_t slot_address(unsigned slot)
{
    return AT + slot * PAGE_BYTES;
}

static bool slots_are(unsigned first, unsigned count, bool mapped)
{
    for (unsigned i = first; i < first + count; i++) {
        if ((slots[i].object >= 0) != mapped) {
            return false;
        }
    }
    return true;
}

static void random_map(unsigned first, unsigned count)
{
    unsigned object = (unsigned)rand() % OBJECTS;
    unsigned page = (unsigned)rand() % (OBJECT_PAGES - count + 1);
    bool is_free = slots_are(first, count, false);

    EXPECT_EQ(space_map_object(slot_address(first), objects[object], page, count),
              is_free ? OK : ERR_EXISTS);
    for (unsigned i = 0; is_free && i < count; i++) {
        slots[first + i].object = (int)object;
        slots[first + i].page = page + i;
        slots[first + i].writable = true;
    }
}

static void random_change(unsigned first, unsigned count, bool unmap, bool writable)
{
    uint32_t protection = writable ? SPACE_RW : PROTECT_READ;
    status_t wanted = slots_are(first, count, true) ? OK : ERR_NOT_FOUND;
    status_t status =
        unmap ? vspace_unmap(space, slot_address(first), count * PAGE_BYTES)
              : vspace_protect(space, slot_address(first), count * PAGE_BYTES, protection);

    EXPECT_EQ(status, wanted);
    for (unsigned i = first; wanted == OK && i < first + count; i++) {
        slots[i].object = unmap ? -1 : slots[i].object;
        slots[i].writable = writable;
    }
}

static void random_clone(void)
{
    unsigned from = (unsigned)rand() % OBJECTS;
    unsigned to = (unsigned)rand() % OBJECTS;

    for (unsigned i = 0; i < SLOTS; i++) {
        if (slots[i].object == (int)to) { /* its mappings would outlive it */
            EXPECT_OK(vspace_unmap(space, slot_address(i), PAGE_BYTES));
            slots[i].object = -1;
        }
    }
    if (from != to) {
        object_release(&objects[to]->object);
        objects[to] = clone_of(objects[from]);
        for (unsigned i = 0; i < OBJECT_PAGES; i++) {
            contents[to][i] = contents[from][i];
        }
    }
}

static void random_access(unsigned slot)
{
    uint64_t *content;

    if (slots[slot].object < 0) {
        EXPECT_FALSE(space_is_mapped(slot_address(slot)));
        return;
    }
    content = &contents[slots[slot].object][slots[slot].page];
    EXPECT_EQ(space_load(slot_address(slot)), *content);
    if (rand() % 2 == 0) {
        uint64_t word = (uint64_t)rand();

        EXPECT_EQ(space_store(slot_address(slot), word), slots[slot].writable ? OK : ERR_FAULT);
        *content = slots[slot].writable ? word : *content;
    }
}

TEST(memory, random_maps_protections_clones_and_writes_match_a_model)
{
    space_start();
    srand(5);
    for (unsigned i = 0; i < OBJECTS; i++) {
        objects[i] = make(OBJECT_PAGES);
    }
    for (unsigned i = 0; i < SLOTS; i++) {
        slots[i].object = -1;
    }
    for (unsigned round = 0; round < 20000; round++) {
        unsigned first = (unsigned)rand() % SLOTS;
        unsigned count = 1 + (unsigned)rand() % (SLOTS - first > 6 ? 6 : SLOTS - first);

        switch (rand() % 8) {
        case 0:
        case 1:
            random_map(first, count);
            break;
        case 2:
            random_change(first, count, true, false);
            break;
        case 3:
            random_change(first, count, false, rand() % 2 == 0);
            break;
        case 4:
            random_clone();
            break;
        default:
            random_access(first);
            break;
        }
    }
    for (unsigned i = 0; i < SLOTS; i++) {
        random_access(i);
    }
    for (unsigned i = 0; i < OBJECTS; i++) {
        object_release(&objects[i]->object);
    }
    space_finish();
}
